// When a checkpoint is made: on demand, when the journal has grown by so much, and at the end.
// Invariant: one at a time; one that fails is tried again when the journal has grown once more, and says so until then.
// Not here: what a checkpoint does (Checkpoint), the steps meanwhile (LedgerStages).

internal import ContinuoBytes
internal import Synchronization

/// Makes checkpoints of a ledger.
final class Checkpointer: Sendable {
  private struct State: Sendable {
    /// How many bytes were written when the last one was begun, and are now; and how many the journal had when that was told.
    var begun: Int64 = 0
    var written: Int64 = 0
    var journal: Int64 = 0
    /// There is no room for more of the journal: what a checkpoint releases may be enough.
    var isWanted = false
    var isClosed = false
    var failure: StorageFailure?
  }

  private let disk: any Disk
  private let directory: DataDirectory
  private let keeper: ManifestKeeper
  private let droppedTailBytes: Int64
  /// By so many bytes the journal grows before the next one; nil: only on demand.
  private let limit: Int64?
  private let state: MonitorHandle<State>
  private let turn = Mutex(())

  init(
    _ disk: any Disk, _ directory: DataDirectory, _ keeper: ManifestKeeper, journal: (bytes: Int64, sequence: UInt64),
    droppedTailBytes: Int64, limit: Int64?
  ) {
    (self.disk, self.directory, self.keeper) = (disk, directory, keeper)
    self.droppedTailBytes = droppedTailBytes
    // Under that a checkpoint would be made behind every frame.
    self.limit = limit.map { max($0, 1 << 16) }
    var state = State()
    state.journal = journal.bytes
    // What is in the journal already counts: a directory that is opened again and again gets its checkpoint too.
    if journal.sequence > keeper.current.keptSequence { state.written = journal.bytes }
    self.state = MonitorHandle(state)
  }

  /// Why the last checkpoint failed; nil if it did not.
  var failure: StorageFailure? { state.locked { $0.failure } }

  /// Is told how many bytes the journal has, and whether there was no room for more.
  func note(_ bytes: Int64, isFull: Bool) {
    state.locked { state in
      // Files that were released make it shorter.
      state.written += max(0, bytes - state.journal)
      state.journal = bytes
      if isFull { state.isWanted = true }
    }
  }

  /// Lets ``run(_:)`` end.
  func close() { state.locked { $0.isClosed = true } }

  /// Makes checkpoints as they are due, until it is closed.
  func run(_ stages: LedgerStages) {
    guard let limit else { return }
    while true {
      let isClosed = state.locked(
        when: { $0.written - $0.begun >= limit || $0.isWanted || $0.isClosed }, { $0.isClosed })
      if isClosed { return }
      _ = try? checkpoint(stages)
    }
  }

  /// Makes the last one, where there is enough for it to be worth its while.
  func finish(_ stages: LedgerStages) {
    guard let limit, state.locked({ $0.written - $0.begun >= limit / 64 }) else { return }
    _ = try? checkpoint(stages)
  }

  /// Makes one now.
  func checkpoint(_ stages: LedgerStages) throws(StorageFailure) -> CheckpointReceipt {
    try turn.withLock { _ throws(StorageFailure) in
      state.locked { state in
        (state.begun, state.isWanted) = (state.written, false)
      }
      do throws(StorageFailure) {
        var checkpoint = Checkpoint(disk, directory, keeper)
        let receipt = try stages.checkpoint(&checkpoint, droppedTailBytes: droppedTailBytes)
        removeReleased()
        state.locked { $0.failure = nil }
        return receipt
      } catch {
        state.locked { $0.failure = error }
        throw error
      }
    }
  }

  /// Copies the directory's files as they are now, while no checkpoint is made: what the manifest names stays where it is.
  func copy(
    _ stages: LedgerStages, to target: DataDirectory, _ progress: (CopyProgress) -> Void
  ) throws(StorageFailure) -> UnfinishedCopy {
    try turn.withLock { _ throws(StorageFailure) in
      try UnfinishedCopy.requireTarget(disk, target, outside: directory)
      return try UnfinishedCopy(disk, try stages.moment(keeper), from: directory, to: target, progress)
    }
  }

  /// Removes journal files that are not needed any more; those that stay now the next writer removes.
  private func removeReleased() {
    let first = keeper.current.journalStart.file
    let names = try? disk.names(in: directory.journal)
    for number in names?.compactMap(DataDirectory.journalNumber) ?? [] where number < first {
      try? disk.remove(directory.journalFile(number))
    }
  }
}
