// The walk over a token's buckets at any interval: under 1h folded from raw, from 1h up merged from stored candles.
// Invariant: every bucket with a swap comes once, ascending; a 1w candle is the merge of all that is stored of its days.
// Not here: which buckets are served, and filling (Engine+Candles).

/// Walks the buckets of one token at one interval.
struct BucketCursor {
  private let interval: Interval
  /// Under 1h: where the next raw event lies.
  private var position: SwapSeries.Position
  /// From 1h up: the next candle of each stored series that the interval is made of.
  private var next: [4 of CandleSeries.Position] = .init(repeating: CandleSeries.Position(chunk: 0, row: 0))

  /// A walk from the first bucket that does not start before `start`. O(log n).
  init(_ token: TokenView, _ interval: Interval, from start: Timestamp) {
    self.interval = interval
    let aligned = Self.aligned(start, interval)
    position = interval.isFolded ? token.swaps.lowerBound(aligned) : token.swaps.end
    guard !interval.isFolded else { return }
    for level in 0..<interval.storedLevels { next[level] = token.lowerBound(level, aligned) }
  }

  /// The first start of a bucket at or after `instant`.
  static func aligned(_ instant: Timestamp, _ interval: Interval) -> Timestamp {
    // Far below the first instant there is nothing to align to.
    guard instant > .first else { return .first }
    let start = interval.start(of: instant)
    return start < instant ? interval.next(start) : start
  }

  /// The start of the next bucket with a swap. O(1).
  func start(_ token: TokenView) -> Timestamp? {
    if interval.isFolded {
      return position == token.swaps.end ? nil : interval.start(of: token.swaps.key(at: position).timestamp)
    }
    var bucket: Timestamp?
    for level in 0..<interval.storedLevels {
      guard let stored = token.storedStart(level, next[level]) else { continue }
      let start = interval.start(of: stored)
      bucket = bucket.map { min($0, start) } ?? start
    }
    return bucket
  }

  /// The next bucket with a swap. O(its raw events), or O(its stored candles).
  mutating func advance(_ token: TokenView) -> (bucket: Timestamp, candle: Candle)? {
    guard let bucket = start(token) else { return nil }
    return (bucket, interval.isFolded ? fold(bucket, token) : merge(bucket, token))
  }

  private mutating func fold(_ bucket: Timestamp, _ token: TokenView) -> Candle {
    let end = interval.next(bucket)
    var candle = Candle(token.swaps.row(at: position))
    position = token.swaps.after(position)
    while position != token.swaps.end {
      let row = token.swaps.row(at: position)
      guard row.key.timestamp < end else { break }
      candle.append(row)
      position = token.swaps.after(position)
    }
    return candle
  }

  private mutating func merge(_ bucket: Timestamp, _ token: TokenView) -> Candle {
    let end = interval.next(bucket)
    var candle: Candle?
    for level in 0..<interval.storedLevels {
      while let start = token.storedStart(level, next[level]), start < end {
        candle.take(token.storedCandle(level, next[level]))
        next[level] = token.series(level).after(next[level])
      }
    }
    guard let candle else { preconditionFailure("a bucket has a candle that starts in it") }
    return candle
  }

  /// The earliest of the last `count` buckets with a swap that start before `bound` and not before `from`; nil without
  /// any. O(log n) where every stored candle is a bucket, else O(count × log n).
  static func bucket(
    _ token: TokenView, _ interval: Interval, nth count: Int, before bound: Timestamp, from: Timestamp
  ) -> Timestamp? {
    if interval.storedLevels == 1 {
      let behind = token.lowerBound(0, aligned(bound, interval))
      let first = token.lowerBound(0, aligned(from, interval))
      let start = token.hours.position(behind, back: count)
      return token.storedStart(0, start.map { $0 < first ? first : $0 } ?? first).flatMap { $0 < bound ? $0 : nil }
    }
    var earliest: Timestamp?
    for _ in 0..<count {
      guard let bucket = bucket(token, interval, before: earliest ?? bound), bucket >= from else { break }
      earliest = bucket
    }
    return earliest
  }

  /// The last bucket with a swap that starts before `bound`. O(log n).
  static func bucket(_ token: TokenView, _ interval: Interval, before bound: Timestamp) -> Timestamp? {
    let aligned = aligned(bound, interval)
    if interval.isFolded {
      return token.swaps.before(token.swaps.lowerBound(aligned)).map {
        interval.start(of: token.swaps.key(at: $0).timestamp)
      }
    }
    var last: Timestamp?
    for level in 0..<interval.storedLevels {
      guard let before = token.series(level).before(token.lowerBound(level, aligned)),
        let stored = token.storedStart(level, before)
      else { continue }
      let start = interval.start(of: stored)
      last = last.map { max($0, start) } ?? start
    }
    return last
  }
}

extension Interval {
  /// Whether candles of this interval are folded from raw events when read.
  var isFolded: Bool { microseconds < Interval.oneHour.microseconds }

  /// How many of the stored series (1h, then the archives at 4h, 1d, 1w) make up candles of this interval.
  var storedLevels: Int {
    switch self {
    case .oneMinute, .fiveMinutes, .fifteenMinutes: 0
    case .oneHour: 1
    case .fourHours: 2
    case .oneDay: 3
    case .oneWeek: 4
    }
  }
}

/// The stored candles by level: 1h, then the archives at 4h, 1d, 1w. The newest hour stands at the end of level 0.
extension TokenView {
  fileprivate func series(_ level: Int) -> SeriesView<StoredCandle> {
    switch level {
    case 0: hours
    case 1: fourHours
    case 2: days
    default: weeks
    }
  }

  private var hasNewestHour: Bool { newestHour.candle.trades > 0 }

  fileprivate func lowerBound(_ level: Int, _ start: Timestamp) -> CandleSeries.Position {
    let position = series(level).lowerBound(start)
    guard level == 0, hasNewestHour, position == hours.end, newestHour.key < start else { return position }
    return hours.after(position)
  }

  fileprivate func storedStart(_ level: Int, _ position: CandleSeries.Position) -> Timestamp? {
    let series = series(level)
    if position < series.end { return series.key(at: position) }
    return level == 0 && hasNewestHour && position == series.end ? newestHour.key : nil
  }

  fileprivate func storedCandle(_ level: Int, _ position: CandleSeries.Position) -> Candle {
    let series = series(level)
    return position < series.end ? series.row(at: position).candle : newestHour.candle
  }
}
