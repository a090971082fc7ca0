// The two stages of a ledger, each with a thread of its own: one writes what was offered, the other applies what is written.
// Invariant: steps are written, applied and answered in the order in which they were offered; a step is applied when its frame
// is as durable as was asked for; what was offered as one is in one frame, and shown at once; behind the first failure nothing is
// written or applied.
// Not here: what is offered (Ledger), the journal's bytes (JournalWriter).
// Source: group commit, D. DeWitt et al., "Implementation Techniques for Main Memory Database Systems", 1984.

internal import Continuo
internal import ContinuoBytes
internal import Synchronization

/// What was offered at once, and what becomes of it: one step, or several that are one.
final class LedgerAnswer: Sendable {
  let steps: [JournalRecord]
  /// Whether somebody writes down what the engine rejects of it, behind it.
  private let isNoted: Bool
  // Each has its own, for of a condition that all shared every answer would wake them all.
  private let outcome = MonitorHandle<LedgerOutcome?>(nil)

  init(_ steps: [JournalRecord], isNoted: Bool = false) { (self.steps, self.isNoted) = (steps, isNoted) }

  /// Whether there is something to write down of what became of it.
  func isToNote(_ outcome: LedgerOutcome) -> Bool {
    guard isNoted, let receipts = try? outcome.receipts() else { return false }
    let known = steps.reduce(0) { $0 + ($1.batch?.rejections.count ?? 0) }
    return receipts.reduce(0) { $0 + $1.rejections.count } > known
  }

  /// What it weighs while it waits.
  fileprivate var weight: Int { steps.reduce(0) { $0 + $1.weight } }

  fileprivate func settle(_ settled: LedgerOutcome) { outcome.locked { $0 = settled } }

  /// Waits for the outcome.
  func wait() -> LedgerOutcome {
    let settled = outcome.locked(when: { $0 != nil }, { $0 })
    guard let settled else { preconditionFailure("a step that was waited for has an outcome") }
    return settled
  }
}

/// What became of a step.
enum LedgerOutcome: Sendable {
  case taken(Receipt)
  /// Several batches that are one.
  case takenWhole([Receipt])
  case refused(Refusal)
  case failed(StorageFailure)

  /// A step that is no batch, and undid so many events.
  static func undone(_ count: Int) -> LedgerOutcome {
    var receipt = Receipt()
    receipt.undone = count
    return .taken(receipt)
  }

  func receipt() throws -> Receipt { try receipts().last ?? Receipt() }

  /// A receipt for each step that was offered at once.
  func receipts() throws -> [Receipt] {
    switch self {
    case .taken(let receipt): return [receipt]
    case .takenWhole(let receipts): return receipts
    case .refused(let refusal): throw refusal
    case .failed(let failure): throw failure
    }
  }
}

/// Writes and applies steps.
final class LedgerStages: Sendable {
  private struct Offered: Sendable {
    var waiting: [LedgerAnswer] = []
    var rows = 0
    var isClosed = false
  }

  private struct Written: Sendable {
    var groups: [(steps: [LedgerAnswer], failure: StorageFailure?, frame: JournalFrame)] = []
    var isClosed = false
  }

  /// So many rows may wait to be written, and so many groups to be applied: who offers more waits.
  private static let rowsMax = 2 * Limits.batchRowsMax
  private static let groupsMax = 2

  private let offered = MonitorHandle(Offered())
  private let written = MonitorHandle(Written())
  private let journal: Mutex<LedgerJournal>
  private let applied: Mutex<Applied>
  /// The last frame that the engine has, and whose version can be seen.
  private let seen: Atomic<UInt64>
  /// How many batches are applied of which somebody still writes down what was rejected: until then the journal keeps them.
  private let unnoted = MonitorHandle(0)
  /// So long a checkpoint waits for that.
  private static let notingMicroseconds: Int64 = 1_000_000
  /// Is told how many bytes the journal has, behind every frame, and whether there was no room for it.
  private let progress: @Sendable (Int64, Bool) -> Void
  /// Why nothing more may be written just now; nil: it may be.
  private let refusal: @Sendable () -> StorageFailure?

  /// The engine, and the last frame that it has.
  private struct Applied: ~Copyable {
    var engine: Engine
    var frame: JournalFrame
  }

