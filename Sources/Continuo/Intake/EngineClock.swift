// The engine's clock and `newest`: both only move forward.
// Invariant: clock ≥ newest; neither goes back, not by a rollback either.
// Not here: reading a wall clock (it is handed in), the horizon (Eviction).
// Rules 3.9.

/// What time it is for the engine.
struct EngineClock: Equatable, BitwiseCopyable {
  /// The largest timestamp ever accepted.
  private(set) var newest: Timestamp?
  /// The largest wall clock that was handed in to move the clock, or that was persisted.
  private(set) var advanced: Timestamp?

  /// The clock: nil until there is any event or wall clock.
  var now: Timestamp? {
    guard let newest, let advanced else { return newest ?? advanced }
    return max(newest, advanced)
  }

  /// Takes notice of an accepted event.
  mutating func accept(_ timestamp: Timestamp) { newest = max(newest ?? timestamp, timestamp) }

  /// Moves the clock to `instant`, if that is later.
  mutating func advance(to instant: Timestamp) { advanced = max(advanced ?? instant, instant) }
}
