// A swap as it is held, and what a run of swaps adds up to.
// Invariant: names are dense numbers; the price is settled; `tokenAmount` is zero where absent.
// Not here: how rows are packed (PackedChunkHandle), where they lie (SortedSeries).

/// A swap as it is held.
package struct SwapRow: PackedRow, Equatable, Sendable {
  package var key: OrderKey
  /// The wallet's number, `absentWallet` without one.
  package var wallet: UInt32
  package var side: Side?
  // Behind the small fields, which leave room for nothing else: 80 bytes instead of 96.
  package var amountUSD: Decimal18
  /// Zero where absent.
  package var tokenAmount: Decimal18
  package var price: Decimal18

  @inline(__always)
  init(
    key: OrderKey, amountUSD: Decimal18, tokenAmount: Decimal18, price: Decimal18, wallet: UInt32, side: Side?
  ) {
    self.key = key
    self.wallet = wallet
    self.side = side
    self.amountUSD = amountUSD
    self.tokenAmount = tokenAmount
    self.price = price
  }

  static let absentWallet = UInt32.max

  /// The amount if the swap is of this side, else zero. Without a branch: nobody can foretell the side.
  @inline(__always)
  func amount(of side: Side) -> Decimal18 {
    let own: Int64 = self.side.map { Int64($0.rawValue) } ?? 0
    let mask = own ^ Int64(side.rawValue) == 0 ? Int128(-1) : 0
    return Decimal18(units: amountUSD.units & mask)
  }
}

extension SwapRow {
  package static var narrowCount: Int { 4 }
  package static var columnCount: Int { 7 }
  package static func chunkRows(_ count: Int) -> Int {
    count < Limits.swapChunkRowsFrom ? Limits.swapChunkRows : Limits.swapChunkRowsMax
  }
  package static func tailRowsMax(_ count: Int) -> Int { chunkRows(count) + 8 }
  package static var lateRows: Int { Limits.swapChunkRows }

  package static func isScaled(_ column: Int) -> Bool { column == 0 || column >= 4 }

  @inline(__always)
  package func narrow(_ column: Int) -> Int64 {
    switch column {
    case 0...2: key.column(column)
    // Wallet and side together: fewer bytes than apart.
    default: Int64(wallet &+ 1) << 2 | Int64(side?.rawValue ?? 0)
    }
  }

  @inline(__always)
  package func wide(_ column: Int) -> Int128 {
    switch column {
    case 4: amountUSD.units
    case 5: tokenAmount.units
    default: price.units
    }
  }

  @inline(__always)
  package init(_ columns: some ColumnSource) {
    let trader = columns.narrow(3)
    self.init(
      key: Self.key(columns), amountUSD: Decimal18(units: columns.wide(4)),
      tokenAmount: Decimal18(units: columns.wide(5)), price: Decimal18(units: columns.wide(6)),
      wallet: Self.wallet(trader), side: Self.side(trader))
  }

  /// The wallet and the side of the column that has both.
  @inline(__always)
  static func wallet(_ trader: Int64) -> UInt32 { UInt32(truncatingIfNeeded: trader >> 2) &- 1 }
  @inline(__always)
  static func side(_ trader: Int64) -> Side? { Side(rawValue: UInt8(truncatingIfNeeded: trader & 3)) }

  @inline(__always)
  package static func key(_ columns: some ColumnSource) -> OrderKey { OrderKey(columns: columns) }

  @inline(__always)
  package static func major(_ key: OrderKey) -> Int64 { key.timestamp.microseconds }

