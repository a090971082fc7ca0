// How long to wait before a server is asked again.
// Invariant: a wait is between half and all of what the count of failures says, and never longer than the longest.
// Not here: what may be tried again (PostgresFailure.isTransient).

/// Waits that double, each shortened at random, so that many clients of a server that comes back do not come at once.
package struct Backoff: Sendable {
  private let firstMicroseconds: Int64
  private let longestMicroseconds: Int64
  /// Failures since the last success.
  package private(set) var failures = 0

  /// O(1).
  package init(firstMicroseconds: Int64 = 100_000, longestMicroseconds: Int64 = 15_000_000) {
    (self.firstMicroseconds, self.longestMicroseconds) = (firstMicroseconds, longestMicroseconds)
  }

  /// How long to wait after one more failure, in microseconds. O(1).
  package mutating func next(using random: inout some RandomNumberGenerator) -> Int64 {
    let doubled = firstMicroseconds << Int64(min(failures, 20))
    failures += 1
    let whole = min(doubled, longestMicroseconds)
    return Int64.random(in: (whole / 2)...whole, using: &random)
  }

  /// Begins anew. O(1).
  package mutating func succeed() { failures = 0 }
}
