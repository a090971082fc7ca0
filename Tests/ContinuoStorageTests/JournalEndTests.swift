// Ends of journals, forged one by one: how many records survive each, and which are damage.
// Invariant: what is behind the last sound frame is cut only if no later frame is there.
// Not here: crashes (CrashPointTests), a batch's bytes (PackedBatchTests).

import Continuo
import ContinuoBytes
import ContinuoStorage
import ContinuoTestSupport
import Testing

@Suite("Ends of journals")
struct JournalEndTests {
  private static let path = "/data/journal/00000001.journal"
  private static let frames = 5

  private static var options: Ledger.Options {
    var options = Ledger.Options()
    options.journalFileBytes = 10 * 4096
    return options
  }

  /// A directory with a journal of five frames of a block each, one record each, behind a header of a block.
  private static let image: DiskState? = {
    let disk = SimulatedDisk()
    guard let ledger = try? Ledger(disk, path: "/data", options) else { return nil }
    for block in 1...UInt64(frames) { _ = try? ledger.take(.oneSwap(block: block), wallClock: nil) }
    return disk.image
  }()

  private static func journal() throws -> [UInt8] {
    let image = try #require(image)
    return try #require(image.files[image.names[path] ?? 0])
  }

  /// The same directory with other bytes in its journal.
  private static func disk(_ bytes: [UInt8]) -> SimulatedDisk {
    var state = image ?? DiskState()
    state.files[state.names[path] ?? 0] = bytes
    return SimulatedDisk(state)
  }

  /// Changes a frame's header and gives it a right checksum again.
  private static func forge(_ bytes: inout [UInt8], _ frame: Int, _ change: (inout ArraySlice<UInt8>) -> Void) {
    let start = frame * 4096
    change(&bytes[start..<start + 64])
    let sum = CRC32C.sum(bytes[start..<start + 60].span)
    for index in 0..<4 { bytes[start + 60 + index] = UInt8(truncatingIfNeeded: sum >> UInt32(8 * index)) }
  }

  /// Rule 7.5: a torn tail is cut behind the last sound frame, and counted; two starts later it is still known.
  @Test("The last frame, spoiled in every way, is cut; those before it survive")
  func lastFrame() throws {
    let whole = try Self.journal()
    let last = Self.frames * 4096
    var forged: [(name: String, bytes: [UInt8])] = []
    func add(_ name: String, _ change: (inout [UInt8]) -> Void) {
      var bytes = whole
      change(&bytes)
      forged.append((name, bytes))
    }
    add("zero length") { Self.forge(&$0, Self.frames) { for place in 32..<36 { $0[last + place] = 0 } } }
    add("length too long") { Self.forge(&$0, Self.frames) { $0[last + 35] = 0x7F } }
    add("reserved bytes, first") { Self.forge(&$0, Self.frames) { $0[last + 6] = 1 } }
    add("reserved bytes, last") { Self.forge(&$0, Self.frames) { $0[last + 59] = 1 } }
    add("wrong chain") { Self.forge(&$0, Self.frames) { $0[last + 36] ^= 1 } }
    add("wrong checksum of the header") { $0[last + 60] ^= 1 }
    add("wrong checksum of the payload") { Self.forge(&$0, Self.frames) { $0[last + 40] ^= 1 } }
    add("changed payload") { $0[last + 70] ^= 1 }
    add("changed padding") { $0[last + 4000] ^= 1 }
    add("recycled bytes: the frame before again") {
      $0.replaceSubrange(last..<last + 4096, with: whole[last - 4096..<last])
    }
    add("another file's frame") { Self.forge(&$0, Self.frames) { $0[last + 8] ^= 1 } }
    add("another offset") { Self.forge(&$0, Self.frames) { $0[last + 17] ^= 0x10 } }
    add("garbage") { for place in last..<last + 4096 { $0[place] = UInt8(truncatingIfNeeded: place &* 31 &+ 7) } }
    add("the header alone") { for place in last + 64..<last + 4096 { $0[place] = 0 } }
    for (name, bytes) in forged {
      let disk = Self.disk(bytes)
      let read = try ReadDirectory(disk, path: "/data", Engine.Settings())
      #expect(read.restored.records == Self.frames - 1, "\(name)")
      #expect(read.restored.tornTailBytes > 0, "\(name)")
      let torn = read.restored.tornTailBytes
      do {
        let ledger = try Ledger(disk, path: "/data", Self.options)
        #expect(ledger.opening.tornTailBytes == torn, "\(name)")
        #expect(try ledger.take(.oneSwap(block: 9), wallClock: nil).accepted == 1, "\(name)")
      }
      let again = try ReadDirectory(disk, path: "/data", Engine.Settings())
      #expect(again.restored.tornTailBytes == 0, "\(name)")
      #expect(again.restored.droppedTailBytes == torn, "\(name)")
      #expect(again.engine.inspection().swaps == Self.frames, "\(name)")
    }
    var zeros = whole
    for place in last..<last + 4096 { zeros[place] = 0 }
    let read = try ReadDirectory(Self.disk(zeros), path: "/data", Engine.Settings())
    #expect(read.restored.records == Self.frames - 1)
    #expect(read.restored.tornTailBytes == 0)
  }

