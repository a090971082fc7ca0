// The candle: what one token did in one bucket of time, as a commutative monoid.
// Invariant: low ≤ open, close ≤ high; trades ≥ 1; open and close keep the OrderKey of their swap.
// Not here: alignment (Interval), where candles are held (CandleSeries), empty buckets (Fill).
// Rules 4.2, 4.3.

/// What one token did in one bucket of time: four prices, volumes, a count.
///
///     var hour = firstHalf                        // a bucket without a swap has no candle
///     hour.merge(otherHalf)                       // any order, any grouping: the same bits
///
/// Units: prices are ``Decimal18``, volumes ``ExactSum`` (both counts of 10^-18); `trades` is a count.
public struct Candle: Equatable, Sendable, BitwiseCopyable {
  /// Price of the first swap in order.
  public internal(set) var open: Decimal18
  /// The highest price.
  public internal(set) var high: Decimal18
  /// The lowest price.
  public internal(set) var low: Decimal18
  /// Price of the last swap in order.
  public internal(set) var close: Decimal18
  /// Where the first swap stands.
  public internal(set) var openKey: OrderKey
  /// Where the last swap stands.
  public internal(set) var closeKey: OrderKey
  /// Σ `amount_usd`.
  public internal(set) var volumeUSD: ExactSum
  /// Σ of the `token_amount`s there are.
  public internal(set) var volumeToken: ExactSum
  /// Σ `amount_usd` of the buys.
  public internal(set) var buyVolumeUSD: ExactSum
  /// Σ `amount_usd` of the sells.
  public internal(set) var sellVolumeUSD: ExactSum
  /// How many swaps.
  public internal(set) var trades: Int
  /// How many of them came without `token_amount`.
  public internal(set) var tradesWithoutTokenAmount: Int

  package init(
    open: Decimal18, high: Decimal18, low: Decimal18, close: Decimal18, openKey: OrderKey, closeKey: OrderKey,
    volumeUSD: ExactSum, volumeToken: ExactSum, buyVolumeUSD: ExactSum, sellVolumeUSD: ExactSum, trades: Int,
    tradesWithoutTokenAmount: Int
  ) {
    (self.open, self.high, self.low, self.close) = (open, high, low, close)
    (self.openKey, self.closeKey) = (openKey, closeKey)
    (self.volumeUSD, self.volumeToken) = (volumeUSD, volumeToken)
    (self.buyVolumeUSD, self.sellVolumeUSD) = (buyVolumeUSD, sellVolumeUSD)
    (self.trades, self.tradesWithoutTokenAmount) = (trades, tradesWithoutTokenAmount)
  }

  /// `volumeUSD` ÷ `volumeToken`, half-even; nil if a swap came without `token_amount`, or it does not fit. O(1).
  public var vwap: Decimal18? {
    guard tradesWithoutTokenAmount == 0, volumeToken.isPositive else { return nil }
    return WideArithmetic.quotient(volumeUSD, over: volumeToken)
  }

  /// Takes in another candle of the same token: commutative and associative. O(1).
  public mutating func merge(_ other: Candle) {
    if other.openKey < openKey { (open, openKey) = (other.open, other.openKey) }
    if closeKey < other.closeKey { (close, closeKey) = (other.close, other.closeKey) }
    if high < other.high { high = other.high }
    if other.low < low { low = other.low }
    volumeUSD += other.volumeUSD
    volumeToken += other.volumeToken
    buyVolumeUSD += other.buyVolumeUSD
    sellVolumeUSD += other.sellVolumeUSD
    trades += other.trades
    tradesWithoutTokenAmount += other.tradesWithoutTokenAmount
  }
}
