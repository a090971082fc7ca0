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
    ///   - system: the server that it is of.
    func course(_ position: SourcePosition?, system: UInt64?, isInStep: Bool) throws(PostgresFailure) -> Course {
      let (identity, slot) = (try identity(), try slot())
      guard let position else { return .snapshot(generation: 1, why: "nothing was taken yet") }
      let next = position.generation + 1
      func again(_ why: String) -> Course { .snapshot(generation: next, why: why) }
      guard !options.isFull else { return again("it was asked for") }
      guard position.isWhole else { return again("the last snapshot did not end") }
      guard system == nil || system == identity.system else { return again("it is another server than before") }
      guard isInStep else { return again("the file of keys and the directory are of different moments") }
      guard let slot else { return again("the slot is gone") }
      guard !slot.isLost else { return again("the slot was overtaken by max_slot_wal_keep_size") }
      guard position.lsn <= identity.lsn else {
        return again("the server's log ends before what was taken: it was restored")
      }
      guard slot.confirmed <= position.lsn else {
        return again("the slot was confirmed further than the directory is: that was restored")
      }
      return .resume(position)
    }

    /// Makes a slot, where there is one a second one for as long as the connection lasts, and with it a snapshot; begins the
    /// transaction that is to read it.
    func snapshot() throws(PostgresFailure) -> (point: LSN, snapshot: String) {
      if let slot = try slot(), slot.isLost { try drop() }
      let isThere = try slot() != nil
      let temporary = SQLText.identifier("\(name)_snapshot_\(UInt32.random(in: .min ... .max))")
      let command =
        isThere
        ? "CREATE_REPLICATION_SLOT \(temporary) TEMPORARY LOGICAL pgoutput (SNAPSHOT 'export')"
        : "CREATE_REPLICATION_SLOT \(SQLText.identifier(name)) LOGICAL pgoutput (SNAPSHOT 'export')"
      // In front of the snapshot: a table that is written anew behind it is empty for who has not locked it before. Rows that
      // a policy hides would be missing here and not in the stream: reading them is refused.
      let tables = options.mapping.events.map(\.quoted) + [options.mapping.tokens.quoted]
      try server.script(
        """
        BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
        SET LOCAL statement_timeout = 0;
        SET LOCAL row_security = off;
        LOCK TABLE \(tables.joined(separator: ", ")) IN ACCESS SHARE MODE;
        """, doing: "locking the tables against changes of their columns")
      let row = try sender.script(command, doing: "making the slot").first
      guard let row, let point = row.text(1).flatMap({ LSN($0) }), let snapshot = row.text(2) else {
        throw .unexpected(place: sender.place, doing: "making the slot", found: "no snapshot")
      }
      return (point, snapshot)
    }

    /// Drops the slot.
    func drop() throws(PostgresFailure) {
      _ = try server.query("select pg_drop_replication_slot($1)", [.text(name)], doing: "dropping the slot")
    }
  }
#endif
