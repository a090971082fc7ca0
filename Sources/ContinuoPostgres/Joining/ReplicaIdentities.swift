// Names for deleted rows: a table that has none gets one where that is asked for, and has its old one again behind it.
// Invariant: what a table had is kept before it is altered, once; nothing is put back that would make the application's deletes fail.
// Not here: what is wrong with a table (Preflight+Tables), the other tables and columns (Migration). Statements are made of the
// catalog's names: what stands in a table of ours is no SQL.

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

  /// Alters, and puts back: each relation in a transaction of its own, so that no lock waits for another one.
  struct ReplicaIdentities {
    let mapping: TableMapping
    let server: Connection

    private var own: String { SQLText.relation(mapping.tokens.schema, OwnTables.identities) }

    /// What names a deleted row of relation $1, as `relreplident` and the index's name.
    private static let present = """
      select c.relreplident::text as how, (select i.relname::text from pg_index x join pg_class i on i.oid = x.indexrelid
        where x.indrelid = c.oid and x.indisreplident) as index from pg_class c where c.oid = to_regclass($1)
      """

    /// The statements that are still to be run, each with its relation. Partitions of a table that gets a name itself are looked at
    /// behind that.
    func pending() throws(PostgresFailure) -> [(relation: String, statement: String)] {
      var pending: [(relation: String, statement: String)] = []
      let tables =
        mapping.events.map { ($0.schema, $0.name) } + [(mapping.tokens.schema, mapping.tokens.name)]
      for (schema, name) in tables {
        guard let facts = try TableFacts(server, schema: schema, name: name) else { continue }
        let relation = SQLText.relation(schema, name)
        if let statement = facts.naming(relation) {
          pending.append((relation, statement))
          continue
        }
        for leaf in try facts.leaves(server) {
          if let statement = facts.naming(of: leaf) { pending.append((leaf.quoted, statement)) }
        }
      }
      return pending
    }

    /// Runs them; what was run. For who may alter the tables, and write the table of what they had.
    func alter() throws(PostgresFailure) -> [String] {
      var done: [String] = []
      // Tables, then their partitions.
      for _ in 0..<2 {
        for (relation, statement) in try pending() {
          let doing = "altering the replica identity of \(relation)"
          try alone(doing) { () throws(PostgresFailure) in
            _ = try server.query(
              "insert into \(own) (relation, was, was_index) select $1, how, index from (\(Self.present)) t on conflict do nothing",
              [.text(relation)], doing: doing)
            try server.script(statement, doing: doing)
            _ = try server.query(
              "update \(own) o set made = how, made_index = index from (\(Self.present)) t where o.relation = $1",
              [.text(relation)], doing: doing)
          }
          done.append(statement)
        }
      }
      return done
    }

    /// Puts back what was altered, where it is as it was made, and where no row of a publication loses its name by that; what was
    /// done and what was not. What was not is kept, and its table with it.
    func restore() throws(PostgresFailure) -> [String] {
      guard try server.hasRelation(own) else { return [] }
      let rows = try server.query(
        """
        select i.relation, i.was, i.was_index, n.nspname::text, c.relname::text,
          c.relreplident::text is not distinct from i.made and (select x.relname::text from pg_index p join pg_class x on x.oid = p.indexrelid
            where p.indrelid = c.oid and p.indisreplident) is not distinct from i.made_index,
          exists (select 1 from pg_publication_tables p join pg_namespace pn on pn.nspname = p.schemaname
            join pg_class pc on pc.relnamespace = pn.oid and pc.relname = p.tablename
            join pg_publication u on u.pubname = p.pubname and (u.pubupdate or u.pubdelete)
            where pc.oid = c.oid or c.oid in (select relid from pg_partition_tree(pc.oid::regclass)))
        from \(own) i left join pg_class c on c.oid = to_regclass(i.relation) left join pg_namespace n on n.oid = c.relnamespace
        order by i.relation
        """
      ).all
      var done: [String] = []
      for row in rows {
        let relation = row.text(0) ?? ""
        let doing = "putting back the replica identity of \(relation)"
        guard let schema = row.text(3), let name = row.text(4), row.bool(5) == true else {
          done.append(
            "left the replica identity of \(relation) as it is: it is another one than was made, or the table is gone")
          try forget(relation)
          continue
        }
        let how =
          switch row.text(1) {
          case "d": "DEFAULT"
          case "f": "FULL"
          case "i": row.text(2).map { "USING INDEX \(SQLText.identifier($0))" } ?? "NOTHING"
          default: "NOTHING"
          }
        let statement = "ALTER TABLE \(SQLText.relation(schema, name)) REPLICA IDENTITY \(how);"
        guard row.bool(6) != true else {
          done.append(
            "left the replica identity of \(relation) as it is, for it is still published; behind that: \(statement)")
          continue
        }
        do throws(PostgresFailure) {
          try alone(doing) { () throws(PostgresFailure) in
            try server.script(statement, doing: doing)
            try forget(relation)
          }
          done.append("put back the replica identity of \(relation): \(how)")
        } catch {
          guard !server.isBroken else { throw error }
          done.append("did not put back the replica identity of \(relation) (\(error)); as its owner: \(statement)")
        }
      }
      return done
    }

    /// Whether something is still to be put back.
    func isLeft() throws(PostgresFailure) -> Bool {
      guard try server.hasRelation(own) else { return false }
      return try server.query("select 1 from \(own) limit 1").count > 0
    }

    private func forget(_ relation: String) throws(PostgresFailure) {
      _ = try server.query("delete from \(own) where relation = $1", [.text(relation)])
    }

    private func alone(
      _ doing: String, _ steps: () throws(PostgresFailure) -> Void
    ) throws(PostgresFailure) {
      try server.script("BEGIN; SET LOCAL lock_timeout = '2s'", doing: doing)
      do throws(PostgresFailure) {
        try steps()
        try server.script("COMMIT", doing: doing)
      } catch {
        _ = try? server.script("ROLLBACK", doing: doing)
        throw error
      }
    }
  }
#endif
