// `continuo sync`: all rows once more, and whether every summary is what it should be.
// Invariant: what was changed behind Continuo's back is found, and nothing else is.
// Not here: snapshots that nobody asked for (FollowerTests, SnapshotTests).

#if Server && Postgres
  import Continuo
  import ContinuoPostgres
  import ContinuoStorage
  import ContinuoTestSupport
  import Foundation
  import Testing

  @Suite("Syncing by hand", .serialized)
  struct SyncTests {
    /// Rule 20.13: every taken column and every candle is compared as of one moment; exit 1 where anything differs.
    @Test("sync --check finds what was changed behind Continuo's back, and nothing else", arguments: Seeds.thisRun(2))
    func check(seed: UInt64) throws {
      let (name, server, options) = try WriterTests.setUp()
      let url = try Cluster.shared.get().url(name)
      var application = try Application(server, seed: seed)
      for _ in 0..<60 { try application.step() }
      // Nobody has traded it, and nobody writes its row.
      try server.script(
        "insert into artist_tokens (artist_id, symbol, chain_id, contract_address) select artist_id, 'NEW', 1, '0x' from artist_tokens limit 1"
      )
      let folder = try Folder()
      let following = try Following(options, directory: folder.path + "/data")
      let writing = Writing(following, options.target)
      try writing.settle(server)
      for _ in 0..<30 { try application.step() }
      try writing.settle(server)
      writing.end()
      following.end()
      // What is very young is not compared: nothing of this is.
      try server.script("update pool_events set block_timestamp = block_timestamp where false")
      let command = ["sync", "--check", "--postgres", url, "--postgres-name", name, "--format", "csv"]
      let good = try Program.run(command)
      #expect(good.status == 0 && good.out.split(separator: "\n").count == 1, "\(good.out) \(good.error)")
      let count = try server.query("select count(*) from hourly_price_candles").first?.int(0) ?? 0
      // Those of the oldest hour may have been cleaned up.
      let compared = try #require(good.error.firstMatch(of: /([0-9]+) candles were compared/)?.1)
      #expect((Int64(compared) ?? 0) > count / 2 && (Int64(compared) ?? 0) <= count)
      let newest = "(select max(bucket) from hourly_price_candles)"
      try server.script(
        """
        update artist_tokens set last_price_usd = 123.5 where id = '\(application.tokens[0])';
        update hourly_price_candles set volume = volume + 1 where ctid = (select ctid from hourly_price_candles where bucket = \(newest) limit 1)
        """)
      let bad = try Program.run(command)
      let lines = bad.out.split(separator: "\n").dropFirst()
      #expect(bad.status == 1 && lines.count == 2 && bad.error.contains("drift"), "\(bad.out) \(bad.error)")
      #expect(lines.contains { $0.hasPrefix("public.artist_tokens,last_price_usd,\(application.tokens[0]),123.5,") })
      #expect(lines.contains { $0.hasPrefix("public.hourly_price_candles,volume,") })
      try server.script(
        "delete from hourly_price_candles where ctid = (select ctid from hourly_price_candles where bucket = \(newest) limit 1)"
      )
      let less = try Program.run(command)
      #expect(less.status == 1 && less.out.contains("public.hourly_price_candles,trades,"), "\(less.out)")
      // A column that is not ours is the application's.
      try server.script("delete from continuo_owned where column_name = 'last_price_usd'")
      #expect(try !Program.run(command).out.contains("last_price_usd"))
    }

    /// Rule 20.12: the same path as a lost slot's, because somebody wants it; behind it the stream goes on.
    @Test("sync --full makes the directory what the tables are")
    func full() throws {
      let (name, server, options) = try WriterTests.setUp()
      let url = try Cluster.shared.get().url(name)
      var application = try Application(server, seed: 9)
      for _ in 0..<40 { try application.step() }
      let folder = try Folder()
      let directory = folder.path + "/data"
      var following = try Following(options, directory: directory)
      try following.catchUp(server)
      // What no server took: a chain of the tables is undone, and an event is there that they do not have.
      let held = following.ledger.hourCandles
      _ = try following.ledger.rollback(chain: 1, above: 0)
      var batch = EventBatch()
      batch.append(Swap(chain: 2, block: 3, timestamp: wallClock(), token: "OTHER", amountUSD: .one, priceUSD: .one))
      _ = try following.ledger.take(batch, wallClock: nil)
      #expect(following.ledger.hourCandles != held)
      following.end()
      let command = ["sync", "--full", "--postgres", url, "--postgres-name", name, "--data-dir", directory]
      let done = try Program.run(command)
      #expect(done.status == 0 && done.error.contains("1 undone"), "\(done.error)")
      for _ in 0..<20 { try application.step() }
      following = try Following(options, directory: directory)
      try following.catchUp(server)
      #expect(try following.ledger.hourCandles == Application.candles(server))
      #expect(try following.ledger.balances == Application.balances(server))
      #expect(following.status.snapshots == 0)
      // A server has the directory.
      let busy = try Program.run(command)
      #expect(busy.status == 1 && busy.error.contains("locked"), "\(busy.error)")
      following.end()
      #expect(try Program.run(["sync", "--postgres", url]).status == 2)
      #expect(try Program.run(["sync", "--full", "--postgres", url]).status == 2)
      let nobody = try Program.run([
        "sync", "--full", "--postgres", "postgresql://x@127.0.0.1:1/x", "--data-dir", directory,
      ])
      #expect(nobody.status == 1 && nobody.error.contains("no connection"), "\(nobody.error)")
    }
  }
#endif
