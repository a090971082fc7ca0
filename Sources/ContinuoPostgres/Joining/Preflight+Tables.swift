// The checks of the tables that are followed: they are there, their columns hold what a field is, and a deleted row has a name.
// Invariant: as Preflight's; what is proposed never makes a write of the application fail.
// Not here: how a row is read (Changes), the publication (Preflight+Publication).
// Rules 20.5.

#if Postgres
  internal import Continuo

  extension Preflight {
    func tables() throws(PostgresFailure) -> [Finding] {
      var findings: [Finding] = []
      let all =
        options.mapping.events.map { ($0.schema, $0.name) } + [
          (options.mapping.tokens.schema, options.mapping.tokens.name)
        ]
      for (schema, name) in all {
        let facts = try TableFacts(server, schema: schema, name: name)
        guard let facts else {
          findings.append(.failed("tables", "there is no table \(schema).\(name): correct --postgres-mapping"))
          continue
        }
        findings.append(
          .ok("tables", "\(schema).\(name), of \(facts.owner)\(facts.isPartitioned ? ", partitioned" : "")"))
      }
      return findings
    }

    func columns() throws(PostgresFailure) -> [Finding] {
      var findings: [Finding] = []
      for table in options.mapping.events {
        guard let facts = try TableFacts(server, schema: table.schema, name: table.name) else { continue }
        var wrong: [Finding] = []
        for field in EventField.allCases {
          guard let name = table.column(field) else { continue }
          guard let column = facts.column(name) else {
            wrong.append(
              .failed("columns", "\(table.title) has no column \(name) (for \(field.name)): correct --postgres-mapping")
            )
            continue
          }
          guard !field.serverTypes.contains(column.typeNumber) else { continue }
          wrong.append(
            .failed(
              "columns",
              "\(table.title).\(name) is \(column.type), and \(field.name) is read from "
                + field.serverTypes.map(ServerType.title).joined(separator: ", ")))
        }
        if let only = table.onlyColumn {
          let column = facts.column(only)
          if column == nil {
            wrong.append(.failed("columns", "\(table.title) has no column \(only): correct --postgres-mapping"))
          } else if let column, !ServerType.isComparable(column.typeNumber) {
            wrong.append(
              .failed("columns", "\(table.title).\(only) is \(column.type), which is not compared as a text"))
          }
        }
        findings +=
          wrong.isEmpty ? [.ok("columns", "\(table.title): \(table.columns.count) fields have their columns")] : wrong
      }
      return try findings + tokenColumns()
    }

    private func tokenColumns() throws(PostgresFailure) -> [Finding] {
      let tokens = options.mapping.tokens
      guard let facts = try TableFacts(server, schema: tokens.schema, name: tokens.name) else { return [] }
      var wrong: [Finding] = []
      for (name, isRead, types) in tokens.readColumns {
        guard let column = facts.column(name) else {
          wrong.append(.failed("columns", "\(tokens.title) has no column \(name): correct --postgres-mapping"))
          continue
        }
        if !isRead(column.typeNumber) {
          wrong.append(.failed("columns", "\(tokens.title).\(name) is \(column.type), and is read from \(types)"))
        }
      }
      return wrong.isEmpty ? [.ok("columns", "\(tokens.title): id, symbol and supply have their columns")] : wrong
    }

    /// Schema, name, and the columns that name an event, of every table that is published.
    private var publishedTables: [(schema: String, name: String, event: Set<String>?)] {
      options.mapping.events.map { ($0.schema, $0.name, Set($0.keyColumns)) } + [
        (options.mapping.tokens.schema, options.mapping.tokens.name, nil)
      ]
    }

    func identities() throws(PostgresFailure) -> [Finding] {
      var findings: [Finding] = []
      for (schema, name, event) in publishedTables {
        guard let facts = try TableFacts(server, schema: schema, name: name) else { continue }
        let title = "\(schema).\(name)"
        switch facts.identity {
        case .full: findings.append(.ok("identity", "\(title): a deleted row comes whole"))
        case .columns(let names, _):
          let isKept = event.map { !$0.isSubset(of: names) } ?? false
          findings.append(
            .ok(
              "identity",
              "\(title): a deleted row is named by \(names.joined(separator: ", "))"
                + (isKept ? ", which are kept beside its event" : "")))
        case .none:
          findings.append(
            .failed(
              "identity",
              "\(title) names no deleted row: published so, the application's own deletes and updates would fail",
              [facts.naming(SQLText.relation(schema, name))].compactMap(\.self),
              by: "\(facts.owner), who owns the table; or 'continuo migrate --alter-identity' by a superuser"))
        }
        findings += try leafIdentities(facts)
      }
      return findings
    }

    /// A partition tells of its rows by its own replica identity, whatever its table's is.
    private func leafIdentities(_ facts: TableFacts) throws(PostgresFailure) -> [Finding] {
      try facts.leaves(server).compactMap { leaf in
        guard let statement = facts.naming(of: leaf) else { return nil }
        let what =
          leaf.names.isEmpty
          ? "names no deleted row: the application's own deletes and updates would fail"
          : "names a deleted row by other columns than its table does"
        return .failed(
          "identity", "\(leaf.title), a partition, \(what)", [statement],
          by: "\(leaf.owner), who owns the partition")
      }
    }

    func reading() throws(PostgresFailure) -> [Finding] {
      var findings: [Finding] = []
      let all =
        options.mapping.events.map { ($0.schema, $0.name, $0.quoted, $0.title) }
        + [
          (
            options.mapping.tokens.schema, options.mapping.tokens.name, options.mapping.tokens.quoted,
            options.mapping.tokens.title
          )
        ]
      for (schema, name, quoted, title) in all {
        guard let facts = try TableFacts(server, schema: schema, name: name) else { continue }
        let row = try server.query(
          "select has_schema_privilege($1, 'USAGE'), has_table_privilege($2::int8::oid, 'SELECT')",
          [.text(schema), .int8(Int64(facts.number))]
        ).first
        var missing: [String] = []
        if row?.bool(0) != true {
          missing.append("GRANT USAGE ON SCHEMA \(SQLText.identifier(schema)) TO \(roleQuoted);")
        }
        if row?.bool(1) != true { missing.append("GRANT SELECT ON \(quoted) TO \(roleQuoted);") }
        findings.append(
          missing.isEmpty
            ? .ok("select", "\(role) may read \(title)")
            : .failed("select", "\(role) may not read \(title)", missing, by: "\(facts.owner), who owns the table"))
      }
      return findings
    }
  }
#endif
