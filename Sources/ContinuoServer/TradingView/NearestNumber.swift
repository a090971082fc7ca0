// Exact decimals as the JSON numbers that TradingView's clients want: the nearest doubles.
// Invariant: a number reads back as the double that is nearest to the decimal.
// Not here: which numbers (UDFRoutes); everywhere else decimals are strings, exact.

internal import Continuo

enum NearestNumber {
  /// O(digits).
  static func append(_ decimal: Decimal18, to bytes: inout [UInt8]) {
    append(text: decimal.description, to: &bytes)
  }

  /// A sum that does not fit a decimal is far beyond what a double tells apart.
  static func append(_ sum: ExactSum, to bytes: inout [UInt8]) {
    if let decimal = sum.decimal { return append(decimal, to: &bytes) }
    let units = Double(sum.high) * 0x1p128 + Double(sum.middle) * 0x1p64 + Double(sum.low)
    append(text: "\(units / 1e18)", to: &bytes)
  }

  /// The shortest text of the nearest double. Reading a decimal's text is exact to the last bit, which dividing is not.
  private static func append(text: String, to bytes: inout [UInt8]) {
    bytes.append(contentsOf: "\(Double(text) ?? 0)".utf8)
  }

  /// The power of ten by which a price shows five significant digits, from 10^2 to 10^18. O(1).
  static func scale(of price: Decimal18?) -> UInt64 {
    var (scale, places): (UInt64, Int) = (100, 2)
    let units = price?.units ?? 0
    // A price of 10^18 units is 1: it has five digits from 10^-4 on.
    var least: Int128 = 10_000 * 10_000_000_000_000_000
    while places < 18, units < least {
      least /= 10
      scale *= 10
      places += 1
    }
    return scale
  }
}
