// A wall clock that goes forward and back between batches, and what was judged by it when the directory is opened again.
// Invariant: what is expected is plain arithmetic on the clock of the batch itself, never an engine's answer.
// Not here: which times are in the future at all (ContinuoTests), markets with clocks that rise and fall (LedgerProperties).

import Continuo
import ContinuoFormats
import ContinuoStorage
import ContinuoTestSupport
import Testing

@Suite("Wall clock")
struct WallClockTests {
  private static let noon = Timestamp(microseconds: 1_700_000_000_000_000)
  private static let hour: Int64 = 3_600_000_000

  /// What a batch brings: swaps around the bound of its own clock, and those that were in the future before.
  private struct Delivery {
    var wallClock: Timestamp?
    var swaps: [Swap]
    /// The latest time that is taken; nil takes any.
    var latest: Timestamp?

    var inFuture: [Int] {
      guard let latest else { return [] }
      return swaps.indices.filter { swaps[$0].timestamp > latest }
    }
  }

  /// Rules 3.9, 7.5: each batch is judged by the clock that came with it, whatever was handed in before, and stays judged by it.
  @Test(
    "Batches with a clock that goes back: judged each by its own, live and opened again", arguments: Seeds.thisRun(20))
  func goesBack(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let tolerance = random.pick([Limits.futureToleranceMicroseconds, 0, Self.hour])
    let settings = Engine.Settings(futureToleranceMicroseconds: tolerance)
    let deliveries = Self.deliveries(tolerance, &random)
    let disk = SimulatedDisk()
    var options = Ledger.Options(engine: settings)
    options.journalFileBytes = 8 * 4096
    var ledger: Ledger? = try Ledger(disk, path: "/data", options)
    var expected: [Swap] = []
    var rejected = 0
    for delivery in deliveries {
      if random.chance(25) {
        ledger = nil
        ledger = try Ledger(disk, path: "/data", options)
      }
      let inFuture = delivery.inFuture
      let receipt = try #require(ledger).take(Self.batch(delivery.swaps), wallClock: delivery.wallClock)
      #expect(receipt.rejections.map(\.line) == inFuture, "\(Seeds.replay(seed, "WallClockTests"))")
      #expect(receipt.rejections.allSatisfy { $0.reason == .inFuture })
      #expect(receipt.accepted == delivery.swaps.count - inFuture.count)
      for (index, swap) in delivery.swaps.enumerated() where !inFuture.contains(index) { expected.append(swap) }
      rejected += inFuture.count
    }
    let live = Self.inspection(try #require(ledger))
    ledger = nil
    try Self.expect(expected, live, disk, seed)
    #expect(rejected > 10)
  }

  private static func inspection(_ ledger: Ledger) -> Inspection {
    var reader = ledger.publication().reader()
    return reader.read { $0.inspection() }
  }

  /// What is there is what was accepted, to the bit, for engines of other tolerances as well.
  private static func expect(_ swaps: [Swap], _ live: Inspection, _ disk: SimulatedDisk, _ seed: UInt64) throws {
    var engine = Engine(Engine.Settings(futureToleranceMicroseconds: nil))
    try engine.apply(batch(swaps), wallClock: nil)
    let digest = try StateDigest.hexadecimal(of: engine)
    for tolerance in [nil, 0, Int64.max / 4] {
      let read = try ReadDirectory(disk, path: "/data", Engine.Settings(futureToleranceMicroseconds: tolerance))
      let found = try StateDigest.hexadecimal(of: read.engine)
      #expect(found == digest, "\(Seeds.replay(seed, "WallClockTests"))")
      #expect(read.engine.inspection() == live)
    }
  }

  /// Clocks that go forward by hours and back, some missing; each batch has swaps right at its bound, right behind it, and some
  /// of any hour, so that what an earlier clock would take a later one refuses, and the other way round.
  private static func deliveries(_ tolerance: Int64, _ random: inout SeededGenerator) -> [Delivery] {
    var deliveries: [Delivery] = []
    var (clock, block) = (noon, UInt64(1))
    func swap(_ time: Timestamp) -> Swap {
      defer { block += 1 }
      return Swap(
        block: block, timestamp: time, token: block % 2 == 0 ? "ART" : "BEE", amountUSD: .one,
        priceUSD: Decimal18(whole: Int64(block)))
    }
    for _ in 0..<30 {
      clock = clock + random.pick([2, 1, -1, -2, -5]) * hour
      let wallClock = random.chance(85) ? clock : nil
      let latest = wallClock.map { $0 + tolerance }
      var swaps = [swap((latest ?? clock) + 0), swap((latest ?? clock) + 1), swap(clock)]
      for _ in 0..<3 { swaps.append(swap(clock + Int64.random(in: -8...8, using: &random) * hour)) }
      // Again what was refused before, as an indexer would send it.
      if let before = deliveries.last {
        for line in before.inFuture { swaps.append(before.swaps[line]) }
      }
      deliveries.append(Delivery(wallClock: wallClock, swaps: swaps, latest: latest))
    }
    return deliveries
  }

  private static func batch(_ swaps: [Swap]) -> EventBatch {
    var batch = EventBatch()
    for swap in swaps { batch.append(swap) }
    return batch
  }
}
