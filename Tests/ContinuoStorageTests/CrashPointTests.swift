// A crash behind every call to the disk, with every kind of what it may leave: what was acknowledged is there.
// Invariant: what comes back is what was acknowledged, or that and the step in flight.
// Not here: real processes and real disks (ProcessTests), calls that fail (DiskFaultTests).

import Continuo
import ContinuoFormats
import ContinuoStorage
import ContinuoTestSupport
import Testing

@Suite("Crash points")
struct CrashPointTests {
  /// Rules 7.1, 7.5: everything acknowledged is there, and nothing but the step in flight besides.
  @Test("A crash behind every call, and another one while it is brought back", arguments: Seeds.thisRun(5))
  func everyPoint(seed: UInt64) throws {
    var marks: Set<RecoveryMark> = []
    let workload = try LedgerWorkload(seed: seed, steps: 14)
    let disk = SimulatedDisk()
    var acknowledged: [Int] = []
    // With the system alone as a witness a crash leaves a first part, of any length.
    var options = workload.options
    options.durability = seed % 3 == 0 ? .os : .sync
    // Made ahead by a thread of its own, a file may be anywhere on its way.
    options.preparesFiles = seed % 2 == 0
    do {
      let ledger = try Ledger(disk, path: "/data", options)
      for step in workload.steps.indices {
        try workload.perform(step, on: ledger)
        acknowledged.append(disk.operations.count)
        if step % 6 == 4 { _ = try ledger.checkpoint() }
      }
    }
    let operations = disk.operations
    var random = SeededGenerator(seed: seed)
    var (images, refused, cut) = (0, 0, 0)
    for point in stride(from: 0, through: operations.count, by: Seeds.every(5)) {
      let crash = CrashImages(operations[..<point])
      let done = acknowledged.prefix { $0 <= point }.count
      for (variant, fate) in fates(crash.unsynced, &random).enumerated() {
        let image = crash.image(keepsNames: variant % 2 == 0, using: &random) { fate[$0] }
        images += 1
        let context =
          "point \(point) of \(operations.count), variant \(variant) \(fate), \(Seeds.replay(seed, "CrashPointTests"))"
        let again = SimulatedDisk(image)
        do throws(StorageFailure) {
          let ledger = try Ledger(again, path: "/data", workload.options)
          if ledger.opening.tornTailBytes > 0 { cut += 1 }
          marks.formUnion(ledger.opening.marks)
        } catch {
          // Only a write that went astray over what was acknowledged may be refused: nothing can bring that back.
          guard case .damaged = error, fate.contains(.elsewhere) else {
            Issue.record("\(error): \(context)")
            continue
          }
          refused += 1
          continue
        }
        let digest = try Self.digest(again, workload)
        if cut == 1 {
          // What was cut is known at the next start.
          marks.formUnion(try ReadDirectory(again, path: "/data", workload.settings).restored.marks)
        }
        let first = options.durability == .sync ? done : 0
        #expect(workload.holds(digest, from: first, through: done + 1), "\(context)")
        if variant == 0 || variant == 2 { marks.formUnion(try recover(image, done, workload, context, &random)) }
      }
    }
    print(
      "crash points: seed \(seed): \(operations.count) calls, \(images) images, \(cut) torn tails, \(refused) refused")
    #expect(cut > 0)
    let missing = Set(RecoveryMark.allCases).subtracting(marks)
    #expect(missing == [], "rare ways that were never gone")
  }

  /// A crash behind every call that bringing back makes; then it is brought back, and goes on.
  private func recover(
    _ image: DiskState, _ done: Int, _ workload: LedgerWorkload, _ context: String, _ random: inout SeededGenerator
  ) throws -> Set<RecoveryMark> {
    var marks: Set<RecoveryMark> = []
    let first = SimulatedDisk(image)
    _ = try Ledger(first, path: "/data", workload.options)
    let expected = try Self.digest(first, workload)
    // What a crash has left, and nobody needs, is gone behind the first writer.
    let tidy = try Ledger(SimulatedDisk(first.image), path: "/data", workload.options).opening.marks
    #expect(tidy.isDisjoint(with: [.unnamedKeptFile, .unfinishedFile, .tornTail]), "\(context)")
    for point in stride(from: 0, through: first.operations.count, by: Seeds.every(5)) {
      let crash = CrashImages(first.operations[..<point], on: image)
      let fate = UnsyncedWrite.allCases[point % 6]
      let second = SimulatedDisk(crash.image(keepsNames: point % 2 == 0, using: &random) { _ in fate })
      let ledger = try Ledger(second, path: "/data", workload.options)
      marks.formUnion(ledger.opening.marks)
      let again = try ledger.retract(EventIdentity(kind: .swap, chain: .max, block: .max))
      #expect(!again)
      let digest = try Self.digest(second, workload)
      #expect(digest == expected, "recovery, point \(point) \(fate), \(context)")
    }
    return marks
  }

  private static func digest(_ disk: SimulatedDisk, _ workload: LedgerWorkload) throws -> String {
    let read = try ReadDirectory(SimulatedDisk(disk.image), path: "/data", workload.settings)
    return try LedgerWorkload.digest(read.engine)
  }

  /// What becomes of so many unsynced writes: all alike, each one alone unlike the others, some at random.
  private func fates(_ count: Int, _ random: inout SeededGenerator) -> [[UnsyncedWrite]] {
    guard count > 0 else { return [[], []] }
    var fates = UnsyncedWrite.allCases.map { [UnsyncedWrite](repeating: $0, count: count) }
    for index in 0..<min(count, 4) where count > 1 {
      for fate in UnsyncedWrite.allCases.dropFirst() {
        var one = [UnsyncedWrite](repeating: .kept, count: count)
        one[index] = fate
        fates.append(one)
      }
    }
    for _ in 0..<6 { fates.append((0..<count).map { _ in random.pick(UnsyncedWrite.allCases) }) }
    return fates
  }
}
