// An integer of any size, for the model: schoolbook arithmetic that shares nothing with the engine's.
// Invariant: `limbs` are the magnitude in base 2^32, least first, without leading zeros; zero is not negative.
// Not here: rounding, text of decimals (ModelNumber).

/// A signed integer of any size. Every operation is O(limbs) or, for products and quotients, O(limbs²).
package struct BigInteger: Hashable, Sendable {
  private var limbs: [UInt32]
  package private(set) var isNegative: Bool

  package static let zero = BigInteger(magnitude: [], isNegative: false)

  private init(magnitude: [UInt32], isNegative: Bool) {
    var limbs = magnitude
    while limbs.last == 0 { limbs.removeLast() }
    self.limbs = limbs
    self.isNegative = isNegative && !limbs.isEmpty
  }

  package init(_ value: Int128) {
    var rest = value.magnitude
    var limbs: [UInt32] = []
    while rest != 0 {
      limbs.append(UInt32(truncatingIfNeeded: rest))
      rest >>= 32
    }
    self.init(magnitude: limbs, isNegative: value < 0)
  }

  /// high × 2^128 + low, low unsigned.
  package init(high: Int64, low: UInt128) {
    let twoTo64 = BigInteger(Int128(1) << 64)
    self = (BigInteger(Int128(high)) * twoTo64 + BigInteger(Int128(low >> 64))) * twoTo64
    self = self + BigInteger(Int128(low & UInt128(UInt64.max)))
  }

  package var isZero: Bool { limbs.isEmpty }
  package var isPositive: Bool { !isNegative && !limbs.isEmpty }
  package var magnitude: BigInteger { BigInteger(magnitude: limbs, isNegative: false) }

  /// The value as 128 bits, or nil where it does not fit.
  package var int128: Int128? {
    guard limbs.count <= 4 else { return nil }
    var magnitude: UInt128 = 0
    for limb in limbs.reversed() { magnitude = magnitude << 32 | UInt128(limb) }
    if isNegative {
      if magnitude == UInt128(1) << 127 { return .min }
      return Int128(exactly: magnitude).map { -$0 }
    }
    return Int128(exactly: magnitude)
  }
}

extension BigInteger: Comparable {
  package static func < (left: BigInteger, right: BigInteger) -> Bool {
    if left.isNegative != right.isNegative { return left.isNegative }
    let order = compare(left.limbs, right.limbs)
    return left.isNegative ? order > 0 : order < 0
  }

  /// −1, 0 or 1 as the first magnitude is less than, equal to or greater than the second.
  private static func compare(_ left: [UInt32], _ right: [UInt32]) -> Int {
    if left.count != right.count { return left.count < right.count ? -1 : 1 }
    for index in left.indices.reversed() where left[index] != right[index] {
      return left[index] < right[index] ? -1 : 1
    }
    return 0
  }
}

extension BigInteger {
  package static prefix func - (value: BigInteger) -> BigInteger {
    BigInteger(magnitude: value.limbs, isNegative: !value.isNegative)
  }

  package static func + (left: BigInteger, right: BigInteger) -> BigInteger {
    if left.isNegative == right.isNegative {
      return BigInteger(magnitude: sum(left.limbs, right.limbs), isNegative: left.isNegative)
    }
    if compare(left.limbs, right.limbs) >= 0 {
      return BigInteger(magnitude: difference(left.limbs, right.limbs), isNegative: left.isNegative)
    }
    return BigInteger(magnitude: difference(right.limbs, left.limbs), isNegative: right.isNegative)
  }

  package static func - (left: BigInteger, right: BigInteger) -> BigInteger { left + -right }

  package static func += (left: inout BigInteger, right: BigInteger) { left = left + right }

  package static func -= (left: inout BigInteger, right: BigInteger) { left = left - right }

