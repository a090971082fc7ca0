// An engine kept elsewhere, piece by piece, and made again of the pieces.
// Invariant: an engine that is given names, bases, held events and marks, in this order, answers as the one they are of.
// Not here: the pieces' bytes and files (ContinuoStorage), undoing and dropping.

/// What an engine is besides its names, bases and held events.
package struct EngineMarks: Equatable, Sendable {
  package var newest: Timestamp?
  package var clock: Timestamp?
  package var horizon: Timestamp?
  package var hasDropped = false
  /// The greatest dropped block of each chain.
  package var droppedBlocks: [UInt32: UInt64] = [:]
  /// Tokens whose holders are incomplete for good, ascending.
  package var incomplete: [UInt32] = []
  /// How far each source has come.
  package var inputs = InputPositions()

  package init() {}
}

/// A version of an engine that stays as it is, for another thread to keep it.
package struct KeptVersion: ~Copyable, Sendable {
  private let pin: PinnedVersion
  package let marks: EngineMarks
  /// The stretches of time that have changed since the version before.
  package let changed: Set<Int64>
  /// Whether what is left of dropped events has.
  package let areBasesChanged: Bool
  /// The contents, for as long as this is there.
  package var snapshot: Snapshot { pin.snapshot }

  fileprivate init(
    _ pin: consuming PinnedVersion, _ marks: EngineMarks, _ changed: (stretches: Set<Int64>, areBasesChanged: Bool)
  ) {
    self.pin = pin
    (self.marks, self.changed, areBasesChanged) = (marks, changed.stretches, changed.areBasesChanged)
  }

  package var tokenCount: Int { snapshot.contents.tokenNames.count }
  package var addressCount: Int { snapshot.contents.addressNames.count }

  /// Adds the names with these numbers to some bytes, as batches have them (docs/format/journal.md, "Names"). O(bytes).
  package func appendTokens(_ numbers: Range<Int>, to bytes: inout [UInt8]) {
    snapshot.contents.tokenNames.append(numbers, to: &bytes)
  }

  /// The same of addresses; number 0, the zero address, is nobody's name. O(bytes).
  package func appendAddresses(_ numbers: Range<Int>, to bytes: inout [UInt8]) {
    snapshot.contents.addressNames.append(numbers, to: &bytes)
  }
}

extension Engine {
  /// Begins to note which stretches of time change. O(1).
  package mutating func noteChanges() { changes.begin() }

  /// The stretches that have changed since they were kept last. O(1).
  package var changedStretches: Set<Int64> { changes.stretches }

  /// Notes again what had changed: keeping it failed. O(stretches).
  package mutating func giveBack(_ stretches: Set<Int64>, _ areBasesChanged: Bool) {
    changes.giveBack(stretches, areBasesChanged)
  }

  /// The engine as it is now, for another thread to keep; what has changed is counted from here on. Behind it is ``endVersions()``. O(tokens) the first time,
  /// then O(tokens) without their memory.
  package mutating func kept() -> KeptVersion {
    let pin = pin()
    var marks = EngineMarks()
    (marks.newest, marks.clock, marks.horizon) = (newest, engineClock.advanced, horizon)
    (marks.hasDropped, marks.droppedBlocks, marks.inputs) = (hasDropped, droppedBlocks, inputs)
    for token in 0..<tokenStates.count where tokenStates[token].isMarked {
      marks.incomplete.append(UInt32(truncatingIfNeeded: token))
    }
    return KeptVersion(pin, marks, changes.take())
  }

  /// How many names have numbers: tokens from 0, addresses from 1. O(1).
  package var nameCounts: (tokens: Int, addresses: Int) { (tokenStates.count, addressNames.count) }

  /// The name of a token by its number. O(length).
  package func tokenName(_ number: UInt32) -> ByteString { tokenNames.byteString(Int(number)) }

  /// The name of an address by its number. O(length).
  package func addressName(_ number: UInt32) -> ByteString { addressNames.byteString(Int(number)) }

  // MARK: made again

