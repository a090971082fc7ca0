// A run of one token's raw events in order, as columns: the keys here, the rest in a payload.
// Invariant: keys ascend strictly; every column has `count` slots; 1 ≤ count ≤ Limits.chunkRowsMax within a series.
// Not here: which chunk a row belongs to (EventSeries), what the payload's columns mean (SwapColumns, TransferColumns).

/// A raw event as it is held.
protocol EventRow: BitwiseCopyable {
  var key: OrderKey { get }
}

/// The columns of one kind of event besides its key.
protocol EventColumns: ~Copyable {
  associatedtype Row: EventRow
  init()
  /// Puts a row into slot `index`, and into the summary.
  mutating func insert(_ row: Row, at index: Int)
  mutating func removeSubrange(_ range: Range<Int>)
  mutating func moveSuffix(from index: Int, into other: inout Self)
  func row(at index: Int, key: OrderKey) -> Row
  /// Makes the summary anew, after rows were taken out.
  mutating func summarize(_ keys: borrowing KeyColumns)
}

/// The keys of a chunk's rows.
struct KeyColumns: ~Copyable {
  private var timestamps = ColumnHandle<Timestamp>()
  private var blocks = ColumnHandle<UInt64>()
  private var chains = ColumnHandle<UInt32>()
  private var logIndexes = ColumnHandle<UInt32>()

  var count: Int { timestamps.count }

  func timestamp(at index: Int) -> Timestamp { timestamps[index] }

  func key(at index: Int) -> OrderKey {
    OrderKey(timestamp: timestamps[index], chain: chains[index], block: blocks[index], logIndex: logIndexes[index])
  }

  mutating func insert(_ key: OrderKey, at index: Int) {
    timestamps.insert(key.timestamp, at: index)
    blocks.insert(key.block, at: index)
    chains.insert(key.chain, at: index)
    logIndexes.insert(key.logIndex, at: index)
  }

  mutating func removeSubrange(_ range: Range<Int>) {
    timestamps.removeSubrange(range)
    blocks.removeSubrange(range)
    chains.removeSubrange(range)
    logIndexes.removeSubrange(range)
  }

  mutating func moveSuffix(from index: Int, into other: inout KeyColumns) {
    timestamps.moveSuffix(from: index, into: &other.timestamps)
    blocks.moveSuffix(from: index, into: &other.blocks)
    chains.moveSuffix(from: index, into: &other.chains)
    logIndexes.moveSuffix(from: index, into: &other.logIndexes)
  }

  /// The first slot whose key is not before `key`. O(log count).
  func lowerBound(_ key: OrderKey) -> Int { Search.first(count) { !(self.key(at: $0) < key) } }

  /// The first slot whose time is not before `timestamp`. O(log count).
  func lowerBound(_ timestamp: Timestamp) -> Int { Search.first(count) { !(timestamps[$0] < timestamp) } }
}

/// A run of events.
struct EventChunk<Payload: EventColumns & ~Copyable>: ~Copyable {
  private(set) var keys = KeyColumns()
  private(set) var payload = Payload()

  var count: Int { keys.count }
  var firstKey: OrderKey { keys.key(at: 0) }
  var lastKey: OrderKey { keys.key(at: count - 1) }

  func row(at index: Int) -> Payload.Row { payload.row(at: index, key: keys.key(at: index)) }

  mutating func insert(_ row: Payload.Row, at index: Int) {
    keys.insert(row.key, at: index)
    payload.insert(row, at: index)
  }

  /// Takes rows out; the summary is stale until `summarize`.
  mutating func removeSubrange(_ range: Range<Int>) {
    keys.removeSubrange(range)
    payload.removeSubrange(range)
  }

  mutating func summarize() { payload.summarize(keys) }

  /// Moves the rows from `index` on into a chunk of their own.
  mutating func split(at index: Int) -> EventChunk {
    var upper = EventChunk()
    keys.moveSuffix(from: index, into: &upper.keys)
    payload.moveSuffix(from: index, into: &upper.payload)
    summarize()
    upper.summarize()
    return upper
  }

  /// Takes in all rows of the chunk that follows.
  mutating func absorb(_ next: inout EventChunk) {
    next.keys.moveSuffix(from: 0, into: &keys)
    next.payload.moveSuffix(from: 0, into: &payload)
    summarize()
  }
}

/// Binary search.
enum Search {
  /// The first index in 0..<count for which `holds` is true, `count` if there is none; `holds` must not go back to
  /// false. O(log count).
  static func first(_ count: Int, where holds: (Int) -> Bool) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) >> 1
      if holds(middle) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