  package static func summary(_ rows: Span<SwapRow>) -> Candle {
    var candle = Candle(rows[0])
    var (usd, token, buy, sell) = (PositiveSum(), PositiveSum(), PositiveSum(), PositiveSum())
    var (high, low) = (candle.high.units, candle.low.units)
    var without = 0
    for index in 0..<rows.count {
      let price = rows[index].price.units
      high = Swift.max(high, price)
      low = Swift.min(low, price)
      usd.add(rows[index].amountUSD.units)
      token.add(rows[index].tokenAmount.units)
      buy.add(rows[index].amount(of: .buy).units)
      sell.add(rows[index].amount(of: .sell).units)
      without += rows[index].tokenAmount == .zero ? 1 : 0
    }
    let last = rows.count - 1
    (candle.close, candle.closeKey) = (rows[last].price, rows[last].key)
    (candle.high, candle.low) = (Decimal18(units: high), Decimal18(units: low))
    (candle.volumeUSD, candle.volumeToken) = (usd.sum, token.sum)
    (candle.buyVolumeUSD, candle.sellVolumeUSD) = (buy.sum, sell.sum)
    (candle.trades, candle.tradesWithoutTokenAmount) = (rows.count, without)
    return candle
  }

  package static func summary(_ rows: Span<SwapRow>, _ columns: PackScratch) -> Candle {
    guard columns.addsUpToWord(SwapColumn.amountUSD), columns.addsUpToWord(SwapColumn.tokenAmount) else {
      return summary(rows)
    }
    let (amounts, tokens) = (columns.words(SwapColumn.amountUSD), columns.words(SwapColumn.tokenAmount))
    let traders = columns.words(SwapColumn.trader)
    var (usd, token, buy, sell, without): (Int64, Int64, Int64, Int64, Int64) = (0, 0, 0, 0, 0)
    precondition(tokens.count == amounts.count && traders.count == amounts.count, "columns have the same rows")
    for row in 0..<amounts.count {
      // Without a branch: nobody can foretell the side.
      let (amount, side) = (amounts[row], traders[row])
      usd &+= amount
      buy &+= amount & -(side & Int64(Side.buy.rawValue))
      sell &+= amount & -(side >> 1 & Int64(Side.sell.rawValue >> 1))
      token &+= tokens[row]
      // The sign of what is not negative less one.
      without &-= (tokens[row] &- 1) &>> 63
    }
    func sum(_ quotients: Int64, _ column: Int) -> ExactSum {
      let product = UInt64(bitPattern: quotients)
        .multipliedFullWidth(by: PackPlan.power(columns.plan(column).exponent))
      return ExactSum(low: product.low, middle: product.high, high: 0)
    }
    var candle = Candle(rows[0])
    let last = rows.count - 1
    (candle.close, candle.closeKey) = (rows[last].price, rows[last].key)
    let prices = columns.plan(SwapColumn.price)
    (candle.high, candle.low) = (Decimal18(units: prices.greatest), Decimal18(units: prices.least))
    (candle.volumeUSD, candle.volumeToken) = (sum(usd, SwapColumn.amountUSD), sum(token, SwapColumn.tokenAmount))
    (candle.buyVolumeUSD, candle.sellVolumeUSD) = (sum(buy, SwapColumn.amountUSD), sum(sell, SwapColumn.amountUSD))
    (candle.trades, candle.tradesWithoutTokenAmount) = (rows.count, Int(without))
    return candle
  }

  package static func summary(_ summary: Candle, with row: SwapRow) -> Candle {
    var candle = summary
    candle.merge(Candle(row))
    return candle
  }

  package static func summary(_ summary: Candle, without row: SwapRow) -> Candle? { summary.without(row) }

  package static func summary(of chunk: PackedChunk<SwapRow>) -> Candle { Candle(chunk, 0..<chunk.count) }
}

/// A sum of numbers that are not negative, without a branch.
private struct PositiveSum {
  private var low: UInt128 = 0
  private var carries: Int64 = 0

  @inline(__always)
  mutating func add(_ units: Int128) {
    let (sum, carry) = low.addingReportingOverflow(UInt128(truncatingIfNeeded: units))
    low = sum
    carries &+= carry ? 1 : 0
  }

  @inline(__always)
  var sum: ExactSum {
    ExactSum(low: UInt64(truncatingIfNeeded: low), middle: UInt64(truncatingIfNeeded: low >> 64), high: carries)
  }
}

extension OrderKey {
  /// The key whose fields are the first three columns.
  @inline(__always)
  init(columns: some ColumnSource) {
    self.init(
      timestamp: Timestamp(microseconds: columns.narrow(0)), block: columns.narrow(1), place: columns.narrow(2))
  }