  /// Gives names the next numbers, tokens first. O(bytes).
  ///
  /// - Throws: ``PackedBatchFault`` where bytes are no such names, or a name has a number already.
  package mutating func adoptNames(
    _ bytes: Span<UInt8>, tokens: Int, addresses: Int
  ) throws(PackedBatchFault) {
    var packed = PackedBatchBytes(bytes)
    var text = TextPool()
    var names: [PackedName] = []
    try packed.names(tokens, longest: Limits.tokenBytesMax, &text, &names)
    try packed.names(addresses, longest: Limits.addressBytesMax, &text, &names)
    guard packed.isAtEnd else { throw PackedBatchFault(what: "no bytes behind the names") }
    for (index, name) in names.enumerated() {
      guard name.isText else { throw PackedBatchFault(what: "a name") }
      let isNew: Bool
      if index < tokens {
        let number = tokenNames.intern(name, text)
        isNew = number == tokenStates.count
        if isNew { tokenStates.append(TokenState(arena)) }
      } else {
        let number = addressNames.intern(name, text)
        isNew = number == balancesByAddress.count
        if isNew { balancesByAddress.append(0) }
      }
      guard isNew else { throw PackedBatchFault(what: "a name that was not there yet") }
    }
  }

  /// Gives a token a number, the next one if it has none: of an engine that has some of the tokens only. O(length).
  package mutating func adoptToken(_ name: ByteString) -> UInt32 {
    var text = TextPool()
    let bytes = name.bytes.span
    let number = tokenNames.intern(PackedName(bytes) ?? PackedName(long: text.keep(bytes)), text)
    if number == tokenStates.count { tokenStates.append(TokenState(arena)) }
    return UInt32(truncatingIfNeeded: number)
  }

  /// Where some tokens stand among so many names, as bytes have them. O(bytes).
  ///
  /// - Throws: ``PackedBatchFault`` where the bytes are no such names.
  package static func places(
    of tokens: [ByteString], among bytes: Span<UInt8>, _ count: Int
  ) throws(PackedBatchFault) -> [(token: Int, place: Int)] {
    var packed = PackedBatchBytes(bytes)
    var text = TextPool()
    var names: [PackedName] = []
    try packed.names(count, longest: Limits.tokenBytesMax, &text, &names)
    guard packed.isAtEnd else { throw PackedBatchFault(what: "no bytes behind the names") }
    var found: [(token: Int, place: Int)] = []
    for (index, token) in tokens.enumerated() {
      let own = PackedName(token.bytes.span)
      let place = names.firstIndex { name in
        name.isLong ? own == nil && name.byteString(text) == token : name == own
      }
      if let place { found.append((index, place)) }
    }
    return found
  }

  /// Gives a token what is left of its dropped events. O(what is left).
  ///
  /// - Throws: ``PackedBatchFault`` where it does not fit: names that are not known, candles that do not ascend.
  package mutating func adopt(_ base: TokenBase) throws(PackedBatchFault) {
    let token = Int(base.token)
    guard token < tokenStates.count,
      base.balances.allSatisfy({ $0.address > 0 && Int($0.address) < addressNames.count })
    else { throw PackedBatchFault(what: "names' numbers") }
    willChange(token)
    tokenStates[token].droppedSwaps = base.droppedSwaps
    tokenStates[token].droppedTransfers = base.droppedTransfers
    tokenStates[token].lastBelowHorizon = base.lastKey.map { LastSwap(key: $0, price: base.lastPrice) }
    for archived in base.candles {
      let row = StoredCandle(key: archived.start, candle: archived.candle)
      let isBehind: Bool
      switch archived.interval {
      case .oneHour: isBehind = tokenStates[token].hours.adopt(row)
      case .fourHours: isBehind = tokenStates[token].fourHours.adopt(row)
      case .oneDay: isBehind = tokenStates[token].days.adopt(row)
      case .oneWeek: isBehind = tokenStates[token].weeks.adopt(row)
      default: isBehind = false
      }
      guard isBehind else { throw PackedBatchFault(what: "candles that ascend") }
    }
    for (address, sum) in base.balances { addBalance(sum, to: address, token) }
    tokenStates[token].balances.mint(base.supply)
  }

