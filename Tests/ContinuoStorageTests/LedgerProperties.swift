// Any market through a ledger, opened again and again: the engine that comes back is the one that was there.
// Invariant: seeds are printed with a failure.
// Not here: crashes (CrashPointTests), the bytes (JournalFormatTests).
// Rules 7.1, 7.5.

import Continuo
import ContinuoFormats
import ContinuoStorage
import ContinuoTestSupport
import Testing

@Suite("Ledger")
struct LedgerProperties {
  @Test(
    "A ledger that is closed and opened again, at random, answers as an engine that never was",
    arguments: Seeds.thisRun(60))
  func reopened(seed: UInt64) throws {
    let market = try RandomMarket(seed: seed)
    var random = SeededGenerator(seed: seed &* 31)
    let disk = SimulatedDisk()
    var options = Ledger.Options(engine: market.settings, durability: random.pick(Durability.allCases))
    // What an engine alone keeps for ever a directory keeps so only if it is told.
    let isKeptForever = market.settings.retention == nil
    if isKeptForever {
      options.engine.retention = try RetentionPolicy("raw=forever,1m=forever,5m=forever,15m=forever")
    }
    options.price = market.shape.price
    options.journalFileBytes = Int64(random.pick([4, 8, 64])) << 12
    var engine = Engine(market.settings)
    var ledger: Ledger? = try Ledger(disk, path: "/data", options)
    for operation in market.operations {
      if random.chance(20) {
        ledger = nil
        ledger = try Ledger(disk, path: "/data", options)
        // From the second time on the directory has it.
        options.engine.retention = nil
      }
      let open = try #require(ledger)
      if random.chance(10) { _ = try open.checkpoint() }
      switch operation {
      case .apply(let rows, let wallClock, let isText):
        var spelling = isText ? SeededGenerator(seed: random.next()) : nil
        let batch = EventBatch(rows, price: market.shape.price, spelling: &spelling)
        let expected = Outcome { () throws(Refusal) in try engine.apply(batch, wallClock: wallClock) }
        let found = try Self.outcome { try open.take(batch, wallClock: wallClock) }
        #expect(found == expected, "\(Seeds.replay(seed, "LedgerProperties"))")
      case .retract(let identity):
        let undone = try open.retract(identity)
        #expect(undone == engine.retract(identity), "\(Seeds.replay(seed, "LedgerProperties"))")
      case .rollback(let chain, let block):
        let expected = Outcome { () throws(Refusal) in try engine.rollback(chain: chain, above: block) }
        let counted = open.eventCount(chain: chain, above: block)
        let found = try Self.outcome { try open.rollback(chain: chain, above: block) }
        if case .answer(let undone) = found { #expect(undone == counted) }
        #expect(found == expected, "\(Seeds.replay(seed, "LedgerProperties"))")
      case .moveHorizon:
        let dropped = try open.moveHorizon()
        #expect(dropped == engine.moveHorizon(), "\(Seeds.replay(seed, "LedgerProperties"))")
      case .advanceClock: break
      }
    }
    ledger = nil
    var settings = market.settings
    settings.retention = nil
    let read = try ReadDirectory(disk, path: "/data", settings)
    #expect(read.engine.checkInvariants() == [])
    #expect(read.restored.droppedTailBytes == 0)
    let expected = try StateDigest.hexadecimal(of: engine)
    let found = try StateDigest.hexadecimal(of: read.engine)
    #expect(found == expected, "\(Seeds.replay(seed, "LedgerProperties"))")
    #expect(read.engine.horizon == engine.horizon)
  }

  /// What a call answers, or that it was refused; other failures are thrown on.
  private static func outcome<Answer: Equatable & Sendable>(_ call: () throws -> Answer) throws -> Outcome<Answer> {
    do {
      let answer = try call()
      return Outcome { () throws(Refusal) in answer }
    } catch let refusal as Refusal {
      return Outcome { () throws(Refusal) in throw refusal }
    }
  }
}
