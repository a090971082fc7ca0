// Every call to the disk fails in turn: nothing is acknowledged that is not kept, and nothing after it.
// Invariant: a run that meets no fault ends the test.
// Not here: crashes (CrashPointTests).

import Continuo
import ContinuoFormats
import ContinuoStorage
import ContinuoTestSupport
import Testing

@Suite("Disk faults")
struct DiskFaultTests {
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
          let digest = (try? StateDigest.hexadecimal(of: read.engine)) ?? ""
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
