// What runs in a server beside PostgreSQL: changes come in by one thread, summaries go out by another.
// Invariant: both have ended before the directory is closed; neither is waited for by who asks the server.
// Not here: what they do (ContinuoPostgres), which database it is (ServePostgresOptions).

#if CONTINUO_SERVER && CONTINUO_POSTGRES
  internal import Continuo
  internal import ContinuoBytes
  internal import ContinuoPostgres
  internal import ContinuoServer
  internal import ContinuoStorage
  internal import Synchronization

  /// The server's market, as events come from PostgreSQL.
  private struct ServedSink: EventSink {
    let inlet: ServerInlet
    let directory: String
    let price: PriceMode

    var newest: Timestamp? { (try? inlet.read { $0.newest }) ?? nil }
    var horizon: Timestamp? { (try? inlet.read { $0.horizon }) ?? nil }

    func held(_ kind: EventKind) -> [OrderKey] {
      (try? inlet.read { market in market.tokens().flatMap { market.heldKeys(of: kind, token: $0) } }) ?? []
    }

    func position(of source: ByteString) throws -> UInt128? { try inlet.position(of: source) }

    func take(_ batch: EventBatch, at position: InputPosition, isHistory: Bool) throws -> Receipt {
      try isHistory ? inlet.take(history: batch, at: position) : inlet.take(batch, at: position)
    }

    var lateRejections: [LateRejections] { (try? inlet.opened.ledger.opening.lateRejections) ?? [] }

    func take(
      whole batches: [EventBatch], at position: InputPosition, note: ([Receipt]) throws -> Void
    ) throws -> [Receipt] { try inlet.take(whole: batches, at: position, note: note) }

    func moveHorizon() throws { try inlet.moveHorizon() }
  }

  /// Follows and writes for as long as a server runs.
  final class PostgresFeed: Sendable {
    private struct Parts: Sendable {
      var follower: Follower?
      var writer: SummaryWriter?
    }

    private let following: Follower.Options
    private let writing: SummaryWriter.Options
    private let parts = Mutex(Parts())
    private let note: @Sendable (String) -> Void
    private let began = ContinuousClock.now

    init(
      _ following: Follower.Options, _ writing: SummaryWriter.Options, note: @escaping @Sendable (String) -> Void
    ) { (self.following, self.writing, self.note) = (following, writing, note) }

    /// Has a server follow and write.
    func join(_ options: inout Server.Options) {
      let directory = options.dataDirectory
      options.feedReport = { self.report }
      options.ownedChains = { self.ownedChains }
      options.label = { self.label(of: $0) }
      options.feed = ServerFeed(
        accept: { _ in },
        run: { inlet in
          do {
            try self.run(inlet, directory)
          } catch { self.note("PostgreSQL is not followed: \(error)") }
        })
    }

    private func run(_ inlet: ServerInlet, _ directory: String) throws {
      let (ledger, publication) = try inlet.opened
      let interrupt = InterruptHandle()
      let sink = ServedSink(inlet: inlet, directory: directory, price: ledger.price)
      let writerBox = Mutex<SummaryWriter?>(nil)
      let follower = Follower(
        following, sink, interrupt,
        tell: { [note] phase, why in
          switch phase {
          case .snapshot: note("PostgreSQL: reading all rows: \(why ?? "")")
          case .waiting: note("PostgreSQL: \(why ?? "")")
          case .stopped: if let why { note("PostgreSQL is followed no more: \(why)") }
          default: break
          }
        }, changed: { ids in writerBox.withLock { $0 }?.note(tokens: ids) })
      let wallClock = following.wallClock
      let source = SummaryWriter.Source(
        publication, sequence: { ledger.appliedSequence }, clock: { own in max(own ?? wallClock(), wallClock()) },
        supply: { follower.token($0)?.supply })
      let writer = SummaryWriter(writing, source, interrupt)
      writerBox.withLock { $0 = writer }
      parts.withLock { $0 = Parts(follower: follower, writer: writer) }
      try follower.readChains()
      let reading = ThreadHandle { follower.run() }
      // Summaries of a market that is not there yet would be wrong for as long as it is not.
      var sending: ThreadHandle?
      while inlet.wait(microseconds: 100_000) {
        if sending == nil, follower.status.phase == .streaming { sending = ThreadHandle { writer.run() } }
      }
      interrupt.interrupt()
      writer.end()
      reading?.join()
      sending?.join()
    }

    /// The chains that the database is the source of; nil where that is not known yet.
    var ownedChains: Set<UInt32>? { parts.withLock { $0.follower }?.ownedChains }

    /// What the application calls a token; nil where it has no row, or none with a name.
    private func label(of token: ByteString) -> ByteString? {
      let symbol = parts.withLock { $0.follower }?.token(token)?.symbol ?? []
      return symbol.isEmpty ? nil : ByteString(symbol)
    }

    /// For readiness and metrics.
    var report: FeedReport {
      let parts = parts.withLock { $0 }
      guard let follower = parts.follower, let writer = parts.writer else {
        var report = FeedReport()
        report.reasons = ["postgres_in: it has not begun"]
        return report
      }
      return FeedReport(follower.status, writer.status, unsent: writer.unsentTokens, since: began)
    }
  }
#endif
