// The checks of publication and slot: what an operator has made is used as it is, if it holds what is needed.
// Invariant: as Preflight's.
// Not here: making them (Attachment), the tables themselves (Preflight+Tables).

#if Postgres
  internal import Continuo

  extension Preflight {
    /// Tables with the columns that are needed of them.
    private var published: [(schema: String, name: String, columns: Set<String>)] {
      let tokens = options.mapping.tokens
      var tables = [(tokens.schema, tokens.name, Set([tokens.id, tokens.symbol, tokens.supply]))]
      for table in options.mapping.events {
        tables.append(
          (table.schema, table.name, Set(Array(table.columns.values) + [table.onlyColumn].compactMap { $0 })))
      }
      return tables
    }

    private var tableList: String {
      published.map { SQLText.relation($0.schema, $0.name) }.joined(separator: ", ")
    }

    func publication() throws(PostgresFailure) -> [Finding] {
      let row = try server.query(
        """
        select pubinsert and pubupdate and pubdelete and pubtruncate, pubviaroot, pg_get_userbyid(pubowner)::text
        from pg_publication where pubname = $1
        """, [.text(joinName)]
      ).first
      guard let row else { return try missingPublication() }
      let name = SQLText.identifier(joinName)
      let owner = "\(row.text(2) ?? ""), who owns the publication"
      var findings: [Finding] = []
      if row.bool(0) != true {
        findings.append(
          .failed(
            "publication", "\(joinName) does not tell of every kind of change",
            ["ALTER PUBLICATION \(name) SET (publish = 'insert, update, delete, truncate');"], by: owner))
      }
      if row.bool(1) != true, try anyPartitioned() {
        findings.append(
          .failed(
            "publication", "\(joinName) tells of partitions, not of the table that they are of",
            ["ALTER PUBLICATION \(name) SET (publish_via_partition_root = true);"], by: owner))
      }
      findings += try contents(name, owner)
      return findings.isEmpty ? [.ok("publication", "\(joinName) has every table that is followed")] : findings
    }

    private func contents(_ name: String, _ owner: String) throws(PostgresFailure) -> [Finding] {
      // Of version 15 on rows and columns can be left out.
      let filter = server.version >= 150_000 ? "rowfilter is not null" : "false"
      let names = server.version >= 150_000 ? "array_to_string(attnames, chr(1))" : "null::text"
      let rows = try server.query(
        "select schemaname::text, tablename::text, \(filter), \(names) from pg_publication_tables where pubname = $1",
        [.text(joinName)]
      ).all
      var findings: [Finding] = []
      for table in published {
        let title = "\(table.schema).\(table.name)"
        let quoted = SQLText.relation(table.schema, table.name)
        guard let row = rows.first(where: { $0.text(0) == table.schema && $0.text(1) == table.name }) else {
          findings.append(
            .failed(
              "publication", "\(joinName) lacks \(title)", ["ALTER PUBLICATION \(name) ADD TABLE \(quoted);"], by: owner
            ))
          continue
        }
        let columns = Set((row.text(3) ?? "").split(separator: "\u{1}").map(String.init))
        let missing = columns.isEmpty ? [] : table.columns.subtracting(columns).sorted()
        if row.bool(2) == true || !missing.isEmpty {
          let what =
            missing.isEmpty
            ? "leaves rows of \(title) out" : "leaves columns of \(title) out: \(missing.joined(separator: ", "))"
          findings.append(
            .failed(
              "publication", "\(joinName) \(what)",
              ["ALTER PUBLICATION \(name) DROP TABLE \(quoted);", "ALTER PUBLICATION \(name) ADD TABLE \(quoted);"],
              by: owner))
        }
      }
      let wanted = Set(published.map { [$0.schema, $0.name] })
      let foreign = rows.filter { !wanted.contains([$0.text(0) ?? "", $0.text(1) ?? ""]) }
      if !foreign.isEmpty {
        findings.append(
          .warning(
            "publication",
            "\(joinName) has \(foreign.count) more tables, whose changes are sent and passed over: "
              + foreign.prefix(3).map { "\($0.text(0) ?? "").\($0.text(1) ?? "")" }.joined(separator: ", ")))
      }
      return findings
    }

    private func anyPartitioned() throws(PostgresFailure) -> Bool {
      for table in published {
        if try TableFacts(server, schema: table.schema, name: table.name)?.isPartitioned == true { return true }
      }
      return false
    }

    private func missingPublication() throws(PostgresFailure) -> [Finding] {
      var owners: Set<String> = []
      for table in published {
        if let facts = try TableFacts(server, schema: table.schema, name: table.name) { owners.insert(facts.owner) }
      }
      let row = try server.query(
        """
        select has_database_privilege(current_database(), 'CREATE'), current_database()::text,
          bool_and(pg_has_role(o::name, 'USAGE')) from unnest($1::text[]) as o
        """, [.texts(owners.sorted())]
      ).first
      if row?.bool(0) == true, row?.bool(2) == true {
        return [.ok("publication", "there is none yet: \(joinName) is made at the first start")]
      }
      let who =
        owners.count == 1 ? "\(owners.first ?? ""), who owns the tables, with CREATE on the database" : "a superuser"
      var sql = [
        "CREATE PUBLICATION \(SQLText.identifier(joinName)) FOR TABLE \(tableList) WITH (publish_via_partition_root = true);"
      ]
      if let owner = owners.first, owners.count == 1 {
        let database = SQLText.identifier(row?.text(1) ?? "")
        sql.insert("GRANT CREATE ON DATABASE \(database) TO \(SQLText.identifier(owner));", at: 0)
      }
      return [.failed("publication", "there is none named \(joinName), and \(role) may not make it", sql, by: who)]
    }

    func slot() throws(PostgresFailure) -> [Finding] {
      let row = try server.query(
        """
        select plugin::text, database::text = current_database()::text, active, coalesce(wal_status, ''), active_pid::int8,
          pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn)::int8
        from pg_replication_slots where slot_name::text = $1
        """, [.text(joinName)]
      ).first
      guard let row else { return [.ok("slot", "there is none yet: \(joinName) is made at the first start")] }
      let drop = "SELECT pg_drop_replication_slot(\(SQLText.literal(joinName)));"
      let who = "a superuser, or a role with REPLICATION"
      guard row.text(0) == "pgoutput", row.bool(1) == true else {
        return [.failed("slot", "\(joinName) is of another plugin or database: it is somebody else's", [drop], by: who)]
      }
      if row.text(3) == "lost" {
        return [
          .warning(
            "slot",
            "\(joinName) was overtaken by max_slot_wal_keep_size: a start makes a new one and reads all rows again")
        ]
      }
      if row.bool(2) == true {
        return [
          .warning("slot", "\(joinName) is read by process \(row.int(4) ?? 0) already: another Continuo, or this one")
        ]
      }
      return [.ok("slot", "\(joinName) is free, \(row.int(5) ?? 0) bytes behind")]
    }
  }
#endif
