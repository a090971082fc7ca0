// Which swaps of a token a window has, and by which way each of them is counted.
// Invariant: a window's sums are those of its swaps and no other; hours are used where they are the fewer.
// Not here: what is added up (WindowSums), what is answered of it (RollingWindow).

/// What a token did in a window.
struct WindowFold: BitwiseCopyable {
  var sums = WindowSums()
  var prices = WindowPrices()
}

/// The prices at a window's edges.
struct WindowPrices: BitwiseCopyable {
  /// Price of the last swap at or before the start, else of the first one in the window.
  var open: Decimal18?
  /// Price of the last swap at or before the end.
  var last: Decimal18?

  /// `last` − `open`.
  var change: Decimal18? {
    guard let open, let last else { return nil }
    // Both prices are over zero, so their difference always fits.
    return Decimal18(units: last.units - open.units)
  }

  /// `change` × 100 ÷ `open`, half-even.
  var changePercent: Decimal18? {
    guard let open, let change else { return nil }
    return WideArithmetic.percent(ExactSum(change), of: ExactSum(open))
  }
}

extension TokenReference {
  /// From how many whole chunks on the hours between are looked at instead.
  private static var chunksMax: Int { 16 }

  /// Folds the swaps with `start` < time ≤ `asOf`. O(log n + rows of two chunks + chunks or hours between).
  ///
  /// Nearly all of its time is waiting for memory: what a step needs is asked for a step ahead.
  func window(after start: Timestamp, to asOf: Timestamp) -> WindowFold {
    var fold = WindowFold()
    let swaps = swaps
    let (startMajor, endMajor) = ((start + 1).microseconds, (asOf + 1).microseconds)
    let firstChunk = swaps.chunk(notUnder: startMajor)
    let lastChunk = swaps.chunk(notUnder: endMajor)
    swaps.prefetchHead(firstChunk)
    swaps.prefetchHead(lastChunk)
    if lastChunk - firstChunk > Self.chunksMax {
      let (from, end) = (Interval.oneHour.next(Interval.oneHour.start(of: start)), Interval.oneHour.start(of: asOf + 1))
      if from < end {
        let hours = HoursBetween(self.hours, from, end)
        let fromChunk = swaps.chunk(notUnder: from.microseconds, near: firstChunk + 2)
        let endChunk = swaps.chunk(notUnder: end.microseconds, near: max(0, lastChunk - 3))
        swaps.prefetchHead(fromChunk)
        swaps.prefetchHead(endChunk)
        let first = swaps.position(notUnder: startMajor, in: firstChunk)
        let behind = swaps.position(notUnder: endMajor, in: lastChunk)
        let inner = swaps.position(notUnder: from.microseconds, in: fromChunk)
        let outer = swaps.position(notUnder: end.microseconds, in: endChunk)
        swaps.prefetchEdges(first, inner)
        swaps.prefetchEdges(outer, behind)
        fold.prices = prices(swaps, first, behind, start)
        if let newest = newestHour(from: from, before: end) { fold.sums.add(newest) }
        hours.add(to: &fold.sums)
        swaps.add(first, inner, to: &fold.sums)
        swaps.add(outer, behind, to: &fold.sums)
        return fold
      }
    }
    let first = swaps.position(notUnder: startMajor, in: firstChunk)
    let behind = swaps.position(notUnder: endMajor, in: lastChunk)
    swaps.prefetchEdges(first, behind)
    fold.prices = prices(swaps, first, behind, start)
    swaps.add(first, behind, to: &fold.sums)
    return fold
  }

  /// The prices at the edges of a window, and nothing else. O(log n).
  func prices(after start: Timestamp, to asOf: Timestamp) -> WindowPrices {
    let swaps = swaps
    let (startMajor, endMajor) = ((start + 1).microseconds, (asOf + 1).microseconds)
    let firstChunk = swaps.chunk(notUnder: startMajor)
    let lastChunk = swaps.chunk(notUnder: endMajor)
    swaps.prefetchHead(firstChunk)
    swaps.prefetchHead(lastChunk)
    return prices(
      swaps, swaps.position(notUnder: startMajor, in: firstChunk), swaps.position(notUnder: endMajor, in: lastChunk),
      start)
  }

