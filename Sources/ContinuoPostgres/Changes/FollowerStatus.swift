// How following goes: what is counted, and how far both sides are.
// Invariant: read by anybody at any time; written by the follower alone.
// Not here: how it is shown (the server's metrics), what is done (Follower).

package import Continuo

/// What a follower is doing.
package struct FollowerStatus: Equatable, Sendable {
  package enum Phase: String, Sendable {
    case connecting, checking, snapshot, streaming, waiting, stopped
  }

  package var phase = Phase.connecting
  /// How far the server's log is, as far as it has told.
  package var serverLSN = LSN(0)
  /// Everything before it is taken and synced.
  package var takenLSN = LSN(0)
  /// What the server was told that it may forget.
  package var confirmedLSN = LSN(0)
  /// When the last transaction was committed that was taken.
  package var lastCommit: Timestamp?
  /// Rows of the snapshot so far.
  package var snapshotRows = 0
  package var transactions = 0
  package var batches = 0
  package var counts = ChangeCounts()
  package var accepted = 0
  package var undone = 0
  package var rejected = 0
  /// Connections that were made again.
  package var reconnections = 0
  /// Snapshots that were begun.
  package var snapshots = 0
  /// Rows of the map of keys.
  package var keys = 0
  /// Whether a snapshot was taken whole, now or before this start.
  package var isWhole = false
  /// When everything that the server had told was taken.
  package var inStepAt: ContinuousClock.Instant?
  /// Why it waits, or has stopped.
  package var failure: String?

  package init() {}

  /// Notes that everything is taken that the server has told of, where it is so.
  mutating func noteStep() {
    if phase == .streaming, lagBytes == 0 { inStepAt = .now }
  }

  /// Whether something the server has told of is not taken, or it is not known what there is.
  package var isBehind: Bool { phase != .streaming || lagBytes > 0 }

  /// How much of the server's log is not taken yet, in bytes.
  package var lagBytes: Int64 {
    Int64(clamping: serverLSN.value) - Int64(clamping: min(serverLSN.value, takenLSN.value))
  }
}
