// Several batches that are one: crashes leave all of them or none, and so readers see them.
// Invariant: what is there is a whole number of such steps.
// Not here: steps that share a frame and are several (GroupCrashTests).

import Continuo
import ContinuoStorage
import ContinuoTestSupport
import Foundation
import Synchronization
import Testing

@Suite("Batches that are one")
struct WholeStepTests {
  private static let rows = 50
  private static let noon = Timestamp("2024-12-01T12:00:00Z") ?? Timestamp(microseconds: 0)

  /// So many batches; what one puts in another one takes back but for the last of each.
  private static func batches(_ count: Int, from block: Int, keeping kept: Int) -> [EventBatch] {
    (0..<count).map { number in
      var batch = EventBatch()
      for row in 0..<rows {
        let place = UInt64(block + number * rows + row)
        batch.append(
          Swap(chain: 1, block: place, timestamp: noon, token: "ART", amountUSD: .one, priceUSD: .one))
        if row >= kept { batch.retract(EventIdentity(kind: .swap, chain: 1, block: place, logIndex: 0)) }
      }
      return batch
    }
  }

  private static func at(_ position: UInt128) throws -> InputPosition { try #require(InputPosition("pg", position)) }

  /// Rules 3.8, 7.1, 7.5: one frame, cut anywhere: all of it or nothing, and the position of the source with it.
  @Test("A crash behind every call", arguments: Seeds.thisRun(2))
  func crashes(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let disk = SimulatedDisk()
    var options = Ledger.Options()
    // Each step is longer than a file.
    (options.journalFileBytes, options.checkpointBytes) = (4 * 4096, nil)
    var acknowledged: [Int] = []
    do {
      let ledger = try Ledger(disk, path: "/data", options)
      for step in 0..<4 {
        let receipts = try ledger.take(
          whole: Self.batches(8, from: 1 + step * 1000, keeping: Self.rows), at: Self.at(UInt128(step + 1)),
          wallClock: nil)
        #expect(receipts.map(\.accepted) == [Int](repeating: Self.rows, count: 8))
        acknowledged.append(disk.operations.count)
      }
    }
    var seen: Set<Int> = []
    for point in 0...disk.operations.count {
      let crash = CrashImages(disk.operations[..<point])
      for variant in CrashVariant.some(20, &random) where !variant.isAstray {
        let image = crash.image(keepsNames: variant.keepsNames, using: &random, variant.fate)
        let ledger = try Ledger(SimulatedDisk(image), path: "/data", options)
        let (count, position) = (ledger.eventCount(chain: 1, above: 0), ledger.position(of: "pg") ?? 0)
        let context = "point \(point), \(Seeds.replay(seed, "WholeStepTests"))"
        #expect(count == Int(position) * 8 * Self.rows, "\(context)")
        #expect(Int(position) >= acknowledged.count { $0 <= point }, "\(context)")
        seen.insert(Int(position))
      }
    }
    #expect(seen == [0, 1, 2, 3, 4])
  }

  /// Rule 3.8: no version has a part of them, and who follows is told of them at once.
  @Test("Readers see all of them or none")
  func readers() throws {
    let ledger = try Ledger(SimulatedDisk(), path: "/data", Ledger.Options())
    let publication = ledger.publication()
    let isOver = Atomic(false)
    let counts: [Set<Int>] = Threads.run(2) { _ in
      var reader = publication.reader()
      var seen: Set<Int> = []
      while !isOver.load(ordering: .relaxed) {
        seen.insert(
          reader.read { market in market.tokens().reduce(0) { $0 + market.heldKeys(of: .swap, token: $1).count } })
      }
      return seen
    } while: {
      for step in 0..<30 {
        let batches = Self.batches(10, from: 1 + step * 1000, keeping: 20)
        let receipts = try? ledger.take(whole: batches, at: Self.at(UInt128(step + 1)), wallClock: nil)
        // What a batch takes back is counted where it takes it back.
        #expect(receipts?.map(\.undone) == [Int](repeating: Self.rows - 20, count: 10))
      }
      isOver.store(true, ordering: .relaxed)
    }
    let seen = counts.reduce(into: Set()) { $0.formUnion($1) }
    #expect(seen.allSatisfy { $0 % 200 == 0 }, "\(seen.sorted())")
    #expect(seen.count > 3)
    #expect(ledger.eventCount(chain: 1, above: 0) == 30 * 200)
  }

  /// Rule 20.11: until it is noted what the engine rejected, the journal keeps the batch, and whoever opens the directory finds it.
  @Test("What was rejected is found again until it is noted")
  func late() throws {
    let disk = SimulatedDisk()
    var options = Ledger.Options()
    options.checkpointBytes = nil
    func found(_ image: DiskState) throws -> [LateRejections] {
      let ledger = try Ledger(SimulatedDisk(image), path: "/data", options)
      return ledger.opening.lateRejections
    }
    let ledger = try Ledger(disk, path: "/data", options)
    _ = try ledger.take(Self.batches(1, from: 1, keeping: Self.rows)[0], wallClock: nil)
    var other = EventBatch()
    other.append(Swap(chain: 1, block: 1, timestamp: Self.noon, token: "OTHER", amountUSD: .one, priceUSD: .one))
    let batches = [other, Self.batches(1, from: 100, keeping: Self.rows)[0], other]
    let isKept = Atomic(false)
    struct NoRoom: Error {}
    _ = Threads.run(1) { _ in
      while !isKept.load(ordering: .relaxed) { _ = try? ledger.checkpoint() }
    } while: {
      // For longer than a checkpoint takes, and shorter than it waits.
      _ = try? ledger.take(whole: batches, at: Self.at(7), wallClock: nil) { receipts in
        #expect(receipts.map(\.rejections.count) == [1, 0, 1])
        usleep(100_000)
        let late = try? found(disk.image)
        #expect(late?.map(\.position) == (try? [Self.at(7)]))
        #expect(late?.first?.rows.count == 2)
        for row in late?.first?.rows ?? [] {
          #expect(row.rejection.reason == .conflict)
          #expect(row.identity == EventIdentity(kind: .swap, chain: 1, block: 1, logIndex: 0))
          #expect(row.fields.first { $0.name == "token" }?.value == Array("OTHER".utf8))
        }
      }
      isKept.store(true, ordering: .relaxed)
    }
    _ = try ledger.checkpoint()
    #expect(try found(disk.image).isEmpty)
    // A note that fails does not hold checkpoints up for ever, and of the next batch only what is its own is found.
    #expect(throws: NoRoom.self) {
      try ledger.take(whole: [other], at: Self.at(8), wallClock: nil) { _ in throw NoRoom() }
    }
    #expect(try found(disk.image).map(\.position.position) == [8])
    // What is refused, and what is another's, takes nothing of it away and adds nothing.
    #expect(throws: Refusal.self) { try ledger.take(whole: [other], at: Self.at(3), wallClock: nil) }
    #expect(try ledger.take(other, wallClock: nil).rejections.count == 1)
    #expect(try found(disk.image).map(\.position.position) == [8])
    _ = try ledger.take(.oneSwap(block: 2), at: Self.at(9), wallClock: nil)
    #expect(try found(disk.image).isEmpty)
  }