  @inline(__always)
  init(timestamp: Timestamp, block: Int64, place: Int64) {
    self.init(
      timestamp: timestamp, chain: UInt32(truncatingIfNeeded: place >> 32), block: UInt64(bitPattern: block),
      logIndex: UInt32(truncatingIfNeeded: place))
  }

  /// One of the first three columns of a row with this key.
  @inline(__always)
  func column(_ column: Int) -> Int64 {
    switch column {
    case 0: timestamp.microseconds
    case 1: Int64(bitPattern: block)
    default: placeColumn
    }
  }

  /// Chain and log index in one column: mostly one chain, and small numbers above it.
  @inline(__always)
  var placeColumn: Int64 { Int64(bitPattern: UInt64(chain) << 32 | UInt64(logIndex)) }
}

typealias SwapSeries = SortedSeries<SwapRow>

/// What swaps add up to, whatever their order.
protocol SwapSums {
  var high: Decimal18 { get set }
  var low: Decimal18 { get set }
  var volumeUSD: ExactSum { get set }
  var volumeToken: ExactSum { get set }
  var buyVolumeUSD: ExactSum { get set }
  var sellVolumeUSD: ExactSum { get set }
  var trades: Int { get set }
  var tradesWithoutTokenAmount: Int { get set }
}

extension SwapSums {
  /// Takes in a swap. O(1).
  @inline(__always)
  mutating func add(_ row: SwapRow) {
    if high < row.price { high = row.price }
    if row.price < low { low = row.price }
    volumeUSD += row.amountUSD
    volumeToken += row.tokenAmount
    buyVolumeUSD += row.amount(of: .buy)
    sellVolumeUSD += row.amount(of: .sell)
    trades += 1
    tradesWithoutTokenAmount += row.tokenAmount == .zero ? 1 : 0
  }
}

extension Candle: SwapSums {}
extension Bar: SwapSums {}

/// The columns of a packed swap (SwapRow) that are read without the others.
enum SwapColumn {
  static let time = 0
  /// The wallet, and in the lowest two bits the side.
  static let trader = 3
  static let amountUSD = 4
  static let tokenAmount = 5
  static let price = 6
}

extension Candle {
  /// The candle of one swap.
  @inline(__always)
  init(_ row: SwapRow) {
    open = row.price
    high = row.price
    low = row.price
    close = row.price
    openKey = row.key
    closeKey = row.key
    volumeUSD = ExactSum(row.amountUSD)
    volumeToken = ExactSum(row.tokenAmount)
    buyVolumeUSD = ExactSum(row.amount(of: .buy))
    sellVolumeUSD = ExactSum(row.amount(of: .sell))
    trades = 1
    tradesWithoutTokenAmount = row.tokenAmount == .zero ? 1 : 0
  }

  /// The candle of some swaps of a chunk, one at least, read column by column. O(rows).
  init(_ chunk: PackedChunk<SwapRow>, _ rows: Range<Int>) {
    self.init(chunk.row(at: rows.lowerBound))
    let last = chunk.row(at: rows.upperBound - 1)
    (close, closeKey) = (last.price, last.key)
    var sums = WindowSums()
    sums.addEach(chunk, rows)
    (high, low) = (Decimal18(units: sums.high), Decimal18(units: sums.low))
    (volumeUSD, volumeToken) = (sums.volumeUSD, sums.volumeToken)
    (buyVolumeUSD, sellVolumeUSD) = (sums.buyVolumeUSD, sums.sellVolumeUSD)
    let amounts = chunk.column(SwapColumn.tokenAmount)
    tradesWithoutTokenAmount = 0
    for row in rows { tradesWithoutTokenAmount += amounts.value(row) == 0 ? 1 : 0 }
    trades = rows.count
  }

  /// Takes in a swap that comes behind all others in order. O(1).
  @inline(__always)
  mutating func append(_ row: SwapRow) {
    close = row.price
    closeKey = row.key
    add(row)
  }

