// What the swaps of a window add up to: rows column by column, whole chunks by their summaries, whole hours by their candles.
// Invariant: the same sums, to the bit, whichever of the three a swap came by; each swap comes by one.
// Not here: which swaps a window has (TokenReference+Window, RollingWindow), how a column is read (ColumnReader).

/// Sums and extremes of swaps, in any order.
struct WindowSums: BitwiseCopyable {
  var volumeUSD = ExactSum.zero
  var volumeToken = ExactSum.zero
  var buyVolumeUSD = ExactSum.zero
  var sellVolumeUSD = ExactSum.zero
  var trades = 0
  /// Of no meaning without trades.
  var high = Int128.min
  var low = Int128.max

  /// Takes in what other swaps add up to. O(1).
  @inline(__always)
  mutating func add(_ candle: Candle) {
    volumeUSD += candle.volumeUSD
    volumeToken += candle.volumeToken
    buyVolumeUSD += candle.buyVolumeUSD
    sellVolumeUSD += candle.sellVolumeUSD
    trades += candle.trades
    high = max(high, candle.high.units)
    low = min(low, candle.low.units)
  }

  /// Takes in a swap. O(1).
  @inline(__always)
  mutating func add(_ row: SwapRow) {
    volumeUSD += row.amountUSD
    volumeToken += row.tokenAmount
    buyVolumeUSD += row.amount(of: .buy)
    sellVolumeUSD += row.amount(of: .sell)
    trades += 1
    high = max(high, row.price.units)
    low = min(low, row.price.units)
  }

  /// Asks for the memory that taking in some swaps of a chunk is going to read. O(rows).
  @inline(__always)
  static func prefetch(_ chunk: PackedChunk<SwapRow>, _ rows: Range<Int>) {
    for column in SwapColumn.trader...SwapColumn.price {
      let reader = chunk.column(column)
      if rows.count * 2 > chunk.count {
        if rows.lowerBound > 0 { reader.prefetch(0..<rows.lowerBound) }
        if rows.upperBound < chunk.count { reader.prefetch(rows.upperBound..<chunk.count) }
      } else if !rows.isEmpty {
        reader.prefetch(rows)
      }
    }
  }

  /// Takes in some swaps of a chunk. O(rows, or the other rows of the chunk where they are fewer).
  mutating func add(_ chunk: PackedChunk<SwapRow>, _ rows: Range<Int>) {
    guard !rows.isEmpty else { return }
    guard rows.count * 2 > chunk.count else {
      addEach(chunk, rows)
      return
    }
    let summary = chunk.summary
    var others = WindowSums()
    if rows.lowerBound > 0 { others.addEach(chunk, 0..<rows.lowerBound) }
    if rows.upperBound < chunk.count { others.addEach(chunk, rows.upperBound..<chunk.count) }
    let (greatest, least) = (high, low)
    add(summary)
    guard others.trades > 0 else { return }
    volumeUSD -= others.volumeUSD
    volumeToken -= others.volumeToken
    buyVolumeUSD -= others.buyVolumeUSD
    sellVolumeUSD -= others.sellVolumeUSD
    trades -= others.trades
    // One of the others may have made the chunk's highest or lowest price.
    guard others.high == summary.high.units || others.low == summary.low.units else { return }
    (high, low) = (greatest, least)
    addExtremes(chunk, rows)
  }

  /// Takes in some swaps of a chunk, each by itself. O(rows).
  mutating func addEach(_ chunk: PackedChunk<SwapRow>, _ rows: Range<Int>) {
    addExtremes(chunk, rows)
    let sums = chunk.column(SwapColumn.amountUSD).sums(rows, by: chunk.column(SwapColumn.trader))
    volumeUSD += sums.all
    buyVolumeUSD += sums.buys
    sellVolumeUSD += sums.sells
    volumeToken += chunk.column(SwapColumn.tokenAmount).sum(rows)
    trades += rows.count
  }

  @inline(__always)
  private mutating func addExtremes(_ chunk: PackedChunk<SwapRow>, _ rows: Range<Int>) {
    let prices = chunk.column(SwapColumn.price).extremes(rows)
    high = max(high, prices.high)
    low = min(low, prices.low)
  }

  /// Takes in some candles of a chunk. O(rows).
  mutating func add(_ chunk: PackedChunk<StoredCandle>, _ rows: Range<Int>) {
    let money = chunk.column(CandleColumn.volumeUSD)
    let tokens = chunk.column(CandleColumn.volumeToken)
    let bought = chunk.column(CandleColumn.buyVolumeUSD)
    let unsided = chunk.column(CandleColumn.unsidedVolumeUSD)
    guard chunk.column(CandleColumn.highWords).isZero, chunk.column(CandleColumn.sidedHighWords).isZero,
      money.isPlain, tokens.isPlain, bought.isPlain, unsided.isPlain
    else {
      for row in rows { add(chunk.row(at: row).candle) }
      return
    }
    let (all, buys) = (money.sum(rows), bought.sum(rows))
    volumeUSD += all
    volumeToken += tokens.sum(rows)
    buyVolumeUSD += buys
    sellVolumeUSD += all
    sellVolumeUSD -= buys
    sellVolumeUSD -= unsided.sum(rows)
    trades += Int(truncatingIfNeeded: chunk.column(CandleColumn.trades).sum(rows).low)
    let open = chunk.column(CandleColumn.open)
    let (up, down) = (chunk.column(CandleColumn.highOverOpen), chunk.column(CandleColumn.lowUnderOpen))
    for row in rows {
      let price = open.value(row)
      high = max(high, price &+ up.value(row))
      low = min(low, price &- down.value(row))
    }
  }
}
