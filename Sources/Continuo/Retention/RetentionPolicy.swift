// How long raw events and candles are kept, and the relations that make every answer exact.
// Invariant: raw ≥ 7 d; intervals under 1h are kept no longer than raw; from 1h up a longer one at least as long as a
// shorter one.
// Not here: the horizon's moves and what they free (Eviction).

/// How long raw events and the candles of each interval are kept, in microseconds; `Int64.max` is for ever.
public struct RetentionPolicy: Equatable, Sendable, BitwiseCopyable {
  /// How long raw events are kept.
  public let rawMicroseconds: Int64
  private let candleMicroseconds: [7 of Int64]

  public static func == (left: RetentionPolicy, right: RetentionPolicy) -> Bool {
    left.rawMicroseconds == right.rawMicroseconds
      && left.candleMicroseconds.indices.allSatisfy { left.candleMicroseconds[$0] == right.candleMicroseconds[$0] }
  }

  /// A setting that cannot be kept, with the remedy.
  public struct Invalid: Error, Equatable, Sendable, CustomStringConvertible {
    public let description: String
  }

  /// Raw 90 d, 1m 30 d, 5m and 15m 90 d, 1h and longer for ever.
  public static let standard: RetentionPolicy = {
    guard let policy = try? RetentionPolicy("") else { preconditionFailure("the defaults hold together") }
    return policy
  }()

  /// Reads `raw=90d,1m=30d,1h=forever`: what is not named has its default (under 1h: no longer than raw). O(length).
  ///
  /// A length is a whole number with its unit: `m`, `h`, `d`, `w`; or `forever`.
  public init(_ text: String) throws(Invalid) {
    var named: [String: Int64] = [:]
    for part in text.split(separator: ",") {
      let sides = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      guard sides.count == 2, sides[0] == "raw" || Interval(rawValue: sides[0]) != nil else {
        throw Invalid(
          description: "'\(part)' is no retention: write raw=90d or an interval (1m 5m 15m 1h 4h 1d 1w) and a length")
      }
      guard let length = Self.length(sides[1]) else {
        throw Invalid(description: "'\(sides[1])' in '\(part)' is no length of time: write 12h, 30d, 52w or forever")
      }
      guard named.updateValue(length, forKey: sides[0]) == nil else {
        throw Invalid(description: "'\(sides[0])' is given twice: keep one")
      }
    }
    let raw = named["raw"] ?? 90 * Self.day
    guard raw >= Limits.rawRetentionMicrosecondsMin else {
      throw Invalid(description: "raw is kept at least 7d, so that every window can be answered: raise raw")
    }
    var kept: [Int64] = []
    for interval in Interval.allCases {
      let isShort = interval.microseconds < Interval.oneHour.microseconds
      let usual = isShort ? min(raw, interval == .oneMinute ? 30 * Self.day : 90 * Self.day) : .max
      let length = named[interval.rawValue] ?? usual
      if isShort, length > raw {
        throw Invalid(description: "\(interval.rawValue) is kept longer than raw: lower it, or raise raw")
      }
      if interval.microseconds > Interval.oneHour.microseconds, let shorter = kept.last, length < shorter {
        throw Invalid(
          description: "\(interval.rawValue) is kept shorter than the interval before it: raise it, or lower that one")
      }
      kept.append(length)
    }
    rawMicroseconds = raw
    candleMicroseconds = .init { kept[$0] }
  }

  /// How long candles of `interval` are kept, in microseconds. O(1).
  public func microseconds(_ interval: Interval) -> Int64 {
    candleMicroseconds[Interval.allCases.firstIndex(of: interval) ?? 0]
  }

  /// Where the horizon is, at the latest, that belongs to a `newest`: the start of a day. nil where it stays where it is. O(1).
  func horizon(newest: Timestamp) -> Timestamp? {
    let raw = newest - rawMicroseconds
    return rawMicroseconds < .max && raw >= .first ? raw.startOfDay : nil
  }

  /// All lengths in microseconds: raw events, then each interval from the shortest.
  package var lengths: [Int64] { [rawMicroseconds] + candleMicroseconds.indices.map { candleMicroseconds[$0] } }

  /// Makes a policy of its lengths; nil where there are not eight, or one is not over zero.
  package init?(lengths: [Int64]) {
    guard lengths.count == 8, lengths.allSatisfy({ $0 > 0 }) else { return nil }
    rawMicroseconds = lengths[0]
    candleMicroseconds = .init { lengths[$0 + 1] }
  }

  private static let day: Int64 = 86_400_000_000

  private static func length(_ text: String) -> Int64? {
    if text == "forever" { return .max }
    let units: [Character: Int64] = ["m": 60_000_000, "h": 3_600_000_000, "d": day, "w": 7 * day]
    guard let last = text.last, let unit = units[last], text.dropLast().utf8.allSatisfy({ $0 &- 48 < 10 }),
      let count = Int64(text.dropLast()), count > 0
    else { return nil }
    let (length, overflow) = count.multipliedReportingOverflow(by: unit)
    return overflow ? nil : length
  }
}
