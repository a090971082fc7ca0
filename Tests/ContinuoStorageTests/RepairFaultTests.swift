// A repair that is cut off, or whose calls fail: the directory is what it was, or what it was to become.
// Invariant: no byte that was there is gone, whatever happens.
// Not here: what is brought back (RepairTests).

import Continuo
import ContinuoStorage
import ContinuoTestSupport
import Testing

@Suite("Faults in a repair")
struct RepairFaultTests {
  private static let directory = try? FullDirectory()
  private static let path = FullDirectory.path

  /// A segment, names, bases or the journal damaged: each goes another way.
  private static let damaged = [
    "kept/00000002.segment", "kept/00000003.names", "kept/00000004.bases", "journal/00000003.journal",
  ]

  private static func image(_ file: String) throws -> DiskState {
    let directory = try #require(directory)
    let path = Self.path + "/" + file
    var bytes = directory.bytes(path)
    if file.hasSuffix("journal") { bytes[bytes.frames[0] + 100] ^= 1 } else { bytes[bytes.blocks[1] + 18] ^= 1 }
    return directory.image.with(path, bytes)
  }

  private static func repair(_ disk: SimulatedDisk) throws(StorageFailure) -> Bool {
    var repair = try Repair(disk, path: path, writes: true, journalFileBytes: 3 * 4096)
    guard repair.isNeeded else { return false }
    _ = try repair.write()
    return true
  }

  private static func state(_ disk: SimulatedDisk) throws -> DirectoryState {
    let read = try ReadDirectory(SimulatedDisk(disk.image), path: path, Engine.Settings())
    return try DirectoryState(read.engine)
  }

  /// Rules 7.5, 7.6: a crash leaves the old directory or the new one.
  @Test("A crash behind every call", arguments: damaged)
  func everyCrash(file: String) throws {
    let image = try Self.image(file)
    let disk = SimulatedDisk(image)
    #expect(try Self.repair(disk))
    let expected = try Self.state(disk)
    let operations = disk.operations
    var random = SeededGenerator(seed: 1)
    var (old, new) = (0, 0)
    for point in stride(from: operations.count, through: 0, by: -Seeds.every(16)) {
      let crash = CrashImages(operations[..<point], on: image)
      for fate in UnsyncedWrite.allCases where crash.unsynced > 0 || fate == .kept || fate == .dropped {
        let left = crash.image(keepsNames: fate != .dropped, using: &random) { _ in fate }
        let context = "\(file), point \(point) of \(operations.count), \(fate)"
        RepairedDirectory.expectPutBy(image, in: left, context)
        let again = SimulatedDisk(left)
        if try Self.repair(again) { old += 1 } else { new += 1 }
        let found = try Self.state(again)
        #expect(found == expected, "\(context)")
        // What the next writer removes is in `damaged/`.
        _ = try Ledger(again, path: Self.path, FullDirectory.options)
        RepairedDirectory.expectPutBy(image, in: again.image, context)
        #expect(try Self.state(again) == expected, "\(context)")
      }
    }
    print("repair: \(file): \(operations.count) calls, \(old) crashes left the old directory, \(new) the new one")
    #expect(old > 4 && new > 0)
  }

  /// Rule 7.6: a repair that fails half-way leaves the directory as it was.
  @Test("Every call fails, once or from then on", arguments: damaged, [1, Int.max])
  func everyFailure(file: String, times: Int) throws {
    let image = try Self.image(file)
    let whole = SimulatedDisk(image)
    #expect(try Self.repair(whole))
    let expected = try Self.state(whole)
    var (failed, undone) = (0, 0)
    for step in 0... {
      // A disk that fails for good does so at every such call.
      let calls = step * Seeds.every(32) * (times == 1 ? 1 : 3)
      let disk = SimulatedDisk(image)
      disk.fail(after: calls, times: times, code: 28, message: "no space left on device")
      var failure: StorageFailure?
      do throws(StorageFailure) { _ = try Self.repair(disk) } catch { failure = error }
      let hasFailed = disk.hasFailed
      disk.fail(after: .max)
      guard hasFailed else { break }
      let context = "\(file), call \(calls)"
      RepairedDirectory.expectPutBy(image, in: disk.image, context)
      if let failure {
        failed += 1
        #expect(failure.description.contains("no space left"), "\(context): \(failure)")
        let isNew = try Verification(SimulatedDisk(disk.image), path: Self.path).isSound
        // Which manifest a rename that failed has left nobody knows: what either of them names stays.
        if !isNew, times == 1, !failure.description.contains("/manifest.new: rename failed") {
          undone += 1
          let changed = RepairedDirectory.change(disk.image, image)
          #expect(changed == nil, "\(context): \(changed ?? "")")
        }
      }
      _ = try Self.repair(disk)
      #expect(try Self.state(disk) == expected, "\(context)")
      RepairedDirectory.expectPutBy(image, in: disk.image, context)
    }
    print("repair: \(file): \(failed) calls that failed, \(undone) repairs undone")
    #expect(failed > (times == 1 ? 4 : 0))
  }
}
