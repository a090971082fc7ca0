// Questions from the ends of 64 bits: whatever is asked, nothing traps, and ranges mean what they say.
// Invariant: every question here has an answer or a refusal.
// Not here: sensible questions (EngineProperties).

import Continuo
import ContinuoTestSupport
import Testing

@Suite("Questions from the ends of the world")
struct ExtremeQuestionTests {
  private static let instants: [Timestamp] = [
    Timestamp(microseconds: .min), Timestamp(microseconds: .min + 1), .first - 1, .first, Timestamp(microseconds: -1),
    Timestamp(microseconds: 0), .last, .last + 1, Timestamp(microseconds: .max - 1), Timestamp(microseconds: .max),
  ]

  /// Two swaps of a token: at the first instant there is, and at the last.
  private static func engine(_ retention: String?) throws -> Engine {
    var engine = Engine(Engine.Settings(retention: try retention.map { try RetentionPolicy($0) }))
    var batch = EventBatch()
    for (block, time) in [(UInt64(0), Timestamp.first), (.max, .last)] {
      batch.append(
        Swap(chain: .max, block: block, logIndex: .max, timestamp: time, token: "ART", amountUSD: .max, priceUSD: .max))
    }
    try engine.apply(batch, wallClock: nil)
    return engine
  }

  /// Rules 2.5, 4.4, 10: no range, limit or clock traps.
  @Test("Candles", arguments: [nil, "raw=7d"], Interval.allCases)
  func candles(retention: String?, interval: Interval) throws {
    let engine = try Self.engine(retention)
    let found = engine.token("ART")
    let token = try #require(found)
    for from in [nil] + Self.instants.map(Optional.some) {
      for to in [nil] + Self.instants.map(Optional.some) {
        for fill in Fill.allCases {
          let query = CandleQuery(interval, from: from, to: to, fill: fill, limit: 2)
          let rows = engine.candleAnswers(token, query)
          #expect(rows.count <= 2)
          #expect(rows.allSatisfy { row in (from ?? row.bucket) <= row.bucket && row.bucket < (to ?? row.bucket + 1) })
        }
      }
    }
    for clock in Self.instants {
      for fill in Fill.allCases {
        let rows = engine.candleAnswers(token, CandleQuery(interval, fill: fill, limit: 2), clock: clock)
        #expect(rows.allSatisfy { $0.isClosed == ($0.bucket + interval.microseconds <= clock) })
      }
    }
    #expect(
      engine.candleAnswers(token, CandleQuery(interval, limit: .max)).count
        == (retention == nil || interval.isLong ? 2 : 1))
  }

  /// Rules 5.1–5.6: no instant traps.
  @Test("Windows, rankings, explanations", arguments: [nil, "raw=7d"])
  func windows(retention: String?) throws {
    var engine = try Self.engine(retention)
    for _ in 0..<2 {
      let found = engine.token("ART")
      let token = try #require(found)
      for instant in Self.instants {
        for length in WindowLength.allCases {
          let window = try? engine.window(length, of: token, asOf: instant)
          #expect(window == nil || window?.asOf == instant)
          let traders = try? engine.traders(length, of: token, asOf: instant)
          #expect((traders == nil) == (window == nil))
        }
        _ = try? engine.statistics(of: token, asOf: instant)
        for key in RankingKey.allCases { _ = try? engine.ranking(by: key, limit: .max, asOf: instant) }
        for interval in Interval.allCases { _ = try? engine.explain(token, interval, bucket: instant) }
      }
      engine.moveHorizon()
    }
    #expect(engine.horizon == nil || engine.inspection().swaps == 1)
  }

  /// Rules 3.9, 3.6: wall clocks from the ends of 64 bits.
  @Test("Wall clocks")
  func wallClocks() throws {
    for wall in Self.instants {
      var engine = try Self.engine("raw=7d")
      engine.advanceClock(to: wall)
      #expect(engine.clock == max(wall, .last))
      var batch = EventBatch()
      batch.append(Swap(block: 5, timestamp: .last, token: "ART", amountUSD: .one, priceUSD: .one))
      let receipt = try engine.apply(batch, wallClock: wall)
      #expect(receipt.accepted == (wall >= .last - 300_000_000 ? 1 : 0))
      var empty = Engine()
      empty.advanceClock(to: wall)
      #expect(empty.clock == wall && empty.moveHorizon() == 0 && empty.tokens().isEmpty)
      #expect(try empty.ranking(by: .volume, limit: 3, asOf: wall).isEmpty)
    }
  }
}

extension Interval {
  /// Whether its candles are kept for ever by default.
  fileprivate var isLong: Bool { microseconds >= Interval.oneHour.microseconds }
}
