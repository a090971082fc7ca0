// How far sources have come: with their batches or not at all, through starts, checkpoints, copies and repairs.
// Invariant: a position that comes back belongs to the last batch of its source that does.
// Not here: any market and any crash (LedgerProperties, CrashPointTests: their steps have positions too).

import Continuo
import ContinuoBytes
import ContinuoFormats
import ContinuoStorage
import ContinuoTestSupport
import Testing

@Suite("Positions of sources")
struct InputPositionTests {
  private static func at(_ source: ByteString, _ position: UInt128) throws -> InputPosition {
    try #require(InputPosition(source, position))
  }

  private static func positions(_ disk: SimulatedDisk, _ path: String = "/data") throws -> [InputPosition] {
    try ReadDirectory(SimulatedDisk(disk.image), path: path, Engine.Settings()).engine.positions
  }

  @Test("What a source may be called")
  func names() throws {
    #expect(InputPosition("", 1) == nil)
    #expect(InputPosition(ByteString([0xFF]), 1) == nil)
    #expect(InputPosition(ByteString([UInt8](repeating: 97, count: 65)), 1) == nil)
    #expect(InputPosition(ByteString([UInt8](repeating: 97, count: 64)), .max)?.position == .max)
    #expect(InputPosition("größe\u{1}", 0)?.source == "größe\u{1}")
  }

