// Names for deleted rows: a table that has none gets one where that is asked for, and has its old one again behind it.
// Invariant: what a table had is kept before it is altered, once; nothing is put back that would make the application's deletes fail.
// Not here: what is wrong with a table (Preflight+Tables), the other tables and columns (Migration).

#if Postgres
  extension TableFacts {
    /// What gives a table a name for its deleted rows; nil where it has one.
    func naming(_ relation: String) -> String? {
      guard case .none = identity else { return nil }
      let how = usableIndex.map { "USING INDEX \(SQLText.identifier($0))" } ?? "FULL"
      return "ALTER TABLE \(relation) REPLICA IDENTITY \(how);"
    }

    /// The same of a partition, which tells of its rows by its own identity, whatever its table's is.
    func naming(of leaf: Leaf) -> String? {
      if leaf.isFull { return nil }
      if case .columns(let names, _) = identity, leaf.names == Set(names) { return nil }
      return "ALTER TABLE \(leaf.quoted) REPLICA IDENTITY FULL;"
    }
  }

  /// Alters, and puts back. Within a transaction of ``Migration``.
  struct ReplicaIdentities {
    let mapping: TableMapping
    let server: Connection

    private var own: String { SQLText.relation(mapping.tokens.schema, OwnTables.identities) }

    /// The statements that are still to be run, each with its table; those of partitions as their tables are now.
    func pending() throws(PostgresFailure) -> [(relation: String, statement: String)] {
      var pending: [(relation: String, statement: String)] = []
      let tables =
        mapping.events.map { ($0.schema, $0.name) } + [(mapping.tokens.schema, mapping.tokens.name)]
      for (schema, name) in tables {
        guard let facts = try TableFacts(server, schema: schema, name: name) else { continue }
        let relation = SQLText.relation(schema, name)
        if let statement = facts.naming(relation) { pending.append((relation, statement)) }
        for leaf in try facts.leaves(server) {
          if let statement = facts.naming(of: leaf) { pending.append((leaf.quoted, statement)) }
        }
      }
      return pending
    }

    /// Runs them; what was run. The tables' owner may.
    func alter() throws(PostgresFailure) -> [String] {
      var done: [String] = []
      for (relation, statement) in try pending() {
        _ = try server.query(
          """
          insert into \(own) (relation, was) select $1, case c.relreplident when 'd' then 'DEFAULT' when 'f' then 'FULL' when 'n' then 'NOTHING'
            else coalesce('USING INDEX ' || (select quote_ident(i.relname) from pg_index x join pg_class i on i.oid = x.indexrelid
              where x.indrelid = c.oid and x.indisreplident), 'NOTHING') end
          from pg_class c where c.oid = to_regclass($1) on conflict do nothing
          """, [.text(relation)], doing: "keeping the replica identity of \(relation)")
        try server.script(statement, doing: "altering the replica identity of \(relation)")
        done.append(statement)
      }
      return done
    }

    /// Puts back what was altered, but where rows would have no name in a publication that is still there; what was done.
    func restore() throws(PostgresFailure) -> [String] {
      let isThere = try server.query("select to_regclass($1) is not null", [.text(own)]).first?.bool(0)
      guard isThere == true else { return [] }
      let rows = try server.query(
        """
        select i.relation, i.was, exists (select 1 from pg_publication_tables p join pg_namespace n on n.nspname = p.schemaname
            join pg_class c on c.relnamespace = n.oid and c.relname = p.tablename
            join pg_publication u on u.pubname = p.pubname and (u.pubupdate or u.pubdelete)
            where c.oid = to_regclass(i.relation)
              or to_regclass(i.relation) in (select relid from pg_partition_tree(c.oid::regclass)))
        from \(own) i where to_regclass(i.relation) is not null order by 1
        """
      ).all
      var done: [String] = []
      for row in rows {
        let (relation, was) = (row.text(0) ?? "", row.text(1) ?? "")
        guard row.bool(2) != true else {
          done.append("left the replica identity of \(relation) as it is: it is still published; it was \(was)")
          continue
        }
        try server.script(
          "ALTER TABLE \(relation) REPLICA IDENTITY \(was)", doing: "putting back the replica identity of \(relation)")
        done.append("put back the replica identity of \(relation): \(was)")
      }
      return done
    }
  }
#endif
