// Every call to the disk fails in turn: nothing is acknowledged that is not kept, and nothing after it.
// Invariant: a run that meets no fault ends the test.
// Not here: crashes (CrashPointTests).

import Continuo
import ContinuoFormats
import ContinuoStorage
import ContinuoTestSupport
import Foundation
import Synchronization
import Testing

@Suite("Disk faults")
struct DiskFaultTests {
  /// Rules 7.2, 8: while a disk hangs nothing is acknowledged, and what is asked is answered as of the last batch that was.
  @Test("A disk that hangs for ten seconds: reads go on, and see nothing that is not synced")
  func hangingDisk() throws {
    let disk = SimulatedDisk()
    var options = Ledger.Options()
    options.journalFileBytes = 8 * 4096
    let ledger = try Ledger(disk, path: "/data", options)
    var reader = ledger.publication().reader()
    #expect(try ledger.take(.oneSwap(block: 1), wallClock: nil).accepted == 1)
    let gate = Mutex(false)
    let hangs = Mutex(0)
    disk.setBeforeSync {
      hangs.withLock { $0 += 1 }
      while !gate.withLock({ $0 }) { usleep(1000) }
    }
    let offered = try (2...4).map { try ledger.offer(.oneSwap(block: $0), wallClock: nil) }
    for _ in 0..<5000 where hangs.withLock({ $0 }) == 0 { usleep(1000) }
    try #require(hangs.withLock { $0 } == 1, "nothing waits for the disk")
    let answered = Mutex(0)
    var (reads, wrong, early) = (0, 0, 0)
    var slowest = Duration.zero
    let accepted: [Int] = Threads.run(offered.count) { index in
      let count = (try? offered[index].receipt())?.accepted ?? 0
      answered.withLock { $0 += 1 }
      return count
    } while: {
      let clock = ContinuousClock()
      let start = clock.now
      while clock.now - start < .seconds(10) {
        let began = clock.now
        let swaps = reader.read { $0.inspection().swaps }
        slowest = max(slowest, clock.now - began)
        reads += 1
        if swaps != 1 { wrong += 1 }
        if answered.withLock({ $0 }) > 0 { early += 1 }
        usleep(100)
      }
      gate.withLock { $0 = true }
    }
    print("a disk that hangs: \(reads) reads in ten seconds, the slowest took \(slowest)")
    #expect((wrong, early) == (0, 0))
    #expect(reads > 1000)
    #expect(slowest < .seconds(2))
    #expect(accepted == [1, 1, 1])
    let swaps = reader.read { $0.inspection().swaps }
    #expect(swaps == 4)
  }

  /// Rule 7.2: a disk that is nearly full takes no more, loses nothing, and goes on when there is room again.
  @Test("No room for the next file: nothing is written, and it is taken up when there is")
  func noRoom() throws {
    let disk = SimulatedDisk()
    var options = Ledger.Options()
    options.journalFileBytes = 3 * 4096
    // Without one that would make room itself.
    options.checkpointBytes = nil
    let ledger = try Ledger(disk, path: "/data", options)
    func take(_ block: UInt64) throws -> Int { try ledger.take(.oneSwap(block: block), wallClock: nil).accepted }
    for block in 1...2 { #expect(try take(UInt64(block)) == 1) }
    disk.setBytesLeft(6 * 4096 - 1)
    let calls = disk.operations.count
    for _ in 0..<3 {
      #expect(throws: StorageFailure.noRoom(path: "/data", bytesLeft: 6 * 4096 - 1, bytesNeeded: 6 * 4096)) {
        try take(3)
      }
    }
    #expect(disk.operations.count == calls)
    disk.setBytesLeft(6 * 4096)
    #expect(try take(3) == 1)
    let read = try ReadDirectory(SimulatedDisk(disk.image), path: "/data", Engine.Settings())
    #expect(read.engine.inspection().swaps == 3)
  }

