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
///     var reader = ledger.publication.reader()
///
/// Steps may come from any number of threads: those that come while the disk is busy are written together, synced once, and
/// answered in their order.
public final class Ledger: Sendable {
  /// How a data directory is opened.
  public struct Options: Sendable {
    /// How the engine is set up.
    public var engine: Engine.Settings
    /// How far a step is on its way to the disk when it is answered.
    public var durability: Durability
    /// What a price is in every batch; a directory that was begun with another mode is refused. nil: as it was begun.
    public var price: PriceMode? = .quoted
    /// Whether a directory is made where there is none.
    public var makesDirectory = true
    /// How long journal files are that are begun.
    package var journalFileBytes = JournalFormat.fileBytes

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
  /// Where readers come from: they see what is acknowledged, or about to be.
  public let publication: Publication

  private let core: Mutex<LedgerCore>
  private let steps = MonitorHandle(LedgerSteps())
  /// Held for as long as the directory is open.
  private let lock: any DiskFile

  /// Opens a data directory for writing, makes it where there is none, and brings back what was acknowledged. O(journal).
  ///
  /// - Throws: ``StorageFailure``: another process writes, bytes are damaged, or the disk refuses a call.
  public convenience init(path: String, _ options: Options = Options()) throws(StorageFailure) {
    try self.init(RealDisk(), path: path, options)
  }

  package init(_ disk: any Disk, path: String, _ options: Options) throws(StorageFailure) {
    let directory = DataDirectory(path: path)
    if !options.makesDirectory { try directory.requireLock(disk) }
    lock = try Self.claim(disk, directory)
    var engine = Engine(options.engine)
    let (restored, end) = try Restored.restore(disk, directory, price: options.price, &engine)
    opening = restored
    self.path = path
    publication = engine.publication()
    let writer = try Self.writer(disk, directory, end, options)
    price = writer.price
    core = Mutex(LedgerCore(engine, writer))
  }

  private static func writer(
    _ disk: any Disk, _ directory: DataDirectory, _ end: JournalEnd?, _ options: Options
  ) throws(StorageFailure) -> JournalWriter {
    do throws(DiskFailure) {
      var writer = try JournalWriter(
        disk, directory, at: end, options.durability, price: options.price ?? .quoted,
        fileBytes: options.journalFileBytes)
      try writer.cutTail()
      return writer
    } catch { throw .disk(error) }
  }

  /// Makes the directory and takes its lock.
  private static func claim(_ disk: any Disk, _ directory: DataDirectory) throws(StorageFailure) -> any DiskFile {
    let lock = try onDisk { () throws(DiskFailure) in
      try disk.makeDirectory(directory.path)
      try disk.syncDirectory(directory.parent)
      return try disk.lock(directory.lock, shared: false)
    }
    guard let lock else { throw directory.locked(disk) }
    try onDisk { () throws(DiskFailure) in
      var line = Array(ProcessNumber.own.description.utf8)
      line.pad(to: 20)
      try lock.write(line.span, at: 0)
      try disk.makeDirectory(directory.journal)
      try disk.syncDirectory(directory.path)
    }
    return lock
  }

  // MARK: steps

  /// Takes in a batch. Returns when it is as durable as was asked for, applied, and visible. O(rows) and a write.
  ///
  /// - Throws: ``Refusal`` or ``StorageFailure/otherPrice(file:found:expected:)``, with nothing changed, or
  ///   ``StorageFailure/poisoned(by:)``: the batch's fate is unknown then.
  public func take(_ batch: EventBatch, wallClock: Timestamp?) throws -> Receipt {
    guard batch.offered <= Limits.batchRowsMax else { throw Refusal.batchTooLarge(rows: batch.offered) }
    guard batch.price == price else {
      throw StorageFailure.otherPrice(file: path, found: price, expected: batch.price)
    }
    let bounds = core.withLock { $0.bounds(wallClock) }
    return try run(.batch(batch, bounds)).receipt()
  }

  /// Undoes every event of a chain above a block. O(what is undone) and a write.
  ///
  /// - Throws: as ``take(_:wallClock:)``.
  public func rollback(chain: UInt32, above block: UInt64) throws -> Int {
    try run(.rollback(chain: chain, block: block)).count()
  }

  /// Undoes one event; false where it is not held. O(log n) and a write.
  ///
  /// - Throws: as ``take(_:wallClock:)``.
  public func retract(_ identity: EventIdentity) throws -> Bool { try run(.retract(identity)).count() > 0 }

  /// Moves the horizon (``Engine/moveHorizon()``). O(tokens + what is dropped) and a write.
  ///
  /// - Throws: as ``take(_:wallClock:)``.
  public func moveHorizon() throws -> Int {
    guard let policy = core.withLock({ $0.retention }) else { return 0 }
    return try run(.moveHorizon(policy)).count()
  }

  /// How far the journal is: the file, and the byte in it that the next frame is written at. O(1).
  public var journalPosition: (file: UInt32, byte: Int64) { core.withLock { $0.position } }

  /// How many events of a chain have a block over one: what a rollback to it would undo. O(log n + those events).
  public func eventCount(chain: UInt32, above block: UInt64) -> Int {
    core.withLock { $0.eventCount(chain: chain, above: block) }
  }

