// What is followed is changed while it is: publication, mapping, columns, their types, and what names a row.
// Invariant: nothing wrong is taken meanwhile, and behind it the engine has what SQL finds in the tables.
// Not here: rows (FollowerTests), a server that fails (FaultTests).

#if Postgres
  import Continuo
  import ContinuoPostgres
  import ContinuoStorage
  import ContinuoTestSupport
  import Foundation
  import Testing

  #if canImport(Glibc)
    import Glibc
  #else
    import Darwin
  #endif

  @Suite("What is followed is changed", .serialized)
  struct RenewalTests {
    private static func setUp() throws -> (database: String, server: Connection, options: Follower.Options) {
      var (database, server, options) = try FollowerTests.setUp()
      options.watchMicroseconds = 100_000
      options.backoff = Backoff(firstMicroseconds: 20_000, longestMicroseconds: 200_000)
      return (database, server, options)
    }

    private static let row =
      "insert into pool_events (artist_token_id, chain_id, block_number, log_index, tx_hash, event_type, side, wallet, amount_usd, token_amount, block_timestamp)"

    /// Rule 20.12: rows that a publication has not told of are found, whenever that was and however short.
    @Test("A publication that is altered while it is followed")
    func altered() throws {
      let (database, server, options) = try Self.setUp()
      var application = try Application(server, seed: 31)
      let folder = try Folder()
      let following = try Following(options, directory: folder.path + "/data")
      for _ in 0..<30 { try application.step() }
      try following.catchUp(server)
      let name = "continuo_\(database)"
      // Back before anybody could look.
      try server.script(
        """
        alter publication \(name) drop table pool_events; delete from pool_events where log_index = 0;
        \(Self.row) select id, 1, 77, 7, 'x', 'swap', 'buy', 'w', 12, 4, now() from artist_tokens limit 1;
        alter publication \(name) add table pool_events
        """)
      try following.wait("a second snapshot") { $0.snapshots == 2 && $0.phase == .streaming }
      try following.catchUp(server)
      try FollowerTests.expectSame(following.ledger, server, "dropped and added")
      // Long enough to be found without: it waits, says what is missing, and goes on by itself.
      try server.script("alter publication \(name) set (publish = 'insert')")
      try following.wait("it says what is missing") {
        $0.phase == .waiting && $0.failure?.contains("every kind of change") == true
      }
      for _ in 0..<30 { try application.step() }
      try server.script("alter publication \(name) set (publish = 'insert, update, delete, truncate')")
      try following.wait("a third snapshot") { $0.snapshots == 3 && $0.phase == .streaming }
      for _ in 0..<30 { try application.step() }
      try following.catchUp(server)
      try FollowerTests.expectSame(following.ledger, server, "set and set again")
      // A slot that was made for a snapshot would keep the server's log for as long as there is one.
      #expect(try server.query("select 1 from pg_replication_slots where database = current_database()").count == 1)
      // What is altered of others is no news.
      try server.script("alter publication \(name) add table engagement_events")
      usleep(400_000)
      try following.catchUp(server)
      #expect(following.status.snapshots == 3)
    }

    /// Rule 20.12: one that is made anew behind its slot is followed again, and what it has not told of is found.
    @Test("A publication that is made anew", arguments: [true, false])
    func madeAnew(isFollowing: Bool) throws {
      let (database, server, options) = try Self.setUp()
      var application = try Application(server, seed: 32)
      let folder = try Folder()
      var following = try Following(options, directory: folder.path + "/data")
      for _ in 0..<20 { try application.step() }
      try following.catchUp(server)
      let name = "continuo_\(database)"
      if !isFollowing { following.end() }
      try server.script("drop publication \(name)")
      for _ in 0..<20 { try application.step() }
      // Some may have made it already: the follower makes what is not there.
      _ = try? server.script(
        "create publication \(name) for table pool_events, token_transfers, artist_tokens with (publish_via_partition_root = true)"
      )
      for _ in 0..<20 { try application.step() }
      if !isFollowing { following = try Following(options, directory: folder.path + "/data") }
      try following.wait("another snapshot") { $0.snapshots == (isFollowing ? 2 : 1) && $0.phase == .streaming }
      try following.catchUp(server)
      try FollowerTests.expectSame(following.ledger, server)
    }

    /// Rule 20.2: a truncation counts, however the table looked at that moment.
    @Test("A table that is emptied while one of its columns is away")
    func emptiedBetween() throws {
      let (_, server, options) = try Self.setUp()
      var application = try Application(server, seed: 35)
      for _ in 0..<40 { try application.step() }
      let folder = try Folder()
      var following = try Following(options, directory: folder.path + "/data")
      try following.catchUp(server)
      #expect(!following.ledger.hourCandles.isEmpty)
      following.end()
      try server.script(
        "begin; alter table pool_events drop column amount_usd; truncate pool_events; alter table pool_events add column amount_usd numeric; commit"
      )
      following = try Following(options, directory: folder.path + "/data")
      try following.catchUp(server)
      try FollowerTests.expectSame(following.ledger, server)
      #expect(following.ledger.hourCandles.isEmpty)
    }

    /// Rule 20.3: a deferrable key names no deleted row, whatever the catalog calls it.
    @Test("A primary key that is deferrable")
    func deferrable() throws {
      let (_, server, _) = try Self.setUp()
      func identity() throws -> TableFacts.Identity? {
        try TableFacts(server, schema: "public", name: "pool_events")?.identity
      }
      let before = try identity()
      #expect(before != TableFacts.Identity.none)
      try server.script(
        "alter table pool_events drop constraint pool_events_pkey cascade; alter table pool_events add primary key (id) deferrable"
      )
      #expect(try identity() == TableFacts.Identity.none)
    }

    /// Rule 20.12: making a slot waits for transactions that write, and such a one may be about to alter a table of ours.
    @Test("A table that is altered by a transaction for which the slot waits")
    func alteredMeanwhile() throws {
      let (database, server, options) = try Self.setUp()
      var application = try Application(server, seed: 34)
      for _ in 0..<20 { try application.step() }
      let other = try Cluster.shared.get().connection(database)
      try other.script("begin; select pg_current_xact_id()")
      let folder = try Folder()
      let following = try Following(options, directory: folder.path + "/data")
      let end = ContinuousClock.now + .seconds(20)
      while try server.query("select 1 from pg_replication_slots where slot_name = 'continuo_\(database)'").count == 0 {
        try #require(ContinuousClock.now < end, "there is no slot")
        usleep(5_000)
      }
      usleep(50_000)
      try other.script(
        "alter table pool_events add column extra text default 'x'; alter table token_transfers alter column block_number type integer; commit"
      )
      for _ in 0..<20 { try application.step() }
      try following.catchUp(server)
      try FollowerTests.expectSame(following.ledger, server)
    }

    /// Rule 20.3: keys are by a table's place in the mapping; another mapping has other ones.
    @Test("A mapping that is changed between two starts")
    func mapping() throws {
      var (_, server, options) = try Self.setUp()
      var application = try Application(server, seed: 33)
      let folder = try Folder()
      var following = try Following(options, directory: folder.path + "/data")
      for _ in 0..<60 { try application.step() }
      try following.catchUp(server)
      following.end()
      options.mapping.events.reverse()
      following = try Following(options, directory: folder.path + "/data")
      try following.wait("another snapshot") { $0.snapshots == 1 && $0.phase == .streaming }
      try server.script(
        "delete from pool_events where log_index = 0; update token_transfers set amount = amount + 1 where id % 2 = 0")
      try following.catchUp(server)
      try FollowerTests.expectSame(following.ledger, server, "the other way round")
      // The same again is no other one; a table that is not followed any more takes its events with it.
      following.end()
      following = try Following(options, directory: folder.path + "/data")
      try following.catchUp(server)
      #expect(following.status.snapshots == 0)
      following.end()
      options.mapping.events = [.poolEvents]
      following = try Following(options, directory: folder.path + "/data")
      try following.catchUp(server)
      #expect(following.ledger.balances.isEmpty)
      #expect(try following.ledger.hourCandles == Application.candles(server))
    }

    /// Rule 20.3: rows whose names change while they are followed are found by the new ones.
    @Test("Another replica identity while it is followed")
    func identity() throws {
      let (_, server, options) = try Self.setUp()
      var application = try Application(server, seed: 34)
      let folder = try Folder()
      let following = try Following(options, directory: folder.path + "/data")
      for _ in 0..<40 { try application.step() }
      try following.catchUp(server)
      for identity in ["using index pool_events_chain_id_block_number_log_index_key", "full", "default"] {
        try server.script("alter table pool_events replica identity \(identity)")
        for _ in 0..<15 { try application.step() }
        try server.script("delete from pool_events where id in (select max(id) from pool_events)")
        try following.catchUp(server)
        try FollowerTests.expectSame(following.ledger, server, identity)
      }
    }

    /// Rule 20.2: a table that loses a column that is needed holds it up before anything wrong is taken; once it is there again, it
    /// goes on with what the table has, also behind a start that meets the old table in the log. One more column does no harm.
    @Test("Columns that come and go")
    func columns() throws {
      let (_, server, options) = try Self.setUp()
      var application = try Application(server, seed: 9)
      let folder = try Folder()
      var following = try Following(options, directory: folder.path + "/data")
      for _ in 0..<20 { try application.step() }
      try server.script("alter table pool_events add column extra text default 'x'")
      for _ in 0..<20 { try application.step() }
      try server.script("alter table token_transfers alter column block_number type integer")
      for _ in 0..<20 { try application.step() }
      try following.catchUp(server)
      try FollowerTests.expectSame(following.ledger, server)
      #expect(following.status.snapshots == 1)
      let before = following.ledger.hourCandles
      let token = application.tokens[0]
      try server.script("alter table pool_events alter column amount_usd drop not null, drop column token_amount")
      try server.script(
        "insert into pool_events (artist_token_id, chain_id, block_number, log_index, tx_hash, event_type, amount_usd, block_timestamp) values ('\(token)', 1, 1, 1, 'x', 'swap', 1, now())"
      )
      try following.wait("it says what is missing") {
        $0.phase == .waiting && $0.failure?.contains("token_amount") == true
      }
      #expect(following.ledger.hourCandles == before)
      following.end()
      try server.script(
        "alter table pool_events add column token_amount numeric; update pool_events set token_amount = 4")
      for _ in 0..<20 { try application.step() }
      following = try Following(options, directory: folder.path + "/data")
      try following.catchUp(server)
      try FollowerTests.expectSame(following.ledger, server, "behind a start")
      // The same without a start.
      let snapshots = following.status.snapshots
      try server.script("alter table pool_events drop column token_amount")
      try server.script(
        "insert into pool_events (artist_token_id, chain_id, block_number, log_index, tx_hash, event_type, amount_usd, block_timestamp) values ('\(token)', 1, 1, 2, 'x', 'swap', 1, now())"
      )
      try server.script(
        "alter table pool_events add column token_amount numeric; update pool_events set token_amount = 5")
      try following.wait("another snapshot") { $0.snapshots > snapshots && $0.phase == .streaming }
      try following.catchUp(server)
      try FollowerTests.expectSame(following.ledger, server, "while it follows")
    }

    /// Rules 20.1, 20.2: a column of another type is never read as what it was.
    @Test(
      "Columns of another type",
      arguments: [
        ("token_transfers", "amount", "text", "numeric"), ("pool_events", "amount_usd", "double precision", "numeric"),
        ("pool_events", "block_number", "numeric", "bigint"), ("pool_events", "event_type", "char(4)", "text"),
        ("artist_tokens", "total_supply", "text", "numeric"),
      ])
    func types(_ table: String, _ column: String, _ type: String, _ before: String) throws {
      let (_, server, options) = try Self.setUp()
      var application = try Application(server, seed: 35)
      let folder = try Folder()
      let following = try Following(options, directory: folder.path + "/data")
      for _ in 0..<20 { try application.step() }
      try following.catchUp(server)
      let taken = following.ledger.hourCandles
      try server.script("alter table \(table) alter \(column) type \(type) using \(column)::\(type)")
      for name in ["pool_events", "token_transfers", "artist_tokens"] {
        try server.script("update \(name) set chain_id = chain_id")
      }
      try following.wait("it says which column") {
        $0.phase == .waiting && $0.failure?.contains(column) == true
      }
      #expect(following.ledger.hourCandles == taken)
      try server.script("alter table \(table) alter \(column) type \(before) using \(column)::\(before)")
      for _ in 0..<10 { try application.step() }
      try following.catchUp(server)
      try FollowerTests.expectSame(following.ledger, server)
      #expect(following.status.rejected == 0)
    }

    /// Rules 20.1, 20.2: a large value that did not change is not sent; it is what the row has, and no name of its own.
    @Test("Values that are not sent as they are large and did not change")
    func unsent() throws {
      let (_, server, options) = try Self.setUp()
      let application = try Application(server, seed: 36)
      let (token, wallet) = (application.tokens[0], "0x" + String(repeating: "ab", count: 20))
      // What cannot leave the row fills it, so that the rest of it has to.
      for (table, column) in [
        ("token_transfers", "to_wallet"), ("pool_events", "event_type"), ("artist_tokens", "symbol"),
      ] {
        try server.script(
          """
          alter table \(table) add column filling text; alter table \(table) alter filling set storage plain;
          alter table \(table) alter \(column) set storage external
          """)
      }
      let folder = try Folder()
      let following = try Following(options, directory: folder.path + "/data")
      try following.catchUp(server)
      let symbol = String(repeating: "SYMBOL", count: 20)
      try server.script(
        """
        update artist_tokens set symbol = '\(symbol)', filling = repeat('x', 1990) where id = '\(token)';
        insert into token_transfers (artist_token_id, chain_id, block_number, log_index, tx_hash, from_wallet, to_wallet, amount,
          block_timestamp, filling) values ('\(token)', 1, 1, 0, 'tx', '', '\(wallet)', 5, now(), repeat('x', 1990))
        """)
      try following.catchUp(server)
      try FollowerTests.expectSame(following.ledger, server)
      try server.script(
        "update artist_tokens set total_supply = 77 where id = '\(token)'; update token_transfers set amount = 6")
      try following.catchUp(server)
      #expect(following.ledger.balances == ["\(token) \(wallet) 6"])
      // It changed, and went, before it is read.
      try server.script(
        "begin; update token_transfers set amount = 7; update token_transfers set to_wallet = '0xshort'; commit")
      try following.catchUp(server)
      try FollowerTests.expectSame(following.ledger, server)
      try server.script(
        "begin; update token_transfers set amount = 8, to_wallet = '\(wallet)'; update token_transfers set amount = 9; delete from token_transfers; commit"
      )
      try following.catchUp(server)
      #expect(following.ledger.balances.isEmpty)
      let row = following.follower.token(ByteString(token))
      #expect(row.map { String(decoding: $0.symbol, as: UTF8.self) } == symbol && row?.supply == Decimal18("77"))
      #expect(following.status.snapshots == 1)
    }

    /// Rule 20.3: what would make the application's own deletes fail is not published, also where nobody looked before the start.
    @Test("Tables without a name for deleted rows never enter the publication")
    func unnamed() throws {
      let (database, server, options) = try Self.setUp()
      var application = try Application(server, seed: 37)
      try server.script(
        """
        alter table artist_tokens replica identity nothing;
        alter table token_transfers rename to old;
        create table token_transfers (like old including defaults including identity, primary key (id, block_timestamp))
          partition by range (block_timestamp);
        create table early partition of token_transfers for values from (minvalue) to (now() - interval '1 hour');
        create table late partition of token_transfers for values from (now() - interval '1 hour') to (maxvalue);
        alter table early replica identity nothing
        """)
      let folder = try Folder()
      let following = try Following(options, directory: folder.path + "/data")
      try following.wait("it says which") {
        $0.phase == .waiting && $0.failure?.contains("artist_tokens") == true && $0.failure?.contains("early") == true
      }
      for _ in 0..<30 { try application.step() }
      #expect(
        try server.query("select 1 from pg_publication where pubname = $1", [.text("continuo_\(database)")]).count == 0)
      try server.script("update artist_tokens set symbol = symbol || 'y'; delete from token_transfers where id % 2 = 0")
      // With what it says it goes on by itself, and the application's deletes are told, partition by partition.
      try server.script("alter table artist_tokens replica identity default; alter table early replica identity full")
      for _ in 0..<30 { try application.step() }
      try following.catchUp(server)
      try server.script("delete from token_transfers where id % 3 = 0; update token_transfers set amount = amount + 1")
      try following.catchUp(server)
      try FollowerTests.expectSame(following.ledger, server)
      // One that tells of its rows otherwise than the table is not misread.
      try server.script("alter table token_transfers replica identity full; alter table late replica identity full")
      try following.catchUp(server)
      try server.script(
        """
        alter table late replica identity default;
        insert into token_transfers (artist_token_id, chain_id, block_number, log_index, tx_hash, from_wallet, to_wallet, amount,
          block_timestamp) values ('\(application.tokens[0])', 1, 1, 99, 'tx', '', '0xb1', 5, now());
        delete from late
        """)
      try following.wait("it says which") { $0.phase == .waiting && $0.failure?.contains("late") == true }
      try server.script("alter table late replica identity full")
      try following.catchUp(server)
      try FollowerTests.expectSame(following.ledger, server, "behind a partition that named rows otherwise")
      // One that comes without any name is told at once: the application's deletes of it fail until that is mended.
      let snapshots = following.status.snapshots
      try server.script("alter table early replica identity nothing")
      try following.wait("it says which") { $0.phase == .waiting && $0.failure?.contains("early") == true }
      try server.script("alter table early replica identity full; delete from early")
      try following.catchUp(server)
      try FollowerTests.expectSame(following.ledger, server, "behind a partition without a name")
      #expect(following.status.snapshots == snapshots)
    }
  }
#endif
