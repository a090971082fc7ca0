// Checkpoints that fail: what the directory says of them, how far the journal grows meanwhile, and what they leave of a full disk.
// Invariant: what is refused leaves nothing behind, and all that was taken comes back.
// Not here: every call of one that fails (CheckpointTests), the journal's own look at the room (DiskFaultTests).

import Continuo
import ContinuoFormats
import ContinuoStorage
import ContinuoTestSupport
import Foundation
import Testing

@Suite("Checkpoints that fail")
struct FailingCheckpointTests {
  private static func batch(_ block: Int, rows: Int = 60) -> EventBatch {
    .steady(block, rows: rows, every: 60_000_000, side: .buy)
  }

  private static var options: Ledger.Options {
    var options = Ledger.Options()
    options.journalFileBytes = 16 * 4096
    options.checkpointBytes = 1 << 16
    options.unkeptBytesMax = 16 << 16
    return options
  }

  private static func digest(_ image: DiskState) throws -> String {
    let read = try ReadDirectory(SimulatedDisk(image), path: "/data", Engine.Settings())
    return try StateDigest.hexadecimal(of: read.engine)
  }

  private static func note(_ image: DiskState) throws -> CheckpointNote? {
    try ReadDirectory(SimulatedDisk(image), path: "/data", Engine.Settings()).checkpointNote
  }

  /// Rules 7.1, 7.2, 7.3: checkpoints that fail say so, the journal stays within its bound, nothing is written of what is refused,
  /// and all goes on behind one that succeeds.
  @Test("No kept file can be made: a note, a bound, a refusal; mended, it goes on")
  func bound() throws {
    let disk = SimulatedDisk()
    var engine = Engine(Engine.Settings(retention: .standard))
    let ledger = try Ledger(disk, path: "/data", Self.options)
    disk.setUnmakeable(".segment")
    var (taken, refused) = (0, StorageFailure?.none)
    while refused == nil, taken < 2000 {
      do throws(StorageFailure) {
        try Self.take(taken, ledger)
        _ = try? engine.apply(Self.batch(taken), wallClock: nil)
        taken += 1
      } catch { refused = error }
    }
    guard case .journalTooLong(_, let bytes, let limit, let cause) = refused else {
      Issue.record("\(String(describing: refused)) behind \(taken) batches")
      return
    }
    #expect(limit == 16 << 16 && bytes >= limit && bytes < limit + 1 << 17)
    #expect(cause.contains(".segment") && cause.contains("permission denied"))
    let note = try #require(try Self.note(disk.image))
    #expect(note.time == disk.now)
    #expect(note.what.contains(".segment: open failed: permission denied"))
    let tried = disk.operations.count(where: {
      if case .create(let path, _) = $0 { path.hasSuffix(".failed") } else { false }
    })
    print("failing checkpoints: \(taken) batches and \(tried) tries up to the bound")
    #expect((3...7).contains(tried), "behind 1, 2, 4, 8 and 16 times as much")
    let left = try #require(disk.image.bytes(of: "/data/checkpoint.failed"))
    // Reads go on, nothing is written, and nothing is poisoned.
    let writes = Self.journalWrites(disk)
    #expect(throws: StorageFailure.self) { try ledger.take(Self.batch(taken), wallClock: nil) }
    #expect(throws: StorageFailure.self) { try ledger.rollback(chain: 0, above: 0) }
    #expect(Self.journalWrites(disk) == writes)
    var reader = ledger.publication().reader()
    #expect(reader.read { $0.inspection().swaps } == taken * 60)
    let expected = try StateDigest.hexadecimal(of: engine)
    #expect(try Self.digest(disk.image) == expected)
    #expect(throws: StorageFailure.self) { try ledger.checkpoint() }
    // Another start is bounded by the same.
    let again = try Ledger(SimulatedDisk(disk.image), path: "/data", Self.options)
    _ = try again.checkpoint()
    disk.setUnmakeable(nil)
    #expect(try ledger.checkpoint().sequence == UInt64(taken))
    #expect(ledger.checkpointFailure == nil)
    #expect(try Self.note(disk.image) == nil)
    // A crash in front of its removal leaves one that says nothing any more.
    #expect(disk.image.names["/data/checkpoint.failed"] == nil)
    #expect(try Self.note(disk.image.with("/data/checkpoint.failed", left)) == nil)
    #expect(try ledger.take(Self.batch(taken), wallClock: nil).accepted == 60)
    _ = try engine.apply(Self.batch(taken), wallClock: nil)
    let after = try StateDigest.hexadecimal(of: engine)
    #expect(try Self.digest(disk.image) == after)
  }

  private static func journalWrites(_ disk: SimulatedDisk) -> Int {
    let files = Set(disk.image.names.filter { $0.key.contains("/journal/") }.values)
    return disk.operations.count { if case .write(let file, _, _) = $0 { files.contains(file) } else { false } }
  }

