// What a server says of one table: its kind, owner, columns, and by which of them a deleted row is named.
// Invariant: read from the catalog at once; nothing here judges it.
// Not here: what is wrong with it (Preflight), what it is to be (TableMapping).

#if Postgres
  extension Connection {
    /// Whether there is a relation of a quoted name.
    func hasRelation(_ quoted: String) throws(PostgresFailure) -> Bool {
      try query("select to_regclass($1) is not null", [.text(quoted)]).first?.bool(0) ?? false
    }
  }

  /// A table of the server.
  package struct TableFacts: Sendable {
    package struct Column: Sendable, Equatable {
      package var name: String
      package var type: String
      package var isRequired: Bool
      /// The type's number.
      package var typeNumber: UInt32
    }

    /// By which columns a deleted row is named: REPLICA IDENTITY.
    package enum Identity: Sendable, Equatable {
      /// By its primary key, or by an index that was chosen.
      case columns([String], isPrimaryKey: Bool)
      /// By all of them.
      case full
      /// Not at all: where such a table is published, deletes fail.
      case none
    }

    package var number: UInt32
    package var owner: String
    package var isPartitioned: Bool
    package var columns: [Column]
    package var identity: Identity
    /// A unique index of columns that are never null, by which rows could be named; nil where there is none.
    package var usableIndex: String?

    package func column(_ name: String) -> Column? { columns.first { $0.name == name } }

    /// The columns that a deleted row is named by; those that name its event where it comes whole. In the table's order, as
    /// the stream has them, whatever the order of the index is.
    package func keyColumns(of table: SourceTable) -> (columns: [Column], isWhole: Bool) {
      if case .columns(let names, _) = identity {
        let keys = columns.filter { names.contains($0.name) }
        if !keys.isEmpty { return (keys, false) }
      }
      return (table.keyColumns.compactMap { column($0) }, true)
    }

    /// A partition whose rows are stored in it.
    package struct Leaf: Sendable, Equatable {
      package var quoted: String
      package var title: String
      package var owner: String
      package var isFull: Bool
      /// The columns that a deleted row of it is named by.
      package var names: Set<String>
    }

    /// The partitions of a table, at any depth, by the catalog alone: a function would wait for who has one of them locked. What of a row is told is told as its partition has it, not as the table has.
    package func leaves(_ server: Connection) throws(PostgresFailure) -> [Leaf] {
      guard isPartitioned else { return [] }
      return try server.query(
        """
        with recursive parts as (select $1::int8::oid as oid
          union select i.inhrelid from parts p join pg_inherits i on i.inhparent = p.oid)
        select n.nspname::text, c.relname::text, pg_get_userbyid(c.relowner)::text, c.relreplident = 'f',
          (select string_agg(a.attname::text, chr(1)) from pg_index i
            cross join unnest(i.indkey::int2[]) with ordinality as p(k, place)
            join pg_attribute a on a.attrelid = i.indrelid and a.attnum = p.k and p.place <= i.indnkeyatts
            where i.indrelid = c.oid
              and case c.relreplident when 'd' then i.indisprimary and i.indimmediate when 'i' then i.indisreplident else false end)
        from parts t join pg_class c on c.oid = t.oid
        join pg_namespace n on n.oid = c.relnamespace where c.relkind = 'r' order by 1, 2
        """, [.int8(Int64(number))]
      ).all.map { row in
        let (schema, name) = (row.text(0) ?? "", row.text(1) ?? "")
        return Leaf(
          quoted: SQLText.relation(schema, name), title: "\(schema).\(name)", owner: row.text(2) ?? "",
          isFull: row.bool(3) ?? false,
          names: Set((row.text(4) ?? "").split(separator: "\u{1}").map(String.init)))
      }
    }

    /// Reads what the server says; nil where there is no such table. Three statements.
    package init?(_ server: Connection, schema: String, name: String) throws(PostgresFailure) {
      let found = try server.query(
        """
        select c.oid::int8, pg_get_userbyid(c.relowner)::text, c.relkind = 'p', c.relreplident::text
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = $1 and c.relname = $2 and c.relkind in ('r', 'p')
        """, [.text(schema), .text(name)])
      guard let row = found.first, let number = row.int(0) else { return nil }
      self.number = UInt32(truncatingIfNeeded: number)
      owner = row.text(1) ?? ""
      isPartitioned = row.bool(2) ?? false
      columns = try server.query(
        """
        select attname::text, format_type(atttypid, null), attnotnull, atttypid::int8 from pg_attribute
        where attrelid = $1::int8::oid and attnum > 0 and not attisdropped order by attnum
        """, [.int8(number)]
      ).all.map {
        Column(
          name: $0.text(0) ?? "", type: $0.text(1) ?? "", isRequired: $0.bool(2) ?? false,
          typeNumber: UInt32(truncatingIfNeeded: $0.int(3) ?? 0))
      }
      let indexes = try server.query(
        """
        select ic.relname::text, i.indisprimary and i.indimmediate, i.indisreplident,
          i.indisunique and i.indimmediate and i.indpred is null and i.indexprs is null and i.indisvalid
            and not exists (select 1 from unnest(i.indkey::int2[]) as k
              join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k where not a.attnotnull),
          (select string_agg(a.attname::text, chr(1) order by p.place)
            from unnest(i.indkey::int2[]) with ordinality as p(k, place)
            join pg_attribute a on a.attrelid = i.indrelid and a.attnum = p.k where p.place <= i.indnkeyatts)
        from pg_index i join pg_class ic on ic.oid = i.indexrelid where i.indrelid = $1::int8::oid
        order by not i.indisprimary, ic.relname
        """, [.int8(number)]
      ).all
      func names(of index: Row?) -> [String] { (index?.text(4) ?? "").split(separator: "\u{1}").map(String.init) }
      let primary = indexes.first { $0.bool(1) == true }
      let chosen = indexes.first { $0.bool(2) == true }
      switch row.text(3) {
      case "f": identity = .full
      case "i" where chosen != nil: identity = .columns(names(of: chosen), isPrimaryKey: chosen?.bool(1) ?? false)
      case "d" where primary != nil: identity = .columns(names(of: primary), isPrimaryKey: true)
      default: identity = .none
      }
      usableIndex = indexes.first { $0.bool(3) == true }?.text(0)
    }
  }
#endif
