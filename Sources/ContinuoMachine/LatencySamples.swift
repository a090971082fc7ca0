// How long each of many calls took, and which share of them kept to which time.
// Invariant: samples are kept as they are, so that a percentile is one of them and no estimate; past the capacity a new
// one takes the place of the oldest.
// Not here: the clock (MachineHandle), what is called (LoadRun, LoadReaders, Benchmarks).

package struct LatencySamples: Sendable {
  private let capacity: Int
  private var nanoseconds: [UInt32]
  private var next = 0

  /// Makes room for so many samples, in memory that is there already: keeping one costs the same each time. O(capacity).
  package init(capacity: Int) {
    self.capacity = capacity
    nanoseconds = [UInt32](repeating: 1, count: capacity)
    nanoseconds.removeAll(keepingCapacity: true)
  }

  /// Keeps a sample; one over four seconds counts as four seconds. O(1).
  package mutating func add(_ sample: Int64) {
    let kept = UInt32(clamping: sample)
    if nanoseconds.count < capacity {
      nanoseconds.append(kept)
    } else if capacity > 0 {
      nanoseconds[next] = kept
      next = next + 1 == capacity ? 0 : next + 1
    }
  }

  /// These samples and those of another; the room is that of both. O(n).
  package func joined(_ other: LatencySamples) -> LatencySamples {
    var both = LatencySamples(capacity: count + other.count)
    both.nanoseconds += nanoseconds
    both.nanoseconds += other.nanoseconds
    return both
  }

  package var count: Int { nanoseconds.count }

  /// The least time that at least this share of the calls kept to, in microseconds; 0 without any. O(n log n).
  package func microseconds(_ shares: [Double]) -> [Double] {
    guard !nanoseconds.isEmpty else { return shares.map { _ in 0 } }
    let sorted = nanoseconds.sorted()
    return shares.map { share in
      let rank = Int((share * Double(sorted.count)).rounded(.up))
      return Double(sorted[max(0, min(sorted.count, rank) - 1)]) / 1_000
    }
  }
}
