// How much memory the process may have before it takes no more events.
// Invariant: the system is asked at most every 100 ms; nothing but events is refused.
// Not here: what takes the memory, bodies that are on their way (EventIntake).

internal import Continuo
internal import Synchronization

final class MemoryGate: Sendable {
  private struct Look: Sendable {
    var next = ContinuousClock.now
    var bytes: Int?
  }

  /// How many bytes the process may have; nil: as many as there are.
  let limit: Int?
  private let look = Mutex(Look())
  private static let pause = Duration.milliseconds(100)

  init(limit: Int?) { self.limit = limit }

  /// Whether the process has as much as it may. O(1).
  var isReached: Bool {
    guard let limit, let bytes = resident else { return false }
    return bytes >= limit
  }

  /// What the process had when it was looked at last.
  private var resident: Int? {
    look.withLock { look in
      let now = ContinuousClock.now
      if look.next <= now { look = Look(next: now + Self.pause, bytes: ResidentMemory.bytes) }
      return look.bytes
    }
  }

  /// Refuses events where it has.
  func require() throws(Problem) {
    guard let limit, isReached else { return }
    throw Problem(
      .memoryLimit, "the process has reached its \(limit >> 20) MiB of memory; reads, rollbacks and retractions go on",
      remedy: "keep less with --retention, or raise --memory-limit; then send the same again")
  }
}
