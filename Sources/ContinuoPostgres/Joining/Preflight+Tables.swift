// The checks of the tables that are followed: they are there, their columns hold what a field is, and a deleted row has a name.
// Invariant: as Preflight's; what is proposed never makes a write of the application fail.
// Not here: how a row is read (Changes), the publication (Preflight+Publication).
// Rules 20.5.

#if Postgres
  internal import Continuo

  extension Preflight {
    /// The types that a column of each field may have.
    static func types(of field: EventField) -> [String] {
      switch field {
      case .token: ["uuid", "text", "character varying"]
      case .chain, .block, .logIndex: ["smallint", "integer", "bigint"]
      case .timestamp: ["timestamp with time zone"]
      case .amountUSD, .tokenAmount, .priceUSD, .amount: ["numeric", "bigint", "integer"]
      default: ["text", "character varying"]
      }
    }

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
          guard !Self.types(of: field).contains(column.type) else { continue }
          wrong.append(
            .failed(
              "columns",
              "\(table.title).\(name) is \(column.type), and \(field.name) is read from "
                + Self.types(of: field).joined(separator: ", ")))
        }
        if let only = table.onlyColumn, facts.column(only) == nil {
          wrong.append(.failed("columns", "\(table.title) has no column \(only): correct --postgres-mapping"))
        }
        findings +=
          wrong.isEmpty ? [.ok("columns", "\(table.title): \(table.columns.count) fields have their columns")] : wrong
      }
      let tokens = options.mapping.tokens
      if let facts = try TableFacts(server, schema: tokens.schema, name: tokens.name) {
        let missing = [tokens.id, tokens.symbol, tokens.supply].filter { facts.column($0) == nil }
        findings.append(
          missing.isEmpty
            ? .ok("columns", "\(tokens.title): id, symbol and supply have their columns")
            : .failed(
              "columns", "\(tokens.title) has no column \(missing.joined(separator: ", ")): correct --postgres-mapping")
        )
      }
      return findings
    }

    func identities() throws(PostgresFailure) -> [Finding] {
      var findings: [Finding] = []
      for table in options.mapping.events {
        guard let facts = try TableFacts(server, schema: table.schema, name: table.name) else { continue }
        switch facts.identity {
        case .full: findings.append(.ok("identity", "\(table.title): a deleted row comes whole"))
        case .columns(let names, _):
          let key = Set([EventField.chain, .block, .logIndex].compactMap { table.column($0) })
          let isEvent = key.isSubset(of: names)
          findings.append(
            .ok(
              "identity",
              "\(table.title): a deleted row is named by \(names.joined(separator: ", "))"
                + (isEvent ? "" : ", which are kept beside its event")))
        case .none:
          let remedy =
            facts.usableIndex.map { "USING INDEX \(SQLText.identifier($0))" } ?? "FULL"
          findings.append(
            .failed(
              "identity",
              "\(table.title) names no deleted row: published so, the application's own deletes and updates would fail",
              ["ALTER TABLE \(table.quoted) REPLICA IDENTITY \(remedy);"], by: "\(facts.owner), who owns the table"))
        }
      }
      return findings
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
