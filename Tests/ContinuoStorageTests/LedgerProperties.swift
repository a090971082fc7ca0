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
      if random.chance(10) { _ = try #require(ledger).checkpoint() }
      try Self.perform(operation, market, on: try #require(ledger), market.settings, &engine, &random, seed)
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
    #expect(read.engine.positions == engine.positions)
  }

  /// Rules 7.1, 7.5: what was taken was judged by the limits of then, and replay asks nothing that this start was told.
  @Test(
    "Opened again with other limits, tolerances and retentions, what was acknowledged is what it was",
    arguments: Seeds.thisRun(60))
  func otherSettings(seed: UInt64) throws {
    let market = try RandomMarket(seed: seed)
    var random = SeededGenerator(seed: seed &* 37)
    let disk = SimulatedDisk()
    var options = try Self.otherOptions(market, &random)
    // What the engine beside it is told: limits and tolerance of the last start, and the retention that the directory has.
    var told = options.engine
    told.retention = options.engine.retention ?? .standard
    var engine = Engine(told)
    var ledger: Ledger? = try Ledger(disk, path: "/data", options)
    for operation in market.operations {
      if random.chance(35) {
        ledger = nil
        options = try Self.otherOptions(market, &random)
        let kept = told.retention
        told = options.engine
        told.retention = options.engine.retention ?? kept
        ledger = try Ledger(disk, path: "/data", options)
        let found = try Self.digest(disk, options.engine, engine.settings.retention)
        let expected = try StateDigest.hexadecimal(of: engine)
        #expect(found == expected, "opened: \(Seeds.replay(seed, "LedgerProperties"))")
      }
      if random.chance(10) { _ = try #require(ledger).checkpoint() }
      try Self.perform(operation, market, on: try #require(ledger), told, &engine, &random, seed)
    }
    ledger = nil
    var last = try Self.otherOptions(market, &random).engine
    last.retention = engine.settings.retention
    let read = try ReadDirectory(disk, path: "/data", last)
    #expect(read.engine.checkInvariants() == [])
    #expect(read.engine.horizon == engine.horizon)
    #expect(read.engine.positions == engine.positions)
    let found = try StateDigest.hexadecimal(of: read.engine)
    let expected = try StateDigest.hexadecimal(of: engine)
    #expect(found == expected, "read: \(Seeds.replay(seed, "LedgerProperties"))")
  }

  /// Rules 3.10, 7.5: a name that was one too many stays refused, and one that was taken stays taken.
  @Test("Limits of names: refused and taken by those of then, opened with others")
  func limitsOfNames() throws {
    let disk = SimulatedDisk()
    func open(_ tokens: Int, _ addresses: Int) throws -> Ledger {
      var options = Ledger.Options()
      options.journalFileBytes = 8 * 4096
      (options.engine.tokensMax, options.engine.addressesMax) = (tokens, addresses)
      return try Ledger(disk, path: "/data", options)
    }
    func batch(_ name: ByteString, _ block: UInt64) -> EventBatch {
      var batch = EventBatch()
      let time = Timestamp(microseconds: 1_700_000_000_000_000)
      batch.append(
        Swap(
          block: block, timestamp: time, token: name, amountUSD: .one, priceUSD: .one, wallet: ByteString("w \(name)")))
      return batch
    }
    // Refused by one start and taken by the next, then more than the one after would take.
    do {
      let narrow = try open(1, 100)
      #expect(try narrow.take(batch("A", 1), wallClock: nil).accepted == 1)
      #expect(throws: Refusal.self) { try narrow.take(batch("B", 2), wallClock: nil) }
    }
    do {
      let wide = try open(3, 100)
      #expect(try wide.take(batch("C", 3), wallClock: nil).accepted == 1)
      #expect(try wide.take(batch("D", 4), wallClock: nil).accepted == 1)
    }
    let narrower = try open(1, 1)
    var reader = narrower.publication().reader()
    #expect(reader.read { $0.inspection().swaps } == 3)
    #expect(reader.read { $0.inspection().tokens } == 3)
    #expect(throws: Refusal.self) { try narrower.take(batch("E", 5), wallClock: nil) }
  }

  private static func digest(_ disk: SimulatedDisk, _ settings: Engine.Settings, _ retention: RetentionPolicy?) throws
    -> String
  {
    // How far back candles are answered is asked of the reader's own policy: of what is held nothing is.
    var settings = settings
    settings.retention = retention
    let read = try ReadDirectory(SimulatedDisk(disk.image), path: "/data", settings)
    return try StateDigest.hexadecimal(of: read.engine)
  }

  private static func otherOptions(_ market: RandomMarket, _ random: inout SeededGenerator) throws -> Ledger.Options {
    let retentions = [nil, "raw=7d", "raw=7d,1m=1d,5m=2d,15m=3d", "raw=9d,1h=30d,4h=30d,1d=40d,1w=60d", "raw=30d"]
    var settings = Engine.Settings(
      retention: try random.pick(retentions).map { text throws(RetentionPolicy.Invalid) in try RetentionPolicy(text) },
      futureToleranceMicroseconds: random.pick([300_000_000, 0, 86_400_000_000, nil]))
    settings.tokensMax = random.pick([Limits.tokensMax, 1, 2, 3, 6])
    settings.addressesMax = random.pick([Limits.addressesMax, 2, 5, 9, 20])
    var options = Ledger.Options(engine: settings, durability: random.pick(Durability.allCases))
    options.price = market.shape.price
    options.journalFileBytes = Int64(random.pick([4, 8, 64])) << 12
    return options
  }

  /// Takes a step both ways: a ledger, and an engine that is told the settings that the ledger was opened with last.
  private static func perform(
    _ operation: MarketOperation, _ market: RandomMarket, on ledger: Ledger, _ settings: Engine.Settings,
    _ engine: inout Engine, _ random: inout SeededGenerator, _ seed: UInt64
  ) throws {
    let replay = Seeds.replay(seed, "LedgerProperties")
    switch operation {
    case .apply(let rows, let wallClock, let isText):
      var spelling = isText ? SeededGenerator(seed: random.next()) : nil
      let batch = EventBatch(rows, price: market.shape.price, spelling: &spelling)
      // Small numbers, so that some go back, and more sources than there may be.
      let named = random.chance(50) ? ByteString("source \(Int.random(in: 0..<18, using: &random))") : nil
      let number = UInt128(Int.random(in: 0..<20, using: &random)) << 62
      guard let named, let position = InputPosition(named, number) else {
        let expected = Outcome { () throws(Refusal) in try engine.apply(batch, settings.bounds(wallClock)) }
        let found = try outcome { try ledger.take(batch, wallClock: wallClock) }
        #expect(found == expected, "\(replay)")
        return
      }
      let expected = Outcome { () throws(Refusal) in
        try engine.apply(batch, settings.bounds(wallClock), at: position)
      }
      let found = try outcome { try ledger.take(batch, at: position, wallClock: wallClock) }
      #expect(found == expected, "\(replay)")
      #expect(ledger.positions == engine.positions, "\(replay)")
    case .retract(let identity):
      let undone = try ledger.retract(identity)
      #expect(undone == engine.retract(identity), "\(replay)")
    case .rollback(let chain, let block):
      let expected = Outcome { () throws(Refusal) in try engine.rollback(chain: chain, above: block) }
      let counted = ledger.eventCount(chain: chain, above: block)
      let found = try outcome { try ledger.rollback(chain: chain, above: block) }
      if case .answer(let undone) = found { #expect(undone == counted) }
      #expect(found == expected, "\(replay)")
    case .moveHorizon:
      let dropped = try ledger.moveHorizon()
      #expect(dropped == settings.retention.map { engine.moveHorizon($0) } ?? 0, "\(replay)")
    case .advanceClock: break
    }
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
