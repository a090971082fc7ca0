// The demo's market as an engine sees it: the same for a seed, nobody below zero, prices in their range, and going on.
// Invariant: times are the test's own; nothing here waits.
// Not here: the demo in a served directory (DemoTests).

import Continuo
import ContinuoMarket
import Testing

@Suite("The demo's market")
struct DemoMarketTests {
  private static let start = Timestamp(microseconds: 1_790_000_000_000_000)
  private static let day: Int64 = 86_400_000_000

  /// The first days of a market, in an engine.
  private static func run(
    _ market: inout DemoMarket, _ engine: inout Engine, days: Int64, perSecond: Double = 0.2
  ) throws {
    var batch = EventBatch()
    for step in market.genesis() { market.append(step, to: &batch) }
    while let step = market.next(before: start + days * day, perSecond: perSecond) {
      market.append(step, to: &batch)
      if batch.offered > 50_000 { try take(&batch, &engine) }
    }
    try take(&batch, &engine)
  }

  /// What an engine says of a token of the demo.
  private static func statistics(_ engine: borrowing Engine, _ name: ByteString) throws -> TokenStatistics? {
    guard let token = engine.token(name), let clock = engine.clock else { return nil }
    return try engine.statistics(of: token, asOf: clock)
  }

  private static func take(_ batch: inout EventBatch, _ engine: inout Engine) throws {
    let receipt = try engine.apply(batch, wallClock: nil)
    #expect(receipt.accepted == batch.offered && receipt.rejections.isEmpty, "\(receipt.rejections.prefix(3))")
    batch.removeAll()
  }

  @Test("Every event is taken, nobody gives what he does not have, prices are spread and move", arguments: [7, 8, 9])
  func believable(seed: UInt64) throws {
    var market = DemoMarket(seed: seed, from: Self.start)
    var engine = Engine()
    try Self.run(&market, &engine, days: 4)
    let held = engine.inspection()
    #expect(held.tokens == DemoTokens.names.count && held.negativeBalances == 0 && held.swaps > 50_000)
    var prices: [Decimal18] = []
    var counts: [Int] = []
    for name in DemoTokens.names {
      #expect(name.description.hasSuffix(DemoTokens.suffix))
      let found = try Self.statistics(engine, name)
      let statistics = try #require(found, "\(name)")
      prices.append(try #require(statistics.window.last, "\(name)"))
      counts.append(statistics.window.trades)
      #expect(try #require(statistics.holders) > 20, "\(name)")
      let high = try #require(statistics.window.high)
      let low = try #require(statistics.window.low)
      #expect(low < high && high.units < low.units * 4, "\(name): \(low) to \(high)")
    }
    #expect(prices.min()! < Decimal18("0.00002")! && prices.max()! > Decimal18("100")!)
    #expect(counts[0] > counts[30] * 4, "popularity is uneven: \(counts)")
  }

  @Test("The same seed draws the same, another seed something else")
  func seeds() throws {
    let bars = try [7, 7, 8].map { try Self.bars(seed: $0) }
    #expect(bars[0].count > 20 && bars[0] == bars[1] && bars[0] != bars[2])
  }

  private static func bars(seed: UInt64) throws -> [Bar] {
    var market = DemoMarket(seed: seed, from: start)
    var engine = Engine()
    try run(&market, &engine, days: 1)
    var bars: [Bar] = []
    if let token = engine.token(DemoTokens.names[3]) {
      engine.forEachBar(of: token, CandleQuery(.oneHour)) { bars.append($0) }
    }
    return bars
  }

  @Test("What goes on from an engine draws on with the same steps, and nobody falls below zero")
  func goesOn() throws {
    var market = DemoMarket(seed: 7, from: Self.start)
    var engine = Engine()
    try Self.run(&market, &engine, days: 1)
    let held = engine.newest
    let newest = try #require(held)
    var restored = DemoMarket(seed: 7, from: Self.start)
    restored.proceed(step: market.stepCount, after: newest)
    for (number, name) in DemoTokens.names.enumerated() {
      let found = try Self.statistics(engine, name)
      let statistics = try #require(found)
      restored.restore(number, price: statistics.window.last, engine.holders(of: statistics.token))
    }
    var batch = EventBatch()
    for _ in 0..<5000 {
      let (next, same) = (
        market.next(before: .last, perSecond: 4), restored.next(before: .last, perSecond: 4)
      )
      let step = try #require(next)
      let other = try #require(same)
      #expect(step.token == other.token && step.number == other.number)
      #expect(other.block > DemoMarket.block(at: newest))
      restored.append(other, to: &batch)
    }
    try Self.take(&batch, &engine)
    let after = engine.inspection()
    #expect(after.negativeBalances == 0)
  }
}
