// Following a real server's tables: the engine has what the tables say, after everything that can happen on the way.
// Invariant: what is right is asked of the server by SQL; the engine is asked for the same.
// Not here: summaries that go out (WriterTests), servers that are harmed (FaultTests).

#if Postgres
  import Continuo
  import ContinuoPostgres
  import ContinuoStorage
  import ContinuoTestSupport
  import Foundation
  import Testing

  @Suite("Following the application's tables", .serialized)
  struct FollowerTests {
    static func setUp() throws -> (database: String, server: Connection, options: Follower.Options) {
      let cluster = try Cluster.shared.get()
      let database = try cluster.database(withTables: true)
      var options = Follower.Options(try cluster.target(database), wallClock: wallClock)
      options.name = database
      options.statusMicroseconds = 100_000
      return (database, try cluster.connection(database), options)
    }

    static func expectSame(_ ledger: Ledger, _ server: Connection, _ note: String = "") throws {
      let (candles, balances) = (try Application.candles(server), try Application.balances(server))
      #expect(ledger.hourCandles == candles, "candles \(note)")
      #expect(ledger.balances == balances, "balances \(note)")
    }

    /// Rules 20.1, 20.2, 20.3: whatever the application does, candles and balances are those that SQL finds in its tables.
    @Test("Any transactions, in the snapshot and behind it", arguments: Seeds.thisRun(4))
    func anything(seed: UInt64) throws {
      let (_, server, options) = try Self.setUp()
      let identity = ["default", "full", "using index pool_events_chain_id_block_number_log_index_key"][Int(seed % 3)]
      try server.script("alter table pool_events replica identity \(identity)")
      var application = try Application(server, seed: seed)
      for _ in 0..<60 { try application.step() }
      let folder = try Folder()
      let following = try Following(options, directory: folder.path + "/data")
      for _ in 0..<60 { try application.step() }
      // On a busy machine all of them may have been in the snapshot.
      try following.catchUp(server)
      for _ in 0..<60 { try application.step() }
      try following.catchUp(server)
      try Self.expectSame(following.ledger, server, "seed \(seed)")
      let status = following.status
      #expect(status.snapshots == 1)
      #expect(status.counts.deleted > 0 && status.counts.updated > 0 && status.counts.inserted > 0)
    }

    /// Rule 20.11: a restart goes on where the directory is, and takes nothing twice.
    @Test("Restarts in the middle, with traffic", arguments: Seeds.thisRun(2))
    func restarts(seed: UInt64) throws {
      let (_, server, options) = try Self.setUp()
      var application = try Application(server, seed: seed)
      let folder = try Folder()
      for round in 0..<5 {
        let following = try Following(options, directory: folder.path + "/data")
        for _ in 0..<40 { try application.step() }
        if round % 2 == 0 { try following.catchUp(server) }
        following.end()
        for _ in 0..<10 { try application.step() }
        #expect(following.status.snapshots <= (round == 0 ? 1 : 0) || round < 2)
      }
      let following = try Following(options, directory: folder.path + "/data")
      try following.catchUp(server)
      try Self.expectSame(following.ledger, server)
      #expect(following.status.rejected == 0)
    }

    /// Rule 20.2: deletions of what is older than the window are the application's own clean-up, and leave every candle as it was.
    @Test("The application's clean-up changes nothing; truncation takes all")
    func cleanUp() throws {
      let (_, server, options) = try Self.setUp()
      var application = try Application(server, seed: 5, spanSeconds: 30 * 86_400)
      for _ in 0..<150 { try application.step() }
      let folder = try Folder()
      let following = try Following(options, directory: folder.path + "/data")
      try following.catchUp(server)
      let before = following.ledger.hourCandles
      try server.script("delete from pool_events where block_timestamp < now() - interval '8 days'")
      try following.catchUp(server)
      #expect(following.ledger.hourCandles == before)
      #expect(following.status.counts.cleanedUp > 0)
      try server.script("truncate pool_events")
      try following.catchUp(server)
      // Of what was cleaned up nobody knows the rows any more.
      let left = try Application.candles(server)
      #expect(left.isEmpty)
      #expect(following.ledger.hourCandles.count < before.count)
      try server.script("truncate token_transfers")
      try following.catchUp(server)
      #expect(following.ledger.balances.isEmpty)
    }

    /// Rules 20.1, 20.11: what is no event of ours is written down with why, and everything else is taken.
    @Test("Strange rows are rejected with their reason, and kept")
    func rejected() throws {
      let (_, server, options) = try Self.setUp()
      let application = try Application(server, seed: 6)
      let folder = try Folder()
      let following = try Following(options, directory: folder.path + "/data")
      try following.catchUp(server)
      let token = application.tokens[0]
      let rows = [
        ("bad_number", "'NaN'", "1", "now()", "'buy'"), ("bad_number", "1", "'Infinity'", "now()", "'buy'"),
        ("overflow", "1e40", "1", "now()", "'buy'"), ("bad_time", "1", "1", "'infinity'", "'buy'"),
        ("non_positive_amount", "0", "1", "now()", "'buy'"), ("no_price", "1", "null", "now()", "'buy'"),
        ("malformed", "1", "1", "now()", "'hodl'"), ("in_future", "1", "1", "now() + interval '1 day'", "null"),
        ("bad_address", "1", "1", "now()", "null"),
      ]
      for (index, row) in rows.enumerated() {
        let wallet = row.0 == "bad_address" ? "repeat('x', 5000)" : "'w'"
        try server.script(
          """
          insert into pool_events (artist_token_id, chain_id, block_number, log_index, tx_hash, event_type, side, wallet, amount_usd,
            token_amount, block_timestamp)
          values ('\(token)', 1, \(index + 1), 0, 'tx', 'swap', \(row.4), \(wallet), \(row.1), \(row.2), \(row.3))
          """)
      }
      // One of them is mended, and counts.
      try server.script("update pool_events set amount_usd = 3, token_amount = 2 where block_number = 1")
      try following.catchUp(server)
      let path = folder.path + "/data/postgres.rejected.ndjson"
      let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
      let reasons = try lines.map { line in
        let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
        return object?["reason"] as? String ?? ""
      }
      // What the engine rejects is known behind what was rejected when it was read.
      #expect(reasons.sorted() == rows.map(\.0).sorted())
      #expect(following.status.rejected == rows.count)
      #expect(following.ledger.hourCandles.count == 1)
    }

    /// Rule 20.12: a slot that is gone, with what was written meanwhile, is made good by a new snapshot.
    @Test("A lost slot: what came and what went meanwhile is found", arguments: Seeds.thisRun(2))
    func lostSlot(seed: UInt64) throws {
      let (database, server, options) = try Self.setUp()
      var application = try Application(server, seed: seed)
      for _ in 0..<60 { try application.step() }
      let folder = try Folder()
      var following = try Following(options, directory: folder.path + "/data")
      try following.catchUp(server)
      following.end()
      try Following.dropSlot(server, database)
      for _ in 0..<60 { try application.step() }
      following = try Following(options, directory: folder.path + "/data")
      try following.catchUp(server)
      try Self.expectSame(following.ledger, server)
      #expect(following.status.snapshots == 1)
      // The same with the file of keys lost, and a slot that is there.
      following.end()
      try FileManager.default.removeItem(atPath: folder.path + "/data/postgres.keys")
      for _ in 0..<30 { try application.step() }
      following = try Following(options, directory: folder.path + "/data")
      try following.catchUp(server)
      try Self.expectSame(following.ledger, server)
      for _ in 0..<30 { try application.step() }
      try following.catchUp(server)
      try Self.expectSame(following.ledger, server)
    }

    /// Rules 20.2, 3.8: a transaction of any size arrives, and is seen at once as long as memory is to hold it; the log of others
    /// does not hold the slot.
    @Test("A long transaction; foreign writes move the slot", arguments: [1_000_000, 60_000])
    func large(whole: Int) throws {
      var (database, server, options) = try Self.setUp()
      options.wholeChangesMax = whole
      let application = try Application(server, seed: 8)
      let folder = try Folder()
      let following = try Following(options, directory: folder.path + "/data")
      try following.catchUp(server)
      try server.script(
        """
        begin;
        insert into pool_events (artist_token_id, chain_id, block_number, log_index, tx_hash, event_type, side, amount_usd,
          token_amount, block_timestamp)
        select '\(application.tokens[0])', 1, n, 0, 'tx', 'swap', 'buy', n, 2, now() - n * interval '0.01 seconds'
          from generate_series(1, 120000) n;
        update pool_events set amount_usd = amount_usd + 1 where block_number % 3 = 0;
        delete from pool_events where block_number % 5 = 0;
        commit
        """)
      var reader = following.ledger.publication().reader()
      var (count, counts): (Int, Set<Int>) = (0, [])
      let patience = ContinuousClock.now + .seconds(60)
      while count != 96_000 || following.status.accepted < 96_000 {
        count = reader.read { market in
          market.tokens().reduce(0) { $0 + market.heldKeys(of: .swap, token: $1).count }
        }
        counts.insert(count)
        try #require(ContinuousClock.now < patience, "\(counts.sorted())")
        usleep(500)
      }
      #expect(whole < 1_000_000 ? counts.count > 2 : counts.subtracting([0, 96_000]).isEmpty, "\(counts.sorted())")
      try following.catchUp(server)
      try Self.expectSame(following.ledger, server)
      let before = following.status.confirmedLSN
      let begin = try server.query("select pg_current_wal_lsn()::text").first?.text(0).flatMap { LSN($0) }
      let mebibytes = Amount.asked("CONTINUO_FOREIGN_MIB", orElse: 40)
      while true {
        try server.script(
          "insert into engagement_events (event_name, payload) select 'x', jsonb_build_object('a', repeat('y', 100)) from generate_series(1, 30000)"
        )
        let now = try server.query("select pg_current_wal_lsn()::text").first?.text(0).flatMap { LSN($0) }
        if let begin, let now, now.value - begin.value >= UInt64(mebibytes) << 20 { break }
      }
      let end = ContinuousClock.now + .seconds(60)
      var retained: Int64 = .max
      while retained > 40 << 20 {
        try #require(ContinuousClock.now < end, "\(retained) bytes are held")
        usleep(50_000)
        let row = try server.query(
          "select pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn)::int8 from pg_replication_slots where slot_name = 'continuo_\(database)'"
        )
        retained = row.first?.int(0) ?? .max
      }
      #expect(following.status.confirmedLSN > before)
      try server.script("truncate pool_events, token_transfers")
      try following.catchUp(server)
      #expect(following.ledger.hourCandles.isEmpty)
    }
  }
#endif
