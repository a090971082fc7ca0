// An engine kept in pieces and made again of them: the same answers, and the same from then on.
// Invariant: seeds are printed with a failure.
// Not here: the pieces' files (ContinuoStorageTests).
// Rules 7.5.

import Continuo
import ContinuoFormats
import ContinuoTestSupport
import Testing

@Suite("Keeping")
struct KeepingProperties {
  /// Makes an engine of the pieces of another one.
  static func made(of engine: inout Engine) throws -> Engine {
    let kept = engine.kept()
    var made = Engine(engine.settings)
    var names: [UInt8] = []
    kept.appendTokens(0..<kept.tokenCount, to: &names)
    kept.appendAddresses(1..<kept.addressCount, to: &names)
    try made.adoptNames(names.span, tokens: kept.tokenCount, addresses: kept.addressCount - 1)
    for base in kept.snapshot.bases() { try made.adopt(base) }
    let all = (from: Timestamp(microseconds: .min), before: Timestamp(microseconds: .max))
    var swaps = kept.snapshot.heldSwaps(from: all.from, before: all.before)
    swaps.sort { ($0.key.chain, $0.key.block, $0.key.logIndex) < ($1.key.chain, $1.key.block, $1.key.logIndex) }
    try made.adopt(swaps.span)
    let transfers = kept.snapshot.heldTransfers(from: all.from, before: all.before)
    try made.adopt(transfers.span)
    try made.adopt(kept.marks)
    return made
  }

  private static func perform(_ operation: MarketOperation, _ price: PriceMode, on engine: inout Engine) throws
    -> String
  {
    do throws(Refusal) {
      switch operation {
      case .apply(let rows, let wallClock, _):
        var spelling: SeededGenerator?
        return "\(try engine.apply(EventBatch(rows, price: price, spelling: &spelling), wallClock: wallClock))"
      case .retract(let identity): return "\(engine.retract(identity))"
      case .rollback(let chain, let block): return "\(try engine.rollback(chain: chain, above: block))"
      case .moveHorizon: return "\(engine.moveHorizon())"
      case .advanceClock(let clock):
        engine.advanceClock(to: clock)
        return ""
      }
    } catch { return "\(error)" }
  }

  /// Rule 8: nobody sees a version that was made to be kept elsewhere as the newest one.
  @Test("Readers that come while a version is kept see what came behind it, and the version does not")
  func readersMeanwhile() throws {
    var engine = Engine()
    func swap(_ block: UInt64) throws {
      var batch = EventBatch()
      let time = Timestamp(microseconds: 1_730_419_200_000_000)
      batch.append(Swap(block: block, timestamp: time, token: "ART", amountUSD: .one, tokenAmount: .one))
      _ = try engine.apply(batch, wallClock: nil)
    }
    try swap(1)
    let kept = engine.kept()
    try swap(2)
    try swap(3)
    var reader = engine.publication().reader()
    let came = reader.read { $0.inspection().swaps }
    try swap(4)
    let (after, held) = (reader.read { $0.inspection().swaps }, kept.snapshot.inspection().swaps)
    #expect([came, after, held, engine.inspection().swaps] == [3, 4, 1, 4])
  }

  @Test("An engine made of another one's pieces answers as that does, then and later", arguments: Seeds.thisRun(200))
  func madeAgain(seed: UInt64) throws {
    let market = try RandomMarket(seed: seed)
    var random = SeededGenerator(seed: seed &* 77)
    var first = Engine(market.settings)
    var second = Engine(market.settings)
    for operation in market.operations {
      let one = try Self.perform(operation, market.shape.price, on: &first)
      let other = try Self.perform(operation, market.shape.price, on: &second)
      #expect(one == other, "\(Seeds.replay(seed, "KeepingProperties"))")
      if random.chance(15) {
        // Versions that come and go change nothing.
        _ = first.kept()
        if random.chance(70) { first.endVersions() }
      }
      if random.chance(15) {
        second = try Self.made(of: &second)
        let wrong = second.checkInvariants()
        #expect(wrong == [], "\(Seeds.replay(seed, "KeepingProperties"))")
        let (found, expected) = (second.inspection(), first.inspection())
        #expect(found == expected, "\(Seeds.replay(seed, "KeepingProperties"))")
      }
    }
    let wrong = first.checkInvariants()
    #expect(wrong == [], "\(Seeds.replay(seed, "KeepingProperties"))")
    let found = try StateDigest.hexadecimal(of: second)
    let expected = try StateDigest.hexadecimal(of: first)
    #expect(found == expected, "\(Seeds.replay(seed, "KeepingProperties"))")
  }

  /// What changed is in a stretch that is told; what was told is not told again.
  @Test("Stretches in which nothing was told to change hold what they held", arguments: Seeds.thisRun(60))
  func changedStretches(seed: UInt64) throws {
    let market = try RandomMarket(seed: seed)
    var engine = Engine(market.settings)
    engine.noteChanges()
    var kept: [Int64: [HeldSwap]] = [:]
    func held(_ engine: borrowing Engine) -> [Int64: [HeldSwap]] {
      let swaps = engine.heldSwaps(from: Timestamp(microseconds: .min), before: Timestamp(microseconds: .max))
      return Dictionary(grouping: swaps) { ChangedTimes.stretch($0.key.timestamp) }
    }
    for operation in market.operations {
      _ = try Self.perform(operation, market.shape.price, on: &engine)
      let now = held(engine)
      let changed = engine.changedStretches
      for (stretch, swaps) in now where !changed.contains(stretch) {
        #expect(kept[stretch] == swaps, "\(Seeds.replay(seed, "KeepingProperties"))")
      }
      let horizon = engine.horizon ?? Timestamp(microseconds: .min)
      for stretch in kept.keys where now[stretch] == nil && ChangedTimes.start(stretch) >= horizon {
        #expect(changed.contains(stretch), "\(Seeds.replay(seed, "KeepingProperties"))")
      }
      if seed % 2 == 0 {
        let told = engine.kept().changed
        #expect(told == changed)
        let left = engine.changedStretches
        #expect(left == [])
        kept = now
      }
    }
  }
}
