// The walk over a token's buckets at any interval: under 1h folded from raw, from 1h up merged from hours and archives.
// Invariant: every bucket with a swap comes once, ascending; a 1w candle is the merge of all that is stored of its days.
// Not here: which buckets are served, and filling (Engine+Candles), where hours come from (HourCursor).

/// Walks the buckets of one token at one interval.
struct BucketCursor {
  private let interval: Interval
  /// Under 1h: where the next raw event lies.
  private var position: SwapSeries.Position
  /// From 1h up: the next hour.
  private var hours: HourCursor
  /// From 4h up: the next candle of each archive that the interval is made of.
  private var next: [3 of CandleSeries.Position] = .init(repeating: CandleSeries.Position(chunk: 0, row: 0))

  /// A walk from the first bucket that does not start before `start`. O(log n).
  init(_ token: TokenView, _ interval: Interval, from start: Timestamp) {
    self.interval = interval
    let aligned = Self.aligned(start, interval)
    position = interval.isFolded ? token.swaps.lowerBound(aligned) : token.swaps.end
    hours = HourCursor(token, from: aligned)
    for level in 0..<interval.archives { next[level] = token.archive(level).lowerBound(aligned) }
  }

  /// The first start of a bucket at or after `instant`.
  static func aligned(_ instant: Timestamp, _ interval: Interval) -> Timestamp {
    // Far below the first instant there is nothing to align to.
    guard instant > .first else { return .first }
    let start = interval.start(of: instant)
    return start < instant ? interval.next(start) : start
  }

  /// The start of the next bucket with a swap. O(1), behind a gap O(log n).
  mutating func start(_ token: TokenView) -> Timestamp? {
    if interval.isFolded {
      return position == token.swaps.end ? nil : interval.start(of: token.swaps.time(at: position))
    }
    var bucket = hours.start().map { interval.start(of: $0) }
    for level in 0..<interval.archives where next[level] < token.archive(level).end {
      let start = interval.start(of: token.archive(level).key(at: next[level]))
      bucket = bucket.map { min($0, start) } ?? start
    }
    return bucket
  }

  /// The next bucket with a swap. O(its raw events), or O(its stored candles).
  @inline(__always)
  mutating func advance(_ token: TokenView) -> (bucket: Timestamp, candle: Candle)? {
    if interval == .oneHour { return hours.advance(token).map { (bucket: $0.start, candle: $0.candle) } }
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
    while let start = hours.start(), start < end { candle.take(hours.advance(token)?.candle) }
    for level in 0..<interval.archives {
      let archive = token.archive(level)
      while next[level] < archive.end, archive.key(at: next[level]) < end {
        candle.take(archive.row(at: next[level]).candle)
        next[level] = archive.after(next[level])
      }
    }
    guard let candle else { preconditionFailure("a bucket has a candle that starts in it") }
    return candle
  }

  /// The earliest of the last `count` buckets with a swap that start before `bound` and not before `from`; nil without
  /// any. O(count), behind gaps and at other intervals than 1h O(count × log n).
  static func bucket(
    _ token: TokenView, _ interval: Interval, nth count: Int, before bound: Timestamp, from: Timestamp
  ) -> Timestamp? {
    if interval == .oneHour {
      // From the first one that is asked for, where the nth lies before it.
      guard let start = HourCursor.start(token, nth: count, before: aligned(bound, interval)) else { return nil }
      return max(start, from) < bound ? max(start, from) : nil
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
        interval.start(of: token.swaps.time(at: $0))
      }
    }
    var last = HourCursor.start(token, nth: 1, before: aligned).map { interval.start(of: $0) }
    for level in 0..<interval.archives {
      let archive = token.archive(level)
      guard let before = archive.before(archive.lowerBound(aligned)) else { continue }
      let start = interval.start(of: archive.key(at: before))
      last = last.map { max($0, start) } ?? start
    }
    return last
  }
}

extension Interval {
  /// Whether candles of this interval are folded from raw events when read.
  var isFolded: Bool { microseconds < Interval.oneHour.microseconds }

  /// How many of the archives (at 4h, 1d, 1w), besides the hours, make up candles of this interval.
  fileprivate var archives: Int {
    switch self {
    case .oneMinute, .fiveMinutes, .fifteenMinutes, .oneHour: 0
    case .fourHours: 1
    case .oneDay: 2
    case .oneWeek: 3
    }
  }
}

extension TokenView {
  fileprivate func archive(_ level: Int) -> SeriesView<StoredCandle> {
    switch level {
    case 0: fourHours
    case 1: days
    default: weeks
    }
  }
}
