// Summaries in a real database beside a follower: what is there is what SQL finds in the application's own tables.
// Invariant: what is right is asked of the server; values that were not taken never change.
// Not here: taking columns (MigrationTests), following (FollowerTests).

#if Postgres
  import Continuo
  import ContinuoBytes
  import ContinuoPostgres
  import ContinuoStorage
  import ContinuoTestSupport
  import Foundation
  import Testing

  /// A writer beside a follower.
  final class Writing {
    let following: Following
    let writer: SummaryWriter
    private let interrupt = InterruptHandle()
    private var thread: ThreadHandle?

    init(
      _ following: Following, _ target: ConnectionTarget, decayMicroseconds: Int64 = 200_000,
      refusedMicroseconds: Int64 = 30_000_000, backoff: Backoff = Backoff()
    ) {
      self.following = following
      var options = SummaryWriter.Options(target)
      (options.decayMicroseconds, options.backoff) = (decayMicroseconds, backoff)
      options.refusedMicroseconds = refusedMicroseconds
      let (ledger, follower) = (following.ledger, following.follower)
      let source = SummaryWriter.Source(
        ledger.publication(), sequence: { ledger.appliedSequence },
        clock: { own in max(own ?? wallClock(), wallClock()) }, supply: { follower.token($0)?.supply })
      let writer = SummaryWriter(options, source, interrupt)
      self.writer = writer
      thread = ThreadHandle { writer.run() }
    }

    func end() {
      interrupt.interrupt()
      writer.end()
      thread?.join()
    }

    deinit { end() }

    /// Waits until nothing is unsent.
    func settle(_ server: Connection, _ place: SourceLocation = #_sourceLocation) throws {
      try following.catchUp(server, place)
      // What was unsent now is: a transaction may be on its way.
      let start = ContinuousClock.now
      let end = start + .seconds(30)
      var quiet = 0
      while quiet < 10 {
        let status = writer.status
        try #require(status.phase != .stopped && status.phase != .fenced, "\(status)", sourceLocation: place)
        try #require(ContinuousClock.now < end, "it is not done: \(status)", sourceLocation: place)
        let isSent = status.phase == .writing && status.transactions > 0 && status.inStepAt.map { $0 > start } ?? false
        quiet = writer.unsentTokens == 0 && isSent ? quiet + 1 : 0
        usleep(10_000)
      }
    }
  }

  @Suite("Summaries in the application's database", .serialized)
  struct WriterTests {
    static func setUp(
      own: [String] = ["artist_tokens"]
    ) throws -> (database: String, server: Connection, options: Follower.Options) {
      let cluster = try Cluster.shared.get()
      let database = try cluster.database(withTables: true)
      let server = try cluster.connection(database)
      let migration = Migration(TableMapping(), server)
      _ = try migration.migrate()
      _ = try migration.take(migration.columns(own))
      var options = Follower.Options(try cluster.target(database), wallClock: wallClock)
      options.name = database
      options.statusMicroseconds = 100_000
      return (database, server, options)
    }

    /// The candles that are written, as ``Application/candles(_:)`` has them.
    static func written(_ server: Connection) throws -> [String] {
      try server.query(
        """
        select artist_token_id::text || ' ' || extract(epoch from bucket)::int8 || ' ' || concat_ws(' ', open, high, low, close, volume,
          volume_token, buy_volume_usd, trades) from hourly_price_candles
        """
      ).all.compactMap { $0.text(0) }.sorted()
    }

    /// How many figures of tokens are not what SQL finds. Those that fall with time are compared as of when they were written.
    static func wrongTokens(_ server: Connection) throws -> [String] {
      try server.query(
        """
        select a.symbol || ' ' || concat_ws(' ', a.last_price_usd, p.last, a.volume_24h_usd, v.volume, a.holders_count, h.holders)
        from artist_tokens a cross join (select as_of from continuo_sync where scope = 'all') s
        left join lateral (select amount_usd / token_amount as last from pool_events e where e.artist_token_id = a.id and event_type = 'swap'
          order by block_timestamp desc, chain_id desc, block_number desc, log_index desc limit 1) p on true
        left join lateral (select coalesce(sum(amount_usd), 0) as volume from pool_events e where e.artist_token_id = a.id
          and event_type = 'swap' and block_timestamp > s.as_of - interval '24 hours') v on true
        left join lateral (select count(*) as holders from (select lower(who) from (
          select to_wallet as who, amount from token_transfers t where t.artist_token_id = a.id
          union all select from_wallet, -amount from token_transfers t where t.artist_token_id = a.id) m
          where who <> '0x0000000000000000000000000000000000000000' group by lower(who) having sum(amount) > 0) b) h on true
        where (exists (select 1 from pool_events e where e.artist_token_id = a.id and event_type = 'swap')
            or exists (select 1 from token_transfers e where e.artist_token_id = a.id))
          and (a.last_price_usd is distinct from p.last or coalesce(a.volume_24h_usd, 0) <> v.volume
            or coalesce(a.holders_count, 0) <> h.holders)
        """
      ).all.compactMap { $0.text(0) }
    }

    /// Rules 20.7, 20.9, 20.14: after any transactions the rows of candles and tokens are what SQL finds, exactly.
    @Test("Any transactions", arguments: Seeds.thisRun(3))
    func anything(seed: UInt64) throws {
      let (_, server, options) = try Self.setUp()
      // Some of it is older than a day, so that figures fall while it runs.
      var application = try Application(server, seed: seed, spanSeconds: 100_000)
      for _ in 0..<40 { try application.step() }
      let folder = try Folder()
      let following = try Following(options, directory: folder.path + "/data")
      let writing = Writing(following, options.target)
      for round in 0..<3 {
        for _ in 0..<30 { try application.step() }
        try writing.settle(server)
        #expect(try Self.written(server) == Application.candles(server), "round \(round), seed \(seed)")
        #expect(try Self.wrongTokens(server).isEmpty, "round \(round), seed \(seed)")
      }
      let status = writing.writer.status
      #expect(status.changedCandles > 0 && status.changedTokens > 0 && status.epoch == 1)
      // Nothing changes, so nothing is written.
      let before = try server.query("select sum(xmin::text::int8) from hourly_price_candles").first?.numeric(0)
      writing.end()
      let again = Writing(following, options.target)
      try again.settle(server)
      #expect(try server.query("select sum(xmin::text::int8) from hourly_price_candles").first?.numeric(0) == before)
      #expect(again.writer.status.changedCandles == 0 && again.writer.status.epoch == 2)
    }

    /// Rules 20.7, 20.8: what was taken back while nobody wrote, all of a token, is found at the next start.
    @Test("A token of which nothing stands any more is written as that at a start")
    func emptied() throws {
      let (_, server, options) = try Self.setUp()
      var application = try Application(server, seed: 1)
      for _ in 0..<20 { try application.step() }
      let folder = try Folder()
      let following = try Following(options, directory: folder.path + "/data")
      let writing = Writing(following, options.target)
      try writing.settle(server)
      #expect(try !Self.written(server).isEmpty)
      writing.end()
      try server.script("delete from pool_events; delete from token_transfers")
      try following.catchUp(server)
      let again = Writing(following, options.target)
      try again.settle(server)
      #expect(try Self.written(server).isEmpty)
      let left = try server.query(
        "select count(*) from artist_tokens where volume_24h_usd > 0 or last_price_usd is not null or holders_count > 0"
      )
      #expect(left.first?.int(0) == 0)
    }

    /// Rules 20.6, 20.7: what was not taken is not written, `updated_at` neither; supply is that of the row.
    @Test("Only what was taken is written")
    func owned() throws {
      let (_, server, options) = try Self.setUp(own: ["artist_tokens.market_cap_usd"])
      let application = try Application(server, seed: 1)
      let token = application.tokens[0]
      try server.script("update artist_tokens set total_supply = 1000, volume_24h_usd = 77, updated_at = '2020-01-01'")
      try server.script(
        """
        insert into pool_events (artist_token_id, chain_id, block_number, log_index, tx_hash, event_type, side, amount_usd, token_amount,
          block_timestamp) values ('\(token)', 1, 1, 0, 'x', 'swap', 'buy', 10, 4, now())
        """)
      let folder = try Folder()
      let following = try Following(options, directory: folder.path + "/data")
      let writing = Writing(following, options.target)
      try writing.settle(server)
      func row() throws -> Row? {
        try server.query(
          "select market_cap_usd, volume_24h_usd, last_price_usd, updated_at = '2020-01-01' from artist_tokens where id = $1::text::uuid",
          [.text(token)]
        ).first
      }
      #expect(try row()?.numeric(0) == Decimal18("2500"))
      #expect(try row()?.numeric(1) == Decimal18("77"))
      #expect(try row()?.bytes(2) == nil)
      #expect(try row()?.bool(3) == true)
      let sync = try server.query(
        "select epoch, sequence > 0, as_of <= clock_timestamp() from continuo_sync where scope = 'all'"
      ).first
      #expect(sync?.int(0) == 1 && sync?.bool(1) == true && sync?.bool(2) == true)
    }

    /// Rule 20.7: a row goes when its candle goes, also one of a token that nobody trades any more.
    @Test("Candles that retention ends")
    func ended() throws {
      let (_, server, options) = try Self.setUp()
      let application = try Application(server, seed: 6)
      let folder = try Folder()
      var ledgerOptions = Ledger.Options()
      ledgerOptions.engine.retention = try RetentionPolicy("raw=7d,1m=7d,5m=7d,15m=7d,1h=8d")
      let following = try Following(options, directory: folder.path + "/data", ledgerOptions)
      let writing = Writing(following, options.target)
      // Two candles on both sides of the border that the newest event makes: eight days before it, less than an hour apart.
      let (begin, hour) = (wallClock() - 20 * 86_400_000_000, Interval.oneHour.microseconds)
      let first = Interval.oneHour.start(of: begin)
      func insert(_ token: String, _ block: Int, _ at: Timestamp) throws {
        try server.script(
          """
          insert into pool_events (artist_token_id, chain_id, block_number, log_index, tx_hash, event_type, side, amount_usd, token_amount,
            block_timestamp) values ('\(token)', 1, \(block), 0, 'x', 'swap', 'buy', 8, 2, '\(at)')
          """)
      }
      for number in 0..<4 { try insert(application.tokens[0], number, first + Int64(number) * hour) }
      try writing.settle(server)
      #expect(try Self.written(server).count == 4)
      // A bucket goes when its end is not after the newest event less its retention.
      for (block, (number, gone)) in [(Int64(0), 0), (1, 1), (hour - 1, 1), (hour, 1), (hour + 1, 2)].enumerated() {
        try insert(application.tokens[1], 100 + block, first + 8 * 86_400_000_000 + hour + number - 1)
        try writing.settle(server)
        #expect(try Self.written(server) == following.ledger.hourCandles)
        #expect(writing.writer.status.deletedCandles == gone, "\(number) behind the first border")
      }
    }

    /// Rules 20.8, 20.14: an engine that was taken over stops; a server that is locked or gone is waited for, and ingestion goes on.
    @Test("Taken over, locked out, cut off")
    func fenced() throws {
      let (database, server, options) = try Self.setUp()
      var application = try Application(server, seed: 4)
      let folder = try Folder()
      let following = try Following(options, directory: folder.path + "/data")
      let first = Writing(following, options.target)
      for _ in 0..<20 { try application.step() }
      try first.settle(server)
      // Somebody holds a row: everything else goes on.
      let other = try Cluster.shared.get().connection(database)
      try other.script("begin; lock table hourly_price_candles in exclusive mode")
      for _ in 0..<20 { try application.step() }
      try following.catchUp(server)
      #expect(first.writer.unsentTokens > 0 || first.writer.status.phase != .waiting)
      var end = ContinuousClock.now + .seconds(20)
      while first.writer.status.retries == 0 {
        try #require(ContinuousClock.now < end, "nothing was tried again")
        usleep(20_000)
      }
      try other.script("commit")
      try first.settle(server)
      _ = try server.query(
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'continuo summaries' and datname = current_database()"
      )
      for _ in 0..<20 { try application.step() }
      try first.settle(server)
      #expect(try Self.written(server) == Application.candles(server))
      // Another engine takes over.
      let second = Writing(following, options.target)
      try second.settle(server)
      for _ in 0..<20 { try application.step() }
      end = ContinuousClock.now + .seconds(20)
      while first.writer.status.phase != .fenced {
        try #require(ContinuousClock.now < end, "it still writes")
        usleep(20_000)
        try application.step()
      }
      try second.settle(server)
      #expect(try Self.written(server) == Application.candles(server))
      #expect(second.writer.status.epoch == 2)
    }
  }
#endif
