// Which swaps of a token a window has, and by which way each of them is counted.
// Invariant: a window's sums are those of its swaps and no other; hours are used where they are the fewer, and all stored.
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
  private static var chunksMax: Int { 8 }

  /// Folds the swaps with `start` < time ≤ `asOf`. O(log n + rows of two chunks + chunks or hours between).
  ///
  /// Nearly all of its time is waiting for memory: what a step needs is asked for a step ahead.
  func window(after start: Timestamp, to asOf: Timestamp) -> WindowFold {
    var fold = WindowFold()
    let swaps = swaps
    let edges = WindowEdges(swaps, start, asOf)
    let hours = edges.lastChunk - edges.firstChunk > Self.chunksMax ? HoursBetween(self, start, asOf) : nil
    let (first, behind) = (edges.first(swaps), edges.behind(swaps))
    if let hours {
      let fromChunk = swaps.chunk(notUnder: hours.from.microseconds, near: edges.firstChunk + 2)
      let endChunk = swaps.chunk(notUnder: hours.end.microseconds, near: max(0, edges.lastChunk - 3))
      swaps.prefetchHead(fromChunk)
      swaps.prefetchHead(endChunk)
      if let inner = hours.sums() {
        let from = swaps.position(notUnder: hours.from.microseconds, in: fromChunk)
        let end = swaps.position(notUnder: hours.end.microseconds, in: endChunk)
        swaps.prefetchEdges(first, from)
        swaps.prefetchEdges(end, behind)
        fold.prices = prices(swaps, first, behind, start)
        fold.sums = inner
        swaps.add(first, from, to: &fold.sums)
        swaps.add(end, behind, to: &fold.sums)
        return fold
      }
    }
    swaps.prefetchEdges(first, behind)
    fold.prices = prices(swaps, first, behind, start)
    swaps.add(first, behind, to: &fold.sums)
    return fold
  }

  /// The prices at the edges of a window, and nothing else. O(log n).
  func prices(after start: Timestamp, to asOf: Timestamp) -> WindowPrices {
    let swaps = swaps
    let edges = WindowEdges(swaps, start, asOf)
    return prices(swaps, edges.first(swaps), edges.behind(swaps), start)
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

/// Where the swaps of a window begin and end.
private struct WindowEdges: BitwiseCopyable {
  private let startMajor: Int64
  private let endMajor: Int64
  let firstChunk: Int
  let lastChunk: Int

  /// Finds their chunks, and asks for the memory. O(log n).
  @inline(__always)
  init(_ swaps: SeriesView<SwapRow>, _ start: Timestamp, _ asOf: Timestamp) {
    startMajor = (start + 1).microseconds
    endMajor = (asOf + 1).microseconds
    firstChunk = swaps.chunk(notUnder: startMajor)
    lastChunk = swaps.chunk(notUnder: endMajor)
    swaps.prefetchHead(firstChunk)
    swaps.prefetchHead(lastChunk)
  }

  /// The first swap.
  @inline(__always)
  func first(_ swaps: SeriesView<SwapRow>) -> SwapSeries.Position {
    swaps.position(notUnder: startMajor, in: firstChunk)
  }

  /// Behind the last swap.
  @inline(__always)
  func behind(_ swaps: SeriesView<SwapRow>) -> SwapSeries.Position {
    swaps.position(notUnder: endMajor, in: lastChunk)
  }
}

/// The whole hours of a window.
private struct HoursBetween: BitwiseCopyable {
  /// Where the first one starts, and where the last one ends.
  let from: Timestamp
  let end: Timestamp
  private let token: TokenReference
  private let hours: SeriesView<StoredCandle>
  private let hasNewest: Bool
  private let firstChunk: Int
  private let lastChunk: Int

  /// Finds their candles, and asks for the memory; nil without a whole hour. O(log n).
  @inline(__always)
  init?(_ token: TokenReference, _ start: Timestamp, _ asOf: Timestamp) {
    guard let newest = token.newestHourStart else { return nil }
    from = Interval.oneHour.next(start.startOfHour)
    // Behind the last swap nothing is cut off from its hour.
    end = token.newestTime <= asOf ? Interval.oneHour.next(newest) : (asOf + 1).startOfHour
    guard from < end else { return nil }
    hasNewest = newest >= from && newest < end
    self.token = token
    hours = token.hours
    firstChunk = hours.chunk(notUnder: from.microseconds)
    lastChunk = hours.chunk(notUnder: end.microseconds, near: firstChunk + 2)
    for chunk in firstChunk...min(lastChunk, firstChunk + 3) { hours.prefetchHead(chunk) }
  }

  /// What they add up to; nil where one has no candle: its one swap stands for it, if there is any. O(hours).
  @inline(__always)
  func sums() -> WindowSums? {
    var sums = WindowSums()
    var missing = (end.microseconds &- from.microseconds) / Interval.oneHour.microseconds
    if hasNewest {
      sums.add(token.newestHour)
      missing -= 1
    }
    var position = hours.position(notUnder: from.microseconds, in: firstChunk)
    let behind = hours.position(notUnder: end.microseconds, in: lastChunk)
    while position < behind {
      let isLast = position.chunk == behind.chunk
      let rows = position.row..<(isLast ? behind.row : hours.rows(in: position.chunk))
      if position.chunk < hours.chunkCount {
        hours.prefetchHead(position.chunk + 2)
        sums.add(hours.chunk(position.chunk), rows)
      } else {
        for row in rows { sums.add(hours.tailRow(row).candle) }
      }
      missing -= Int64(rows.count)
      position = CandleSeries.Position(chunk: position.chunk + 1, row: 0)
    }
    return missing == 0 ? sums : nil
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
