// Records of a journal, taken again: those that were one are one, and what was rejected of each source's newest batch is kept.
// Invariant: the engine is as it was when they were taken first.
// Not here: reading them (JournalReader), writing down what was rejected (ContinuoPostgres).

package import Continuo

/// What the engine rejected, for what it held or what time it was, of the newest batch of a source: who writes it down may not have
/// come to it.
package struct LateRejections: Sendable {
  package let position: InputPosition
  /// What each row is told from all others by, why it was rejected, and its fields.
  package let rows: [(identity: EventIdentity, rejection: Rejection, fields: [(name: String, value: [UInt8])])]

  /// Finds the rows of the batches of a step; nil where there are none.
  init?(_ position: InputPosition, _ parts: [(batch: EventBatch, rejections: [Rejection])]) {
    self.position = position
    rows = parts.flatMap { batch, rejections in
      rejections.compactMap { rejection in
        batch.row(line: rejection.line).map { ($0.identity, rejection, batch.texts($0)) }
      }
    }
    if rows.isEmpty { return nil }
  }
}

extension LateRejections: Equatable {
  package static func == (left: LateRejections, right: LateRejections) -> Bool {
    left.position == right.position && left.rows.map(\.rejection) == right.rows.map(\.rejection)
      && left.rows.map(\.identity) == right.rows.map(\.identity)
  }
}

/// Takes the records of frames.
struct FrameReplay {
  /// Parts whose end is still to come.
  private var parts: [JournalRecord] = []
  private var newest: [ByteString: (position: InputPosition, parts: [(batch: EventBatch, rejections: [Rejection])])] =
    [:]

  /// Of each source's newest batch, where something was rejected; ascending by the source.
  var late: [LateRejections] {
    newest.values.compactMap { LateRejections($0.position, $0.parts) }.sorted {
      $0.position.source < $1.position.source
    }
  }

  /// Takes a record, or keeps it until all that is one with it is there.
  mutating func take(_ record: JournalRecord, _ engine: inout Engine) {
    parts.append(record)
    if !record.isPart { takeParts(&engine) }
  }

  private mutating func takeParts(_ engine: inout Engine) {
    defer { parts.removeAll(keepingCapacity: true) }
    let outcome = engine.take(whole: parts)
    guard case .input(_, _, let position)? = parts.last, let receipts = try? outcome.receipts() else { return }
    let isAny = receipts.contains { !$0.rejections.isEmpty }
    newest[position.source] =
      isAny ? (position, zip(parts.compactMap(\.batch), receipts.map(\.rejections)).map { ($0, $1) }) : nil
  }
}
