// Checkpoints: what they write and release, when they are made, and what is left of one that fails.
// Invariant: what the directory brings back is what was acknowledged, whatever a checkpoint did.
// Not here: crashes (CrashPointTests), the files' bytes (SegmentTests, ManifestTests), any market (LedgerProperties).

import Continuo
import ContinuoFormats
import ContinuoStorage
import ContinuoTestSupport
import Testing

@Suite("Checkpoints")
struct CheckpointTests {
  private static let start = Timestamp(microseconds: 1_730_419_200_000_000)

  /// Swaps and transfers of one hour, told from others by their block.
  private static func batch(hour: Int, block: UInt64, rows: Int = 3) -> EventBatch {
    var batch = EventBatch()
    let time = start + Int64(hour) * 3_600_000_000
    for index in 0..<rows {
      batch.append(
        Swap(
          block: block, logIndex: UInt32(index), timestamp: time, token: ByteString("T\(index % 7)"),
          side: .buy, amountUSD: Decimal18(whole: Int64(index + 1)), priceUSD: .one,
          wallet: ByteString("wallet \(block) \(index)")))
    }
    batch.append(
      Transfer(
        block: block, logIndex: UInt32(rows), timestamp: time, token: "T0", from: "0x0", to: "holder", amount: .one))
    return batch
  }

  private static func options(journalBlocks: Int64 = 8) -> Ledger.Options {
    var options = Ledger.Options()
    options.journalFileBytes = journalBlocks * 4096
    return options
  }

  private static func names(_ disk: SimulatedDisk, _ suffix: String) -> [String] {
    disk.image.names.keys.filter { $0.hasSuffix(suffix) }.sorted()
  }

  private static func count(_ engine: borrowing Engine) -> Int {
    let counts = engine.inspection()
    return counts.swaps + counts.transfers
  }

  private static func digest(_ disk: SimulatedDisk) throws -> String {
    let read = try ReadDirectory(SimulatedDisk(disk.image), path: "/data", Engine.Settings())
    return try StateDigest.hexadecimal(of: read.engine)
  }

  /// Rule 7.3: a checkpoint holds what changed and no more; the journal before it is released, and a start takes nothing of it.
  @Test("What is written, and what is released")
  func incremental() throws {
    let disk = SimulatedDisk()
    do {
      let ledger = try Ledger(disk, path: "/data", Self.options())
      for hour in 0..<24 { _ = try ledger.take(Self.batch(hour: hour, block: UInt64(hour)), wallClock: nil) }
      let before = try Self.digest(disk)
      let first = try ledger.checkpoint()
      #expect(first.sequence == 24)
      // Six stretches of four hours, and names.
      #expect(first.files == 7)
      #expect(Self.names(disk, ".segment").count == 6)
      #expect(Self.names(disk, ".journal").count == 1)
      #expect(try Self.digest(disk) == before)
      let idle = try ledger.checkpoint()
      #expect(idle.files == 0)
      _ = try ledger.take(Self.batch(hour: 3, block: 100), wallClock: nil)
      let second = try ledger.checkpoint()
      // One stretch again, and the names that are new.
      #expect(second.files == 2)
      #expect(Self.names(disk, ".segment").count == 6)
      #expect(try ledger.rollback(chain: 0, above: 20) == 4 * 4)
      let third = try ledger.checkpoint()
      #expect(third.files == 2)
    }
    let read = try ReadDirectory(SimulatedDisk(disk.image), path: "/data", Engine.Settings())
    #expect(read.restored.records == 0)
    #expect(read.restored.keptEvents == 21 * 4)
    #expect(read.engine.checkInvariants() == [])
    // Twice the same: opening and closing changes nothing.
    let digest = try Self.digest(disk)
    _ = try Ledger(disk, path: "/data", Self.options())
    #expect(try Self.digest(disk) == digest)
  }

