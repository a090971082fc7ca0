// Timestamp from text (RFC 3339, or an integer of a declared unit) and to text.
// Invariant: finer than a microsecond is floored, also before 1970; years 0001 to 9999 in text and in UTC.
// Not here: calendars, local time, leap seconds.
// Source: RFC 3339; days from civil after H. Hinnant, "chrono-Compatible Low-Level Date Algorithms".

extension Timestamp {
  /// Reads an instant, or is nil where the text is none. O(length).
  ///
  /// - Parameters:
  ///   - text: RFC 3339 (`T`, `t` or one space between date and time; `Z`, `±hh:mm` or `±hh`), or an integer.
  ///   - unit: what an integer counts since the Unix epoch.
  public init?(parsing text: Span<UInt8>, unit: TimeUnit = .microseconds) {
    var parsed: Int64?
    if text.count >= 5, text[4] == UInt8(ascii: "-") {
      parsed = TimeReader.microseconds(text)
    } else {
      parsed = TimeReader.integer(text, unit)
    }
    guard let parsed, Timestamp(microseconds: parsed).isInRange else { return nil }
    microseconds = parsed
  }

  /// Reads an instant that is `count` digits and nothing else, 16 at most; nil where it is not that, or out of range. O(1).
  @inline(__always)
  init?(plain text: ShortText, digits count: Int, _ unit: TimeUnit) {
    guard count > 0, text.leadingDigits == count else { return nil }
    let number = Int64(truncatingIfNeeded: text.number(digits: count))
    if unit == .microseconds {
      self.init(microseconds: number)
      return
    }
    guard let scaled = TimeReader.scaled(number, unit) else { return nil }
    self.init(microseconds: scaled)
    guard isInRange else { return nil }
  }

  /// Reads an instant, or is nil where the text is none; an integer counts microseconds. O(length).
  public init?(_ text: some StringProtocol, unit: TimeUnit = .microseconds) {
    let bytes = Array(text.utf8)
    self.init(parsing: bytes.span, unit: unit)
  }

  /// Appends RFC 3339 in UTC; a fraction only if there is one, without trailing zeros. O(1): at most 27 bytes.
  ///
  /// An instant outside the years 0001 to 9999 is written with the digits that its year has.
  public func append(to output: inout [UInt8]) {
    DigitsHandle.append(to: &output, atMost: 32) { text in
      let (days, ofDay) = CivilDate.floored(microseconds, by: CivilDate.microsecondsPerDay)
      let date = CivilDate(daysSinceEpoch: days)
      let year = date.year.magnitude
      if date.year < 0 { text.put("-") }
      if year > 9999 { text.put(UInt64(year)) } else { text.put(padded: UInt64(year), width: 4) }
      text.put("-")
      text.put(padded: UInt64(date.month), width: 2)
      text.put("-")
      text.put(padded: UInt64(date.day), width: 2)
      let second = UInt64(ofDay) / 1_000_000
      text.put("T")
      text.put(padded: second / 3600, width: 2)
      text.put(":")
      text.put(padded: second / 60 % 60, width: 2)
      text.put(":")
      text.put(padded: second % 60, width: 2)
      let fraction = UInt64(ofDay) % 1_000_000
      if fraction != 0 { text.put(fraction: fraction * 1_000_000_000_000) }
      text.put("Z")
    }
  }
}

extension Timestamp: CustomStringConvertible {
  /// RFC 3339 in UTC.
  public var description: String {
    var bytes: [UInt8] = []
    append(to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }
}

/// A day of the proleptic Gregorian calendar.
private struct CivilDate {
  var year: Int64
  var month: Int64
  var day: Int64

  static let microsecondsPerDay: Int64 = 86_400_000_000
  /// Days in 400 years, after which the calendar repeats.
  private static let daysPerEra: Int64 = 146_097

  static func floored(_ value: Int64, by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
    let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
  }

  init(daysSinceEpoch: Int64) {
    // Days from 0000-03-01, so that the leap day ends a year.
    let (era, ofEra) = Self.floored(daysSinceEpoch + 719_468, by: Self.daysPerEra)
    let yearOfEra = (ofEra - ofEra / 1460 + ofEra / 36_524 - ofEra / 146_096) / 365
    let dayOfYear = ofEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let marchMonth = (5 * dayOfYear + 2) / 153
    day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
    month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
    year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  }

  init(year: Int64, month: Int64, day: Int64) {
    self.year = year
    self.month = month
    self.day = day
  }

  var daysSinceEpoch: Int64 {
    let marchYear = month <= 2 ? year - 1 : year
    let (era, yearOfEra) = Self.floored(marchYear, by: 400)
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    let ofEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * Self.daysPerEra + ofEra - 719_468
  }

