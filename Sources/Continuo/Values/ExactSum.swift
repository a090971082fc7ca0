// A signed 192-bit count of 10^-18: what sums are kept in, so that no event is ever rejected for a sum.
// Invariant: two's complement over three limbs; 2^63 additions of any Decimal18 cannot overflow it.
// Not here: products and quotients (WideArithmetic).
// Rules 2.5.

/// A sum of ``Decimal18`` values, exact at any size: a signed 192-bit count of 10^-18.
///
/// It never overflows for as many additions as 64 bits can count. What is *answered* is ``decimal``: nil
/// where the sum does not fit.
public struct ExactSum: Hashable, Sendable, BitwiseCopyable {
  package var low: UInt64
  package var middle: UInt64
  package var high: Int64

  /// Zero.
  public static let zero = ExactSum(low: 0, middle: 0, high: 0)

  package init(low: UInt64, middle: UInt64, high: Int64) {
    self.low = low
    self.middle = middle
    self.high = high
  }

  /// The sum of one number. O(1).
  @inline(__always)
  public init(_ value: Decimal18) {
    low = UInt64(truncatingIfNeeded: value.units)
    middle = UInt64(truncatingIfNeeded: value.units >> 64)
    high = Int64(truncatingIfNeeded: value.units >> 127)
  }

  /// The sum as a decimal, nil where it does not fit. O(1).
  public var decimal: Decimal18? {
    let narrow = Int128(truncatingIfNeeded: UInt128(middle) << 64 | UInt128(low))
    guard high == (narrow < 0 ? -1 : 0) else { return nil }
    return Decimal18(units: narrow)
  }

  /// Whether the sum is under zero.
  public var isNegative: Bool { high < 0 }
  /// Whether the sum is zero.
  public var isZero: Bool { low == 0 && middle == 0 && high == 0 }
  /// Whether the sum is over zero.
  public var isPositive: Bool { high >= 0 && !isZero }

  /// Adds a sum. O(1).
  @inline(__always)
  public static func += (left: inout ExactSum, right: ExactSum) {
    let (low, carry) = left.low.addingReportingOverflow(right.low)
    let (partial, carryA) = left.middle.addingReportingOverflow(right.middle)
    let (middle, carryB) = partial.addingReportingOverflow(carry ? 1 : 0)
    left.low = low
    left.middle = middle
    left.high = left.high &+ right.high &+ (carryA || carryB ? 1 : 0)
  }

  /// Takes a sum away. O(1).
  public static func -= (left: inout ExactSum, right: ExactSum) { left += -right }

  /// Adds a number. O(1).
  @inline(__always)
  public static func += (left: inout ExactSum, right: Decimal18) { left += ExactSum(right) }

  /// Takes a number away. O(1).
  public static func -= (left: inout ExactSum, right: Decimal18) { left += -ExactSum(right) }

  /// The sum with its sign changed. O(1).
  public static prefix func - (value: ExactSum) -> ExactSum {
    let (low, carry) = (~value.low).addingReportingOverflow(1)
    let (middle, carried) = (~value.middle).addingReportingOverflow(carry ? 1 : 0)
    return ExactSum(low: low, middle: middle, high: ~value.high &+ (carried ? 1 : 0))
  }

  /// The sum without its sign. O(1).
  public var magnitude: ExactSum { isNegative ? -self : self }
}

extension ExactSum: Comparable {
  public static func < (left: ExactSum, right: ExactSum) -> Bool {
    if left.high != right.high { return left.high < right.high }
    if left.middle != right.middle { return left.middle < right.middle }
    return left.low < right.low
  }
}
