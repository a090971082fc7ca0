// A directory on which two operations are made at once, and what it must be behind both.
// Invariant: what is expected comes from an engine in memory that never saw a disk.
// Not here: which operations, and where they are stopped (StepPairTests, CallGate).

import Continuo
import ContinuoBytes
import ContinuoStorage
import ContinuoTestSupport
import Testing

/// A directory of segments, names and a journal with room for two blocks in its last file; days of it are over their time.
struct PairBase {
  let image: DiskState
  private let states: [[PairedOperation]: DirectoryState]

  static var options: Ledger.Options {
    var options = FullDirectory.options
    options.journalFileBytes = 8 * 4096
    return options
  }

  private static var batches: [EventBatch] {
    [
      FullDirectory.batch(0, hour: 1, block: 100, names: 0..<9),
      FullDirectory.batch(3, hour: 1, block: 300, names: 0..<7),
      FullDirectory.batch(9, hour: 1, block: 900, names: 6..<16),
    ]
  }

  init() throws {
    let disk = SimulatedDisk()
    var engine = Engine(PairBase.options.engine)
    var all = Self.batches
    do {
      let ledger = try Ledger(disk, path: FullDirectory.path, PairBase.options)
      for batch in all { _ = try ledger.take(batch, wallClock: nil) }
      _ = try ledger.checkpoint()
      while ledger.journalPosition.byte + 2 * 4096 < PairBase.options.journalFileBytes {
        let number = all.count
        all.append(FullDirectory.batch(9, hour: 6, block: UInt64(940 + number), names: number..<number + 2))
        _ = try ledger.take(all[number], wallClock: nil)
      }
    }
    for batch in all { try engine.apply(batch, wallClock: nil) }
    image = disk.image
    var states: [[PairedOperation]: DirectoryState] = [:]
    for first in PairedOperation.allCases {
      for second in PairedOperation.allCases {
        let steps = [first, second].filter(\.isStep)
        for count in 0...steps.count {
          var behind = Engine(PairBase.options.engine)
          for batch in all { try behind.apply(batch, wallClock: nil) }
          for step in steps[..<count] { try step.perform(on: &behind) }
          states[Array(steps[..<count])] = try DirectoryState(behind)
        }
      }
    }
    self.states = states
  }

  /// The state behind some steps.
  func state(behind steps: [PairedOperation]) throws -> DirectoryState { try #require(states[steps]) }
}

/// A ledger on which two operations are made.
final class OpenPair {
  let gate: CallGate
  let first: PairedOperation
  let second: PairedOperation
  private let base: PairBase
  private let disk: SimulatedDisk
  private var ledger: Ledger?
  /// Lets the second operation begin.
  private let start = MonitorHandle(false)

  init(_ base: PairBase, _ first: PairedOperation, _ second: PairedOperation) throws {
    (self.base, self.first, self.second) = (base, first, second)
    disk = SimulatedDisk(base.image)
    ledger = try Ledger(disk, path: FullDirectory.path, PairBase.options)
    let gate = CallGate(steps: first.isStep ? .first : .second)
    self.gate = gate
    disk.setBeforeCall { name, path in gate.pass(name, path) }
    // A step that changes nothing: whose thread the calls of steps are made on is known then.
    _ = try ledger?.retract(EventIdentity(kind: .swap, chain: 77, block: 1))
    gate.endLearning()
  }

  /// Lets the second operation begin.
  func begin() { start.locked { $0 = true } }

  /// Begins the first operation, and runs both to their end while `main` says where they stand.
  func run(_ main: () -> Void) {
    guard let ledger else { return }
    let (gate, first, second, start) = (gate, first, second, start)
    let failures: [String] = Threads.run(2) { number -> String in
      if number == 1 { start.locked(when: { $0 }, { _ in }) }
      let (role, operation) = number == 0 ? (CallGate.Role.first, first) : (.second, second)
      do {
        try gate.perform(as: role) { try operation.perform(on: ledger, copyingTo: "/copy-\(number + 1)") }
        return ""
      } catch { return "\(operation): \(error)" }
    } while: {
      main()
    }
    #expect(failures == ["", ""])
    disk.setBeforeCall(nil)
  }

  /// Rule 7.8: whoever else wants the directory meanwhile is told who has it.
  func expectRefusals(_ context: String) {
    let before = disk.operations.count
    let path = FullDirectory.path
    func expectLocked(_ body: () throws -> Void) {
      let failure = DirectoryCopyTests.failure(body)
      let isLocked = if case .locked(path, _) = failure { true } else { false }
      #expect(isLocked, "\(context): \(failure?.description ?? "not refused")")
    }
    expectLocked { _ = try Repair(disk, path: path, writes: true) }
    expectLocked { _ = try Repair(disk, path: path, writes: false) }
    expectLocked { _ = try DirectoryCopy(disk, from: path, to: "/other") }
    expectLocked { _ = try Ledger(disk, path: path, PairBase.options) }
    expectLocked { _ = try ReadDirectory(disk, path: path, Engine.Settings()) }
    #expect(disk.operations.count == before, "\(context)")
  }

  private static func state(_ image: DiskState, _ path: String) throws -> DirectoryState {
    let read = try ReadDirectory(SimulatedDisk(image), path: path, Engine.Settings())
    return try DirectoryState(read.engine)
  }

  /// - Parameter copyHasStep: whether the copy has the step that was made meanwhile; nil: either may be.
  func expectState(_ context: String, copyHasStep: Bool?) throws {
    let path = FullDirectory.path
    let steps = [first, second].filter(\.isStep)
    let expected = try base.state(behind: steps)
    // The process is killed, the power is cut, the directory is closed.
    let killed = try Self.state(disk.image, path)
    #expect(killed == expected, "\(context): killed")
    var random = SeededGenerator(seed: 1)
    let crash = CrashImages(disk.operations[...], on: base.image)
    let cut = try Self.state(crash.image(keepsNames: false, using: &random) { _ in .dropped }, path)
    #expect(cut == expected, "\(context): cut")
    ledger = nil
    for (number, operation) in [first, second].enumerated() where operation == .backup {
      let copy = try Self.state(disk.image, "/copy-\(number + 1)")
      let states = try (0...steps.count).map { try base.state(behind: Array(steps[..<$0])) }
      let isRight = copyHasStep.map { copy == states[$0 ? steps.count : 0] } ?? states.contains(copy)
      #expect(isRight, "\(context): copy \(number + 1)")
    }
    // Whoever comes next finds nothing that nobody needs, and goes on.
    let next = try Ledger(disk, path: path, PairBase.options)
    #expect(next.opening.marks.isDisjoint(with: [.unnamedKeptFile, .unfinishedFile, .tornTail]), "\(context)")
    #expect(try next.take(DirectoryCopyTests.oneMore, wallClock: nil).accepted == 1, "\(context)")
    _ = try next.checkpoint()
    let sound = Engine.Settings()
    let read = try ReadDirectory(SimulatedDisk(disk.image), path: path, sound)
    #expect(read.engine.inspection().swaps == expected.inspection.swaps + 1, "\(context)")
  }
}
