// What takes the events that come from PostgreSQL: an open data directory, alone or inside of a server.
// Invariant: what was taken is as durable as the directory is set to when the call returns.
// Not here: where events come from (Follower).

package import Continuo
package import ContinuoStorage

package protocol EventSink: Sendable {
  /// The data directory's path.
  var directory: String { get }
  var price: PriceMode { get }
  /// The largest time ever accepted.
  var newest: Timestamp? { get }
  /// Below it everything was dropped.
  var horizon: Timestamp? { get }
  /// How far a source is; nil where nothing of it was taken.
  func position(of source: ByteString) throws -> UInt128?
  /// Takes a batch together with how far its source is.
  ///
  /// - Parameter isHistory: whether it is of a snapshot, within which the horizon stands still.
  func take(_ batch: EventBatch, at position: InputPosition, isHistory: Bool) throws -> Receipt
  /// The same of several that are one: all of them or none, for who reads too. A receipt of each.
  ///
  /// - Parameter note: writes down what the engine rejected; where it did not come to that, ``lateRejections`` of the next opening has it.
  func take(
    whole batches: [EventBatch], at position: InputPosition, note: ([Receipt]) throws -> Void
  ) throws -> [Receipt]
  /// What the engine had rejected of each source's newest batch when the directory was opened.
  var lateRejections: [LateRejections] { get }
  /// Which events of a kind are held. O(events).
  func held(_ kind: EventKind) -> [OrderKey]
  /// Moves the horizon where it is due.
  func moveHorizon() throws
}

/// A data directory that nobody else has open.
package final class LedgerSink: EventSink {
  package let directory: String
  private let ledger: Ledger
  private let publication: Publication
  private let wallClock: @Sendable () -> Timestamp

  package init(_ ledger: Ledger, directory: String, wallClock: @escaping @Sendable () -> Timestamp) {
    (self.ledger, self.directory, self.wallClock) = (ledger, directory, wallClock)
    publication = ledger.publication()
  }

  package var price: PriceMode { ledger.price }
  package var newest: Timestamp? {
    var reader = publication.reader()
    return reader.read { $0.newest }
  }
  package var horizon: Timestamp? {
    var reader = publication.reader()
    return reader.read { $0.horizon }
  }

  package func held(_ kind: EventKind) -> [OrderKey] {
    var reader = publication.reader()
    return reader.read { market in market.tokens().flatMap { market.heldKeys(of: kind, token: $0) } }
  }

  package func position(of source: ByteString) throws -> UInt128? { ledger.position(of: source) }

  package func take(_ batch: EventBatch, at position: InputPosition, isHistory: Bool) throws -> Receipt {
    let receipt = try ledger.take(batch, at: position, wallClock: wallClock())
    if !isHistory { try moveHorizon() }
    return receipt
  }

  package var lateRejections: [LateRejections] { ledger.opening.lateRejections }

  package func take(
    whole batches: [EventBatch], at position: InputPosition, note: ([Receipt]) throws -> Void
  ) throws -> [Receipt] {
    let receipts = try ledger.take(whole: batches, at: position, wallClock: wallClock(), note: note)
    try moveHorizon()
    return receipts
  }

  package func moveHorizon() throws {
    var reader = publication.reader()
    if reader.read({ $0.isHorizonDue }) { _ = try ledger.moveHorizon() }
  }
}