  /// Rule 7.5: damage before the tail refuses to start, and says where.
  @Test("A spoiled frame with frames behind it refuses to start")
  func damageBeforeTheTail() throws {
    let whole = try Self.journal()
    for frame in 1..<Self.frames {
      for place in [0, 5, 8, 16, 24, 32, 36, 40, 60, 64, 100, 4095] {
        var bytes = whole
        bytes[frame * 4096 + place] ^= 0x40
        let failure = #expect(throws: StorageFailure.self) {
          try Ledger(Self.disk(bytes), path: "/data", Self.options)
        }
        guard case .damaged(let file, let byte, _, _) = failure else {
          Issue.record("\(String(describing: failure))")
          continue
        }
        #expect(file == Self.path)
        #expect(byte == Int64(frame * 4096))
      }
    }
  }

  /// Rule 7.4: every byte of a header is checked; what a newer version wrote is said to be that.
  @Test("A file's header, changed in every byte; a file cut short or grown; a newer format")
  func fileHeader() throws {
    let whole = try Self.journal()
    func failure(_ bytes: [UInt8]) -> StorageFailure? {
      do throws(StorageFailure) {
        _ = try Ledger(Self.disk(bytes), path: "/data", Self.options)
        return nil
      } catch { return error }
    }
    for place in 0..<4096 {
      var bytes = whole
      bytes[place] ^= 0x01
      let isRefused = failure(bytes) != nil
      #expect(isRefused, "byte \(place)")
    }
    for count in [0, 100, 4096, whole.count - 4096, whole.count - 1] {
      guard case .damaged = failure(Array(whole.prefix(count))) else {
        Issue.record("cut to \(count) bytes")
        continue
      }
    }
    #expect(failure(whole + [0]) != nil)
    // Another price mode is refused, and one that does not exist is damage.
    for price in [UInt8(1), 2] {
      var other = whole
      Self.forge(&other, 0) { $0[9] = price }
      guard let refusal = failure(other) else {
        Issue.record("price mode \(price)")
        continue
      }
      let found = StorageFailure.otherPrice(file: Self.path, found: .amountUSD, expected: .quoted)
      #expect((refusal == found) == (price == 1))
    }
    var newer = whole
    Self.forge(&newer, 0) { $0[8] = 2 }
    #expect(failure(newer) == .newer(file: Self.path, version: 2))
    // A frame of a newer version in a file of this one is nobody's torn tail.
    newer = whole
    Self.forge(&newer, Self.frames) { $0[Self.frames * 4096 + 4] = 2 }
    #expect(failure(newer) == .newer(file: Self.path, version: 2))
  }

  /// Rule 7.5: a file that is not there is damage, and so is one that belongs elsewhere.
  @Test("A journal file that is missing, or another one's")
  func missingFile() throws {
    let disk = SimulatedDisk()
    var options = Ledger.Options()
    options.journalFileBytes = 3 * 4096
    do {
      let ledger = try Ledger(disk, path: "/data", options)
      for block in 1...7 { _ = try ledger.take(.oneSwap(block: UInt64(block)), wallClock: nil) }
    }
    let image = disk.image
    let names = image.names.keys.filter { $0.hasSuffix(".journal") }.sorted()
    #expect(names.count == 4)
    func opens(_ change: (inout DiskState) -> Void) -> Bool {
      var state = image
      change(&state)
      do throws(StorageFailure) {
        _ = try ReadDirectory(SimulatedDisk(state), path: "/data", Engine.Settings())
        return true
      } catch { return false }
    }
    #expect(opens { _ in })
    #expect(!opens { $0.names[names[0]] = nil })
    #expect(!opens { $0.names[names[1]] = nil })
    #expect(!opens { $0.names[names[2]] = $0.names[names[1]] })
    #expect(!opens { $0.names[names[3]] = nil })
    // All of them, and with them the directory that they were in.
    #expect(!opens { state in for name in names { state.names[name] = nil } })
    #expect(
      !opens { state in
        for name in names { state.names[name] = nil }
        state.directories.remove("/data/journal")
      })
    // One that the manifest does not name is there after a crash, two never.
    #expect(opens { $0.names["/data/journal/00000005.journal"] = nil })
    #expect(!opens { $0.names["/data/journal/00000005.journal"] = $0.names[names[3]] })
  }
}
