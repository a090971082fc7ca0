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
  init(_ state: borrowing TokenState, _ interval: Interval, from start: Timestamp) {
    self.interval = interval
    let aligned = Self.aligned(start, interval)
    position = interval.isFolded ? state.swaps.lowerBound(aligned) : state.swaps.end
    guard !interval.isFolded else { return }
    for level in 0..<interval.storedLevels { next[level] = state.lowerBound(level, aligned) }
  }

  /// The first start of a bucket at or after `instant`.
  static func aligned(_ instant: Timestamp, _ interval: Interval) -> Timestamp {
    // Far below the first instant there is nothing to align to.
    guard instant > .first else { return .first }
    let start = interval.start(of: instant)
    return start < instant ? interval.next(start) : start
  }

  /// The next bucket with a swap. O(its raw events), or O(its stored candles).
  mutating func advance(_ state: borrowing TokenState) -> (bucket: Timestamp, candle: Candle)? {
    interval.isFolded ? fold(state) : merge(state)
  }

  private mutating func fold(_ state: borrowing TokenState) -> (bucket: Timestamp, candle: Candle)? {
    guard position != state.swaps.end else { return nil }
    var row = state.swaps.row(at: position)
    let bucket = interval.start(of: row.key.timestamp)
    let end = interval.next(bucket)
    var candle = Candle(row)
    position = state.swaps.after(position)
    while position != state.swaps.end {
      row = state.swaps.row(at: position)
      guard row.key.timestamp < end else { break }
      candle.merge(Candle(row))
      position = state.swaps.after(position)
    }
    return (bucket, candle)
  }

  private mutating func merge(_ state: borrowing TokenState) -> (bucket: Timestamp, candle: Candle)? {
    var bucket: Timestamp?
    for level in 0..<interval.storedLevels {
      guard let stored = state.storedStart(level, next[level]) else { continue }
      let start = interval.start(of: stored)
      bucket = bucket.map { min($0, start) } ?? start
    }
    guard let bucket else { return nil }
    let end = interval.next(bucket)
    var candle: Candle?
    for level in 0..<interval.storedLevels {
      while let start = state.storedStart(level, next[level]), start < end {
        candle.take(state.storedCandle(level, &next[level]))
      }
    }
    return candle.map { (bucket, $0) }
  }

  /// The earliest of the last `count` buckets with a swap that start before `bound` and not before `from`; nil without
  /// any. O(log n) where every stored candle is a bucket, else O(count × log n).
  static func bucket(
    _ state: borrowing TokenState, _ interval: Interval, nth count: Int, before bound: Timestamp, from: Timestamp
  ) -> Timestamp? {
    if interval.storedLevels == 1 {
      let behind = state.hours.lowerBound(aligned(bound, interval))
      let first = state.hours.lowerBound(aligned(from, interval))
      let start = state.hours.position(behind, back: count)
      return state.hours.start(at: start.map { $0 < first ? first : $0 } ?? first).flatMap { $0 < bound ? $0 : nil }
    }
    var earliest: Timestamp?
    for _ in 0..<count {
      guard let bucket = bucket(state, interval, before: earliest ?? bound), bucket >= from else { break }
      earliest = bucket
    }
    return earliest
  }

  /// The last bucket with a swap that starts before `bound`. O(log n).
  static func bucket(_ state: borrowing TokenState, _ interval: Interval, before bound: Timestamp) -> Timestamp? {
    let aligned = aligned(bound, interval)
    if interval.isFolded {
      return state.swaps.before(state.swaps.lowerBound(aligned)).map {
        interval.start(of: state.swaps.key(at: $0).timestamp)
      }
    }
    var last: Timestamp?
    for level in 0..<interval.storedLevels {
      guard let stored = state.storedStart(level, before: aligned) else { continue }
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

extension TokenState {
  fileprivate func lowerBound(_ level: Int, _ start: Timestamp) -> CandleSeries.Position {
    switch level {
    case 0: hours.lowerBound(start)
    case 1: fourHours.lowerBound(start)
    case 2: days.lowerBound(start)
    default: weeks.lowerBound(start)
    }
  }

  fileprivate func storedStart(_ level: Int, _ position: CandleSeries.Position) -> Timestamp? {
    switch level {
    case 0: hours.start(at: position)
    case 1: fourHours.start(at: position)
    case 2: days.start(at: position)
    default: weeks.start(at: position)
    }
  }

  fileprivate func storedStart(_ level: Int, before start: Timestamp) -> Timestamp? {
    switch level {
    case 0: hours.start(before: start)
    case 1: fourHours.start(before: start)
    case 2: days.start(before: start)
    default: weeks.start(before: start)
    }
  }

  fileprivate func storedCandle(_ level: Int, _ position: inout CandleSeries.Position) -> Candle {
    switch level {
    case 0: hours.candle(&position)
    case 1: fourHours.candle(&position)
    case 2: days.candle(&position)
    default: weeks.candle(&position)
    }
  }
}
