// When events happen: which block each is in, and where in it.
// Invariant: events are in the order of (block, log index); each such place is taken once.
// Not here: when they are delivered (Delivery).

enum EventPlaces {
  /// Throws events into blocks uniformly. O(events + blocks).
  static func fill(_ columns: inout MarketColumns, _ shape: MarketShape) {
    var random = RandomSource(seed: shape.seed, for: .blocks)
    let blocks = shape.days * Int(86_400_000_000 / Market.blockMicroseconds)
    var counts = [UInt32](repeating: 0, count: blocks)
    for _ in 0..<shape.events { counts[Int(random.below(UInt64(blocks)))] += 1 }
    columns.blocks.reserveCapacity(shape.events)
    columns.logIndexes.reserveCapacity(shape.events)
    for (block, count) in counts.enumerated() {
      for logIndex in 0..<count {
        columns.blocks.append(UInt32(block))
        columns.logIndexes.append(logIndex)
      }
    }
  }
}
