// The one place that knows the order: offered → journalled → applied → visible → acknowledged.
// Invariant: a step is applied only when its record is as durable as was asked for, and answered only when it is applied; the
// first call to the disk that fails ends ingestion for good.
// Not here: the journal's bytes (Journal), what a step does (Continuo), reading (Continuo/Reading).
// Rules 7.1, 7.2.

public import Continuo
internal import ContinuoBytes
internal import Synchronization

/// An engine whose events outlive the process: a data directory, open for writing.
///
///     let ledger = try Ledger(path: "data")
///     var batch = EventBatch()
///     batch.append(Swap(block: 1, timestamp: noon, token: "ART", amountUSD: .one, priceUSD: .one))
///     let receipt = try ledger.take(batch, wallClock: nil)         // returns when the batch is on the disk
///     var reader = ledger.publication().reader()
///
/// Steps may come from any number of threads: those that come while the disk is busy are written together, synced once, and
/// answered in their order.
public final class Ledger: Sendable {
  /// How a data directory is opened.
  public struct Options: Sendable {
    /// How the engine is set up. Its retention is kept in the directory; nil leaves what is kept there, which in a new one is
    /// ``RetentionPolicy/standard``.
    public var engine: Engine.Settings
    /// How far a step is on its way to the disk when it is answered.
    public var durability: Durability
    /// What a price is in every batch; a directory that was begun with another mode is refused. nil: as it was begun.
    public var price: PriceMode? = .quoted
    /// Whether a directory is made where there is none.
    public var makesDirectory = true
    /// When the journal has grown by so many bytes a checkpoint is made, and at the end where it has by a 64th of them;
    /// nil: none but by ``Ledger/checkpoint()``.
    public var checkpointBytes: Int64? = 64 << 20
    /// How many bytes of the journal may lie behind the last checkpoint where those that are made as it grows fail: then nothing
    /// more is taken until one succeeds (``StorageFailure/journalTooLong(path:bytes:limit:cause:)``). nil: as many as the disk takes.
    public var unkeptBytesMax: Int64? = 1 << 30
    /// Whether every summary is compared with the events that are held before anything is written, as `verify` does; every
    /// checksum is looked at in any case. O(events).
    public var verifiesOnStart = false
    /// At which rate kept files are read again while the directory is open, in bytes a second; nil: they are not.
    public var scrubBytesPerSecond: Int64? = 4 << 20
    /// Is told how each checkpoint went, on the thread that made it: nil if it succeeded.
    public var onCheckpoint: @Sendable (StorageFailure?) -> Void = { _ in }
    /// Is told, on the thread that opens the directory, when what tells of its files is sound and the rest is about to be read: candles
    /// are answered meanwhile by what it is given. nil: nobody asks, and all is looked at in one go. Not where there is no directory
    /// yet, nor with ``verifiesOnStart``.
    public var onChecked: (@Sendable (DirectoryParts) -> Void)?
    /// How long it rests before each time that it goes through all of them.
    package var scrubRestMicroseconds: Int64 = 600_000_000
    /// How long journal files are that are begun.
    package var journalFileBytes = JournalFormat.fileBytes
    /// Whether the next journal file is made ahead; nil: unless files are small.
    package var preparesFiles: Bool?
    fileprivate var makesFilesAhead: Bool { preparesFiles ?? (journalFileBytes >= 1 << 20) }

    /// Synced, with an engine as ``Engine/Settings`` has it, unless said otherwise. O(1).
    public init(engine: Engine.Settings = Engine.Settings(), durability: Durability = .sync) {
      self.engine = engine
      self.durability = durability
    }
  }

  /// What was found when the directory was opened.
  public let opening: Restored
  /// What a price is in every batch.
  public let price: PriceMode
  private let path: String
  private let stages: LedgerStages
  private let threads: Mutex<[ThreadHandle]>
  private let settings: Engine.Settings
  let checkpointer: Checkpointer
  private let preparer: JournalFilePreparer
  private let preparing: Mutex<ThreadHandle?>
  private let scrubber: Scrubber
  private let scrubbing: Mutex<ThreadHandle?>
  /// Held for as long as the directory is open.
  private let lock: any DiskFile

