// Copies of a directory that is open and written in: each is the directory behind a whole step.
// Invariant: all that was acknowledged before a copy was begun is in it; the ledger goes on as if there were none.
// Not here: calls that fail and crashes (CopyFaultTests), directories that nobody writes in (DirectoryCopyTests).

import Continuo
import ContinuoFormats
import ContinuoStorage
import ContinuoTestSupport
import Foundation
import Synchronization
import Testing

@Suite("Backups of a running ledger")
struct RunningBackupTests {
  private static func digest(_ image: DiskState, _ path: String) throws -> String {
    let read = try ReadDirectory(SimulatedDisk(image), path: path, Engine.Settings())
    return try StateDigest.hexadecimal(of: read.engine)
  }

  /// What threads know of each other.
  private struct Steps: Sendable {
    var offered = 0
    var acknowledged = 0
    /// So many may be offered before the next copy is begun.
    var allowed = 0
    var checkpoints = 0
    var isDone = false
  }

  /// Waits for what other threads do, ten seconds at most.
  private static func wait(for steps: borrowing Mutex<Steps>, _ condition: (Steps) -> Bool) {
    for _ in 0..<50_000 where !condition(steps.withLock { $0 }) { usleep(200) }
  }

  /// Takes steps, in the order of the workload, as far as they are allowed; how many.
  private static func takeSteps(
    of workload: GroupWorkload, on ledger: Ledger, _ steps: borrowing Mutex<Steps>
  ) -> Int {
    var done = 0
    while true {
      let isDone = steps.withLock { $0.offered == workload.batches.count || $0.isDone }
      let next = steps.withLock { steps -> (Int, OfferedBatch)? in
        guard steps.offered < min(workload.batches.count, steps.allowed),
          let offered = try? ledger.offer(workload.batches[steps.offered], wallClock: nil)
        else { return nil }
        steps.offered += 1
        return (steps.offered, offered)
      }
      if let (number, offered) = next {
        guard (try? offered.receipt()) != nil else { return done }
        steps.withLock { $0.acknowledged = max($0.acknowledged, number) }
        done += 1
      } else if isDone {
        return done
      } else {
        usleep(50)
      }
    }
  }

  /// Rules 7.1, 7.6, 7.8: a copy is a first part of what was acknowledged, and at least what was before it was begun.
  @Test(
    "Four threads take steps, checkpoints are made, backups are taken", arguments: [Durability.sync, .os])
  func meanwhile(durability: Durability) throws {
    let seed = Seeds.thisRun(1)[0]
    var random = SeededGenerator(seed: seed)
    let (count, portion) = (Seeds.every(2) == 1 ? 240 : 60, 12)
    let workload = try GroupWorkload((0..<count).map { _ in Int.random(in: 1...9, using: &random) })
    let disk = SimulatedDisk()
    var options = GroupWorkload.options
    options.durability = durability
    let ledger = try Ledger(disk, path: "/data", options)
    let steps = Mutex(Steps())
    @Sendable func makeCheckpoints() -> Int {
      while !steps.withLock({ $0.isDone }) {
        if (try? ledger.checkpoint()) != nil { steps.withLock { $0.checkpoints += 1 } }
        usleep(700)
      }
      return 0
    }
    var moments = Set<UInt64>()
    let counts = Threads.run(
      5, { $0 == 4 ? makeCheckpoints() : Self.takeSteps(of: workload, on: ledger, steps) },
      while: {
        for copy in 0...count / portion {
          steps.withLock { $0.allowed += portion }
          // Every copy has more than the one before, and now and then there is a checkpoint between two.
          Self.wait(for: steps) { $0.acknowledged >= copy * portion && $0.checkpoints >= copy / 3 }
          let before = steps.withLock { $0.acknowledged }
          do {
            let made = try ledger.backup(to: "/backup-\(copy)")
            let after = steps.withLock { $0.offered }
            if let sequence = made.sequence { moments.insert(sequence) }
            let found = try Self.digest(disk.image, "/backup-\(copy)")
            let isFirstPart = workload.digests[before...after].contains(found)
            #expect(isFirstPart, "copy \(copy), steps \(before) to \(after), seed \(seed)")
          } catch { Issue.record("\(error), seed \(seed)") }
        }
        steps.withLock { $0.isDone = true }
      })
    let checkpoints = steps.withLock { $0.checkpoints }
    print(
      "running backups: \(durability): \(count / portion + 1) copies of \(moments.count) moments, "
        + "\(checkpoints) checkpoints, \(count) steps")
    #expect(counts.reduce(0, +) == count)
    #expect(ledger.checkpointFailure == nil)
    // Two that follow each other may be of one moment.
    #expect(moments.count >= count / portion / 2 && checkpoints >= count / portion / 3)
    #expect(try Self.digest(disk.image, "/backup-\(count / portion)") == workload.digests[count])
    #expect(try Self.digest(disk.image, "/data") == workload.digests[count])
  }