  /// Takes in a swap, wherever it stands. O(1).
  @inline(__always)
  mutating func merge(_ row: SwapRow) {
    if row.key < openKey { (open, openKey) = (row.price, row.key) }
    if closeKey < row.key { (close, closeKey) = (row.price, row.key) }
    add(row)
  }

  /// The candle without one of its swaps; nil where that swap may have made one of the prices. O(1).
  func without(_ row: SwapRow) -> Candle? {
    guard row.price < high, low < row.price, row.key != openKey, row.key != closeKey else { return nil }
    var rest = self
    rest.volumeUSD -= row.amountUSD
    rest.volumeToken -= row.tokenAmount
    rest.buyVolumeUSD -= row.amount(of: .buy)
    rest.sellVolumeUSD -= row.amount(of: .sell)
    rest.trades -= 1
    rest.tradesWithoutTokenAmount -= row.tokenAmount == .zero ? 1 : 0
    return rest
  }
}

extension Candle? {
  /// Takes in one swap.
  @inline(__always)
  mutating func take(_ row: SwapRow) {
    if self == nil { self = Candle(row) } else { self?.merge(row) }
  }

  /// Takes in a candle, if there is one.
  mutating func take(_ other: Candle?) {
    guard let other else { return }
    if self == nil { self = other } else { self?.merge(other) }
  }
}

extension OrderKey {
  /// Not behind any key with this time.
  @inline(__always)
  static func first(at timestamp: Timestamp) -> OrderKey {
    OrderKey(timestamp: timestamp, chain: 0, block: 0, logIndex: 0)
  }
}

extension SeriesView where Row.Key == OrderKey {
  /// The smallest timestamp. O(1).
  var firstTimestamp: Timestamp? { isEmpty ? nil : key(at: start).timestamp }

  /// The position of the first event whose time is not before `timestamp`. O(log n).
  @inline(__always)
  func lowerBound(_ timestamp: Timestamp, near chunk: Int = -1) -> Position {
    lowerBound(OrderKey.first(at: timestamp), near: chunk)
  }
}

extension SeriesView where Row == SwapRow {
  /// When the swap at a position happened. O(1).
  @inline(__always)
  func time(at position: Position) -> Timestamp {
    position.chunk < chunkCount
      ? Timestamp(microseconds: chunk(position.chunk).narrow(position.row, SwapColumn.time))
      : tailRow(position.row).key.timestamp
  }

  /// The candle of the swaps with `from` ≤ time < `end`, nil without any. O(log n + chunks + two chunks' rows).
  ///
  /// - Parameter guess: the chunk where they are looked for first; under 0 where nobody knows.
  func fold(from: Timestamp, before end: Timestamp, near guess: Int = -1) -> Candle? {
    guard from < end, !isEmpty else { return nil }
    var position = lowerBound(from, near: guess)
    let last = lowerBound(end, near: guess)
    var candle: Candle?
    while position.chunk < last.chunk {
      if position.row == 0 {
        candle.take(chunk(position.chunk).summary)
      } else {
        fold(position, to: rows(in: position.chunk), into: &candle)
      }
      position = Position(chunk: position.chunk + 1, row: 0)
    }
    fold(position, to: last.row, into: &candle)
    return candle
  }

  /// Takes in the rows of one chunk, or of the tail, from a position on.
  @inline(__always)
  private func fold(_ position: Position, to end: Int, into candle: inout Candle?) {
    guard position.row < end else { return }
    if position.chunk < chunkCount { return candle.take(Candle(chunk(position.chunk), position.row..<end)) }
    var folded = Candle(tailRow(position.row))
    for index in position.row + 1..<end { folded.append(tailRow(index)) }
    candle.take(folded)
  }

  /// Lends the swaps with `from` ≤ time < `end`, in order. O(log n + rows).
  func visit(from: Timestamp, before end: Timestamp, _ body: (SwapRow) -> Void) {
    var position = lowerBound(from)
    while position != self.end {
      let row = row(at: position)
      guard row.key.timestamp < end else { return }
      body(row)
      position = after(position)
    }
  }
}
