// The columns of a group of events: what a segment keeps of them, and the events again.
// Invariant: what is written is read back to the bit; a group whose columns do not fit together is refused.
// Not here: positions (PositionColumns), amounts (AmountColumn), the columns' bits (ColumnCode), files (SegmentFile, KeptFiles).
// Format: docs/format/segment.md, "Groups".

package import Continuo

/// What stands before the columns of a group.
package struct GroupHead: Equatable {
  var kind: EventKind
  var events: Int
  var blocks: Int
  var timePower: UInt8
  var blockTime: Int64
  var firstChain: UInt32
  var firstBlock: UInt64
  var firstTime: Int64
  var amountPower: UInt8
  var tokenPower: UInt8 = 0
  var pricePower: UInt8 = 0
  /// Whether amounts are what price × tokens does not foretell of them.
  var isForetold = false

  static let bytes = 48
  /// A group has no more events.
  package static let eventsMax = 1 << 16

  var encoded: [UInt8] {
    var bytes: [UInt8] = [kind.rawValue, timePower, amountPower, tokenPower, pricePower, isForetold ? 1 : 0, 0, 0]
    bytes.appendWord(UInt32(events))
    bytes.appendWord(UInt32(blocks))
    bytes.appendWord(blockTime)
    bytes.appendWord(firstBlock)
    bytes.appendWord(firstTime)
    bytes.appendWord(firstChain)
    bytes.pad(to: Self.bytes)
    return bytes
  }

  init(_ bytes: Span<UInt8>) throws(ColumnFault) {
    guard bytes.count == Self.bytes, let kind = EventKind(rawValue: bytes[0]), bytes[1] <= 9, bytes[2] <= 18,
      bytes[3] <= 18, bytes[4] <= 18, bytes[5] <= 1, bytes.areZeros(6..<8), bytes.areZeros(44..<48)
    else { throw ColumnFault(what: "the head of a group") }
    self.kind = kind
    (timePower, amountPower, tokenPower, pricePower) = (bytes[1], bytes[2], bytes[3], bytes[4])
    isForetold = bytes[5] == 1
    events = Int(bytes.word(8, UInt32.self))
    blocks = Int(bytes.word(12, UInt32.self))
    blockTime = bytes.word(16, Int64.self)
    firstBlock = bytes.word(24, UInt64.self)
    firstTime = bytes.word(32, Int64.self)
    firstChain = bytes.word(40, UInt32.self)
    guard events > 0, events <= Self.eventsMax, blocks > 0, blocks <= events else {
      throw ColumnFault(what: "a group of 1 to \(Self.eventsMax) events")
    }
  }

  init(_ kind: EventKind, _ positions: PositionColumns, amountPower: UInt8) {
    self.kind = kind
    events = positions.times.count
    blocks = positions.counts.count
    timePower = positions.timePower
    blockTime = positions.blockTime
    (firstChain, firstBlock, firstTime) = (positions.firstChain, positions.firstBlock, positions.firstTime)
    self.amountPower = amountPower
  }
}

/// Which column of a group bytes are.
package enum GroupColumn: UInt8, CaseIterable {
  case head = 0
  case chainSteps = 1
  case blockSteps = 2
  case counts = 3
  case blockTimes = 4
  case times = 5
  case logSteps = 6
  case token = 7
  /// A swap's trader, a transfer's giver.
  case first = 8
  /// A swap's side, a transfer's taker.
  case second = 9
  case amount = 10
  /// A swap's token amount, the lower half of a transfer's identifier.
  case tokens = 11
  /// A swap's price, the upper half of a transfer's identifier.
  case price = 12
  /// Whether a transfer has an identifier.
  case hasTokenID = 13

  static func all(_ kind: EventKind) -> [GroupColumn] { kind == .swap ? allCases.dropLast() : allCases }
}

