// How long things are kept: defaults, clipping, and what cannot be kept.
// Invariant: none.
// Not here: what is dropped when (EngineProperties).

import Continuo
import Testing

@Suite("RetentionPolicy")
struct RetentionPolicyTests {
  private static let day: Int64 = 86_400_000_000

  /// Rule 6: raw 90 d, 1m 30 d, 5m and 15m 90 d, 1h and longer for ever.
  @Test("The defaults")
  func defaults() throws {
    let policy = RetentionPolicy.standard
    #expect(policy.rawMicroseconds == 90 * Self.day)
    #expect(
      Interval.allCases.map { policy.microseconds($0) } == [
        30 * Self.day, 90 * Self.day, 90 * Self.day, .max, .max, .max, .max,
      ])
    #expect(try RetentionPolicy("") == policy)
    #expect(try RetentionPolicy("raw=90d,1m=30d,1h=forever") == policy)
  }

  /// Rule 6: a short interval that is not named is kept no longer than raw.
  @Test("Unnamed short intervals follow raw down, and no further up than usual")
  func unnamedShortIntervalsFollowRaw() throws {
    let short = try RetentionPolicy("raw=10d")
    #expect(Interval.allCases.prefix(3).map { short.microseconds($0) } == [10, 10, 10].map { $0 * Self.day })
    let long = try RetentionPolicy("raw=52w")
    #expect(Interval.allCases.prefix(3).map { long.microseconds($0) } == [30, 90, 90].map { $0 * Self.day })
    let forever = try RetentionPolicy("raw=forever")
    #expect(forever.rawMicroseconds == .max)
    #expect(forever.microseconds(.oneMinute) == 30 * Self.day)
    let mixed = try RetentionPolicy("raw=40d,5m=35d")
    #expect(Interval.allCases.prefix(3).map { mixed.microseconds($0) } == [30, 35, 40].map { $0 * Self.day })
  }

  /// Rule 6: units, and long intervals that are bounded.
  @Test("Lengths")
  func lengths() throws {
    let policy = try RetentionPolicy("raw=168h,1m=90m,5m=12h,15m=7d,1h=2w,4h=2w,1d=3w,1w=forever")
    let hour: Int64 = 3_600_000_000
    #expect(policy.rawMicroseconds == 7 * Self.day)
    #expect(
      Interval.allCases.map { policy.microseconds($0) } == [
        hour * 3 / 2, 12 * hour, 7 * Self.day, 14 * Self.day, 14 * Self.day, 21 * Self.day, .max,
      ])
  }

  /// Rules 6, 6.4: what cannot be kept is refused with a remedy.
  @Test(
    "Settings that are refused",
    arguments: [
      "raw=6d", "raw=167h", "raw=0d", "raw=-7d", "raw=7", "raw=d", "raw=", "raw", "=7d", "raw=7y", "raw=7 d",
      "raw=1.5w",
      "raw=+8d", "2m=7d", "1M=7d", "raw=7d,raw=8d", "1m=30d,1m=30d", "raw=10d,1m=11d", "raw=10d,15m=forever", "1d=30d",
      "1h=30d,4h=29d", "1h=30d,4h=30d,1d=30d,1w=6d", "4h=30d", "raw=99999999999999w", "raw=9223372036854775808d",
      "raw=7d;1m=1d", "raw=٧d", "raw=forever1",
    ])
  func refused(text: String) {
    do {
      _ = try RetentionPolicy(text)
      Issue.record("'\(text)' was taken")
    } catch {
      #expect(error.description.count > 20, "the message helps: \(error)")
    }
  }
}
