// The first steps with a server: publication, slot, and whether what the directory has goes on with what the slot has.
// Invariant: a slot is never moved or dropped while what is behind it could still be had; what an operator has made is used as it is.
// Not here: the snapshot (SnapshotLoad), streaming (ChangeStream), looking for what is missing (Preflight).
// Rules 20.12.

#if Postgres
  internal import Continuo
  internal import ContinuoStorage

  /// What a server is, so that another one is told from it.
  struct ServerIdentity: Equatable {
    var system: UInt64
    var timeline: Int64
    /// How far its log is.
    var lsn: LSN
  }

  /// What is followed was changed so that only a snapshot helps.
  struct Renewal: Error, CustomStringConvertible { let description: String }

  /// The tables, or what tells of them, are such that they cannot be followed; somebody has to mend that.
  struct Unfollowable: Error, CustomStringConvertible {
    let place: String
    let findings: [Finding]

    var description: String {
      "\(place): "
        + findings.map { finding in
          ([finding.what] + finding.sql).joined(separator: ": ") + (finding.who.isEmpty ? "" : " (by \(finding.who))")
        }.joined(separator: "; ")
    }
  }

  /// How to go on.
  enum Course: Equatable {
    /// Where the directory is, the slot goes on.
    case resume(SourcePosition)
    /// With a snapshot of the next generation; why.
    case snapshot(generation: UInt16, why: String)
  }

  struct Attachment {
    let options: Follower.Options
    /// For statements.
    let server: Connection
    /// For commands of replication.
    let sender: Connection

    var name: String { OwnTables.joinName(options.name) }

    /// Makes two connections.
    init(_ options: Follower.Options, _ interrupt: InterruptHandle) throws(PostgresFailure) {
      self.options = options
      server = try Connection(options.target, application: "continuo follow", interrupt)
      sender = try Connection(options.target, application: "continuo changes", isReplication: true, interrupt)
    }

    func identity() throws(PostgresFailure) -> ServerIdentity {
      let row = try sender.script("IDENTIFY_SYSTEM", doing: "asking which server it is").first
      guard let row, let system = row.text(0).flatMap({ UInt64($0) }), let timeline = row.int(1),
        let lsn = row.text(2).flatMap({ LSN($0) })
      else { throw .unexpected(place: sender.place, doing: "asking which server it is", found: "no answer to it") }
      return ServerIdentity(system: system, timeline: timeline, lsn: lsn)
    }

    /// Refuses tables that cannot be followed, or must not be published.
    func check() throws {
      var preflight = Preflight.Options(wallClock: options.wallClock)
      (preflight.name, preflight.mapping) = (options.name, options.mapping)
      let findings = try Preflight(preflight, server).refusals()
      guard findings.isEmpty else { throw Unfollowable(place: server.place, findings: findings) }
    }

    /// What is followed, as it is now, and what names the rows of each table.
    func shape() throws(PostgresFailure) -> (shape: FollowedShape, names: [String]) {
      var names: [String] = []
      for table in options.mapping.events {
        let facts = try TableFacts(server, schema: table.schema, name: table.name)
        let (columns, isWhole) = facts?.keyColumns(of: table) ?? ([], true)
        names.append(ChangeApplier.name(columns.map { ($0.name, $0.typeNumber) }, isWhole: isWhole))
      }
      let shape = FollowedShape(
        mapping: FollowedShape.text(of: options.mapping), tables: names.joined(separator: "; "),
        publication: try publication())
      return (shape, names)
    }

    /// What the publication has of the tables, by the numbers of its rows and who wrote them last: also what was taken away and
    /// put back is another one. Tables and partitions that name no deleted row are in it, so that one that comes is noticed.
    func publication() throws(PostgresFailure) -> String {
      let tables =
        options.mapping.events.map { ($0.schema, $0.name) } + [
          (options.mapping.tokens.schema, options.mapping.tokens.name)
        ]
      // Of version 15 on whole schemas can be published.
      let schemas =
        server.version < 150_000
        ? ""
        : """
        union all select 'schema ' || s.oid || ' ' || s.xmin from pg_publication_namespace s
          join pg_publication p on p.oid = s.pnpubid
          where p.pubname = $1 and s.pnnspid in (select relnamespace from followed)
        """
      return try server.query(
        """
        with recursive followed as (select c.oid, c.relnamespace from unnest($2::text[], $3::text[]) as m(s, t)
          join pg_namespace n on n.nspname = m.s::name join pg_class c on c.relnamespace = n.oid and c.relname = m.t::name),
          pieces as (select oid from followed
            union select i.inhrelid from pieces p join pg_inherits i on i.inhparent = p.oid)
        select string_agg(part, ', ' order by part) from (
          select 'publication ' || p.oid || ' ' || p.xmin as part from pg_publication p where p.pubname = $1
          union all select 'table ' || r.oid || ' ' || r.xmin from pg_publication_rel r
            join pg_publication p on p.oid = r.prpubid where p.pubname = $1 and r.prrelid in (select oid from followed)
          \(schemas)
          union all select 'relation ' || oid from followed
          union all select 'unnamed ' || c.oid from pg_class c where c.relkind = 'r' and (c.relreplident = 'n'
              or c.relreplident = 'd' and not exists (select 1 from pg_index i where i.indrelid = c.oid and i.indisprimary and i.indimmediate))
            and c.oid in (select oid from pieces)) parts
        """, [.text(name), .texts(tables.map(\.0)), .texts(tables.map(\.1))], doing: "reading the publication"
      ).first?.text(0) ?? ""
    }

    /// Makes the publication unless there is one.
    func publish() throws(PostgresFailure) {
      let found = try server.query("select 1 from pg_publication where pubname = $1", [.text(name)]).count
      guard found == 0 else { return }
      let tables = options.mapping.events.map(\.quoted) + [options.mapping.tokens.quoted]
      try server.script(
        "CREATE PUBLICATION \(SQLText.identifier(name)) FOR TABLE \(tables.joined(separator: ", ")) WITH (publish_via_partition_root = true)",
        doing: "making the publication")
    }

    /// How far the slot is; nil where there is none, or it can tell of changes no more.
    func slot() throws(PostgresFailure) -> (confirmed: LSN, isLost: Bool)? {
      let row = try server.query(
        """
        select coalesce(confirmed_flush_lsn::text, '0/0'), coalesce(wal_status, '') = 'lost' from pg_replication_slots
        where slot_name::text = $1
        """, [.text(name)]
      ).first
      guard let row else { return nil }
      return (row.text(0).flatMap { LSN($0) } ?? LSN(0), row.bool(1) ?? false)
    }

    /// How to go on, from what the directory has.
    ///
    /// - Parameters:
    ///   - position: how far the directory is.
    ///   - known: what its keys are of.
    ///   - shape: what is followed now.
    ///   - renewal: why a snapshot is needed whatever there is; nil where it is not.
    func course(
      _ position: SourcePosition?, _ known: KeyFile, isInStep: Bool, _ shape: FollowedShape, _ renewal: String?
    ) throws -> Course {
      let (identity, slot) = (try identity(), try slot())
      guard let position else { return .snapshot(generation: 1, why: "nothing was taken yet") }
      func again(_ why: String) throws(FollowingStop) -> Course {
        guard position.generation < .max else { throw .usedUp("\(UInt16.max) snapshots were begun") }
        return .snapshot(generation: position.generation + 1, why: why)
      }
      guard !options.isFull else { return try again("it was asked for") }
      guard position.isWhole else { return try again("the last snapshot did not end") }
      guard known.system == nil || known.system == identity.system else {
        return try again("it is another server than before")
      }
      guard isInStep, let old = known.shape else {
        return try again("the file of keys and the directory are of different moments")
      }
      if let why = renewal ?? shape.difference(from: old) { return try again(why) }
      guard let slot else { return try again("the slot is gone") }
      guard !slot.isLost else { return try again("the slot was overtaken by max_slot_wal_keep_size") }
      guard position.lsn <= identity.lsn else {
        return try again("the server's log ends before what was taken: it was restored")
      }
      guard slot.confirmed <= position.lsn else {
        return try again("the slot was confirmed further than the directory is: that was restored")
      }
      return .resume(position)
    }

    /// Makes a slot, where there is one a second one for as long as the connection lasts, and begins a transaction that reads the
    /// tables as they were at its moment. O(1), once nobody else's transaction is older than the slot.
    ///
    /// - Returns: the moment.
    func snapshot() throws(PostgresFailure) -> LSN {
      if let slot = try slot(), slot.isLost { try drop() }
      while true {
        let isThere = try slot() != nil
        let temporary = SQLText.identifier("\(name)_snapshot_\(UInt32.random(in: .min ... .max))")
        let command =
          isThere
          ? "CREATE_REPLICATION_SLOT \(temporary) TEMPORARY LOGICAL pgoutput (SNAPSHOT 'export')"
          : "CREATE_REPLICATION_SLOT \(SQLText.identifier(name)) LOGICAL pgoutput (SNAPSHOT 'export')"
        // It waits for every transaction that writes. No lock is held meanwhile: one of them may be about to alter a table, and
        // would wait for us for ever.
        let row = try sender.script(command, doing: "making the slot").first
        guard let row, let point = row.text(1).flatMap({ LSN($0) }), let snapshot = row.text(2) else {
          throw .unexpected(place: sender.place, doing: "making the slot", found: "no snapshot")
        }
        let isOpen = try open(snapshot)
        // It has done its work: for as long as there is one the server keeps its log from there on.
        if isThere { _ = try sender.script("DROP_REPLICATION_SLOT \(temporary)", doing: "dropping a slot of ours") }
        if isOpen { return point }
        try server.script("ROLLBACK", doing: "making the slot once more")
      }
    }

    /// Begins a transaction that reads a snapshot, and locks the tables against changes of their columns; false where one was
    /// written anew between the two: what such a table had at the snapshot is gone, and it reads as if it were empty.
    private func open(_ snapshot: String) throws(PostgresFailure) -> Bool {
      let tables = options.mapping.events.map(\.quoted) + [options.mapping.tokens.quoted]
      // Rows that a policy hides would be missing here and not in the stream: reading them is refused.
      try server.script(
        """
        BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
        SET LOCAL statement_timeout = 0;
        SET LOCAL idle_in_transaction_session_timeout = 0;
        \(server.version < 170_000 ? "" : "SET LOCAL transaction_timeout = 0;")
        SET LOCAL row_security = off;
        SET TRANSACTION SNAPSHOT \(SQLText.literal(snapshot));
        LOCK TABLE \(tables.joined(separator: ", ")) IN ACCESS SHARE MODE;
        """, doing: "opening the snapshot")
      // The catalog says which file a table has as of the snapshot, the function which one it has now.
      let renewed = try server.query(
        """
        with named as (select to_regclass(name) as relation from unnest($1::text[]) as t(name)),
          parts as (select relation::oid as oid from named
            union select p.relid::oid from named cross join lateral pg_partition_tree(relation) p)
        select 1 from parts join pg_class c on c.oid = parts.oid
        where c.relkind = 'r' and c.relfilenode <> pg_relation_filenode(c.oid)
        """, [.texts(tables)], doing: "looking whether a table was written anew")
      return renewed.count == 0
    }

    /// Drops the slot.
    func drop() throws(PostgresFailure) {
      _ = try server.query("select pg_drop_replication_slot($1)", [.text(name)], doing: "dropping the slot")
    }
  }
#endif
