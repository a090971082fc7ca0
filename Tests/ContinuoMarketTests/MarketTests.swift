// What a market is asked to be, held against what was drawn.
// Invariant: shares are compared within five deviations, so that a seed does not decide whether a test passes.
// Not here: the engine's answers about it (ContinuoTests), the command that feeds it (LoadTests).

import Continuo
import ContinuoMarket
import Testing

@Suite("Market")
struct MarketTests {
  static let shapes: [MarketShape] = {
    var wide = MarketShape(events: 20_000)
    wide.isWide = true
    wide.days = 2
    var repeated = MarketShape(events: 20_000)
    repeated.duplicates = 0.05
    repeated.seed = 11
    var shuffled = repeated
    shuffled.order = .random
    var transfers = MarketShape(events: 20_000)
    transfers.kind = .transfers
    transfers.names = .addresses
    transfers.tokens = 50
    var uniform = MarketShape(events: 20_000)
    uniform.isUniform = true
    uniform.wallets = 1_000
    return [MarketShape(events: 20_000), wide, repeated, shuffled, transfers, uniform]
  }()

  private static func text(_ market: Market) -> [UInt8] {
    var text = market.header(.csv)
    market.append(0..<market.count, as: .csv, to: &text)
    return text
  }

  /// FNV-1a, to hold a text to one number.
  private static func hash(_ text: [UInt8]) -> UInt64 {
    text.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
  }

  private static func isNear(_ share: Double, _ expected: Double, of count: Int) -> Bool {
    let deviation = (expected * (1 - expected) / Double(count)).squareRoot()
    return abs(share - expected) <= 5 * deviation + 1e-9
  }

  @Test("the seed decides the market, and every seed another one", arguments: shapes)
  func seedDecides(shape: MarketShape) {
    var other = shape
    other.seed += 1
    let text = Self.text(Market(shape))
    #expect(text == Self.text(Market(shape)))
    #expect(text != Self.text(Market(other)))
  }

  @Test("the same market on every machine")
  func everyMachine() {
    #expect(Self.shapes.map { Self.hash(Self.text(Market($0))) } == Self.hashes)
  }

  /// Recorded once: another number is another market, and figures of before and after cannot be compared any more.
  private static let hashes: [UInt64] = [
    14_154_801_366_418_225_059, 10_431_538_328_635_829_333, 4_115_421_565_671_648_693, 3_097_058_995_165_917_288,
    17_029_430_380_413_750_193, 7_347_806_161_135_219_484,
  ]

  @Test("every event is delivered once, a repeat as its event, in places that are taken once", arguments: shapes)
  func places(shape: MarketShape) {
    let market = Market(shape)
    var rows: [UInt64: Int] = [:]
    var repeats = 0
    for row in 0..<market.count {
      let place = market.block(row) << 32 | UInt64(market.logIndex(row))
      if let first = rows.updateValue(row, forKey: place) {
        repeats += 1
        var lines: [[UInt8]] = [[], []]
        market.append(first..<first + 1, as: .csv, to: &lines[0])
        market.append(row..<row + 1, as: .csv, to: &lines[1])
        #expect(lines[0] == lines[1])
      }
    }
    #expect(rows.count == shape.events)
    #expect(Self.isNear(Double(repeats) / Double(shape.events), shape.duplicates, of: shape.events))
    // Within a block the places are 0, 1, 2 …, and time is the block's.
    var next: UInt64 = 0
    for place in rows.keys.sorted() {
      if place & 0xFFFF_FFFF != 0 { #expect(place == next) }
      next = place + 1
    }
    for row in stride(from: 0, to: market.count, by: 97) {
      let blocks = Int64(market.block(row) - Market.firstBlock)
      #expect(market.timestamp(row) == Market.start + blocks * Market.blockMicroseconds)
      #expect(blocks < Int64(shape.days) * 43_200)
    }
  }

  @Test("some come late, as many and as late as said")
  func lateness() {
    let market = Market(MarketShape(events: 200_000))
    var newest = Market.start
    var late = 0
    var veryLate = 0
    for row in 0..<market.count {
      let behind = newest.microseconds - market.timestamp(row).microseconds
      if behind > 0 { late += 1 }
      if behind > 610_000_000 { veryLate += 1 }
      #expect(behind < 10_810_000_000)
      newest = max(newest, market.timestamp(row))
    }
    #expect(Self.isNear(Double(late) / Double(market.count), 0.0101, of: market.count))
    #expect(Self.isNear(Double(veryLate) / Double(market.count), 0.0001 * 17 / 18, of: market.count))
  }

  @Test("in random order nearly every event is late, and the events are the same")
  func randomOrder() {
    var shape = MarketShape(events: 20_000)
    let inOrder = Self.text(Market(shape)).split(separator: 10)
    shape.order = .random
    let market = Market(shape)
    #expect(
      Self.text(market).split(separator: 10).map(Array.init).sorted { $0.lexicographicallyPrecedes($1) }
        == inOrder.map(Array.init).sorted { $0.lexicographicallyPrecedes($1) })
    var newest = Market.start
    var late = 0
    for row in 0..<market.count {
      if market.timestamp(row) < newest { late += 1 }
      newest = max(newest, market.timestamp(row))
    }
    #expect(late > market.count * 99 / 100)
  }

  @Test("tokens and wallets are as popular as said")
  func popularity() {
    let market = Market(MarketShape(events: 200_000))
    var byToken = [Int](repeating: 0, count: market.shape.tokens)
    var byWallet: [Int: Int] = [:]
    for row in 0..<market.count {
      byToken[market.token(row)] += 1
      byWallet[market.wallet(row), default: 0] += 1
    }
    // Σ k^-1.1 of 10,000 is 6.60406…; ζ(1.2) is 5.59158….
    for (rank, weight) in [(0, 1.0), (1, 0.466_516_5), (9, 0.079_432_8), (99, 0.006_309_6)] {
      #expect(Self.isNear(Double(byToken[rank]) / Double(market.count), weight / 6.604_06, of: market.count))
    }
    for (wallet, weight) in [(1, 1.0), (2, 0.435_275_3), (10, 0.063_095_7), (1_000, 0.000_251_2)] {
      #expect(Self.isNear(Double(byWallet[wallet] ?? 0) / Double(market.count), weight / 5.591_58, of: market.count))
    }
    #expect(byWallet.keys.allSatisfy { (0..<1_000_000).contains($0) })
    var uniform = MarketShape(events: 200_000)
    uniform.isUniform = true
    uniform.tokens = 100
    let even = Market(uniform)
    for token in 0..<100 {
      let share = Double((0..<even.count).count { even.token($0) == token }) / Double(even.count)
      #expect(Self.isNear(share, 0.01, of: even.count))
    }
  }
}
