// How far the engine is in the server's log, as the one number that a directory keeps of a source.
// Invariant: it only grows: a snapshot that is begun anew is of the next generation, whatever the server's log says.
// Not here: keeping it (Ledger), the places themselves (LSN).

package import Continuo

/// generation (16 bits), place in the log (64), changes of a transaction (32), step (16).
package struct SourcePosition: Equatable, Comparable, Sendable {
  /// Which snapshot everything stands on.
  package var generation: UInt16
  /// Everything before it was taken; zero while the snapshot is.
  package var lsn: LSN
  /// How many changes were taken of the transaction that commits at `lsn`.
  package var changes: UInt32
  /// What tells several batches of one change apart: a truncation is as long as its table.
  package var step: UInt16

  package init(generation: UInt16, lsn: LSN, changes: UInt32 = 0, step: UInt16 = 0) {
    (self.generation, self.lsn, self.changes, self.step) = (generation, lsn, changes, step)
  }

  /// Reads the number that a directory has.
  package init(_ value: UInt128) {
    generation = UInt16(truncatingIfNeeded: value >> 112)
    lsn = LSN(UInt64(truncatingIfNeeded: value >> 48))
    changes = UInt32(truncatingIfNeeded: value >> 16)
    step = UInt16(truncatingIfNeeded: value)
  }

  /// The number.
  package var value: UInt128 {
    UInt128(generation) << 112 | UInt128(lsn.value) << 48 | UInt128(changes) << 16 | UInt128(step)
  }

  /// Whether it is between transactions.
  package var isBetween: Bool { changes == 0 && step == 0 }

  package static func < (left: SourcePosition, right: SourcePosition) -> Bool { left.value < right.value }

  /// Whether a snapshot was taken whole.
  package var isWhole: Bool { lsn.value > 0 }

  /// What a directory calls the source of a name.
  package static func source(_ name: String) -> ByteString { ByteString("postgres \(name)") }
}
