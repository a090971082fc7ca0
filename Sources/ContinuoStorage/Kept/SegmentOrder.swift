// The order of events in a segment.
// Invariant: the order is by chain, block and log index, whatever the order was in which they came.
// Not here: which events (Checkpoint), their columns (SegmentColumns), the sort (RadixOrder).

internal import Continuo

/// Sorts events by chain, block and log index. It keeps what it needs from time to time.
struct SegmentOrder {
  private var radix = RadixOrder()

  /// The places of some keys in their order. O(keys) where blocks are near each other and of one chain, else O(n log n).
  @inline(__always)
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
    guard isOneChain, RadixOrder.fits(keys.count, bits: bits) else { return general(keys, body) }
    radix.sort(keys.count, bits: bits) { place in
      let key = keys[keys.index(keys.startIndex, offsetBy: place)]
      return (key.block - least) << UInt64(logBits) | UInt64(key.logIndex)
    }
    for index in 0..<radix.count { body(radix.place(index)) }
  }

  private func general(_ keys: some RandomAccessCollection<OrderKey>, _ body: (Int) -> Void) {
    let all = Array(keys)
    for index in all.indices.sorted(by: { all[$0].precedes(all[$1]) }) { body(index) }
  }
}
