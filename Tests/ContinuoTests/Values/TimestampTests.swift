// Times from text and to text.
// Invariant: expectations come from a calendar of the tests' own.
// Not here: buckets (IntervalTests).

import Continuo
import ContinuoTestSupport
import Testing

@Suite("Timestamp")
struct TimestampTests {
  /// Rules 2.6, 10.3: any instant goes out and comes back; the text is the other calendar's.
  @Test("Round trips against another calendar")
  func roundTrips() {
    var random = SeededGenerator(seed: 26)
    let range = Timestamp.first.microseconds...Timestamp.last.microseconds
    for _ in 0..<50_000 {
      var instant = Int64.random(in: range, using: &random)
      if random.chance(30) { instant -= instant % 1_000_000 }
      let timestamp = Timestamp(microseconds: instant)
      let text = timestamp.description
      #expect(text == ModelCalendar.text(timestamp))
      #expect(Timestamp(text) == timestamp)
      #expect(Timestamp(String(instant)) == timestamp)
    }
  }

  /// Rule 2.6: every day of four centuries, by counting.
  @Test("Every day there is")
  func everyDay() {
    let perDay: Int64 = 86_400_000_000
    for year in [Int64(1), 4, 100, 400, 1600, 1899, 1900, 1969, 1970, 2000, 2023, 2024, 2100, 9999] {
      for month in 1...12 {
        for day in 1...ModelCalendar.monthLength(month, of: year) {
          let start = Timestamp(microseconds: ModelCalendar.days(year: year, month: month, day: day) * perDay)
          let text = ModelCalendar.text(start)
          #expect(start.description == text)
          #expect(Timestamp(text) == start)
        }
      }
    }
  }

  /// Rule 2.6: what is read, in microseconds.
  @Test(
    "Spellings that are read",
    arguments: [
      ("1970-01-01T00:00:00Z", Int64(0)), ("1970-01-01t00:00:00Z", 0), ("1970-01-01 00:00:00Z", 0),
      ("1970-01-01T00:00:00+00:00", 0), ("1970-01-01T00:00:00-00:00", 0), ("1970-01-01T02:00:00+02", 0),
      ("1970-01-01T05:30:00+05:30", 0), ("1969-12-31T16:00:00-08", 0), ("1970-01-02T23:59:00+23:59", 86_400_000_000),
      ("1970-01-01T00:00:00.5Z", 500_000), ("1970-01-01T00:00:00.000001Z", 1), ("1970-01-01T00:00:00.0000019Z", 1),
      ("1969-12-31T23:59:59.9999999Z", -1), ("1969-12-31T23:59:59.999999999999999999999Z", -1),
      ("1969-12-31T23:59:59Z", -1_000_000), ("2024-02-29T00:00:00Z", 1_709_164_800_000_000),
      ("2000-02-29T12:00:00.25+01:00", 951_822_000_250_000), ("0001-01-01T00:00:00Z", -62_135_596_800_000_000),
      ("9999-12-31T23:59:59.999999999Z", 253_402_300_799_999_999), ("0", 0), ("-1", -1), ("+17", 17), ("0017", 17),
      ("-0", 0),
    ])
  func isRead(text: String, microseconds: Int64) {
    #expect(Timestamp(text)?.microseconds == microseconds)
  }

  /// Rule 2.6: what is no time.
  @Test(
    "Spellings that are refused",
    arguments: [
      "", " ", "Z", "+", "-", "1970-01-01", "1970-01-01T00:00:00", "1970-01-01T00:00:00z", "1970-01-01T00:00Z",
      "1970-01-01  00:00:00Z", "1970-01-01_00:00:00Z", "1970-01-01T00:00:60Z", "1970-01-01T24:00:00Z",
      "1970-01-01T00:60:00Z", "1970-13-01T00:00:00Z", "1970-00-01T00:00:00Z", "1970-01-00T00:00:00Z",
      "1970-01-32T00:00:00Z", "1970-04-31T00:00:00Z", "1970-02-29T00:00:00Z", "1900-02-29T00:00:00Z",
      "2100-02-29T00:00:00Z", "0000-12-31T23:59:59Z", "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01",
      "10000-01-01T00:00:00Z", "1970-01-01T00:00:00.Z", "1970-01-01T00:00:00,5Z", "1970-01-01T00:00:00.5",
      "1970-01-01T00:00:00+1", "1970-01-01T00:00:00+01:", "1970-01-01T00:00:00+0100", "1970-01-01T00:00:00+24:00",
      "1970-01-01T00:00:00+00:60", "1970-01-01T00:00:00+01:0", "1970-01-01T00:00:00ZZ", "1970-01-01T00:00:00Z ",
      " 1970-01-01T00:00:00Z", "1970-1-01T00:00:00Z", "1970/01/01T00:00:00Z", "-970-01-01T00:00:00Z", "1.5", "1e3",
      "0x1",
      "١", "253402300800000000", "-62135596800000001", "9223372036854775808", "-9223372036854775809",
      "999999999999999999999999999999999999999999999999", "--1", "1-",
    ])
  func isRefused(text: String) {
    #expect(Timestamp(text) == nil)
  }

  /// Rule 2.6: the unit of an integer is declared; finer than a microsecond is floored, also before 1970.
  @Test(
    "Units of integers",
    arguments: [
      ("1", TimeUnit.seconds, Int64(1_000_000)), ("-1", .seconds, -1_000_000), ("1", .milliseconds, 1000),
      ("-1500", .milliseconds, -1_500_000), ("1", .microseconds, 1), ("1", .nanoseconds, 0), ("999", .nanoseconds, 0),
      ("1000", .nanoseconds, 1), ("-1", .nanoseconds, -1), ("-1000", .nanoseconds, -1), ("-1001", .nanoseconds, -2),
      ("253402300799", .seconds, 253_402_300_799_000_000),
      ("253402300799999999999", .nanoseconds, 253_402_300_799_999_999),
      ("1970-01-01T00:00:01Z", .seconds, 1_000_000),
    ])
  func unitsOfIntegers(text: String, unit: TimeUnit, microseconds: Int64) {
    #expect(Timestamp(text, unit: unit)?.microseconds == microseconds)
  }

  /// Rule 2.6: no integer traps, whatever its unit.
  @Test("Integers out of range", arguments: TimeUnit.allCases)
  func integersOutOfRange(unit: TimeUnit) {
    for digits in 15...120 {
      for sign in ["", "-"] {
        let text = sign + String(repeating: "9", count: digits)
        guard let timestamp = Timestamp(text, unit: unit) else { continue }
        #expect(timestamp.isInRange)
      }
    }
    #expect(Timestamp("253402300800", unit: .seconds) == nil)
    #expect(Timestamp("-62135596801", unit: .seconds) == nil)
    #expect(Timestamp("9223372036854775807", unit: .seconds) == nil)
  }

  /// Instants at the ends of 64 bits stay there.
  @Test("Sums of instants do not trap")
  func sumsSaturate() {
    #expect(Timestamp(microseconds: .max) + 1 == Timestamp(microseconds: .max))
    #expect(Timestamp(microseconds: .min) - 1 == Timestamp(microseconds: .min))
    #expect(Timestamp(microseconds: .min) + .min == Timestamp(microseconds: .min))
    #expect(Timestamp(microseconds: .max) - .min == Timestamp(microseconds: .max))
  }
}
