// `postgres check`, `migrate` and `serve --postgres` as programs beside a real database.
// Invariant: what is printed is what somebody reads who has only that; no password is in it.
// Not here: each check (PreflightTests), each statement (MigrationTests).

#if Server && Postgres
  import Continuo
  import ContinuoPostgres
  import ContinuoTestSupport
  import Foundation
  import Testing

  @Suite("The commands beside PostgreSQL", .serialized)
  struct CommandTests {
    /// Rule 20.5: a line a check, the SQL behind it, exit 1; as JSON the same.
    @Test("continuo postgres check")
    func check() throws {
      let cluster = try Cluster.shared.get()
      let name = try cluster.database(withTables: true)
      try cluster.connection(name).script("create role \(name)_weak login replication")
      let bad = try Program.run([
        "postgres", "check", "--postgres", cluster.url(name, role: "\(name)_weak"), "--postgres-name", name,
      ])
      #expect(bad.status == 1)
      #expect(bad.out.contains("failed   select"))
      #expect(bad.out.contains("GRANT SELECT ON \"public\".\"pool_events\" TO \"\(name)_weak\";"))
      #expect(bad.error.contains("checks failed"))
      let good = try Program.run(
        ["postgres", "check", "--format", "json"],
        ["CONTINUO_POSTGRES": cluster.url(name), "CONTINUO_POSTGRES_NAME": name])
      #expect(good.status == 0, "\(good.out) \(good.error)")
      let rows = try JSONSerialization.jsonObject(with: Data(good.out.utf8)) as? [[String: Any]]
      #expect(rows?.first?["check"] as? String == "connection")
      #expect((rows?.count ?? 0) > 15)
      let nobody = try Program.run(["postgres", "check", "--postgres", "postgresql://x:geheim@127.0.0.1:1/x"])
      #expect(nobody.status == 1 && !nobody.out.contains("geheim") && !nobody.error.contains("geheim"))
      let nonsense = try Program.run(["postgres", "check", "--postgres", "geheim"])
      #expect(nonsense.status == 2 && !nonsense.error.contains("geheim"), "\(nonsense.error)")
      #expect(try Program.run(["postgres", "check"]).status == 2)
    }

    /// Rule 20.6: nothing is written into the application's columns unless they are named.
    @Test("continuo migrate")
    func migrate() throws {
      let cluster = try Cluster.shared.get()
      let name = try cluster.database(withTables: true)
      let server = try cluster.connection(name)
      let application = try Application(server, seed: 1)
      try server.script(
        """
        insert into pool_events (artist_token_id, chain_id, block_number, log_index, tx_hash, event_type, side, amount_usd, token_amount,
          block_timestamp) values ('\(application.tokens[0])', 1, 1, 0, 'x', 'swap', 'buy', 10, 4, now())
        """)
      let begin = ["migrate", "--postgres", cluster.url(name), "--postgres-name", name, "--format", "csv"]
      let dry = try Program.run(begin + ["--dry-run"])
      #expect(dry.status == 0 && dry.error.contains("would run: CREATE TABLE"), "\(dry.error)")
      #expect(try server.query("select to_regclass('continuo_sync') is null").first?.bool(0) == true)
      let made = try Program.run(begin)
      #expect(made.status == 0 && made.error.contains("ran: CREATE TABLE"))
      #expect(made.out.contains("public.artist_tokens,last_price_usd,\(application.tokens[0]),,2.5"))
      let taken = try Program.run(begin + ["--own", "artist_tokens.volume_24h_usd,artist_tokens.last_price_usd"])
      #expect(taken.status == 0 && taken.error.contains("took public.artist_tokens.volume_24h_usd"))
      #expect(try server.query("select 1 from artist_tokens where volume_24h_usd is not null").count == 0)
      #expect(try Program.run(begin + ["--own", "artist_tokens.nothing"]).status == 2)
      #expect(try Program.run(begin + ["--remove"]).status == 1)
      let gone = try Program.run(begin + ["--remove", "--yes"])
      #expect(gone.status == 0 && gone.error.contains("dropped table public.continuo_sync"))
      #expect(try server.query("select to_regclass('hourly_price_candles') is null").first?.bool(0) == true)
    }

    /// Rules 20.5, 20.11: what lacks something is refused with what mends it; without synced batches nothing can be confirmed.
    @Test("serve refuses what cannot work")
    func refused() throws {
      let cluster = try Cluster.shared.get()
      let folder = try Folder()
      let name = try cluster.database()
      let lacking = try Program.run(
        ["serve", "--data-dir", folder.path + "/data", "--listen", "127.0.0.1:0", "--postgres", cluster.url(name)])
      #expect(lacking.status == 1 && lacking.error.contains("there is no table public.pool_events"))
      let unsynced = try Program.run(
        ["serve", "--data-dir", folder.path + "/data", "--durability", "os", "--postgres", cluster.url(name)])
      #expect(unsynced.status == 2 && unsynced.error.contains("--durability sync"))
    }

    /// Rules 20.1, 20.7, 20.10, 20.11, 20.14: killed at any moment with traffic both ways, it comes back and has everything, once.
    @Test("serve --postgres, killed again and again, keeps both sides in step", arguments: Seeds.thisRun(1))
    func kills(seed: UInt64) throws {
      let cluster = try Cluster.shared.get()
      let (name, server, _) = try WriterTests.setUp()
      var random = SeededGenerator(seed: seed)
      var application = try Application(server, seed: seed, spanSeconds: 100_000)
      let folder = try Folder()
      let flags = ["--postgres-name", name, "--decay-interval", "1s", "--log-level", "error"]
      for _ in 0..<Amount.asked("CONTINUO_KILLS", orElse: 10) {
        let served = try ServedBeside(cluster.url(name), directory: folder.path + "/data", flags)
        let steps = Int.random(in: 5...40, using: &random)
        for _ in 0..<steps {
          try application.step()
          usleep(UInt32.random(in: 0...20_000, using: &random))
        }
        _ = served.end(SIGKILL)
        for _ in 0..<3 { try application.step() }
      }
      let served = try ServedBeside(cluster.url(name), directory: folder.path + "/data", flags)
      let end = ContinuousClock.now + .seconds(40)
      var (candles, written) = (["?"], [String]())
      while candles != written {
        if ContinuousClock.now > end { break }
        usleep(200_000)
        (candles, written) = (try Application.candles(server), try WriterTests.written(server))
      }
      #expect(candles == written, "seed \(seed): \(served.errors)")
      #expect(served.figure("continuo_postgres_streaming") == 1)
      #expect(served.figure("continuo_postgres_writing") == 1)
      #expect(served.page("/readyz")?.contains("\"ready\":true") == true)
      // Rule 20.10: what the database is the source of comes from nowhere else.
      let event =
        #"{"block":1,"chain":1,"timestamp":"\#(wallClock())","token":"ART","amount_usd":"1","token_amount":"1"}"#
      let refused = served.page("/v1/events", body: event)
      #expect(refused?.contains("source_owned") == true, "\(refused ?? "")")
      let other = served.page("/v1/events", body: event.replacingOccurrences(of: #""chain":1"#, with: #""chain":99"#))
      #expect(other?.contains("\"accepted\":1") == true, "\(other ?? "")")
      #expect(served.end() == 0)
      #expect(!served.errors.contains("followed no more"))
    }
  }
#endif
