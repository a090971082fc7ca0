// The walk over a token's hours, either way, a run at a time: stored candles that follow on each other, swaps that stood
// alone in their hour and are its candle, the newest hour.
// Invariant: every hour with a swap comes once; between two stored hours each swap has its hour to itself.
// Not here: what is read of an hour (HourBars, HourCursor), which hours are stored (TokenState).

/// Neighbouring hours of one token whose candles lie side by side.
struct HourRun {
  /// What their candles are made of.
  enum Source {
    /// Rows of `hours`, an hour apart.
    case stored
    /// Rows of `swaps`, each of them an hour's only one.
    case alone
    /// The candle of the newest hour.
    case newest
  }

  let source: Source
  /// The rows' chunk; the tail comes as one more.
  let chunk: Int
  let rows: Range<Int>
  /// The start of the first hour.
  let start: Timestamp
}

/// Where the hours of one token are found.
struct HourSource: BitwiseCopyable {
  let swaps: SeriesView<SwapRow>
  let hours: SeriesView<StoredCandle>
  /// The start of the last held swap's hour, nil without one.
  let newestStart: Timestamp?
  /// How many swaps it has.
  let newestTrades: Int
  /// Whether some stored hours may have no held swap.
  let hasDropped: Bool
}

extension HourSource {
  /// Asks for the memory that a walk back from the end reads first. O(1).
  @inline(__always)
  func prefetchEnd() {
    hours.prefetchEnd()
    swaps.prefetchEnd()
  }

  /// The same of a walk from the start. O(1).
  @inline(__always)
  func prefetchStart() {
    hours.prefetchStart()
    swaps.prefetchStart()
  }

  /// How many hours with a swap there are at most: each has a held swap, or a stored candle. O(1).
  @inline(__always)
  var hoursMax: Int { swaps.count + (hasDropped ? hours.count : 0) }
}

/// Walks the hours of one token that have a swap.
struct HourWalk: BitwiseCopyable {
  let source: HourSource
  /// Between the hours that are behind and those that are ahead; mostly the start of one of the two neighbours.
  private(set) var time: Timestamp
  /// The first stored candle that does not start before `time`.
  private var stored: CandleSeries.Position
  /// A swap, and how many rows behind it the first one lies that does not come before `time`. Nothing is looked for as
  /// long as stored hours follow on each other.
  private var known: (swap: SwapSeries.Position, apart: Int)?

  /// From how many swaps on it is cheaper to look for a place than to count the way there.
  private static var apartMax: Int { 512 }
  /// How many stored hours in a row are counted.
  private static var countedMax: Int { 8 }

  /// A walk that stands at `time`, the start of an hour. O(log n), behind the last hour and before the first O(1).
  init(_ source: HourSource, at time: Timestamp) {
    self.source = source
    self.time = time
    let isBehind = source.newestStart.map { $0 < time } ?? false
    stored = isBehind ? source.hours.end : source.hours.start
    if !isBehind, !source.hours.isEmpty, source.hours.key(at: stored) < time { stored = source.hours.lowerBound(time) }
  }

  // MARK: on

  /// The next hours that start before `end`, the start of one, at most `count`. O(hours), behind a gap O(log n).
  mutating func next(before end: Timestamp, most count: Int = .max) -> HourRun? {
    let hours = source.hours
    let held = stored < hours.end ? hours.key(at: stored) : nil
    if let held, held == time { return nextStored(held, end, count) }
    guard time < end else { return nil }
    let swap = firstSwap()
    let bound = min(held ?? end, source.newestStart ?? end, end)
    if swap < source.swaps.end {
      source.swaps.prefetch(from: swap)
      let rows = source.swaps.rows(from: swap.row, in: swap.chunk, most: count, under: bound.microseconds)
      if !rows.isEmpty {
        let behind = SwapSeries.Position(chunk: swap.chunk, row: rows.upperBound - 1)
        let run = HourRun(
          source: .alone, chunk: swap.chunk, rows: rows, start: source.swaps.time(at: swap).startOfHour)
        let last = rows.count == 1 ? run.start : source.swaps.time(at: behind).startOfHour
        (time, known) = (Interval.oneHour.next(last), (source.swaps.after(behind), 0))
        return run
      }
    }
    if let held { return nextStored(held, end, count) }
    guard let newest = source.newestStart, newest >= time, newest < end else { return nil }
    (time, known) = (Interval.oneHour.next(newest), (source.swaps.end, 0))
    return .newest(newest)
  }

