// When a checkpoint is made: on demand, when the journal has grown by so much, and at the end.
// Invariant: one at a time; one that fails is tried again, at growing distances, and says so until one succeeds; where the
// journal has grown past its bound by then no more of it is asked for.
// Not here: what a checkpoint does (Checkpoint), the steps meanwhile (LedgerStages).

internal import ContinuoBytes
internal import Synchronization

/// How much of the journal there may be, and what is left free of its disk.
struct CheckpointBounds: Sendable {
  /// By so many bytes the journal grows before the next checkpoint; nil: only on demand.
  var every: Int64?
  /// So many bytes may lie behind the last one that succeeded where those since then failed; nil: any.
  var unkeptMax: Int64?
  /// So much of the disk no checkpoint takes.
  var reserve: Int64
}

/// Makes checkpoints of a ledger.
final class Checkpointer: Sendable {
  private struct State: Sendable {
    /// How many bytes were written when the last one was begun, when the last one was that succeeded, and are now; and how many
    /// the journal had when that was told.
    var begun: Int64 = 0
    var kept: Int64 = 0
    var written: Int64 = 0
    var journal: Int64 = 0
    /// There is no room for more of the journal: what a checkpoint releases may be enough.
    var isWanted = false
    var isClosed = false
    var failure: StorageFailure?
    /// How many have failed since the last one that did not; until when none is made only because there is no room.
    var failures = 0
    var resting: ContinuousClock.Instant?
    /// When the last one was begun that succeeded, or the directory was opened.
    var keptAt = ContinuousClock.now
    /// Whether there may be a note of a failure in the directory.
    var hasNote = true

    /// Whether the journal has grown by enough for the next one.
    func isDue(_ limit: Int64) -> Bool {
      // One that has failed is tried again behind as much, then twice, four times, eight times as much.
      let doublings = min(max(0, failures - 1), 3)
      return (written - begun) >> Int64(doublings) >= limit
    }

    mutating func fail(_ failure: StorageFailure) {
      self.failure = failure
      failures += 1
      resting = .now + .seconds(1 << min(failures - 1, 6))
      hasNote = true
    }
  }

  private let disk: any Disk
  private let directory: DataDirectory
  private let keeper: ManifestKeeper
  private let droppedTailBytes: Int64
  private let bounds: CheckpointBounds
  /// Damage that was found since the directory was opened.
  private let damage: @Sendable () -> StorageFailure?
  /// Is told how each one went: nil if it succeeded.
  private let tell: @Sendable (StorageFailure?) -> Void
  private let state: MonitorHandle<State>
  private let turn = Mutex(())

  init(
    _ disk: any Disk, _ directory: DataDirectory, _ keeper: ManifestKeeper, journal: (bytes: Int64, sequence: UInt64),
    droppedTailBytes: Int64, _ bounds: CheckpointBounds, damage: @escaping @Sendable () -> StorageFailure?,
    tell: @escaping @Sendable (StorageFailure?) -> Void = { _ in }
  ) {
    (self.disk, self.directory, self.keeper) = (disk, directory, keeper)
    self.droppedTailBytes = droppedTailBytes
    (self.bounds, self.damage, self.tell) = (bounds, damage, tell)
    var state = State()
    state.journal = journal.bytes
    // What is in the journal already counts: a directory that is opened again and again gets its checkpoint too.
    if journal.sequence > keeper.current.keptSequence { state.written = journal.bytes }
    self.state = MonitorHandle(state)
  }

  /// Why the last checkpoint failed; nil if it did not.
  var failure: StorageFailure? { state.locked { $0.failure } }

  /// How long ago the last one was begun that succeeded, or the directory was opened.
  var age: Duration { state.locked { $0.keptAt }.duration(to: .now) }

  /// By so many bytes the journal grows before the next one: under that one would be made behind every frame.
  private var limit: Int64? { bounds.every.map { max($0, 1 << 16) } }

