// The statements of one transaction of summaries.
// Invariant: a row is written only where a value of it changed; rows are locked in the order of their keys; `updated_at` and columns that
// were not taken are never named.
// Not here: values (SummaryBatch), when they are run (SummaryWriter).
// Rules 20.8.

#if Postgres
  struct SummaryStatements {
    let mapping: TableMapping

    private func own(_ name: String) -> String { SQLText.relation(mapping.tokens.schema, name) }

    static let candleColumns = [
      "bucket", "artist_token_id", "open", "high", "low", "close", "volume", "trades", "volume_token", "buy_volume_usd",
      "sell_volume_usd", "vwap",
    ]

    /// Made once a connection.
    var temporary: String {
      """
      CREATE TEMPORARY TABLE continuo_tokens (id uuid, last_price_usd numeric, market_cap_usd numeric, volume_24h_usd numeric,
        holders_count numeric, since timestamptz, until timestamptz) ON COMMIT DELETE ROWS;
      CREATE TEMPORARY TABLE continuo_candles (bucket timestamptz, artist_token_id uuid, open numeric, high numeric, low numeric,
        close numeric, volume numeric, trades bigint, volume_token numeric, buy_volume_usd numeric, sell_volume_usd numeric,
        vwap numeric) ON COMMIT DELETE ROWS;
      SET lock_timeout = '2s'; SET synchronous_commit = on; SET jit = off
      """
    }

    static let copyTokens = "COPY pg_temp.continuo_tokens FROM STDIN (FORMAT binary)"
    static let copyCandles =
      "COPY pg_temp.continuo_candles (\(candleColumns.joined(separator: ", "))) FROM STDIN (FORMAT binary)"

    /// Straight into the table, where it has none of them.
    var copyFreshCandles: String {
      "COPY \(own(OwnTables.candles)) (\(Self.candleColumns.joined(separator: ", "))) FROM STDIN (FORMAT binary)"
    }

    /// How many of the tokens have rows of candles in the hours that are sent whole. A look into the index for each.
    var tokensWithCandles: String {
      """
      SELECT count(*) FROM pg_temp.continuo_tokens t CROSS JOIN LATERAL (SELECT 1 FROM \(own(OwnTables.candles)) c
        WHERE c.artist_token_id = t.id AND c.bucket >= t.since AND (t.until IS NULL OR c.bucket < t.until) LIMIT 1) c
      """
    }

    /// Candles that are gone: those of the hours that were sent whole.
    var deleteCandles: String {
      """
      DELETE FROM \(own(OwnTables.candles)) c USING pg_temp.continuo_tokens t
      WHERE c.artist_token_id = t.id AND c.bucket >= t.since AND (t.until IS NULL OR c.bucket < t.until)
        AND NOT EXISTS (SELECT 1 FROM pg_temp.continuo_candles n WHERE n.artist_token_id = c.artist_token_id AND n.bucket = c.bucket)
      """
    }

    /// The same of the tokens from $1 to $2.
    var deleteCandlesOfSome: String { deleteCandles + " AND t.id BETWEEN $1 AND $2" }

    /// So many rows of candles that retention has ended go at a time.
    static let endedMax = 20_000
    /// Candles that retention has ended, some at a time: those of hours before $1.
    var deleteEnded: String {
      let candles = own(OwnTables.candles)
      return
        "DELETE FROM \(candles) WHERE ctid IN (SELECT ctid FROM \(candles) WHERE bucket < $1 LIMIT \(Self.endedMax))"
    }

    var mergeCandles: String { mergeCandles(where: "") }

    /// The same of those from token $1 at $2 to token $3 at $4.
    var mergeCandlesOfSome: String {
      mergeCandles(where: "WHERE (artist_token_id, bucket) >= ($1, $2) AND (artist_token_id, bucket) <= ($3, $4)")
    }

    private func mergeCandles(where condition: String) -> String {
      let values = Self.candleColumns.dropFirst(2)
      return """
        INSERT INTO \(own(OwnTables.candles)) AS c (\(Self.candleColumns.joined(separator: ", ")))
        SELECT \(Self.candleColumns.joined(separator: ", ")) FROM pg_temp.continuo_candles \(condition) ORDER BY artist_token_id, bucket
        ON CONFLICT (artist_token_id, bucket) DO UPDATE SET \(values.map { "\($0) = excluded.\($0)" }.joined(separator: ", "))
        WHERE (\(values.map { "c.\($0)" }.joined(separator: ", "))) IS DISTINCT FROM (\(values.map { "excluded.\($0)" }.joined(separator: ", ")))
        """
    }

    /// Of some columns that are ours, of the tokens from $1 to $2.
    func updateTokens(_ owned: [SummaryColumn]) -> String {
      let (table, id) = (mapping.tokens.quoted, SQLText.identifier(mapping.tokens.id))
      let names = owned.map { SQLText.identifier($0.rawValue) }
      let differs =
        "(\(names.map { "a.\($0)" }.joined(separator: ", "))) IS DISTINCT FROM (\(names.map { "t.\($0)" }.joined(separator: ", ")))"
      return """
        WITH locked AS (
          SELECT a.\(id) FROM \(table) a JOIN pg_temp.continuo_tokens t ON t.id = a.\(id) WHERE \(differs) AND t.id BETWEEN $1 AND $2
          ORDER BY a.\(id)
          FOR NO KEY UPDATE OF a)
        UPDATE \(table) a SET \(names.map { "\($0) = t.\($0)" }.joined(separator: ", "))
        FROM pg_temp.continuo_tokens t, locked l WHERE l.\(id) = a.\(id) AND t.id = a.\(id)
        """
    }

    /// Whose turn it is to write, locked until the transaction ends, so that no column is given back meanwhile.
    var epoch: String { "SELECT epoch FROM \(own(OwnTables.sync)) WHERE scope = 'all' FOR UPDATE" }

    /// Which columns are ours: $1 is their table.
    var ownedColumns: String { "SELECT column_name FROM \(own(OwnTables.owned)) WHERE relation = $1" }

    /// Takes the turn: the next epoch. Engines that have an earlier one write no more.
    var takeTurn: String {
      """
      INSERT INTO \(own(OwnTables.sync)) AS s (scope, epoch, sequence, at) VALUES ('all', 1, 0, clock_timestamp())
      ON CONFLICT (scope) DO UPDATE SET epoch = s.epoch + 1, at = clock_timestamp() RETURNING epoch
      """
    }

    /// Says how fresh everything is: $1 the sequence, $2 as of when.
    var sync: String {
      "UPDATE \(own(OwnTables.sync)) SET sequence = $1, as_of = $2, at = clock_timestamp() WHERE scope = 'all'"
    }
  }
#endif