/// The bytes of a group's columns, by column.
package struct GroupColumns {
  package private(set) var head: GroupHead
  package private(set) var bytes: [GroupColumn: [UInt8]] = [:]

  private mutating func set<Number: FixedWidthInteger & UnsignedInteger>(_ column: GroupColumn, _ numbers: [Number]) {
    ColumnCode.append(numbers, to: &bytes[column, default: []])
  }

  private mutating func set(_ positions: PositionColumns) {
    bytes[.head] = head.encoded
    set(.chainSteps, positions.chainSteps)
    set(.blockSteps, positions.blockSteps)
    set(.counts, positions.counts)
    set(.blockTimes, positions.blockTimes)
    set(.times, positions.times)
    set(.logSteps, positions.logSteps)
  }

  /// Takes swaps apart. O(swaps).
  ///
  /// - Parameter swaps: one at least, ascending by chain, block and log index.
  package init(_ swaps: ArraySlice<HeldSwap>, from start: Timestamp, _ last: inout LastPrices) {
    let positions = PositionColumns(swaps.map(\.key), from: start)
    head = GroupHead(.swap, positions, amountPower: AmountScale.power(swaps.lazy.map(\.amountUSD)))
    head.tokenPower = AmountScale.power(swaps.lazy.map(\.tokenAmount))
    head.pricePower = AmountScale.power(swaps.lazy.map(\.price))
    var (prices, tokens, amounts): ([Int128], [Int128], [Int128]) = ([], [], [])
    AmountScale.quotients(swaps.lazy.map(\.price), head.pricePower, into: &prices)
    AmountScale.quotients(swaps.lazy.map(\.tokenAmount), head.tokenPower, into: &tokens)
    AmountScale.quotients(swaps.lazy.map(\.amountUSD), head.amountPower, into: &amounts)
    var plain = amounts.map { UInt128(bitPattern: $0) }
    if let forecast = AmountForecast(price: head.pricePower, tokens: head.tokenPower, amounts: head.amountPower) {
      let rests = amounts.indices.map {
        (amounts[$0] &- forecast.amount(price: prices[$0], tokens: tokens[$0])).zigzag
      }
      func bits(_ numbers: [UInt128]) -> Int { numbers.reduce(0) { $0 + 128 - $1.leadingZeroBitCount } }
      if bits(rests) < bits(plain) { (plain, head.isForetold) = (rests, true) }
    }
    last.reset()
    var steps: [UInt128] = []
    for (swap, price) in zip(swaps, prices) { steps.append((price &- last.replace(swap.token, price)).zigzag) }
    set(positions)
    set(.token, swaps.map { UInt64($0.token) })
    set(.first, swaps.map { UInt64($0.trader) })
    set(.second, swaps.map { $0.side == .buy ? 0 : $0.side == .sell ? 1 as UInt64 : 2 })
    set(.amount, plain)
    set(.tokens, tokens.map { UInt128(bitPattern: $0) })
    set(.price, steps)
  }

  /// Takes transfers apart. O(transfers).
  ///
  /// - Parameter transfers: one at least, ascending by chain, block and log index.
  init(_ transfers: ArraySlice<HeldTransfer>, from start: Timestamp) {
    let positions = PositionColumns(transfers.map(\.key), from: start)
    head = GroupHead(.transfer, positions, amountPower: AmountScale.power(transfers.lazy.map(\.amount)))
    set(positions)
    set(.token, transfers.map { UInt64($0.token) })
    set(.first, transfers.map { UInt64($0.from) })
    set(.second, transfers.map { UInt64($0.to) })
    var amounts: [Int128] = []
    AmountScale.quotients(transfers.lazy.map(\.amount), head.amountPower, into: &amounts)
    set(.amount, amounts.map { UInt128(bitPattern: $0) })
    set(.tokens, transfers.map { $0.tokenID?.low ?? 0 })
    set(.price, transfers.map { $0.tokenID?.high ?? 0 })
    set(.hasTokenID, transfers.map { $0.tokenID == nil ? 0 : 1 as UInt64 })
  }
}