  init(
    _ engine: consuming sending Engine, _ writer: consuming sending JournalWriter,
    refusal: @escaping @Sendable () -> StorageFailure?, progress: @escaping @Sendable (Int64, Bool) -> Void
  ) {
    (self.refusal, self.progress) = (refusal, progress)
    seen = Atomic(writer.lastFrame.sequence)
    applied = Mutex(Applied(engine: engine, frame: writer.lastFrame))
    journal = Mutex(LedgerJournal(writer))
  }

  /// Offers steps that are one; waits where too much is waiting already. O(1).
  func offer(_ steps: JournalRecord...) -> LedgerAnswer { offer(whole: steps) }

  func offer(whole steps: [JournalRecord], isNoted: Bool = false) -> LedgerAnswer {
    let answer = LedgerAnswer(steps, isNoted: isNoted)
    let weight = answer.weight
    offered.locked(
      when: { $0.rows < Self.rowsMax },
      { state in
        state.waiting.append(answer)
        state.rows += weight
      })
    return answer
  }

  /// Lets the second stage end where there is no first one.
  func abandon() { written.locked { $0.isClosed = true } }

  /// Lets both stages end, once all that was offered is answered.
  func close() { offered.locked { $0.isClosed = true } }

  var appliedSequence: UInt64 { seen.load(ordering: .acquiring) }
  var position: JournalPosition { journal.withLock { $0.position } }
  func eventCount(chain: UInt32, above block: UInt64) -> Int {
    applied.withLock { $0.engine.eventCount(chain: chain, above: block) }
  }

  /// How far each source has come whose batches are applied.
  var positions: [InputPosition] { applied.withLock { $0.engine.positions } }

  func publication() -> Publication { applied.withLock { $0.engine.publication() } }

  // MARK: checkpoints

  /// Keeps the engine as it is now. One caller at a time. O(what has changed).
  func checkpoint(
    _ checkpoint: inout Checkpoint, droppedTailBytes: Int64
  ) throws(StorageFailure) -> CheckpointReceipt {
    // What is kept is in the journal, and on the disk there, before anybody reads the journal from behind it.
    var frame = JournalFrame(sequence: 0, chain: 0)
    let version = captured(&frame)
    if let failure = sync() {
      end(version)
      throw failure
    }
    do throws(DiskFailure) {
      guard let start = journal.withLock({ $0.start(behind: frame.sequence) }) else {
        preconditionFailure("a frame that was applied is in a file")
      }
      let receipt = try checkpoint.keep(version, frame, start: start, droppedTailBytes: droppedTailBytes)
      journal.withLock { $0.release(before: start.file) }
      end(version)
      return receipt
    } catch {
      let (changed, areBasesChanged) = (version.changed, version.areBasesChanged)
      applied.withLock { $0.engine.giveBack(changed, areBasesChanged) }
      end(version)
      guard let doubt = checkpoint.uncertainty else { throw .disk(error) }
      // Nobody knows which manifest the next start will find: what either of them names stays as it is.
      throw journal.withLock { $0.poison(doubt) }
    }
  }

  /// What became of an answer that was to be noted is.
  func noted(_ answer: LedgerAnswer, _ outcome: LedgerOutcome) {
    if answer.isToNote(outcome) { unnoted.locked { $0 -= 1 } }
  }

  /// The directory as it is now, behind a whole frame that is synced. No checkpoint is made at the same time.
  func moment(_ keeper: ManifestKeeper) throws(StorageFailure) -> CopyMoment {
    try journal.withLock { (journal) throws(StorageFailure) in
      if let failure = journal.sync() { throw failure }
      // Files are begun, and named in the manifest, by who has the journal.
      return CopyMoment(manifest: keeper.current, end: journal.end)
    }
  }

  /// The engine as it is now, and its frame; not while somebody writes down what it rejected, or a second later all the same.
  private func captured(_ frame: inout JournalFrame) -> KeptVersion {
    let patience = ContinuousClock.now + .microseconds(Self.notingMicroseconds)
    while true {
      let left = patience - ContinuousClock.now
      let microseconds = Int64(left / .microseconds(1))
      unnoted.locked(when: { $0 == 0 }, withinMicroseconds: microseconds, { _ in })
      let version: KeptVersion? = applied.withLock { applied in
        // Batches are applied under the same lock: what is counted here is what the version would have.
        guard unnoted.locked({ $0 }) == 0 || ContinuousClock.now >= patience else { return nil }
        frame = applied.frame
        return applied.engine.kept()
      }
      if let version { return version }
    }
  }

