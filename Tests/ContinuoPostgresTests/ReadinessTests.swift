// What a server beside a database says of itself: whether it can be relied on, which side is behind, and what it counts.
// Invariant: nobody is sent to a server whose market is not the database's, or is not any more.
// Not here: the same of a server without a database (ContinuoServerTests), whether rules and dashboards are sound (tools/deploy-test).

#if Server && Postgres
  import Continuo
  import ContinuoPostgres
  import ContinuoTestSupport
  import Foundation
  import Testing

  @Suite("Readiness beside PostgreSQL", .serialized)
  struct ReadinessTests {
    private static func wait(
      _ served: ServedBeside, for text: String, _ place: SourceLocation = #_sourceLocation
    ) throws -> String {
      let end = ContinuousClock.now + .seconds(20)
      while true {
        let page = served.page("/readyz") ?? ""
        if page.contains(text) { return page }
        try #require(
          ContinuousClock.now < end, "\(text) does not come: \(page) \(served.errors)", sourceLocation: place)
        usleep(20_000)
      }
    }

    /// Rule 13.1: before the first snapshot there is nothing to rely on, and behind a stop it is of yesterday.
    @Test("Not ready before the first snapshot, nor behind a stop")
    func reasons() throws {
      let (name, server, _) = try WriterTests.setUp()
      var application = try Application(server, seed: 5)
      for _ in 0..<20 { try application.step() }
      let folder = try Folder()
      let nobody = try ServedBeside("postgresql://x@127.0.0.1:1/x", directory: folder.path + "/data")
      let page = try Self.wait(nobody, for: "postgres_in: waiting: there was no snapshot yet: ")
      #expect(page.contains("\"ready\":false"))
      #expect(nobody.end() == 0)
      let url = try Cluster.shared.get().url(name)
      let flags = ["--postgres-name", name]
      var served = try ServedBeside(url, directory: folder.path + "/data", flags)
      _ = try Self.wait(served, for: "\"ready\":true")
      #expect(served.end() == 0)
      // With a snapshot that is whole a server that is away is waited for, and answers are given.
      served = try ServedBeside("postgresql://x@127.0.0.1:1/x", directory: folder.path + "/data", flags)
      #expect(try Self.wait(served, for: "postgres_in: waiting").contains("\"ready\":true"))
      #expect((served.figure("continuo_postgres_lag_seconds{direction=\"in\"}") ?? 0) > 0)
      #expect(served.end() == 0)
      // A file of rejected rows that is as long as it may be ends it.
      let letters = folder.path + "/data/postgres.rejected.ndjson"
      let handle = try FileHandle(forUpdating: URL(filePath: letters))
      try handle.truncate(atOffset: 64 << 20)
      try handle.close()
      served = try ServedBeside(url, directory: folder.path + "/data", flags)
      _ = try Self.wait(served, for: "\"reasons\":[]")
      try server.script(
        """
        insert into pool_events (artist_token_id, chain_id, block_number, log_index, tx_hash, event_type, amount_usd, token_amount, block_timestamp)
        select id, 1, 900, 0, 'x', 'swap', 'NaN', 1, now() from artist_tokens limit 1
        """)
      let stopped = try Self.wait(served, for: "postgres_in: stopped: ")
      #expect(stopped.contains("\"ready\":false") && stopped.contains("rejected rows"), "\(stopped)")
      #expect(served.figure("continuo_postgres_stopped") == 1)
      #expect(served.end() == 0)
    }

    /// Rule 13.1: a dashboard without its metric shows nothing, and an alert without one never comes.
    @Test(
      "Every metric that rules and the dashboard name is one that a server beside a database has",
      arguments: ["grafana/postgres.json", "prometheus/postgres.yaml", "prometheus/postgres.test.yaml"])
    func metrics(_ file: String) throws {
      let (name, server, _) = try WriterTests.setUp()
      var application = try Application(server, seed: 6)
      for _ in 0..<10 { try application.step() }
      let folder = try Folder()
      let served = try ServedBeside(
        try Cluster.shared.get().url(name), directory: folder.path + "/data", ["--postgres-name", name])
      let end = ContinuousClock.now + .seconds(20)
      while (served.figure("continuo_postgres_write_transactions_total") ?? 0) < 1 {
        try #require(ContinuousClock.now < end, "nothing is written: \(served.errors)")
        usleep(50_000)
      }
      let page = served.page("/metrics") ?? ""
      let known = Set(
        page.split(separator: "\n").filter { !$0.hasPrefix("#") }.map { line in
          String(line.prefix { $0 != "{" && $0 != " " })
        })
      let text = try String(contentsOf: Schema.root.appending(path: "data/deploy/" + file), encoding: .utf8)
      let named = Set(text.matches(of: /continuo_[a-z_]+/).map { String($0.0) })
      #expect(named.count > 5 && named.isSubset(of: known), "\(named.subtracting(known))")
      for direction in ["in", "out"] {
        #expect(page.contains("continuo_postgres_lag_seconds{direction=\"\(direction)\"} "))
      }
      // A name has one head, however many values.
      #expect(page.components(separatedBy: "# TYPE continuo_postgres_lag_seconds ").count == 2)
      #expect(served.end() == 0)
    }
  }
#endif
