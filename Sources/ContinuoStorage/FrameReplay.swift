// Records of a journal, taken again: those that were one are one, and what was rejected of each source's newest batch is kept.
// Invariant: the engine is as it was when they were taken first.
// Not here: reading them (JournalReader), writing down what was rejected (ContinuoPostgres).

package import Continuo

/// What the engine rejected, for what it held or what time it was, of the newest batch of a source: who writes it down may not have
/// come to it.
package struct LateRejections: Sendable {
  package let position: InputPosition
  private let parts: [(batch: EventBatch, rejections: [Rejection])]

  init?(_ position: InputPosition, _ parts: [(batch: EventBatch, rejections: [Rejection])]) {
    let late = parts.filter { part in part.rejections.contains { part.batch.row(line: $0.line) != nil } }
    guard !late.isEmpty else { return nil }
    (self.position, self.parts) = (position, late)
  }

  /// Lends each rejected row: what it is told from all others by, why, and its fields. O(rows).
  package func eachRow(_ body: (EventIdentity, Rejection, [(name: String, value: [UInt8])]) throws -> Void) rethrows {
    for (batch, rejections) in parts {
      for rejection in rejections {
        guard let row = batch.row(line: rejection.line) else { continue }
        try body(row.identity, rejection, batch.texts(row))
      }
    }
  }
}

extension LateRejections: Equatable {
  package static func == (left: LateRejections, right: LateRejections) -> Bool {
    left.position == right.position && left.parts.map(\.rejections) == right.parts.map(\.rejections)
  }
}

/// Takes the records of frames.
struct FrameReplay {
  /// Parts whose end is still to come.
  private var parts: [JournalRecord] = []
  private var newest: [ByteString: LateRejections] = [:]

  /// Of each source's newest batch, where something was rejected; ascending by the source.
  var late: [LateRejections] { newest.values.sorted { $0.position.source < $1.position.source } }

  /// Takes a record, or keeps it until all that is one with it is there.
  mutating func take(_ record: JournalRecord, _ engine: inout Engine) {
    parts.append(record)
    if !record.isPart { takeParts(&engine) }
  }

  private mutating func takeParts(_ engine: inout Engine) {
    defer { parts.removeAll(keepingCapacity: true) }
    let outcome = engine.take(whole: parts)
    guard case .input(_, _, let position)? = parts.last, let receipts = try? outcome.receipts() else { return }
    newest[position.source] = LateRejections(
      position, zip(parts.compactMap(\.batch), receipts.map(\.rejections)).map { ($0, $1) })
  }
}