  /// Rules 3.10, 7.5: more than may be one, names beyond a limit, a position that goes back, a source too many: nothing of it is there,
  /// behind a start neither, and the ledger goes on.
  @Test("Refused whole")
  func refused() throws {
    let disk = SimulatedDisk()
    var options = Ledger.Options()
    options.engine.tokensMax = 3
    let ledger = try Ledger(disk, path: "/data", options)
    func batch(_ block: UInt64, _ token: ByteString) -> EventBatch {
      var batch = EventBatch()
      batch.append(
        Swap(chain: 1, block: block, timestamp: Self.noon, token: token, amountUSD: .one, priceUSD: .one))
      return batch
    }
    let two = [batch(1, "A"), batch(2, "B")]
    #expect(try ledger.take(whole: two, at: Self.at(5), wallClock: nil).map(\.accepted) == [1, 1])
    #expect(try ledger.take(whole: [], at: Self.at(6), wallClock: nil).isEmpty && ledger.position(of: "pg") == 5)
    #expect(throws: Refusal.self) {
      try ledger.take(whole: [batch(3, "A"), batch(4, "B")], at: Self.at(4), wallClock: nil)
    }
    #expect(throws: Refusal.tooManyTokens) {
      try ledger.take(whole: [batch(5, "A"), batch(6, "C"), batch(7, "D")], at: Self.at(7), wallClock: nil)
    }
    for source in 0..<15 {
      let at = try #require(InputPosition(ByteString("s\(source)"), 1))
      _ = try ledger.take(EventBatch(), at: at, wallClock: nil)
    }
    let seventeenth = try #require(InputPosition("one more", 1))
    #expect(throws: Refusal.tooManySources) {
      try ledger.take(whole: [batch(8, "A"), batch(9, "B")], at: seventeenth, wallClock: nil)
    }
    #expect(ledger.eventCount(chain: 1, above: 0) == 2 && ledger.position(of: "pg") == 5)
    let again = try Ledger(SimulatedDisk(disk.image), path: "/data", options)
    #expect(again.eventCount(chain: 1, above: 0) == 2 && again.position(of: "pg") == 5)
    #expect(try ledger.take(whole: [batch(10, "C")], at: Self.at(8), wallClock: nil).map(\.accepted) == [1])
  }

  /// Rule 7.4: parts without their end are no step.
  @Test("Forged: a part that nothing ends, or something else does")
  func forged() throws {
    let bounds = Engine.Settings().bounds(nil)
    let (one, two) = (try Self.at(1), try Self.at(2))
    let batch = Self.batches(1, from: 1, keeping: Self.rows)[0]
    func count(_ records: [JournalRecord]) throws -> Int {
      var (payload, count) = ([UInt8](), 0)
      var packer = BatchPacker()
      for record in records { record.append(to: &payload, &packer) }
      try JournalRecord.forEach(in: payload.span) { _ in count += 1 }
      return count
    }
    #expect(try count([.part(batch, bounds, one), .part(batch, bounds, one), .input(batch, bounds, one)]) == 3)
    for records: [JournalRecord] in [
      [.part(batch, bounds, one)], [.part(batch, bounds, one), .input(batch, bounds, two)],
      [.part(batch, bounds, one), .batch(batch, bounds)],
      [.part(batch, bounds, one), .retract(batch.rows[0].identity)],
    ] {
      #expect(throws: JournalRecordFault.self) { try count(records) }
    }
  }
}
