// Bars of hours: stored candles column by column, swaps that stood alone in their hour, the newest hour.
// Invariant: every hour with a swap comes once, ascending, as HourWalk has it.
// Not here: candles that can be merged (HourCursor), which hours are stored (TokenState).

extension TokenReference {
  /// Lends the bars of the hours that a walk has ahead and that start before `end`, which is the start of one. O(hours),
  /// behind gaps O(log n) each.
  func forEachHour<Failure: Error>(
    _ walk: consuming HourWalk, before end: Timestamp, _ clock: Timestamp, _ body: (Bar) throws(Failure) -> Void
  ) throws(Failure) {
    let (hours, swaps) = (walk.source.hours, walk.source.swaps)
    var candles = CandleColumns()
    var columns = SwapColumns()
    while let run = walk.next(before: end) {
      switch run.source {
      case .stored:
        candles.enter(run.chunk, hours)
        try candles.forEachBar(run, hours, clock, body)
      case .alone:
        columns.enter(run.chunk, swaps)
        try columns.forEachHour(run, swaps, clock, body)
      case .newest:
        try body(Bar(newestHour, bucket: run.start, isClosed: Interval.oneHour.next(run.start) <= clock))
      }
    }
  }
}

extension SwapColumns {
  /// Lends the bars of swaps that stood alone in their hour. O(rows).
  fileprivate func forEachHour<Failure: Error>(
    _ run: HourRun, _ swaps: SeriesView<SwapRow>, _ clock: Timestamp, _ body: (Bar) throws(Failure) -> Void
  ) throws(Failure) {
    guard run.chunk < swaps.chunkCount, isNarrow else {
      for row in run.rows {
        let swap = swaps.row(at: SwapSeries.Position(chunk: run.chunk, row: row))
        let start = swap.key.timestamp.startOfHour
        try body(Bar(swap, bucket: start, isClosed: Interval.oneHour.next(start) <= clock))
      }
      return
    }
    check(run.rows)
    for row in run.rows {
      let start = time(checked: row).startOfHour
      // Each bar is made where the body takes it: a copy would cost as much as it.
      try body(bar(checked: row, bucket: start, isClosed: Interval.oneHour.next(start) <= clock))
    }
  }
}

/// The columns of one chunk of candles, or the rows of the tail, for bars.
private struct CandleColumns: ~Copyable {
  private var chunk = -1
  private var isPacked = false
  /// Every column is read as one word, and sums have nothing past 128 bits.
  private var isNarrow = false
  private var trades = NarrowColumn.none
  private var without = NarrowColumn.none
  private var open = NarrowColumn.none
  private var up = NarrowColumn.none
  private var down = NarrowColumn.none
  private var close = NarrowColumn.none
  private var usd = NarrowColumn.none
  private var token = NarrowColumn.none
  private var buy = NarrowColumn.none
  private var unsided = NarrowColumn.none

  /// Goes to a chunk, if it is another one. O(columns).
  @inline(__always)
  mutating func enter(_ chunk: Int, _ hours: SeriesView<StoredCandle>) {
    if chunk != self.chunk { change(chunk, hours) }
  }

  private mutating func change(_ chunk: Int, _ hours: SeriesView<StoredCandle>) {
    self.chunk = chunk
    isPacked = chunk < hours.chunkCount
    guard isPacked else { return }
    let packed = hours.chunk(chunk)
    trades = packed.narrowColumn(CandleColumn.trades)
    without = packed.narrowColumn(CandleColumn.tradesWithoutTokenAmount)
    open = packed.narrowColumn(CandleColumn.open)
    up = packed.narrowColumn(CandleColumn.highOverOpen)
    down = packed.narrowColumn(CandleColumn.lowUnderOpen)
    close = packed.narrowColumn(CandleColumn.closeOverOpen)
    usd = packed.narrowColumn(CandleColumn.volumeUSD)
    token = packed.narrowColumn(CandleColumn.volumeToken)
    buy = packed.narrowColumn(CandleColumn.buyVolumeUSD)
    unsided = packed.narrowColumn(CandleColumn.unsidedVolumeUSD)
    isNarrow =
      packed.narrowColumn(CandleColumn.highWords).isZero && packed.narrowColumn(CandleColumn.sidedHighWords).isZero
      && open.isNarrow && up.isNarrow && down.isNarrow && close.isNarrow && usd.isNarrow && token.isNarrow
      && buy.isNarrow && unsided.isNarrow && trades.isNarrow && without.isNarrow
  }

  /// Lends the bars of candles an hour apart. O(rows).
  func forEachBar<Failure: Error>(
    _ run: HourRun, _ hours: SeriesView<StoredCandle>, _ clock: Timestamp, _ body: (Bar) throws(Failure) -> Void
  ) throws(Failure) {
    var start = run.start
    guard isPacked, isNarrow else {
      for row in run.rows {
        let candle = hours.row(at: CandleSeries.Position(chunk: run.chunk, row: row)).candle
        let next = Interval.oneHour.next(start)
        try body(Bar(candle, bucket: start, isClosed: next <= clock))
        start = next
      }
      return
    }
    // All columns of a chunk have as many rows.
    open.check(run.rows)
    for row in run.rows {
      let next = Timestamp(microseconds: start.microseconds &+ Interval.oneHour.microseconds)
      // Each bar is made where the body takes it: a copy would cost as much as it.
      try body(bar(checked: row, start, isClosed: next <= clock))
      start = next
    }
  }

  /// The bar of a candle whose row was checked. O(1).
  @inline(__always)
  private func bar(checked row: Int, _ bucket: Timestamp, isClosed: Bool) -> Bar {
    let price = open.value(checked: row)
    let (all, buys) = (usd.value(checked: row), buy.value(checked: row))
    return Bar(
      bucket: bucket, isClosed: isClosed, open: Decimal18(units: price),
      high: Decimal18(units: price &+ up.value(checked: row)), low: Decimal18(units: price &- down.value(checked: row)),
      close: Decimal18(units: price &+ close.value(checked: row)), volumeUSD: ExactSum(Decimal18(units: all)),
      volumeToken: ExactSum(Decimal18(units: token.value(checked: row))),
      buyVolumeUSD: ExactSum(Decimal18(units: buys)),
      sellVolumeUSD: ExactSum(Decimal18(units: all &- buys &- unsided.value(checked: row))),
      trades: Int(truncatingIfNeeded: trades.value(checked: row)),
      tradesWithoutTokenAmount: Int(truncatingIfNeeded: without.value(checked: row)))
  }
}
