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
  /// Short columns, where they can be added up four at a time.
  private var quads: SwapQuads?
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
    quads = isShort ? SwapQuads(usd: usd, token: token, prices: prices, traders: traders) : nil
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

  /// Adds up checked rows; the columns are short. O(rows).
  @inline(__always)
  private func sums(checked rows: Range<Int>) -> OffsetSums {
    if let quads, rows.count >= SwapQuads.rowsMin { return quads.sums(checked: rows) }
    var sums = OffsetSums()
    for row in rows {
      let amount = usd.offset(checked: row)
      let side = side(checked: row)
      let (isBuy, isSell) = (Self.ones(side, .buy), Self.ones(side, .sell))
      sums.usd &+= amount
      sums.bought &+= amount & UInt64(bitPattern: isBuy)
      sums.sold &+= amount & UInt64(bitPattern: isSell)
      sums.buys &-= isBuy
      sums.sells &-= isSell
      sums.token &+= token.offset(checked: row)
      let price = prices.offset(checked: row)
      sums.leastPrice = min(sums.leastPrice, price)
      sums.greatestPrice = max(sums.greatestPrice, price)
    }
    return sums
  }

  /// The bar of some checked rows, at least one; the columns are short. O(rows).
  @inline(__always)
  func bar(checked rows: Range<Int>, bucket: Timestamp, isClosed: Bool) -> Bar {
    let sums = sums(checked: rows)
    return Bar(
      bucket: bucket, isClosed: isClosed, open: Decimal18(units: prices.value(checked: rows.lowerBound)),
      high: Decimal18(units: prices.value(sums.greatestPrice)), low: Decimal18(units: prices.value(sums.leastPrice)),
      close: Decimal18(units: prices.value(checked: rows.upperBound - 1)),
      volumeUSD: ExactSum(Decimal18(units: usd.shortSum(sums.usd, rows: Int64(rows.count)))),
      volumeToken: ExactSum(Decimal18(units: token.shortSum(sums.token, rows: Int64(rows.count)))),
      buyVolumeUSD: ExactSum(Decimal18(units: usd.shortSum(sums.bought, rows: sums.buys))),
      sellVolumeUSD: ExactSum(Decimal18(units: usd.shortSum(sums.sold, rows: sums.sells))), trades: rows.count,
      tradesWithoutTokenAmount: 0)
  }

  /// Takes into `bar` some swaps that come behind its others, at least one; the columns are short. O(rows).
  func fold(_ rows: Range<Int>, into bar: inout Bar) {
    check(rows)
    let part = self.bar(checked: rows, bucket: bar.bucket, isClosed: bar.isClosed)
    if bar.trades == 0 { bar = part } else { bar.append(part) }
  }
}