  /// Rules 6.4, 6.5, 7.3: what is below the horizon leaves the segments; what is left of it is kept.
  @Test("Retention: segments go, bases come")
  func retention() throws {
    let disk = SimulatedDisk()
    var options = Self.options()
    options.engine.retention = try RetentionPolicy("raw=7d")
    var engine = Engine(options.engine)
    do {
      let ledger = try Ledger(disk, path: "/data", options)
      for hour in stride(from: 0, to: 24 * 12, by: 5) {
        let batch = Self.batch(hour: hour, block: UInt64(hour))
        _ = try ledger.take(batch, wallClock: nil)
        _ = try engine.apply(batch, wallClock: nil)
        if hour % 50 == 0 {
          #expect(try ledger.moveHorizon() == engine.moveHorizon())
          _ = try ledger.checkpoint()
        }
      }
    }
    #expect(Self.names(disk, ".bases").count == 1)
    #expect(Self.names(disk, ".segment").count <= 6 * 9)
    let read = try ReadDirectory(SimulatedDisk(disk.image), path: "/data", Engine.Settings())
    #expect(read.engine.horizon == engine.horizon)
    #expect(read.engine.checkInvariants() == [])
    let found = try StateDigest.hexadecimal(of: read.engine)
    let expected = try StateDigest.hexadecimal(of: engine)
    #expect(found == expected)
  }

  /// Rules 6.4, 7.3: candles that have moved up while the horizon stood still are where they were, whatever is asked later.
  @Test("Archives that moved between two checkpoints under one horizon")
  func archives() throws {
    func fill(_ disk: SimulatedDisk, checkpoints: Bool) throws {
      var options = Self.options(journalBlocks: 400)
      options.engine.retention = try RetentionPolicy("raw=7d,1h=20d,4h=20d,1d=25d,1w=30d")
      let ledger = try Ledger(disk, path: "/data", options)
      for hour in stride(from: 0, to: 24 * 45, by: 7) {
        _ = try ledger.take(Self.batch(hour: hour, block: UInt64(hour)), wallClock: nil)
        _ = try ledger.moveHorizon()
        if checkpoints, hour % 14 == 0 { _ = try ledger.checkpoint() }
      }
      if checkpoints { _ = try ledger.checkpoint() }
    }
    let (with, without) = (SimulatedDisk(), SimulatedDisk())
    try fill(with, checkpoints: true)
    try fill(without, checkpoints: false)
    var settings = Engine.Settings()
    settings.retention = try RetentionPolicy("raw=forever,1m=forever,5m=forever,15m=forever")
    let kept = try ReadDirectory(SimulatedDisk(with.image), path: "/data", settings)
    let replayed = try ReadDirectory(SimulatedDisk(without.image), path: "/data", settings)
    #expect(kept.restored.records == 0)
    let found = try StateDigest.hexadecimal(of: kept.engine)
    let expected = try StateDigest.hexadecimal(of: replayed.engine)
    #expect(found == expected)
  }

