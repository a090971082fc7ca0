// The rows of candles of one transaction of summaries.
// Invariant: what is refused is named; everything else is written.
// Not here: the statements (SummaryStatements), finding what is refused (RefusedRows), when it is tried again (SummaryWriter).

#if Postgres
  internal import Continuo

  /// Writes candles, and takes out those that are gone.
  struct CandleUpdate {
    /// Of one token so many refusals are looked into before all of its candles are taken for refused.
    private static let hoursSearchesMax = 32

    private let server: Connection
    private let statements: SummaryStatements
    private let batch: SummaryBatch
    private(set) var deleted = 0
    private(set) var merged = 0
    /// The tokens of which a candle was refused, each with the first hour of those.
    private(set) var refused: [UInt32: UnsentToken] = [:]
    /// Why, the first time.
    private(set) var why: String?
    /// What was refused of so many tokens that not all were looked at: others were left out with them.
    private(set) var unsearched: PostgresFailure?

    private static let doing = "writing candles"

    init(_ server: Connection, _ statements: SummaryStatements, _ batch: SummaryBatch) {
      (self.server, self.statements, self.batch) = (server, statements, batch)
    }

    /// So many rows are worth a look whether the table has any of them.
    private static let freshRows = 1_000

    /// Writes all of them straight into the table, where it has no rows in their hours: half of the time that a merge takes.
    ///
    /// - Returns: whether that was done; where it was not, or the database did not take it, nothing was changed.
    mutating func insert() throws(PostgresFailure) -> Bool {
      guard batch.candleCount >= Self.freshRows else { return false }
      do throws(PostgresFailure) {
        try server.script("SAVEPOINT fresh", doing: Self.doing)
        let isFresh = try server.query(statements.tokensWithCandles, doing: Self.doing).first?.int(0) == 0
        if isFresh {
          var next = 0
          merged = try server.copyIn(statements.copyFreshCandles, doing: Self.doing) { batch.candlePiece(&next) }
        }
        try server.script("RELEASE SAVEPOINT fresh", doing: Self.doing)
        return isFresh
      } catch {
        // Whatever it was, a value or COPY itself: a merge finds what is refused, or says why nothing goes.
        guard error.sqlState != nil, !server.isBroken else { throw error }
        try server.script("ROLLBACK TO SAVEPOINT fresh; RELEASE SAVEPOINT fresh", doing: Self.doing)
        merged = 0
        return false
      }
    }

    /// Writes all of them, within a transaction. Two statements where nothing is refused.
    mutating func write() throws(PostgresFailure) {
      var rows = RefusedRows(server, doing: Self.doing)
      var (gone, written) = (0, 0)
      let (server, statements, candleCount) = (server, statements, batch.candleCount)
      let failure = try rows.attempt { () throws(PostgresFailure) in
        gone = try server.query(statements.deleteCandles, doing: Self.doing).affected
        written = try candleCount == 0 ? 0 : server.query(statements.mergeCandles, doing: Self.doing).affected
      }
      guard failure != nil else {
        (deleted, merged) = (gone, written)
        return
      }
      try delete()
      let candles = batch.candleKeys
      var tokens: [Range<Int>] = []
      for index in candles.indices {
        if let last = tokens.last, candles[last.lowerBound].token == candles[index].token {
          tokens[tokens.count - 1] = last.lowerBound..<index + 1
        } else {
          tokens.append(index..<index + 1)
        }
      }
      // From another one each time: where there is more to find than is looked for, each has its turn.
      let first = tokens.isEmpty ? 0 : Int.random(in: tokens.indices)
      rows = RefusedRows(server, doing: Self.doing)
      for part in [first..<tokens.count, 0..<first] { try merge(part, tokens, candles, &rows) }
      unsearched = unsearched ?? rows.unsearched
    }

    private mutating func refuse(_ token: UInt32, _ since: Timestamp, _ cause: @autoclosure () -> String) {
      refused[token, default: UnsentToken()].add(UnsentToken(since: since))
      why = why ?? cause()
    }

    private mutating func delete() throws(PostgresFailure) {
      let tokens = batch.tokens.filter { $0.since != nil }.sorted { $0.id < $1.id }
      var rows = RefusedRows(server, doing: Self.doing)
      var (gone, found): (Int, [(Range<Int>, PostgresFailure)]) = (0, [])
      let (server, statement) = (server, statements.deleteCandlesOfSome)
      try rows.run(tokens.indices) { (range) throws(PostgresFailure) in
        gone += try server.query(
          statement, [.uuid(tokens[range.lowerBound].id), .uuid(tokens[range.upperBound - 1].id)], doing: Self.doing
        ).affected
      } refuse: {
        found.append(($0, $1))
      }
      for (range, failure) in found {
        for token in tokens[range] {
          guard let since = token.since else { continue }
          refuse(token.number, since, "candles of \(token.id) that are gone: \(failure.what)")
        }
      }
      (deleted, unsearched) = (gone, rows.unsearched)
    }

    /// Merges the candles of some tokens.
    ///
    /// - Parameters:
    ///   - part: which of `tokens`.
    ///   - tokens: the candles of each, as places in `candles`.
    private mutating func merge(
      _ part: Range<Int>, _ tokens: [Range<Int>], _ candles: [(token: UInt32, id: UUIDBytes, bucket: Timestamp)],
      _ rows: inout RefusedRows
    ) throws(PostgresFailure) {
      var (written, found): (Int, [(Range<Int>, PostgresFailure)]) = (0, [])
      let (server, statement) = (server, statements.mergeCandlesOfSome)
      func merge(_ range: Range<Int>) throws(PostgresFailure) {
        let (first, last) = (candles[range.lowerBound], candles[range.upperBound - 1])
        written += try server.query(
          statement, [.uuid(first.id), .timestamp(first.bucket), .uuid(last.id), .timestamp(last.bucket)],
          doing: Self.doing
        ).affected
      }
      try rows.run(part) { (range) throws(PostgresFailure) in
        try merge(tokens[range.lowerBound].lowerBound..<tokens[range.upperBound - 1].upperBound)
      } refuse: {
        found.append(($0, $1))
      }
      var hours: [(Range<Int>, PostgresFailure)] = []
      for (range, failure) in found {
        guard range.count == 1 else {
          hours.append((tokens[range.lowerBound].lowerBound..<tokens[range.upperBound - 1].upperBound, failure))
          continue
        }
        // Of a token whose candle of one hour is refused the others are written.
        var own = RefusedRows(server, doing: Self.doing, searchesMax: Self.hoursSearchesMax)
        try own.run(tokens[range.lowerBound], refused: failure) { (range) throws(PostgresFailure) in
          try merge(range)
        } refuse: {
          hours.append(($0, $1))
        }
      }
      for (range, failure) in hours {
        for candle in candles[range] {
          refuse(candle.token, candle.bucket, "the candle of \(candle.id) at \(candle.bucket): \(failure.what)")
        }
      }
      merged += written
    }
  }
#endif
