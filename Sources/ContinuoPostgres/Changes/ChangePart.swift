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

    /// The letters of rows that were rejected.
    func letters(_ rejections: [Rejection], lsn: LSN, _ tables: [SourceTable]) -> [UInt8] {
      var lines: [UInt8] = []
      for rejection in rejections {
        guard origins.indices.contains(rejection.line), let origin = origins[rejection.line] else { continue }
        let row = texts[rejection.line] ?? batch.row(line: rejection.line).map { batch.texts($0) } ?? []
        lines += DeadLetters.line(
          lsn: lsn, table: tables[origin.table].title, key: origin.key, rejection, row: row)
      }
      return lines
    }
  }

  extension EventBatch {
    /// The fields of one of its rows as text, for who has to see why it was rejected.
    func texts(_ row: BatchRow) -> [(name: String, value: [UInt8])] {
      func text(_ value: some CustomStringConvertible) -> [UInt8] { Array(value.description.utf8) }
      let isSwap = row.operation == .swap
      var texts: [(name: String, value: [UInt8])] = [
        ("chain", text(row.key.chain)), ("block", text(row.key.block)), ("log_index", text(row.key.logIndex)),
        ("timestamp", text(row.timestamp)), ("token", bytes(of: row.token).bytes),
      ]
      if let side = row.side { texts.append(("side", text(side.name))) }
      texts.append((isSwap ? "amount_usd" : "amount", text(row.amount)))
      if isSwap {
        if row.tokenAmount != .zero { texts.append(("token_amount", text(row.tokenAmount))) }
        texts.append(("price_usd", text(row.price)))
      }
      for (name, value) in [(isSwap ? "wallet" : "from", row.wallet), ("to", row.to)] where value != .absent {
        texts.append((name, value == .zeroAddress ? Array("0x0".utf8) : bytes(of: value).bytes))
      }
      return texts
    }
  }
#endif
