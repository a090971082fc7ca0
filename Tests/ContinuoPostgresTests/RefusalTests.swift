// Values that the application's database refuses: each is named, and holds up no other one.
// Invariant: what is right is asked of the server, by SQL that knows nothing of the engine.
// Not here: a server that is locked or gone (WriterTests, FaultTests).

#if Postgres
  import Continuo
  import ContinuoPostgres
  import ContinuoTestSupport
  import Foundation
  import Testing

  @Suite("Summaries that the database refuses", .serialized)
  struct RefusalTests {
    private static let volumes = """
      select count(*) from artist_tokens t where last_price_usd is not null and volume_24h_usd is not distinct from (select sum(amount_usd)
        from pool_events e where e.artist_token_id = t.id and event_type = 'swap')
      """

    /// Three hours that do not end while a test runs.
    private static func hours() -> [Timestamp] {
      let start = Interval.oneHour.start(of: wallClock())
      return (1...3).map { start + (Int64($0) - 4) * 3_600_000_000 + 60_000_000 }
    }

    /// A statement for a trade of every token, or one for each row of another table: all of it SQL.
    private static func trades(block: String, at time: String, each other: String? = nil) -> String {
      """
      insert into pool_events (artist_token_id, chain_id, block_number, log_index, tx_hash, event_type, side, amount_usd, token_amount,
        block_timestamp) select id, 1, \(block), row_number() over (), 'x', 'swap', 'buy', 10, 4, \(time)
        from artist_tokens\(other.map { ", \($0)" } ?? "")
      """
    }

    /// Rule 20.14: a constraint that a value breaks keeps that value out, and nothing else; it is written once it may be.
    @Test("A constraint of a taken column")
    func constraint() throws {
      let (_, server, options) = try WriterTests.setUp()
      let application = try Application(server, seed: 21, tokens: 40)
      let (bad, worse) = (application.tokens[7], application.tokens[31])
      let hours = Self.hours()
      try server.script(
        """
        alter table artist_tokens add constraint small check (id not in ('\(bad)', '\(worse)') or volume_24h_usd < 5);
        \(Self.trades(block: "1", at: "timestamptz '\(hours[0])'"))
        """)
      let folder = try Folder()
      let following = try Following(options, directory: folder.path + "/data")
      let writing = Writing(following, options.target, refusedMicroseconds: 1_000_000)
      try writing.settle(server)
      #expect(try server.query(Self.volumes).first?.int(0) == 38)
      #expect(try WriterTests.written(server) == Application.candles(server))
      // Of a token whose volume is refused the price is written all the same.
      let prices = try server.query("select count(*) from artist_tokens where last_price_usd = 2.5").first?.int(0)
      #expect(prices == 40)
      var status = writing.writer.status
      #expect(status.refusedTokens == 2 && status.phase == .writing && status.failure == nil, "\(status)")
      let why = try #require(status.refusal)
      #expect(why.contains("volume_24h_usd") && why.contains("small") && why.contains("23514"), "\(why)")
      // A trade behind the end of the constraint brings what was refused.
      try server.script("alter table artist_tokens drop constraint small")
      try server.script(Self.trades(block: "2", at: "timestamptz '\(hours[0])'"))
      try writing.settle(server)
      #expect(try server.query(Self.volumes).first?.int(0) == 40)
      status = writing.writer.status
      #expect(status.refusedTokens == 0 && status.refusal == nil, "\(status)")
    }

    /// Rule 20.14: the same of candles, which are the engine's own rows, in a table that the application may constrain.
    @Test("Candles that are refused: one of a token, every one of another, more than are looked for")
    func candles() throws {
      let (_, server, options) = try WriterTests.setUp()
      let application = try Application(server, seed: 22, tokens: 40)
      let (bad, worse) = (application.tokens[7], application.tokens[31])
      let hours = Self.hours()
      try server.script(Self.trades(block: "b", at: "timestamptz '\(hours[0])'", each: "generate_series(1, 2) b"))
      let folder = try Folder()
      let following = try Following(options, directory: folder.path + "/data")
      let writing = Writing(following, options.target, refusedMicroseconds: 1_000_000)
      try writing.settle(server)
      #expect(try WriterTests.written(server) == Application.candles(server))
      // Of a token one candle is refused, of another every one: all others are written, and all figures.
      try server.script(
        """
        alter table hourly_price_candles add constraint few check (artist_token_id <> '\(bad)' or trades < 3);
        alter table hourly_price_candles add constraint none check (artist_token_id <> '\(worse)') not valid;
        \(Self.trades(block: "3", at: "timestamptz '\(hours[0])'"));
        \(Self.trades(block: "4", at: "timestamptz '\(hours[1])'"))
        """)
      try writing.settle(server)
      #expect(try server.query(Self.volumes).first?.int(0) == 40)
      let (written, right) = (try WriterTests.written(server), try Application.candles(server))
      #expect(Set(right).symmetricDifference(written).count > 0)
      #expect(Set(right).symmetricDifference(written).allSatisfy { $0.contains(bad) || $0.contains(worse) })
      #expect(written.count { $0.contains(bad) } == 2, "the hour behind the refused one is there")
      let status = writing.writer.status
      #expect(status.refusedTokens == 2 && status.phase == .writing && status.failure == nil, "\(status)")
      #expect(status.refusal?.contains("the candle of") == true, "\(status)")
      // A trade in a later hour does not bring what was refused before it: it is not forgotten for that, and tried again.
      try server.script(Self.trades(block: "5", at: "timestamptz '\(hours[2])'"))
      try writing.settle(server)
      #expect(writing.writer.status.refusedTokens == 2)
      // More hours of one token than are looked for: those of other tokens are written all the same.
      try server.script(
        Self.trades(
          block: "6", at: "timestamptz '\(hours[0])' - h * interval '1 hour'", each: "generate_series(1, 120) h"))
      try writing.settle(server)
      let more = Set(try Application.candles(server)).symmetricDifference(try WriterTests.written(server))
      #expect(
        more.count { $0.contains(worse) } > 120 && more.count { $0.contains(bad) } == 2 && more.count < 130,
        "\(more.count)")
      #expect(writing.writer.status.refusedTokens == 2)
      try server.script("alter table hourly_price_candles drop constraint few, drop constraint none")
      let end = ContinuousClock.now + .seconds(60)
      while writing.writer.status.refusedTokens > 0 {
        try #require(ContinuousClock.now < end, "\(writing.writer.status)")
        usleep(50_000)
      }
      #expect(try WriterTests.written(server) == Application.candles(server))
    }

    /// Rules 20.7, 20.14: many rows of which the table has none go straight in; where one is refused, as ever: all others are there.
    @Test("Many candles at once into an empty table", arguments: [false, true])
    func fresh(isRefused: Bool) throws {
      let (_, server, options) = try WriterTests.setUp()
      let application = try Application(server, seed: 23, tokens: 40)
      let bad = application.tokens[11]
      if isRefused {
        try server.script("alter table hourly_price_candles add constraint none check (artist_token_id <> '\(bad)')")
      }
      let hour = Self.hours()[0]
      let trades = Self.trades(
        block: "h", at: "timestamptz '\(hour)' - h * interval '1 hour'", each: "generate_series(1, 60) h")
      try server.script(trades)
      let folder = try Folder()
      let following = try Following(options, directory: folder.path + "/data")
      let writing = Writing(following, options.target, refusedMicroseconds: 500_000)
      try writing.settle(server)
      let right = try Application.candles(server)
      #expect(right.count == 40 * 60)
      #expect(try WriterTests.written(server) == right.filter { !isRefused || !$0.contains(bad) })
      #expect(writing.writer.status.refusedTokens == (isRefused ? 1 : 0))
      #expect(writing.writer.status.changedCandles == (isRefused ? 39 : 40) * 60)
      // Behind that they are there: what is written again changes nothing but what has changed.
      if isRefused { try server.script("alter table hourly_price_candles drop constraint none") }
      try server.script(
        "update pool_events set amount_usd = 11 where block_number = 7; delete from pool_events where block_number = 9")
      try writing.settle(server)
      let end = ContinuousClock.now + .seconds(30)
      while try WriterTests.written(server) != Application.candles(server) {
        try #require(ContinuousClock.now < end, "\(writing.writer.status)")
        usleep(50_000)
      }
    }
  }
#endif