  /// Takes in held swaps, which are new. O(swaps) amortised, in the order of their chain.
  ///
  /// - Throws: ``PackedBatchFault`` where a number is no name's, an amount none of a swap, or one is held already.
  package mutating func adopt(_ swaps: Span<HeldSwap>) throws(PackedBatchFault) {
    for index in swaps.indices {
      try expect(swaps, index)
      try adopt(swaps[index].row.key, .swap, swaps[index].token)
      adopt(swaps, index)
    }
  }

  /// Takes in held swaps, which are new, token by token, so that what each token needs is looked for once. O(swaps) amortised.
  ///
  /// - Parameters:
  ///   - swaps: one token after the other, each in the order of its chain.
  ///   - swapTokens: the tokens of these, by which they are taken.
  ///   - keys: where the same swaps stand, in the order of their chain.
  ///   - tokens: the tokens of these, in the same order.
  /// - Throws: as ``adopt(_:)``.
  package mutating func adopt(
    byToken swaps: Span<HeldSwap>, _ swapTokens: Span<UInt32>, _ keys: Span<OrderKey>, _ tokens: Span<UInt32>
  ) throws(PackedBatchFault) {
    precondition(
      keys.count == swaps.count && tokens.count == swaps.count && swapTokens.count == swaps.count,
      "the same swaps in both orders")
    try adopt(keys, tokens)
    var next = 0
    while next < swaps.count {
      let (start, token) = (next, swapTokens[next])
      let day = swaps[start].row.key.timestamp.startOfDay
      let nextDay = Interval.oneDay.next(day)
      guard Int(token) < tokenStates.count else { throw PackedBatchFault(what: "names' numbers") }
      var (volume, isPast): (Int128, Bool) = (0, false)
      repeat {
        try expect(swaps, next)
        prefetch(swapTokens, next)
        let (sum, overflow) = volume.addingReportingOverflow(swaps[next].row.amountUSD.units)
        (volume, isPast) = (sum, isPast || overflow)
        next += 1
      } while next < swaps.count && swapTokens[next] == token && swaps[next].row.key.timestamp >= day
        && swaps[next].row.key.timestamp < nextDay
      guard !isPast else {
        for index in start..<next { adopt(swaps, index) }
        continue
      }
      willChange(Int(token), onlyTrades: true)
      tokenStates[Int(token)].accept(swaps, start..<next)
      dayVolumes.add(Decimal18(units: volume), to: Int(token), at: swaps[start].row.key.timestamp)
    }
  }

  /// Takes in the identities of swaps, and their times. O(swaps) amortised, in the order of their chain.
  private mutating func adopt(_ keys: Span<OrderKey>, _ tokens: Span<UInt32>) throws(PackedBatchFault) {
    guard keys.count > 0 else { return }
    var next = 0
    while next < keys.count {
      let taken = identities.append(keys, tokens, from: next, .swap)
      // One that stands before others of its chain finds its place, or is one of them.
      if taken == 0 { try adopt(keys[next], .swap, tokens[next]) }
      next += max(1, taken)
    }
    var newest = keys[0].timestamp
    for index in keys.indices { newest = max(newest, keys[index].timestamp) }
    engineClock.accept(newest)
  }

  /// Asks for the memory of tokens that come soon.
  @inline(__always)
  private func prefetch(_ tokens: Span<UInt32>, _ index: Int) {
    let (tokenAhead, tailAhead) = (index + Self.tokensAhead, index + Self.tailsAhead)
    guard tokenAhead < tokens.count else { return }
    if tokens[tokenAhead] != tokens[tokenAhead - 1] {
      tokenStates.prefetch(Int(tokens[tokenAhead]), lines: TokenState.swapLines)
    }
    let token = Int(tokens[tailAhead])
    if tokens[tailAhead] != tokens[tailAhead - 1], token < tokenStates.count {
      tokenStates[token].prefetchTails(.swap)
    }
  }

  /// So many swaps ahead memory is asked for (0009).
  private static var tokensAhead: Int { 32 }
  private static var tailsAhead: Int { 16 }

