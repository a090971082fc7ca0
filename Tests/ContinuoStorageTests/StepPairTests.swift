// Two operations on an open directory at once, in every order: one stands still at each of its calls while the other one runs.
// Invariant: the state is that of the steps in the order in which they were offered, behind a kill and a power cut too; a copy
// has what was acknowledged before it; an operation waits for another one where both need the same lock, and only there.
// Not here: stopping (CallGate), calls that fail (CheckpointTests, CopyFaultTests), crashes in between (CrashPointTests).

import Continuo
import ContinuoStorage
import ContinuoTestSupport
import Testing

/// What is done to an open directory.
enum PairedOperation: CaseIterable, Sendable {
  case checkpoint, backup, commit, longCommit, rollback, retract, moveHorizon

  /// Whether it is written to the journal, by the ledger's own thread.
  var isStep: Bool { self != .checkpoint && self != .backup }

  /// About how many calls it makes.
  var callsMax: Int { self == .backup ? 72 : isStep ? 16 : 12 }

  /// What it waits for where another one has it.
  var needs: Set<PairedLock> {
    switch self {
    case .checkpoint, .backup: [.turn, .journal, .manifest]
    // Of these one alone begins a file, which the manifest is to name first.
    case .longCommit: [.journal, .manifest]
    case .commit, .rollback, .retract, .moveHorizon: [.journal]
    }
  }

  func perform(on ledger: Ledger, copyingTo path: String) throws {
    switch self {
    case .checkpoint: _ = try ledger.checkpoint()
    case .backup: _ = try ledger.backup(to: path)
    case .commit: _ = try ledger.take(Self.batch, wallClock: nil)
    case .longCommit: _ = try ledger.take(Self.longBatch, wallClock: nil)
    case .rollback: _ = try ledger.rollback(chain: 1, above: 899)
    case .retract: _ = try ledger.retract(Self.identity)
    case .moveHorizon: _ = try ledger.moveHorizon()
    }
  }

  /// The same, in memory.
  func perform(on engine: inout Engine) throws {
    switch self {
    case .checkpoint, .backup: break
    case .commit: try engine.apply(Self.batch, wallClock: nil)
    case .longCommit: try engine.apply(Self.longBatch, wallClock: nil)
    case .rollback: _ = try engine.rollback(chain: 1, above: 899)
    case .retract: _ = engine.retract(Self.identity)
    case .moveHorizon: engine.moveHorizon()
    }
  }

  /// Late ones too, in a segment that is kept.
  private static var batch: EventBatch { FullDirectory.batch(3, hour: 2, block: 330, names: 4..<7) }
  private static var longBatch: EventBatch { FullDirectory.batch(9, hour: 12, block: 990, names: 0..<90) }
  private static var identity: EventIdentity { EventIdentity(kind: .swap, chain: 1, block: 300, logIndex: 2) }
}

/// What operations have to themselves for a time.
enum PairedLock: Sendable {
  /// Checkpoints, and the copying of files.
  case turn
  case journal, manifest
}

@Suite("Two operations at once")
struct StepPairTests {
  private static let base = try? PairBase()

  /// What an operation has to itself that is stopped at a call.
  private static func locks(_ operation: PairedOperation, at calls: [CallGate.Call]) -> Set<PairedLock> {
    guard let call = calls.last else { return [] }
    var locks: Set<PairedLock> = []
    if call.path.hasPrefix("/data/manifest") || call.name == "fsync" && call.path == "/data" { locks.insert(.manifest) }
    if operation.isStep || call.name == "fdatasync" && call.path.hasPrefix("/data/journal/") { locks.insert(.journal) }
    // A copy's directory is synced when it is marked, when its files are there, and when it is done; it is read in between.
    let synced = calls.dropLast().count { $0.name == "fsync" && $0.path == "/copy-1" }
    if !operation.isStep, synced < 2 { locks.insert(.turn) }
    return locks
  }

  /// How many orders there were, and how often the second one had to wait.
  private struct Orders {
    var tried = 0
    var waited = 0
  }

