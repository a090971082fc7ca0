// The hours of a token one by one, as candles that can be merged.
// Invariant: every hour with a swap comes once, ascending.
// Not here: where the next hour is found (HourWalk), bars (HourBars), longer and shorter intervals (BucketCursor).

/// Hands out the hours of one token that have a swap.
struct HourCursor {
  private var walk: HourWalk
  /// The next hour, once it was looked for.
  private var run: HourRun?

  /// From the first hour that does not start before `start`, which is one. O(log n).
  init(_ token: TokenView, from start: Timestamp) { walk = HourWalk(token.hourSource, at: start) }

  /// The start of the next hour with a swap. O(1), behind a gap O(log n).
  @inline(__always)
  mutating func start() -> Timestamp? { peek()?.start }

  private mutating func peek() -> HourRun? {
    if run == nil { run = walk.next(before: Timestamp(microseconds: .max), most: 1) }
    return run
  }

  /// The next hour with a swap. O(1), behind a gap O(log n).
  @inline(__always)
  mutating func advance(_ token: TokenView) -> (start: Timestamp, candle: Candle)? {
    guard let next = peek() else { return nil }
    run = nil
    let row = next.rows.lowerBound
    switch next.source {
    case .stored: return (next.start, token.hours.row(at: CandleSeries.Position(chunk: next.chunk, row: row)).candle)
    case .alone: return (next.start, Candle(token.swaps.row(at: SwapSeries.Position(chunk: next.chunk, row: row))))
    case .newest: return (next.start, token.newestHour.candle)
    }
  }

  /// The earliest of the last `count` hours with a swap that start before `bound`; nil without any. O(count), before gaps
  /// O(log n) each.
  static func start(_ token: TokenView, nth count: Int, before bound: Timestamp) -> Timestamp? {
    var walk = HourWalk(token.hourSource, at: bound)
    return walk.back(hours: count) ? walk.time : nil
  }
}
