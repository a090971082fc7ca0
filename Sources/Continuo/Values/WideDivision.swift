// Long division of integers by words of 64 bits.
// Invariant: quotient × divisor + remainder is the dividend; remainder < divisor.
// Not here: rounding (WideArithmetic).
// Source: D. E. Knuth, The Art of Computer Programming 2, 4.3.1, algorithm D, for a divisor of two words.

internal import CDivision

/// Quotients and remainders of integers that are wider than a word.
enum WideDivision {
  /// Two words by one. O(1).
  ///
  /// - Precondition: `high` < `divisor`.
  @inline(__always)
  static func divide(_ high: UInt64, _ low: UInt64, by divisor: UInt64) -> (quotient: UInt64, remainder: UInt64) {
    precondition(high < divisor, "the quotient of two words by one fits one")
    let result = continuo_divide(high, low, divisor)
    return (result.quotient, result.remainder)
  }

  /// 256 bits by 128. O(1).
  ///
  /// - Precondition: `high` < `divisor`.
  @inline(__always)
  static func divide(_ high: UInt128, _ low: UInt128, by divisor: UInt128) -> (quotient: UInt128, remainder: UInt128) {
    precondition(high < divisor, "the quotient of 256 bits by 128 fits 128")
    // All but the lowest word of the dividend: where it is under the divisor, the quotient is one word.
    let leading = high << 64 | low >> 64
    let isOneWord = high >> 64 == 0 && leading < divisor
    if divisor >> 64 == 0 {
      let word = UInt64(truncatingIfNeeded: divisor)
      let last = UInt64(truncatingIfNeeded: low)
      guard !isOneWord else {
        let only = divide(UInt64(truncatingIfNeeded: leading), last, by: word)
        return (UInt128(only.quotient), UInt128(only.remainder))
      }
      let upper = divide(UInt64(truncatingIfNeeded: high), UInt64(truncatingIfNeeded: low >> 64), by: word)
      let lower = divide(upper.remainder, last, by: word)
      return (UInt128(upper.quotient) << 64 | UInt128(lower.quotient), UInt128(lower.remainder))
    }
    let shift = UInt128(divisor.leadingZeroBitCount)
    let scaled = divisor &<< shift
    let rest = low &<< shift
    let last = UInt64(truncatingIfNeeded: rest)
    guard !isOneWord else {
      let only = step(leading &<< shift | UInt128(UInt64(truncatingIfNeeded: low)) &>> (64 &- shift), last, scaled)
      return (UInt128(only.quotient), only.remainder &>> shift)
    }
    let top = high &<< shift | (low &>> 1) &>> (127 &- shift)
    let upper = step(top, UInt64(truncatingIfNeeded: rest >> 64), scaled)
    let lower = step(upper.remainder, last, scaled)
    return (UInt128(upper.quotient) << 64 | UInt128(lower.quotient), lower.remainder &>> shift)
  }

  /// One word of the quotient: `left` and one word more by a divisor whose top bit is set; `left` < `divisor`.
  @inline(__always)
  private static func step(_ left: UInt128, _ next: UInt64, _ divisor: UInt128) -> (
    quotient: UInt64, remainder: UInt128
  ) {
    let (leading, trailing) = (UInt64(truncatingIfNeeded: divisor >> 64), UInt64(truncatingIfNeeded: divisor))
    let (high, low) = (UInt64(truncatingIfNeeded: left >> 64), UInt64(truncatingIfNeeded: left))
    // A guess by the leading words is right or up to two too large.
    var quotient = UInt64.max
    var remainder = UInt128(low) &+ UInt128(leading)
    if high < leading {
      let guess = divide(high, low, by: leading)
      quotient = guess.quotient
      remainder = UInt128(guess.remainder)
    }
    while remainder >> 64 == 0,
      UInt128(quotient) &* UInt128(trailing) > remainder << 64 | UInt128(next)
    {
      quotient &-= 1
      remainder &+= UInt128(leading)
    }
    return (quotient, (left << 64 | UInt128(next)) &- UInt128(quotient) &* divisor)
  }
}
