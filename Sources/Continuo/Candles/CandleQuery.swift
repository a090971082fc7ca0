// What a reader asks of candles, and what it gets.
// Invariant: answers come in ascending order of their buckets.
// Not here: the walk over the series (Engine+Candles), filling (Fill).

/// Which candles of a token to read.
public struct CandleQuery: Equatable, Sendable {
  /// How long each candle is.
  public var interval: Interval
  /// In range are the buckets with `from` ≤ start < `to`; nil is no bound.
  public var from: Timestamp?
  /// The bound above; nil is none.
  public var to: Timestamp?
  /// What to answer for buckets without a swap.
  public var fill: Fill
  /// Only the newest so many, filled ones counted; none where it is under 1.
  public var limit: Int?

  /// Asks for the candles of one interval: all of them, unless bounds or a limit are given. O(1).
  public init(
    _ interval: Interval = .oneHour, from: Timestamp? = nil, to: Timestamp? = nil, fill: Fill = .none,
    limit: Int? = nil
  ) {
    self.interval = interval
    self.from = from
    self.to = to
    self.fill = fill
    self.limit = limit
  }
}

/// What to answer for a bucket without a swap.
public enum Fill: String, CaseIterable, Sendable {
  /// Nothing.
  case none
  /// A row without prices, volumes and trades 0.
  case null
  /// A row with the close before as all four prices, volumes and trades 0.
  case previous
}

/// One row of an answer about candles.
public struct CandleRow: Equatable, Sendable {
  /// The bucket's start.
  public var bucket: Timestamp
  /// Whether the bucket's end is not after the clock. Late events and rollbacks change closed candles too.
  public var isClosed: Bool
  /// The candle; nil in a filled row.
  public var candle: Candle?
  /// The close before, in a row filled by ``Fill/previous``.
  public var previousClose: Decimal18?
}
