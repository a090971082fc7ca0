// Bars of hours: stored candles column by column, swaps that stood alone in their hour, the newest hour.
// Invariant: every hour with a swap comes once, ascending, as HourCursor has it.
// Not here: candles that can be merged (HourCursor), which hours are stored (TokenState).

extension TokenView {
  /// Lends the bars of the hours with `from` ≤ start < `end`; `from` is the start of an hour. O(log n + hours), behind gaps
  /// O(log n) each.
  func forEachHour<Failure: Error>(
    from: Timestamp, before end: Timestamp, _ clock: Timestamp, _ body: (Bar) throws(Failure) -> Void
  ) throws(Failure) {
    var time = from
    var stored = hours.lowerBound(from)
    var swap: SwapSeries.Position?
    var bar = Bar(bucket: from)
    var columns = CandleColumns.none
    while time < end {
      columns.enter(stored.chunk, hours)
      let held = stored < hours.end ? columns.start(stored.row, hours) : nil
      var isStored = held == time
      var alone = held ?? end
      if !isStored {
        // Behind a gap: a swap may stand alone in it.
        let place = swap ?? swaps.lowerBound(time)
        swap = place
        if place < swaps.end {
          alone = swaps.time(at: place).startOfHour
          isStored = held.map { $0 <= alone } ?? false
        } else {
          guard held != nil else { return }
          isStored = true
        }
      }
      if isStored, let held {
        bar.bucket = held
        guard held < end else { return }
        columns.set(&bar, stored.row, hours)
        stored = hours.after(stored)
        swap = nil
      } else {
        guard alone < end, let place = swap else { return }
        bar.bucket = alone
        let isNewest = alone == newestHour.key
        if isNewest { bar.set(newestHour.candle) } else { bar.set(swaps.row(at: place)) }
        swap = isNewest ? swaps.end : swaps.after(place)
      }
      time = Interval.oneHour.next(bar.bucket)
      bar.isClosed = time <= clock
      try body(bar)
    }
  }
}

/// The columns of one chunk of candles, or the rows of the tail, for bars.
private struct CandleColumns {
  private var chunk = -1
  private var isPacked = false
  /// Every column is read as one word, and sums have nothing past 128 bits.
  private var isNarrow = false
  private var starts: NarrowColumn
  private var trades: NarrowColumn
  private var without: NarrowColumn
  private var open: NarrowColumn
  private var up: NarrowColumn
  private var down: NarrowColumn
  private var close: NarrowColumn
  private var usd: NarrowColumn
  private var token: NarrowColumn
  private var buy: NarrowColumn
  private var unsided: NarrowColumn

  static var none: CandleColumns { CandleColumns() }

  private init() {
    starts = .none
    trades = .none
    without = .none
    open = .none
    up = .none
    down = .none
    close = .none
    usd = .none
    token = .none
    buy = .none
    unsided = .none
  }

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
    starts = packed.narrowColumn(CandleColumn.start)
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
      && buy.isNarrow && unsided.isNarrow
  }

  /// The start of a candle's hour. O(1).
  @inline(__always)
  func start(_ row: Int, _ hours: SeriesView<StoredCandle>) -> Timestamp {
    isPacked ? Timestamp(microseconds: Int64(truncatingIfNeeded: starts[row])) : hours.tailRow(row).key
  }

  /// Makes `bar` that of a candle, but for its bucket. O(1).
  @inline(__always)
  func set(_ bar: inout Bar, _ row: Int, _ hours: SeriesView<StoredCandle>) {
    guard isPacked, isNarrow else {
      return bar.set(hours.row(at: CandleSeries.Position(chunk: chunk, row: row)).candle)
    }
    let price = open[row]
    bar.open = Decimal18(units: price)
    bar.high = Decimal18(units: price &+ up[row])
    bar.low = Decimal18(units: price &- down[row])
    bar.close = Decimal18(units: price &+ close[row])
    let (all, buys) = (usd[row], buy[row])
    bar.volumeUSD = ExactSum(Decimal18(units: all))
    bar.volumeToken = ExactSum(Decimal18(units: token[row]))
    bar.buyVolumeUSD = ExactSum(Decimal18(units: buys))
    bar.sellVolumeUSD = ExactSum(Decimal18(units: all &- buys &- unsided[row]))
    bar.trades = Int(truncatingIfNeeded: trades[row])
    bar.tradesWithoutTokenAmount = Int(truncatingIfNeeded: without[row])
  }
}
