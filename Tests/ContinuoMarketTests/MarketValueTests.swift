// What is in a market's rows: numbers, names, text; and that an engine takes all of them.
// Invariant: exact relations are checked exactly, in whole counts of 10^-8.
// Not here: how often and when things happen (MarketTests).

import Continuo
import ContinuoMarket
import Foundation
import Testing

@Suite("Market values")
struct MarketValueTests {
  /// The cells of every row.
  private static func rows(_ market: Market) -> [[String]] {
    var text: [UInt8] = []
    market.append(0..<market.count, as: .csv, to: &text)
    return String(decoding: text, as: UTF8.self).split(separator: "\n").map { line in
      line.split(separator: ",").map(String.init)
    }
  }

  private static func counts(_ text: String) throws -> Int128 { try #require(Decimal18(text)).units / 10_000_000_000 }

  @Test("money is the rounded product of price and amount, and prices walk by steps of 0.2 %")
  func product() throws {
    var steps: [Double] = []
    var last: Double?
    for row in Self.rows(Market(MarketShape(events: 50_000))).sorted(by: { ($0[2], Int($0[3])!) < ($1[2], Int($1[3])!) }
    ) {
      let (money, amount, price) = (try Self.counts(row[7]), try Self.counts(row[8]), try Self.counts(row[9]))
      #expect(money > 0 && amount > 0 && price > 0)
      let (quotient, rest) = (price * amount).quotientAndRemainder(dividingBy: 100_000_000)
      let isUp = rest > 50_000_000 || rest == 50_000_000 && quotient & 1 == 1
      #expect(money == max(1, quotient + (isUp ? 1 : 0)))
      guard row[5] == "tok0" else { continue }
      if let last { steps.append(log(Double(price) / last)) }
      last = Double(price)
    }
    #expect(steps.count > 5_000)
    let deviation = (steps.reduce(0) { $0 + $1 * $1 } / Double(steps.count)).squareRoot()
    #expect(abs(deviation - 0.002) < 0.000_1)
  }

  @Test("amounts are lognormal, the smaller the dearer the token")
  func amounts() throws {
    var shape = MarketShape(events: 50_000)
    shape.tokens = 1
    let logarithms = try Self.rows(Market(shape)).map { row in
      log(Double(try Self.counts(row[8])) / 1e8)
    }
    let mean = logarithms.reduce(0, +) / Double(logarithms.count)
    let variance = logarithms.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(logarithms.count)
    #expect(abs(variance.squareRoot() - 1.5) < 0.03)
  }

  @Test("eighteen digits add ten to the same amounts, and no price is quoted")
  func wide() {
    var shape = MarketShape(events: 5_000)
    let narrow = Self.rows(Market(shape))
    shape.isWide = true
    let wide = Self.rows(Market(shape))
    #expect(wide.count == narrow.count)
    for (left, right) in zip(narrow, wide) {
      #expect(left.count == 11 && right.count == 10)
      #expect(left[0...6] == right[0...6] && left[10] == right[9])
      for field in 7...8 {
        #expect(right[field].hasPrefix(left[field]) && right[field].utf8.count == left[field].utf8.count + 10)
      }
    }
  }

  @Test("NDJSON has the fields and values of CSV")
  func ndjson() throws {
    for shape in MarketTests.shapes {
      var small = shape
      small.events = 300
      let market = Market(small)
      let header = String(decoding: market.header(.csv), as: UTF8.self).dropLast().split(separator: ",").map(
        String.init)
      var text: [UInt8] = []
      market.append(0..<market.count, as: .ndjson, to: &text)
      let lines = String(decoding: text, as: UTF8.self).split(separator: "\n")
      for (line, cells) in zip(lines, Self.rows(market)) {
        let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        #expect(object.count == header.count)
        for (name, cell) in zip(header, cells) { #expect("\(object[name] ?? "")" == cell) }
      }
    }
  }

  @Test("an engine takes every row, and nobody gives what he does not have", arguments: MarketTests.shapes)
  func engine(shape: MarketShape) throws {
    let market = Market(shape)
    var engine = Engine()
    var batch = EventBatch()
    var receipts = Receipt()
    for rows in market.batches(of: 3_000) {
      batch.removeAll()
      market.append(rows, to: &batch)
      let receipt = try engine.apply(batch, wallClock: nil)
      receipts.accepted += receipt.accepted
      receipts.duplicates += receipt.duplicates
      receipts.rejections += receipt.rejections
    }
    #expect(receipts.accepted == shape.events)
    #expect(receipts.duplicates == market.count - shape.events)
    #expect(receipts.rejections.isEmpty)
    let inspection = engine.inspection()
    #expect(inspection.negativeBalances == 0)
    #expect(shape.kind == .swaps ? inspection.swaps == shape.events : inspection.addresses > 100)
    #expect(engine.token(market.tokenName(0)) != nil)
  }

  @Test("the curves are those of the system to thirteen digits")
  func curves() {
    // The values in between are drawn, so that no pattern of the arguments hides a mistake.
    var random = RandomSource(seed: 1, for: .questions)
    for _ in 0..<20_000 {
      let x = random.unit() * 60 - 30
      #expect(abs(Curves.exp(x) / exp(x) - 1) < 1e-13)
      let y = exp(x)
      #expect(abs(Curves.ln(y) - log(y)) < 1e-13 * max(1, abs(log(y))))
      let turns = random.unit()
      let (cosine, sine) = Curves.circle(turns)
      #expect(abs(cosine - cos(2 * .pi * turns)) < 1e-13 && abs(sine - sin(2 * .pi * turns)) < 1e-13)
    }
  }
}
