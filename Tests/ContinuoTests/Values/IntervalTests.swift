// Buckets: aligned to the epoch in UTC, weeks from Monday, also before 1970.
// Invariant: expectations come from a calendar of the tests' own.
// Not here: candles (Engine).

import Continuo
import ContinuoTestSupport
import Testing

@Suite("Interval")
struct IntervalTests {
  /// Rule 4.1: the lengths and names of the seven intervals.
  @Test("Seven intervals with their names and lengths")
  func sevenIntervals() {
    let names = Interval.allCases.map(\.rawValue)
    #expect(names == ["1m", "5m", "15m", "1h", "4h", "1d", "1w"])
    let minutes = Interval.allCases.map { $0.microseconds / 60_000_000 }
    #expect(minutes == [1, 5, 15, 60, 240, 1440, 10_080])
  }

  /// Rule 4.1: examples a person can check.
  @Test(
    "The bucket of an instant",
    arguments: [
      ("2024-12-01T13:07:59.999999Z", Interval.oneMinute, "2024-12-01T13:07:00Z"),
      ("2024-12-01T13:07:59.999999Z", .fiveMinutes, "2024-12-01T13:05:00Z"),
      ("2024-12-01T13:07:59.999999Z", .fifteenMinutes, "2024-12-01T13:00:00Z"),
      ("2024-12-01T13:07:59.999999Z", .oneHour, "2024-12-01T13:00:00Z"),
      ("2024-12-01T13:07:59.999999Z", .fourHours, "2024-12-01T12:00:00Z"),
      ("2024-12-01T13:07:59.999999Z", .oneDay, "2024-12-01T00:00:00Z"),
      ("2024-12-01T13:07:59.999999Z", .oneWeek, "2024-11-25T00:00:00Z"),  // a Sunday
      ("2024-12-02T00:00:00Z", .oneWeek, "2024-12-02T00:00:00Z"),  // a Monday
      ("1970-01-01T00:00:00Z", .oneWeek, "1969-12-29T00:00:00Z"),
      ("1969-12-31T23:59:59.999999Z", .oneMinute, "1969-12-31T23:59:00Z"),
      ("1969-12-31T23:59:59.999999Z", .fourHours, "1969-12-31T20:00:00Z"),
      ("1969-12-28T23:59:59.999999Z", .oneWeek, "1969-12-22T00:00:00Z"),
      ("0001-01-01T00:00:00Z", .oneWeek, "0001-01-01T00:00:00Z"),  // a Monday
      ("9999-12-31T23:59:59.999999Z", .oneWeek, "9999-12-27T00:00:00Z"),
    ])
  func bucketOfAnInstant(instant: String, interval: Interval, start: String) throws {
    #expect(interval.start(of: try #require(Timestamp(instant))).description == start)
  }

  /// Rule 4.1: start ≤ timestamp < start + interval; starts of weeks are Mondays, of days midnights.
  @Test("Any instant lies in its bucket", arguments: Interval.allCases)
  func anyInstantLiesInItsBucket(interval: Interval) {
    var random = SeededGenerator(seed: 4)
    for _ in 0..<20_000 {
      let range = Timestamp.first.microseconds...Timestamp.last.microseconds
      let instant = Timestamp(microseconds: Int64.random(in: range, using: &random))
      let start = interval.start(of: instant)
      #expect(start.microseconds == ModelInterval.start(interval, of: instant.microseconds))
      #expect(start <= instant && instant < interval.next(start))
      #expect(interval.start(of: start) == start)
      #expect(interval.start(of: start - 1) == start - interval.microseconds)
      #expect(instant.startOfDay == Interval.oneDay.start(of: instant))
    }
  }
}
