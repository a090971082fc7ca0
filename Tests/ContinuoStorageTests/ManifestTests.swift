// The manifest of a data directory: what is not what was written is refused, and nothing is changed.
// Invariant: every refusal names its file.
// Not here: the journal's files (JournalEndTests), crashes (CrashPointTests).

import Continuo
import ContinuoBytes
import ContinuoStorage
import ContinuoTestSupport
import Testing

@Suite("Manifest")
struct ManifestTests {
  private static let path = "/data/manifest"

  /// A directory when it was born, and with four journal files.
  private static func directory() throws -> (born: DiskState, grown: DiskState) {
    let disk = SimulatedDisk()
    var options = Ledger.Options()
    options.journalFileBytes = 3 * 4096
    let ledger = try Ledger(disk, path: "/data", options)
    let born = disk.image
    for block in 1...7 { _ = try ledger.take(.oneSwap(block: UInt64(block)), wallClock: nil) }
    return (born, disk.image)
  }

  private static func bytes(_ state: DiskState) throws -> [UInt8] { try #require(state.files[state.names[path] ?? 0]) }

  /// Why a directory is not opened with other bytes in its manifest, or without one; nil where it is.
  private static func failure(_ image: DiskState, _ bytes: [UInt8]?) -> StorageFailure? {
    var state = image
    if let bytes { state.files[state.names[path] ?? 0] = bytes } else { state.names[path] = nil }
    let disk = SimulatedDisk(state)
    do throws(StorageFailure) {
      _ = try ReadDirectory(disk, path: "/data", Engine.Settings())
      return nil
    } catch {
      #expect(throws: error) { _ = try Ledger(disk, path: "/data", Ledger.Options()) }
      // Nothing was written but the text of the lock.
      let others = state.names.filter { $0.key != "/data/lock" }
      #expect(disk.image.names == state.names)
      #expect(others.allSatisfy { disk.image.files[$0.value] == state.files[$0.value] })
      return error
    }
  }

  private static func isDamage(_ image: DiskState, _ bytes: [UInt8]?, in file: String = path) -> Bool {
    guard case .damaged(file, _, _, _) = failure(image, bytes) else { return false }
    return true
  }

  /// Rule 7.5: without its manifest a journal is not opened, nor with an older one.
  @Test("Every byte changed, every length, missing, yesterday's")
  func changed() throws {
    let (born, image) = try Self.directory()
    let whole = try Self.bytes(image)
    let sound = Self.failure(image, whole)
    #expect(sound == nil)
    for place in whole.indices {
      var bytes = whole
      bytes[place] ^= 1 << (place % 8)
      let isDamage = Self.isDamage(image, bytes)
      #expect(isDamage, "byte \(place)")
    }
    for count in 0..<whole.count {
      let isDamage = Self.isDamage(image, Array(whole.prefix(count)))
      #expect(isDamage, "\(count) bytes")
    }
    let others = [Self.isDamage(image, whole + [0]), Self.isDamage(image, nil)]
    #expect(others == [true, true])
    let isOldDamage = Self.isDamage(image, try Self.bytes(born))
    #expect(isOldDamage)
  }

  /// Rule 7.4: also with a right checksum every field is looked at.
  @Test("Forged: a newer version, another directory's, reserved bytes, lengths that nobody can set")
  func forged() throws {
    let image = try Self.directory().grown
    let whole = try Self.bytes(image)
    func forged(_ change: (inout [UInt8]) -> Void) -> [UInt8] {
      var head = Array(whole.dropLast(4))
      change(&head)
      let sum = CRC32C.sum(head.span)
      return head + (0..<4).map { UInt8(truncatingIfNeeded: sum >> UInt32(8 * $0)) }
    }
    func expectDamage(_ bytes: [UInt8], in file: String = Self.path, line: Int = #line) {
      let isDamage = Self.isDamage(image, bytes, in: file)
      #expect(isDamage, "line \(line)")
    }
    func failure(_ bytes: [UInt8]) -> StorageFailure? { Self.failure(image, bytes) }
    let sound = failure(forged { _ in })
    #expect(sound == nil)
    let newer = failure(forged { $0[8] = 2 })
    #expect(newer == .newer(file: Self.path, version: 2))
    expectDamage(forged { $0[8] = 0 })
    expectDamage(forged { $0[16] ^= 1 }, in: "/data/journal/00000001.journal")
    expectDamage(forged { $0[9] = 1 })
    // Where the journal begins; sections that do not fit, or are none.
    expectDamage(forged { $0[96] = 2 }, in: "/data/journal/00000002.journal")
    expectDamage(forged { $0[100] = 1 })
    // A frame that follows on nothing that is kept.
    expectDamage(forged { $0[104] = 2 })
    expectDamage(forged { $0[96] = 0 })
    // Counts that nobody can count on from: of manifests, journal files, kept files, and of what was cut.
    for place in [15, 31, 99, 119, 123, 159, 167] { expectDamage(forged { $0[place] = 0xFF }) }
    expectDamage(forged { for place in 96..<100 { $0[place] = 0xFF } })
    for place in [124, 128, 132, 172, 184, 188, 192] { expectDamage(forged { $0[place] ^= 1 }) }
    // Frames, or names, that are nowhere.
    expectDamage(forged { $0[112] = 200 }, in: "/data/journal/00000004.journal")
    expectDamage(forged { $0[168] = 1 })
    expectDamage(forged { for place in 32..<40 { $0[place] = 0 } })
    expectDamage(forged { $0[12] = 5 }, in: "/data/journal/00000005.journal")
    let behind = failure(forged { $0[12] = 3 })
    #expect(behind == nil)
    expectDamage(forged { $0[12] = 2 })
  }
}
