// Candles are a commutative monoid: merged in any order and any grouping they are the same bits.
// Invariant: what is merged and what it is compared with both come from the engine.
// Not here: whether a candle is right (EngineProperties).

import Continuo
import ContinuoTestSupport
import Testing

@Suite("Candles as a monoid")
struct CandleProperties {
  private static func candles(_ engine: borrowing Engine, _ token: TokenID, _ interval: Interval) -> [(
    Timestamp, Candle
  )] {
    var candles: [(Timestamp, Candle)] = []
    engine.forEachCandle(of: token, CandleQuery(interval)) { row in
      if let candle = row.candle { candles.append((row.bucket, candle)) }
    }
    return candles
  }

  /// Merges all of them, two at a time, in random order.
  private static func merged(_ candles: [Candle], using random: inout SeededGenerator) -> Candle? {
    var left = candles
    while left.count > 1 {
      let one = left.remove(at: Int.random(in: 0..<left.count, using: &random))
      let place = Int.random(in: 0..<left.count, using: &random)
      if random.chance(50) {
        left[place].merge(one)
      } else {
        var other = one
        other.merge(left[place])
        left[place] = other
      }
    }
    return left.first
  }

  /// Rule 4.3: a longer candle is the merge of its shorter ones, to the last digit.
  @Test("A longer candle is the merge of its shorter ones", arguments: Seeds.thisRun(60))
  func longerIsMergeOfShorter(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed &+ 0xCA2D1E)
    var shape = OrderProperties.shape(using: &random)
    shape.retention = nil
    let market = try RandomMarket(shape, using: &random)
    var trial = Trial(market.settings, price: shape.price, seed: seed)
    try trial.perform(.apply(market.events, wallClock: nil, isText: false))
    for token in trial.engine.tokens() {
      for (shorter, longer) in zip(Interval.allCases, Interval.allCases.dropFirst()) {
        let parts = Self.candles(trial.engine, token, shorter)
        for (bucket, candle) in Self.candles(trial.engine, token, longer) {
          let inside = parts.filter { bucket <= $0.0 && $0.0 < longer.next(bucket) }.map(\.1)
          #expect(Self.merged(inside, using: &random) == candle, "\(Seeds.replay(seed, "longerIsMergeOfShorter"))")
        }
      }
    }
  }

  /// Rule 4.3: the candles of two halves of the events merge into the candle of all.
  @Test("Two halves merge into the whole", arguments: Seeds.thisRun(60))
  func halvesMergeIntoTheWhole(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed &+ 0x4A1F)
    var shape = OrderProperties.shape(using: &random)
    shape.retention = nil
    let market = try RandomMarket(shape, using: &random)
    var trials = [Engine.Settings](repeating: market.settings, count: 3).map { _ in [MarketRow]() }
    for event in market.events {
      trials[2].append(event)
      trials[random.chance(50) ? 0 : 1].append(event)
    }
    var found: [[String: Candle]] = []
    for events in trials {
      var trial = Trial(market.settings, price: shape.price, seed: seed)
      try trial.perform(.apply(events, wallClock: nil, isText: false))
      var candles: [String: Candle] = [:]
      for token in trial.engine.tokens() {
        for interval in Interval.allCases {
          for (bucket, candle) in Self.candles(trial.engine, token, interval) {
            candles["\(trial.engine.name(of: token).bytes) \(interval.rawValue) \(bucket)"] = candle
          }
        }
      }
      found.append(candles)
    }
    #expect(Set(found[2].keys) == Set(found[0].keys).union(found[1].keys))
    for (name, whole) in found[2] {
      let halves = [found[0][name], found[1][name]].compactMap { $0 }
      #expect(Self.merged(halves, using: &random) == whole, "\(Seeds.replay(seed, "halvesMergeIntoTheWhole"))")
      #expect(Self.merged(halves.reversed(), using: &random) == whole)
    }
  }
}
