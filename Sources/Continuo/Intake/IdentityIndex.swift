// Which events are held: per kind and chain, in the order of (block, log index), each with its token and time.
// Invariant: one entry for every held event and none besides.
// Not here: how entries are held (SortedSeries), comparing contents (Verdict), the events themselves (TokenState).
// Rules 3.1.

/// The identities of one kind of event on one chain.
typealias IdentityIndex = SortedSeries<IdentityEntry>

/// Where an event is held: its token and its time, which with the identity make its key.
struct IdentityEntry: PackedRow, Equatable {
  /// The order of identities within a kind and chain.
  struct Key: Comparable, BitwiseCopyable {
    var block: UInt64
    var logIndex: UInt32

    @inline(__always)
    static func < (left: Key, right: Key) -> Bool {
      left.block < right.block || left.block == right.block && left.logIndex < right.logIndex
    }
  }

  var key: Key
  var token: UInt32
  var timestamp: Timestamp
}

extension IdentityEntry {
  static var narrowCount: Int { 4 }
  static var columnCount: Int { 4 }
  static func chunkRows(_ count: Int) -> Int { Limits.identityChunkRows }
  static func tailRowsMax(_ count: Int) -> Int { Limits.identityTailRowsMax }
  static var lateRows: Int { Limits.identityChunkRows }

  static func isScaled(_ column: Int) -> Bool { column == 3 }

  @inline(__always)
  func narrow(_ column: Int) -> Int64 {
    switch column {
    case 0: Self.major(key)
    case 1: Int64(key.logIndex)
    case 2: Int64(token)
    default: timestamp.microseconds
    }
  }

  func wide(_ column: Int) -> Int128 { 0 }

  @inline(__always)
  init(_ columns: some ColumnSource) {
    self.init(
      key: Self.key(columns), token: UInt32(truncatingIfNeeded: columns.narrow(2)),
      timestamp: Timestamp(microseconds: columns.narrow(3)))
  }

  @inline(__always)
  static func key(_ columns: some ColumnSource) -> Key {
    Key(
      block: UInt64(bitPattern: columns.narrow(0)) ^ 1 << 63, logIndex: UInt32(truncatingIfNeeded: columns.narrow(1)))
  }

  /// The block, such that signed order is its order.
  @inline(__always)
  static func major(_ key: Key) -> Int64 { Int64(bitPattern: key.block ^ 1 << 63) }

  /// The earliest time of a run.
  static func summary(_ rows: Span<IdentityEntry>) -> Timestamp {
    var earliest = rows[0].timestamp
    for row in 1..<rows.count { earliest = min(earliest, rows[row].timestamp) }
    return earliest
  }

  static func summary(_ rows: Span<IdentityEntry>, _ columns: PackScratch) -> Timestamp {
    Timestamp(microseconds: Int64(truncatingIfNeeded: columns.plan(3).least))
  }

  static func summary(_ summary: Timestamp, with row: IdentityEntry) -> Timestamp { min(summary, row.timestamp) }

  static func summary(_ summary: Timestamp, without row: IdentityEntry) -> Timestamp? {
    summary < row.timestamp ? summary : nil
  }

  static func summary(of chunk: PackedChunk<IdentityEntry>) -> Timestamp {
    let earliest = chunk.column(3).extremes(0..<chunk.count).low
    return Timestamp(microseconds: Int64(truncatingIfNeeded: earliest))
  }

  /// Where the event stands in the order of its kind.
  func orderKey(chain: UInt32) -> OrderKey {
    OrderKey(timestamp: timestamp, chain: chain, block: key.block, logIndex: key.logIndex)
  }
}

extension SortedSeries where Row == IdentityEntry {
  /// The entry of an identity, nil if it is not held. O(log n), O(1) behind the last one.
  func entry(block: UInt64, logIndex: UInt32) -> IdentityEntry? {
    find(IdentityEntry.Key(block: block, logIndex: logIndex)).map { row(at: $0) }
  }

  /// Takes out every entry with a block over `block`. O(entries taken out + chunk).
  mutating func removeAll(above block: UInt64) -> [IdentityEntry] {
    var entries: [IdentityEntry] = []
    guard block < .max else { return entries }
    removeSuffix(from: lowerBound(IdentityEntry.Key(block: block + 1, logIndex: 0))) { entries.append($0) }
    return entries
  }

  /// Takes out every entry before `timestamp` and tells the greatest block of them. O(chunks + entries of those
  /// touched).
  mutating func removeAll(before timestamp: Timestamp) -> UInt64? {
    var greatest: UInt64?
    removeAll(
      mayHold: { $0 < timestamp },
      where: { entry in
        guard entry.timestamp < timestamp else { return false }
        greatest = max(greatest ?? 0, entry.key.block)
        return true
      })
    return greatest
  }
}
