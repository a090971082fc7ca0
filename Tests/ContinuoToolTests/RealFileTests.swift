// Real trades against candles that were computed elsewhere, with plain integers and an independent database.
// Invariant: byte for byte, whatever order, repeats, batches and rollbacks the trades came through.
// Not here: made-up trades (GoldenTests).

import Continuo
import ContinuoBytes
import ContinuoFormats
import ContinuoTestSupport
import Foundation
import Testing

@Suite("Real files")
struct RealFileTests {
  struct Market: CustomTestStringConvertible, Sendable {
    let name: String
    let file: String

    var testDescription: String { name }
    static let all = [
      Market(name: "ibm", file: "data/ibm-2013-10.csv.gz"),
      Market(name: "xrp-eth", file: "Tests/Fixtures/real/xrp-eth-2019-10.csv.gz"),
    ]
  }

  static let intervals: [Interval] = [.oneMinute, .oneHour, .oneDay, .oneWeek]

  /// A file of the project, decompressed.
  private static func inflated(_ path: String) throws -> [UInt8] {
    var reader = ByteReader(try DescriptorHandle(reading: Tool.root.appending(path: path).path), compression: nil)
    var bytes: [UInt8] = []
    while try reader.read(into: &bytes, atMost: 1 << 20) > 0 {}
    return bytes
  }

  private static func expected(_ market: Market, _ interval: Interval) throws -> String {
    String(
      decoding: try inflated("Tests/Fixtures/real/expected-\(market.name)-\(interval.rawValue).csv.gz"), as: UTF8.self)
  }

  private func check(_ market: Market, _ arguments: [String], _ intervals: [Interval], _ note: String) throws {
    for interval in intervals {
      let outcome = try Tool.run(
        ["candles", "--format", "csv", "--interval", interval.rawValue, "--input"] + arguments)
      #expect(outcome.status == 0, "\(note): \(outcome.err)")
      #expect(outcome.err == "", "\(note)")
      let isEqual = try outcome.out == Self.expected(market, interval)
      #expect(isEqual, "\(market.name) at \(interval.rawValue), \(note)")
    }
  }

  /// Rules 4.1–4.3, 10.3–10.5: candles of real trades to the last digit.
  @Test("candles equal the expected ones", arguments: Market.all)
  func asTheyAre(market: Market) throws {
    try check(market, [market.file], Self.intervals, "as it is")
    try check(market, [market.file, market.file], Self.intervals, "every row twice")
  }

  /// Rule 1.1: batches of 1, 7 and 10,000 rows.
  @Test("batches of any size", arguments: Market.all, [1, 7, 10_000])
  func batches(market: Market, rows: Int) throws {
    try check(market, [market.file, "--batch-size", String(rows)], Self.intervals, "batches of \(rows)")
  }

  /// Rules 1.1, 3.1, 3.2: rows shuffled, and shuffled with every row twice.
  @Test("any order, every row twice", arguments: Market.all, Seeds.thisRun(2).prefix(20))
  func shuffled(market: Market, seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let lines = try Self.inflated(market.file).split(separator: UInt8(ascii: "\n"))
    try Tool.withScratch { scratch in
      let rows = Array(lines.dropFirst())
      for (name, rows) in [("once", rows), ("twice", rows + rows)] {
        let file = scratch.appending(path: "\(name).csv")
        var bytes = Array(lines[0])
        for row in rows.shuffled(using: &random) {
          bytes.append(UInt8(ascii: "\n"))
          bytes.append(contentsOf: row)
        }
        try Data(bytes).write(to: file)
        try check(market, [file.path], Self.intervals, Seeds.replay(seed, "any order"))
      }
    }
  }

  /// Rule 3.8: a rollback to any block, then the missing events again, leaves no trace.
  @Test("roll back to any block, deliver again", arguments: Market.all, Seeds.thisRun(4).prefix(100))
  func rolledBack(market: Market, seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let swaps = try Self.swaps(of: market)
    let chain = try #require(swaps.first).chain
    var engine = Engine()
    try Self.deliver(swaps[...], to: &engine)
    let blocks = swaps.map(\.block)
    let low = try #require(blocks.min())
    let high = try #require(blocks.max())
    for target in [Int.random(in: 0..<swaps.count, using: &random), 0].map({ blocks[$0] }) + [low - 1, high - 1, high] {
      let missing = swaps.filter { $0.block > target }
      let undone = try engine.rollback(chain: chain, above: target)
      #expect(undone == missing.count, Comment(rawValue: Seeds.replay(seed, "roll back to any block")))
      try Self.deliver(missing.shuffled(using: &random)[...], to: &engine)
    }
    for interval in Self.intervals {
      let isEqual = try Self.csv(of: engine, interval) == Self.expected(market, interval)
      #expect(isEqual, Comment(rawValue: "\(interval.rawValue), " + Seeds.replay(seed, "roll back to any block")))
    }
  }

  // MARK: through the library

  private static func swaps(of market: Market) throws -> [Swap] {
    let lines = try inflated(market.file).split(separator: UInt8(ascii: "\n"))
    let header = try #require(lines.first).split(separator: UInt8(ascii: ",")).map {
      String(decoding: $0, as: UTF8.self)
    }
    return try lines.dropFirst().map { line in
      let cells = line.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
      let texts = Dictionary(
        uniqueKeysWithValues: zip(header, cells.map { String(decoding: $0, as: UTF8.self) }))
      return Swap(
        chain: try #require(texts["chain"].flatMap { UInt32($0) }),
        block: try #require(texts["block"].flatMap { UInt64($0) }),
        timestamp: try #require(texts["timestamp"].flatMap { Timestamp($0) }),
        token: ByteString(try #require(texts["token"])),
        side: texts["side"].flatMap { $0 == "buy" ? .buy : $0 == "sell" ? .sell : nil },
        amountUSD: texts["amount_usd"].flatMap { Decimal18($0) },
        tokenAmount: texts["token_amount"].flatMap { Decimal18($0) },
        priceUSD: texts["price_usd"].flatMap { Decimal18($0) })
    }
  }

  private static func deliver(_ swaps: ArraySlice<Swap>, to engine: inout Engine) throws {
    var rest = swaps
    while !rest.isEmpty {
      var batch = EventBatch()
      for swap in rest.prefix(10_000) { batch.append(swap) }
      rest = rest.dropFirst(10_000)
      let receipt = try engine.apply(batch, wallClock: nil)
      #expect(receipt.accepted == batch.offered)
    }
  }

  private static func csv(of engine: borrowing Engine, _ interval: Interval) throws -> String {
    var writer = ResultWriter(.candles(withToken: true), as: .csv)
    for token in engine.tokens() {
      let name = engine.name(of: token)
      engine.forEachBar(of: token, CandleQuery(interval)) { writer.write(CandleAnswer(token: name, row: $0)) }
    }
    writer.finish()
    return String(decoding: writer.takeBytes(), as: UTF8.self)
  }
}
