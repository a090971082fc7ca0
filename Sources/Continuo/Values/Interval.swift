// The seven candle intervals and their buckets.
// Invariant: start ≤ timestamp < start + length; starts are aligned to the Unix epoch in UTC, weeks to Mondays.
// Not here: which intervals are kept, and how long (RetentionPolicy).
// Rules 4.1.

/// How long a candle's bucket is.
public enum Interval: String, CaseIterable, Hashable, Sendable, BitwiseCopyable {
  /// One minute.
  case oneMinute = "1m"
  /// Five minutes.
  case fiveMinutes = "5m"
  /// A quarter of an hour.
  case fifteenMinutes = "15m"
  /// One hour.
  case oneHour = "1h"
  /// Four hours.
  case fourHours = "4h"
  /// One day of UTC.
  case oneDay = "1d"
  /// One week, from Monday.
  case oneWeek = "1w"

  /// The bucket's length in microseconds.
  public var microseconds: Int64 {
    switch self {
    case .oneMinute: 60_000_000
    case .fiveMinutes: 300_000_000
    case .fifteenMinutes: 900_000_000
    case .oneHour: 3_600_000_000
    case .fourHours: 14_400_000_000
    case .oneDay: 86_400_000_000
    case .oneWeek: 604_800_000_000
    }
  }

  /// Where the first bucket behind the epoch starts: 1970-01-05 was the first Monday.
  private var phase: Int64 { self == .oneWeek ? 345_600_000_000 : 0 }

  /// The start of the bucket that holds `instant`, also before 1970; the earliest instant there is where it lies before
  /// that. O(1).
  public func start(of instant: Timestamp) -> Timestamp { instant.floored(to: microseconds, phase: phase) }

  /// The start of the bucket behind the one that starts at `start`. O(1).
  public func next(_ start: Timestamp) -> Timestamp { start + microseconds }
}