  private mutating func nextStored(_ start: Timestamp, _ end: Timestamp, _ count: Int) -> HourRun? {
    guard start < end else { return nil }
    var count = count
    // Both lie in the years 1 to 9999, or the end is no bound at all.
    if end < .last { count = min(count, Int((end.microseconds - start.microseconds) / Interval.oneHour.microseconds)) }
    source.hours.prefetch(from: stored)
    let rows = source.hours.evenRows(
      from: stored.row, in: stored.chunk, most: count, apart: Interval.oneHour.microseconds)
    let run = HourRun(source: .stored, chunk: stored.chunk, rows: rows, start: start)
    time = start + Int64(rows.count) * Interval.oneHour.microseconds
    pass(run, 1)
    stored = source.hours.after(CandleSeries.Position(chunk: run.chunk, row: rows.upperBound - 1))
    return run
  }

  // MARK: back

  /// The last hours behind, at most `count`. O(hours), before a gap O(log n).
  mutating func back(most count: Int) -> HourRun? {
    if let newest = source.newestStart, newest < time {
      time = newest
      known = source.newestTrades > Self.apartMax ? nil : (source.swaps.end, -source.newestTrades)
      return .newest(newest)
    }
    let held = source.hours.before(stored)
    let behind = held.map { Interval.oneHour.next(source.hours.key(at: $0)) }
    if let held, let behind, behind == time { return backStored(held, time, count) }
    let swap = firstSwap()
    if let last = source.swaps.before(swap) {
      source.swaps.prefetch(behind: last)
      let bound = behind?.microseconds ?? .min
      let rows = source.swaps.rows(to: last.row + 1, in: last.chunk, most: count, notUnder: bound)
      if !rows.isEmpty {
        let first = SwapSeries.Position(chunk: last.chunk, row: rows.lowerBound)
        (time, known) = (source.swaps.time(at: first).startOfHour, (first, 0))
        return HourRun(source: .alone, chunk: last.chunk, rows: rows, start: time)
      }
    }
    guard let held, let behind else { return nil }
    return backStored(held, behind, count)
  }

  /// Goes back by `count` hours with a swap, or as many as there are. O(count), before gaps O(log n) each.
  ///
  /// - Returns: whether there is any.
  mutating func back(hours count: Int) -> Bool {
    var left = count
    while left > 0, let run = back(most: left) { left -= run.rows.count }
    return left < count
  }

  private mutating func backStored(_ last: CandleSeries.Position, _ behind: Timestamp, _ count: Int) -> HourRun {
    source.hours.prefetch(behind: last)
    let rows = source.hours.evenRows(
      to: last.row + 1, in: last.chunk, most: count, apart: Interval.oneHour.microseconds)
    time = behind - Int64(rows.count) * Interval.oneHour.microseconds
    stored = CandleSeries.Position(chunk: last.chunk, row: rows.lowerBound)
    let run = HourRun(source: .stored, chunk: last.chunk, rows: rows, start: time)
    pass(run, -1)
    return run
  }

  // MARK: the swaps beside

  /// Notes that the swaps of stored hours were passed.
  @inline(__always)
  private mutating func pass(_ run: HourRun, _ direction: Int) {
    guard let (swap, apart) = known else { return }
    known = nil
    guard run.rows.count <= Self.countedMax, !source.hasDropped else { return }
    var trades = 0
    for row in run.rows { trades += source.hours.trades(at: CandleSeries.Position(chunk: run.chunk, row: row)) }
    let sum = apart + direction * trades
    if sum.magnitude <= Self.apartMax { known = (swap, sum) }
  }

  /// The first swap that does not come before `time`. O(1) where the way there was counted, else O(log n).
  private mutating func firstSwap() -> SwapSeries.Position {
    var position: SwapSeries.Position
    if let (swap, apart) = known {
      position = source.swaps.position(swap, ahead: apart)
    } else {
      position = source.swaps.start
      if !source.swaps.isEmpty, source.swaps.time(at: position) < time { position = source.swaps.lowerBound(time) }
    }
    known = (position, 0)
    return position
  }
}

extension HourRun {
  fileprivate static func newest(_ start: Timestamp) -> HourRun {
    HourRun(source: .newest, chunk: 0, rows: 0..<1, start: start)
  }
}

extension SeriesView where Row == StoredCandle {
  /// How many swaps a candle has. O(1).
  @inline(__always)
  fileprivate func trades(at position: Position) -> Int {
    position.chunk < chunkCount
      ? Int(chunk(position.chunk).narrow(position.row, CandleColumn.trades)) : tailRow(position.row).candle.trades
  }
}

extension TokenView {
  var hourSource: HourSource {
    HourSource(
      swaps: swaps, hours: hours, newestStart: newestHour.candle.trades > 0 ? newestHour.key : nil,
      newestTrades: newestHour.candle.trades, hasDropped: droppedSwaps > 0)
  }
}

extension TokenReference {
  @inline(__always)
  var hourSource: HourSource {
    HourSource(
      swaps: swaps, hours: hours, newestStart: newestHourStart, newestTrades: newestHourTrades,
      hasDropped: hasDroppedSwaps)
  }
}
