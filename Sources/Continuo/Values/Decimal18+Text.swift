// Decimal18 from text and to text.
// Invariant: reading costs O(length) whatever the exponent; writing is canonical, so equal numbers have equal text.
// Not here: which field holds a number (Judgement).
// Rules 2.2, 2.3.

/// Why a text is no ``Decimal18``.
public enum NumberFault: Error, Equatable, Sendable {
  /// The text is outside the grammar `[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?`.
  case notANumber
  /// The text is a number, but beyond the range of ``Decimal18`` after rounding.
  case outOfRange
}

extension Decimal18 {
  /// Reads a decimal number; digits past the 18th fractional one are rounded half-even. O(length).
  ///
  /// - Parameter text: ASCII, in the grammar `[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?`.
  /// - Throws: ``NumberFault``.
  public init(parsing text: Span<UInt8>) throws(NumberFault) {
    if let plain = Decimal18(plain: text, at: 0, count: text.count) {
      self = plain
    } else {
      try self.init(scanning: text)
    }
  }

  /// Reads what nearly all numbers are, `[0-9]{1,16}(\.[0-9]{1,18})?`; nil for anything else. O(1).
  ///
  /// - Precondition: `count` bytes from `start` on lie within `pool`.
  @inline(__always)
  init?(plain pool: Span<UInt8>, at start: Int, count: Int) {
    let longest = ShortText.bytesMax
    let head = ShortText(pool, at: start, count: Swift.min(count, longest))
    let whole = head.leadingDigits
    guard whole > 0 else { return nil }
    let units = UInt128(head.number(digits: whole)) &* UInt128(PowersOfTen.word(18))
    let places = count &- whole &- 1
    guard places > 0 else {
      guard places < 0 else { return nil }
      self.units = Int128(truncatingIfNeeded: units)
      return
    }
    guard whole < longest, head.byte(whole) == UInt8(ascii: "."), places <= 18 else { return nil }
    let short = Swift.min(places, longest)
    let tail =
      count <= longest ? head.dropping(whole &+ 1) : ShortText(pool, at: start &+ whole &+ 1, count: short)
    guard tail.leadingDigits == short else { return nil }
    var fraction = tail.number(digits: short)
    for index in start &+ count &- (places &- short)..<start &+ count {
      let digit = pool[index] &- UInt8(ascii: "0")
      guard digit < 10 else { return nil }
      fraction = fraction &* 10 &+ UInt64(digit)
    }
    self.units = Int128(truncatingIfNeeded: units &+ UInt128(fraction &* PowersOfTen.word(18 &- places)))
  }

  @inline(never)
  private init(scanning text: Span<UInt8>) throws(NumberFault) {
    let scan = try DecimalScan(text)
    guard let magnitude = scan.unitsRoundedHalfEven(text) else { throw .outOfRange }
    if scan.isNegative {
      guard magnitude <= Int128.min.magnitude else { throw .outOfRange }
      units = magnitude == Int128.min.magnitude ? .min : -Int128(magnitude)
    } else {
      guard magnitude <= Int128.max.magnitude else { throw .outOfRange }
      units = Int128(magnitude)
    }
  }

  /// Reads a decimal number, or is nil where the text is none or does not fit. O(length).
  public init?(_ text: some StringProtocol) {
    let bytes = Array(text.utf8)
    guard let value = try? Decimal18(parsing: bytes.span) else { return nil }
    self = value
  }

  /// Appends the canonical text: no exponent, no trailing zeros, `0` for zero. O(1): at most 41 bytes.
  public func append(to output: inout [UInt8]) {
    DigitsHandle.append(to: &output, atMost: 41) { text in
      let magnitude = units.magnitude
      if units < 0 { text.put("-") }
      let unit = PowersOfTen.word(18)
      let high = UInt64(truncatingIfNeeded: magnitude >> 64)
      // Past 18.4·10^18 wholes the quotient is more than a word.
      let (millions, rest) =
        high < unit ? (0, magnitude) : magnitude.quotientAndRemainder(dividingBy: UInt128(unit) * 1_000_000)
      let (whole, fraction) = WideDivision.divide(
        UInt64(truncatingIfNeeded: rest >> 64), UInt64(truncatingIfNeeded: rest), by: unit)
      if millions != 0 {
        text.put(UInt64(truncatingIfNeeded: millions))
        text.put(padded: whole, width: 6)
      } else {
        text.put(whole)
      }
      if fraction != 0 { text.put(fraction: fraction) }
    }
  }
}