  /// How many days the month has.
  var monthLength: Int64 {
    switch month {
    case 4, 6, 9, 11: 30
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    default: 31
    }
  }
}

/// The two readings of a time's text.
private enum TimeReader {
  static func integer(_ text: Span<UInt8>, _ unit: TimeUnit) -> Int64? {
    var index = 0
    let negative = text.count > 0 && text[0] == UInt8(ascii: "-")
    if text.count > 0, text[0] == UInt8(ascii: "-") || text[0] == UInt8(ascii: "+") { index = 1 }
    guard index < text.count else { return nil }
    if index == 0, text.count <= 18 {
      var value: Int64 = 0
      for index in 0..<text.count {
        let digit = text[index] &- UInt8(ascii: "0")
        guard digit < 10 else { return nil }
        value = value &* 10 &+ Int64(digit)
      }
      return scaled(value, unit)
    }
    var value: Int128 = 0
    // Past this no unit comes back into range, and Int128 has room for one digit more.
    let ceiling: Int128 = 1_000_000_000_000_000_000_000_000
    while index < text.count {
      let digit = text[index] &- UInt8(ascii: "0")
      guard digit < 10 else { return nil }
      if value < ceiling { value = value * 10 + Int128(digit) }
      index += 1
    }
    if negative { value = -value }
    switch unit {
    case .seconds: value *= 1_000_000
    case .milliseconds: value *= 1_000
    case .microseconds: break
    case .nanoseconds:
      let (quotient, remainder) = value.quotientAndRemainder(dividingBy: 1_000)
      value = remainder < 0 ? quotient - 1 : quotient
    }
    return Int64(exactly: value)
  }

  /// The microseconds of so many units, floored; nil where they pass 64 bits.
  static func scaled(_ value: Int64, _ unit: TimeUnit) -> Int64? {
    switch unit {
    case .seconds: product(value, 1_000_000)
    case .milliseconds: product(value, 1_000)
    case .microseconds: value
    case .nanoseconds: CivilDate.floored(value, by: 1_000).quotient
    }
  }

  private static func product(_ value: Int64, _ factor: Int64) -> Int64? {
    let (product, overflow) = value.multipliedReportingOverflow(by: factor)
    return overflow ? nil : product
  }

  static func microseconds(_ text: Span<UInt8>) -> Int64? {
    guard text.count >= 20, text[7] == UInt8(ascii: "-"), text[13] == UInt8(ascii: ":"), text[16] == UInt8(ascii: ":"),
      text[10] | 0x20 == UInt8(ascii: "t") || text[10] == UInt8(ascii: " "),
      let year = digits(text, 0, 4), let month = digits(text, 5, 2), let day = digits(text, 8, 2),
      let hour = digits(text, 11, 2), let minute = digits(text, 14, 2), let second = digits(text, 17, 2)
    else { return nil }
    let date = CivilDate(year: year, month: month, day: day)
    guard year >= 1, month >= 1, month <= 12, day >= 1, day <= date.monthLength, hour < 24, minute < 60, second < 60
    else { return nil }
    var index = 19
    var fraction: Int64 = 0
    if text[index] == UInt8(ascii: ".") {
      var scale: Int64 = 100_000
      index += 1
      let start = index
      while index < text.count, text[index] &- 48 < 10 {
        fraction += Int64(text[index] &- 48) * scale
        scale /= 10
        index += 1
      }
      guard index > start else { return nil }
    }
    guard let offset = offsetSeconds(text, from: index) else { return nil }
    let seconds = date.daysSinceEpoch * 86_400 + hour * 3600 + minute * 60 + second - offset
    return seconds * 1_000_000 + fraction
  }

  private static func offsetSeconds(_ text: Span<UInt8>, from index: Int) -> Int64? {
    let rest = text.count - index
    guard rest >= 1 else { return nil }
    if text[index] == UInt8(ascii: "Z") { return rest == 1 ? 0 : nil }
    guard text[index] == UInt8(ascii: "+") || text[index] == UInt8(ascii: "-"), rest == 3 || rest == 6,
      let hours = digits(text, index + 1, 2), hours < 24
    else { return nil }
    var seconds = hours * 3600
    if rest == 6 {
      guard text[index + 3] == UInt8(ascii: ":"), let minutes = digits(text, index + 4, 2), minutes < 60 else {
        return nil
      }
      seconds += minutes * 60
    }
    return text[index] == UInt8(ascii: "-") ? -seconds : seconds
  }

  private static func digits(_ text: Span<UInt8>, _ start: Int, _ count: Int) -> Int64? {
    var value: Int64 = 0
    for index in start..<start + count {
      let digit = text[index] &- UInt8(ascii: "0")
      guard digit < 10 else { return nil }
      value = value * 10 + Int64(digit)
    }
    return value
  }
}
