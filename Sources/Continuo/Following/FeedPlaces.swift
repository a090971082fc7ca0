// Which version belongs to a sequence that a follower was told: where it goes on when it comes back.
// Invariant: a follower that was told a sequence has all that its version holds, at the latest clock of then.
// Not here: what has changed since (CandleChanges).

/// A moment of a feed: what it is told as, and what it was.
struct FeedPlace: Sendable {
  var sequence: UInt64
  /// The version of which they have everything: they may have more.
  var version: UInt64
  var clock: Timestamp?
}

/// The moments of a feed, ascending, as far back as they are kept.
struct FeedPlaces: Sendable {
  private static let countMax = 1 << 16

  private var places: [FeedPlace] = []

  /// Notes a moment; of several with one sequence the first stands. O(1) amortised.
  mutating func note(_ place: FeedPlace) {
    guard places.last.map({ $0.sequence < place.sequence }) ?? true else { return }
    if places.count == Self.countMax { places.removeFirst(Self.countMax / 2) }
    places.append(place)
  }

  /// The last moment that is not behind a sequence; nil where that is not known any more, or not yet. O(log n).
  func place(_ sequence: UInt64, now: UInt64) -> FeedPlace? {
    guard sequence <= now else { return nil }
    var (low, high) = (0, places.count)
    while low < high {
      let middle = (low + high) / 2
      if places[middle].sequence <= sequence { low = middle + 1 } else { high = middle }
    }
    return low > 0 ? places[low - 1] : nil
  }
}