  /// Opens a data directory for writing, makes it where there is none, and brings back what was acknowledged. O(kept
  /// files and journal).
  ///
  /// - Throws: ``StorageFailure``: another process writes, bytes are damaged, or the disk refuses a call.
  public convenience init(path: String, _ options: Options = Options()) throws(StorageFailure) {
    try self.init(RealDisk(), path: path, options)
  }

  package init(_ disk: any Disk, path: String, _ options: Options) throws(StorageFailure) {
    let directory = DataDirectory(path: path)
    if !options.makesDirectory { try directory.requireLock(disk) }
    lock = try directory.claim(disk)
    let manifest = try Manifest.read(disk, directory)
    settings = options.engine.keeping(manifest?.retention)
    let keeper = ManifestKeeper(
      disk, directory, manifest ?? Manifest(retention: settings.retention ?? .standard))
    let preparer = JournalFilePreparer(disk, directory, fileBytes: options.journalFileBytes)
    var settled: JournalWriter?
    var early: EarlyOpening?
    if manifest != nil, !options.verifiesOnStart {
      early = try EarlyOpening(disk, directory, keeper, settings, lock, options, preparer, &settled)
    }
    var engine = Engine(settings)
    var (restored, end) = try Restored.restore(
      disk, directory, manifest == nil ? nil : keeper.current, price: options.price, &engine)
    if let early { restored.note(early) }
    if options.verifiesOnStart {
      if let difference = engine.checkInvariants().first {
        throw .damaged(file: path, byte: 0, found: difference, expected: "what the held events add up to")
      }
      restored.isVerified = true
    }
    early?.parts.close()
    let journal = try Self.journal(settled, disk, directory, keeper, settings.retention, end, options, preparer)
    if journal.hasRemovedUnfinished { restored.marks.insert(.unfinishedFile) }
    let named = keeper.current
    if try onDisk({ () throws(DiskFailure) in try KeptRestore.removeUnnamed(disk, directory, named) }) {
      restored.marks.insert(.unnamedKeptFile)
    }
    let scrubber = Scrubber(
      disk, directory, keeper, bytesPerSecond: options.scrubBytesPerSecond ?? 0,
      restMicroseconds: options.scrubRestMicroseconds)
    self.scrubber = scrubber
    let checkpointer = Checkpointer(
      disk, directory, keeper, journal: (journal.bytes, journal.lastFrame.sequence),
      droppedTailBytes: restored.droppedTailBytes,
      CheckpointBounds(
        every: options.checkpointBytes, unkeptMax: options.unkeptBytesMax, reserve: options.journalFileBytes),
      damage: { scrubber.damage }, tell: options.onCheckpoint)
    self.checkpointer = checkpointer
    opening = restored
    self.path = path
    price = journal.price
    let stages = LedgerStages(
      engine, journal, refusal: { checkpointer.refusal },
      progress: { bytes, isFull in checkpointer.note(bytes, isFull: isFull) })
    let none = DiskFailure(call: "pthread_create", path: path, code: 11, message: "the system has no thread to give")
    guard let applier = ThreadHandle({ stages.apply() }) else { throw .disk(none) }
    guard let writer = ThreadHandle({ stages.write() }) else {
      // Nobody writes, so nobody would tell the other stage to end.
      stages.abandon()
      throw .disk(none)
    }
    self.stages = stages
    // Without a third thread checkpoints are made on demand and at the end alone.
    let third = ThreadHandle { checkpointer.run(stages) }
    threads = Mutex([writer, applier] + (third.map { [$0] } ?? []))
    preparing = Mutex(options.makesFilesAhead ? ThreadHandle { preparer.run() } : nil)
    scrubbing = Mutex(options.scrubBytesPerSecond == nil ? nil : ThreadHandle { scrubber.run() })
    self.preparer = preparer
  }