  /// Rules 7.1, 7.2: a ledger that goes answers everything that was offered, also where the next file is still being made.
  @Test("A ledger that goes while batches are on their way")
  func goes() throws {
    for round in 0..<20 {
      let disk = SimulatedDisk()
      var options = Self.options()
      options.preparesFiles = true
      options.checkpointBytes = round % 2 == 0 ? nil : 16 * 4096
      var offered: [OfferedBatch] = []
      do {
        let ledger = try Ledger(disk, path: "/data", options)
        for block in 0..<40 {
          offered.append(try ledger.offer(Self.batch(hour: block, block: UInt64(block), rows: 200), wallClock: nil))
        }
      }
      for batch in offered { #expect(try batch.receipt().accepted == 201) }
      let left = disk.image.names.keys.filter { $0.hasSuffix(".new") && $0.contains("journal") }
      #expect(left == [])
      let read = try ReadDirectory(SimulatedDisk(disk.image), path: "/data", Engine.Settings())
      #expect(Self.count(read.engine) == 40 * 201)
    }
  }

  /// Rule 7.5: a journal that went on in a copy of the directory is not taken behind kept files of the other one.
  @Test("Two directories that were one, mixed")
  func forks() throws {
    let disk = SimulatedDisk()
    do {
      let ledger = try Ledger(disk, path: "/data", Self.options(journalBlocks: 64))
      for hour in 0..<4 { _ = try ledger.take(Self.batch(hour: hour, block: UInt64(hour)), wallClock: nil) }
    }
    func fork(_ amount: Int) throws -> DiskState {
      let own = SimulatedDisk(disk.image)
      let ledger = try Ledger(own, path: "/data", Self.options(journalBlocks: 64))
      for block in 10..<14 {
        _ = try ledger.take(Self.batch(hour: block, block: UInt64(block), rows: amount), wallClock: nil)
      }
      _ = try ledger.checkpoint()
      _ = try ledger.take(Self.batch(hour: 20, block: 20), wallClock: nil)
      return own.image
    }
    let (one, other) = (try fork(3), try fork(5))
    for suffix in [".journal", ".segment", ".names"] {
      var mixed = one
      for (path, file) in one.names where path.hasSuffix(suffix) {
        mixed.files[file] = other.files[other.names[path] ?? 0]
      }
      let isRefused =
        if case .damaged = Self.failure(mixed) { true } else { false }
      #expect(isRefused, "\(suffix)")
    }
    #expect(Self.failure(one) == nil)
  }

  private static func failure(_ state: DiskState) -> StorageFailure? {
    do throws(StorageFailure) {
      _ = try ReadDirectory(SimulatedDisk(state), path: "/data", Engine.Settings())
      return nil
    } catch { return error }
  }

  /// Rule 7.3: the journal's growth is bounded by checkpoints that nobody asks for; one is made at the end.
  @Test("Checkpoints as the journal grows, and at the end")
  func automatic() throws {
    let disk = SimulatedDisk()
    var options = Self.options()
    options.checkpointBytes = 64 * 4096
    do {
      let ledger = try Ledger(disk, path: "/data", options)
      for block in 0..<600 {
        _ = try ledger.take(Self.batch(hour: block / 20, block: UInt64(block)), wallClock: nil)
      }
      #expect(ledger.checkpointFailure == nil)
    }
    let read = try ReadDirectory(SimulatedDisk(disk.image), path: "/data", Engine.Settings())
    #expect(read.restored.records == 0)
    #expect(Self.count(read.engine) == 600 * 4)
    #expect(Self.names(disk, ".journal").count == 1)
    #expect(Self.names(disk, ".names").count < 12)
  }

  /// Rule 7.6: every damaged file is told, not only the first; a directory that is sound is said to be.
  @Test("Verification: sound, and with several files damaged")
  func verification() throws {
    let disk = SimulatedDisk()
    do {
      let ledger = try Ledger(disk, path: "/data", Self.options())
      for hour in 0..<24 { _ = try ledger.take(Self.batch(hour: hour, block: UInt64(hour)), wallClock: nil) }
      _ = try ledger.checkpoint()
      _ = try ledger.take(Self.batch(hour: 30, block: 100), wallClock: nil)
    }
    let sound = try Verification(SimulatedDisk(disk.image), path: "/data")
    #expect(sound.isSound)
    #expect(sound.events == 25 * 4)
    #expect(sound.files == 8)
    var state = disk.image
    let damaged = [Self.names(disk, ".segment")[1], Self.names(disk, ".segment")[4], Self.names(disk, ".names")[0]]
    for path in damaged { state.files[state.names[path] ?? 0]?[200] ^= 1 }
    let found = try Verification(SimulatedDisk(state), path: "/data")
    let files = found.failures.map { failure in
      if case .damaged(let file, _, _, _) = failure { file } else { "" }
    }
    #expect(Set(files) == Set(damaged))
    #expect(files.count == 3)
  }

  /// Rule 7.3: a ledger that is about to go says whether its last checkpoint could be made; nothing is lost where it could not.
  @Test("The last checkpoint fails, and is made")
  func last() throws {
    let disk = SimulatedDisk()
    var options = Self.options()
    options.checkpointBytes = 1 << 16
    let ledger = try Ledger(disk, path: "/data", options)
    _ = try ledger.take(Self.batch(hour: 1, block: 1), wallClock: nil)
    // Behind the journal's sync, whose failure would be the end.
    disk.fail(after: 1, times: 1)
    ledger.finishCheckpoints()
    disk.fail(after: .max)
    guard case .disk = ledger.checkpointFailure else {
      Issue.record("\(String(describing: ledger.checkpointFailure))")
      return
    }
    #expect(Self.names(disk, ".segment").isEmpty)
    _ = try ledger.take(Self.batch(hour: 2, block: 2), wallClock: nil)
    ledger.finishCheckpoints()
    #expect(ledger.checkpointFailure == nil)
    #expect(Self.names(disk, ".segment").count == 1)
    let read = try ReadDirectory(SimulatedDisk(disk.image), path: "/data", Engine.Settings())
    #expect(read.restored.records == 0)
    #expect(Self.count(read.engine) == 8)
  }

  /// Rules 7.2, 7.3: a checkpoint that fails says so, and takes nothing along; the next one keeps what it did not.
  @Test("Every call of a checkpoint fails once; the ledger goes on")
  func failing() throws {
    var (failed, poisoned) = (0, 0)
    for calls in 0... {
      let disk = SimulatedDisk()
      let ledger = try Ledger(disk, path: "/data", Self.options())
      for hour in 0..<8 { _ = try ledger.take(Self.batch(hour: hour, block: UInt64(hour)), wallClock: nil) }
      let before = disk.calls
      disk.fail(after: calls, times: 1)
      let failure: StorageFailure?
      do throws(StorageFailure) {
        _ = try ledger.checkpoint()
        failure = nil
      } catch { failure = error }
      let made = disk.calls - before
      disk.fail(after: .max)
      let isPoisoned = if case .poisoned = failure { true } else { false }
      if failure != nil {
        failed += 1
        #expect(ledger.checkpointFailure == failure, "call \(calls)")
      }
      let more = Self.batch(hour: 9, block: 100)
      if isPoisoned {
        // Which manifest the next start finds nobody knows: another try touches what neither of them names.
        disk.fail(after: 0, times: 3)
        #expect(throws: StorageFailure.self) { try ledger.checkpoint() }
        disk.fail(after: .max)
        poisoned += 1
        #expect(throws: StorageFailure.self, "call \(calls)") { try ledger.take(more, wallClock: nil) }
      } else {
        #expect(try ledger.take(more, wallClock: nil).accepted == 4, "call \(calls)")
        _ = try ledger.checkpoint()
        #expect(ledger.checkpointFailure == nil)
      }
      let read = try ReadDirectory(SimulatedDisk(disk.image), path: "/data", Engine.Settings())
      #expect(Self.count(read.engine) == (isPoisoned ? 8 : 9) * 4, "call \(calls)")
      if !isPoisoned { #expect(read.restored.records == 0, "call \(calls)") }
      if made <= calls { break }
    }
    print("failing checkpoints: \(failed) calls that failed, \(poisoned) ended ingestion")
    // The journal's sync, the manifest's rename, and the sync of its directory.
    #expect(poisoned == 3)
    #expect(failed > 10)
  }

  /// Rules 7.3, 8: readers and steps go on while a checkpoint is written, and it holds whole batches.
  @Test("Steps while a checkpoint is written")
  func meanwhile() throws {
    let disk = SimulatedDisk()
    var options = Self.options(journalBlocks: 64)
    options.checkpointBytes = nil
    let ledger = try Ledger(disk, path: "/data", options)
    let taken = Threads.run(
      1,
      { _ -> Int in
        var taken = 0
        for block in 0..<400 {
          taken += (try? ledger.take(Self.batch(hour: block / 20, block: UInt64(block)), wallClock: nil).accepted) ?? 0
        }
        return taken
      },
      while: {
        for _ in 0..<30 {
          _ = try? ledger.checkpoint()
          let image = SimulatedDisk(disk.image)
          if let read = try? ReadDirectory(image, path: "/data", Engine.Settings()) {
            let counts = read.engine.inspection()
            #expect(counts.swaps == 3 * counts.transfers)
            let wrong = read.engine.checkInvariants()
            #expect(wrong == [])
          } else {
            Issue.record("a directory that cannot be read while it is written")
          }
        }
      })
    #expect(taken == [1600])
    _ = try ledger.checkpoint()
    let read = try ReadDirectory(SimulatedDisk(disk.image), path: "/data", Engine.Settings())
    #expect(Self.count(read.engine) == 1600)
  }
}