extension Decimal18: CustomStringConvertible {
  /// The canonical text.
  public var description: String {
    var bytes: [UInt8] = []
    append(to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }
}

/// Digits of an unsigned integer in ASCII.
package enum DecimalDigits {
  /// Appends `value` in base ten, without leading zeros. O(digits).
  package static func append(_ value: UInt64, to output: inout [UInt8]) {
    DigitsHandle.append(to: &output, atMost: 20) { $0.put(value) }
  }

  /// Appends the last `width` digits of `value`, with leading zeros. O(width).
  package static func append(padded value: UInt64, width: Int, to output: inout [UInt8]) {
    let start = output.count
    var rest = value
    for _ in 0..<width { output.append(0) }
    var index = output.count
    while index > start {
      index -= 1
      output[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    }
  }
}

/// What one pass over a number's text finds: where its digits are, and which power of ten the first one has.
private struct DecimalScan {
  var isNegative = false
  /// Index of the first digit that is not zero, or of the end of the mantissa.
  private var first = 0
  /// Index behind the last digit of the mantissa.
  private var mantissaEnd = 0
  /// Digits between the first significant one and the decimal point, the exponent counted in: the number is
  /// 0.d₁d₂… × 10^pointPlace.
  private var pointPlace = 0

  /// An exponent past this is as good as infinite: no text is so long that its digits could outweigh it. Ten times it
  /// still fits a word.
  private static let exponentMax = 1 << 59

  init(_ text: Span<UInt8>) throws(NumberFault) {
    var index = 0
    let end = text.count
    if index < end, text[index] == UInt8(ascii: "-") || text[index] == UInt8(ascii: "+") {
      isNegative = text[index] == UInt8(ascii: "-")
      index += 1
    }
    var significant = -1
    var point = -1
    let integerStart = index
    while index < end, text[index] &- 48 < 10 {
      if significant < 0, text[index] != 48 { significant = index }
      index += 1
    }
    guard index > integerStart else { throw .notANumber }
    let integerEnd = index
    if index < end, text[index] == UInt8(ascii: ".") {
      point = index
      index += 1
      while index < end, text[index] &- 48 < 10 {
        if significant < 0, text[index] != 48 { significant = index }
        index += 1
      }
      guard index > point + 1 else { throw .notANumber }
    }
    mantissaEnd = index
    first = significant < 0 ? mantissaEnd : significant
    pointPlace = first < integerEnd || point < 0 ? integerEnd - first : -(first - point - 1)
    guard index < end else { return }
    pointPlace += try Self.exponent(text, from: index)
  }

  private static func exponent(_ text: Span<UInt8>, from start: Int) throws(NumberFault) -> Int {
    var index = start
    guard text[index] | 0x20 == UInt8(ascii: "e") else { throw .notANumber }
    index += 1
    var negative = false
    if index < text.count, text[index] == UInt8(ascii: "-") || text[index] == UInt8(ascii: "+") {
      negative = text[index] == UInt8(ascii: "-")
      index += 1
    }
    guard index < text.count else { throw .notANumber }
    var value = 0
    while index < text.count {
      guard text[index] &- 48 < 10 else { throw .notANumber }
      value = Swift.min(value * 10 + Int(text[index] &- 48), exponentMax)
      index += 1
    }
    return negative ? -value : value
  }

  /// The count of 10^-18 that is nearest, ties to even; nil where it passes 128 bits.
  func unitsRoundedHalfEven(_ text: Span<UInt8>) -> UInt128? {
    guard first < mantissaEnd else { return 0 }
    var wanted = pointPlace + 18
    guard wanted >= 0 else { return 0 }
    guard wanted <= 39 else { return nil }
    var narrow: UInt64 = 0
    var narrowDigits = 0
    var wide: UInt128 = 0
    var index = first
    while wanted > 0, index < mantissaEnd {
      let byte = text[index]
      index += 1
      guard byte != UInt8(ascii: ".") else { continue }
      narrow = narrow &* 10 &+ UInt64(byte &- 48)
      narrowDigits += 1
      wanted -= 1
      if narrowDigits == 18 {
        guard let joined = Self.join(wide, narrow, digits: 18) else { return nil }
        (wide, narrow, narrowDigits) = (joined, 0, 0)
      }
    }
    guard var units = Self.join(wide, narrow, digits: narrowDigits) else { return nil }
    guard wanted == 0 else {
      let (scaled, overflow) = units.multipliedReportingOverflow(by: PowersOfTen.value(wanted))
      return overflow ? nil : scaled
    }
    guard let roundUp = Self.roundsUp(text, from: index, to: mantissaEnd, isOdd: units & 1 == 1) else {
      return units
    }
    if roundUp {
      let (next, overflow) = units.addingReportingOverflow(1)
      guard !overflow else { return nil }
      units = next
    }
    return units
  }

  private static func join(_ wide: UInt128, _ narrow: UInt64, digits: Int) -> UInt128? {
    guard wide != 0 else { return UInt128(narrow) }
    let (scaled, overflow) = wide.multipliedReportingOverflow(by: PowersOfTen.value(digits))
    guard !overflow else { return nil }
    let (sum, carried) = scaled.addingReportingOverflow(UInt128(narrow))
    return carried ? nil : sum
  }

  /// Whether the digits from `start` are over a half, or just a half behind an odd digit; nil where none is left.
  private static func roundsUp(_ text: Span<UInt8>, from start: Int, to end: Int, isOdd: Bool) -> Bool? {
    var index = start
    if index < end, text[index] == UInt8(ascii: ".") { index += 1 }
    guard index < end else { return nil }
    guard text[index] != UInt8(ascii: "5") else {
      index += 1
      while index < end {
        if text[index] != UInt8(ascii: "0"), text[index] != UInt8(ascii: ".") { return true }
        index += 1
      }
      return isOdd
    }
    return text[index] > UInt8(ascii: "5")
  }
}

/// 10^0 … 10^38.
package enum PowersOfTen {
  private static let words: [20 of UInt64] = [
    1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000, 10_000_000_000,
    100_000_000_000, 1_000_000_000_000, 10_000_000_000_000, 100_000_000_000_000, 1_000_000_000_000_000,
    10_000_000_000_000_000, 100_000_000_000_000_000, 1_000_000_000_000_000_000, 10_000_000_000_000_000_000,
  ]

  /// 10^exponent. O(1).
  ///
  /// - Precondition: 0 ≤ exponent ≤ 19.
  @inline(__always)
  static func word(_ exponent: Int) -> UInt64 { words[exponent] }

  /// 10^exponent. O(1).
  ///
  /// - Precondition: 0 ≤ exponent ≤ 38.
  package static func value(_ exponent: Int) -> UInt128 {
    let first = Swift.min(exponent, 19)
    return UInt128(words[first]) &* UInt128(words[exponent - first])
  }
}
