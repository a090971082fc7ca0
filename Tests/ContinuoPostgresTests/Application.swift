// Plays the application: swaps, transfers, corrections, reorganisations as deletions, and what has nothing to do with any of it.
// Invariant: the seed decides what is written; what should be in the engine is asked of the server, by SQL that knows nothing of it.
// Not here: the tables (Schema), what is expected in each case (the tests).

#if Postgres
  import Continuo
  import ContinuoPostgres
  import ContinuoStorage
  import ContinuoTestSupport
  import Testing

  struct Application {
    var server: Connection
    private var random: SeededGenerator
    private(set) var tokens: [String] = []
    private var block = 1_000
    /// When the next event happens, in seconds before now.
    private let spanSeconds: Int

    init(_ server: Connection, seed: UInt64, tokens count: Int = 3, spanSeconds: Int = 20_000) throws {
      (self.server, self.spanSeconds) = (server, spanSeconds)
      random = SeededGenerator(seed: seed)
      let artist = try server.query(
        "insert into artists (user_id, artist_name) values (gen_random_uuid(), 'x') returning id::text")
      for index in 0..<count {
        let row = try server.query(
          "insert into artist_tokens (artist_id, symbol, chain_id, contract_address) values ($1::uuid, $2, 1, '0x') returning id::text",
          [.text(artist.first?.text(0) ?? ""), .text("ART\(index)")])
        tokens.append(row.first?.text(0) ?? "")
      }
    }

    /// One transaction of any kind.
    mutating func step() throws {
      var statements: [String] = []
      for _ in 0..<random.pick([1, 1, 2, 5]) { statements.append(statement()) }
      let isUndone = random.chance(10)
      try server.script((["begin"] + statements + [isUndone ? "rollback" : "commit"]).joined(separator: ";"))
    }

    private mutating func statement() -> String {
      block += 1
      let token = random.pick(tokens)
      let when = "now() - interval '\(Int.random(in: 0..<spanSeconds, using: &random)) seconds'"
      switch Int.random(in: 0..<100, using: &random) {
      case 0..<35: return swaps(token, when, count: random.pick([1, 1, 1, 4, 30]))
      case 35..<50: return transfers(token, when)
      case 50..<60:
        return
          "delete from pool_events where id in (select id from pool_events order by md5(id::text || '\(block)') limit \(random.pick([1, 5])))"
      case 60..<65:
        return
          "delete from token_transfers where id in (select id from token_transfers order by md5(id::text || '\(block)') limit 1)"
      case 65..<75:
        return
          "update pool_events set amount_usd = amount_usd + 1 where id in (select id from pool_events order by md5(id::text || '\(block)') limit 3)"
      case 75..<80:
        return "update pool_events set event_type = case event_type when 'swap' then 'mint' else 'swap' end "
          + "where id in (select id from pool_events where chain_id <> 9 order by md5(id::text || '\(block)') limit 1)"
      case 80..<84:
        // A reorganisation: the same place, another content.
        return """
          with gone as (delete from pool_events where id = (select max(id) from pool_events) returning *)
          insert into pool_events (artist_token_id, chain_id, block_number, log_index, tx_hash, event_type, side, wallet, amount_usd,
            token_amount, block_timestamp)
          select artist_token_id, chain_id, block_number + 1000000 + id, log_index, 'again', event_type, side, wallet, amount_usd * 2,
            token_amount, block_timestamp from gone
          """
      case 84..<88:
        return
          "update pool_events set block_number = block_number + 5000000 + \(block) * 10 where id = (select max(id) from pool_events)"
      case 88..<92:
        return "update pool_events set id = default where id = (select min(id) from pool_events)"
      case 92..<96: return "insert into engagement_events (event_name) select 'x' from generate_series(1, 50)"
      default: return "update artist_tokens set symbol = symbol || 'x', updated_at = now() where id = '\(token)'"
      }
    }

    /// Quotients of these amounts are exact in eighteen digits.
    private mutating func swaps(_ token: String, _ when: String, count: Int) -> String {
      let amount = Int.random(in: 1...1_000_000, using: &random)
      return """
        insert into pool_events (artist_token_id, chain_id, block_number, log_index, tx_hash, event_type, side, wallet, amount_usd,
          token_amount, block_timestamp)
        select '\(token)', 1 + n % 2, \(block), n, 'tx', '\(random.pick(["swap", "swap", "swap", "mint"]))',
          (array['buy', 'sell', null])[1 + n % 3], '0xAb' || n, (\(amount) + n) / 100.0, (array[0.5, 1, 2, 4, 5, 10])[1 + n % 6],
          \(when) + n * interval '1 second' from generate_series(0, \(count - 1)) n
        """
    }

    private mutating func transfers(_ token: String, _ when: String) -> String {
      let zero = "0x0000000000000000000000000000000000000000"
      let (from, to) = random.pick([(zero, "0xA1"), (zero, "0xa2"), ("0xa1", "0xA2"), ("0xA2", "0xa3"), ("0xa3", zero)])
      return """
        insert into token_transfers (artist_token_id, chain_id, block_number, log_index, tx_hash, from_wallet, to_wallet, amount,
          block_timestamp)
        values ('\(token)', 1, \(block), 0, 'tx', '\(from)', '\(to)', \(Int.random(in: 0...1000, using: &random)) / 8.0, \(when))
        """
    }

    // MARK: what is right

    /// Candles of an hour, by the server; a text a candle.
    static func candles(_ server: Connection) throws -> [String] {
      try server.query(
        """
        select artist_token_id::text || ' ' || extract(epoch from date_trunc('hour', block_timestamp, 'UTC'))::int8 || ' '
          || trim_scale((array_agg(amount_usd / token_amount order by block_timestamp, chain_id, block_number, log_index))[1]) || ' '
          || trim_scale(max(amount_usd / token_amount)) || ' ' || trim_scale(min(amount_usd / token_amount)) || ' '
          || trim_scale((array_agg(amount_usd / token_amount order by block_timestamp desc, chain_id desc, block_number desc, log_index desc))[1])
          || ' ' || trim_scale(sum(amount_usd)) || ' ' || trim_scale(coalesce(sum(token_amount), 0)) || ' '
          || trim_scale(coalesce(sum(amount_usd) filter (where side = 'buy'), 0)) || ' ' || count(*)
        from pool_events where event_type = 'swap' group by artist_token_id, date_trunc('hour', block_timestamp, 'UTC')
        """
      ).all.compactMap { $0.text(0) }.sorted()
    }

    /// Supply of each token and who holds how much, by the server.
    static func balances(_ server: Connection) throws -> [String] {
      try server.query(
        """
        with moves as (
          select artist_token_id as token, lower(to_wallet) as who, amount from token_transfers
          union all select artist_token_id, lower(from_wallet), -amount from token_transfers)
        select token::text || ' ' || who || ' ' || trim_scale(sum(amount)) from moves
        where who <> '0x0000000000000000000000000000000000000000' group by token, who having sum(amount) > 0
        """
      ).all.compactMap { $0.text(0) }.sorted()
    }
  }

  extension Ledger {
    /// The same candles, by the engine.
    var hourCandles: [String] {
      var reader = publication().reader()
      return reader.read { market in
        var lines: [String] = []
        for token in market.tokens() {
          let name = market.name(of: token).description
          market.forEachCandle(of: token, CandleQuery(.oneHour)) { row in
            guard let candle = row.candle else { return }
            let sums = [candle.volumeUSD, candle.volumeToken, candle.buyVolumeUSD].map {
              $0.decimal?.description ?? "?"
            }
            let prices = [candle.open, candle.high, candle.low, candle.close].map(\.description)
            lines.append(
              ([name, "\(row.bucket.microseconds / 1_000_000)"] + prices + sums + ["\(candle.trades)"]).joined(
                separator: " "))
          }
        }
        return lines.sorted()
      }
    }

    /// The same balances, by the engine.
    var balances: [String] {
      var reader = publication().reader()
      return reader.read { market in
        market.tokens().flatMap { token in
          market.holders(of: token).map {
            "\(market.name(of: token)) \($0.address) \($0.balance.decimal?.description ?? "?")"
          }
        }.sorted()
      }
    }
  }
#endif
