// Every file of a data directory, damaged in every way that a disk, a copy or somebody in a hurry may damage it.
// Invariant: what is opened is what was acknowledged, or what was before frames that nobody can miss; all else is refused.
// Not here: damage that has right checksums (ForgedDirectoryDamageTests), crashes (CrashPointTests).
// Rules 7.4, 7.5.

import Continuo
import ContinuoStorage
import ContinuoTestSupport
import Testing

@Suite("Damage to a directory")
struct DirectoryDamageTests {
  private static let directory = try? FullDirectory()
  /// The files that every directory of these steps has: names of tests are needed before one is made.
  private static let files = [
    "manifest", "journal/00000002.journal", "journal/00000003.journal", "kept/00000001.segment",
    "kept/00000002.segment",
    "kept/00000003.names", "kept/00000004.bases", "kept/00000005.segment", "kept/00000006.names",
  ].map { FullDirectory.path + "/" + $0 }

  private static func whole() throws -> FullDirectory { try #require(directory) }

  @Test("The directory has everything in it")
  func everything() throws {
    let directory = try Self.whole()
    #expect(directory.files.sorted() == Self.files.sorted())
    let read = try ReadDirectory(SimulatedDisk(directory.image), path: FullDirectory.path, Engine.Settings())
    #expect(read.restored.keptEvents > 20)
    #expect(read.restored.records == 6)
    #expect(directory.state.inspection.horizon == FullDirectory.start + 2 * FullDirectory.day)
    // Two chains with dropped events, and a token that is marked.
    #expect(directory.bytes(FullDirectory.path + "/manifest").word(132, UInt32.self) == 52 + 2 * 12 + 4)
    let states = Set(directory.moments.map(\.state.digest))
    #expect(states.count >= directory.moments.count - 4)
    var tally = try DamageTally(directory, asksParts: true)
    tally.take(directory.image, "nothing damaged")
    #expect(tally.exact == 1)
  }

  /// The step behind which the last frame was not there yet.
  private static func withoutLastFrame(_ directory: FullDirectory) -> [Int] { [directory.moments.count - 2] }

  /// Which bytes of a file are changed: all that say anything, and of zeros that follow some.
  private static func places(_ bytes: [UInt8], _ file: String, _ random: inout SeededGenerator) -> [Int] {
    if Seeds.takesEvery { return Array(bytes.indices) }
    #if DEBUG
      return (0..<bytes.count / 40).map { _ in Int.random(in: bytes.indices, using: &random) }  // without optimisation
    #else
      return allPlaces(bytes, file, &random)
    #endif
  }

  private static func allPlaces(_ bytes: [UInt8], _ file: String, _ random: inout SeededGenerator) -> [Int] {
    guard file.hasSuffix(".journal") else { return Array(bytes.indices) }
    var places: [Int] = []
    for block in stride(from: 0, to: bytes.count, by: 4096) {
      let own = block..<block + 4096
      let said = max(block + 64, (own.last { bytes[$0] != 0 } ?? block) + 1)
      places += Array(block..<said)
      for _ in 0..<48 where said < own.upperBound {
        places.append(Int.random(in: said..<own.upperBound, using: &random))
      }
    }
    return places
  }

  /// How a byte is changed: in one of its bits; or in each of them, then in all.
  private static func masks(_ random: inout SeededGenerator) -> [UInt8] {
    Seeds.takesEvery ? (0..<8).map { 1 << $0 } + [255] : [1 << UInt8.random(in: 0..<8, using: &random)]
  }

  /// Rules 7.4, 7.5: no byte may be another one and be believed.
  @Test("Every byte of every file with a bit flipped", arguments: files)
  func everyByte(file: String) throws {
    let directory = try Self.whole()
    let seed = Seeds.thisRun(1)[0]
    var random = SeededGenerator(seed: seed)
    let bytes = directory.bytes(file)
    let isLast = file == directory.lastJournal
    var tally = try DamageTally(directory, asksParts: true)
    for place in Self.places(bytes, file, &random) {
      for mask in Self.masks(&random) {
        var changed = bytes
        changed[place] ^= mask
        tally.take(
          directory.image.with(file, changed), earlier: isLast ? Self.withoutLastFrame(directory) : [], naming: file,
          "\(file), byte \(place), bits \(mask), seed \(seed)")
      }
    }
    print("directory damage: \(file): bits flipped, \(tally.description)")
    #expect((tally.exact + tally.earlier > 0) == isLast)
  }

  /// Rules 7.4, 7.5: lengths are checked.
  @Test("Every file shorter, empty, longer by a byte", arguments: files)
  func lengths(file: String) throws {
    let directory = try Self.whole()
    let seed = Seeds.thisRun(1)[0]
    var random = SeededGenerator(seed: seed)
    let bytes = directory.bytes(file)
    var tally = try DamageTally(directory, asksParts: true)
    var counts: Set<Int> = [
      0, 1, 16, 63, 64, 128, 4095, 4096, 8192, bytes.count - 4096, bytes.count - 8, bytes.count - 1,
    ]
    for _ in 0..<120 { counts.insert(Int.random(in: 0..<bytes.count, using: &random)) }
    if Seeds.takesEvery { counts.formUnion(bytes.indices) }
    for count in counts.sorted() where count >= 0 && count < bytes.count {
      tally.take(
        directory.image.with(file, Array(bytes.prefix(count))), naming: file, "\(file), \(count) bytes, seed \(seed)")
    }
    for byte in [0, 1, 255] as [UInt8] {
      tally.take(directory.image.with(file, bytes + [byte]), naming: file, "\(file), one byte longer")
    }
    print("directory damage: \(file): lengths, \(tally.description)")
    #expect(tally.refused == tally.tried)
  }

  /// Rules 7.4, 7.5: a file that is not there is missed, and another one does not pass for it.
  @Test("Every file gone, under another name, in another one's place", arguments: files)
  func places(file: String) throws {
    let directory = try Self.whole()
    let bytes = directory.bytes(file)
    var tally = try DamageTally(directory, asksParts: true)
    tally.take(directory.image.with(file, nil), "\(file) is gone")
    let folder = SimulatedDisk.parent(file)
    let suffix = file.split(separator: ".").last ?? ""
    for number in [4, 7, 8] {
      let name = "\(folder)/0000000\(number).\(suffix)"
      guard file != FullDirectory.path + "/manifest", directory.image.names[name] == nil else { continue }
      tally.take(directory.image.with(file, nil).with(name, bytes), "\(file) as \(name)")
    }
    for other in Self.files where other != file && (other.hasSuffix("\(suffix)") || file.hasSuffix("manifest")) {
      let own = directory.bytes(other)
      tally.take(directory.image.with(file, own).with(other, bytes), "\(file) and \(other) in each other's place")
      tally.take(directory.image.with(file, own), "\(file) as \(other) is")
    }
    print("directory damage: \(file): places, \(tally.description)")
    #expect(tally.refused == tally.tried)
  }

  /// Rules 7.4, 7.5: a file of another day or of another directory is refused, unless it says the same.
  @Test("Every file as it was, and as it is in another directory", arguments: files)
  func others(file: String) throws {
    let directory = try Self.whole()
    let other = try FullDirectory()
    let bytes = directory.bytes(file)
    let isLast = file == directory.lastJournal
    var (old, foreign) = (try DamageTally(directory, asksParts: true), try DamageTally(directory, asksParts: true))
    let kept = directory.moments.lastIndex { $0.image.bytes(of: Self.files[8]) == nil } ?? 0
    for (step, moment) in directory.moments.enumerated() {
      guard let was = moment.image.bytes(of: file), was != bytes else { continue }
      // Frames that were never written, and frames that are gone, look the same.
      old.take(
        directory.image.with(file, was), earlier: isLast && step > kept ? [step] : [],
        "\(file) as it was behind step \(step)")
    }
    for (step, moment) in other.moments.enumerated() {
      guard let was = moment.image.bytes(of: file) else { continue }
      foreign.take(directory.image.with(file, was), "\(file) of another directory behind step \(step)")
    }
    print("directory damage: \(file): earlier ones, \(old.description); another directory's, \(foreign.description)")
    #expect(foreign.refused == foreign.tried && foreign.tried > 0)
    // An older manifest may say the same as this one; what it does not name yet is removed then.
    let isRefused = old.refused == old.tried
    #expect(isRefused != (isLast || file.hasSuffix("manifest")))
  }

  /// Rule 7.8: the lock says nothing of the state.
  @Test("The lock: empty, other text, gone")
  func lock() throws {
    let directory = try Self.whole()
    let file = FullDirectory.path + "/lock"
    var tally = try DamageTally(directory, asksParts: true)
    for bytes in [[], [0xFF, 0], Array("a writer of long ago, of many words".utf8)] as [[UInt8]] {
      tally.take(directory.image.with(file, bytes), "another text in the lock")
    }
    #expect(tally.exact == 3)
    let gone = SimulatedDisk(directory.image.with(file, nil))
    #expect(throws: StorageFailure.missing(path: FullDirectory.path)) {
      _ = try ReadDirectory(gone, path: FullDirectory.path, Engine.Settings())
    }
    _ = try Ledger(gone, path: FullDirectory.path, FullDirectory.options)
    let read = try ReadDirectory(gone, path: FullDirectory.path, Engine.Settings())
    #expect(try DirectoryState(read.engine) == directory.state)
  }
}
