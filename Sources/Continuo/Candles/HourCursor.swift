// The walk over a token's hours: stored candles, and the swaps that stood alone in their hour, which are their candle.
// Invariant: every hour with a swap comes once, ascending.
// Not here: longer and shorter intervals (BucketCursor), which hours are stored (TokenState).

/// Walks the hours of one token that have a swap.
struct HourCursor {
  /// The next stored candle.
  private(set) var stored: CandleSeries.Position
  /// The first swap that does not come before `time`; not looked for as long as stored hours follow on each other.
  private var swap: SwapSeries.Position?
  /// Not behind the next hour.
  private var time: Timestamp

  /// What an hour's candle is made of.
  enum Source {
    case stored
    case alone(SwapSeries.Position)
    case newest
  }

  /// A walk from the first hour that does not start before `start`, which is one. O(log n).
  init(_ token: TokenView, from start: Timestamp) {
    stored = token.hours.lowerBound(start)
    time = start
  }

  /// The start of the next hour with a swap. O(1), behind a gap O(log n).
  @inline(__always)
  mutating func start(_ token: TokenView) -> Timestamp? { next(token, held: held(token))?.start }

  /// The start of the next stored hour.
  @inline(__always)
  private func held(_ token: TokenView) -> Timestamp? {
    stored < token.hours.end ? token.hours.key(at: stored) : nil
  }

  /// The next hour with a swap, and what its candle is made of. O(1), behind a gap O(log n).
  ///
  /// - Parameter held: the start of the next stored hour, nil behind the last.
  @inline(__always)
  mutating func next(_ token: TokenView, held: Timestamp?) -> (start: Timestamp, source: Source)? {
    if let held, held == time { return (held, .stored) }
    let position = swap ?? token.swaps.lowerBound(time)
    swap = position
    guard position < token.swaps.end else { return held.map { ($0, .stored) } }
    let hour = token.swaps.time(at: position).startOfHour
    if let held, held <= hour { return (held, .stored) }
    return (hour, hour == token.newestHour.key ? .newest : .alone(position))
  }

  /// Goes on behind the hour that `next` told. O(1).
  @inline(__always)
  mutating func pass(_ token: TokenView, _ start: Timestamp, _ source: Source) {
    time = Interval.oneHour.next(start)
    switch source {
    case .stored: (stored, swap) = (token.hours.after(stored), nil)
    case .alone(let position): swap = token.swaps.after(position)
    case .newest: swap = token.swaps.end
    }
  }

  /// The next hour with a swap. O(1), behind a gap O(log n).
  @inline(__always)
  mutating func advance(_ token: TokenView) -> (start: Timestamp, candle: Candle)? {
    guard let (start, source) = next(token, held: held(token)) else { return nil }
    defer { pass(token, start, source) }
    switch source {
    case .stored: return (start, token.hours.row(at: stored).candle)
    case .alone(let position): return (start, Candle(token.swaps.row(at: position)))
    case .newest: return (start, token.newestHour.candle)
    }
  }

  /// The earliest of the last `count` hours with a swap that start before `bound`; nil without any. O(count), behind
  /// gaps O(log n) each.
  static func start(_ token: TokenView, nth count: Int, before bound: Timestamp) -> Timestamp? {
    var stored = token.hours.lowerBound(bound)
    var swap: SwapSeries.Position? = token.swaps.lowerBound(bound)
    var earliest: Timestamp?
    var time = bound
    for step in 0..<count {
      // Mostly no hour is missing: then the first one is as many rows as hours back.
      if step < 2, earliest != nil, let first = token.hours.position(stored, back: count - step) {
        let start = token.hours.key(at: first)
        if start == time - Int64(count - step) * Interval.oneHour.microseconds { return start }
      }
      let held = token.hours.before(stored)
      let heldStart = held.map { token.hours.key(at: $0) }
      if let held, let heldStart, Interval.oneHour.next(heldStart) == time {
        (stored, swap, time, earliest) = (held, nil, heldStart, heldStart)
        continue
      }
      let before = token.swaps.before(swap ?? token.swaps.lowerBound(time))
      let hour = before.map { token.swaps.time(at: $0).startOfHour }
      if let held, let heldStart, hour.map({ $0 <= heldStart }) ?? true {
        (stored, swap, time) = (held, nil, heldStart)
      } else if let before, let hour {
        // The newest hour's swaps are many; of any other one this is the only one.
        (swap, time) = (hour == token.newestHour.key ? nil : before, hour)
      } else {
        break
      }
      earliest = time
    }
    return earliest
  }
}
