// An instant: signed 64-bit microseconds since 1970-01-01T00:00:00Z.
// Invariant: an instant that was accepted from outside lies in the years 0001 to 9999 (`isInRange`).
// Not here: text (Timestamp+Text), buckets (Interval), the engine's clock (EngineClock).
// Rules 2.6.

/// An instant in microseconds since 1970-01-01T00:00:00Z, without leap seconds.
///
///     let start = Timestamp("2024-12-01T13:00:00Z")!
///     (start + 1_500_000).description             // "2024-12-01T13:00:01.5Z"
public struct Timestamp: Hashable, Comparable, Sendable, BitwiseCopyable {
  /// Microseconds since the Unix epoch.
  public var microseconds: Int64

  /// Makes the instant that is `microseconds` behind (or, negative, before) the Unix epoch. O(1).
  public init(microseconds: Int64) { self.microseconds = microseconds }

  /// 0001-01-01T00:00:00Z, the first instant there is.
  public static let first = Timestamp(microseconds: -62_135_596_800_000_000)
  /// 9999-12-31T23:59:59.999999Z, the last instant there is.
  public static let last = Timestamp(microseconds: 253_402_300_799_999_999)

  /// Whether the instant lies in the years 0001 to 9999.
  public var isInRange: Bool { Self.first <= self && self <= Self.last }

  public static func < (left: Timestamp, right: Timestamp) -> Bool { left.microseconds < right.microseconds }

  /// The instant `microseconds` later, or the nearest that 64 bits hold. O(1).
  public static func + (left: Timestamp, microseconds: Int64) -> Timestamp {
    let (sum, overflow) = left.microseconds.addingReportingOverflow(microseconds)
    return Timestamp(microseconds: overflow ? (microseconds < 0 ? .min : .max) : sum)
  }

  /// The instant `microseconds` earlier, or the nearest that 64 bits hold. O(1).
  public static func - (left: Timestamp, microseconds: Int64) -> Timestamp {
    let (difference, overflow) = left.microseconds.subtractingReportingOverflow(microseconds)
    return Timestamp(microseconds: overflow ? (microseconds < 0 ? .max : .min) : difference)
  }

  /// The last multiple of `length` past `phase` that is not behind the instant, also before 1970. O(1).
  @inline(__always)
  func floored(to length: Int64, phase: Int64 = 0) -> Timestamp {
    // The phase is taken off the remainder, so that no instant is too early for it.
    var remainder = microseconds % length - phase
    while remainder < 0 { remainder += length }
    return self - remainder
  }

  /// The start of the hour that holds the instant: ``Interval/start(of:)`` of 1h, with a divisor that stands fast. O(1).
  @inline(__always)
  var startOfHour: Timestamp { floored(to: 3_600_000_000) }

  /// The start of the UTC day that holds the instant. O(1).
  public var startOfDay: Timestamp { Interval.oneDay.start(of: self) }
}

/// The unit of a time that is given as an integer: declared, never guessed.
public enum TimeUnit: String, CaseIterable, Sendable {
  /// Seconds.
  case seconds = "s"
  /// Milliseconds.
  case milliseconds = "ms"
  /// Microseconds.
  case microseconds = "us"
  /// Nanoseconds, floored to microseconds.
  case nanoseconds = "ns"
}

extension Duration {
  /// In whole microseconds, towards zero. O(1).
  package var microseconds: Int64 {
    let (seconds, attoseconds) = components
    return seconds * 1_000_000 + attoseconds / 1_000_000_000_000
  }

  /// In seconds, to the microsecond. O(1).
  package var seconds: Double { Double(microseconds) / 1e6 }
}
