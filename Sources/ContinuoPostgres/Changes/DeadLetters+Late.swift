// What a process that ended had rejected and not written down any more: the letters of the newest batch.
// Invariant: a row has one letter, however often its transaction comes.
// Not here: finding them again (LateRejections).

#if Postgres
  internal import Continuo
  internal import ContinuoStorage

  extension DeadLetters {
    /// Writes down what the engine had rejected of the source's newest batch, as far as it is not there. O(length).
    ///
    /// - Parameters:
    ///   - position: how far the directory is.
    ///   - late: what was found when it was opened.
    ///   - keys: which row an event is of.
    func catchUp(
      _ position: SourcePosition, _ late: [LateRejection], _ keys: KeyMap, _ tables: [SourceTable]
    ) throws {
      try recall(from: position.lsn)
      let mine = late.filter { $0.position.position == position.value }
      guard !mine.isEmpty else { return }
      var rows: [EventIdentity: (table: Int, key: RowKey)] = [:]
      for table in tables.indices {
        for (key, event) in keys.events(table) { rows[event.identity(tables[table].kind)] = (table, key) }
      }
      for one in mine {
        // A row that is gone by now was of a table of its kind.
        let table = rows[one.identity]?.table ?? tables.firstIndex { $0.kind == one.identity.kind } ?? 0
        try append(
          Self.line(
            lsn: position.lsn, table: tables[table].title, key: rows[one.identity]?.key, one.rejection, row: one.row))
      }
    }
  }
#endif
