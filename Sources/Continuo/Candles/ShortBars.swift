// Bars of minutes: folded from swaps when they are asked for, column by column where they are packed.
// Invariant: every bucket with a swap comes once, ascending, as BucketCursor has it.
// Not here: hours (HourBars), candles that can be merged (BucketCursor).

extension TokenView {
  /// Lends the bars of the buckets with `from` ≤ start < `end`; `from` is the start of one. O(log n + swaps).
  func forEachShortBar<Failure: Error>(
    _ interval: Interval, from: Timestamp, before end: Timestamp, _ clock: Timestamp,
    _ body: (Bar) throws(Failure) -> Void
  ) throws(Failure) {
    var position = swaps.lowerBound(from)
    var bar = Bar(bucket: from)
    var columns = SwapColumns.none
    while position < swaps.end {
      let first = swaps.time(at: position)
      if first.microseconds &- bar.bucket.microseconds >= interval.microseconds || first < bar.bucket {
        bar.bucket = interval.start(of: first)
      }
      guard bar.bucket < end else { return }
      let next = interval.next(bar.bucket)
      bar.trades = 0
      repeat {
        if position.chunk < swaps.chunkCount {
          columns.enter(position.chunk, swaps)
          let behind = columns.fold(&bar, position.row, before: next, swaps)
          guard behind > position.row else { break }
          position.row = behind
          if position.row == swaps.rows(in: position.chunk) {
            position = SwapSeries.Position(chunk: position.chunk + 1, row: 0)
          }
        } else {
          let row = swaps.tailRow(position.row)
          guard row.key.timestamp < next else { break }
          bar.append(row)
          position.row += 1
        }
      } while position < swaps.end && (position.row == 0 || position.chunk == swaps.chunkCount)
      bar.isClosed = next <= clock
      try body(bar)
      bar.bucket = next
    }
  }
}

/// The columns of one chunk of swaps, for bars.
private struct SwapColumns {
  private var chunk = -1
  /// Every column is read as one word, sums of offsets fit one too, and each swap has a token amount.
  private var isNarrow = false
  private var times = NarrowColumn.none
  private var traders = NarrowColumn.none
  private var usd = NarrowColumn.none
  private var token = NarrowColumn.none
  private var prices = NarrowColumn.none

  static var none: SwapColumns { SwapColumns() }

  /// Goes to a chunk, if it is another one. O(columns).
  @inline(__always)
  mutating func enter(_ chunk: Int, _ swaps: SeriesView<SwapRow>) {
    if chunk != self.chunk { change(chunk, swaps) }
  }

  private mutating func change(_ chunk: Int, _ swaps: SeriesView<SwapRow>) {
    self.chunk = chunk
    let packed = swaps.chunk(chunk)
    times = packed.narrowColumn(SwapColumn.time)
    traders = packed.narrowColumn(SwapColumn.trader)
    usd = packed.narrowColumn(SwapColumn.amountUSD)
    token = packed.narrowColumn(SwapColumn.tokenAmount)
    prices = packed.narrowColumn(SwapColumn.price)
    isNarrow =
      times.isNarrow && traders.isNarrow && usd.isNarrow && token.isNarrow && prices.isNarrow && usd.isShort
      && token.isShort && token.least > 0
  }

  /// Takes into `bar` the swaps from `row` on that come before `end`. O(swaps).
  ///
  /// - Returns: the first row that was not taken.
  @inline(__always)
  func fold(_ bar: inout Bar, _ row: Int, before end: Timestamp, _ swaps: SeriesView<SwapRow>) -> Int {
    isNarrow ? foldWords(&bar, row, before: end, swaps) : foldRows(&bar, row, before: end, swaps)
  }

  private func foldRows(_ bar: inout Bar, _ first: Int, before end: Timestamp, _ swaps: SeriesView<SwapRow>) -> Int {
    let packed = swaps.chunk(chunk)
    var row = first
    while row < packed.count {
      let swap = packed.row(at: row)
      guard swap.key.timestamp < end else { break }
      bar.append(swap)
      row += 1
    }
    return row
  }

  private func foldWords(_ bar: inout Bar, _ first: Int, before end: Timestamp, _ swaps: SeriesView<SwapRow>) -> Int {
    let count = swaps.rows(in: chunk)
    let endOffset = times.offset(notUnder: end.microseconds)
    let sideBase = UInt64(bitPattern: traders.least)
    var (usdSum, tokenSum, buySum, sellSum): (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    var (buys, sells) = (0, 0)
    var (least, greatest) = (UInt64.max, UInt64(0))
    times.check(first..<count)
    traders.check(first..<count)
    usd.check(first..<count)
    token.check(first..<count)
    prices.check(first..<count)
    var row = first
    while row < count, times.offset(checked: row) < endOffset {
      let amount = usd.offset(checked: row)
      usdSum &+= amount
      tokenSum &+= token.offset(checked: row)
      let price = prices.offset(checked: row)
      least = min(least, price)
      greatest = max(greatest, price)
      // All ones or none, without branches: nobody can foretell the side.
      let side = (traders.offset(checked: row) &+ sideBase) & 3
      let isBuy = Int(truncatingIfNeeded: (side ^ UInt64(Side.buy.rawValue)) &- 1) >> 63
      let isSell = Int(truncatingIfNeeded: (side ^ UInt64(Side.sell.rawValue)) &- 1) >> 63
      buySum &+= amount & UInt64(bitPattern: Int64(isBuy))
      sellSum &+= amount & UInt64(bitPattern: Int64(isSell))
      buys &-= isBuy
      sells &-= isSell
      row += 1
    }
    guard row > first else { return row }
    if bar.trades == 0 {
      bar.open = Decimal18(units: prices[first])
      (bar.high, bar.low) = (.min, .max)
      (bar.volumeUSD, bar.volumeToken, bar.buyVolumeUSD, bar.sellVolumeUSD) = (.zero, .zero, .zero, .zero)
      bar.tradesWithoutTokenAmount = 0
    }
    bar.close = Decimal18(units: prices[row - 1])
    bar.high = max(bar.high, Decimal18(units: prices.value(greatest)))
    bar.low = min(bar.low, Decimal18(units: prices.value(least)))
    bar.volumeUSD += Decimal18(units: usd.sum(usdSum, rows: row - first))
    bar.volumeToken += Decimal18(units: token.sum(tokenSum, rows: row - first))
    bar.buyVolumeUSD += Decimal18(units: usd.sum(buySum, rows: buys))
    bar.sellVolumeUSD += Decimal18(units: usd.sum(sellSum, rows: sells))
    bar.trades += row - first
    return row
  }
}
