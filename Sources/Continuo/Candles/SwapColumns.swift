// The columns of one chunk of swaps that bars are made of.
// Invariant: every figure is that of the rows' own values, to the bit.
// Not here: which rows make a bar (HourBars, ShortBars), how a column is read (NarrowColumn).

/// Reads a chunk of swaps for bars.
struct SwapColumns: ~Copyable {
  private var chunk = -1
  /// Every column is read as one word.
  private(set) var isNarrow = false
  /// Besides, sums of offsets fit one word, and each swap has a token amount.
  private(set) var isShort = false
  private var times = NarrowColumn.none
  private var traders = NarrowColumn.none
  private var usd = NarrowColumn.none
  private var token = NarrowColumn.none
  private var prices = NarrowColumn.none

  /// Goes to a chunk, if it is another one; of the tail nothing is read here. O(columns).
  @inline(__always)
  mutating func enter(_ chunk: Int, _ swaps: SeriesView<SwapRow>) {
    if chunk != self.chunk { change(chunk, swaps) }
  }

  private mutating func change(_ chunk: Int, _ swaps: SeriesView<SwapRow>) {
    self.chunk = chunk
    guard chunk < swaps.chunkCount else { return }
    let packed = swaps.chunk(chunk)
    times = packed.narrowColumn(SwapColumn.time)
    traders = packed.narrowColumn(SwapColumn.trader)
    usd = packed.narrowColumn(SwapColumn.amountUSD)
    token = packed.narrowColumn(SwapColumn.tokenAmount)
    prices = packed.narrowColumn(SwapColumn.price)
    isNarrow = times.isNarrow && traders.isNarrow && usd.isNarrow && token.isNarrow && prices.isNarrow
    isShort = isNarrow && usd.isShort && token.isShort && token.least > 0
  }

  /// Makes sure that rows can be read without looking each time, where the columns are narrow. O(1).
  @inline(__always)
  func check(_ rows: Range<Int>) {
    // All columns of a chunk have as many rows.
    times.check(rows)
  }

  /// When the swap of a checked row happened. O(1).
  @inline(__always)
  func time(checked row: Int) -> Timestamp {
    Timestamp(microseconds: Int64(truncatingIfNeeded: times.value(checked: row)))
  }

  /// The bar of the swap of a checked row. O(1).
  @inline(__always)
  func bar(checked row: Int, bucket: Timestamp, isClosed: Bool) -> Bar {
    let price = Decimal18(units: prices.value(checked: row))
    let (money, tokens) = (usd.value(checked: row), token.value(checked: row))
    let side = side(checked: row)
    return Bar(
      bucket: bucket, isClosed: isClosed, open: price, high: price, low: price, close: price,
      volumeUSD: ExactSum(Decimal18(units: money)), volumeToken: ExactSum(Decimal18(units: tokens)),
      buyVolumeUSD: ExactSum(Decimal18(units: money & Int128(Self.ones(side, .buy)))),
      sellVolumeUSD: ExactSum(Decimal18(units: money & Int128(Self.ones(side, .sell)))), trades: 1,
      tradesWithoutTokenAmount: tokens == 0 ? 1 : 0)
  }

  @inline(__always)
  private func side(checked row: Int) -> UInt64 {
    (traders.offset(checked: row) &+ UInt64(bitPattern: traders.least)) & 3
  }

  /// All ones or none, without branches: nobody can foretell the side.
  @inline(__always)
  private static func ones(_ side: UInt64, _ wanted: Side) -> Int64 {
    (Int64(bitPattern: side ^ UInt64(wanted.rawValue)) &- 1) >> 63
  }

  /// Takes into `bar` some swaps that come behind its others, at least one; the columns are short. O(rows).
  func fold(_ rows: Range<Int>, into bar: inout Bar) {
    var (usdSum, tokenSum, buySum, sellSum): (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    var (buys, sells): (Int64, Int64) = (0, 0)
    var (least, greatest) = (UInt64.max, UInt64(0))
    check(rows)
    for row in rows {
      let amount = usd.offset(checked: row)
      let side = side(checked: row)
      let (isBuy, isSell) = (Self.ones(side, .buy), Self.ones(side, .sell))
      usdSum &+= amount
      buySum &+= amount & UInt64(bitPattern: isBuy)
      sellSum &+= amount & UInt64(bitPattern: isSell)
      buys &-= isBuy
      sells &-= isSell
      tokenSum &+= token.offset(checked: row)
      let price = prices.offset(checked: row)
      least = min(least, price)
      greatest = max(greatest, price)
    }
    if bar.trades == 0 {
      bar.open = Decimal18(units: prices.value(checked: rows.lowerBound))
      (bar.high, bar.low) = (.min, .max)
      (bar.volumeUSD, bar.volumeToken, bar.buyVolumeUSD, bar.sellVolumeUSD) = (.zero, .zero, .zero, .zero)
      bar.tradesWithoutTokenAmount = 0
    }
    bar.close = Decimal18(units: prices.value(checked: rows.upperBound - 1))
    bar.high = max(bar.high, Decimal18(units: prices.value(greatest)))
    bar.low = min(bar.low, Decimal18(units: prices.value(least)))
    bar.volumeUSD += Decimal18(units: usd.sum(usdSum, rows: rows.count))
    bar.volumeToken += Decimal18(units: token.sum(tokenSum, rows: rows.count))
    bar.buyVolumeUSD += Decimal18(units: usd.sum(buySum, rows: Int(buys)))
    bar.sellVolumeUSD += Decimal18(units: usd.sum(sellSum, rows: Int(sells)))
    bar.trades += rows.count
  }
}
