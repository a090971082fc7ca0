// The engine's façade: events in, answers out. One writer; no I/O, no clock of its own.
// Invariant: answers are a pure function of the events that stand, `newest`, the horizon and the clock (rule 1.1).
// Not here: files, sockets, JSON (ContinuoFormats and what stands on it); durability (ContinuoStorage).

/// The market-analytics engine: swaps and transfers in; candles, windows, holders and rankings out.
///
///     var engine = Engine()
///     try engine.apply(batch, wallClock: nil)
///     let art = engine.token("ART")!
///     engine.forEachCandle(of: art, CandleQuery(.oneHour)) { print($0.bucket, $0.candle!.close) }
public struct Engine: ~Copyable {
  /// How an engine is set up.
  public struct Settings: Equatable, Sendable {
    /// How long events and candles are kept; nil keeps everything.
    public var retention: RetentionPolicy?
    /// How far past the wall clock an event may lie, in microseconds; nil allows any.
    public var futureToleranceMicroseconds: Int64?

    public init(
      retention: RetentionPolicy? = nil,
      futureToleranceMicroseconds: Int64? = Limits.futureToleranceMicroseconds
    ) {
      self.retention = retention
      self.futureToleranceMicroseconds = futureToleranceMicroseconds
    }
  }

  public let settings: Settings

  public init(_ settings: Settings = Settings()) { self.settings = settings }

  // MARK: writing

  public mutating func apply(_ batch: borrowing EventBatch, wallClock: Timestamp?) throws(Refusal) -> Receipt { fatalError() }
  public mutating func rollback(chain: UInt32, above block: UInt64) throws(Refusal) -> Int { fatalError() }
  /// false: not held
  public mutating func retract(_ identity: EventIdentity) -> Bool { fatalError() }
  /// Moves the horizon; how many events were dropped.
  @discardableResult public mutating func moveHorizon() -> Int { fatalError() }
  public mutating func advanceClock(to wallClock: Timestamp) { fatalError() }

  // MARK: reading

  public var newest: Timestamp? { fatalError() }
  public var horizon: Timestamp? { fatalError() }
  public var clock: Timestamp? { fatalError() }
  /// nil: not a known token
  public func token(_ name: ByteString) -> TokenID? { fatalError() }
  public func name(of token: TokenID) -> ByteString { fatalError() }
  /// All known tokens, by the bytes of their names.
  public func tokens() -> [TokenID] { fatalError() }
  /// clock: nil is the engine's own clock
  public func forEachCandle(of token: TokenID, _ query: CandleQuery, clock: Timestamp? = nil, _ body: (CandleRow) throws -> Void) rethrows { fatalError() }
  public func statistics(of token: TokenID, asOf: Timestamp) throws(Refusal) -> TokenStatistics { fatalError() }
  public func window(_ length: WindowLength, of token: TokenID, asOf: Timestamp) throws(Refusal) -> WindowStatistics { fatalError() }
  public func traders(_ length: WindowLength, of token: TokenID, asOf: Timestamp) throws(Refusal) -> WindowTraders { fatalError() }
  public func ranking(by key: RankingKey, limit: Int, asOf: Timestamp) throws(Refusal) -> [TokenStatistics] { fatalError() }
  public func holders(of token: TokenID, limit: Int? = nil) -> [Holder] { fatalError() }
  public func isIncomplete(_ token: TokenID) -> Bool { fatalError() }
  /// Empty where the bucket has no swap. `bucket` is the start of a bucket.
  public func explain(_ token: TokenID, _ interval: Interval, bucket: Timestamp) throws(Refusal) -> [Explanation] { fatalError() }
  public func inspection() -> Inspection { fatalError() }
}
