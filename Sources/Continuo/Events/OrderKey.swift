// The one order that answers depend on, and the identity that duplicates are told by.
// Invariant: total per kind; arrival plays no part.
// Not here: where identities are held (IdentityIndex).
// Rules 3.2.

/// Where an event stands among the events of its kind: by time, then chain, block and log index.
public struct OrderKey: Hashable, Comparable, Sendable, BitwiseCopyable {
  /// When the event happened: what decides first.
  public var timestamp: Timestamp
  /// The block of the event: what decides third.
  public var block: UInt64
  /// The chain of the event: what decides second.
  public var chain: UInt32
  /// `log_index` of the event within its block.
  public var logIndex: UInt32

  /// Puts a key together. O(1).
  public init(timestamp: Timestamp, chain: UInt32, block: UInt64, logIndex: UInt32) {
    self.timestamp = timestamp
    self.chain = chain
    self.block = block
    self.logIndex = logIndex
  }

  public static func < (left: OrderKey, right: OrderKey) -> Bool {
    if left.timestamp != right.timestamp { return left.timestamp < right.timestamp }
    if left.chain != right.chain { return left.chain < right.chain }
    if left.block != right.block { return left.block < right.block }
    return left.logIndex < right.logIndex
  }
}

/// What an event is: a swap of a token, or a transfer between two addresses.
public enum EventKind: UInt8, CaseIterable, Sendable, BitwiseCopyable {
  /// A swap of a token against money.
  case swap = 0
  /// A transfer of a token between two addresses.
  case transfer = 1

  /// The kind's name on the wire.
  public var name: String { self == .swap ? "swap" : "transfer" }
}

/// What makes an event this event and no other: kind, chain, block and log index.
public struct EventIdentity: Hashable, Sendable, BitwiseCopyable {
  /// Swap or transfer.
  public var kind: EventKind
  /// The chain; 0 for a source without chains.
  public var chain: UInt32
  /// The block, or the source's own row or trade id.
  public var block: UInt64
  /// `log_index` of the event within its block; 0 for a source without such.
  public var logIndex: UInt32

  /// Puts an identity together. O(1).
  public init(kind: EventKind, chain: UInt32 = 0, block: UInt64, logIndex: UInt32 = 0) {
    self.kind = kind
    self.chain = chain
    self.block = block
    self.logIndex = logIndex
  }
}
