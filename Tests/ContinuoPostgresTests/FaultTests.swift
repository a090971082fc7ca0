// A server that is stopped, killed, paused, restarted, and whose slot is lost, beside traffic both ways.
// Invariant: after each both sides are what SQL finds in the application's tables, and nobody who feeds the engine has waited.
// Not here: faults of our own process (CommandTests).

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

  @Suite("A PostgreSQL that fails", .serialized)
  struct FaultTests {
    /// Rules 20.11, 20.14: whatever happens to the server, both sides are in step again behind it.
    @Test("Stopped, killed, paused, full of connections, read-only")
    func faults() throws {
      let cluster = try Cluster(["wal_level=logical", "max_connections=30", "wal_sender_timeout=4s"])
      let database = try cluster.database(withTables: true)
      var server = try cluster.connection(database)
      let migration = Migration(TableMapping(), server)
      _ = try migration.migrate()
      _ = try migration.take(SummaryColumn.allCases)
      var options = Follower.Options(try cluster.target(database), wallClock: wallClock)
      (options.name, options.statusMicroseconds) = (database, 100_000)
      options.backoff = Backoff(firstMicroseconds: 50_000, longestMicroseconds: 500_000)
      let folder = try Folder()
      let following = try Following(options, directory: folder.path + "/data")
      let writing = Writing(following, options.target, backoff: options.backoff)
      var application = try Application(server, seed: 11)
      func expectInStep(_ what: String) throws {
        for _ in 0..<15 { try application.step() }
        try writing.settle(server)
        #expect(try following.ledger.hourCandles == Application.candles(server), "\(what)")
        #expect(try WriterTests.written(server) == Application.candles(server), "\(what)")
        #expect(try following.ledger.balances == Application.balances(server), "\(what)")
      }
      try expectInStep("at first")
      // Killed as by a power cut: it recovers by itself, or is started again.
      for (what, signal) in [("kill -9", SIGKILL), ("fast shutdown", SIGINT), ("immediate shutdown", SIGQUIT)] {
        try cluster.send(signal)
        usleep(500_000)
        try cluster.start()
        server = try cluster.connection(database)
        application.server = server
        try expectInStep(what)
      }
      // Paused: nothing answers, and nothing here stands still.
      let pids = try server.query("select pid::int8 from pg_stat_activity where application_name like 'continuo%'").all
      for row in pids { kill(Int32(row.int(0) ?? 0), SIGSTOP) }
      let began = ContinuousClock.now
      var batch = EventBatch()
      batch.append(Swap(chain: 77, block: 1, timestamp: wallClock(), token: "OTHER", amountUSD: .one, priceUSD: .one))
      _ = try following.ledger.take(batch, wallClock: nil)
      #expect(ContinuousClock.now - began < .seconds(2))
      usleep(1_000_000)
      for row in pids { kill(Int32(row.int(0) ?? 0), SIGCONT) }
      _ = try following.ledger.rollback(chain: 77, above: 0)
      try expectInStep("paused")
      // Out of connections: those that are there are ended, and none is left for a while.
      _ = try server.query(
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'continuo%'")
      var others: [Connection] = []
      while let other = try? cluster.connection(database), others.count < 40 { others.append(other) }
      usleep(700_000)
      others = []
      try expectInStep("out of connections")
      // Read-only for whoever writes summaries.
      try server.script("alter database \(database) set default_transaction_read_only = on")
      _ = try server.query(
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'continuo summaries'")
      for _ in 0..<10 { try application.step() }
      usleep(700_000)
      #expect(writing.writer.status.failure?.contains("25006") == true, "\(writing.writer.status)")
      try server.script(
        "set default_transaction_read_only = off; alter database \(database) reset default_transaction_read_only")
      _ = try server.query(
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'continuo summaries'")
      try expectInStep("read-only")
      #expect(following.status.snapshots == 1)
    }

    /// Rules 20.4, 20.12: a slot that the server has given up is made anew with a snapshot; a server that comes back from an older
    /// backup is found to be one.
    @Test("A slot lost to max_slot_wal_keep_size")
    func lostToSize() throws {
      let cluster = try Cluster([
        "wal_level=logical", "max_slot_wal_keep_size=1MB", "min_wal_size=32MB", "max_wal_size=32MB",
      ])
      let database = try cluster.database(withTables: true)
      let server = try cluster.connection(database)
      var options = Follower.Options(try cluster.target(database), wallClock: wallClock)
      (options.name, options.statusMicroseconds) = (database, 100_000)
      let folder = try Folder()
      var application = try Application(server, seed: 12)
      for _ in 0..<20 { try application.step() }
      var following = try Following(options, directory: folder.path + "/data")
      try following.catchUp(server)
      following.end()
      for _ in 0..<10 { try application.step() }
      for _ in 0..<6 {
        try server.script(
          "select pg_switch_wal(); insert into engagement_events (event_name, payload) select 'x', jsonb_build_object('a', repeat('y', 1000)) from generate_series(1, 20000); checkpoint"
        )
      }
      let lost = try server.query("select wal_status from pg_replication_slots").first?.text(0)
      #expect(lost == "lost")
      following = try Following(options, directory: folder.path + "/data")
      try following.catchUp(server)
      #expect(try following.ledger.hourCandles == Application.candles(server))
      #expect(following.status.snapshots == 1)
    }
  }
#endif
