// The columns of swaps, and the candle that a chunk of them adds up to.
// Invariant: `summary` is the candle of all rows, except between removing rows and `summarize`.
// Not here: keys (KeyColumns), candles of buckets (CandleSeries).

/// A swap as it is held: names are dense numbers, the price is settled.
struct SwapRow: EventRow, Equatable {
  var key: OrderKey
  var amountUSD: Decimal18
  /// Zero where absent.
  var tokenAmount: Decimal18
  var price: Decimal18
  /// The wallet's number, `absentWallet` without one.
  var wallet: UInt32
  var side: Side?

  static let absentWallet = UInt32.max
}

/// The columns of a chunk of swaps.
struct SwapColumns: EventColumns, ~Copyable {
  private var amountsUSD = ColumnHandle<Decimal18>()
  private var tokenAmounts = ColumnHandle<Decimal18>()
  private var prices = ColumnHandle<Decimal18>()
  private var wallets = ColumnHandle<UInt32>()
  /// `Side.rawValue`, 0 without one.
  private var sides = ColumnHandle<UInt8>()
  /// The candle of all rows; nil without any.
  private(set) var summary: Candle?

  mutating func insert(_ row: SwapRow, at index: Int) {
    amountsUSD.insert(row.amountUSD, at: index)
    tokenAmounts.insert(row.tokenAmount, at: index)
    prices.insert(row.price, at: index)
    wallets.insert(row.wallet, at: index)
    sides.insert(row.side?.rawValue ?? 0, at: index)
    summary.take(row)
  }

  mutating func removeSubrange(_ range: Range<Int>) {
    amountsUSD.removeSubrange(range)
    tokenAmounts.removeSubrange(range)
    prices.removeSubrange(range)
    wallets.removeSubrange(range)
    sides.removeSubrange(range)
  }

  mutating func moveSuffix(from index: Int, into other: inout SwapColumns) {
    amountsUSD.moveSuffix(from: index, into: &other.amountsUSD)
    tokenAmounts.moveSuffix(from: index, into: &other.tokenAmounts)
    prices.moveSuffix(from: index, into: &other.prices)
    wallets.moveSuffix(from: index, into: &other.wallets)
    sides.moveSuffix(from: index, into: &other.sides)
  }

  func row(at index: Int, key: OrderKey) -> SwapRow {
    SwapRow(
      key: key, amountUSD: amountsUSD[index], tokenAmount: tokenAmounts[index], price: prices[index],
      wallet: wallets[index], side: Side(rawValue: sides[index]))
  }

  mutating func summarize(_ keys: borrowing KeyColumns) {
    summary = nil
    for index in 0..<keys.count { summary.take(row(at: index, key: keys.key(at: index))) }
  }
}

typealias SwapSeries = EventSeries<SwapColumns>

extension Candle {
  /// The candle of one swap.
  init(_ row: SwapRow) {
    open = row.price
    high = row.price
    low = row.price
    close = row.price
    openKey = row.key
    closeKey = row.key
    volumeUSD = ExactSum(row.amountUSD)
    volumeToken = ExactSum(row.tokenAmount)
    buyVolumeUSD = row.side == .buy ? volumeUSD : .zero
    sellVolumeUSD = row.side == .sell ? volumeUSD : .zero
    trades = 1
    tradesWithoutTokenAmount = row.tokenAmount == .zero ? 1 : 0
  }
}

extension Candle? {
  /// Takes in one swap.
  mutating func take(_ row: SwapRow) { take(Candle(row)) }

  /// Takes in a candle, if there is one.
  mutating func take(_ other: Candle?) {
    guard let other else { return }
    if self == nil { self = other } else { self?.merge(other) }
  }
}

extension EventSeries where Payload == SwapColumns {
  /// The candle of the swaps with `from` ≤ time < `end`, nil without any. O(log n + chunks + two chunks' rows).
  func fold(from: Timestamp, before end: Timestamp) -> Candle? {
    guard from < end else { return nil }
    let first = lowerBound(from)
    let last = lowerBound(end)
    var candle: Candle?
    var position = first
    while position != last, position.chunk < chunks.count {
      let rows = position.chunk == last.chunk ? last.row : chunks[position.chunk].count
      if position.row == 0, rows == chunks[position.chunk].count {
        candle.take(chunks[position.chunk].payload.summary)
      } else {
        for row in position.row..<rows { candle.take(chunks[position.chunk].row(at: row)) }
      }
      position = position.chunk == last.chunk ? last : Position(chunk: position.chunk + 1, row: 0)
    }
    return candle
  }

  /// Lends the swaps with `from` ≤ time < `end`, in order, until `body` says false. O(log n + rows).
  func visit(from: Timestamp, before end: Timestamp, _ body: (SwapRow) -> Bool) {
    var position = lowerBound(from)
    while position != self.end {
      let row = row(at: position)
      guard row.key.timestamp < end, body(row) else { return }
      position = after(position)
    }
  }
}
