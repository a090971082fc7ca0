// What can be asked: of an engine by its writer, and of a version of it by readers on other threads.
// Invariant: an answer is a pure function of the contents, `newest`, the horizon and the clock (1.1).
// Not here: candles, windows, statistics, rankings, holders, explanations (the rooms of what is answered).

/// Something that answers questions about a market: an ``Engine``, or a ``Snapshot`` of one.
public protocol MarketAnswers: ~Copyable {
  /// What the answers are made of. O(1).
  var contents: EngineContents { get }
}

extension MarketAnswers where Self: ~Copyable {
  /// The largest timestamp ever accepted, nil before any. It never goes back.
  public var newest: Timestamp? { contents.clockState.newest }

  /// What time it is: the larger of ``newest`` and the last ``Engine/advanceClock(to:)``. It never goes back.
  public var clock: Timestamp? { contents.clockState.now }

  /// The start of the day below which everything was dropped: it only moves forward. nil until it first moves.
  public var horizon: Timestamp? { contents.horizon }

  /// How long events and candles are kept; nil keeps everything for ever. O(1).
  public var retention: RetentionPolicy? { contents.retention }

  /// Whether ``Engine/moveHorizon()`` would move the horizon: who takes batches without end asks this behind each. O(1).
  public var isHorizonDue: Bool {
    guard let newest, let target = retention?.horizon(newest: newest) else { return false }
    return horizon.map { $0 < target } ?? true
  }

  // MARK: tokens

  /// The token of this name; nil where no accepted event of it stands. O(length).
  public func token(_ name: ByteString) -> TokenID? {
    let contents = contents
    guard let number = contents.tokenNames.find(name.bytes.span), number < contents.tokenCount,
      contents.reference(number).isKnown
    else { return nil }
    return TokenID(number)
  }

  /// The name of a token. O(length).
  public func name(of token: TokenID) -> ByteString { contents.tokenNames.byteString(token.index) }

  /// Every token of which an accepted event stands, by the bytes of their names. O(n log n).
  public func tokens() -> [TokenID] {
    let contents = contents
    var known: [(name: ByteString, token: TokenID)] = []
    for number in 0..<contents.tokenCount where contents.reference(number).isKnown {
      known.append((contents.tokenNames.byteString(number), TokenID(number)))
    }
    known.sort { $0.name < $1.name }
    return known.map(\.token)
  }

  /// The numbers of all tokens that there ever were: of some nothing stands any more. O(1).
  package var tokenNumbers: Range<UInt32> { 0..<UInt32(truncatingIfNeeded: contents.tokenCount) }

  /// The number of a token of this name that there ever was. O(length).
  package func tokenNumber(_ name: ByteString) -> UInt32? {
    guard let number = contents.tokenNames.find(name.bytes.span), number < contents.tokenCount else { return nil }
    return UInt32(truncatingIfNeeded: number)
  }

  /// Whether the token's holders are incomplete: one of its transfers was rejected as `overflow`, or an address of it is
  /// below zero because history is missing. O(1).
  public func isIncomplete(_ token: TokenID) -> Bool { contents.token(token.index).isIncomplete }
}

extension EngineContents {
  /// Refuses an answer that would need events from `first` on, if some of them were dropped.
  func requireHeld(from first: Timestamp) throws(Refusal) {
    guard hasDropped, let horizon, first < horizon else { return }
    throw .outsideRetention(asked: first, horizon: horizon)
  }
}
