// The checks of what is Continuo's own in the database: tables of its names, columns that were taken, who wrote last.
// Invariant: as Preflight's; a relation that is not ours is never taken for ours.
// Not here: making them (Migration).

#if Postgres
  internal import Continuo

  extension Preflight {
    private var schema: String { options.mapping.tokens.schema }

    func ownTables() throws(PostgresFailure) -> [Finding] {
      let found = try server.query(
        """
        select c.relname::text, coalesce(obj_description(c.oid, 'pg_class') like $3, false), pg_get_userbyid(c.relowner)::text,
          pg_has_role(c.relowner, 'USAGE') from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = $1 and c.relname = any($2::text[]::name[]) order by 1
        """, [.text(schema), .texts(OwnTables.all), .text(OwnTables.mark + "%")]
      ).all
      var findings: [Finding] = []
      for row in found where row.bool(1) != true {
        findings.append(
          .failed(
            "own_tables", "\(schema).\(row.text(0) ?? "") is not Continuo's, and stands where its own would",
            [
              "ALTER TABLE \(SQLText.relation(schema, row.text(0) ?? "")) RENAME TO \(SQLText.identifier((row.text(0) ?? "") + "_old"));"
            ],
            by: "\(row.text(2) ?? ""), who owns it, if the application can do without it"))
      }
      for row in found where row.bool(1) == true && row.bool(3) != true {
        findings.append(
          .failed(
            "own_tables", "\(schema).\(row.text(0) ?? "") belongs to \(row.text(2) ?? "")",
            ["ALTER TABLE \(SQLText.relation(schema, row.text(0) ?? "")) OWNER TO \(roleQuoted);"], by: "a superuser"))
      }
      if found.count < OwnTables.all.count, findings.isEmpty {
        let row = try server.query("select has_schema_privilege($1, 'CREATE')", [.text(schema)]).first
        findings.append(
          row?.bool(0) == true
            ? .ok(
              "own_tables", "\(found.count) of \(OwnTables.all.count) are there; 'continuo migrate' makes the others")
            : .failed(
              "own_tables", "\(role) may make no tables in schema \(schema)",
              ["GRANT CREATE ON SCHEMA \(SQLText.identifier(schema)) TO \(roleQuoted);"], by: "the owner of the schema")
        )
      }
      return findings.isEmpty ? [.ok("own_tables", "all \(OwnTables.all.count) are there")] : findings
    }

    /// Summaries are brought in temporary tables.
    func temporary() throws(PostgresFailure) -> [Finding] {
      let row = try server.query(
        "select has_database_privilege(current_database(), 'TEMPORARY'), current_database()::text"
      ).first
      return row?.bool(0) == true
        ? [.ok("temporary", "\(role) may make temporary tables")]
        : [
          .failed(
            "temporary", "\(role) may make no temporary tables, in which summaries are brought",
            ["GRANT TEMPORARY ON DATABASE \(SQLText.identifier(row?.text(1) ?? "")) TO \(roleQuoted);"],
            by: "the owner of the database")
        ]
    }

    /// Whether there is a table of ours.
    private func hasOwn(_ name: String) throws(PostgresFailure) -> Bool {
      try server.hasRelation(SQLText.relation(schema, name))
    }

    func ownedColumns() throws(PostgresFailure) -> [Finding] {
      guard try hasOwn(OwnTables.owned) else { return [.ok("owned_columns", "none was taken")] }
      let rows = try server.query(
        """
        select o.relation, o.column_name, exists (select 1 from pg_attribute a where a.attrelid = to_regclass(o.relation)
            and a.attname = o.column_name and not a.attisdropped),
          case when to_regclass(o.relation) is null then false
            when not exists (select 1 from pg_attribute a where a.attrelid = to_regclass(o.relation) and a.attname = o.column_name
              and not a.attisdropped) then false
            else has_column_privilege(to_regclass(o.relation), o.column_name, 'UPDATE') end
        from \(SQLText.relation(schema, OwnTables.owned)) o order by 1, 2
        """
      ).all
      var findings: [Finding] = []
      for row in rows {
        let (relation, column) = (row.text(0) ?? "", row.text(1) ?? "")
        if row.bool(2) != true {
          findings.append(
            .failed(
              "owned_columns", "\(relation).\(column) was taken, and is not there any more: 'continuo migrate --disown'"
            ))
        } else if row.bool(3) != true {
          findings.append(
            .failed(
              "owned_columns", "\(role) may not write \(relation).\(column)",
              ["GRANT UPDATE (\(SQLText.identifier(column))) ON \(relation) TO \(roleQuoted);"],
              by: "the owner of the table"))
        }
      }
      return findings.isEmpty
        ? [.ok("owned_columns", rows.isEmpty ? "none was taken" : "\(rows.count) can be written")] : findings
    }

    func epoch() throws(PostgresFailure) -> [Finding] {
      guard try hasOwn(OwnTables.sync) else { return [.ok("epoch", "nobody has written yet")] }
      let row = try server.query(
        "select max(epoch), max(at) from \(SQLText.relation(schema, OwnTables.sync))"
      ).first
      guard let last = row?.int(0) else { return [.ok("epoch", "nobody has written yet")] }
      let at = row?.timestamp(1).map { ", last at \($0)" } ?? ""
      if let own = options.epoch, own < last {
        return [
          .failed(
            "epoch",
            "an engine of epoch \(last) has written\(at), and this one has epoch \(own): it was taken over and must not write"
          )
        ]
      }
      return [.ok("epoch", "\(last)\(at)")]
    }
  }
#endif