  private static func take(_ block: Int, _ ledger: Ledger) throws(StorageFailure) {
    do { _ = try ledger.take(batch(block), wallClock: nil) } catch let failure as StorageFailure { throw failure } catch
    {
      Issue.record("\(error)")
    }
  }

  /// Rule 7.3: who sends the same again and again is helped as soon as checkpoints can be made, without asking for one.
  @Test("Mended, a step that is sent again has the checkpoint made that it needs")
  func sentAgain() throws {
    let disk = SimulatedDisk()
    var options = Self.options
    // The first failure is enough, behind which it rests for a second.
    options.unkeptBytesMax = options.checkpointBytes
    let ledger = try Ledger(disk, path: "/data", options)
    disk.setUnmakeable(".segment")
    var block = 0
    while (try? Self.take(block, ledger)) != nil, block < 2000 { block += 1 }
    disk.setUnmakeable(nil)
    var isTaken = false
    for _ in 0..<6000 where !isTaken {
      isTaken = (try? Self.take(block, ledger)) != nil
      if !isTaken { usleep(10_000) }
    }
    #expect(isTaken)
    #expect(ledger.checkpointFailure == nil)
  }

  /// Rule 7.5: whatever is in the note, the directory is opened, verified, repaired and copied as if it were not there.
  @Test("A note of any bytes is no damage, and no copy has it")
  func anyNote() throws {
    let directory = try FullDirectory()
    for bytes in [
      [], [0], Array("2024".utf8), [UInt8](repeating: 0xFF, count: 100_000),
      Array("2024-12-03T10:00:00Z, behind frame\ny\nz\n".utf8),
    ] {
      let image = directory.image.with(FullDirectory.path + "/checkpoint.failed", bytes)
      let read = try ReadDirectory(SimulatedDisk(image), path: FullDirectory.path, Engine.Settings())
      #expect(try DirectoryState(read.engine) == directory.state)
      #expect(read.checkpointNote == nil)
      #expect(try Verification(SimulatedDisk(image), path: FullDirectory.path).isSound)
      let repair = try Repair(SimulatedDisk(image), path: FullDirectory.path, writes: false)
      let isNeeded = repair.isNeeded
      #expect(!isNeeded)
      let disk = SimulatedDisk(image)
      _ = try DirectoryCopy(disk, from: FullDirectory.path, to: "/copy")
      #expect(disk.image.names["/copy/checkpoint.failed"] == nil)
      let ledger = try Ledger(disk, path: FullDirectory.path, FullDirectory.options)
      _ = try ledger.checkpoint()
      #expect(disk.image.names[FullDirectory.path + "/checkpoint.failed"] == nil)
    }
  }

  /// Rules 7.2, 7.3: a checkpoint leaves what the journal keeps free, says what is missing, and takes away what it began.
  @Test("A disk that runs full: no checkpoint takes the journal's reserve")
  func reserve() throws {
    var (refused, full) = (0, 0)
    for spare in stride(from: Int64(0), through: 40, by: 2) {
      let disk = SimulatedDisk()
      var options = Self.options
      options.checkpointBytes = nil
      let ledger = try Ledger(disk, path: "/data", options)
      for block in 0..<20 { try Self.take(block, ledger) }
      let before = disk.image
      let used = before.names.values.reduce(Int64(0)) { $0 + Int64(before.files[$1]?.count ?? 0) }
      disk.setCapacity(used + (16 + spare) * 4096)
      do throws(StorageFailure) {
        _ = try ledger.checkpoint()
      } catch {
        refused += 1
        guard case .disk(let failure) = error else {
          Issue.record("\(error)")
          continue
        }
        #expect(failure.path.hasPrefix("/data/kept/"))
        #expect(failure.code == 28 && failure.message.contains("disk full"))
        #expect(error.description.contains("make room"))
        #expect(Set(disk.image.names.keys) == Set(before.names.keys).union(["/data/checkpoint.failed"]))
        #expect(try Self.note(disk.image) != nil)
      }
      #expect(disk.room >= 15 * 4096, "the reserve, but for a note")
      // The journal goes on in the file that it has, and says clearly where it cannot go on.
      var failure: StorageFailure?
      for block in 20..<60 where failure == nil {
        do throws(StorageFailure) { try Self.take(block, ledger) } catch { failure = error }
      }
      if case .noRoom = failure { full += 1 } else { #expect(failure == nil) }
      disk.setCapacity(nil)
      _ = try ledger.checkpoint()
      try Self.take(100, ledger)
    }
    print("a full disk: \(refused) checkpoints refused, \(full) journals without room")
    #expect(refused > 2 && full > 2)
  }
}
