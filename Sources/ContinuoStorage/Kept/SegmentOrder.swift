// The order of events in a segment, found without moving them: they are large, what decides is small.
// Invariant: the order is by chain, block and log index, whatever the order was in which they came.
// Not here: which events (Checkpoint), their columns (SegmentColumns).
// Source of the sort: H. Seward, 1954 (radix, lowest digits first).

internal import Continuo

/// Sorts events by chain, block and log index. It keeps what it needs from time to time.
struct SegmentOrder {
  private struct Entry {
    var key: UInt64
    var index: UInt32
  }

  private var entries: [Entry] = []
  private var others: [Entry] = []

  /// The places of some keys in their order. O(keys) where blocks are near each other and of one chain, else O(n log n).
  mutating func places(_ keys: some RandomAccessCollection<OrderKey>, _ body: (Int) -> Void) {
    guard let first = keys.first else { return }
    var (least, greatest, logs, isOneChain) = (first.block, first.block, UInt32(0), true)
    for key in keys {
      least = min(least, key.block)
      greatest = max(greatest, key.block)
      logs = max(logs, key.logIndex)
      if key.chain != first.chain { isOneChain = false }
    }
    let logBits = 32 - logs.leadingZeroBitCount
    let bits = 64 - (greatest - least).leadingZeroBitCount + logBits
    guard isOneChain, bits <= 44 else { return general(keys, body) }
    entries.removeAll(keepingCapacity: true)
    var index: UInt32 = 0
    for key in keys {
      entries.append(Entry(key: (key.block - least) << UInt64(logBits) | UInt64(key.logIndex), index: index))
      index += 1
    }
    for shift in stride(from: 0, to: bits, by: 11) { pass(UInt64(shift)) }
    for entry in entries { body(Int(entry.index)) }
  }

  private mutating func pass(_ shift: UInt64) {
    var starts = [Int](repeating: 0, count: 2049)
    for entry in entries { starts[Int(entry.key >> shift & 2047) + 1] += 1 }
    for digit in 1...2048 { starts[digit] += starts[digit - 1] }
    if others.count != entries.count { others = entries }
    for entry in entries {
      let digit = Int(entry.key >> shift & 2047)
      others[starts[digit]] = entry
      starts[digit] += 1
    }
    swap(&entries, &others)
  }

  private func general(_ keys: some RandomAccessCollection<OrderKey>, _ body: (Int) -> Void) {
    let all = Array(keys)
    for index in all.indices.sorted(by: { all[$0].precedes(all[$1]) }) { body(index) }
  }
}