  /// Lets go of a version; without readers none is left from then on.
  private func end(_ version: consuming KeptVersion) {
    _ = consume version
    applied.withLock { $0.engine.endVersions() }
  }

  /// Makes all that was written durable; the failure, if there was one.
  func sync() -> StorageFailure? { journal.withLock { $0.sync() } }

  // MARK: stages

  /// The first stage: writes all that waits as one frame, again and again.
  func write() {
    while true {
      let group = offered.locked(when: { !$0.waiting.isEmpty || $0.isClosed }, { Self.group(&$0) })
      guard !group.isEmpty else { return written.locked { $0.isClosed = true } }
      let refused = refusal()
      let (failure, frame, bytes) = journal.withLock { ($0.write(group, unless: refused), $0.frame, $0.bytes) }
      progress(bytes, failure?.wantsCheckpoint ?? false)
      written.locked(when: { $0.groups.count < Self.groupsMax }, { $0.groups.append((group, failure, frame)) })
    }
  }

  /// The second stage: applies what is written, and answers.
  func apply() {
    while true {
      let next = written.locked(
        when: { !$0.groups.isEmpty || $0.isClosed }, { $0.groups.isEmpty ? nil : $0.groups.removeFirst() })
      guard let next else { return }
      let outcomes =
        next.failure.map { failure in next.steps.map { _ in LedgerOutcome.failed(failure) } }
        ?? applied.withLock { applied in
          var outcomes: [LedgerOutcome] = []
          for answer in next.steps {
            let outcome = applied.engine.take(whole: answer.steps)
            if answer.isToNote(outcome) { unnoted.locked { $0 += 1 } }
            outcomes.append(outcome)
          }
          applied.frame = next.frame
          return outcomes
        }
      if next.failure == nil { seen.store(next.frame.sequence, ordering: .releasing) }
      for (answer, outcome) in zip(next.steps, outcomes) { answer.settle(outcome) }
    }
  }

  /// As many as make a batch of the greatest size: a frame stays within bounds, but for what was offered as one.
  private static func group(_ state: inout Offered) -> [LedgerAnswer] {
    var (count, rows) = (0, 0)
    for answer in state.waiting {
      let weight = answer.weight
      if count > 0, rows + weight > Limits.batchRowsMax { break }
      rows += weight
      count += 1
    }
    let group = Array(state.waiting.prefix(count))
    state.waiting.removeFirst(count)
    state.rows -= rows
    return group
  }
}

/// What the first stage has: the journal, and whether a call has failed.
private struct LedgerJournal: ~Copyable {
  private var writer: JournalWriter
  private var failure: StorageFailure?
  /// Whether there was no room the last time: until there is, what would fit the rest of a file is not taken either, or it would
  /// go before what was refused.
  private var isFull = false

  init(_ writer: consuming JournalWriter) { self.writer = writer }

  var position: JournalPosition { writer.position }
  var end: JournalEnd { writer.end }
  var frame: JournalFrame { writer.lastFrame }
  var bytes: Int64 { writer.bytes }

  /// Ends ingestion for good.
  mutating func poison(_ cause: DiskFailure) -> StorageFailure {
    let own = failure ?? .poisoned(by: cause.description)
    failure = own
    return own
  }

  mutating func start(behind sequence: UInt64) -> JournalStart? { writer.start(behind: sequence) }
  mutating func release(before file: UInt32) { writer.release(before: file) }

  /// Writes steps as one frame, unless they are refused; the failure that it met, or the one before.
  mutating func write(_ steps: [LedgerAnswer], unless refused: StorageFailure?) -> StorageFailure? {
    if let failure { return failure }
    if let refused { return refused }
    do throws(DiskFailure) {
      var missing = isFull ? try writer.missingRoom() : nil
      if missing == nil { missing = try writer.append(steps.flatMap(\.steps)) }
      isFull = missing != nil
      // Not for good: nothing was written.
      return missing.map { .noRoom(path: writer.path, bytesLeft: $0.bytesLeft, bytesNeeded: $0.bytesNeeded) }
    } catch { failure = .poisoned(by: error.description) }
    return failure
  }

  mutating func sync() -> StorageFailure? {
    if let failure { return failure }
    do throws(DiskFailure) { try writer.finish() } catch { failure = .poisoned(by: error.description) }
    return failure
  }
}
