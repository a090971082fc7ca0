// The rows of one transaction of summaries: what the engine says now of the tokens that are unsent.
// Invariant: all of one version; full values, so that sending them twice, or late, does no harm.
// Not here: which tokens (Unsent), statements (SummaryStatements).

package import Continuo

/// A token whose rows are to be written.
package struct SentToken: Equatable, Sendable {
  package var number: UInt32
  package var id: UUIDBytes
  package var summary: TokenSummary
  /// From this hour on the rows of candles are all of them; nil: candles are as they were.
  package var since: Timestamp?
}

package struct SummaryBatch: Sendable {
  package private(set) var tokens: [SentToken] = []
  private var candles: [(token: UInt32, id: UUIDBytes, row: CandleRow)] = []
  /// How many rows of candles there are.
  package var candleCount: Int { candles.count }
  /// What did not fit: it is unsent still.
  package private(set) var left: [UInt32: UnsentToken] = [:]
  /// As of when the figures are.
  package private(set) var asOf: Timestamp
  /// Candles of hours before are gone, of whatever token: retention has ended them.
  package private(set) var firstHour: Timestamp

  /// More rows of candles do not go in one transaction.
  private static let candlesMax = 50_000
  private static let pieceRows = 500

  /// Finds the values of tokens. O(tokens × log n + candles).
  ///
  /// - Parameters:
  ///   - supply: what the application says of a token's supply.
  ///   - clock: what time it is.
  package init(
    _ unsent: [UInt32: UnsentToken], _ market: borrowing some MarketAnswers & ~Copyable, at clock: Timestamp,
    supply: (ByteString) -> Decimal18?
  ) throws(Refusal) {
    asOf = clock
    let first = market.firstServed(.oneHour)
    firstHour = first > .first ? Interval.oneHour.start(of: first - 1) + Interval.oneHour.microseconds : .first
    var named: [(number: UInt32, id: UUIDBytes, name: ByteString, token: UnsentToken)] = []
    for (number, token) in unsent {
      let name = market.name(of: TokenID(Int(number)))
      // Other tokens are not the application's.
      guard let id = UUIDBytes(String(decoding: name.bytes, as: UTF8.self)), id.ascii == name.bytes else { continue }
      named.append((number, id, name, token))
    }
    // Rows in the order of their keys.
    for (number, id, name, token) in named.sorted(by: { $0.id < $1.id }) {
      guard candleCount < Self.candlesMax else {
        left[number] = token
        continue
      }
      let summary = try TokenSummary(market, TokenID(Int(number)), supply: supply(name), at: clock)
      var sent = SentToken(number: number, id: id, summary: summary)
      if let since = token.since {
        let first = Interval.oneHour.start(of: since)
        var next: Timestamp?
        market.forEachCandle(of: TokenID(Int(number)), CandleQuery(.oneHour, from: first), clock: clock) { row in
          guard row.candle != nil else { return }
          guard candleCount < Self.candlesMax else {
            next = next ?? row.bucket
            return
          }
          candles.append((number, id, row))
        }
        sent.since = first
        // The rest of a long history follows in the next transaction; what lies behind is not known to be gone until then.
        if let next { left[number] = UnsentToken(since: next, isUndone: token.isUndone) }
        ends[number] = next
      }
      tokens.append(sent)
    }
  }

  /// Up to where the candles of a token are whole; nil: to the end.
  package private(set) var ends: [UInt32: Timestamp] = [:]

  /// The next piece of the rows of candles for COPY in binary; nil behind the last one. O(rows of a piece).
  ///
  /// - Parameter next: the row that it begins with, 0 at first.
  package func candlePiece(_ next: inout Int) -> [UInt8]? {
    guard next <= candles.count else { return nil }
    var piece = next == 0 ? CopyRows.head : []
    let end = min(next + Self.pieceRows, candles.count)
    for (_, id, row) in candles[next..<end] { Self.append(row, id, to: &piece) }
    next = end
    if end == candles.count {
      piece += CopyRows.foot
      next += 1
    }
    return piece
  }

  /// Which candles there are, in the order in which the server has them. O(candles × log candles).
  package var candleKeys: [(token: UInt32, id: UUIDBytes, bucket: Timestamp)] {
    candles.map { ($0.token, $0.id, $0.row.bucket) }.sorted { ($0.id, $0.bucket) < ($1.id, $1.bucket) }
  }

  private static func append(_ row: CandleRow, _ id: UUIDBytes, to piece: inout [UInt8]) {
    guard let candle = row.candle else { return }
    func sum(_ value: ExactSum) -> PostgresValue { value.decimal.map { .numeric($0) } ?? .null }
    CopyRows.append(
      [
        .timestamp(row.bucket), .uuid(id), .numeric(candle.open), .numeric(candle.high), .numeric(candle.low),
        .numeric(candle.close), sum(candle.volumeUSD), .int8(Int64(candle.trades)), sum(candle.volumeToken),
        sum(candle.buyVolumeUSD), sum(candle.sellVolumeUSD), candle.vwap.map { .numeric($0) } ?? .null,
      ], to: &piece)
  }

  /// Rows of tokens for COPY in binary: id, the four figures, and between which hours the candles are whole.
  package var tokenRows: [UInt8] {
    var rows: [UInt8] = []
    for token in tokens {
      func number(_ value: Decimal18?) -> PostgresValue { value.map { .numeric($0) } ?? .null }
      CopyRows.append(
        [
          .uuid(token.id), number(token.summary.lastPrice), number(token.summary.marketCap),
          number(token.summary.volume),
          number(token.summary.holders), token.since.map { .timestamp($0) } ?? .null,
          ends[token.number].map { .timestamp($0) } ?? .null,
        ], to: &rows)
    }
    return rows
  }
}