  /// Rules 7.5, 7.6: a frame that is not there anybody misses who knows where the journal ended.
  @Test("A disk that loses the last frame of a copy")
  func lostFrame() throws {
    let workload = try GroupWorkload([4, 4, 4])
    let disk = SimulatedDisk()
    let ledger = try Ledger(disk, path: "/data", GroupWorkload.options)
    for batch in workload.batches { _ = try ledger.take(batch, wallClock: nil) }
    let zeros = [UInt8](repeating: 0, count: 4096)
    let failure = try #require(
      DirectoryCopyTests.failure {
        _ = try ledger.backup(
          to: "/copy",
          progress: { step in
            guard step.phase == .verifying else { return }
            try? disk.open("/copy/journal/00000001.journal", forWriting: true).write(zeros.span, at: 3 * 4096)
          })
      })
    #expect(failure.description.hasPrefix("the copy has 7 events and 2 frames, and should have 3 frames"), "\(failure)")
    #expect(throws: StorageFailure.unfinishedCopy(path: "/copy")) {
      _ = try ReadDirectory(disk, path: "/copy", Engine.Settings())
    }
  }

  /// Rules 7.1, 7.6: what is written behind the moment of a copy is not in it, whatever it is and whenever it comes.
  @Test("A step at every call of a backup: it is not in the copy")
  func steps() throws {
    let workload = try GroupWorkload([5, 5, 5, 1500, 5])
    var (calls, tried) = (0, 0)
    for after in 0... {
      let disk = SimulatedDisk()
      let ledger = try Ledger(disk, path: "/data", GroupWorkload.options)
      for step in 0..<3 { _ = try ledger.take(workload.batches[step], wallClock: nil) }
      _ = try ledger.checkpoint()
      var seen = 0
      // Steps are taken when so much of the copy is told; one of them begins a file.
      let copy = try ledger.backup(
        to: "/copy",
        progress: { _ in
          if seen == after {
            for step in 3..<5 { _ = try? ledger.take(workload.batches[step], wallClock: nil) }
            tried += 1
          }
          seen += 1
        })
      calls = max(calls, seen)
      #expect(copy.sequence == 3)
      #expect(try Self.digest(disk.image, "/copy") == workload.digests[3], "after \(after)")
      #expect(try Self.digest(disk.image, "/data") == workload.digests[after < seen ? 5 : 3], "after \(after)")
      let bytes = disk.image.bytes(of: "/copy/journal/00000001.journal") ?? []
      let first = try #require(disk.image.bytes(of: "/data/journal/00000001.journal"))
      let end = 4 * 4096
      let (hasSteps, hasZeros) = (bytes[..<end] == first[..<end], bytes[end...].allSatisfy { $0 == 0 })
      #expect(bytes.count == first.count && hasSteps && hasZeros)
      if seen <= after { break }
    }
    print("running backups: a step at each of \(tried) calls")
    #expect(calls > 4)
  }

  /// Rules 7.1, 7.6: a copy has nothing that a crash could take from where it was made.
  @Test("The machine goes down behind a backup, whatever the durability", arguments: Durability.allCases)
  func crash(durability: Durability) throws {
    let workload = try GroupWorkload([4, 4, 4, 4])
    let disk = SimulatedDisk()
    var options = GroupWorkload.options
    options.durability = durability
    let ledger = try Ledger(disk, path: "/data", options)
    for batch in workload.batches[..<3] { _ = try ledger.take(batch, wallClock: nil) }
    _ = try ledger.backup(to: "/backup")
    _ = try ledger.take(workload.batches[3], wallClock: nil)
    var random = SeededGenerator(seed: 1)
    for keepsNames in [true, false] {
      let image = CrashImages(disk.operations[...]).image(keepsNames: keepsNames, using: &random) { _ in .dropped }
      #expect(try Self.digest(image, "/backup") == workload.digests[3])
      #expect(try Self.digest(image, "/data") == workload.digests[durability == .sync ? 4 : 3])
    }
  }

  /// Rules 7.5, 7.6: a copy of an open directory whose file has decayed is told to be none; the ledger goes on.
  @Test("A kept file that changed under a ledger, a place that is taken, a ledger that has stopped")
  func refusals() throws {
    let directory = try FullDirectory()
    let disk = SimulatedDisk(directory.image)
    let ledger = try Ledger(disk, path: "/data", FullDirectory.options)
    _ = try ledger.backup(to: "/first")
    for path in ["/first", "/data/below", "/data"] {
      let failure = DirectoryCopyTests.failure { _ = try ledger.backup(to: path) }
      let isBadTarget = if case .badTarget(path, _) = failure { true } else { false }
      #expect(isBadTarget, "\(path)")
    }
    let segment = try #require(directory.files.first { $0.hasSuffix(".segment") })
    var changed = directory.bytes(segment)
    changed[100] ^= 4
    try disk.open(segment, forWriting: true).write(changed.span, at: 0)
    let failure = try #require(DirectoryCopyTests.failure { _ = try ledger.backup(to: "/second") })
    let isBad = if case .badCopy("/second", _) = failure { true } else { false }
    #expect(isBad && failure.description.contains(segment.dropFirst(6)), "\(failure)")
    #expect(throws: StorageFailure.unfinishedCopy(path: "/second")) {
      _ = try ReadDirectory(disk, path: "/second", Engine.Settings())
    }
    #expect(try ledger.take(DirectoryCopyTests.oneMore, wallClock: nil).accepted == 1)
    disk.fail(after: 0, times: 1)
    #expect(throws: StorageFailure.self) { try ledger.take(.oneSwap(block: 88_889), wallClock: nil) }
    let stopped = DirectoryCopyTests.failure { _ = try ledger.backup(to: "/third") }
    let isPoisoned = if case .poisoned = stopped { true } else { false }
    #expect(isPoisoned)
    #expect(disk.image.names["/third/manifest.copy"] == nil)
  }

  /// Rules 7.6, 7.8, 7.9: on the machine's own disk: modes, links, relative places, two at a time.
  @Test("On a real disk")
  func real() throws {
    let path = FileManager.default.temporaryDirectory.path + "/continuo-\(UInt64.random(in: .min ... .max))"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: path) }
    func mode(_ name: String) throws -> Int {
      let attributes = try FileManager.default.attributesOfItem(atPath: path + name)
      return (attributes[.posixPermissions] as? NSNumber)?.intValue ?? (attributes[.posixPermissions] as? Int) ?? 0
    }
    func isBadTarget(_ body: () throws -> Void) -> Bool {
      if case .badTarget = DirectoryCopyTests.failure(body) { true } else { false }
    }
    var options = Ledger.Options()
    options.journalFileBytes = 16 * 4096
    do {
      let ledger = try Ledger(RealDisk(), path: path + "/data", options)
      for block in 1...9 { _ = try ledger.take(.oneSwap(block: UInt64(block)), wallClock: nil) }
      _ = try ledger.checkpoint()
      _ = try ledger.take(.oneSwap(block: 10), wallClock: nil)
      let made: [Bool] = Threads.run(4) { index in
        (try? ledger.backup(to: path + "/backup-\(index / 2)")) != nil
      } while: {
      }
      #expect(made.count { $0 } == 2)
      #expect(try ledger.backup(to: path + "/backup/").events == 10)
      try FileManager.default.createSymbolicLink(atPath: path + "/link", withDestinationPath: path + "/data")
      #expect(isBadTarget { _ = try ledger.backup(to: path + "/link/kept/../below") })
    }
    for name in ["/backup", "/backup/journal", "/backup/kept"] { #expect(try mode(name) == 0o700) }
    for name in ["lock", "manifest", "journal/00000001.journal", "kept/00000001.segment"] {
      #expect(try mode("/backup/" + name) == 0o600)
    }
    let restored = try DirectoryCopy(from: path + "/backup", to: path + "/restored")
    #expect(restored.events == 10)
    let read = try ReadDirectory(path: path + "/restored")
    #expect(read.engine.inspection().swaps == 10)
    #expect(isBadTarget { _ = try DirectoryCopy(from: path + "/link", to: path + "/data/below") })
    #expect(isBadTarget { _ = try DirectoryCopy(from: path + "/data", to: path + "/link/below") })
    let missing = DirectoryCopyTests.failure { _ = try DirectoryCopy(from: path + "/data", to: path + "/no/such") }
    #expect(missing?.description.hasPrefix("\(path)/no: realpath failed: ") ?? false, "\(missing?.description ?? "")")
    try Data().write(to: URL(filePath: path + "/file"))
    let file = DirectoryCopyTests.failure { _ = try DirectoryCopy(from: path + "/data", to: path + "/file") }
    #expect(file?.description.hasPrefix("\(path)/file: opendir failed: ") ?? false, "\(file?.description ?? "")")
  }
}
