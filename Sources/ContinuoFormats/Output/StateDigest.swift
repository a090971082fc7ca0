// One number for everything that an engine answers: SHA-256 over its CSV.
// Invariant: equal digests mean equal candles, statistics and holders; it stands still while nothing happens, because
// `newest` takes the place of the clock. The mark of an incomplete token is no part of it.
// Not here: the columns (ResultTable+Columns), the hash (ContinuoBytes).
// Rules 7.7.

public import Continuo
internal import ContinuoBytes

/// The digest of an engine's answers.
public enum StateDigest {
  /// SHA-256 over the CSV of `candles` at 1m … 1w, of `stats` and of `holders` of each token, in hexadecimal. O(answers).
  ///
  /// - Throws: ``Continuo/Refusal`` where the engine cannot answer as of its `newest`.
  public static func hexadecimal(of engine: borrowing some MarketAnswers & ~Copyable) throws(Refusal) -> String {
    var hash = SHA256()
    try forEachPart(of: engine) { hash.update($0) }
    var text: [UInt8] = []
    for byte in hash.finalize() {
      text.append(JSONOutput.hexDigit(byte >> 4))
      text.append(JSONOutput.hexDigit(byte & 15))
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// Lends the CSV that is hashed, piece by piece: a test compares it line by line. O(answers).
  package static func forEachPart(
    of engine: borrowing some MarketAnswers & ~Copyable, _ body: ([UInt8]) -> Void
  ) throws(Refusal) {
    let names = engine.tokens().map { (token: $0, name: engine.name(of: $0)) }
    for interval in Interval.allCases {
      var writer = ResultWriter(.candles(withToken: true), as: .csv)
      for (token, name) in names {
        engine.forEachBar(of: token, CandleQuery(interval), clock: engine.newest) { row in
          writer.write(CandleAnswer(token: name, row: row))
          if writer.bytes.count > chunkBytes { body(writer.takeBytes()) }
        }
      }
      body(writer.takeBytes())
    }
    try addStatistics(of: names, engine, body)
    for (token, _) in names {
      var writer = ResultWriter(.holders, as: .csv)
      for (index, holder) in engine.holders(of: token).enumerated() {
        writer.write(HolderAnswer(rank: index + 1, holder: holder))
        if writer.bytes.count > chunkBytes { body(writer.takeBytes()) }
      }
      body(writer.takeBytes())
    }
  }

  private static let chunkBytes = 1 << 16

  private static func addStatistics(
    of names: [(token: TokenID, name: ByteString)], _ engine: borrowing some MarketAnswers & ~Copyable,
    _ body: ([UInt8]) -> Void
  ) throws(Refusal) {
    var writer = ResultWriter(.statistics, as: .csv)
    if let newest = engine.newest {
      for (token, name) in names {
        var statistics = try engine.statistics(of: token, asOf: newest)
        if let clock = engine.clock, clock > newest {
          // Holders are of the present, which an as-of before the clock does not show; nothing traded in between.
          let present = try engine.statistics(of: token, asOf: clock)
          statistics.holders = present.holders
          statistics.supply = present.supply
          statistics.marketCapUSD = present.marketCapUSD
        }
        writer.write(StatisticsAnswer(token: name, statistics: statistics))
        if writer.bytes.count > chunkBytes { body(writer.takeBytes()) }
      }
    }
    body(writer.takeBytes())
  }
}
