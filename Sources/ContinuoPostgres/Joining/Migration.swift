// Continuo's own tables in the application's database, and which of the application's columns are Continuo's to write.
// Invariant: a column is never written before it was taken, and what it held then is kept; what is not ours is never changed or
// dropped; running it again changes nothing.
// Not here: what would be written (Reckoning), writing (SummaryWriter), looking for what is missing (Preflight).
// Rules 20.6.

#if Postgres
  /// Makes, takes and gives back.
  package struct Migration {
    /// A version of the tables: what makes it of the one before.
    private static let versions = 1
    private let mapping: TableMapping
    private let server: Connection

    /// A table of that name is somebody else's.
    package struct Foreign: Error, Equatable, Sendable, CustomStringConvertible {
      package let relation: String
      package var description: String { "\(relation) is not Continuo's, and stands where its own would" }
    }

    /// A column that is no summary that could be taken.
    package struct UnknownColumn: Error, Equatable, Sendable, CustomStringConvertible {
      package let name: String
      package let known: String
      package var description: String { "\(name) is no summary column: there are \(known)" }
    }

    package init(_ mapping: TableMapping, _ server: Connection) { (self.mapping, self.server) = (mapping, server) }

    private var schema: String { mapping.tokens.schema }
    private func own(_ name: String) -> String { SQLText.relation(schema, name) }

    // MARK: tables

    /// The statements that are still to be run; none where everything is there.
    package func pending() throws -> [String] {
      let found = try server.query(
        """
        select c.relname::text, coalesce(obj_description(c.oid, 'pg_class') like $3, false) from pg_class c
        join pg_namespace n on n.oid = c.relnamespace where n.nspname = $1 and c.relname = any($2::text[]::name[])
        """, [.text(schema), .texts(OwnTables.all), .text(OwnTables.mark + "%")]
      ).all
      if let foreign = found.first(where: { $0.bool(1) != true }) {
        throw Foreign(relation: "\(schema).\(foreign.text(0) ?? "")")
      }
      let there = Set(found.compactMap { $0.text(0) })
      var version: Int64 = 0
      if there.contains(OwnTables.migrations) {
        version =
          try server.query("select coalesce(max(version), 0) from \(own(OwnTables.migrations))").first?.int(0) ?? 0
      }
      guard version < Self.versions || there.count < OwnTables.all.count else { return [] }
      return Self.definitions.filter { !there.contains($0.name) }.flatMap { name, columns in
        [
          "CREATE TABLE \(own(name)) (\(columns));",
          "COMMENT ON TABLE \(own(name)) IS \(SQLText.literal("\(OwnTables.mark) \(Self.comments[name] ?? name)"));",
        ]
      } + ["INSERT INTO \(own(OwnTables.migrations)) (version) VALUES (\(Self.versions)) ON CONFLICT DO NOTHING;"]
    }

    private static let definitions: [(name: String, columns: String)] = [
      (OwnTables.migrations, "version int PRIMARY KEY, at timestamptz NOT NULL DEFAULT now()"),
      (
        OwnTables.sync,
        "scope text PRIMARY KEY, epoch bigint NOT NULL, sequence bigint NOT NULL, as_of timestamptz, at timestamptz NOT NULL"
      ),
      (
        OwnTables.owned,
        "relation text NOT NULL, column_name text NOT NULL, at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (relation, column_name)"
      ),
      (
        OwnTables.kept,
        "relation text NOT NULL, column_name text NOT NULL, id text NOT NULL, value numeric, PRIMARY KEY (relation, column_name, id)"
      ),
      (
        OwnTables.identities,
        "relation text PRIMARY KEY, was text NOT NULL, was_index text, made text, made_index text, at timestamptz NOT NULL DEFAULT now()"
      ),
      (
        OwnTables.candles,
        "bucket timestamptz NOT NULL, artist_token_id uuid NOT NULL, open numeric NOT NULL, high numeric NOT NULL, "
          + "low numeric NOT NULL, close numeric NOT NULL, volume numeric, trades bigint NOT NULL, volume_token numeric, "
          + "buy_volume_usd numeric, sell_volume_usd numeric, vwap numeric, PRIMARY KEY (artist_token_id, bucket)"
      ),
    ]
    private static let comments = [
      OwnTables.candles: "candles of an hour; a row goes when its candle goes",
      OwnTables.sync: "how fresh what is written is, and whose turn it is",
      OwnTables.owned: "the columns that were taken", OwnTables.kept: "what they held before",
      OwnTables.migrations: "the versions of these tables",
      OwnTables.identities: "what named deleted rows before",
    ]

    /// Makes what is missing; what was run.
    package func migrate() throws -> [String] {
      try transaction("making Continuo's tables") {
        let pending = try pending()
        for statement in pending { try server.script(statement, doing: "making Continuo's tables") }
        return pending
      }
    }

    /// Whether tables of ours are there.
    func isMade(_ names: [String]) throws(PostgresFailure) -> Bool {
      for name in names where try !server.hasRelation(own(name)) { return false }
      return true
    }

    // MARK: names for deleted rows

    private var identities: ReplicaIdentities { ReplicaIdentities(mapping: mapping, server: server) }

    /// What is to be run so that every followed table has a name for its deleted rows.
    package func pendingIdentities() throws -> [String] { try identities.pending().map(\.statement) }

    /// Runs it, and keeps what they had for ``remove(name:restoring:)``; what was run. Behind ``migrate()``, for a role that may alter the
    /// tables and write Continuo's: a superuser, or a member of both owners.
    package func alterIdentities() throws -> [String] { try identities.alter() }

    // MARK: columns

    /// The columns that a list names: `artist_tokens.volume_24h_usd`, or all of `artist_tokens`.
    package func columns(_ list: [String]) throws(UnknownColumn) -> [SummaryColumn] {
      var columns: [SummaryColumn] = []
      for name in list {
        let table = mapping.tokens.name
        if name == table || name == mapping.tokens.title {
          columns += SummaryColumn.allCases
          continue
        }
        let prefixes = ["\(table).", "\(mapping.tokens.title)."]
        let column = prefixes.first { name.hasPrefix($0) }.flatMap {
          SummaryColumn(rawValue: String(name.dropFirst($0.count)))
        }
        guard let column else {
          throw UnknownColumn(
            name: name, known: SummaryColumn.allCases.map { "\(table).\($0.rawValue)" }.joined(separator: ", "))
        }
        columns.append(column)
      }
      return SummaryColumn.allCases.filter { columns.contains($0) }
    }

    /// The columns that are ours.
    package func owned() throws(PostgresFailure) -> [SummaryColumn] {
      guard try server.hasRelation(own(OwnTables.owned)) else { return [] }
      let rows = try server.query(
        "select column_name from \(own(OwnTables.owned)) where relation = $1", [.text(mapping.tokens.quoted)])
      let names = Set(rows.all.compactMap { $0.text(0) })
      return SummaryColumn.allCases.filter { names.contains($0.rawValue) }
    }

    /// The triggers whose body names a column: they may write it too.
    package func triggers(naming column: SummaryColumn) throws(PostgresFailure) -> [String] {
      try server.query(
        """
        select t.tgrelid::regclass::text || '.' || t.tgname::text from pg_trigger t join pg_proc p on p.oid = t.tgfoid
        where not t.tgisinternal and p.prosrc ~* ('\\m' || $1 || '\\M') order by 1
        """, [.text(column.rawValue)]
      ).all.compactMap { $0.text(0) }
    }

    /// Takes columns: what they hold is kept, and from now on they are written. Those that are ours already stay as they are.
    package func take(_ columns: [SummaryColumn]) throws -> [SummaryColumn] {
      try transaction("taking columns") {
        let owned = try owned()
        let fresh = columns.filter { !owned.contains($0) }
        let (table, id) = (mapping.tokens.quoted, SQLText.identifier(mapping.tokens.id))
        for column in fresh {
          let name: [PostgresValue] = [.text(table), .text(column.rawValue)]
          _ = try server.query("delete from \(own(OwnTables.kept)) where relation = $1 and column_name = $2", name)
          _ = try server.query(
            """
            insert into \(own(OwnTables.kept)) (relation, column_name, id, value)
            select $1, $2, \(id)::text, \(SQLText.identifier(column.rawValue))::numeric from \(table)
            """, name, doing: "keeping what \(column.rawValue) holds")
          _ = try server.query("insert into \(own(OwnTables.owned)) (relation, column_name) values ($1, $2)", name)
        }
        return fresh
      }
    }

    /// Gives columns back; where it is wanted with the values that they had, in the rows that there were then.
    package func giveBack(_ columns: [SummaryColumn], restoring: Bool) throws -> [SummaryColumn] {
      try transaction("giving columns back") {
        let owned = try owned()
        let taken = columns.filter { owned.contains($0) }
        let (table, id) = (mapping.tokens.quoted, SQLText.identifier(mapping.tokens.id))
        for column in taken {
          let (name, quoted): ([PostgresValue], String) = (
            [.text(table), .text(column.rawValue)], SQLText.identifier(column.rawValue)
          )
          if restoring {
            _ = try server.query(
              """
              update \(table) t set \(quoted) = k.value from \(own(OwnTables.kept)) k
              where k.relation = $1 and k.column_name = $2 and k.id = t.\(id)::text and t.\(quoted) is distinct from k.value
              """, name, doing: "restoring \(column.rawValue)")
          }
          _ = try server.query("delete from \(own(OwnTables.kept)) where relation = $1 and column_name = $2", name)
          _ = try server.query("delete from \(own(OwnTables.owned)) where relation = $1 and column_name = $2", name)
        }
        return taken
      }
    }

    /// Takes away everything that is ours: columns are given back, tables, slot and publication dropped.
    package func remove(name: String, restoring: Bool) throws -> [String] {
      var done: [String] = []
      if try pending().isEmpty || !owned().isEmpty {
        done += try giveBack(SummaryColumn.allCases, restoring: restoring).map {
          "gave back \(mapping.tokens.title).\($0.rawValue)"
        }
      }
      let join = OwnTables.joinName(name)
      let slots = try server.query(
        "select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name::text = $1", [.text(join)]
      )
      if slots.count > 0 { done.append("dropped slot \(join)") }
      let publication = try server.query(
        "select pg_has_role(pubowner, 'USAGE') from pg_publication where pubname = $1", [.text(join)]
      ).first
      if publication?.bool(0) == false { done.append("left publication \(join): it is its owner's to drop") }
      if publication?.bool(0) == true {
        try server.script("DROP PUBLICATION \(SQLText.identifier(join))", doing: "dropping the publication")
        done.append("dropped publication \(join)")
      }
      done += try identities.restore()
      let isLeft = try identities.isLeft()
      return try done
        + transaction("dropping Continuo's tables") {
          var dropped: [String] = []
          let ours = try server.query(
            """
            select c.relname::text from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = $1
            and c.relname = any($2::text[]::name[]) and obj_description(c.oid, 'pg_class') like $3 order by 1
            """, [.text(schema), .texts(OwnTables.all), .text(OwnTables.mark + "%")])
          for row in ours.all {
            let table = row.text(0) ?? ""
            if isLeft, table == OwnTables.identities {
              dropped.append(
                "left table \(schema).\(table): it says what is still to be put back; run this again behind that")
              continue
            }
            try server.script("DROP TABLE \(own(table))", doing: "dropping \(table)")
            dropped.append("dropped table \(schema).\(table)")
          }
          return dropped
        }
    }

    /// Runs steps in one transaction, one such at a time.
    private func transaction<Answer>(_ doing: String, _ body: () throws -> Answer) throws -> Answer {
      try server.script(
        "BEGIN; SET LOCAL lock_timeout = '2s'; SELECT pg_advisory_xact_lock(hashtext('continuo migrate'))", doing: doing
      )
      do {
        // Whoever writes has the same row: nothing is written while a column changes hands.
        if try server.hasRelation(own(OwnTables.sync)) {
          _ = try server.query("select 1 from \(own(OwnTables.sync)) for update", doing: doing)
        }
        let answer = try body()
        try server.script("COMMIT", doing: doing)
        return answer
      } catch {
        _ = try? server.script("ROLLBACK", doing: doing)
        throw error
      }
    }
  }
#endif
