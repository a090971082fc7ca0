// Repair: what it brings back of every damage, what it says is lost, and what it leaves alone.
// Invariant: no event comes to be that was not there; each one that is missing is told; nothing that was damaged is gone.
// Not here: crashes and failing calls in a repair (RepairFaultTests), damage that has right checksums (ForgedRepairTests).

import Continuo
import ContinuoFormats
import ContinuoStorage
import ContinuoTestSupport
import Testing

@Suite("Repair")
struct RepairTests {
  private static let directory = try? FullDirectory()
  private static let kept = [
    "kept/00000001.segment", "kept/00000002.segment", "kept/00000003.names", "kept/00000004.bases",
    "kept/00000005.segment", "kept/00000006.names",
  ].map { FullDirectory.path + "/" + $0 }
  private static let journal = ["journal/00000002.journal", "journal/00000003.journal"].map {
    FullDirectory.path + "/" + $0
  }

  private static func whole() throws -> FullDirectory { try #require(directory) }

  /// Damages of one file: bytes flipped at places that say something, cut short, grown, gone.
  static func damages(_ bytes: [UInt8], _ random: inout SeededGenerator) -> [(what: String, bytes: [UInt8]?)] {
    var damages: [(String, [UInt8]?)] = [("gone", nil), ("empty", []), ("grown", bytes + [1])]
    for cut in [64, bytes.count / 3, bytes.count / 2, bytes.count - 8] {
      damages.append(("cut to \(cut)", Array(bytes.prefix(cut))))
    }
    let said = bytes.indices.filter { bytes[$0] != 0 }
    let places = [9, 20, 60] + (0..<80 / Seeds.every(20)).map { _ in random.pick(said) }
    for place in places {
      var changed = bytes
      changed[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      damages.append(("byte \(place)", changed))
    }
    return damages
  }

  /// Rules 7.4, 7.6: of a damaged kept file every group that is sound comes back; what does not is told.
  @Test("Every kept file damaged", arguments: kept)
  func keptFile(file: String) throws {
    let directory = try Self.whole()
    var random = SeededGenerator(seed: Seeds.thisRun(1)[0])
    var (lost, whole) = (0, 0)
    for damage in Self.damages(directory.bytes(file), &random) {
      let image = directory.image.with(file, damage.bytes)
      let repaired = try RepairedDirectory(image, from: directory, "\(file): \(damage.what)")
      guard let repaired else { continue }
      #expect(repaired.losses.allSatisfy { $0.kind != .journal && $0.kind != .manifest }, "\(damage.what)")
      #expect(repaired.losses.contains { $0.file == file } || repaired.losses.isEmpty, "\(damage.what)")
      if repaired.losses.isEmpty { whole += 1 } else { lost += 1 }
      try repaired.expectCounts()
    }
    print("repair: \(file): \(lost) damages that lose something, \(whole) that lose nothing")
    #expect(lost > 4)
    // A header, a footer or a length says nothing that is not known.
    #expect(whole > 0)
  }

  /// Rules 7.5, 7.6: of a damaged journal the frames before the damage come back, and all of it where they are kept already.
  @Test("Every journal file damaged", arguments: journal)
  func journalFile(file: String) throws {
    let directory = try Self.whole()
    var random = SeededGenerator(seed: Seeds.thisRun(1)[0])
    var (lost, whole) = (0, 0)
    for damage in Self.damages(directory.bytes(file), &random) {
      let image = directory.image.with(file, damage.bytes)
      guard let repaired = try RepairedDirectory(image, from: directory, "\(file): \(damage.what)") else { continue }
      #expect(repaired.losses.allSatisfy { $0.kind == .journal }, "\(damage.what)")
      // As it was behind one of its steps.
      #expect(directory.moments.contains { $0.state.digest == repaired.state.digest }, "\(damage.what)")
      if repaired.losses.isEmpty { whole += 1 } else { lost += 1 }
    }
    print("repair: \(file): \(lost) damages that lose something, \(whole) that lose nothing")
    #expect(lost > 2 && whole > 0)
  }

  /// Rule 7.6: what cannot be told is not guessed at.
  @Test("A damaged manifest, and a journal that does not begin with frame 1")
  func manifest() throws {
    let directory = try Self.whole()
    let file = FullDirectory.path + "/manifest"
    var random = SeededGenerator(seed: 1)
    for damage in Self.damages(directory.bytes(file), &random) {
      let image = directory.image.with(file, damage.bytes)
      let disk = SimulatedDisk(image)
      var failure: StorageFailure?
      do throws(StorageFailure) {
        _ = try Repair(disk, path: FullDirectory.path, writes: true)
      } catch { failure = error }
      guard case .damaged(file, _, _, _) = failure else {
        Issue.record("\(damage.what): \(String(describing: failure))")
        continue
      }
      let changed = RepairedDirectory.change(disk.image, image)
      #expect(changed == nil, "\(damage.what)")
    }
  }

  /// Rule 7.6: several damages at once.
  @Test("Two or three files damaged", arguments: Seeds.thisRun(40))
  func several(seed: UInt64) throws {
    let directory = try Self.whole()
    var random = SeededGenerator(seed: seed)
    var image = directory.image
    for _ in 0..<Int.random(in: 2...3, using: &random) {
      let file = random.pick(Self.kept + Self.journal)
      image = image.with(file, random.pick(Self.damages(directory.bytes(file), &random)).bytes)
    }
    _ = try RepairedDirectory(image, from: directory, "seed \(seed)")
  }

  /// Rules 7.4, 7.6: of two groups and two blocks of names one is lost, and the others are what they were.
  @Test(
    "A segment of two groups, names of two blocks",
    .enabled(if: Seeds.every(2) == 1, "seventy thousand events, and without optimisation"))
  func groups() throws {
    let disk = SimulatedDisk()
    do {
      let ledger = try Ledger(disk, path: FullDirectory.path, FullDirectory.options)
      var batch = EventBatch()
      for index in 0..<70_000 {
        batch.append(
          Swap(
            block: UInt64(index), timestamp: FullDirectory.start + Int64(index), token: "ART", amountUSD: .one,
            priceUSD: .one, wallet: ByteString("wallet \(index)")))
      }
      _ = try ledger.take(batch, wallClock: nil)
      _ = try ledger.checkpoint()
      // The journal's first files go.
      for block in 80_000..<80_003 { _ = try ledger.take(.oneSwap(block: UInt64(block)), wallClock: nil) }
      _ = try ledger.checkpoint()
    }
    let image = disk.image
    for (file, block, lost) in [
      ("00000001.segment", 2, 65_536), ("00000001.segment", 15, 4464), ("00000002.names", 1, 65_536),
      ("00000002.names", 2, 4464),
    ] {
      let path = FullDirectory.path + "/kept/" + file
      var bytes = try #require(image.bytes(of: path))
      bytes[bytes.blocks[block] + 30] ^= 1
      let damaged = SimulatedDisk(image.with(path, bytes))
      var repair = try Repair(damaged, path: FullDirectory.path, writes: true, journalFileBytes: 4 * 4096)
      let events = repair.losses.compactMap(\.events).reduce(0, +)
      #expect(events == lost, "\(file), block \(block)")
      _ = try repair.write()
      _ = consume repair
      let read = try ReadDirectory(SimulatedDisk(damaged.image), path: FullDirectory.path, Engine.Settings())
      let held = NamedEvent.all(read.engine)
      #expect(held.count == 70_003 - lost, "\(file), block \(block)")
      let isOwn = held.allSatisfy { $0.block >= 80_000 || $0.rest.hasPrefix("wallet \($0.block) ") }
      #expect(isOwn, "\(file), block \(block)")
    }
  }

  // MARK: a journal from its first frame on

  /// A directory whose journal still has every frame, the checkpoints too.
  private static func young() throws -> (image: DiskState, digest: String) {
    let disk = SimulatedDisk()
    var options = FullDirectory.options
    options.journalFileBytes = 64 * 4096
    do {
      let ledger = try Ledger(disk, path: FullDirectory.path, options)
      for step in 0..<9 {
        _ = try ledger.take(
          FullDirectory.batch(step, hour: step, block: UInt64(100 * step), names: step..<step + 6), wallClock: nil)
        if step % 4 == 3 {
          _ = try ledger.moveHorizon()
          _ = try ledger.checkpoint()
        }
      }
    }
    let read = try ReadDirectory(SimulatedDisk(disk.image), path: FullDirectory.path, Engine.Settings())
    return (disk.image, try StateDigest.hexadecimal(of: read.engine))
  }

  /// Rule 7.6: what is in the journal as well is not lost, whatever happens to the other files.
  @Test("Everything is still in the journal")
  func journalAlone() throws {
    let (image, digest) = try Self.young()
    let others = image.names.keys.filter { !$0.hasSuffix(".journal") && !$0.hasSuffix("/lock") }.sorted()
    #expect(others.count > 4)
    var random = SeededGenerator(seed: 3)
    for file in others {
      for damage in Self.damages(image.bytes(of: file) ?? [], &random)
      where damage.what.contains("9") || damage.bytes == nil {
        let disk = SimulatedDisk(image.with(file, damage.bytes))
        var repair = try Repair(disk, path: FullDirectory.path, writes: true, journalFileBytes: 4 * 4096)
        let isManifest = file.hasSuffix("manifest")
        let losses = repair.losses
        #expect(repair.isNeeded && losses.count == (isManifest ? 1 : 0), "\(file) \(damage.what): \(losses)")
        _ = try repair.write()
        _ = consume repair
        let read = try ReadDirectory(SimulatedDisk(disk.image), path: FullDirectory.path, Engine.Settings())
        let found = try StateDigest.hexadecimal(of: read.engine)
        // How long candles are kept the manifest alone said; it decides what is served.
        if !isManifest { #expect(found == digest, "\(file) \(damage.what)") }
        #expect(read.restored.records == 0 && read.engine.checkInvariants() == [])
      }
    }
  }

  /// Rule 7.6: a sound directory is left alone, and so is one with a torn tail.
  @Test("Nothing to repair")
  func sound() throws {
    let directory = try Self.whole()
    let last = directory.lastJournal
    var torn = directory.bytes(last)
    torn[(torn.frames.last ?? 0) + 200] ^= 1
    for image in [directory.image, directory.image.with(last, torn)] {
      for writes in [false, true] {
        let disk = SimulatedDisk(image)
        let repair = try Repair(disk, path: FullDirectory.path, writes: writes)
        let (isNeeded, losses) = (repair.isNeeded, repair.losses)
        #expect(!isNeeded && losses.isEmpty)
        let changed = RepairedDirectory.change(disk.image, image)
        #expect(changed == nil)
      }
    }
    // Rule 7.8: one writer, or readers.
    let disk = SimulatedDisk(directory.image)
    let ledger = try Ledger(disk, path: FullDirectory.path, FullDirectory.options)
    for writes in [false, true] {
      #expect(throws: StorageFailure.self) { _ = try Repair(disk, path: FullDirectory.path, writes: writes) }
    }
    _ = ledger.price
    #expect(throws: StorageFailure.missing(path: "/none")) { _ = try Repair(disk, path: "/none", writes: true) }
  }
}