  /// Rule 7.4: the section of the manifest that docs/format/manifest.md shows.
  @Test("The bytes of the page")
  func page() throws {
    let disk = SimulatedDisk()
    let ledger = try Ledger(disk, path: "/data", Ledger.Options())
    _ = try ledger.take(.oneSwap(block: 1), at: try Self.at("pg", 97_500_059_720), wallClock: nil)
    _ = try ledger.checkpoint()
    let manifest = try #require(disk.image.bytes(of: "/data/manifest"))
    let example = "04 00 00 00 13 00 00 00 48 d8 74 b3 16 00 00 00 00 00 00 00 00 00 00 00 02 70 67"
    #expect(
      manifest.dropLast(4).suffix(27).elementsEqual(example.split(separator: " ").compactMap { UInt8($0, radix: 16) }))
  }

  /// Rules 7.1, 7.3, 7.5: a position is there with its batch, however the directory was brought back, copied or repaired.
  @Test("Taken, opened again, kept, copied, repaired")
  func survives() throws {
    let disk = SimulatedDisk()
    var options = Ledger.Options()
    options.journalFileBytes = 8 * 4096
    options.checkpointBytes = nil
    let (pg, log) = (try Self.at("pg", 0x16_B374_D848), try Self.at("a log", .max))
    do {
      let ledger = try Ledger(disk, path: "/data", options)
      #expect(ledger.position(of: "pg") == nil && ledger.positions == [])
      #expect(try ledger.take(.oneSwap(block: 1), at: pg, wallClock: nil).accepted == 1)
      #expect(ledger.position(of: "pg") == 0x16_B374_D848)
      // A batch without one moves nothing, an empty one with it does.
      _ = try ledger.take(.oneSwap(block: 2), wallClock: nil)
      _ = try ledger.take(EventBatch(), at: log, wallClock: nil)
      #expect(ledger.positions == [log, pg])
    }
    #expect(try Self.positions(disk) == [log, pg])
    do {
      let ledger = try Ledger(disk, path: "/data", options)
      #expect(ledger.positions == [log, pg])
      _ = try ledger.checkpoint()
      #expect(try Self.positions(disk) == [log, pg])
      // Behind the checkpoint, in the journal alone.
      let next = try Self.at("pg", 0x16_B374_D849)
      _ = try ledger.take(.oneSwap(block: 3), at: next, wallClock: nil)
      #expect(try Self.positions(disk) == [log, next])
      _ = try ledger.backup(to: "/copy")
      #expect(try Self.positions(disk, "/copy") == [log, next])
    }
    let path = try #require(disk.image.names.keys.first { $0.hasSuffix(".names") && $0.hasPrefix("/data/") })
    var bytes = try #require(disk.image.bytes(of: path))
    bytes[70] ^= 1
    let damaged = SimulatedDisk(disk.image.with(path, bytes))
    var repair = try Repair(damaged, path: "/data", writes: true)
    _ = try repair.write()
    #expect(try Self.positions(damaged) == [log, try Self.at("pg", 0x16_B374_D849)])
  }

  /// Rule 7.1: a batch whose source was further already is refused, and nothing of it is taken, now and whenever it is replayed.
  @Test("A position that goes back, one that stands still, a source too many")
  func refused() throws {
    let disk = SimulatedDisk()
    let ledger = try Ledger(disk, path: "/data", Ledger.Options())
    for number in 0..<16 {
      _ = try ledger.take(
        .oneSwap(block: UInt64(number)), at: try Self.at(ByteString("s\(number)"), 10), wallClock: nil)
    }
    #expect(throws: Refusal.positionGoesBack(source: "s3", offered: 9, applied: 10)) {
      try ledger.take(.oneSwap(block: 100), at: try Self.at("s3", 9), wallClock: nil)
    }
    #expect(throws: Refusal.tooManySources) {
      try ledger.take(.oneSwap(block: 101), at: try Self.at("s16", 10), wallClock: nil)
    }
    #expect(try ledger.take(.oneSwap(block: 102), at: try Self.at("s3", 10), wallClock: nil).accepted == 1)
    let read = try ReadDirectory(SimulatedDisk(disk.image), path: "/data", Engine.Settings())
    #expect(read.engine.inspection().swaps == 17)
    #expect(read.engine.positions == ledger.positions)
    let identities = [UInt64(100), 101].map { EventIdentity(kind: .swap, block: $0) }
    for identity in identities { #expect(try !ledger.retract(identity)) }
    // Nor by who reads a part.
    _ = try ledger.checkpoint()
    #expect(throws: Refusal.self) {
      try ledger.take(.oneSwap(block: 103), at: try Self.at("s3", 9), wallClock: nil)
    }
    _ = try ledger.take(.oneSwap(block: 104), at: try Self.at("s3", 11), wallClock: nil)
    let question = CandleQuestion(["ART"], CandleQuery(.oneHour))
    let part = try ReadDirectory(SimulatedDisk(disk.image), path: "/data", Engine.Settings(), for: question)
    let isPart = part.isPart
    #expect(isPart)
    #expect(part.engine.inspection().swaps == 18)
  }

  /// Rules 7.4, 7.5: positions that no program writes are damage, also with right checksums, and never trap.
  @Test("Forged: in the manifest, in the journal")
  func forged() throws {
    let disk = SimulatedDisk()
    let ledger = try Ledger(disk, path: "/data", Ledger.Options())
    for name in ["aa", "bb"] {
      _ = try ledger.take(.oneSwap(block: 1), at: try Self.at(ByteString(name), 7), wallClock: nil)
    }
    let (journal, whole) = ("/data/journal/00000001.journal", try #require(disk.image.bytes(of: "/data/manifest")))
    let behind = disk.image
    _ = try ledger.checkpoint()
    let kept = disk.image
    let manifest = try #require(kept.bytes(of: "/data/manifest"))
    func isDamage(_ image: DiskState, _ file: String, _ bytes: [UInt8]) -> Bool {
      do throws(StorageFailure) {
        _ = try ReadDirectory(SimulatedDisk(image.with(file, bytes)), path: "/data", Engine.Settings())
        return false
      } catch {
        if case .damaged(file, _, _, _) = error { return true }
        return false
      }
    }
    // The last section: kind, length, then of each source 16 bytes, a length and a name.
    let start = manifest.count - 4 - 46
    #expect(manifest[start] == 4 && manifest.word(start + 4, UInt32.self) == 38)
    #expect(!isDamage(kept, "/data/manifest", manifest))
    let changes: [(Int, UInt8)] = [
      (start, 3), (start, 2), (start + 4, 37), (start + 24, 0), (start + 24, 200), (start + 25, 0xFF), (start + 25, 99),
      (start + 43, 3),
    ]
    for (place, byte) in changes {
      var bytes = manifest
      bytes[place] = byte
      bytes.sealManifest()
      #expect(isDamage(kept, "/data/manifest", bytes), "byte \(place - start) of the section")
    }
    var empty = Array(manifest[..<(start + 8)]) + [0, 0, 0, 0]
    empty.put(UInt32(0), at: start + 4)
    empty.put(UInt32(empty.count - 4 - 128), at: 124)
    empty.sealManifest()
    #expect(isDamage(kept, "/data/manifest", empty))
    #expect(whole.count < manifest.count)
    // The record: kind 6, its length, then the position.
    let bytes = try #require(behind.bytes(of: journal))
    let record = 4096 + 64
    #expect(bytes[record] == 6 && bytes[record + 8 + 16] == 2)
    for (place, byte) in [(24, UInt8(0)), (24, 65), (24, 200), (25, 0xFF), (0, 7), (4, 10)] {
      var forged = bytes
      forged[record + place] = byte
      forged.sealJournal()
      #expect(isDamage(behind, journal, forged), "byte \(place) of the record")
    }
  }
}
