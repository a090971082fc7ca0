// An exact decimal: a signed 128-bit count of 10^-18. The one type for money, prices and token quantities.
// Invariant: every bit pattern is a value; equality and order are those of the count.
// Not here: reading and writing text (Decimal18+Text), products and quotients (WideArithmetic), sums of any
// size (ExactSum).
// Rules 2.1.

/// An exact decimal number with eighteen fractional digits: a signed 128-bit count of 10^-18.
///
///     let price = Decimal18("181.52")!            // nil where the text is no number, or does not fit
///     price.description                           // "181.52"
///
/// The range is about ±1.7·10^20 whole units. Nothing here goes through a floating-point number.
public struct Decimal18: Hashable, Comparable, Sendable, BitwiseCopyable {
  /// The count of 10^-18.
  public var units: Int128

  /// Makes the number `units` × 10^-18. O(1).
  public init(units: Int128) { self.units = units }

  /// Makes a whole number. O(1).
  public init(whole: Int64) { units = Int128(whole) * Self.unitsPerWhole }

  /// 10^18: how many units one whole is.
  public static let unitsPerWhole: Int128 = 1_000_000_000_000_000_000
  /// Zero.
  public static let zero = Decimal18(units: 0)
  /// One whole.
  public static let one = Decimal18(units: unitsPerWhole)
  /// The greatest number: (2^127 − 1) × 10^-18.
  public static let max = Decimal18(units: .max)
  /// The least number: −2^127 × 10^-18.
  public static let min = Decimal18(units: .min)

  /// Whether the number is over zero.
  public var isPositive: Bool { units > 0 }

  public static func < (left: Decimal18, right: Decimal18) -> Bool { left.units < right.units }
}
