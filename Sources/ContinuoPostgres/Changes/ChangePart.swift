// A part of the changes that are taken as one: planned, and what is needed to write down what becomes of it.
// Invariant: what a rejected row was is known for as long as the part is, without the changes that it was made of.
// Not here: planning (ChangePlan), taking (ChangeStream).

#if Postgres
  internal import Continuo

  /// A planned part.
  struct ChangePart {
    /// Where a row of the batch came from.
    struct Origin {
      let table: Int
      let key: RowKey
    }

    let batch: EventBatch
    let keyChanges: [KeyChange]
    let counts: ChangeCounts
    /// How far the source is behind it.
    let position: SourcePosition
    /// By the line of each row; nil for what takes back.
    private let origins: [Origin?]
    /// Of rows that were rejected when they were read, by their lines.
    private let texts: [Int: [(name: String, value: [UInt8])]]

    /// What it takes of memory while it is kept, as so many rows.
    var weight: Int { max(batch.offered, keyChanges.count) + 4 * texts.count }

    /// Keeps what a plan of changes came to.
    init(_ plan: ChangePlan, _ changes: [RowChange], kinds: [EventKind], at position: SourcePosition) {
      (batch, keyChanges, counts, self.position) = (plan.batch, plan.keyChanges, plan.counts, position)
      var texts: [Int: [(name: String, value: [UInt8])]] = [:]
      for rejection in plan.batch.rejections where plan.origins.indices.contains(rejection.line) {
        let origin = plan.origins[rejection.line]
        guard changes.indices.contains(origin), case .put(let table, _, _, _, let event?) = changes[origin] else {
          continue
        }
        texts[rejection.line] = event.texts(kinds[table])
      }
      self.texts = texts
      origins = plan.origins.map { origin in
        guard changes.indices.contains(origin), case .put(let table, let key, _, _, _?) = changes[origin] else {
          return nil
        }
        return Origin(table: table, key: key)
      }
    }

    /// The letters of rows that were rejected when they were read.
    func letters(lsn: LSN, _ tables: [SourceTable]) -> [UInt8] {
      batch.rejections.flatMap { letter($0, lsn: lsn, tables, row: texts[$0.line] ?? []) }
    }

    /// Those of rows that the engine has rejected, for what it holds or what time it is.
    func letters(_ receipt: Receipt, lsn: LSN, _ tables: [SourceTable]) -> [UInt8] {
      guard receipt.rejections.count > batch.rejections.count else { return [] }
      return receipt.rejections.flatMap { rejection in
        batch.row(line: rejection.line).map { letter(rejection, lsn: lsn, tables, row: batch.texts($0)) } ?? []
      }
    }

    private func letter(
      _ rejection: Rejection, lsn: LSN, _ tables: [SourceTable], row: [(name: String, value: [UInt8])]
    ) -> [UInt8] {
      guard origins.indices.contains(rejection.line), let origin = origins[rejection.line] else { return [] }
      return DeadLetters.line(lsn: lsn, table: tables[origin.table].title, key: origin.key, rejection, row: row)
    }
  }
#endif