/// Reads a group's events again.
package struct GroupReader {
  let head: GroupHead
  private let start: Timestamp

  package init(_ head: GroupHead, from start: Timestamp) {
    self.head = head
    self.start = start
  }

  /// The positions. O(events).
  func keys(_ file: Span<UInt8>, _ payload: (GroupColumn) -> Range<Int>) throws(ColumnFault) -> [OrderKey] {
    var positions = PositionColumns()
    (positions.timePower, positions.blockTime) = (head.timePower, head.blockTime)
    (positions.firstChain, positions.firstBlock) = (head.firstChain, head.firstBlock)
    positions.firstTime = head.firstTime
    positions.chainSteps = try ColumnCode.read(
      file.extracting(payload(.chainSteps)), count: head.blocks, as: UInt64.self)
    positions.blockSteps = try ColumnCode.read(
      file.extracting(payload(.blockSteps)), count: head.blocks, as: UInt64.self)
    positions.counts = try ColumnCode.read(file.extracting(payload(.counts)), count: head.blocks, as: UInt64.self)
    positions.blockTimes = try ColumnCode.read(
      file.extracting(payload(.blockTimes)), count: head.blocks, as: UInt64.self)
    positions.times = try ColumnCode.read(file.extracting(payload(.times)), count: head.events, as: UInt64.self)
    positions.logSteps = try ColumnCode.read(file.extracting(payload(.logSteps)), count: head.events, as: UInt64.self)
    return try positions.keys(from: start)
  }

  private func numbers(_ bytes: Span<UInt8>) throws(ColumnFault) -> [UInt32] {
    let numbers = try ColumnCode.read(bytes, count: head.events, as: UInt32.self)
    return numbers
  }

  /// Numbers of 128 bits, read as words where they are.
  private func wide<Answer>(
    _ bytes: Span<UInt8>, _ word: ([UInt64]) -> Answer, _ wide: ([UInt128]) -> Answer
  ) throws(ColumnFault) -> Answer {
    guard bytes.count > 17, bytes[0] < 64, bytes.word(9, UInt64.self) == 0, bytes.word(1, UInt64.self) >> 63 == 0 else {
      return wide(try ColumnCode.read(bytes, count: head.events, as: UInt128.self))
    }
    return word(try ColumnCode.read(bytes, count: head.events, as: UInt64.self))
  }

  private func quotients(_ bytes: Span<UInt8>) throws(ColumnFault) -> [Int128] {
    try wide(bytes, { $0.map { Int128($0) } }, { $0.map { Int128(bitPattern: $0) } })
  }

  private func steps(_ bytes: Span<UInt8>) throws(ColumnFault) -> [Int128] {
    try wide(bytes, { $0.map { Int128($0.unzigzag) } }, { $0.map(\.unzigzag) })
  }

  /// The swaps, or those of them that are chosen. O(events).
  ///
  /// - Parameter choose: is lent where each swap stands and its token; the places of those that are wanted, ascending.
  package func swaps(
    _ file: Span<UInt8>, _ payload: (GroupColumn) -> Range<Int>, _ last: inout LastPrices,
    choose: (([OrderKey], [UInt32]) -> [Int])? = nil, into swaps: inout [HeldSwap]
  ) throws(ColumnFault) {
    let keys = try keys(file, payload)
    let tokens = try numbers(file.extracting(payload(.token)))
    let chosen = choose?(keys, tokens)
    if let chosen, chosen.isEmpty { return }
    let traders = try numbers(file.extracting(payload(.first)))
    let sides = try ColumnCode.read(file.extracting(payload(.second)), count: head.events, as: UInt8.self)
    let (amounts, isForetold) = (
      try (head.isForetold ? steps : quotients)(file.extracting(payload(.amount))), head.isForetold
    )
    let (tokenAmounts, priceSteps) = (
      try quotients(file.extracting(payload(.tokens))), try steps(file.extracting(payload(.price)))
    )
    let forecast = AmountForecast(price: head.pricePower, tokens: head.tokenPower, amounts: head.amountPower)
    guard sides.allSatisfy({ $0 <= 2 }), forecast != nil || !isForetold,
      tokens.allSatisfy({ $0 < UInt32(Limits.tokensMax) })
    else { throw ColumnFault(what: "sides, and tokens' numbers") }
    let (amountUnit, tokenUnit) = (Int128(PackPlan.power(head.amountPower)), Int128(PackPlan.power(head.tokenPower)))
    let priceUnit = Int128(PackPlan.power(head.pricePower))
    func swap(_ index: Int, _ price: Int128) -> HeldSwap {
      var amount = amounts[index]
      if isForetold, let forecast { amount = amount &+ forecast.amount(price: price, tokens: tokenAmounts[index]) }
      return HeldSwap(
        key: keys[index], token: tokens[index], trader: traders[index],
        side: sides[index] == 0 ? .buy : sides[index] == 1 ? .sell : nil,
        amountUSD: AmountScale.amount(amount, amountUnit),
        tokenAmount: AmountScale.amount(tokenAmounts[index], tokenUnit), price: AmountScale.amount(price, priceUnit))
    }
    last.reset()
    guard let chosen else {
      swaps.reserveCapacity(head.events)
      for index in keys.indices { swaps.append(swap(index, last.add(tokens[index], priceSteps[index]))) }
      return
    }
    var next = 0
    for index in keys.indices where next < chosen.count {
      let price = last.add(tokens[index], priceSteps[index])
      guard index == chosen[next] else { continue }
      swaps.append(swap(index, price))
      next += 1
    }
  }

  /// The transfers. O(events).
  func transfers(
    _ file: Span<UInt8>, _ payload: (GroupColumn) -> Range<Int>, into transfers: inout [HeldTransfer]
  ) throws(ColumnFault) {
    let keys = try keys(file, payload)
    let (tokens, givers, takers) = (
      try numbers(file.extracting(payload(.token))), try numbers(file.extracting(payload(.first))),
      try numbers(file.extracting(payload(.second)))
    )
    let amounts = try quotients(file.extracting(payload(.amount)))
    let low = try ColumnCode.read(file.extracting(payload(.tokens)), count: head.events, as: UInt128.self)
    let high = try ColumnCode.read(file.extracting(payload(.price)), count: head.events, as: UInt128.self)
    let isNamed = try ColumnCode.read(file.extracting(payload(.hasTokenID)), count: head.events, as: UInt8.self)
    guard isNamed.allSatisfy({ $0 <= 1 }), tokens.allSatisfy({ $0 < UInt32(Limits.tokensMax) }) else {
      throw ColumnFault(what: "identifiers, and tokens' numbers")
    }
    let amountUnit = Int128(PackPlan.power(head.amountPower))
    for index in keys.indices {
      transfers.append(
        HeldTransfer(
          key: keys[index], token: tokens[index], from: givers[index], to: takers[index],
          amount: AmountScale.amount(amounts[index], amountUnit),
          tokenID: isNamed[index] == 0 ? nil : WideID(high: high[index], low: low[index])))
    }
  }
}

