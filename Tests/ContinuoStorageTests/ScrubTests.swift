// Kept files that are read again while their directory is open, and what is looked at before anything is written.
// Invariant: damage is found where it is, and nowhere else.
// Not here: every byte of a kept file (SegmentTests, DirectoryDamageTests).

import Continuo
import ContinuoFormats
import ContinuoStorage
import ContinuoTestSupport
import Foundation
import Testing

@Suite("Scrubs")
struct ScrubTests {
  private static func batch(_ block: Int, rows: Int = 20) -> EventBatch {
    .steady(block, rows: rows, every: 1_800_000_000)
  }

  private static var options: Ledger.Options {
    var options = Ledger.Options()
    options.journalFileBytes = 64 * 4096
    options.checkpointBytes = nil
    options.scrubBytesPerSecond = 1 << 40
    options.scrubRestMicroseconds = 1000
    return options
  }

  private static func wait(_ isDone: () -> Bool) -> Bool {
    for _ in 0..<10_000 {
      if isDone() { return true }
      usleep(1000)
    }
    return false
  }

  /// Rules 7.5, 8: damage under an open ledger is found and told with file and byte; nothing more is taken, and reads go on.
  @Test("A byte that decays under an open ledger", arguments: [".segment", ".names"])
  func decay(suffix: String) throws {
    let disk = SimulatedDisk()
    let ledger = try Ledger(disk, path: "/data", Self.options)
    for block in 0..<20 { _ = try ledger.take(Self.batch(block), wallClock: nil) }
    _ = try ledger.checkpoint()
    _ = try ledger.take(Self.batch(20), wallClock: nil)
    let passes = ledger.scrubbed.passes
    #expect(Self.wait { ledger.scrubbed.passes > passes + 3 })
    #expect(ledger.damage == nil)
    let files = disk.image.names.keys.filter { $0.hasSuffix(suffix) }.sorted()
    let path = try #require(files.last)
    disk.decay(path, byte: 100)
    try #require(Self.wait { ledger.damage != nil })
    let damage = try #require(ledger.damage)
    guard case .damageFound(path, 64, _, _) = damage else {
      Issue.record("\(damage)")
      return
    }
    let operations = disk.operations.count
    #expect(throws: damage) { try ledger.take(Self.batch(30), wallClock: nil) }
    #expect(throws: damage) { try ledger.moveHorizon() }
    #expect(throws: damage) { try ledger.checkpoint() }
    var reader = ledger.publication().reader()
    #expect(reader.read { $0.inspection().swaps } == 21 * 20)
    // But for the note of the checkpoint that was asked for.
    let written = disk.operations[operations...].count { if case .write = $0 { true } else { false } }
    #expect(written == 1)
    #expect(throws: StorageFailure.self) {
      _ = try ReadDirectory(SimulatedDisk(disk.image), path: "/data", Engine.Settings())
    }
  }

  /// Rule 7.5: a file that is gone, and one that cannot be read, are damage; a process without descriptors is not.
  @Test("A file that is gone")
  func gone() throws {
    let disk = SimulatedDisk()
    let ledger = try Ledger(disk, path: "/data", Self.options)
    _ = try ledger.take(Self.batch(0), wallClock: nil)
    _ = try ledger.checkpoint()
    let path = try #require(disk.image.names.keys.first { $0.hasSuffix(".segment") })
    disk.setUnopenable(path, code: 24)
    let passes = ledger.scrubbed.passes
    #expect(Self.wait { ledger.scrubbed.passes > passes + 3 })
    #expect(ledger.damage == nil)
    disk.setUnopenable(path, code: 5)
    #expect(Self.wait { ledger.damage != nil })
    guard case .damageFound(path, 0, "refused", _) = ledger.damage else {
      Issue.record("\(String(describing: ledger.damage))")
      return
    }
  }

  /// Rules 7.3, 7.5: what checkpoints replace while it is read is no damage, and they go on as without.
  @Test("Beside checkpoints that replace what is read: no false alarm")
  func beside() throws {
    let disk = SimulatedDisk()
    let ledger = try Ledger(disk, path: "/data", Self.options)
    var random = SeededGenerator(seed: 5)
    var checkpoints = 0
    let clock = ContinuousClock()
    let end = clock.now + .seconds(3)
    while clock.now < end {
      _ = try ledger.take(Self.batch(Int.random(in: 0..<100, using: &random), rows: 3), wallClock: nil)
      _ = try ledger.checkpoint()
      checkpoints += 1
    }
    let scrubbed = ledger.scrubbed
    print("scrubs: \(scrubbed.passes) passes over \(scrubbed.files) files beside \(checkpoints) checkpoints")
    #expect(ledger.damage == nil)
    #expect(scrubbed.passes > 10 && checkpoints > 100)
  }

  /// Rule 7.5: it reads at the rate that it is given, and a ledger does not wait for it to end.
  @Test("As slowly as it is told to, and gone at once")
  func rate() throws {
    let disk = SimulatedDisk()
    var options = Self.options
    do {
      let ledger = try Ledger(disk, path: "/data", options)
      for block in 0..<200 { _ = try ledger.take(Self.batch(block), wallClock: nil) }
      _ = try ledger.checkpoint()
    }
    let read = disk.image.names.filter { $0.key.contains("/kept/") }
      .reduce(0) { $0 + (disk.image.files[$1.value]?.count ?? 0) }
    options.scrubBytesPerSecond = Int64(read)
    let clock = ContinuousClock()
    let began = clock.now
    do {
      let ledger = try Ledger(SimulatedDisk(disk.image), path: "/data", options)
      #expect(Self.wait { ledger.scrubbed.passes > 0 })
      #expect(clock.now - began > .milliseconds(900))
      #expect(ledger.scrubbed.bytes == read)
    }
    options.scrubBytesPerSecond = 1
    let late = clock.now
    do { _ = try Ledger(SimulatedDisk(disk.image), path: "/data", options) }
    #expect(clock.now - late < .seconds(5))
  }

  /// Rules 7.5, 7.6: with `verifiesOnStart` summaries are compared before anything is written; damage is refused as ever.
  @Test("Verified on start")
  func verified() throws {
    let disk = SimulatedDisk()
    var options = Self.options
    do {
      let ledger = try Ledger(disk, path: "/data", options)
      for block in 0..<20 { _ = try ledger.take(Self.batch(block), wallClock: nil) }
      _ = try ledger.checkpoint()
    }
    let image = disk.image
    let plain = try Ledger(SimulatedDisk(image), path: "/data", options)
    #expect(!plain.opening.isVerified)
    options.verifiesOnStart = true
    let ledger = try Ledger(SimulatedDisk(image), path: "/data", options)
    #expect(ledger.opening.isVerified)
    #expect(try ledger.take(Self.batch(100), wallClock: nil).accepted == 20)
    let path = try #require(image.names.keys.first { $0.hasSuffix(".segment") })
    let damaged = SimulatedDisk(image)
    damaged.decay(path, byte: 100)
    let before = damaged.image
    #expect(throws: StorageFailure.self) { try Ledger(damaged, path: "/data", options) }
    #expect(damaged.image.names == before.names)
    #expect(damaged.image.with("/data/lock", []).files == before.with("/data/lock", []).files)
  }
}
