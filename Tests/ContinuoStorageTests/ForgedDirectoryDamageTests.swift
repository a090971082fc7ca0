// Files whose checksums are all right, and that say what nobody wrote: opening them ends, and never traps.
// Invariant: what is opened keeps the engine's invariants, goes on, and is brought back again as it went on.
// Not here: damage that a checksum tells (DirectoryDamageTests), values that are only other ones ('verify').
// Rules 7.4, 7.5.

import Continuo
import ContinuoFormats
import ContinuoStorage
import ContinuoTestSupport
import Synchronization
import Testing

/// What is changed before the checksums are made again.
enum ForgedPart: String, CaseIterable {
  case manifest, names, bases, segments, journal
  /// Events and bases as values, written by the code that writes them.
  case events, left
}

@Suite("Damage to a directory: right checksums")
struct ForgedDirectoryDamageTests {
  private static let directory = try? FullDirectory()
  private static let path = FullDirectory.path
  /// Behind the second checkpoint, with no frame behind it; and behind the last step.
  private static func images() throws -> [DiskState] {
    let directory = try #require(directory)
    let kept = directory.moments.firstIndex { $0.image.bytes(of: path + "/kept/00000006.names") != nil }
    return [directory.moments[try #require(kept)].image, directory.image]
  }

  @Test("Sealed again without a change, a file is the same")
  func sealed() throws {
    for image in try Self.images() {
      for file in image.names.keys.sorted() where !file.hasSuffix("lock") {
        let bytes = try #require(image.bytes(of: file))
        var again = bytes
        if file.contains("/kept/") { again.sealKept(bytes.blocks) }
        if file.contains("/journal/") { again.sealJournal() }
        if file.hasSuffix("manifest") { again.sealManifest() }
        let isSame = again == bytes
        #expect(isSame, "\(file)")
        if file.contains("/kept/") {
          let isNamed =
            image.forging(file, bytes).bytes(of: Self.path + "/manifest") == image.bytes(of: Self.path + "/manifest")
          #expect(isNamed, "\(file)")
        }
      }
    }
  }

  /// Rules 7.4, 7.5: 2,000 changes, a hundred a seed.
  @Test("Changed and sealed again", arguments: Seeds.thisRun(20), ForgedPart.allCases)
  func changed(seed: UInt64, part: ForgedPart) throws {
    let images = try Self.images()
    var random = SeededGenerator(seed: seed)
    var (opened, refused, repaired) = (0, 0, 0)
    for number in 0..<(part == .segments || part == .events ? 20 : 12) {
      let before = random.pick(images)
      let image = Self.forged(part, before, &random)
      let context = "change \(number), \(part), \(Seeds.replay(seed, "ForgedDirectoryDamage"))"
      if try Self.opens(image, context) {
        opened += 1
        if part != .manifest, part != .journal { try Self.isFound(image, before, context) }
      } else {
        refused += 1
        if try Self.isRepaired(image, context) { repaired += 1 }
      }
    }
    Self.counts.add(part, opened: opened, refused: refused, repaired: repaired)
  }

  /// Opens a directory and lets it go on; false where it is refused.
  private static func opens(_ image: DiskState, _ context: String) throws -> Bool {
    let found = try Verification(SimulatedDisk(image), path: path)
    let isOpened = reads(image, context)
    #expect((found.failures.isEmpty && found.otherDifferences.isEmpty) == isOpened, "\(context)")
    guard isOpened else { return false }
    let (after, kept): (String?, String?)
    do throws(StorageFailure) {
      (after, kept) = try goOn(SimulatedDisk(image))
    } catch {
      Issue.record("what was read is refused by who goes on: \(error), \(context)")
      return true
    }
    #expect(kept == after, "\(context)")
    return true
  }

  /// Rule 7.6: what is opened and says something else than before is found.
  private static func isFound(_ image: DiskState, _ before: DiskState, _ context: String) throws {
    let found = try Verification(SimulatedDisk(image), path: path)
    let old = try ReadDirectory(SimulatedDisk(before), path: path, Engine.Settings())
    let new = try ReadDirectory(SimulatedDisk(image), path: path, Engine.Settings())
    let isSame =
      old.engine.heldSwaps(from: .first, before: .last) == new.engine.heldSwaps(from: .first, before: .last)
      && old.engine.heldTransfers(from: .first, before: .last)
        == new.engine.heldTransfers(from: .first, before: .last)
      && old.engine.bases() == new.engine.bases()
      && (try? StateDigest.hexadecimal(of: old.engine)) == (try? StateDigest.hexadecimal(of: new.engine))
    #expect(isSame || !found.isSound, "\(context)")
  }

  /// Rule 7.6: what is refused is made sound again; false where the manifest is in doubt.
  private static func isRepaired(_ image: DiskState, _ context: String) throws -> Bool {
    let disk = SimulatedDisk(image)
    do throws(StorageFailure) {
      var repair = try Repair(disk, path: path, writes: true, journalFileBytes: 4 * 4096)
      let isNeeded = repair.isNeeded
      #expect(isNeeded, "\(context)")
      _ = try repair.write()
    } catch {
      switch error {
      case .damaged(path + "/manifest", _, _, _), .newer, .otherPrice: break
      default: Issue.record("\(error), \(context)")
      }
      return false
    }
    let found = try Verification(SimulatedDisk(disk.image), path: path)
    // What was changed and fits is not what is repaired.
    #expect(
      found.failures.isEmpty && found.otherDifferences.isEmpty,
      "\(found.failures) \(found.differences.prefix(3)), \(context)")
    let isRead = reads(disk.image, context)
    #expect(isRead, "\(context)")
    return true
  }

  private static func reads(_ image: DiskState, _ context: String) -> Bool {
    do throws(StorageFailure) {
      let read = try ReadDirectory(SimulatedDisk(image), path: path, Engine.Settings())
      let wrong = read.engine.checkInvariants()
      #expect(wrong.prefix(3) == [], "\(context)")
      _ = read.engine.inspection()
      _ = try? StateDigest.hexadecimal(of: read.engine)
    } catch {
      switch error {
      case .damaged(let file, let byte, _, _) where file.hasPrefix(path + "/") && byte >= 0: return false
      case .newer, .otherPrice: return false
      default:
        Issue.record("\(error), \(context)")
        return false
      }
    }
    return true
  }

  /// Takes some steps and keeps them; the digests before and behind that.
  private static func goOn(_ disk: SimulatedDisk) throws(StorageFailure) -> (String?, String?) {
    let before: String?
    do {
      let ledger = try Ledger(disk, path: path, FullDirectory.options)
      _ = try? ledger.take(.oneSwap(block: 5_000), wallClock: nil)
      _ = try? ledger.rollback(chain: 1, above: 960)
      _ = try? ledger.moveHorizon()
      let read = try ReadDirectory(SimulatedDisk(disk.image), path: path, Engine.Settings())
      before = try? StateDigest.hexadecimal(of: read.engine)
      _ = try ledger.checkpoint()
    }
    let again = try ReadDirectory(SimulatedDisk(disk.image), path: path, Engine.Settings())
    return (before, try? StateDigest.hexadecimal(of: again.engine))
  }

  // MARK: changes

  private static func forged(_ part: ForgedPart, _ image: DiskState, _ random: inout SeededGenerator) -> DiskState {
    func files(_ suffix: String) -> [String] { image.names.keys.filter { $0.hasSuffix(suffix) }.sorted() }
    switch part {
    case .manifest: return manifest(image, &random)
    case .names: return kept(image, random.pick(files(".names")), &random)
    case .bases: return kept(image, random.pick(files(".bases")), &random)
    case .segments: return kept(image, random.pick(files(".segment")), &random)
    case .journal: return journal(image, random.pick(files(".journal")), &random)
    case .events: return events(image, random.pick(files(".segment")), &random)
    case .left: return left(image, random.pick(files(".bases")), &random)
    }
  }

  /// Another word somewhere in the manifest.
  private static func manifest(_ image: DiskState, _ random: inout SeededGenerator) -> DiskState {
    var bytes = image.bytes(of: path + "/manifest") ?? []
    for _ in 0..<random.pick([1, 1, 2]) {
      let place = Int.random(in: 3..<(bytes.count - 12) / 4, using: &random) * 4
      switch random.next() % 3 {
      case 0: bytes.put(random.pick(Forged.numbers), at: place)
      case 1: bytes.put(Forged.small(&random), at: place)
      default: bytes[place] = UInt8(truncatingIfNeeded: random.next())
      }
    }
    bytes.sealManifest()
    return image.with(path + "/manifest", bytes)
  }

  /// Other bytes in some payloads of a kept file, or another place in time.
  private static func kept(_ image: DiskState, _ file: String, _ random: inout SeededGenerator) -> DiskState {
    var bytes = image.bytes(of: file) ?? []
    let blocks = bytes.blocks
    for _ in 0..<random.pick([1, 1, 1, 2, 5]) {
      if random.chance(5) {
        bytes.put(random.pick(Forged.numbers), at: random.pick([24, 32]))
        continue
      }
      let payload = bytes.payload(random.pick(blocks))
      // What all numbers of a column have in common stands in front: what is changed there is a column still.
      let isFront = random.chance(50) && payload.count > 17
      let place = Int.random(in: isFront ? payload.prefix(17) : payload, using: &random)
      bytes[place] = random.pick([0, 1, 0xFF, bytes[place] ^ 1, UInt8(truncatingIfNeeded: random.next())])
    }
    bytes.sealKept(blocks)
    return image.forging(file, bytes)
  }

  private static func journal(_ image: DiskState, _ file: String, _ random: inout SeededGenerator) -> DiskState {
    var bytes = image.bytes(of: file) ?? []
    let frames = bytes.frames
    guard !frames.isEmpty else { return image }
    for _ in 0..<random.pick([1, 1, 2]) {
      let frame = random.pick(frames)
      let place = Int.random(in: 0..<Int(bytes.word(frame + 32, UInt32.self)), using: &random)
      bytes[frame + 64 + place] = UInt8(truncatingIfNeeded: random.next())
    }
    bytes.sealJournal()
    // The file behind begins with what this one ends with.
    return image.with(file, bytes)
  }

  /// A segment with other events, or some that stand elsewhere too.
  private static func events(_ image: DiskState, _ file: String, _ random: inout SeededGenerator) -> DiskState {
    let bytes = image.bytes(of: file) ?? []
    var first = bytes.word(24, Int64.self)
    let second = bytes.word(32, Int64.self)
    guard let read = try? ReadDirectory(SimulatedDisk(image), path: path, Engine.Settings()) else { return image }
    let (from, end) = (Timestamp(microseconds: first), Timestamp(microseconds: first &+ second))
    var swaps = read.engine.heldSwaps(from: from, before: end)
    var transfers = read.engine.heldTransfers(from: from, before: end)
    let all = read.engine.heldSwaps(from: .first, before: .last).map(\.key)
    for _ in 0..<random.pick([1, 1, 2, 4]) {
      if random.chance(50), !swaps.isEmpty {
        Forged.change(&swaps[Int.random(in: swaps.indices, using: &random)], all, &random)
      } else if !transfers.isEmpty {
        Forged.change(&transfers[Int.random(in: transfers.indices, using: &random)], all, &random)
      }
    }
    if random.chance(10) {
      let shift =
        random.pick([Int64.min, .max - second, -62_135_596_800_000_000, FullDirectory.start.microseconds]) &- first
      first &+= shift
      for index in swaps.indices { swaps[index].key.timestamp.microseconds &+= shift }
      for index in transfers.indices { transfers[index].key.timestamp.microseconds &+= shift }
    }
    let header = KeptHeader(
      kind: .segment, directory: bytes.word(16, UInt64.self), number: bytes.word(12, UInt32.self), first: first,
      second: second)
    let disk = SimulatedDisk()
    var scratch = SegmentScratch()
    guard let written = try? disk.create(file),
      (try? SegmentFile.write(written, header, swaps[...], transfers[...], &scratch)) != nil
    else { return image }
    return image.forging(file, disk.image.bytes(of: file) ?? [])
  }

  /// Bases that are others.
  private static func left(_ image: DiskState, _ file: String, _ random: inout SeededGenerator) -> DiskState {
    let bytes = image.bytes(of: file) ?? []
    guard let read = try? ReadDirectory(SimulatedDisk(image), path: path, Engine.Settings()) else { return image }
    var bases = read.engine.bases()
    for _ in 0..<random.pick([1, 1, 2]) {
      Forged.change(&bases[Int.random(in: bases.indices, using: &random)], &random)
    }
    let header = KeptHeader(
      kind: .bases, directory: bytes.word(16, UInt64.self), number: bytes.word(12, UInt32.self),
      first: bytes.word(24, Int64.self), second: 0)
    let disk = SimulatedDisk()
    guard let written = try? disk.create(file), (try? BasesFile.write(written, header, bases)) != nil else {
      return image
    }
    return image.forging(file, disk.image.bytes(of: file) ?? [])
  }

  // MARK: figures

  private static let counts = ForgedCounts()
}

/// How many changes of each part were opened and refused: the last seed of a part prints it.
final class ForgedCounts: Sendable {
  private let counts = Mutex<[ForgedPart: (seeds: Int, opened: Int, refused: Int, repaired: Int)]>([:])

  func add(_ part: ForgedPart, opened: Int, refused: Int, repaired: Int) {
    counts.withLock { counts in
      var own = counts[part] ?? (0, 0, 0, 0)
      own = (own.seeds + 1, own.opened + opened, own.refused + refused, own.repaired + repaired)
      counts[part] = own
      if own.seeds == Seeds.thisRun(20).count {
        print("forged directories: \(part): \(own.opened) opened, \(own.refused) refused, \(own.repaired) repaired")
        // A damaged manifest needs a backup, all else does not.
        #expect(own.repaired * 2 > own.refused || part == .manifest, "\(part): \(own)")
      }
    }
  }
}
