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

    /// Rule 20.14: a constraint that a value breaks keeps that value out, and nothing else; it is written once it may be.
    @Test("A constraint of a taken column, a column without a right, candles that are refused")
    func constraint() throws {
      let (_, server, options) = try WriterTests.setUp()
      let application = try Application(server, seed: 21, tokens: 40)
      let (bad, worse) = (application.tokens[7], application.tokens[31])
      try server.script(
        """
        alter table artist_tokens add constraint small check (id not in ('\(bad)', '\(worse)') or volume_24h_usd < 5);
        insert into pool_events (artist_token_id, chain_id, block_number, log_index, tx_hash, event_type, side, amount_usd, token_amount,
          block_timestamp) select id, 1, 1, row_number() over (), 'x', 'swap', 'buy', 10, 4, now() from artist_tokens
        """)
      let folder = try Folder()
      let following = try Following(options, directory: folder.path + "/data")
      let writing = Writing(following, options.target)
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
      try server.script(
        """
        insert into pool_events (artist_token_id, chain_id, block_number, log_index, tx_hash, event_type, side, amount_usd, token_amount,
          block_timestamp) select id, 1, 2, row_number() over (), 'x', 'swap', 'buy', 10, 4, now() from artist_tokens
        """)
      try writing.settle(server)
      #expect(try server.query(Self.volumes).first?.int(0) == 40)
      status = writing.writer.status
      #expect(status.refusedTokens == 0 && status.refusal == nil, "\(status)")
      // Candles that are refused wait; the figures go on.
      try server.script("alter table hourly_price_candles add constraint few check (trades < 3)")
      try server.script(
        """
        insert into pool_events (artist_token_id, chain_id, block_number, log_index, tx_hash, event_type, side, amount_usd, token_amount,
          block_timestamp) select id, 1, 3, row_number() over (), 'x', 'swap', 'buy', 10, 4, now() from artist_tokens
        """)
      let end = ContinuousClock.now + .seconds(20)
      while try server.query(Self.volumes).first?.int(0) != 40 {
        try #require(ContinuousClock.now < end, "\(writing.writer.status)")
        usleep(50_000)
      }
      try server.script("alter table hourly_price_candles drop constraint few")
      try writing.settle(server)
      #expect(try WriterTests.written(server) == Application.candles(server))
    }
  }
#endif
