// Bars whose buckets begin and end where chunks of swaps, or of hours, do.
// Invariant: bars are those of the candles that can be merged, which are folded another way.
// Not here: markets at random against the model (CandleProperties).

import Continuo
import Testing

@Suite("Bars at the edges of chunks")
struct BarEdgeTests {
  private static let start = Timestamp(microseconds: 1_730_419_200_000_000)  // 2024-11-01T00:00:00Z
  private static let swaps = 4 * Limits.swapChunkRows + 5

  /// An engine with one swap each `seconds`.
  private static func engine(every seconds: Int64) throws -> Engine {
    var engine = Engine()
    var batch = EventBatch()
    for index in 0..<swaps {
      batch.append(
        Swap(
          block: UInt64(index + 1), timestamp: start + Int64(index) * seconds * 1_000_000, token: "ART",
          amountUSD: Decimal18(units: Int128(index * 7 + 1) * 1_000_000_000), tokenAmount: .one))
    }
    #expect(try engine.apply(batch, wallClock: nil).accepted == swaps)
    return engine
  }

  /// Rule 4.1, 10.4: the last n bars, for every n, and the bars before every bound.
  @Test(
    "the last n bars are the last n candles", arguments: [1, 7, 15, 30, 60, 120, 900, 1_800, 3_600, 5_400] as [Int64])
  func lastBars(seconds: Int64) throws {
    let engine = try Self.engine(every: seconds)
    guard let token = engine.token("ART") else {
      Issue.record("the token of every swap is not known")
      return
    }
    let end = Self.start + Int64(Self.swaps) * seconds * 1_000_000
    for interval in [Interval.oneMinute, .fiveMinutes, .fifteenMinutes, .oneHour] {
      var candles: [Bar] = []
      engine.forEachCandle(of: token, CandleQuery(interval)) { candles.append(Bar($0)) }
      #expect(!candles.isEmpty)
      for count in 1...candles.count + 1 {
        var bars: [Bar] = []
        engine.forEachBar(of: token, CandleQuery(interval, limit: count)) { bars.append($0) }
        #expect(bars == candles.suffix(count), "the last \(count) of \(interval), a swap each \(seconds) s")
      }
      for bound in stride(from: Self.start.microseconds, through: end.microseconds, by: 613_000_000 * Int(seconds)) {
        let bound = Timestamp(microseconds: Int64(bound))
        var bars: [Bar] = []
        engine.forEachBar(of: token, CandleQuery(interval, from: bound)) { bars.append($0) }
        let query = CandleQuery(interval, from: bound)
        var expected: [Bar] = []
        engine.forEachCandle(of: token, query) { expected.append(Bar($0)) }
        #expect(bars == expected, "\(interval) from \(bound), a swap each \(seconds) s")
      }
    }
  }

  /// Rule 4.2: swaps by the dozen, of both sides and of none, with amounts and prices of so many bytes.
  @Test("bars of many swaps are their candles, whatever columns take", arguments: 0...8)
  func widths(bytes: Int) throws {
    var engine = Engine()
    var batch = EventBatch()
    var state: UInt64 = 7
    func number(_ bytes: Int) -> Int128 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return bytes == 0 ? 1 : Int128(state >> UInt64(64 - 8 * bytes)) + 1
    }
    for index in 0..<1_500 {
      // Between one swap a minute and sixty.
      let second = index < 1_000 ? index * (1 + index % 3) : 2_000 + index * (index % 7 + 1) * 5
      batch.append(
        Swap(
          block: UInt64(index + 1), timestamp: Self.start + Int64(second) * 1_000_000, token: "ART",
          side: [.buy, .sell, nil, .sell][Int(number(1)) % 4],
          amountUSD: Decimal18(units: number(bytes) * 10_000_000_000),
          tokenAmount: Decimal18(units: number(min(bytes + 1, 7))),
          priceUSD: Decimal18(units: number(max(bytes - 1, 0))),
          wallet: index % 5 == 0 ? nil : ByteString("wallet \(number(min(bytes, 2)))")))
    }
    #expect(try engine.apply(batch, wallClock: nil).accepted == 1_500)
    guard let token = engine.token("ART") else {
      Issue.record("the token of every swap is not known")
      return
    }
    for interval in [Interval.oneMinute, .fiveMinutes, .fifteenMinutes, .oneHour] {
      for count in [1, 2, 30, 100, 1_000] {
        var candles: [Bar] = []
        var bars: [Bar] = []
        engine.forEachCandle(of: token, CandleQuery(interval, limit: count)) { candles.append(Bar($0)) }
        engine.forEachBar(of: token, CandleQuery(interval, limit: count)) { bars.append($0) }
        #expect(bars == candles, "the last \(count) of \(interval), \(bytes) bytes")
      }
    }
  }
}