  /// Why no more of the journal may be written: a file is damaged, or checkpoints fail, and it has grown past its bound. nil: it
  /// may be. O(1).
  var refusal: StorageFailure? {
    if let damage = damage() { return damage }
    guard limit != nil, let most = bounds.unkeptMax else { return nil }
    return state.locked { state in
      let bytes = state.written - state.kept
      guard let failure = state.failure, bytes >= most else { return nil }
      return .journalTooLong(path: directory.path, bytes: bytes, limit: most, cause: failure.what)
    }
  }

  /// Is told how many bytes the journal has, and whether there was no room for more.
  func note(_ bytes: Int64, isFull: Bool) {
    state.locked { state in
      // Files that were released make it shorter.
      state.written += max(0, bytes - state.journal)
      state.journal = bytes
      // Who sends the same again and again has it tried once in a while.
      if isFull, state.resting.map({ $0 <= .now }) ?? true { state.isWanted = true }
    }
  }

  /// Lets ``run(_:)`` end.
  func close() { state.locked { $0.isClosed = true } }

  /// Makes checkpoints as they are due, until it is closed.
  func run(_ stages: LedgerStages) {
    guard let limit else { return }
    while true {
      let isClosed = state.locked(
        when: { $0.isDue(limit) || $0.isWanted || $0.isClosed }, { $0.isClosed })
      if isClosed { return }
      _ = try? checkpoint(stages)
    }
  }

  /// Makes the last one, where there is enough for it to be worth its while.
  func finish(_ stages: LedgerStages) {
    guard let limit, damage() == nil, state.locked({ $0.written - $0.begun >= limit / 64 }) else { return }
    _ = try? checkpoint(stages)
  }

  /// Makes one now.
  func checkpoint(_ stages: LedgerStages) throws(StorageFailure) -> CheckpointReceipt {
    do throws(StorageFailure) {
      let receipt = try made(stages)
      tell(nil)
      return receipt
    } catch {
      tell(error)
      throw error
    }
  }

  private func made(_ stages: LedgerStages) throws(StorageFailure) -> CheckpointReceipt {
    try turn.withLock { _ throws(StorageFailure) in
      let start = ContinuousClock.now
      let begun = state.locked { state in
        (state.begun, state.isWanted) = (state.written, false)
        return state.begun
      }
      do throws(StorageFailure) {
        // What a repair can bring back of the file is in the journal: none of it is released.
        if let damage = damage() { throw damage }
        var checkpoint = Checkpoint(
          disk, directory, keeper, leaving: ReservedRoom(bytes: bounds.reserve, directory: directory.kept))
        let receipt = try stages.checkpoint(&checkpoint, droppedTailBytes: droppedTailBytes)
        removeReleased()
        let hasNote = state.locked { state in
          defer { (state.failure, state.failures, state.resting, state.hasNote) = (nil, 0, nil, false) }
          (state.kept, state.keptAt) = (begun, start)
          return state.hasNote
        }
        if hasNote { CheckpointNote.remove(disk, directory) }
        return receipt
      } catch {
        state.locked { $0.fail(error) }
        CheckpointNote.leave(error, behind: keeper.current.keptSequence, disk, directory)
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

  /// Looks at the directory as it is now, while no checkpoint is made: what the manifest names stays where it is.
  func verify(_ stages: LedgerStages) throws(StorageFailure) -> Verification {
    try turn.withLock { _ throws(StorageFailure) in
      Verification(disk, directory, at: try stages.moment(keeper))
    }
  }

  /// The last frame that is in kept files, and how many bytes of the journal lie behind it.
  var unkept: (sequence: UInt64, bytes: Int64) {
    (keeper.current.keptSequence, state.locked { $0.written - $0.kept })
  }

  /// What the files take, while none of those is removed that the manifest names.
  func measured() throws(StorageFailure) -> DirectoryBytes {
    try turn.withLock { _ throws(StorageFailure) in try DirectoryBytes(disk, directory, keeper.current.kept) }
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
