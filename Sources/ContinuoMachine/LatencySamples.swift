// How long each of many calls took, and which share of them kept to which time.
// Invariant: every sample is kept, so that a percentile is one of them and no estimate.
// Not here: the clock (MachineHandle), what is called (LoadRun, Benchmarks).

/// How long each of many calls took, every one kept.
package struct LatencySamples {
  private var nanoseconds: [Int64] = []

  package init(capacity: Int) { nanoseconds.reserveCapacity(capacity) }

  package mutating func add(_ sample: Int64) { nanoseconds.append(sample) }

  package mutating func add(_ other: LatencySamples) { nanoseconds += other.nanoseconds }

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
