// A candle as a chart shows it: four prices, volumes, a count; nothing of which swaps made it.
// Invariant: as a candle's (4.2); a bar without a swap has no trades and no volumes.
// Not here: candles that can be merged (Candle), where bars come from (HourBars, ShortBars, Engine+Bars).

/// One row of an answer about bars: what ``CandleRow`` says, without what is needed to merge.
public struct Bar: Equatable, Sendable, BitwiseCopyable {
  /// The bucket's start.
  public internal(set) var bucket: Timestamp
  /// Whether the bucket's end is not after the clock. Late events and rollbacks change closed bars too.
  public internal(set) var isClosed = false
  /// Whether there are prices: none in a row that is filled by ``Fill/null``.
  public package(set) var hasPrices = true
  /// Price of the first swap in order; zero without prices.
  public internal(set) var open = Decimal18.zero
  /// The highest price; zero without prices.
  public internal(set) var high = Decimal18.zero
  /// The lowest price; zero without prices.
  public internal(set) var low = Decimal18.zero
  /// Price of the last swap in order; zero without prices.
  public internal(set) var close = Decimal18.zero
  /// Σ `amount_usd`.
  public internal(set) var volumeUSD = ExactSum.zero
  /// Σ of the `token_amount`s there are.
  public internal(set) var volumeToken = ExactSum.zero
  /// Σ `amount_usd` of the buys.
  public internal(set) var buyVolumeUSD = ExactSum.zero
  /// Σ `amount_usd` of the sells.
  public internal(set) var sellVolumeUSD = ExactSum.zero
  /// How many swaps.
  public internal(set) var trades = 0
  /// How many of them came without `token_amount`.
  public internal(set) var tradesWithoutTokenAmount = 0

  /// `volumeUSD` ÷ `volumeToken`, half-even; nil without swaps, if one came without `token_amount`, or it does not fit.
  /// O(1).
  public var vwap: Decimal18? {
    guard tradesWithoutTokenAmount == 0, volumeToken.isPositive else { return nil }
    return WideArithmetic.quotient(volumeUSD, over: volumeToken)
  }

  /// A bar yet to be filled in.
  init(bucket: Timestamp) { self.bucket = bucket }

  /// The bar of a candle's row. O(1).
  public init(_ row: CandleRow) {
    if let candle = row.candle {
      self.init(candle, bucket: row.bucket, isClosed: row.isClosed)
      return
    }
    self.init(bucket: row.bucket)
    isClosed = row.isClosed
    hasPrices = row.previousClose != nil
    if let close = row.previousClose { (open, high, low, self.close) = (close, close, close, close) }
  }

  @inline(__always)
  package init(
    bucket: Timestamp, isClosed: Bool, open: Decimal18, high: Decimal18, low: Decimal18, close: Decimal18,
    volumeUSD: ExactSum, volumeToken: ExactSum, buyVolumeUSD: ExactSum, sellVolumeUSD: ExactSum, trades: Int,
    tradesWithoutTokenAmount: Int
  ) {
    self.bucket = bucket
    self.isClosed = isClosed
    (self.open, self.high, self.low, self.close) = (open, high, low, close)
    (self.volumeUSD, self.volumeToken) = (volumeUSD, volumeToken)
    (self.buyVolumeUSD, self.sellVolumeUSD) = (buyVolumeUSD, sellVolumeUSD)
    (self.trades, self.tradesWithoutTokenAmount) = (trades, tradesWithoutTokenAmount)
  }

  @inline(__always)
  init(_ candle: Candle, bucket: Timestamp, isClosed: Bool) {
    self.init(
      bucket: bucket, isClosed: isClosed, open: candle.open, high: candle.high, low: candle.low, close: candle.close,
      volumeUSD: candle.volumeUSD, volumeToken: candle.volumeToken, buyVolumeUSD: candle.buyVolumeUSD,
      sellVolumeUSD: candle.sellVolumeUSD, trades: candle.trades,
      tradesWithoutTokenAmount: candle.tradesWithoutTokenAmount)
  }

  @inline(__always)
  init(_ row: SwapRow, bucket: Timestamp, isClosed: Bool) {
    self.init(
      bucket: bucket, isClosed: isClosed, open: row.price, high: row.price, low: row.price, close: row.price,
      volumeUSD: ExactSum(row.amountUSD), volumeToken: ExactSum(row.tokenAmount),
      buyVolumeUSD: ExactSum(row.amount(of: .buy)), sellVolumeUSD: ExactSum(row.amount(of: .sell)), trades: 1,
      tradesWithoutTokenAmount: row.tokenAmount == .zero ? 1 : 0)
  }

  /// Takes in a swap that comes behind all others; without trades it is the first.
  @inline(__always)
  mutating func append(_ row: SwapRow) {
    guard trades > 0 else {
      self = Bar(row, bucket: bucket, isClosed: isClosed)
      return
    }
    close = row.price
    add(row)
  }

  /// Takes in a bar of swaps that come behind all others.
  mutating func append(_ part: Bar) {
    (close, high, low) = (part.close, max(high, part.high), min(low, part.low))
    volumeUSD += part.volumeUSD
    volumeToken += part.volumeToken
    buyVolumeUSD += part.buyVolumeUSD
    sellVolumeUSD += part.sellVolumeUSD
    trades += part.trades
    tradesWithoutTokenAmount += part.tradesWithoutTokenAmount
  }
}