  @inline(__always)
  private func expect(_ swaps: Span<HeldSwap>, _ index: Int) throws(PackedBatchFault) {
    guard Int(swaps[index].token) < tokenStates.count,
      swaps[index].row.wallet &+ 1 <= UInt32(truncatingIfNeeded: addressNames.count)
    else { throw PackedBatchFault(what: "names' numbers") }
    guard swaps[index].row.amountUSD.isPositive, swaps[index].row.price.isPositive,
      swaps[index].row.tokenAmount >= .zero
    else { throw PackedBatchFault(what: "amounts over zero") }
  }

  /// Takes in one swap. It is copied as it lies: a row that is put together of fields waits for them to be written first.
  @inline(__always)
  private mutating func adopt(_ swaps: Span<HeldSwap>, _ index: Int) {
    let token = Int(swaps[index].token)
    willChange(token, onlyTrades: true)
    tokenStates[token].accept(swaps[index].row)
    dayVolumes.add(swaps[index].row.amountUSD, to: token, at: swaps[index].row.key.timestamp)
  }

  /// Takes in the identity of an event, and its time.
  @inline(__always)
  private mutating func adopt(_ key: OrderKey, _ kind: EventKind, _ token: UInt32) throws(PackedBatchFault) {
    try expectNew(key, kind)
    identities.insert(
      IdentityEntry(
        key: IdentityEntry.Key(block: key.block, logIndex: key.logIndex), token: token, timestamp: key.timestamp),
      kind, chain: key.chain)
    engineClock.accept(key.timestamp)
  }

  /// Takes in held transfers, which are new. O(transfers) amortised, in the order of their chain.
  ///
  /// - Throws: ``PackedBatchFault`` where a number is no name's, an amount none of a transfer, or one is held already.
  package mutating func adopt(_ transfers: Span<HeldTransfer>) throws(PackedBatchFault) {
    for index in transfers.indices {
      let held = transfers[index]
      let token = Int(held.token)
      guard token < tokenStates.count, Int(max(held.from, held.to)) < addressNames.count else {
        throw PackedBatchFault(what: "names' numbers")
      }
      guard held.amount >= .zero, max(held.from, held.to) > TransferRow.zeroAddress else {
        throw PackedBatchFault(what: "amounts, and not the zero address on both sides")
      }
      try adopt(held.key, .transfer, held.token)
      let row = TransferRow(
        key: held.key, from: held.from, to: held.to, amount: held.amount, tokenID: held.tokenID)
      willChange(token)
      applyBalances(row, token, undo: false)
      tokenStates[token].transfers.insert(row)
    }
  }

  /// Refuses an event whose identity is held: of two with one identity neither could be told from the other. O(1) in the
  /// order of a chain, else O(log n).
  @inline(__always)
  private func expectNew(_ key: OrderKey, _ kind: EventKind) throws(PackedBatchFault) {
    if identities.mayHold(key, kind), identities.find(key, kind) != nil {
      throw PackedBatchFault(what: "every event once")
    }
  }

  /// Sets what else the engine was: behind everything else. O(tokens that are incomplete).
  ///
  /// - Throws: ``PackedBatchFault`` where a number is no token's, or a horizon no start of a day.
  package mutating func adopt(_ marks: EngineMarks) throws(PackedBatchFault) {
    guard marks.newest.map(\.isInRange) ?? true, marks.horizon.map({ $0.isInRange && $0 == $0.startOfDay }) ?? true
    else { throw PackedBatchFault(what: "a newest event of our time, and the start of a day as the horizon") }
    if let newest = marks.newest { engineClock.accept(newest) }
    if let clock = marks.clock { engineClock.advance(to: clock) }
    (horizon, hasDropped, droppedBlocks) = (marks.horizon, marks.hasDropped, marks.droppedBlocks)
    inputs = marks.inputs
    for token in marks.incomplete {
      guard Int(token) < tokenStates.count else { throw PackedBatchFault(what: "names' numbers") }
      willChange(Int(token))
      tokenStates[Int(token)].isMarked = true
    }
    publish()
  }
}

extension SortedSeries where Row == StoredCandle {
  /// Puts a candle behind all others; false where it does not belong there. O(1) amortised.
  fileprivate mutating func adopt(_ candle: StoredCandle) -> Bool {
    if let lastKey, candle.key <= lastKey { return false }
    insert(candle)
    return true
  }
}