  /// Makes all that was taken durable, whatever was asked for. O(bytes).
  public func sync() throws(StorageFailure) {
    let failure = core.withLock { $0.finish() }
    if let failure { throw failure }
  }

  /// Hands a step to whoever writes next, which may be this thread, and waits for its outcome.
  private func run(_ step: JournalRecord) -> LedgerOutcome {
    let ticket = steps.locked { $0.offer(step) }
    while true {
      let turn = steps.locked(when: { $0.isReady(ticket) }, { $0.turn(of: ticket) })
      switch turn {
      case .done(let outcome): return outcome
      case .lead(let tickets, let records):
        let outcomes = core.withLock { $0.take(records) }
        steps.locked { $0.settle(tickets, outcomes) }
      }
    }
  }
}

/// What is behind the lock: the engine, and the journal that it is behind of.
private struct LedgerCore: ~Copyable {
  private var engine: Engine
  private var writer: JournalWriter
  private var packer = BatchPacker()
  /// The first failure; nothing is written any more.
  private var failure: StorageFailure?

  init(_ engine: consuming Engine, _ writer: consuming JournalWriter) {
    self.engine = engine
    self.writer = writer
  }

  var retention: RetentionPolicy? { engine.settings.retention }
  var position: (file: UInt32, byte: Int64) { (writer.position.file, writer.position.offset) }

  func eventCount(chain: UInt32, above block: UInt64) -> Int { engine.eventCount(chain: chain, above: block) }

  func bounds(_ wallClock: Timestamp?) -> BatchBounds { engine.settings.bounds(wallClock) }

  /// Journals steps as one frame, then applies them in their order.
  mutating func take(_ steps: [JournalRecord]) -> [LedgerOutcome] {
    if let failure { return steps.map { _ in .failed(failure) } }
    do throws(DiskFailure) {
      var packer = BatchPacker()
      swap(&packer, &self.packer)
      defer { swap(&packer, &self.packer) }
      try writer.append { payload in
        for step in steps { step.append(to: &payload, &packer) }
      }
    } catch {
      let failure = StorageFailure.poisoned(by: error.description)
      self.failure = failure
      return steps.map { _ in .failed(failure) }
    }
    return steps.map { engine.take($0) }
  }

  mutating func finish() -> StorageFailure? {
    if let failure { return failure }
    do throws(DiskFailure) { try writer.finish() } catch { failure = .poisoned(by: error.description) }
    return failure
  }
}

/// What became of a step.
enum LedgerOutcome: Sendable {
  case taken(Receipt)
  case undone(Int)
  case refused(Refusal)
  case failed(StorageFailure)

  func receipt() throws -> Receipt {
    switch self {
    case .taken(let receipt): return receipt
    case .undone: return Receipt()
    case .refused(let refusal): throw refusal
    case .failed(let failure): throw failure
    }
  }

  func count() throws -> Int {
    switch self {
    case .taken(let receipt): return receipt.undone
    case .undone(let count): return count
    case .refused(let refusal): throw refusal
    case .failed(let failure): throw failure
    }
  }
}

extension Engine {
  /// Takes the step that a record is; a cut of the tail changes nothing. The same live and in replay.
  mutating func take(_ record: JournalRecord) -> LedgerOutcome {
    do throws(Refusal) {
      switch record {
      case .batch(let batch, let bounds): return .taken(try apply(batch, bounds))
      case .rollback(let chain, let block): return .undone(try rollback(chain: chain, above: block))
      case .retract(let identity): return .undone(retract(identity) ? 1 : 0)
      case .moveHorizon(let policy): return .undone(moveHorizon(policy))
      case .cut: return .undone(0)
      }
    } catch {
      return .refused(error)
    }
  }
}

/// Steps that wait to be written, and outcomes that wait to be fetched.
struct LedgerSteps: Sendable {
  enum Turn: Sendable {
    case done(LedgerOutcome)
    /// Nobody writes: it is this thread's turn, with these steps.
    case lead([UInt64], [JournalRecord])
  }

  private var waiting: [(ticket: UInt64, step: JournalRecord)] = []
  private var outcomes: [UInt64: LedgerOutcome] = [:]
  private var next: UInt64 = 0
  private var isLed = false

  mutating func offer(_ step: JournalRecord) -> UInt64 {
    next += 1
    waiting.append((next, step))
    return next
  }

  func isReady(_ ticket: UInt64) -> Bool { !isLed || outcomes[ticket] != nil }

  mutating func turn(of ticket: UInt64) -> Turn {
    if let outcome = outcomes.removeValue(forKey: ticket) { return .done(outcome) }
    isLed = true
    // As many as make a batch of the greatest size: a frame stays within bounds.
    var (count, rows) = (0, 0)
    for (_, step) in waiting {
      rows += step.rows
      if count > 0, rows > Limits.batchRowsMax { break }
      count += 1
    }
    let taken = waiting.prefix(count)
    waiting.removeFirst(count)
    return .lead(taken.map(\.ticket), taken.map(\.step))
  }

  mutating func settle(_ tickets: [UInt64], _ settled: [LedgerOutcome]) {
    for (ticket, outcome) in zip(tickets, settled) { outcomes[ticket] = outcome }
    isLed = false
  }
}
