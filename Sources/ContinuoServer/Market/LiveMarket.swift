// The market that is served: a ledger, a version of it for each reader, and what time it is.
// Invariant: the clock never goes back while the process runs; what cannot be answered yet, or any more, says so.
// Not here: what is asked (Routes), opening and closing it at the right time (MarketService).
// Rules 11.3, 20.10.

internal import Continuo
internal import ContinuoFormats
internal import ContinuoStorage
internal import Synchronization

final class LiveMarket: Sendable {
  /// An open directory.
  final class Opened: Sendable {
    let ledger: Ledger
    let publication: Publication
    let feed: CandleFeed
    /// Who took something back; nil: nobody writes it down.
    let audit: AuditFile?

    init(
      _ ledger: Ledger, _ audit: AuditFile?, window: Duration, clock: @escaping @Sendable (Timestamp?) -> Timestamp?
    ) {
      (self.ledger, self.audit) = (ledger, audit)
      publication = ledger.publication()
      var options = CandleFeed.Options()
      (options.window, options.clock) = (window, clock)
      options.sequence = { ledger.appliedSequence }
      feed = CandleFeed(publication, options)
      // From the first step on: who connects later does not have to begin anew.
      feed.begin()
    }
  }

  private enum State {
    case restoring
    case open(Opened)
    /// What was found behind the first answers.
    case damaged(StorageFailure)
    case closed
  }

  let metrics = Metrics()
  let candleTexts: CandleTexts
  let tokenNames = TokenNames()
  let memory: MemoryGate
  /// Who asks before it is open.
  let early: EarlyAsks
  /// What the wall clock says.
  let wallClock: @Sendable () -> Timestamp
  private let state = Mutex(State.restoring)
  /// So much is read in a moment: who asks meanwhile can wait.
  private let earlyBytesMax: Int64
  /// The latest that any answer was given at.
  private let latest = Atomic<Int64>(.min)
  /// Why nothing more is taken; nil: it is.
  private let stopped = Mutex<String?>(nil)
  /// Told from all other runs, for what is as long as the process lives.
  let run: String

  /// Is told of each step: nil where it was taken, else what failed.
  private let tell: @Sendable (StorageFailure?) -> Void

  /// What is to be told of who writes in this process.
  let feedReport: (@Sendable () -> FeedReport)?
  /// The chains that only who writes in this process may write.
  private let ownedChains: (@Sendable () -> Set<UInt32>?)?
  /// What people call a token.
  private let labels: (@Sendable (ByteString) -> ByteString?)?

  init(
    wallClock: @escaping @Sendable () -> Timestamp, _ limits: ServerLimits,
    feedReport: (@Sendable () -> FeedReport)? = nil, ownedChains: (@Sendable () -> Set<UInt32>?)? = nil,
    label labels: (@Sendable (ByteString) -> ByteString?)? = nil,
    tell: @escaping @Sendable (StorageFailure?) -> Void = { _ in }
  ) {
    (self.wallClock, self.tell, self.feedReport, self.ownedChains) = (wallClock, tell, feedReport, ownedChains)
    self.labels = labels
    candleTexts = CandleTexts(CandleRoutes.table, bytesMax: limits.candleTextBytesMax)
    memory = MemoryGate(limit: limits.memoryBytesMax)
    // A request that is given up for its time is not told why.
    early = EarlyAsks(limit: .seconds(min(limits.restoringSeconds, max(1, limits.requestSeconds - 1))))
    earlyBytesMax = limits.earlyBytesMax
    run = String(UInt64.random(in: .min ... .max), radix: 36)
  }

  func open(_ ledger: Ledger, _ audit: AuditFile?, streamWindow: Duration) {
    let opened = Opened(ledger, audit, window: streamWindow) { [weak self] own in self?.clock(own) ?? own }
    state.withLock { $0 = .open(opened) }
    early.end()
  }

  /// Goes on with what can be answered from sound parts of a directory, where it was ready with them.
  ///
  /// - Returns: what is said of the damage; nil where nothing is answered. O(waiting).
  func keepsAnswering(_ failure: any Error) -> StorageFailure? {
    guard case .damaged(let file, let byte, let found, let expected)? = failure as? StorageFailure,
      early.parts?.isOpen == true, reasons.isEmpty
    else { return nil }
    let failure = StorageFailure.damagedBehind(file: file, byte: byte, found: found, expected: expected)
    state.withLock { $0 = .damaged(failure) }
    early.end(keepsParts: true)
    return failure
  }

  /// Lets go of the ledger: the last reference closes it. O(1).
  func close() -> Opened? {
    defer { early.end() }
    return state.withLock { state in
      defer { state = .closed }
      if case .open(let opened) = state { return opened }
      return nil
    }
  }

  /// What is not there yet, said to who has waited for it.
  static var restoring: Problem {
    Problem(
      .restoring, "the directory is being read",
      remedy: "ask again in a second; GET /readyz says so for as long as it is")
  }

  /// The open directory.
  func opened() throws(Problem) -> Opened {
    switch state.withLock({ $0 }) {
    case .open(let opened): return opened
    case .damaged(let failure): throw Problem(failure)
    case .restoring: throw Self.restoring
    case .closed: throw Problem(.restoring, "the server is ending", remedy: "ask the next one")
    }
  }

  /// What people call a token; nil: nobody says. O(1).
  func label(of token: ByteString) -> ByteString? { labels?(token) }

