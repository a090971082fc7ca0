// Bars of hours: stored candles column by column, swaps that stood alone in their hour, the newest hour.
// Invariant: every hour with a swap comes once, ascending, as HourCursor has it.
// Not here: candles that can be merged (HourCursor), which hours are stored (TokenState).

extension TokenView {
  /// Lends the bars of the hours with `from` ≤ start < `end`; `from` is the start of an hour. O(log n + hours), behind gaps
  /// O(log n) each.
  func forEachHour<Failure: Error>(
    from: Timestamp, before end: Timestamp, _ clock: Timestamp, _ body: (Bar) throws(Failure) -> Void
  ) throws(Failure) {
    var cursor = HourCursor(self, from: from)
    var columns = CandleColumns.none
    while true {
      columns.enter(cursor.stored.chunk, hours)
      let held = cursor.stored < hours.end ? columns.start(cursor.stored.row, hours) : nil
      guard let (start, source) = cursor.next(self, held: held), start < end else { return }
      let isClosed = Interval.oneHour.next(start) <= clock
      // Each bar is made where the body takes it: a copy would cost as much as it.
      switch source {
      case .stored: try body(columns.bar(cursor.stored.row, start, isClosed: isClosed, hours))
      case .alone(let place): try body(Bar(swaps.row(at: place), bucket: start, isClosed: isClosed))
      case .newest: try body(Bar(newestHour.candle, bucket: start, isClosed: isClosed))
      }
      cursor.pass(self, start, source)
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
      && buy.isNarrow && unsided.isNarrow && starts.isNarrow && trades.isNarrow && without.isNarrow
  }

  /// The start of a candle's hour. O(1).
  @inline(__always)
  func start(_ row: Int, _ hours: SeriesView<StoredCandle>) -> Timestamp {
    isPacked ? Timestamp(microseconds: Int64(truncatingIfNeeded: starts[row])) : hours.tailRow(row).key
  }

  /// The bar of a candle. O(1).
  @inline(__always)
  func bar(_ row: Int, _ bucket: Timestamp, isClosed: Bool, _ hours: SeriesView<StoredCandle>) -> Bar {
    guard isPacked, isNarrow else {
      let candle = hours.row(at: CandleSeries.Position(chunk: chunk, row: row)).candle
      return Bar(candle, bucket: bucket, isClosed: isClosed)
    }
    // All columns of a chunk have as many rows.
    starts.check(row..<row + 1)
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
