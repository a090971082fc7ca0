// Who writes in the server's own process: looks at the directory before it is served, then takes steps until the server ends.
// Invariant: it writes where requests do (LiveMarket), from a thread of its own, and has ended before the directory is closed.
// Not here: what it writes (the tool).

#if Server
  public import Continuo
  public import ContinuoStorage
  internal import ContinuoBytes
  internal import NIOPosix

  /// Somebody who writes into a server's directory in its own process.
  public struct ServerFeed: Sendable {
    /// Looks at the directory; what it throws ends the server, before anything was taken. Candles of the
    /// directory may have been answered already (``answersEarly``).
    public let accept: @Sendable (Ledger) throws -> Void
    /// Whether candles of a directory may be answered before it is accepted.
    public let answersEarly: Bool
    /// Writes until ``ServerInlet/wait(microseconds:)`` says that the server ends.
    public let run: @Sendable (ServerInlet) -> Void

    /// Puts the two together. O(1).
    public init(
      answersEarly: Bool = true, accept: @escaping @Sendable (Ledger) throws -> Void,
      run: @escaping @Sendable (ServerInlet) -> Void
    ) {
      (self.answersEarly, self.accept, self.run) = (answersEarly, accept, run)
    }
  }

  /// What a ``ServerFeed`` writes through.
  public struct ServerInlet: Sendable {
    private let market: LiveMarket
    private let isEnding = MonitorHandle(false)

    init(_ market: LiveMarket) { self.market = market }

    /// Takes a batch, and how far its source is. O(rows) and a write.
    public func take(_ batch: EventBatch, at position: InputPosition) throws -> Receipt {
      try market.take(batch, at: position).receipt
    }

    /// The same of history, within which the horizon stands still: ``moveHorizon()`` moves it behind. O(rows) and a write.
    public func take(history batch: EventBatch, at position: InputPosition) throws -> Receipt {
      try market.take(batch, at: position, movesHorizon: false).receipt
    }

    /// Takes several batches as one: all of them or none, for who reads too. A receipt of each. O(rows) and a write.
    ///
    /// - Parameter note: writes down what became of them; until it returns the journal keeps them.
    package func take(
      whole batches: [EventBatch], at position: InputPosition, note: ([Receipt]) throws -> Void
    ) throws -> [Receipt] { try market.take(whole: batches, at: position, note: note) }

    /// Moves the horizon where it is due. O(what is dropped).
    public func moveHorizon() throws { try market.moveHorizonIfDue() }

    /// The open directory, for who has to know of every change. O(1).
    package var opened: (ledger: Ledger, publication: Publication) {
      get throws {
        let opened = try market.opened()
        return (opened.ledger, opened.publication)
      }
    }

    /// How far a source is; nil where nothing of it was taken. O(sources).
    public func position(of source: ByteString) throws -> UInt128? { try market.opened().ledger.position(of: source) }

    /// Undoes every event of a chain above a block. O(what is undone) and a write.
    public func rollback(chain: UInt32, above block: UInt64) throws -> Int {
      try market.rollback(chain: chain, above: block).undone
    }

    /// Lends the newest version.
    public func read<Answer>(_ body: (borrowing Snapshot) throws -> Answer) throws -> Answer {
      try market.read { snapshot, _ in try body(snapshot) }
    }

    /// Waits so long, or until the server ends; whether it goes on.
    public func wait(microseconds: Int64) -> Bool {
      isEnding.locked(when: { $0 }, withinMicroseconds: microseconds, { !$0 })
    }

    /// Whether the server ends: nothing more is to be begun.
    public var hasEnded: Bool { isEnding.locked { $0 } }

    func end() { isEnding.locked { $0 = true } }
  }

  /// A feed while it runs.
  struct RunningFeed: Sendable {
    private let inlet: ServerInlet
    private let threads: NIOThreadPool
    private let work: Task<Void, Never>

    init(_ feed: ServerFeed, _ market: LiveMarket) {
      let inlet = ServerInlet(market)
      let threads = NIOThreadPool(numberOfThreads: 1)
      threads.start()
      (self.inlet, self.threads) = (inlet, threads)
      work = Task { try? await threads.runIfActive { feed.run(inlet) } }
    }

    /// Tells the feed that the server ends, and waits for it.
    func end() async {
      inlet.end()
      await work.value
      try? await threads.shutdownGracefully()
    }
  }
#endif
