// What the engine rejected of a source's newest batch, found again in replay: who writes it down may not have come to it.
// Invariant: rows of one batch of each source, or of the several that it took as one; what was rejected when it was read is in no journal.
// Not here: writing it down (ContinuoPostgres).

package import Continuo

/// A row that the engine rejected for what it held, or what time it was.
package struct LateRejection: Equatable, Sendable {
  package let position: InputPosition
  package let identity: EventIdentity
  package let rejection: Rejection
  /// Its fields.
  package let row: [(name: String, value: [UInt8])]

  package static func == (left: LateRejection, right: LateRejection) -> Bool {
    (left.position, left.identity, left.rejection) == (right.position, right.identity, right.rejection)
  }
}

/// Gathers them while a journal is taken again.
struct LateRejections {
  private var pending: [(EventIdentity, Rejection, [(name: String, value: [UInt8])])] = []
  private var bySource: [ByteString: [LateRejection]] = [:]

  /// Of each source's newest batch.
  var all: [LateRejection] { bySource.values.flatMap { $0 } }

  /// Notes what became of a record.
  mutating func note(_ record: JournalRecord, _ outcome: LedgerOutcome) {
    guard let batch = record.batch else { return }
    if case .taken(let receipt) = outcome {
      for rejection in receipt.rejections {
        guard let row = batch.row(line: rejection.line) else { continue }
        pending.append((row.identity, rejection, batch.texts(row)))
      }
    }
    guard case .input(_, _, let position) = record else { return }
    bySource[position.source] = pending.map {
      LateRejection(position: position, identity: $0, rejection: $1, row: $2)
    }
    pending = []
  }

  /// A frame ends, and with it what may belong to one batch.
  mutating func endFrame() { pending = [] }
}
