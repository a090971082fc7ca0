// One event as its table has it now, where the stream left something of it out.
// Invariant: what is read may be newer than the change that asked for it; then that newer change is still to come.
// Not here: what is left out (RowReader), the rows of a snapshot (SnapshotLoad).

#if Postgres
  internal import Continuo

  struct RowLookup {
    let server: Connection
    let mapping: TableMapping

    /// The event of a place; nil where the table has none there. Four statements.
    func event(_ index: Int, _ identity: EventIdentity) throws -> MappedEvent? {
      let table = mapping.events[index]
      guard let facts = try TableFacts(server, schema: table.schema, name: table.name) else { return nil }
      let columns = Set(table.columns.values).union([table.onlyColumn].compactMap { $0 }).sorted()
      let reader = try RowReader(
        table, columns.map { name in (name: name, type: facts.column(name)?.typeNumber ?? 0) })
      let numbers = ["\(identity.chain)", "\(identity.block)", "\(identity.logIndex)"]
      let condition = zip(table.keyColumns, numbers).map { "\(SQLText.identifier($0)) = \($1)" }
      let list = columns.map(SQLText.identifier).joined(separator: ", ")
      var (copy, event): (CopyRowReader, MappedEvent?) = (CopyRowReader(), nil)
      try server.copyOut(
        "COPY (SELECT \(list) FROM \(table.quoted) WHERE \(condition.joined(separator: " AND "))) TO STDOUT (FORMAT binary)",
        doing: "reading what was not sent of \(table.title)"
      ) { piece in
        guard let fields = try copy.row(piece, columns: columns.count), !fields.isEmpty else { return }
        event = event ?? reader.event(fields)
      }
      return event
    }
  }
#endif
