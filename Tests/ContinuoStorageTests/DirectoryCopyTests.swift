// Copies of a data directory that nobody writes in: what they hold, where they may go, and what is told of damage.
// Invariant: what is copied is never changed, and a copy that opens answers as it does.
// Not here: crashes and calls that fail (CopyFaultTests), copies of a directory that is written (RunningBackupTests).

import Continuo
import ContinuoStorage
import ContinuoTestSupport
import Testing

@Suite("Copies of a directory")
struct DirectoryCopyTests {
  private static let directory = try? FullDirectory()
  private static func whole() throws -> FullDirectory { try #require(directory) }

  static func state(_ disk: SimulatedDisk, _ path: String) throws -> DirectoryState {
    let read = try ReadDirectory(SimulatedDisk(disk.image), path: path, Engine.Settings())
    return try DirectoryState(read.engine)
  }

  /// A step that every directory of these takes.
  static var oneMore: EventBatch {
    var batch = EventBatch()
    batch.append(
      Swap(
        block: 77_777, timestamp: FullDirectory.start + 9 * FullDirectory.day + 20 * FullDirectory.hour, token: "CAT",
        amountUSD: .one, priceUSD: .one))
    return batch
  }

  /// The names below a path, and their bytes.
  static func files(_ image: DiskState, below path: String) -> [String: [UInt8]] {
    var files: [String: [UInt8]] = [:]
    for (name, number) in image.names where name.hasPrefix(path + "/") && !name.hasSuffix("/lock") {
      files[String(name.dropFirst(path.count + 1))] = image.files[number]
    }
    return files
  }

  static func failure(_ body: () throws -> Void) -> StorageFailure? {
    do { try body() } catch { return error as? StorageFailure }
    return nil
  }

  /// Rules 7.6, 7.8: what a directory has behind each of its steps its copy has, and the copy of that.
  @Test("A directory behind each of its steps: copied, restored, gone on with")
  func roundTrip() throws {
    let directory = try Self.whole()
    for (index, moment) in directory.moments.enumerated() where index % Seeds.every(4) == 1 % Seeds.every(4) {
      let disk = SimulatedDisk(moment.image)
      let backup = try DirectoryCopy(disk, from: "/data", to: "/backup")
      let restored = try DirectoryCopy(disk, from: "/backup", to: "/restored")
      #expect(backup == restored)
      #expect(backup.sequence == moment.sequence)
      let counts = moment.state.inspection
      #expect(backup.events == counts.swaps + counts.transfers)
      let source = Self.files(moment.image, below: "/data")
      for path in ["/backup", "/restored"] {
        #expect(try Self.state(disk, path) == moment.state, "step \(index)")
        // What a checkpoint that was cut off may have left is not copied, and nothing else is left out.
        let copied = Self.files(disk.image, below: path)
        let isSame = copied == source
        #expect(isSame, "step \(index)")
        #expect(copied.count == backup.files + 1)
        let sound = try Verification(SimulatedDisk(disk.image), path: path)
        #expect(sound.isSound)
        #expect((sound.files, sound.bytes, sound.events) == (backup.files, backup.bytes, backup.events))
      }
      let isUnchanged = Self.files(disk.image, below: "/data") == source
      #expect(isUnchanged)
      // Steps behind it are the same in both.
      for path in ["/data", "/restored"] {
        let ledger = try Ledger(disk, path: path, FullDirectory.options)
        #expect(try ledger.take(Self.oneMore, wallClock: nil).accepted == 1)
        _ = try ledger.checkpoint()
      }
      #expect(try Self.state(disk, "/data") == Self.state(disk, "/restored"), "step \(index)")
    }
    let kinds = Set(directory.files.map { $0.split(separator: ".").last })
    #expect(kinds.count == 5, "segments, names, bases, journal files, the manifest")
  }

  /// Rules 7.5, 7.6: what a crash left behind the journal's end goes along, and is cut where the copy is written.
  @Test("A torn tail; files that the manifest does not name")
  func tornTail() throws {
    let directory = try Self.whole()
    let file = directory.lastJournal
    var bytes = directory.bytes(file)
    let end = (bytes.lastIndex { $0 != 0 } ?? 0) / 4096 * 4096 + 4096
    try #require(end + 4096 <= bytes.count)
    for index in 0..<100 { bytes[end + index] = UInt8(index + 1) }
    var image = directory.image.with(file, bytes)
    let strangers = ["/data/kept/00000099.segment", "/data/journal/00000009.new", "/data/manifest.new", "/data/notes"]
    for path in strangers { image = image.with(path, [1, 2, 3]) }
    let disk = SimulatedDisk(image)
    _ = try DirectoryCopy(disk, from: "/data", to: "/backup")
    let copied = Set(Self.files(disk.image, below: "/backup").keys)
    #expect(copied == Set(directory.files.map { String($0.dropFirst(6)) }))
    let read = try ReadDirectory(SimulatedDisk(disk.image), path: "/backup", Engine.Settings())
    #expect(read.restored.tornTailBytes == 100)
    let state = try DirectoryState(read.engine)
    #expect(state == directory.state)
    let ledger = try Ledger(disk, path: "/backup", FullDirectory.options)
    #expect(ledger.opening.droppedTailBytes == 100)
  }

  /// Rules 7.8, 10: a place that is taken, or is a part of what is copied, is refused by its name, and nothing is made.
  @Test("Where a copy cannot go")
  func targets() throws {
    let directory = try Self.whole()
    var image = directory.image
    image.directories.formUnion(["/full", "/full/below", "/empty", "/data/empty"])
    image = image.with("/file", [1])
    for path in ["/data", "/data/kept", "/data/below", "/data/empty", "/full", "/no/such"] {
      let disk = SimulatedDisk(image)
      let failure = Self.failure { _ = try DirectoryCopy(disk, from: "/data", to: path) }
      let text = try #require(failure, "\(path) was taken").description
      if path == "/no/such" {
        #expect(text.contains("/no: ") && text.contains("no such file"), "\(text)")
      } else {
        let isBadTarget = if case .badTarget(path, _) = failure { true } else { false }
        #expect(isBadTarget && text.hasPrefix("\(path): "), "\(text)")
      }
      #expect(disk.operations.isEmpty)
    }
    let disk = SimulatedDisk(image)
    #expect(try DirectoryCopy(disk, from: "/data", to: "/empty").files == directory.files.count - 1)
    #expect(try Self.state(disk, "/empty") == directory.state)
    let missing = Self.failure { _ = try DirectoryCopy(disk, from: "/none", to: "/backup") }
    #expect(missing == .missing(path: "/none"))
    disk.setBytesLeft(10_000)
    let full = try #require(Self.failure { _ = try DirectoryCopy(disk, from: "/data", to: "/backup") })
    #expect(full.description.hasPrefix("/backup: 0 MiB are left on its disk"), "\(full)")
    #expect(Self.files(disk.image, below: "/backup").isEmpty)
  }

  /// Rule 7.8: a directory that is written is copied by who writes it, and by nobody else.
  @Test("A writer keeps copies out, and a copy keeps writers out of both")
  func locks() throws {
    let directory = try Self.whole()
    let disk = SimulatedDisk(directory.image)
    do {
      let ledger = try Ledger(disk, path: "/data", FullDirectory.options)
      let locked = Self.failure { _ = try DirectoryCopy(disk, from: "/data", to: "/backup") }
      let isLocked = if case .locked("/data", _) = locked { true } else { false }
      #expect(isLocked)
      #expect(ledger.opening.records > 0)
    }
    var phases: [CopyProgress.Phase] = []
    var bytes: Int64 = -1
    let copy = try DirectoryCopy(
      disk, from: "/data", to: "/backup",
      progress: { step in
        if phases.last != step.phase { phases.append(step.phase) }
        #expect(step.bytes >= bytes && step.bytes <= step.total)
        bytes = step.bytes
        guard step.phase != .reading else { return }
        for body in [
          { _ = try Ledger(disk, path: "/backup", FullDirectory.options) },
          { _ = try ReadDirectory(disk, path: "/backup", Engine.Settings()) },
        ] {
          let isLocked = if case .locked("/backup", _) = Self.failure(body) { true } else { false }
          #expect(isLocked)
        }
      })
    #expect(phases == [.reading, .copying, .verifying])
    #expect(bytes == copy.bytes)
    _ = try ReadDirectory(disk, path: "/backup", Engine.Settings())
  }

  /// Rule 7.6: a directory that was cut off in its birth has nothing to copy.
  @Test("Nothing yet: no manifest, no journal, no event")
  func nothing() throws {
    let birth = SimulatedDisk()
    _ = try Ledger(birth, path: "/data", FullDirectory.options)
    let operations = birth.operations
    var (refused, copied) = (0, 0)
    for point in 0...operations.count {
      var image = DiskState()
      for operation in operations[..<point] { image.perform(operation) }
      let disk = SimulatedDisk(image)
      if let failure = Self.failure({ _ = try DirectoryCopy(disk, from: "/data", to: "/backup") }) {
        #expect(failure == .missing(path: "/data"))
        refused += 1
      } else {
        let read = try ReadDirectory(SimulatedDisk(disk.image), path: "/backup", Engine.Settings())
        #expect(read.engine.inspection().swaps == 0)
        copied += 1
      }
    }
    #expect(refused > 2 && copied > 2)
  }

  /// Rules 7.5, 7.6: what is damaged is told by its file, and no copy is made; what opens in spite of a changed byte is copied
  /// as what it opens as.
  @Test("A byte of any file changed before it is copied")
  func damage() throws {
    let directory = try Self.whole()
    let seed = Seeds.thisRun(1)[0]
    var random = SeededGenerator(seed: seed)
    var (told, same) = (0, 0)
    for file in directory.files {
      for _ in 0..<40 / Seeds.every(8) {
        var bytes = directory.bytes(file)
        let said = (bytes.lastIndex { $0 != 0 } ?? 0) + 1
        let place = Int.random(in: 0..<said, using: &random)
        bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        let disk = SimulatedDisk(directory.image.with(file, bytes))
        let before = disk.image
        let own = Self.failure { _ = try ReadDirectory(disk, path: "/data", Engine.Settings()) }
        let failure = Self.failure { _ = try DirectoryCopy(disk, from: "/data", to: "/backup") }
        #expect(failure == own, "\(file), byte \(place), seed \(seed)")
        if failure == nil {
          same += 1
          #expect(try Self.state(disk, "/backup") == Self.state(disk, "/data"))
        } else {
          told += 1
          #expect(disk.operations.isEmpty)
        }
        let isUnchanged = Self.files(disk.image, below: "/data") == Self.files(before, below: "/data")
        #expect(isUnchanged)
      }
    }
    print("copies: a byte changed before: \(told) told, \(same) opened and copied as they open")
    #expect(told > 200 / Seeds.every(8) && told + same == 360 / Seeds.every(8))
  }

  /// Rules 7.5, 7.6: a disk that changes what it was given: the copy is told to be none, and does not open.
  @Test("A byte of the copy changed while it is made")
  func changedMeanwhile() throws {
    let directory = try Self.whole()
    let seed = Seeds.thisRun(1)[0]
    var random = SeededGenerator(seed: seed)
    var (refused, meaningless) = (0, 0)
    for file in directory.files where !file.hasSuffix("/manifest") {
      let target = "/backup/" + file.dropFirst(6)
      for round in 0..<12 / Seeds.every(6) {
        let bytes = directory.bytes(file)
        let said = (bytes.lastIndex { $0 != 0 } ?? 0) + 1
        let (place, bit) = (
          Int64.random(in: 0..<Int64(said), using: &random), UInt8(1) << UInt8.random(in: 0..<8, using: &random)
        )
        let disk = SimulatedDisk(directory.image)
        let failure = Self.failure {
          _ = try DirectoryCopy(
            disk, from: "/data", to: "/backup", digest: { _ in round % 2 == 0 ? "a" : nil },
            progress: { step in
              guard step.phase == .verifying else { return }
              var byte: [UInt8] = []
              guard let lying = try? disk.open(target, forWriting: true) else { return }
              try? lying.read(1, at: place, into: &byte)
              byte[0] ^= bit
              try? lying.write(byte.span, at: place)
            })
        }
        let opened = Self.failure {
          _ = try ReadDirectory(SimulatedDisk(disk.image), path: "/backup", Engine.Settings())
        }
        guard failure != nil else {
          // Behind the last frame nothing says anything: it is what a crash may leave.
          meaningless += 1
          #expect(opened == nil)
          continue
        }
        refused += 1
        let isBad = if case .badCopy("/backup", _) = failure { true } else { false }
        #expect(isBad, "\(target), byte \(place), seed \(seed)")
        #expect(opened == .unfinishedCopy(path: "/backup"))
      }
    }
    print("copies: a byte changed meanwhile: \(refused) refused, \(meaningless) in what says nothing")
    #expect(refused > 80 / Seeds.every(6) && meaningless == 0)
  }

  /// Rules 7.6, 7.7: equal counts and frames are not enough where a number of all answers is given.
  @Test("A copy with another digest is none")
  func otherDigest() throws {
    let disk = SimulatedDisk(try Self.whole().image)
    var asked = 0
    let failure = try #require(
      Self.failure {
        _ = try DirectoryCopy(
          disk, from: "/data", to: "/backup",
          digest: { _ in
            asked += 1
            return "\(asked)"
          })
      })
    #expect(asked == 2)
    let isBad = if case .badCopy("/backup", _) = failure { true } else { false }
    #expect(isBad && failure.description.contains("the same answers"), "\(failure)")
    #expect(throws: StorageFailure.unfinishedCopy(path: "/backup")) {
      _ = try ReadDirectory(disk, path: "/backup", Engine.Settings())
    }
    #expect(throws: StorageFailure.unfinishedCopy(path: "/backup")) {
      _ = try Ledger(disk, path: "/backup", FullDirectory.options)
    }
    #expect(throws: StorageFailure.unfinishedCopy(path: "/backup")) {
      _ = try DirectoryCopy(disk, from: "/backup", to: "/restored")
    }
    #expect(throws: StorageFailure.unfinishedCopy(path: "/backup")) { _ = try Verification(disk, path: "/backup") }
  }
}
