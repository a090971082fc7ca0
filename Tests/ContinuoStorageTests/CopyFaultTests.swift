// A crash behind every call that makes a copy, and every one of these calls failing: what is copied stays, what opens is right.
// Invariant: a target that opens has the state of what was copied; all else is refused.
// Not here: what a copy holds (DirectoryCopyTests), steps meanwhile (RunningBackupTests), real processes (BackupTests).

import Continuo
import ContinuoStorage
import ContinuoTestSupport
import Testing

/// Who makes a copy of what.
enum CopyRole: CaseIterable, Sendable {
  /// Of a directory that nobody writes in; of a backup; of one that is open, by who has it.
  case backup, restore, running

  var source: String { self == .restore ? "/backup" : "/data" }
  var target: String { self == .restore ? "/restored" : "/copy" }
}

@Suite("Copies that are cut off, or fail")
struct CopyFaultTests {
  private static let directory = try? FullDirectory()

  /// What is on the disk before the copy is begun.
  private static func before(_ role: CopyRole) throws -> (DiskState, DirectoryState) {
    let directory = try #require(directory)
    let disk = SimulatedDisk(directory.image)
    if role == .restore { _ = try DirectoryCopy(disk, from: "/data", to: "/backup") }
    return (disk.image, directory.state)
  }

  /// Opens what is there for the copy that is to be made, and hands on how to make it.
  private static func withCopier(
    _ role: CopyRole, _ disk: SimulatedDisk, _ body: (_ copy: () throws -> DirectoryCopy, Ledger?) throws -> Void
  ) throws {
    guard role == .running else {
      return try body({ try DirectoryCopy(disk, from: role.source, to: role.target) }, nil)
    }
    let ledger = try Ledger(disk, path: role.source, FullDirectory.options)
    try body({ try ledger.backup(to: role.target) }, ledger)
  }

  /// What a target is: right, absent or empty, or refused.
  private static func target(
    _ image: DiskState, _ role: CopyRole, _ state: DirectoryState, _ context: String
  ) throws -> StorageFailure? {
    let failure = DirectoryCopyTests.failure {
      let read = try ReadDirectory(SimulatedDisk(image), path: role.target, Engine.Settings())
      let found = try DirectoryState(read.engine)
      #expect(found == state, "\(context)")
    }
    switch failure {
    case nil: break
    case .missing:
      let left = image.names.keys.filter { $0.hasPrefix(role.target + "/") }
      #expect(left == [], "\(context)")
    case .unfinishedCopy:
      // Nor does who writes take it for a new one.
      let disk = SimulatedDisk(image)
      #expect(throws: StorageFailure.unfinishedCopy(path: role.target), "\(context)") {
        _ = try Ledger(disk, path: role.target, FullDirectory.options)
      }
    default: Issue.record("\(failure?.description ?? ""): \(context)")
    }
    return failure
  }

  /// Rules 7.5, 7.6: at no moment is there a smaller truth.
  @Test("A crash behind every call", arguments: CopyRole.allCases)
  func everyPoint(role: CopyRole) throws {
    let (image, state) = try Self.before(role)
    let disk = SimulatedDisk(image)
    var base = image
    var operations: [DiskOperation] = []
    try Self.withCopier(role, disk) { copy, _ in
      base = disk.image
      let begun = disk.operations.count
      _ = try copy()
      operations = Array(disk.operations[begun...])
    }
    let source = DirectoryCopyTests.files(base, below: role.source)
    let seed = Seeds.thisRun(1)[0]
    var random = SeededGenerator(seed: seed)
    var (images, missing, refused, right) = (0, 0, 0, 0)
    let points = Array(stride(from: 0, to: operations.count, by: Seeds.every(6))) + [operations.count]
    for point in points {
      let crash = CrashImages(operations[..<point], on: base)
      var fates = UnsyncedWrite.allCases.map { [$0] }
      fates += (0..<3).map { _ in (0..<3).map { _ in random.pick(UnsyncedWrite.allCases) } }
      for (index, fate) in (crash.unsynced == 0 ? [[.kept], [.dropped]] : fates).enumerated() {
        let image = crash.image(keepsNames: index % 2 == 0, using: &random) { fate[$0 % fate.count] }
        images += 1
        let context = "\(role), point \(point) of \(operations.count), \(fate), seed \(seed)"
        let isUnchanged = DirectoryCopyTests.files(image, below: role.source) == source
        #expect(isUnchanged, "\(context)")
        let outcome = try Self.target(image, role, state, context)
        // Nothing is left to chance once it is said to be made.
        if point == operations.count { #expect(outcome == nil, "\(context)") }
        switch outcome {
        case nil: right += 1
        case .missing: missing += 1
        default: refused += 1
        }
      }
    }
    print(
      "copies cut off: \(role): \(operations.count) calls, \(images) images: "
        + "\(missing) not there, \(refused) refused, \(right) right")
    #expect(missing > 0 && refused > 30 && right > 1)
  }

  /// Rules 7.2, 7.6: a call that fails is told by its path; what is copied stays, and can be copied elsewhere.
  @Test("Every call fails in turn, with EIO and ENOSPC", arguments: CopyRole.allCases)
  func everyCall(role: CopyRole) throws {
    let (image, state) = try Self.before(role)
    let source = DirectoryCopyTests.files(image, below: role.source)
    var (faults, poisoned) = (0, 0)
    for (code, message) in [(Int32(5), "input/output error"), (28, "no space left on device")] {
      // One call alone, then that and all behind it.
      for times in [1, Int.max] {
        for calls in stride(from: 0, to: 10_000, by: Seeds.every(12)) {
          let disk = SimulatedDisk(image)
          var failure: StorageFailure?
          try Self.withCopier(role, disk) { copy, ledger in
            let opened = DirectoryCopyTests.files(disk.image, below: role.source)
            disk.fail(after: calls, times: times, code: code, message: message)
            failure = DirectoryCopyTests.failure { _ = try copy() }
            disk.fail(after: .max)
            guard let failure else { return }
            faults += 1
            let context = "\(role), call \(calls), \(failure)"
            #expect(failure.description.contains(message), "\(context)")
            #expect(failure.description.contains("/"), "\(context)")
            let isUnchanged = DirectoryCopyTests.files(disk.image, below: role.source) == opened
            #expect(isUnchanged, "\(context)")
            _ = try Self.target(disk.image, role, state, context)
            if case .poisoned = failure {
              poisoned += 1
              return
            }
            let again =
              try ledger?.backup(to: "/again") ?? DirectoryCopy(disk, from: role.source, to: "/again")
            #expect(again.events == state.inspection.swaps + state.inspection.transfers)
            if let ledger {
              #expect(try ledger.take(DirectoryCopyTests.oneMore, wallClock: nil).accepted == 1, "\(context)")
            }
          }
          if failure == nil { break }
        }
      }
    }
    let isUnchanged = DirectoryCopyTests.files(image, below: role.source) == source
    #expect(isUnchanged)
    print("copies that fail: \(role): \(faults) calls that failed, \(poisoned) ended ingestion")
    // The journal's own sync, which is final.
    if Seeds.every(2) == 1 { #expect(poisoned == (role == .running ? 4 : 0)) }
    #expect(faults > 400 / Seeds.every(12))
  }
}
