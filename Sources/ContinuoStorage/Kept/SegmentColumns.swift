// The columns of a group of events: what a segment keeps of them.
// Invariant: what is written is read back to the bit.
// Not here: the events again (GroupReader), positions (PositionColumns), amounts (AmountColumn), the columns' bits (ColumnCode), files (SegmentFile, KeptFiles).
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
    self.init(SwapsApart(swaps, Array(swaps.indices)[...]), from: start, &last)
  }

  /// - Parameter swaps: one at least, ascending by chain, block and log index.
  init(_ swaps: SwapsApart, from start: Timestamp, _ last: inout LastPrices) {
    let positions = PositionColumns(swaps.keys, from: start)
    head = GroupHead(.swap, positions, amountPower: 0)
    set(positions)
    set(.token, swaps.tokens)
    set(.first, swaps.traders)
    set(.second, swaps.sides)
    if !setWords(swaps, &last) { setWide(swaps, &last) }
    bytes[.head] = head.encoded
  }

  /// Sets amounts and prices where all numbers are words; false, with nothing set, where they are not.
  private mutating func setWords(_ swaps: SwapsApart, _ last: inout LastPrices) -> Bool {
    guard let amounts = AmountScale.words(swaps.amounts), let tokens = AmountScale.words(swaps.tokenAmounts),
      let prices = AmountScale.words(swaps.prices)
    else { return false }
    var plain = amounts.words.map { UInt64(bitPattern: $0) }
    var isForetold = false
    if let forecast = AmountForecast(price: prices.power, tokens: tokens.power, amounts: amounts.power) {
      var rests = [UInt64](repeating: 0, count: plain.count)
      for index in rests.indices {
        guard let foretold = forecast.word(price: prices.words[index], tokens: tokens.words[index]) else {
          return false
        }
        rests[index] = (amounts.words[index] &- foretold).zigzag
      }
      func bits(_ numbers: [UInt64]) -> Int { numbers.reduce(0) { $0 &+ 64 &- $1.leadingZeroBitCount } }
      if bits(rests) < bits(plain) { (plain, isForetold) = (rests, true) }
    }
    (head.amountPower, head.tokenPower, head.pricePower) = (amounts.power, tokens.power, prices.power)
    head.isForetold = isForetold
    last.reset()
    var steps = [UInt64](repeating: 0, count: plain.count)
    for index in steps.indices {
      let price = prices.words[index]
      // Both are words that are not negative: so is what lies between them, but for its sign.
      let before = Int64(truncatingIfNeeded: last.replace(swaps.tokens[index], Int128(price)))
      steps[index] = (price &- before).zigzag
    }
    set(.amount, plain)
    set(.tokens, tokens.words.map { UInt64(bitPattern: $0) })
    set(.price, steps)
    return true
  }

  private mutating func setWide(_ swaps: SwapsApart, _ last: inout LastPrices) {
    func decimals(_ units: [Int128]) -> [Decimal18] { units.map { Decimal18(units: $0) } }
    let (own, ownTokens, ownPrices) = (decimals(swaps.amounts), decimals(swaps.tokenAmounts), decimals(swaps.prices))
    head.amountPower = AmountScale.power(own)
    head.tokenPower = AmountScale.power(ownTokens)
    head.pricePower = AmountScale.power(ownPrices)
    var (prices, tokens, amounts): ([Int128], [Int128], [Int128]) = ([], [], [])
    AmountScale.quotients(ownPrices, head.pricePower, into: &prices)
    AmountScale.quotients(ownTokens, head.tokenPower, into: &tokens)
    AmountScale.quotients(own, head.amountPower, into: &amounts)
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
    for (token, price) in zip(swaps.tokens, prices) { steps.append((price &- last.replace(token, price)).zigzag) }
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
    bytes[.head] = head.encoded
  }
}

/// Swaps, field by field, in the order of a segment.
struct SwapsApart {
  private(set) var keys: [OrderKey]
  private(set) var tokens: [UInt32]
  private(set) var traders: [UInt32]
  private(set) var sides: [UInt8]
  private(set) var amounts: [Int128]
  private(set) var tokenAmounts: [Int128]
  private(set) var prices: [Int128]

  /// O(places).
  ///
  /// - Parameter places: which swaps, in the order that they shall have.
  init(_ swaps: ArraySlice<HeldSwap>, _ places: ArraySlice<Int>) {
    let count = places.count
    keys = [OrderKey](repeating: OrderKey(timestamp: .first, chain: 0, block: 0, logIndex: 0), count: count)
    (tokens, traders, sides) = (
      [UInt32](repeating: 0, count: count), [UInt32](repeating: 0, count: count), [UInt8](repeating: 0, count: count)
    )
    (amounts, tokenAmounts, prices) = (
      [Int128](repeating: 0, count: count), [Int128](repeating: 0, count: count), [Int128](repeating: 0, count: count)
    )
    var index = 0
    for place in places {
      keys[index] = swaps[place].row.key
      tokens[index] = swaps[place].token
      traders[index] = swaps[place].row.wallet &+ 1
      sides[index] = swaps[place].row.side == .buy ? 0 : swaps[place].row.side == .sell ? 1 : 2
      amounts[index] = swaps[place].row.amountUSD.units
      tokenAmounts[index] = swaps[place].row.tokenAmount.units
      prices[index] = swaps[place].row.price.units
      index += 1
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
