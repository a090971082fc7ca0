// What a request holds of its body, counted with what all others hold.
// Invariant: what was counted is given back with the value, however the request ends.
// Not here: how long one body may be (EventIntake, HTTPFront).

internal import Synchronization

struct HeldBytes: ~Copyable {
  private let metrics: Metrics
  private let allMax: Int
  private(set) var count = 0

  init(_ metrics: Metrics, _ limits: ServerLimits) {
    self.metrics = metrics
    allMax = limits.heldBytesMax
  }

  deinit { metrics.heldBytes.subtract(count, ordering: .relaxed) }

  /// Holds so many bytes more. O(1).
  mutating func add(_ bytes: Int) throws(Problem) {
    let now = metrics.heldBytes.add(bytes, ordering: .relaxed).newValue
    count += bytes
    guard now <= allMax else {
      throw Problem(
        .memoryLimit, "the bodies of all requests are over \(allMax >> 20) MiB", remedy: "send it again later")
    }
  }
}
