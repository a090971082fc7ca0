// The model's decimals and times: rounding, fitting and text by big integers and a table of years.
// Invariant: shares no arithmetic, no calendar and no formatting with the engine.
// Not here: what is computed from them (ModelAnswers).

package import Continuo

/// Rounding, range and text of counts of 10^-18.
package enum ModelNumber {
  /// 10^18.
  package static let whole = BigInteger(1_000_000_000_000_000_000)
  private static let hundred = BigInteger(100)

  /// `numerator` ÷ `denominator` to the nearest integer, ties to the even one; the denominator is over zero.
  package static func halfEven(_ numerator: BigInteger, over denominator: BigInteger) -> BigInteger {
    let (quotient, remainder) = numerator.magnitude.dividedTowardsZero(by: denominator)
    let twice = remainder + remainder
    let isOdd = !quotient.dividedTowardsZero(by: BigInteger(2)).remainder.isZero
    let roundsUp = denominator < twice || denominator == twice && isOdd
    let magnitude = roundsUp ? quotient + BigInteger(1) : quotient
    return numerator.isNegative ? -magnitude : magnitude
  }

  /// The decimal of so many units, nil where it does not fit.
  package static func fitted(_ units: BigInteger) -> Decimal18? { units.int128.map { Decimal18(units: $0) } }

  /// left ÷ right in units, nil where it does not fit.
  package static func quotient(_ left: BigInteger, over right: BigInteger) -> Decimal18? {
    fitted(halfEven(left * whole, over: right))
  }

  /// part × 100 ÷ whole in units, nil where it does not fit.
  package static func percent(_ part: BigInteger, of all: BigInteger) -> Decimal18? {
    fitted(halfEven(part * hundred * whole, over: all))
  }

  /// left × right in units, nil where it does not fit.
  package static func product(_ left: BigInteger, _ right: BigInteger) -> Decimal18? {
    fitted(halfEven(left * right, over: whole))
  }

  /// The canonical text of so many units (rule 2.3).
  package static func text(_ units: BigInteger) -> String {
    var digits = Array(units.magnitude.description)
    while digits.count < 19 { digits.insert("0", at: 0) }
    let integer = String(digits.dropLast(18))
    var fraction = Array(digits.suffix(18))
    while fraction.last == "0" { fraction.removeLast() }
    let sign = units.isNegative ? "-" : ""
    return sign + integer + (fraction.isEmpty ? "" : "." + String(fraction))
  }

  /// The canonical text of a decimal.
  package static func text(_ value: Decimal18) -> String { text(BigInteger(value.units)) }
}

/// The proleptic Gregorian calendar by counting years: slow, obvious, and no relative of the engine's.
package enum ModelCalendar {
  private static let monthLengths: [Int64] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

  package static func isLeap(_ year: Int64) -> Bool { year % 4 == 0 && year % 100 != 0 || year % 400 == 0 }

  package static func monthLength(_ month: Int, of year: Int64) -> Int64 {
    month == 2 && isLeap(year) ? 29 : monthLengths[month - 1]
  }

  /// Days from 1970-01-01 to the first day of each of the years 0 … 10,000.
  private static let yearStarts: [Int64] = {
    var starts = [Int64](repeating: 0, count: 10_001)
    for year in stride(from: 1969, through: 0, by: -1) {
      starts[year] = starts[year + 1] - (isLeap(Int64(year)) ? 366 : 365)
    }
    for year in 1971...10_000 { starts[year] = starts[year - 1] + (isLeap(Int64(year - 1)) ? 366 : 365) }
    return starts
  }()

  /// Days from 1970-01-01 to a day of the years 0 … 9999.
  package static func days(year: Int64, month: Int, day: Int64) -> Int64 {
    var days = yearStarts[Int(year)]
    for earlier in 1..<max(month, 1) where earlier < month { days += monthLength(earlier, of: year) }
    return days + day - 1
  }

  /// RFC 3339 in UTC of an instant in the years 0 … 9999 (rule 10.3).
  package static func text(_ instant: Timestamp) -> String {
    let perDay: Int64 = 86_400_000_000
    let days = ModelInterval.floored(instant.microseconds, by: perDay)
    let ofDay = instant.microseconds - days * perDay
    var (low, high) = (0, 10_000)
    while high - low > 1 {
      let middle = (low + high) / 2
      if yearStarts[middle] <= days { low = middle } else { high = middle }
    }
    var rest = days - yearStarts[low]
    var month = 1
    while rest >= monthLength(month, of: Int64(low)) {
      rest -= monthLength(month, of: Int64(low))
      month += 1
    }
    let second = ofDay / 1_000_000
    let date = "\(padded(Int64(low), 4))-\(padded(Int64(month), 2))-\(padded(rest + 1, 2))"
    let time = "\(padded(second / 3600, 2)):\(padded(second / 60 % 60, 2)):\(padded(second % 60, 2))"
    var fraction = ofDay % 1_000_000 == 0 ? "" : "." + padded(ofDay % 1_000_000, 6)
    while fraction.last == "0" { fraction.removeLast() }
    return date + "T" + time + fraction + "Z"
  }

  private static func padded(_ value: Int64, _ width: Int) -> String {
    let digits = String(value)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }
}

/// The model's buckets.
package enum ModelInterval {
  /// The length of a bucket in microseconds.
  package static func length(_ interval: Interval) -> Int64 {
    let minute: Int64 = 60 * 1_000_000
    switch interval {
    case .oneMinute: return minute
    case .fiveMinutes: return 5 * minute
    case .fifteenMinutes: return 15 * minute
    case .oneHour: return 60 * minute
    case .fourHours: return 240 * minute
    case .oneDay: return 1440 * minute
    case .oneWeek: return 7 * 1440 * minute
    }
  }

  /// The start of the bucket that holds an instant (rule 4.1); 1969-12-29 was a Monday.
  package static func start(_ interval: Interval, of instant: Int64) -> Int64 {
    let monday: Int64 = interval == .oneWeek ? 3 * 86_400_000_000 : 0
    return floored(instant + monday, by: length(interval)) * length(interval) - monday
  }

  /// The greatest whole number that is not over value ÷ divisor.
  package static func floored(_ value: Int64, by divisor: Int64) -> Int64 {
    let quotient = value / divisor
    return value % divisor < 0 ? quotient - 1 : quotient
  }
}