  @inline(__always)
  private func prices(
    _ swaps: SeriesView<SwapRow>, _ first: SwapSeries.Position, _ behind: SwapSeries.Position, _ start: Timestamp
  ) -> WindowPrices {
    var prices = WindowPrices()
    if let before = swaps.before(first) {
      prices.open = swaps.price(at: before)
    } else if let last = lastBelowHorizon, last.key.timestamp <= start {
      prices.open = last.price
    }
    prices.last = prices.open
    guard first < behind, let last = swaps.before(behind) else { return prices }
    if prices.open == nil { prices.open = swaps.price(at: first) }
    prices.last = swaps.price(at: last)
    return prices
  }
}

/// Candles of hours that start at or after one instant and before another.
private struct HoursBetween: BitwiseCopyable {
  private let hours: SeriesView<StoredCandle>
  private let from: Int64
  private let end: Int64
  private let firstChunk: Int
  private let lastChunk: Int

  /// Finds their chunks, and asks for the memory. O(log n).
  @inline(__always)
  init(_ hours: SeriesView<StoredCandle>, _ from: Timestamp, _ end: Timestamp) {
    self.hours = hours
    (self.from, self.end) = (from.microseconds, end.microseconds)
    firstChunk = hours.chunk(notUnder: self.from)
    lastChunk = hours.chunk(notUnder: self.end, near: firstChunk + 2)
    for chunk in firstChunk...min(lastChunk, firstChunk + 3) { hours.prefetchHead(chunk) }
  }

  /// Adds them to sums. O(hours).
  @inline(__always)
  func add(to sums: inout WindowSums) {
    var position = hours.position(notUnder: from, in: firstChunk)
    let behind = hours.position(notUnder: end, in: lastChunk)
    while position.chunk < behind.chunk {
      hours.prefetchHead(position.chunk + 2)
      let chunk = hours.chunk(position.chunk)
      sums.add(chunk, position.row..<chunk.count)
      position = CandleSeries.Position(chunk: position.chunk + 1, row: 0)
    }
    if position.chunk < hours.chunkCount {
      sums.add(hours.chunk(position.chunk), position.row..<behind.row)
    } else {
      for row in position.row..<behind.row { sums.add(hours.tailRow(row).candle) }
    }
  }
}

extension SeriesView where Row == SwapRow {
  /// The price of the swap at a position. O(1).
  @inline(__always)
  fileprivate func price(at position: Position) -> Decimal18 {
    guard position.chunk < chunkCount else { return tailRow(position.row).price }
    return Decimal18(units: chunk(position.chunk).column(SwapColumn.price).value(position.row))
  }

  /// Asks for the memory of the rows at the edges that `add` is going to read. O(rows).
  @inline(__always)
  fileprivate func prefetchEdges(_ first: Position, _ behind: Position) {
    guard first < behind else { return }
    if first.chunk < chunkCount {
      let chunk = chunk(first.chunk)
      WindowSums.prefetch(chunk, first.row..<(first.chunk == behind.chunk ? behind.row : chunk.count))
    }
    if first.chunk < behind.chunk, behind.chunk < chunkCount {
      WindowSums.prefetch(chunk(behind.chunk), 0..<behind.row)
    }
  }

  /// Takes in the swaps from one position on, up to another. O(rows of two chunks + chunks between).
  fileprivate func add(_ first: Position, _ behind: Position, to sums: inout WindowSums) {
    guard first < behind else { return }
    var position = first
    while position.chunk < behind.chunk {
      let ahead = position.chunk + 4
      if ahead < behind.chunk { chunk(ahead).prefetchSummary() }
      let chunk = chunk(position.chunk)
      if position.row == 0 { sums.add(chunk.summary) } else { sums.add(chunk, position.row..<chunk.count) }
      position = Position(chunk: position.chunk + 1, row: 0)
    }
    if position.chunk < chunkCount {
      sums.add(chunk(position.chunk), position.row..<behind.row)
    } else {
      for row in position.row..<behind.row { sums.add(tailRow(row)) }
    }
  }
}