  /// Rules 7.1, 7.3, 7.5, 7.6, 7.8.
  @Test("One operation whole at each call of another one", arguments: PairedOperation.allCases)
  func whole(first: PairedOperation) throws {
    let base = try #require(Self.base)
    var orders = Orders()
    for second in PairedOperation.allCases {
      for index in stride(from: 0, to: 1000, by: Seeds.every(5)) {
        let pair = try OpenPair(base, first, second)
        pair.gate.stop(.first, at: index)
        let context = "\(first) stopped at call \(index), \(second) meanwhile"
        var wasStopped = false
        pair.run {
          guard pair.gate.stand(.first) == .stopped else {
            pair.gate.release(.first)
            return pair.begin()
          }
          wasStopped = true
          if second == .checkpoint { pair.gate.perform(as: .bystander) { pair.expectRefusals(context) } }
          let calls = pair.gate.calls
          let mustWait = !Self.locks(first, at: calls).isDisjoint(with: second.needs)
          pair.begin()
          let rest = pair.gate.settle(.second)
          // A step is answered by a thread that makes no calls: while that works, whoever waits for it sleeps.
          let end = mustWait || rest == .ended ? rest : pair.gate.stand(.second)
          #expect(
            end == (mustWait ? .waiting : .ended), "\(context): \(calls.last?.name ?? "") \(calls.last?.path ?? "")")
          orders.waited += mustWait ? 1 : 0
          pair.gate.release(.first)
        }
        try pair.expectState(context, copyHasStep: Self.copyHasStep(pair, stoppedAt: index))
        orders.tried += 1
        if !wasStopped { break }
      }
    }
    print("pairs: \(first): \(orders.tried) orders, in \(orders.waited) the other one waited")
    #expect(orders.tried > 14 / Seeds.every(2))
  }

  /// Whether the first operation, a copy, was made behind the step that ran while it was stopped.
  private static func copyHasStep(_ pair: OpenPair, stoppedAt index: Int) -> Bool? {
    let calls = pair.gate.calls
    switch (pair.first, pair.second.isStep) {
    case (.backup, true):
      let own = calls.filter { $0.role == .first }
      return own.firstIndex { $0.name == "fdatasync" && $0.path.hasPrefix("/data/journal/") }.map { index < $0 }
    // A step is written and synced before anybody else has the journal.
    case (_, false): return pair.first.isStep
    default: return nil
    }
  }

  /// The same, with both stopped on their way: the first one goes on to its end, or waits, while the second one stands.
  @Test("Both stopped, at any two calls", arguments: Seeds.thisRun(1))
  func both(seed: UInt64) throws {
    let base = try #require(Self.base)
    var random = SeededGenerator(seed: seed)
    var rests: [CallGate.Rest: Int] = [:]
    for _ in 0..<(240 / Seeds.every(8)) {
      // The others make two calls, with the journal to themselves.
      let long: [PairedOperation] = [.checkpoint, .backup, .longCommit]
      let (first, second) = (random.pick(long), random.pick(long))
      let pair = try OpenPair(base, first, second)
      pair.gate.stop(.first, at: Int.random(in: 0..<first.callsMax, using: &random))
      pair.gate.stop(.second, at: Int.random(in: 0..<second.callsMax, using: &random))
      pair.run {
        _ = pair.gate.stand(.first)
        pair.begin()
        let rest = pair.gate.settle(.second)
        rests[rest, default: 0] += 1
        pair.gate.release(.first)
        _ = pair.gate.settle(.first)
        pair.gate.release(.second)
      }
      try pair.expectState("\(first) and \(second) stopped, \(Seeds.replay(seed, "StepPairTests"))", copyHasStep: nil)
    }
    print(
      "pairs: the first one stopped, then the second: stopped \(rests[.stopped] ?? 0), waiting \(rests[.waiting] ?? 0), ended \(rests[.ended] ?? 0)"
    )
    #expect(rests[.stopped] ?? 0 > 0)
  }
}