  package static func * (left: BigInteger, right: BigInteger) -> BigInteger {
    var product = [UInt32](repeating: 0, count: left.limbs.count + right.limbs.count)
    for (shift, limb) in left.limbs.enumerated() {
      var carry: UInt64 = 0
      for (index, other) in right.limbs.enumerated() {
        let wide = UInt64(limb) * UInt64(other) + UInt64(product[shift + index]) + carry
        product[shift + index] = UInt32(truncatingIfNeeded: wide)
        carry = wide >> 32
      }
      product[shift + right.limbs.count] = UInt32(carry)
    }
    return BigInteger(magnitude: product, isNegative: left.isNegative != right.isNegative)
  }

  private static func sum(_ left: [UInt32], _ right: [UInt32]) -> [UInt32] {
    var sum: [UInt32] = []
    var carry: UInt64 = 0
    for index in 0..<max(left.count, right.count) {
      let wide =
        (index < left.count ? UInt64(left[index]) : 0) + (index < right.count ? UInt64(right[index]) : 0) + carry
      sum.append(UInt32(truncatingIfNeeded: wide))
      carry = wide >> 32
    }
    sum.append(UInt32(carry))
    return sum
  }

  /// The difference of two magnitudes, the first of which is not the smaller one.
  private static func difference(_ left: [UInt32], _ right: [UInt32]) -> [UInt32] {
    var difference: [UInt32] = []
    var borrow: Int64 = 0
    for index in left.indices {
      let wide = Int64(left[index]) - (index < right.count ? Int64(right[index]) : 0) - borrow
      difference.append(UInt32(truncatingIfNeeded: wide))
      borrow = wide < 0 ? 1 : 0
    }
    return difference
  }
}

extension BigInteger {
  /// Quotient towards zero and remainder of two numbers that are not negative; the divisor is over zero.
  package func dividedTowardsZero(by divisor: BigInteger) -> (quotient: BigInteger, remainder: BigInteger) {
    precondition(!isNegative && divisor.isPositive, "the model divides magnitudes only")
    var quotient = [UInt32](repeating: 0, count: limbs.count)
    var remainder = BigInteger.zero
    for index in limbs.indices.reversed() {
      remainder = BigInteger(magnitude: [limbs[index]] + remainder.limbs, isNegative: false)
      let digit = remainder.digit(over: divisor)
      quotient[index] = digit
      remainder -= divisor * BigInteger(Int128(digit))
    }
    precondition(!remainder.isNegative && remainder < divisor, "a digit of the quotient was guessed wrong")
    return (BigInteger(magnitude: quotient, isNegative: false), remainder)
  }

  /// The greatest digit d with d × divisor ≤ self, given self < 2^32 × divisor.
  private func digit(over divisor: BigInteger) -> UInt32 {
    guard !(self < divisor) else { return 0 }
    // A guess from the leading 96 and 64 bits that is never too small, taken down until it fits.
    let shift = max(0, divisor.limbs.count - 2)
    var head: UInt128 = 0
    for index in limbs.indices.reversed() where index >= shift { head = head << 32 | UInt128(limbs[index]) }
    var divisorHead: UInt128 = 0
    for index in divisor.limbs.indices.reversed() where index >= shift {
      divisorHead = divisorHead << 32 | UInt128(divisor.limbs[index])
    }
    var guess = UInt32(min(head / divisorHead, UInt128(UInt32.max)))
    while self < divisor * BigInteger(Int128(guess)) { guess -= 1 }
    return guess
  }
}

extension BigInteger: CustomStringConvertible {
  package var description: String {
    guard !isZero else { return "0" }
    var parts: [String] = []
    var rest = limbs
    while !rest.isEmpty {
      var remainder: UInt64 = 0
      for index in rest.indices.reversed() {
        let wide = remainder << 32 | UInt64(rest[index])
        rest[index] = UInt32(wide / 1_000_000_000)
        remainder = wide % 1_000_000_000
      }
      while rest.last == 0 { rest.removeLast() }
      let digits = String(remainder)
      parts.append(rest.isEmpty ? digits : String(repeating: "0", count: 9 - digits.count) + digits)
    }
    return (isNegative ? "-" : "") + parts.reversed().joined()
  }
}
