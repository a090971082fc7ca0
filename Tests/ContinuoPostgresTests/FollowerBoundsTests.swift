// What a follower does at its bounds: files that are full or long, numbers that end, servers that are silent, snapshots that break off.
// Invariant: nothing that was written is lost, and nothing traps.
// Not here: the rows themselves (FollowerTests).

#if Postgres
  import Continuo
  import ContinuoPostgres
  import ContinuoStorage
  import ContinuoTestSupport
  import Foundation
  import Synchronization
  import Testing

  #if canImport(Glibc)
    import Glibc
  #else
    import Darwin
  #endif

  /// A directory that takes so many batches of a snapshot, and then no more.
  private final class BreakingSink: WrappedSink {
    struct Broken: Error {}
    let whole: LedgerSink
    private let left: Mutex<Int>

    init(_ whole: LedgerSink, history: Int) {
      self.whole = whole
      left = Mutex(history)
    }

    func take(_ batch: EventBatch, at position: InputPosition, isHistory: Bool) throws -> Receipt {
      if isHistory {
        try left.withLock { left in
          guard left > 0 else { throw Broken() }
          left -= 1
        }
      }
      return try whole.take(batch, at: position, isHistory: isHistory)
    }
  }

  /// A directory that takes so many long batches, and then no more.
  private final class PartsSink: WrappedSink {
    let whole: LedgerSink
    private let left: Mutex<Int>

    init(_ whole: LedgerSink, _ count: Int) {
      self.whole = whole
      left = Mutex(count)
    }

    func take(
      whole batches: [EventBatch], at position: InputPosition, note: ([Receipt]) throws -> Void
    ) throws -> [Receipt] {
      if batches.contains(where: { $0.offered > 5_000 }) {
        try left.withLock { left in
          guard left > 0 else { throw BreakingSink.Broken() }
          left -= 1
        }
      }
      return try whole.take(whole: batches, at: position, note: note)
    }
  }

  @Suite("A follower at its bounds", .serialized)
  struct FollowerBoundsTests {
    private static func swaps(_ token: String, _ values: String) -> String {
      """
      insert into pool_events (artist_token_id, chain_id, block_number, log_index, tx_hash, event_type, side, wallet, amount_usd,
        token_amount, block_timestamp) select '\(token)', \(values)
      """
    }

    private static func length(_ path: String) -> Int {
      (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int) ?? 0
    }

    /// Rule 20.3: keys are kept for the raw retention, and their file is as long as its rows need it to be, whatever happened to them.
    @Test("The file of keys is bounded, and forgets what can be retracted no more")
    func keys() throws {
      var (_, server, options) = try FollowerTests.setUp()
      options.keyGrowthBytes = 20_000
      let application = try Application(server, seed: 41)
      let token = application.tokens[0]
      let folder = try Folder()
      let path = folder.path + "/data/postgres.keys"
      let retention = try RetentionPolicy("raw=7d,1m=7d,5m=7d,15m=7d")
      let ledgerOptions = Ledger.Options(engine: Engine.Settings(retention: retention))
      var following = try Following(options, directory: folder.path + "/data", ledgerOptions)
      try following.catchUp(server)
      try server.script(
        Self.swaps(
          token, "1, n, 0, 'tx', 'swap', 'buy', 'w', n, 2, now() - interval '10 days' from generate_series(1, 500) n"))
      try following.catchUp(server)
      #expect(following.status.keys == 500)
      // 200 rows, each written a hundred times: some 900 KB of changes.
      try server.script(
        Self.swaps(token, "2, n, 0, 'tx', 'swap', 'buy', 'w', n, 2, now() from generate_series(1, 200) n"))
      var longest = 0
      for round in 0..<100 {
        try server.script("update pool_events set amount_usd = amount_usd + 1 where chain_id = 2")
        if round % 10 == 0 { try following.catchUp(server) }
        longest = max(longest, Self.length(path))
      }
      try following.catchUp(server)
      #expect(following.status.keys == 200)
      #expect(max(longest, Self.length(path)) < 2 * 700 * 35 + 20_000 + 200_000, "\(longest)")
      #expect(Self.length(path) < 2 * 200 * 35 + 20_000 + 200_000)
      let names = try FileManager.default.contentsOfDirectory(atPath: folder.path + "/data")
      #expect(!names.contains { $0.hasSuffix(".new") })
      // What is left is enough to go on with.
      following.end()
      following = try Following(options, directory: folder.path + "/data", ledgerOptions)
      try server.script("delete from pool_events where chain_id = 2 and block_number > 10")
      try following.catchUp(server)
      #expect(following.status.snapshots == 0 && following.status.counts.deleted == 190)
    }

    /// Rule 20.11: a file of rejected rows that is full has all of those that were taken, and nothing more is taken.
    @Test("A full file of rejected rows loses none")
    func letters() throws {
      var (_, server, options) = try FollowerTests.setUp()
      options.rejectedBytesMax = 2_000
      let application = try Application(server, seed: 42)
      let folder = try Folder()
      let path = folder.path + "/data/postgres.rejected.ndjson"
      var following = try Following(options, directory: folder.path + "/data")
      try following.catchUp(server)
      let bad = "1, n, 0, 'tx', 'swap', 'hodl', 'w', n, 2, now()"
      try server.script(Self.swaps(application.tokens[0], "\(bad) from generate_series(1, 50) n"))
      func lines() throws -> Int { try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").count }
      try following.wait("all of them are rejected") { $0.rejected == 50 }
      #expect(try lines() == 50)
      try server.script(Self.swaps(application.tokens[0], "\(bad) from generate_series(51, 60) n"))
      try following.wait("it has stopped") { $0.phase == .stopped }
      #expect(following.status.failure?.contains("move the file away") == true)
      #expect(try lines() == 50)
      following.end()
      try FileManager.default.removeItem(atPath: path)
      following = try Following(options, directory: folder.path + "/data")
      try following.wait("the others") { $0.rejected == 10 }
      #expect(try lines() == 10)
    }

    /// Rules 20.2, 20.11: a transaction that is longer than memory is to hold, ended behind some of its parts while the file of keys is
    /// written anew: what its last parts delete is known behind the next start.
    @Test("Ended in the midst of a transaction that is taken in parts", arguments: [1, 2, 3, 5])
    func parts(taken: Int) throws {
      var (_, server, options) = try FollowerTests.setUp()
      (options.keyGrowthBytes, options.wholeChangesMax) = (1_000, 100_000)
      let application = try Application(server, seed: 43)
      let folder = try Folder()
      var following = try Following(options, directory: folder.path + "/data") { PartsSink($0, taken) }
      try following.catchUp(server)
      let row = "n, 0, 'tx', 'swap', 'buy', 'w', n, 2, now()"
      try server.script(Self.swaps(application.tokens[0], "3, \(row) from generate_series(1, 2000) n"))
      try following.catchUp(server)
      try server.script(
        """
        begin;
        \(Self.swaps(application.tokens[0], "4, \(row) from generate_series(1, 130000) n"));
        update pool_events set amount_usd = amount_usd + 1 where chain_id = 4 and block_number % 4 = 0;
        truncate token_transfers;
        delete from pool_events where chain_id = 3 and block_number > 10;
        delete from pool_events where chain_id = 4 and block_number > 10;
        commit
        """)
      try following.wait("it has ended") { $0.failure?.contains("Broken") == true }
      following.end()
      following = try Following(options, directory: folder.path + "/data")
      try following.catchUp(server)
      try FollowerTests.expectSame(following.ledger, server)
      #expect(following.ledger.eventCount(chain: 3, above: 0) == 10)
      #expect(following.ledger.eventCount(chain: 4, above: 0) == 10)
      #expect(following.status.snapshots == 0)
    }

    /// Rule 20.12: what was held of a chain is taken back though only a snapshot before the one that broke off knew of it.
    @Test("A snapshot that breaks off forgets no chain")
    func brokenOff() throws {
      let (database, server, options) = try FollowerTests.setUp()
      let application = try Application(server, seed: 43)
      let folder = try Folder()
      for chain in [5, 6] {
        try server.script(
          Self.swaps(
            application.tokens[0], "\(chain), n, 0, 'tx', 'swap', 'buy', 'w', n, 2, now() from generate_series(1, 9) n")
        )
      }
      var following = try Following(options, directory: folder.path + "/data")
      try following.catchUp(server)
      following.end()
      try Following.dropSlot(server, database)
      try server.script("delete from pool_events where chain_id = 5")
      following = try Following(options, directory: folder.path + "/data") { BreakingSink($0, history: 2) }
      try following.wait("it broke off") { $0.phase == .stopped }
      following.end()
      following = try Following(options, directory: folder.path + "/data")
      try following.catchUp(server)
      #expect(following.status.snapshots == 1)
      try FollowerTests.expectSame(following.ledger, server)
      #expect(following.follower.ownedChains?.isSuperset(of: [5, 6]) == true)
    }

    /// Rule 20.12: where no further snapshot has a number that is said.
    @Test("The last generation is a clear end")
    func generations() throws {
      let (_, server, options) = try FollowerTests.setUp()
      let folder = try Folder()
      do {
        let ledger = try Ledger(path: folder.path + "/data")
        let last = SourcePosition(generation: .max, lsn: LSN(5))
        let position = try #require(InputPosition(SourcePosition.source(options.name), last.value))
        _ = try ledger.take(EventBatch(), at: position, wallClock: nil)
      }
      let following = try Following(options, directory: folder.path + "/data")
      try following.wait("it has stopped") { $0.phase == .stopped }
      #expect(following.status.failure?.contains("65535 snapshots") == true)
      #expect(try server.query("select 1").count == 1)
    }

    /// Rules 20.11, 20.14: who is gone without a word is noticed, who has nothing to say is not taken for gone.
    @Test("A server that is silent")
    func silent() throws {
      var (database, server, options) = try FollowerTests.setUp()
      (options.silenceMicroseconds, options.patienceMicroseconds) = (300_000, 600_000)
      options.backoff = Backoff(firstMicroseconds: 20_000, longestMicroseconds: 200_000)
      var application = try Application(server, seed: 44)
      let folder = try Folder()
      let following = try Following(options, directory: folder.path + "/data")
      for _ in 0..<10 { try application.step() }
      try following.catchUp(server)
      usleep(2_000_000)
      #expect(following.status.reconnections == 0 && following.status.phase == .streaming)
      let pid = try server.query(
        "select active_pid::int8 from pg_replication_slots where slot_name = $1", [.text("continuo_\(database)")]
      ).first?.int(0)
      let sender = pid_t(try #require(pid))
      #expect(kill(sender, SIGSTOP) == 0)
      defer { kill(sender, SIGCONT) }
      try following.wait("it is noticed") { $0.failure?.contains("silent") == true || $0.reconnections > 0 }
      #expect(kill(sender, SIGCONT) == 0)
      for _ in 0..<10 { try application.step() }
      try following.catchUp(server)
      try FollowerTests.expectSame(following.ledger, server)
    }
  }
#endif