  /// Waits for all that was offered to be answered.
  deinit {
    stages.close()
    checkpointer.close()
    scrubber.close()
    scrubbing.withLock { $0?.join() }
    threads.withLock { for thread in $0 { thread.join() } }
    // Behind the first stage, which may still need a file.
    preparer.close()
    preparing.withLock { $0?.join() }
    checkpointer.finish(stages)
  }

  /// Readies the journal for more frames, and a manifest that names what was found and the retention from now on. Also where
  /// nothing is new: that what was read of it is on the disk, and not only in the system's memory, nothing else says.
  ///
  /// - Parameter retention: nil leaves what is kept.
  static func writer(
    _ disk: any Disk, _ directory: DataDirectory, _ keeper: ManifestKeeper, _ retention: RetentionPolicy?,
    _ end: JournalEnd?, _ options: Options, _ preparer: JournalFilePreparer
  ) throws(StorageFailure) -> JournalWriter {
    try onDisk { () throws(DiskFailure) in
      // Empty directories get lost in copies.
      try disk.makeDirectory(directory.kept)
      if end == nil { try born(disk, directory, keeper) }
      var writer = try JournalWriter(
        disk, directory, keeper, at: end, options.durability, price: options.price ?? .quoted,
        fileBytes: options.journalFileBytes, options.makesFilesAhead ? preparer : nil)
      if end != nil { try writer.settle() }
      try keeper.update {
        $0.retention = retention ?? $0.retention
        $0.newestJournalFile = writer.position.file
      }
      return writer
    }
  }

  /// Makes all names that a journal needs, before there is one.
  private static func born(
    _ disk: any Disk, _ directory: DataDirectory, _ keeper: ManifestKeeper
  ) throws(DiskFailure) {
    try disk.makeDirectory(directory.journal)
    try disk.syncDirectory(directory.parent)
    try keeper.update { _ in }
  }

  // MARK: steps

  /// Takes in a batch. Returns when it is as durable as was asked for, applied, and visible. O(rows) and a write.
  ///
  /// - Throws: ``Refusal`` or ``StorageFailure/otherPrice(file:found:expected:)``, with nothing changed, or
  ///   ``StorageFailure/poisoned(by:)``: the batch's fate is unknown then.
  public func take(_ batch: EventBatch, wallClock: Timestamp?) throws -> Receipt {
    try offer(batch, wallClock: wallClock).receipt()
  }

  /// Offers a batch without waiting for it, so that the next one can be made meanwhile: batches are taken in the order in which
  /// they were offered. Waits only where much is waiting already. O(1).
  ///
  /// - Throws: ``Refusal/batchTooLarge(rows:)``, ``StorageFailure/otherPrice(file:found:expected:)``.
  public func offer(_ batch: EventBatch, wallClock: Timestamp?) throws -> OfferedBatch {
    try require(batch)
    return OfferedBatch(answer: stages.offer(.batch(batch, settings.bounds(wallClock))))
  }

  /// Takes in a batch, and with it how far its source is: a crash leaves both or neither, and a batch that is refused moves nothing.
  /// The source can go on from ``position(of:)`` at any later start. O(rows) and a write.
  ///
  /// - Throws: as ``take(_:wallClock:)``; ``Refusal/positionGoesBack(source:offered:applied:)`` where the source was further
  ///   already, ``Refusal/tooManySources``.
  public func take(_ batch: EventBatch, at position: InputPosition, wallClock: Timestamp?) throws -> Receipt {
    try offer(batch, at: position, wallClock: wallClock).receipt()
  }

  /// The same without waiting for it. O(1).
  ///
  /// - Throws: as ``offer(_:wallClock:)``.
  public func offer(_ batch: EventBatch, at position: InputPosition, wallClock: Timestamp?) throws -> OfferedBatch {
    try require(batch)
    return OfferedBatch(answer: stages.offer(.input(batch, settings.bounds(wallClock), position)))
  }