  /// Whether a token's name or label has a part in it that is folded.
  func isCalled(_ token: ByteString, folded name: String, part: String) -> Bool {
    name.contains(part) || labels?(token).map { TokenNames.folded($0.description).contains(part) } ?? false
  }

  /// Why it is not ready; nothing if it is.
  var reasons: [String] {
    var reasons: [String] = []
    // First: once it is open there are no parts any more.
    let isEarly = isEarly
    switch state.withLock({ $0 }) {
    case .closed: return ["ending"]
    case .damaged(let failure): return [failure.what]
    case .restoring: if !isEarly { return ["restoring"] }
    case .open(let opened): if let damage = opened.ledger.damage { reasons.append(damage.what) }
    }
    if let why = stopped.withLock({ $0 }) { reasons.append(why) }
    return reasons + (feedReport?().reasons ?? [])
  }

  /// Whether candles are answered already, and all else in a moment.
  var isEarly: Bool { early.parts.map { $0.bytes <= earlyBytesMax } ?? false }

  /// What is wrong, though it is ready: requests are answered, and events taken.
  var warnings: [String] {
    var warnings: [String] = []
    if let failure = (try? opened())?.ledger.checkpointFailure {
      warnings.append("checkpoint_failed: \(failure.what)")
    }
    if isEarly, case .restoring = state.withLock({ $0 }) {
      warnings.append("restoring: candles are answered, all else waits")
    }
    if memory.isReached { warnings.append("memory_limit: no events are taken") }
    return warnings + (feedReport?().warnings ?? [])
  }

  // MARK: reading

  /// Lends the newest version, and what time it is for it.
  ///
  /// - Parameter publication: whose version; nil: the market's.
  func read<Answer>(
    _ publication: Publication? = nil, _ body: (borrowing Snapshot, _ clock: Timestamp) throws -> Answer
  ) throws -> Answer {
    var reader = try (publication ?? opened().publication).reader()
    return try reader.read { market in try body(market, clock(market.clock)) }
  }

  /// The largest of the wall clock, the engine's, and what was told before.
  private func clock(_ own: Timestamp?) -> Timestamp {
    let wall = wallClock().microseconds
    let now = max(wall, own?.microseconds ?? .min)
    return Timestamp(microseconds: latest.max(now, ordering: .relaxed).newValue)
  }

  // MARK: writing

  /// Takes a batch: it is durable when this returns. Moves the horizon where it is due. O(rows) and a write.
  ///
  /// - Parameters:
  ///   - position: how far the source of the batch is, which is kept with it; nil: it has none.
  ///   - movesHorizon: whether the horizon may move behind it.
  func take(
    _ batch: EventBatch, at position: InputPosition? = nil, movesHorizon: Bool = true
  ) throws -> (receipt: Receipt, sequence: UInt64) {
    let opened = try opened()
    if position == nil { try requireUnowned(batch.chains) }
    let receipt = try step {
      if let position { return try opened.ledger.take(batch, at: position, wallClock: wallClock()) }
      return try opened.ledger.take(batch, wallClock: wallClock())
    }
    metrics.count(receipt)
    if movesHorizon { try moveHorizonIfDue() }
    return (receipt, opened.ledger.journalPosition.sequence)
  }

  /// Takes several batches as one, and how far their source is.
  func take(
    whole batches: [EventBatch], at position: InputPosition, note: ([Receipt]) throws -> Void
  ) throws -> [Receipt] {
    let opened = try opened()
    // Whatever is wrong with the note is nothing of the directory's.
    var failure: (any Error)?
    let receipts = try step {
      try opened.ledger.take(whole: batches, at: position, wallClock: wallClock()) { receipts in
        do { try note(receipts) } catch { failure = error }
      }
    }
    if let failure { throw failure }
    for receipt in receipts { metrics.count(receipt) }
    try moveHorizonIfDue()
    return receipts
  }

  /// What has one source takes nothing from another one: it would be gone with the next look at that source.
  private func requireUnowned(_ chains: @autoclosure () -> Set<UInt32>) throws(Problem) {
    guard let ownedChains else { return }
    guard let owned = ownedChains() else {
      throw Problem(
        .restoring, "which events come from the database is not known yet", remedy: "ask again in a second")
    }
    guard let chain = chains().intersection(owned).min() else { return }
    throw Problem(
      .sourceOwned, "the events of chain \(chain) come from the database that is followed into this directory",
      remedy: "change them there")
  }

  /// Moves the horizon where it is due. O(what is dropped).
  func moveHorizonIfDue() throws {
    let opened = try opened()
    var reader = opened.publication.reader()
    if reader.read({ $0.isHorizonDue }) { _ = try step { try opened.ledger.moveHorizon() } }
  }

  /// Undoes every event of a chain above a block. O(what is undone) and a write.
  func rollback(chain: UInt32, above block: UInt64) throws -> (undone: Int, sequence: UInt64) {
    let opened = try opened()
    try requireUnowned([chain])
    let undone = try step { try opened.ledger.rollback(chain: chain, above: block) }
    metrics.count(undone: undone)
    return (undone, opened.ledger.journalPosition.sequence)
  }

  /// Makes a step, and remembers a failure behind which none is taken any more.
  private func step<Outcome>(_ call: () throws -> Outcome) throws -> Outcome {
    do {
      let outcome = try call()
      tell(nil)
      return outcome
    } catch let failure as StorageFailure {
      tell(failure)
      if case .poisoned = failure { stopped.withLock { $0 = failure.what } }
      throw failure
    }
  }
}
