// A network that stalls in the midst of what is sent, either way.
// Invariant: it is noticed within the time that was asked for, nobody who feeds the engine waits, and behind it both sides are in step.
// Not here: a server that fails (FaultTests), the network itself (Network).

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

  @Suite("A network that stalls", .serialized)
  struct NetworkTests {
    private let cluster: Cluster
    private let database: String
    private let server: Connection
    private let network: Network
    private var options: Follower.Options

    init() throws {
      cluster = try Cluster.shared.get()
      database = try cluster.database(withTables: true)
      server = try cluster.connection(database)
      network = try Network(to: cluster.port)
      options = Follower.Options(try network.target(database), wallClock: wallClock)
      (options.name, options.statusMicroseconds) = (database, 100_000)
      (options.silenceMicroseconds, options.patienceMicroseconds) = (300_000, 600_000)
      options.backoff = Backoff(firstMicroseconds: 20_000, longestMicroseconds: 200_000)
    }

    /// Many swaps of a token, one in each hour.
    private func insertSwaps(_ token: String, _ blocks: ClosedRange<Int>) throws {
      try server.script(
        """
        insert into pool_events (artist_token_id, chain_id, block_number, log_index, tx_hash, event_type, side, wallet, amount_usd,
          token_amount, block_timestamp)
        select '\(token)', 1, n, 0, 'tx', 'swap', 'buy', 'w' || n % 7, n, 2, now() - (n % 150) * interval '1 hour'
          from generate_series(\(blocks.lowerBound), \(blocks.upperBound)) n
        """)
    }

    private func waitUntilStalled() throws {
      let end = ContinuousClock.now + .seconds(20)
      while !network.isStalled {
        try #require(ContinuousClock.now < end, "so much was never sent")
        usleep(5_000)
      }
    }

    /// Takes an event of another chain and gives it back: neither waits.
    private func expectIngestion(_ ledger: Ledger) throws {
      let began = ContinuousClock.now
      var batch = EventBatch()
      batch.append(Swap(chain: 77, block: 1, timestamp: wallClock(), token: "OTHER", amountUSD: .one, priceUSD: .one))
      _ = try ledger.take(batch, wallClock: nil)
      _ = try ledger.rollback(chain: 77, above: 0)
      #expect(ContinuousClock.now - began < .seconds(2))
    }

    /// Rules 20.11, 20.12: a snapshot that stood still half-way counts for nothing, and is begun anew.
    @Test("In the midst of a snapshot's COPY")
    func snapshot() throws {
      let application = try Application(server, seed: 61)
      try insertSwaps(application.tokens[0], 1...40_000)
      try network.stall(.fromServer, behind: 1_500_000)
      let folder = try Folder()
      let following = try Following(options, directory: folder.path + "/data")
      try waitUntilStalled()
      try following.wait("it is noticed") { $0.failure?.contains("no answer within") == true }
      try expectIngestion(following.ledger)
      try network.resume()
      try following.catchUp(server)
      try FollowerTests.expectSame(following.ledger, server)
      #expect(following.status.snapshots >= 2, "the first of them did not end")
    }

    /// Rules 20.2, 20.11: changes that came by halves are taken once, and half a transaction is not seen.
    @Test("In the midst of changes")
    func changes() throws {
      var application = try Application(server, seed: 62)
      let folder = try Folder()
      let following = try Following(options, directory: folder.path + "/data")
      try following.catchUp(server)
      let before = following.status.reconnections
      try network.stall(.fromServer, behind: 9_000_000)
      for _ in 0..<20 { try application.step() }
      // Several parts of which come.
      try insertSwaps(application.tokens[0], 100_001...200_000)
      try waitUntilStalled()
      try following.wait("it is noticed") { $0.reconnections > before || $0.failure != nil }
      try expectIngestion(following.ledger)
      #expect(following.ledger.eventCount(chain: 1, above: 100_000) == 0)
      for _ in 0..<20 { try application.step() }
      try network.resume()
      try following.catchUp(server)
      try FollowerTests.expectSame(following.ledger, server)
      #expect(following.status.snapshots == 1)
    }

    /// Rule 20.14: what is on its way stays unsent, bounded by the tokens, and is sent again whole.
    @Test("In the midst of what we write")
    func summaries() throws {
      var application = try Application(server, seed: 63)
      let migration = Migration(TableMapping(), server)
      _ = try migration.migrate()
      _ = try migration.take(SummaryColumn.allCases)
      var direct = options
      direct.target = try cluster.target(database)
      let folder = try Folder()
      let following = try Following(direct, directory: folder.path + "/data")
      let writing = Writing(
        following, try network.target(database),
        backoff: Backoff(firstMicroseconds: 20_000, longestMicroseconds: 200_000))
      for _ in 0..<10 { try application.step() }
      try writing.settle(server)
      try network.stall(.toServer, behind: 10_000)
      try insertSwaps(application.tokens[0], 200_001...201_000)
      try waitUntilStalled()
      let end = ContinuousClock.now + .seconds(20)
      while writing.writer.status.retries == 0 {
        try #require(ContinuousClock.now < end, "\(writing.writer.status)")
        usleep(5_000)
      }
      for _ in 0..<20 { try application.step() }
      try following.catchUp(server)
      #expect((1...application.tokens.count).contains(writing.writer.unsentTokens))
      try expectIngestion(following.ledger)
      try network.resume()
      try writing.settle(server)
      #expect(try WriterTests.written(server) == Application.candles(server))
    }
  }
#endif