/// The last price of each token of a group, in the group's units; 0 before its first swap. It is used for one group after the
/// other, since it has room for every token.
package struct LastPrices {
  private var prices: [Int128] = []
  private var touched: [UInt32] = []

  package init() {}

  /// Readies it for another group. O(tokens of the one before).
  mutating func reset() {
    for token in touched { prices[Int(token)] = 0 }
    touched.removeAll(keepingCapacity: true)
  }

  @inline(__always)
  private mutating func reach(_ token: UInt32) {
    if token >= prices.count { grow(Int(token) + 1) }
    if prices[Int(token)] == 0 { touched.append(token) }
  }

  @inline(never)
  private mutating func grow(_ count: Int) {
    prices.append(contentsOf: repeatElement(0, count: max(count, 2 * prices.count) - prices.count))
  }

  /// Sets a token's price; what it was.
  @inline(__always)
  mutating func replace(_ token: UInt32, _ price: Int128) -> Int128 {
    reach(token)
    let before = prices[Int(token)]
    prices[Int(token)] = price
    return before
  }

  /// Adds to a token's price; what it is.
  @inline(__always)
  mutating func add(_ token: UInt32, _ step: Int128) -> Int128 {
    reach(token)
    prices[Int(token)] &+= step
    return prices[Int(token)]
  }
}
