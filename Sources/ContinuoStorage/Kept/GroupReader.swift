// A group's events again, from their columns.
// Invariant: what was written is read back to the bit; a group whose columns do not fit together is refused.
// Not here: taking events apart (SegmentColumns), the columns' bits (ColumnCode), files (SegmentFile, KeptFiles).
// Format: docs/format/segment.md, "Groups".

package import Continuo

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

  private func wide(_ bytes: Span<UInt8>) throws(ColumnFault) -> WideNumbers {
    try WideNumbers(bytes, count: head.events)
  }

  /// The columns of swaps but their keys and tokens.
  private func columns(
    _ file: Span<UInt8>, _ payload: (GroupColumn) -> Range<Int>
  ) throws(ColumnFault) -> SwapNumbers {
    let forecast = AmountForecast(price: head.pricePower, tokens: head.tokenPower, amounts: head.amountPower)
    guard forecast != nil || !head.isForetold else { throw ColumnFault(what: "amounts that can be foretold") }
    let sides = try ColumnCode.read(file.extracting(payload(.second)), count: head.events, as: UInt8.self)
    guard sides.allSatisfy({ $0 <= 2 }) else { throw ColumnFault(what: "sides") }
    return SwapNumbers(
      traders: try numbers(file.extracting(payload(.first))), sides: sides,
      amounts: try wide(file.extracting(payload(.amount))), tokenAmounts: try wide(file.extracting(payload(.tokens))),
      priceSteps: try wide(file.extracting(payload(.price))), forecast: head.isForetold ? forecast : nil,
      amountUnit: Int128(PackPlan.power(head.amountPower)), tokenUnit: Int128(PackPlan.power(head.tokenPower)),
      priceUnit: Int128(PackPlan.power(head.pricePower)))
  }

  /// So many swaps ahead their fields are asked for: of a group they are more than the processor has near by.
  private static var placesAhead: Int { 16 }

  private func tokens(_ bytes: Span<UInt8>) throws(ColumnFault) -> [UInt32] {
    let tokens = try numbers(bytes)
    guard tokens.allSatisfy({ $0 < UInt32(Limits.tokensMax) }) else { throw ColumnFault(what: "tokens' numbers") }
    return tokens
  }

  /// Puts all swaps in place of what was there. O(events).
  func swaps(
    _ file: Span<UInt8>, _ payload: (GroupColumn) -> Range<Int>, _ order: inout RadixOrder,
    into group: inout SegmentGroup
  ) throws(ColumnFault) {
    let (keys, tokens) = (try keys(file, payload), try tokens(file.extracting(payload(.token))))
    let numbers = try columns(file, payload)
    (group.keys, group.tokens) = (keys, tokens)
    let greatest = tokens.reduce(0) { max($0, $1) }
    order.sort(tokens.count, bits: UInt32.bitWidth - greatest.leadingZeroBitCount) { UInt64(tokens[$0]) }
    group.swaps.makeRoom(tokens.count)
    group.swaps.removeLast(group.swaps.count - tokens.count)
    group.swapTokens.removeAll(keepingCapacity: true)
    group.swapTokens.append(addingCapacity: tokens.count) { space in
      for index in 0..<tokens.count { space.append(UInt32(truncatingIfNeeded: order.number(index))) }
    }
    var own = group.swaps.mutableSpan
    var (price, token): (Int128, UInt64) = (0, 0)
    let places = keys.span
    for index in own.indices {
      let (place, ahead) = (order.place(index), index + Self.placesAhead)
      if ahead < own.count {
        places.prefetch(order.place(ahead))
        numbers.prefetch(order.place(ahead))
      }
      if order.number(index) != token { (price, token) = (0, order.number(index)) }
      price &+= numbers.priceSteps.signed(place)
      numbers.put(place, price, into: &own[index])
      own[index].row.key = places[place]
      own[index].token = UInt32(truncatingIfNeeded: token)
    }
  }

  /// The swaps that are chosen, in the order of their chain. O(events).
  ///
  /// - Parameter choose: is lent where each swap stands and its token; the places of those that are wanted, ascending.
  func swaps(
    _ file: Span<UInt8>, _ payload: (GroupColumn) -> Range<Int>, _ last: inout LastPrices,
    choose: ([OrderKey], [UInt32]) -> [Int]
  ) throws(ColumnFault) -> [HeldSwap] {
    let (keys, tokens) = (try keys(file, payload), try tokens(file.extracting(payload(.token))))
    let chosen = choose(keys, tokens)
    if chosen.isEmpty { return [] }
    let numbers = try columns(file, payload)
    last.reset()
    var swaps = [HeldSwap](repeating: .none, count: chosen.count)
    var next = 0
    for index in keys.indices where next < chosen.count {
      let price = last.add(tokens[index], numbers.priceSteps.signed(index))
      guard index == chosen[next] else { continue }
      numbers.put(index, price, into: &swaps[next])
      (swaps[next].row.key, swaps[next].token) = (keys[index], tokens[index])
      next += 1
    }
    return swaps
  }

  /// Adds the transfers to what is there. O(events).
  func transfers(
    _ file: Span<UInt8>, _ payload: (GroupColumn) -> Range<Int>, into transfers: inout [HeldTransfer]
  ) throws(ColumnFault) {
    let keys = try keys(file, payload)
    let (tokens, givers, takers) = (
      try tokens(file.extracting(payload(.token))), try numbers(file.extracting(payload(.first))),
      try numbers(file.extracting(payload(.second)))
    )
    let amounts = try wide(file.extracting(payload(.amount)))
    let low = try ColumnCode.read(file.extracting(payload(.tokens)), count: head.events, as: UInt128.self)
    let high = try ColumnCode.read(file.extracting(payload(.price)), count: head.events, as: UInt128.self)
    let isNamed = try ColumnCode.read(file.extracting(payload(.hasTokenID)), count: head.events, as: UInt8.self)
    guard isNamed.allSatisfy({ $0 <= 1 }) else { throw ColumnFault(what: "identifiers") }
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

/// What a group says of its swaps besides where they stand and their tokens.
private struct SwapNumbers {
  var traders: [UInt32]
  var sides: [UInt8]
  var amounts: WideNumbers
  var tokenAmounts: WideNumbers
  var priceSteps: WideNumbers
  /// What foretells amounts; nil where they are as they are.
  var forecast: AmountForecast?
  var amountUnit: Int128
  var tokenUnit: Int128
  var priceUnit: Int128

  /// Asks for the memory of a swap's numbers. O(1).
  @inline(__always)
  func prefetch(_ index: Int) {
    amounts.prefetch(index)
    tokenAmounts.prefetch(index)
    priceSteps.prefetch(index)
  }

  /// Puts the numbers of a swap where it lies, field by field: one that is put together elsewhere and copied waits for its own
  /// bytes. O(1).
  ///
  /// - Parameter price: in the group's units.
  @inline(__always)
  func put(_ index: Int, _ price: Int128, into swap: inout HeldSwap) {
    let tokens = tokenAmounts[index]
    var amount = amounts[index]
    if let forecast { amount = amounts.signed(index) &+ forecast.amount(price: price, tokens: tokens) }
    swap.row.wallet = traders[index] &- 1
    swap.row.side = sides[index] == 0 ? .buy : sides[index] == 1 ? .sell : nil
    swap.row.amountUSD = AmountScale.amount(amount, amountUnit)
    swap.row.tokenAmount = AmountScale.amount(tokens, tokenUnit)
    swap.row.price = AmountScale.amount(price, priceUnit)
  }
}

/// A column of numbers of 128 bits, held as words where they are.
private struct WideNumbers {
  private var words: [UInt64] = []
  private var wide: [UInt128] = []
  private let areWords: Bool

  init(_ bytes: Span<UInt8>, count: Int) throws(ColumnFault) {
    areWords =
      bytes.count > 17 && bytes[0] < 64 && bytes.word(9, UInt64.self) == 0 && bytes.word(1, UInt64.self) >> 63 == 0
    if areWords {
      words = try ColumnCode.read(bytes, count: count, as: UInt64.self)
    } else {
      wide = try ColumnCode.read(bytes, count: count, as: UInt128.self)
    }
  }

  @inline(__always)
  func prefetch(_ index: Int) { if areWords { words.span.prefetch(index) } else { wide.span.prefetch(index) } }

  /// A number, its bits as they are.
  @inline(__always)
  subscript(index: Int) -> Int128 { areWords ? Int128(words[index]) : Int128(bitPattern: wide[index]) }

  /// A number of either sign.
  @inline(__always)
  func signed(_ index: Int) -> Int128 { areWords ? Int128(words[index].unzigzag) : wide[index].unzigzag }
}
