// `numeric` as PostgreSQL sends it in binary: digits of base 10,000, and Decimal18 in both directions.
// Invariant: what is sent is the number to the last digit; what comes is it too, digits past the eighteenth rounded half-even, or
// it is refused with the reason that a row of text would be refused with.
// Not here: other types (PostgresValue).
// Source: the server's numeric_send and numeric_recv, src/backend/utils/adt/numeric.c.

package import Continuo

/// Why a number of a server is none of ours.
package enum NumericFault: Error, Equatable, Sendable {
  /// NaN, or an infinity.
  case notFinite
  /// It does not fit.
  case overflow
  /// These bytes are no `numeric`.
  case malformed

  /// What a row with it is rejected for.
  package var reason: RejectionReason {
    switch self {
    case .notFinite: .badNumber
    case .overflow: .overflow
    case .malformed: .malformed
    }
  }
}

package enum NumericBytes {
  private static let base: UInt128 = 10_000
  private static let negative: UInt16 = 0x4000
  /// NaN 0xC000, infinity 0xD000, minus infinity 0xF000.
  private static let special: UInt16 = 0xC000
  /// The group that 10^-18 lies within, two of its digits above and two below.
  private static let lastExponent = -5

  /// Appends a number as the server takes it, with as many digits behind the point as it needs. O(1).
  package static func append(_ value: Decimal18, to output: inout [UInt8]) {
    let (whole, fraction) = value.units.magnitude.quotientAndRemainder(dividingBy: 1_000_000_000_000_000_000)
    // Ascending: five groups of a fraction of twenty digits, then those of the whole, of which there are six at most.
    var groups = InlineArray<11, UInt16>(repeating: 0)
    var (rest, highest) = (UInt64(fraction), 5)
    groups[0] = UInt16(rest % 100 * 100)
    rest /= 100
    for index in 1..<5 {
      groups[index] = UInt16(rest % 10_000)
      rest /= 10_000
    }
    var wide = whole
    while wide > UInt128(UInt64.max) {
      groups[highest] = UInt16(wide % base)
      (wide, highest) = (wide / base, highest + 1)
    }
    rest = UInt64(wide)
    while rest > 0 {
      groups[highest] = UInt16(rest % 10_000)
      (rest, highest) = (rest / 10_000, highest + 1)
    }
    var lowest = 0
    while lowest < highest, groups[lowest] == 0 { lowest += 1 }
    while highest > lowest, groups[highest - 1] == 0 { highest -= 1 }
    let count = highest - lowest
    appendShort(UInt16(count), to: &output)
    appendShort(UInt16(bitPattern: Int16(count == 0 ? 0 : highest - 6)), to: &output)
    appendShort(value.units < 0 ? negative : 0, to: &output)
    appendShort(UInt16(fractionDigits(UInt64(fraction))), to: &output)
    for index in (lowest..<highest).reversed() { appendShort(groups[index], to: &output) }
  }

  /// Reads a number. O(bytes).
  package static func decimal(_ bytes: [UInt8]) throws(NumericFault) -> Decimal18 {
    let all = bytes.span
    if let number = short(all) { return number }
    guard bytes.count >= 8, bytes.count % 2 == 0 else { throw .malformed }
    let count = Int(short(bytes, 0))
    let sign = short(bytes, 4)
    guard sign & special != special else { throw .notFinite }
    guard sign == 0 || sign == negative, bytes.count == 8 + 2 * count else { throw .malformed }
    let units = try magnitude(bytes, count, weight: Int(Int16(bitPattern: short(bytes, 2))))
    let limit = UInt128(1) << 127
    if sign == negative {
      guard units <= limit else { throw .overflow }
      return Decimal18(units: units == limit ? .min : -Int128(units))
    }
    guard units < limit else { throw .overflow }
    return Decimal18(units: Int128(units))
  }

  /// Reads a number of up to sixteen digits on each side of the point, which nothing is wrong with; nil for every other one. O(1).
  package static func short(_ bytes: Span<UInt8>) -> Decimal18? {
    guard bytes.count >= 8, bytes[0] == 0, bytes[1] <= 8, bytes.count == 8 + 2 * Int(bytes[1]) else { return nil }
    let (count, weight) = (Int(bytes[1]), Int(Int16(bitPattern: UInt16(bytes[2]) << 8 | UInt16(bytes[3]))))
    let behind = count - 1 - weight
    guard count > 0, weight >= -4, weight <= 3, behind <= 4, bytes[5] == 0, bytes[4] == 0 || bytes[4] == 0x40 else {
      return nil
    }
    var units: UInt128 = 0
    for index in 0..<count {
      let digit = UInt16(bytes[8 + 2 * index]) << 8 | UInt16(bytes[9 + 2 * index])
      guard digit < 10_000 else { return nil }
      units = units * base + UInt128(digit)
    }
    // At most 10^16 in front of the point, so 10^34 of its eighteenths: far below what fits.
    for _ in 0..<(4 - behind) { units *= base }
    let value = Int128(units * 100)
    return Decimal18(units: bytes[4] == 0 ? value : -value)
  }

  /// The number as digits, whatever its size, or what it is in place of a number; nil where the bytes are none. O(bytes).
  package static func text(_ bytes: [UInt8]) -> [UInt8]? {
    guard bytes.count >= 8, bytes.count % 2 == 0 else { return nil }
    let (count, weight, sign) = (Int(short(bytes, 0)), Int(Int16(bitPattern: short(bytes, 2))), short(bytes, 4))
    switch sign {
    case special: return Array("NaN".utf8)
    case 0xD000: return Array("Infinity".utf8)
    case 0xF000: return Array("-Infinity".utf8)
    default: break
    }
    guard bytes.count == 8 + 2 * count else { return nil }
    /// The four digits of a group, by the power of 10,000 that it counts.
    func group(_ exponent: Int) -> [UInt8] {
      let index = weight - exponent
      var (digits, rest) = ([UInt8](), index >= 0 && index < count ? Int(short(bytes, 8 + 2 * index)) : 0)
      for _ in 0..<4 {
        digits.append(UInt8(ascii: "0") + UInt8(rest % 10))
        rest /= 10
      }
      return digits.reversed()
    }
    let whole = weight < 0 ? [] : (0...weight).flatMap { group(weight - $0) }.drop { $0 == UInt8(ascii: "0") }
    let last = weight - count + 1
    var fraction: [UInt8] = last < 0 ? (1...(-last)).flatMap { group(-$0) } : []
    while fraction.last == UInt8(ascii: "0") { fraction.removeLast() }
    return (sign == negative ? [UInt8(ascii: "-")] : []) + (whole.isEmpty ? [UInt8(ascii: "0")] : whole)
      + (fraction.isEmpty ? [] : [UInt8(ascii: ".")] + fraction)
  }

  /// The count of 10^-18, rounded half-even.
  private static func magnitude(_ bytes: [UInt8], _ count: Int, weight: Int) throws(NumericFault) -> UInt128 {
    var units: UInt128 = 0
    var next = 0
    /// Takes the digits down to a group.
    func group(_ exponent: Int) throws(NumericFault) -> UInt128 {
      guard next < count, weight - next == exponent else { return 0 }
      let digit = short(bytes, 8 + 2 * next)
      guard digit < base else { throw .malformed }
      next += 1
      return UInt128(digit)
    }
    // Above every group that could matter only zeros fit.
    while next < count, weight - next > 6 { if try group(weight - next) != 0 { throw .overflow } }
    for exponent in stride(from: 6, to: lastExponent, by: -1) {
      let digit = try group(exponent)
      (units) = try sum(units, times: base, plus: digit)
    }
    let last = try group(lastExponent)
    units = try sum(units, times: 100, plus: last / 100)
    var isMore = false
    while next < count {
      let digit = short(bytes, 8 + 2 * next)
      guard digit < base else { throw .malformed }
      isMore = isMore || digit != 0
      next += 1
    }
    let below = last % 100
    if below > 50 || below == 50 && (isMore || units % 2 == 1) { units = try sum(units, times: 1, plus: 1) }
    return units
  }

  private static func sum(_ value: UInt128, times: UInt128, plus: UInt128) throws(NumericFault) -> UInt128 {
    let (product, isOver) = value.multipliedReportingOverflow(by: times)
    let (sum, isOverToo) = product.addingReportingOverflow(plus)
    guard !isOver, !isOverToo else { throw .overflow }
    return sum
  }

  private static func fractionDigits(_ fraction: UInt64) -> Int {
    guard fraction != 0 else { return 0 }
    var (digits, rest) = (18, fraction)
    while rest % 10 == 0 { (digits, rest) = (digits - 1, rest / 10) }
    return digits
  }

  private static func appendShort(_ value: UInt16, to output: inout [UInt8]) {
    output.append(UInt8(value >> 8))
    output.append(UInt8(truncatingIfNeeded: value))
  }

  private static func short(_ bytes: [UInt8], _ offset: Int) -> UInt16 {
    UInt16(bytes[offset]) << 8 | UInt16(bytes[offset + 1])
  }
}