  /// Rules 7.1, 7.2: what a failed sync left can be read and is on no disk. It is shown, so it is written once more.
  @Test(
    "A sync fails once, the system forgets what it could not write, the directory is opened again",
    arguments: Seeds.thisRun(4))
  func lostSync(seed: UInt64) throws {
    let workload = try LedgerWorkload(seed: seed, steps: 12)
    var random = SeededGenerator(seed: seed)
    var lost = 0
    for syncs in 0... {
      let disk = SimulatedDisk()
      disk.loseSync(after: syncs)
      var done = 0
      do throws(StorageFailure) {
        let ledger = try Ledger(disk, path: "/data", workload.options)
        while done < workload.steps.count - 2 {
          try workload.perform(done, on: ledger)
          done += 1
        }
        break
      } catch { lost += 1 }
      // The same system goes on: what it remembers is read.
      let again = try Ledger(disk, path: "/data", workload.options)
      let first = try #require(
        workload.inspections.indices.last { index in
          index >= done && index <= done + 1 && workload.inspections[index] == Self.inspection(again)
            && workload.positions[index] == again.positions
        })
      try workload.perform(first, on: again)
      let image = CrashImages(disk.operations[...]).image(keepsNames: true, using: &random) { _ in .dropped }
      let kept = try ReadDirectory(SimulatedDisk(image), path: "/data", workload.settings)
      let digest = try LedgerWorkload.digest(kept.engine)
      #expect(digest == workload.digests[first + 1], "sync \(syncs), seed \(seed)")
    }
    #expect(lost > 10)
  }

  private static func inspection(_ ledger: Ledger) -> Inspection {
    var reader = ledger.publication().reader()
    return reader.read { $0.inspection() }
  }

  /// Rule 7.2: the first failure is final, reads go on, what was acknowledged comes back.
  @Test("Every call fails in turn, with EIO and ENOSPC", arguments: Seeds.thisRun(4))
  func everyCall(seed: UInt64) throws {
    let workload = try LedgerWorkload(seed: seed, steps: 12)
    var faults = 0
    for code in [Int32(5), 28] {
      for calls in 0... {
        let disk = SimulatedDisk()
        disk.fail(after: calls, code: code, message: code == 5 ? "input/output error" : "no space left on device")
        var acknowledged = 0
        var failure: StorageFailure?
        do throws(StorageFailure) {
          let ledger = try Ledger(disk, path: "/data", workload.options)
          let readers = ledger.publication()
          for step in workload.steps.indices {
            do throws(StorageFailure) {
              try workload.perform(step, on: ledger)
              #expect(failure == nil, "nothing is acknowledged behind a failure")
              acknowledged += 1
            } catch {
              if failure == nil { failure = error }
              #expect(error == failure)
            }
          }
          // Reads go on.
          var reader = readers.reader()
          let inspection = reader.read { $0.inspection() }
          #expect(inspection == workload.inspections[acknowledged])
        } catch {
          failure = error
        }
        guard let failure else { break }
        faults += 1
        #expect(failure.description.contains(code == 5 ? "input/output error" : "no space left"))
        let image = SimulatedDisk(disk.image)
        do throws(StorageFailure) {
          let read = try ReadDirectory(image, path: "/data", workload.settings)
          let digest = (try? LedgerWorkload.digest(read.engine)) ?? ""
          #expect(workload.holds(digest, from: acknowledged, through: acknowledged + 1), "call \(calls), seed \(seed)")
        } catch {
          guard case .missing = error, acknowledged == 0 else {
            Issue.record("\(error)")
            continue
          }
        }
        // The next start takes up where this one ended.
        let ledger = try Ledger(SimulatedDisk(disk.image), path: "/data", workload.options)
        #expect(ledger.opening.records >= acknowledged)
      }
    }
    print("disk faults: seed \(seed): \(faults) calls that failed")
    #expect(faults > 40)
  }
}
