// a × b ÷ c, exact in between and rounded once at the end: the only rounding that answers know.
// Invariant: the product is held whole (320 bits); half-even at the 18th digit; nil where the result does not fit.
// Not here: sums (ExactSum). Source of the rounding: IEEE 754 roundTiesToEven, on integers.
// Rules 2.4.

/// Products and quotients of exact numbers, rounded half-even at the 18th fractional digit, once, at the end.
public enum WideArithmetic {
  /// `numerator` ÷ `denominator`: a derived price, a vwap. nil where it does not fit. O(1).
  ///
  /// - Precondition: `denominator` is over zero.
  public static func quotient(_ numerator: ExactSum, over denominator: ExactSum) -> Decimal18? {
    scaled(numerator, by: UInt128(Decimal18.unitsPerWhole), over: denominator)
  }

  /// `part` × 100 ÷ `whole`: a change or a share in percent. nil where it does not fit. O(1).
  ///
  /// - Precondition: `whole` is over zero.
  public static func percent(_ part: ExactSum, of whole: ExactSum) -> Decimal18? {
    scaled(part, by: 100 * UInt128(Decimal18.unitsPerWhole), over: whole)
  }

  /// `left` × `right`: a market cap. nil where it does not fit. O(1).
  public static func product(_ left: ExactSum, _ right: Decimal18) -> Decimal18? {
    let whole = ExactSum(.one)
    return scaled(right.units < 0 ? -left : left, by: right.units.magnitude, over: whole)
  }

  /// `value` × `factor` ÷ `divisor`, where `value` and `divisor` are counts of 10^-18 and `factor` is a plain number.
  static func scaled(_ value: ExactSum, by factor: UInt128, over divisor: ExactSum) -> Decimal18? {
    precondition(divisor.isPositive, "a divisor is over zero")
    guard let magnitude = roundedHalfEven(value.magnitude, factor, divisor) else { return nil }
    if value.isNegative {
      guard magnitude <= Int128.min.magnitude else { return nil }
      return Decimal18(units: magnitude == Int128.min.magnitude ? .min : -Int128(magnitude))
    }
    guard magnitude <= Int128.max.magnitude else { return nil }
    return Decimal18(units: Int128(magnitude))
  }

  private static func roundedHalfEven(_ value: ExactSum, _ factor: UInt128, _ divisor: ExactSum) -> UInt128? {
    // Sums that fit 128 bits, which all but a few do.
    guard value.high == 0, divisor.high == 0 else { return longDivision(value, factor, divisor) }
    let narrowDivisor = UInt128(divisor.middle) << 64 | UInt128(divisor.low)
    let product = product(UInt128(value.middle) << 64 | UInt128(value.low), factor)
    guard product.high < narrowDivisor else { return nil }
    let (quotient, remainder) = WideDivision.divide(product.high, product.low, by: narrowDivisor)
    let rest = narrowDivisor - remainder
    guard remainder > rest || remainder == rest && quotient & 1 == 1 else { return quotient }
    let (next, overflow) = quotient.addingReportingOverflow(1)
    return overflow ? nil : next
  }

  /// All 256 bits of a product.
  @inline(__always)
  private static func product(_ left: UInt128, _ right: UInt128) -> (high: UInt128, low: UInt128) {
    guard right >> 64 == 0 else { return left.multipliedFullWidth(by: right) }
    let lower = UInt128(UInt64(truncatingIfNeeded: left)) &* right
    let upper = (left >> 64) &* right &+ lower >> 64
    return (upper >> 64, upper << 64 | UInt128(UInt64(truncatingIfNeeded: lower)))
  }

  /// Bit by bit, for sums past 128 bits: some 320 steps, rare enough not to matter.
  private static func longDivision(_ value: ExactSum, _ factor: UInt128, _ divisor: ExactSum) -> UInt128? {
    let numerator = limbs(value, times: factor)
    var remainder = ExactSum.zero
    var quotient: UInt128 = 0
    for bit in stride(from: 319, through: 0, by: -1) {
      guard quotient >> 127 == 0 else { return nil }
      // The divisor is under 2^191 and the remainder under it, so doubling stays within 192 bits unsigned.
      remainder = doubled(remainder, adding: numerator[bit >> 6] >> UInt64(bit & 63) & 1)
      quotient <<= 1
      if !unsignedLess(remainder, divisor) {
        remainder -= divisor
        quotient |= 1
      }
    }
    var rest = divisor
    rest -= remainder
    guard remainder > rest || remainder == rest && quotient & 1 == 1 else { return quotient }
    let (next, overflow) = quotient.addingReportingOverflow(1)
    return overflow ? nil : next
  }

  private static func limbs(_ value: ExactSum, times factor: UInt128) -> [5 of UInt64] {
    let words: [3 of UInt64] = [value.low, value.middle, UInt64(bitPattern: value.high)]
    let factors: [2 of UInt64] = [UInt64(truncatingIfNeeded: factor), UInt64(truncatingIfNeeded: factor >> 64)]
    var product: [5 of UInt64] = .init(repeating: 0)
    for left in 0..<3 {
      var carry: UInt64 = 0
      for right in 0..<2 {
        let wide = UInt128(words[left]) * UInt128(factors[right]) + UInt128(product[left + right]) + UInt128(carry)
        product[left + right] = UInt64(truncatingIfNeeded: wide)
        carry = UInt64(truncatingIfNeeded: wide >> 64)
      }
      product[left + 2] = carry
    }
    return product
  }

  private static func doubled(_ value: ExactSum, adding bit: UInt64) -> ExactSum {
    ExactSum(
      low: value.low << 1 | bit, middle: value.middle << 1 | value.low >> 63,
      high: value.high << 1 | Int64(bitPattern: value.middle >> 63))
  }

  private static func unsignedLess(_ left: ExactSum, _ right: ExactSum) -> Bool {
    if left.high != right.high { return UInt64(bitPattern: left.high) < UInt64(bitPattern: right.high) }
    if left.middle != right.middle { return left.middle < right.middle }
    return left.low < right.low
  }
}
