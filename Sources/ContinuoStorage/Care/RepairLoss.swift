// What a repair cannot bring back, as far as anybody can tell; and how that is added up while files are read.
// Invariant: what is not known is nil, and never a guess.
// Not here: how it is found (KeptSalvage, JournalRemains), how it is printed (ContinuoFormats).

public import Continuo

/// What is lost of one file when a data directory is repaired.
public struct RepairLoss: Equatable, Sendable {
  /// What the file has in it.
  public enum Kind: String, Sendable {
    /// Held events of four hours.
    case segment
    /// Names, without which no event that refers to them can be shown.
    case names
    /// What was left of dropped events: old candles, balances, last prices.
    case bases
    /// What was acknowledged since the last checkpoint.
    case journal
    /// What the directory said of itself.
    case manifest
  }

  /// Events of one kind on one chain, from one block through another one.
  public struct Identities: Equatable, Sendable {
    /// Swaps or transfers.
    public let kind: EventKind
    /// Their chain.
    public let chain: UInt32
    /// The first of their blocks.
    public let firstBlock: UInt64
    /// The last of their blocks.
    public let lastBlock: UInt64
  }

  /// What the file has in it.
  public let kind: Kind
  /// The file.
  public let file: String
  /// The first byte in it that is damaged.
  public let byte: Int64
  /// How many held events are lost, or rows that were offered in frames of the journal; nil: nobody knows.
  public let events: Int?
  /// Where on their chains these stand; nil: nobody knows.
  public let identities: [Identities]?
  /// Of which tokens something is lost, by their bytes; nil: nobody knows.
  public let tokens: [ByteString]?
  /// The first instant that something is lost of; nil: nobody knows, or from the beginning.
  public let from: Timestamp?
  /// The last instant that something is lost of; nil: nobody knows.
  public let to: Timestamp?
  /// What is lost, in words.
  public let what: String
}

/// What is lost of one file, while it is being added up.
struct LossTally {
  private struct Place: Hashable {
    var kind: EventKind
    var chain: UInt32
  }

  /// How many events; nil: nobody knows.
  private(set) var events: Int? = 0
  /// Tokens by the numbers that they have now; nil: nobody knows.
  private(set) var tokens: Set<UInt32>? = []
  private var places: [Place: ClosedRange<UInt64>]? = [:]
  private var times: ClosedRange<Timestamp>?
  /// Whether a transfer may be among them.
  private(set) var mayHaveTransfers = false
  /// Whether anything is lost.
  private(set) var isEmpty = true

  /// Notes an event that is lost. O(1).
  ///
  /// - Parameter token: its number now; nil where its name is lost too.
  mutating func note(_ key: OrderKey, _ kind: EventKind, token: UInt32?) {
    isEmpty = false
    events = events.map { $0 + 1 }
    if let token { tokens?.insert(token) } else { tokens = nil }
    let own = Place(kind: kind, chain: key.chain)
    let blocks = places?[own] ?? key.block...key.block
    places?[own] = min(blocks.lowerBound, key.block)...max(blocks.upperBound, key.block)
    widen(key.timestamp...key.timestamp)
    if kind == .transfer { mayHaveTransfers = true }
  }

  /// Notes events of which less is known. O(tokens).
  mutating func note(events count: Int?, tokens numbers: [UInt32]?, within span: ClosedRange<Timestamp>) {
    isEmpty = false
    events = count.flatMap { count in events.map { $0 + count } }
    if let numbers { tokens?.formUnion(numbers) } else { tokens = nil }
    places = nil
    widen(span)
    mayHaveTransfers = true
  }

  /// What a file says of itself: so many it had in all, there.
  mutating func settle(events count: Int, _ ranges: [SegmentFooter.Range]) {
    events = count
    guard places == nil, !isEmpty else { return }
    places = [:]
    for range in ranges where range.firstBlock <= range.lastBlock {
      places?[Place(kind: range.kind, chain: range.chain)] = range.firstBlock...range.lastBlock
    }
  }

  private mutating func widen(_ span: ClosedRange<Timestamp>) {
    times =
      min(
        times?.lowerBound ?? span.lowerBound, span.lowerBound)...max(
        times?.upperBound ?? span.upperBound, span.upperBound)
  }

  /// The loss, in the end. O(n log n) of tokens.
  ///
  /// - Parameter name: the name of a token by its number.
  func loss(
    _ kind: RepairLoss.Kind, _ file: String, _ byte: Int64, _ what: String, name: (UInt32) -> ByteString
  ) -> RepairLoss {
    var identities: [RepairLoss.Identities]?
    if let places {
      identities = places.map {
        RepairLoss.Identities(
          kind: $0.key.kind, chain: $0.key.chain, firstBlock: $0.value.lowerBound, lastBlock: $0.value.upperBound)
      }.sorted { ($0.kind.rawValue, $0.chain) < ($1.kind.rawValue, $1.chain) }
    }
    return RepairLoss(
      kind: kind, file: file, byte: byte, events: events, identities: identities,
      tokens: tokens.map { $0.map(name).sorted() }, from: times?.lowerBound, to: times?.upperBound, what: what)
  }
}