  /// Takes in several batches as one, in their order, and with them how far their source is: a crash leaves all of them or none,
  /// and readers see all of them or none. Each has as many rows as a batch may have, together they have ``Limits/wholeRowsMax`` at
  /// most, and as much memory is needed as their rows take, twice. O(rows) and a write.
  ///
  /// - Returns: what became of each batch; nothing, with nothing moved, where there is none.
  /// - Throws: as ``take(_:at:wallClock:)``, with nothing changed; ``Refusal/batchTooLarge(rows:)`` also where they are more together. A limit
  ///   of names is passed where it would be if no row were rejected.
  public func take(
    whole batches: [EventBatch], at position: InputPosition, wallClock: Timestamp?
  ) throws -> [Receipt] {
    try take(whole: batches, at: position, wallClock: wallClock, isNoted: false) { _ in }
  }

  /// The same, with `note` called behind it: until that has returned the journal keeps the batches, and an opening in which it had not
  /// finds again what the engine rejected (``Restored/lateRejections``). A checkpoint waits a second for it.
  package func take(
    whole batches: [EventBatch], at position: InputPosition, wallClock: Timestamp?, isNoted: Bool = true,
    note: ([Receipt]) throws -> Void
  ) throws -> [Receipt] {
    guard let last = batches.last else { return [] }
    for batch in batches { try require(batch) }
    let (rows, bytes) = batches.reduce((0, 0)) { ($0.0 + $1.offered, $0.1 + $1.textBytes) }
    guard rows <= Limits.wholeRowsMax, bytes <= Limits.wholeBytesMax else { throw Refusal.batchTooLarge(rows: rows) }
    let bounds = settings.bounds(wallClock)
    let steps = batches.dropLast().map { JournalRecord.part($0, bounds, position) } + [.input(last, bounds, position)]
    let answer = stages.offer(whole: steps, isNoted: isNoted)
    let outcome = answer.wait()
    defer { stages.noted(answer, outcome) }
    let receipts = try outcome.receipts()
    try note(receipts)
    return receipts
  }

  private func require(_ batch: EventBatch) throws {
    guard batch.offered <= Limits.batchRowsMax else { throw Refusal.batchTooLarge(rows: batch.offered) }
    guard batch.price == price else {
      throw StorageFailure.otherPrice(file: path, found: price, expected: batch.price)
    }
  }

  /// How far a source has come whose batches are applied; nil where none was. It is as durable as they are: with
  /// ``Durability/os`` and ``Durability/none`` tell it to the source behind a ``sync()`` alone. O(sources).
  public func position(of source: ByteString) -> UInt128? { positions.first { $0.source == source }?.position }

  /// How far each source has come, ascending by the bytes of its name. O(sources).
  public var positions: [InputPosition] { stages.positions }

  /// Undoes every event of a chain above a block. O(what is undone) and a write.
  ///
  /// - Throws: as ``take(_:wallClock:)``.
  public func rollback(chain: UInt32, above block: UInt64) throws -> Int {
    try undo(.rollback(chain: chain, block: block))
  }

  /// Undoes one event; false where it is not held. O(log n) and a write.
  ///
  /// - Throws: as ``take(_:wallClock:)``.
  public func retract(_ identity: EventIdentity) throws -> Bool { try undo(.retract(identity)) > 0 }

  /// Moves the horizon (``Engine/moveHorizon()``). O(tokens + what is dropped) and a write.
  ///
  /// - Throws: as ``take(_:wallClock:)``.
  public func moveHorizon() throws -> Int {
    guard let policy = settings.retention else { return 0 }
    return try undo(.moveHorizon(policy))
  }

  /// Where readers on other threads come from: they see what is acknowledged, or about to be. From the first call on every
  /// step leaves a version for them. O(tokens) the first time, then O(1).
  public func publication() -> Publication { stages.publication() }

  /// How far the journal is. O(1).
  public var journalPosition: JournalPosition { stages.position }

  /// The sequence of the last frame of the journal that is applied: a version that is read behind this call has it. It is what
  /// ``journalPosition`` says, but for what is just being taken. O(1).
  public var appliedSequence: UInt64 { stages.appliedSequence }

