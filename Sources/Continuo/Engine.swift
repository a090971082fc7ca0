// The engine's façade: events in, answers out. One writer; no I/O, no clock of its own.
// Invariant: answers are a pure function of the events that stand, `newest`, the horizon and the clock (1.1).
// Not here: taking a batch in (Engine+Apply), undoing (Undo), dropping (Retention), the answers (Reading and the rooms of
// what is answered); files, sockets, JSON (ContinuoFormats and what stands on it).

/// The market-analytics engine: swaps and transfers in; candles, windows, holders and rankings out.
///
///     var engine = Engine()
///     let receipt = try engine.apply(batch, wallClock: nil)
///     if let art = engine.token("ART") {
///       engine.forEachCandle(of: art, CandleQuery(.oneHour)) { print($0.bucket, $0.candle?.close) }
///     }
///
/// One writer at a time. Every summary is up to date when ``apply(_:wallClock:)`` returns.
public struct Engine: ~Copyable {
  /// How an engine is set up.
  public struct Settings: Equatable, Sendable {
    /// How long events and candles are kept; nil keeps everything for ever.
    public var retention: RetentionPolicy?
    /// How far past the wall clock an event may lie, in microseconds; nil allows any.
    public var futureToleranceMicroseconds: Int64?
    /// Lower bounds than those of ``Limits``, so that tests reach them.
    package var tokensMax = Limits.tokensMax
    package var addressesMax = Limits.addressesMax

    /// Everything is kept for ever, and an event more than five minutes past the wall clock is in the future, unless said
    /// otherwise. O(1).
    public init(
      retention: RetentionPolicy? = nil,
      futureToleranceMicroseconds: Int64? = Limits.futureToleranceMicroseconds
    ) {
      self.retention = retention
      self.futureToleranceMicroseconds = futureToleranceMicroseconds
    }
  }

  /// How this engine is set up.
  public let settings: Settings

  /// Where all that follows has its memory.
  let arena: Arena
  var tokenNames: Interner
  /// Wallets and addresses; number 0 is the zero address.
  var addressNames: Interner
  var tokenStates: SlotsHandle<TokenState>
  /// How many tokens have a balance other than zero, by the address's number.
  var balancesByAddress: ColumnHandle<UInt32>
  /// How many addresses have a balance other than zero in any token.
  var addressesWithBalance = 0
  var balanceLog: BalanceLog
  /// What each token's volume of a day is at most.
  var dayVolumes: DayVolumes
  var identities: Identities
  var engineClock = EngineClock()
  /// The start of the day below which everything was dropped: it only moves forward. nil until it first moves.
  public internal(set) var horizon: Timestamp?
  /// Retractions that are still to be done, with all that come in a row: none when a call is done.
  var retracting: [Retracting] = []
  /// Events whose identities were taken out, and that are still to be undone: none when a call is done.
  var undoing: [Undoing] = []
  /// How far each source has come.
  package internal(set) var inputs = InputPositions()
  /// The greatest dropped block of each chain.
  var droppedBlocks: [UInt32: UInt64] = [:]
  /// Whether the horizon has dropped any event yet.
  var hasDropped = false
  /// Which stretches of time have changed since they were kept.
  var changes = ChangedTimes()
  /// Where readers come from, once there may be any.
  var readers: Publication?
  /// Whether readers were asked for: versions are left for good then.
  var isRead = false
  /// Whether what is done now is shown with what follows (``holdVersions()``).
  var isHeld = false
  /// The newest published version of each token.
  var versions: AtomicWords
  /// The tokens that were changed since the last version, if any are published.
  var changedTokens: ColumnHandle<UInt32>
  /// Which candles the step at hand has changed, if anybody follows.
  var stepChanges: StepChanges

  /// Makes an empty engine. O(1).
  public init(_ settings: Settings = Settings()) {
    self.settings = settings
    // Seeds of the name tables' hash: they decide which names collide, never what is answered.
    var random = SystemRandomNumberGenerator()
    arena = Arena()
    tokenNames = Interner(seed: random.next(), arena)
    addressNames = Interner(seed: random.next(), arena)
    tokenStates = SlotsHandle(arena)
    balancesByAddress = ColumnHandle(arena)
    balanceLog = BalanceLog(arena)
    dayVolumes = DayVolumes(arena)
    identities = Identities(arena)
    versions = AtomicWords(0, arena)
    changedTokens = ColumnHandle(arena)
    stepChanges = StepChanges(arena)
    balancesByAddress.append(0)
    _ = addressNames.intern(PackedName(ShortText("0", "x"), count: 2), TextPool())
  }

  /// The largest timestamp ever accepted, nil before any. It never goes back.
  public var newest: Timestamp? { engineClock.newest }

  /// What time it is: the larger of ``newest`` and the last ``advanceClock(to:)``. It never goes back.
  public var clock: Timestamp? { engineClock.now }

  /// The engine as it is now, for answers. O(1).
  public var contents: EngineContents { EngineContents(self, sequence: .max) }

  /// Moves the clock to a wall clock, if that is later: what a live engine does. O(1).
  public mutating func advanceClock(to wallClock: Timestamp) {
    engineClock.advance(to: wallClock)
    publish()
  }
}

extension Engine: MarketAnswers {}

/// What a batch is judged by besides the events that stand.
package struct BatchBounds: Equatable, Sendable {
  /// The latest time that is not in the future; nil where any time is taken.
  package var latest: Timestamp?
  package var tokensMax: Int
  package var addressesMax: Int

  package init(latest: Timestamp?, tokensMax: Int, addressesMax: Int) {
    self.latest = latest
    self.tokensMax = tokensMax
    self.addressesMax = addressesMax
  }
}

extension Engine.Settings {
  /// What a batch that comes at an instant is judged by. O(1).
  package func bounds(_ wallClock: Timestamp?) -> BatchBounds {
    var latest: Timestamp?
    if let wallClock, let futureToleranceMicroseconds { latest = wallClock + futureToleranceMicroseconds }
    return BatchBounds(latest: latest, tokensMax: tokensMax, addressesMax: addressesMax)
  }
}
