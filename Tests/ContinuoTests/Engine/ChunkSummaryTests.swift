// What a packed chunk of swaps adds up to, whichever way it was summed: from quotients, or from the rows where those do not do.
// Invariant: a failing seed is printed with what to type to see it again.
// Not here: markets at random against the model (EngineProperties).

import Continuo
import ContinuoTestSupport
import Testing

@Suite("Summaries of chunks")
struct ChunkSummaryTests {
  /// Rules 4.2–4.4: chunks of amounts at one scale, at mixed ones, with 18 digits, near the greatest, with and without sides.
  @Test("A chunk's candle is that of its swaps", arguments: Seeds.thisRun(60))
  func summaryIsThatOfTheRows(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let scale: Int128 = random.pick([1, 1_000, 10_000_000_000, 1_000_000_000_000_000_000])
    let isHuge = random.chance(20)
    let hasSides = random.chance(70)
    let missing = random.pick([0, 30, 100])
    func amount() -> Decimal18 {
      let digits = Int128(Int64.random(in: 1...99_999_999, using: &random))
      guard isHuge, random.chance(10) else { return Decimal18(units: digits * scale) }
      return Decimal18(units: .max - digits)
    }
    var engine = Engine()
    var batch = EventBatch()
    let swaps = 3 * Limits.swapChunkRows + 20
    for index in 0..<swaps {
      let money = amount()
      batch.append(
        Swap(
          block: UInt64(index + 1), timestamp: Timestamp(microseconds: Int64(index) * 2_000_000), token: "ART",
          side: hasSides ? random.pick([.buy, .sell, nil] as [Side?]) : nil, amountUSD: money,
          tokenAmount: random.chance(missing) ? nil : amount(), priceUSD: amount()))
    }
    #expect(try engine.apply(batch, wallClock: nil).accepted == swaps)
    let wrong = engine.checkInvariants()
    #expect(wrong.isEmpty, "\(wrong)\n\(Seeds.replay(seed, "summaryIsThatOfTheRows"))")
  }
}
