// What some swaps of a chunk add up to, as offsets above their columns' bases.
// Invariant: four at a time or one by one, the same sums.
// Not here: what the sums mean (SwapColumns), how four are added up at a time (CSums).

internal import CSums

/// Offsets added up: sums, how many buys and sells, the least and the greatest price.
struct OffsetSums: BitwiseCopyable {
  var (usd, token, bought, sold): (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
  var (buys, sells): (Int64, Int64) = (0, 0)
  var (leastPrice, greatestPrice) = (UInt64.max, UInt64(0))
}

/// Columns of swaps that can be added up four at a time.
@safe struct SwapQuads: BitwiseCopyable {
  private let swaps: continuo_swaps

  /// From how many swaps on four at a time are faster than one by one.
  static var rowsMin: Int { 8 }

  /// Columns of one chunk; nil where offsets are too wide, or the processor cannot.
  init?(usd: NarrowColumn, token: NarrowColumn, prices: NarrowColumn, traders: NarrowColumn) {
    // SAFETY: the columns are read while their chunk is there, as all of it are.
    guard continuo_can_sum_swaps(), let usd = unsafe usd.quads, let token = unsafe token.quads,
      let prices = unsafe prices.quads, let sides = unsafe traders.quads
    else { return nil }
    let base = UInt64(bitPattern: traders.least)
    unsafe swaps = continuo_swaps(
      usd: usd, token: token, price: prices, trader: sides, buy: UInt64(Side.buy.rawValue) &- base,
      sell: UInt64(Side.sell.rawValue) &- base)
  }

  /// Adds up rows that were checked, `rowsMin` at least. O(rows).
  @inline(__always)
  func sums(checked rows: Range<Int>) -> OffsetSums {
    // SAFETY: the caller has checked the rows: offsets are there, and 16 bytes of padding behind the last.
    let sums = unsafe withUnsafePointer(to: swaps) { unsafe continuo_sum_swaps($0, rows.lowerBound, rows.upperBound) }
    return OffsetSums(
      usd: sums.usd, token: sums.token, bought: sums.usd_bought, sold: sums.usd_sold, buys: Int64(sums.buys),
      sells: Int64(sums.sells), leastPrice: sums.least_price, greatestPrice: sums.greatest_price)
  }
}