  /// How many events of a chain have a block over one: what a rollback to it would undo. O(log n + those events).
  public func eventCount(chain: UInt32, above block: UInt64) -> Int {
    stages.eventCount(chain: chain, above: block)
  }

  /// Makes all that was taken durable, whatever was asked for. O(bytes).
  public func sync() throws(StorageFailure) {
    if let failure = stages.sync() { throw failure }
  }

  /// Puts what has changed since the last checkpoint into kept files, so that the journal before is not needed any more and
  /// the next start is short. Steps and readers go on meanwhile. O(what has changed).
  ///
  /// - Throws: ``StorageFailure``: a file cannot be written. The ledger goes on, with the journal as it was.
  public func checkpoint() throws(StorageFailure) -> CheckpointReceipt {
    try checkpointer.checkpoint(stages)
  }

  /// Makes the checkpoint that the ledger would make when it goes, if it would: how that went tells ``checkpointFailure``.
  /// O(what has changed).
  public func finishCheckpoints() { checkpointer.finish(stages) }

  /// Copies the directory as it is now into another one, which is absent or empty: everything that was acknowledged before is in
  /// the copy, and it ends with a whole step. It is synced, read back, and only then a data directory. Steps, readers and, once
  /// the files are copied, checkpoints go on meanwhile; while it is read back it takes as much memory again as the engine does.
  /// O(kept files and journal).
  ///
  /// Whatever ``Durability`` the ledger has, the journal is synced first: a copy never has what a crash could take from here.
  ///
  /// - Parameter progress: is told how far it is, on the calling thread.
  /// - Throws: ``StorageFailure``: the place is taken or cannot be written, or what was read back is not what was copied. The
  ///   ledger goes on, unless it is ``StorageFailure/poisoned(by:)``.
  public func backup(
    to path: String, progress: (CopyProgress) -> Void = { _ in }
  ) throws(StorageFailure) -> DirectoryCopy {
    let copy = try checkpointer.copy(stages, to: DataDirectory(path: path), progress)
    return try copy.finish(progress)
  }

  /// Looks at the directory as it is now, as `verify` does: every byte by its checksum, every summary by the events. Steps and readers
  /// go on meanwhile, checkpoints wait; the journal is synced first, whatever ``Durability`` the ledger has, and as much memory again
  /// is taken as the engine has. O(all of it).
  ///
  /// - Throws: ``StorageFailure/poisoned(by:)``. What is wrong with the directory is in the answer.
  public func verify() throws(StorageFailure) -> Verification { try checkpointer.verify(stages) }

  /// How long ago the last checkpoint was begun that succeeded; where none has since the directory was opened, that. O(1).
  public var checkpointAge: Duration { checkpointer.age }

  /// Why the last checkpoint failed, for as long as none has succeeded since; nil if all is well. O(1).
  public var checkpointFailure: StorageFailure? { checkpointer.failure }

  /// Damage of a kept file that was found since the directory was opened (``StorageFailure/damageFound(file:byte:found:expected:)``):
  /// nothing more is taken and no checkpoint is made, reads go on. nil if all is well, as far as it was looked at
  /// (``Options/scrubBytesPerSecond``). O(1).
  public var damage: StorageFailure? { scrubber.damage }

  /// What was looked at so far.
  package var scrubbed: ScrubCounts { scrubber.counts }

  /// Takes a step that is no batch; how many events it undid, or dropped.
  private func undo(_ step: JournalRecord) throws -> Int { try stages.offer(step).wait().receipt().undone }
}

/// A batch that was offered to a ledger.
public struct OfferedBatch: Sendable {
  fileprivate let answer: LedgerAnswer

  /// Waits until the batch is as durable as was asked for, applied, and visible; what became of it.
  ///
  /// - Throws: as ``Ledger/take(_:wallClock:)``.
  public func receipt() throws -> Receipt { try answer.wait().receipt() }
}
