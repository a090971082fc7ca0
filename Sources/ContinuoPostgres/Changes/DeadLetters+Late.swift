// What a process that ended had rejected and not written down any more: the letters of the newest batch.
// Invariant: none that is there is written again.
// Not here: finding them again (LateRejections).

#if Postgres
  internal import Continuo
  internal import ContinuoStorage

  extension DeadLetters {
    /// Looks which letters of what comes again are there, and writes down what the engine had rejected of the source's newest batch, as
    /// far as it is not. O(length + rows).
    ///
    /// - Parameters:
    ///   - position: how far the directory is.
    ///   - late: what was found when it was opened.
    ///   - keys: which row an event is of.
    func catchUp(
      _ position: SourcePosition, _ late: LateRejections?, _ keys: KeyMap, _ tables: [SourceTable]
    ) throws {
      var known = try recall(position)
      guard let late, late.position.position == position.value else { return }
      var wanted: [EventIdentity: [(table: Int, key: RowKey)]] = [:]
      for row in late.rows { wanted[row.identity] = [] }
      for table in tables.indices {
        for (key, event) in keys.events(table) {
          wanted[event.identity(tables[table].kind)]?.append((table, key))
        }
      }
      var lines: [UInt8] = []
      for (identity, rejection, row) in late.rows {
        // Of several rows with the identity nobody knows which was rejected; a row that is gone was of a table of its kind.
        let rows = wanted[identity] ?? []
        let table = rows.first?.table ?? tables.firstIndex { $0.kind == identity.kind } ?? 0
        let line = Self.line(
          lsn: position.lsn, table: tables[table].title, key: rows.count == 1 ? rows[0].key : nil, rejection, row: row)
        if !Self.isTaken(Self.from("reason", line.dropLast()), of: &known) { lines += line }
      }
      try append(lines)
    }
  }
#endif
