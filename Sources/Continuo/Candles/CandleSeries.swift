// The stored candles of one token at one interval, by bucket.
// Invariant: starts ascend strictly; a bucket without a swap has no candle.
// Not here: which intervals are stored, and how the others are made (TokenState, BucketCursor).

/// Candles by the start of their bucket.
struct CandleSeries: ~Copyable {
  private var starts = ColumnHandle<Timestamp>()
  private var candles = ColumnHandle<Candle>()

  var count: Int { starts.count }

  func start(at index: Int) -> Timestamp { starts[index] }
  func candle(at index: Int) -> Candle { candles[index] }

  /// The first index whose bucket does not start before `start`. O(log n).
  func lowerBound(_ start: Timestamp) -> Int { Search.first(count) { !(starts[$0] < start) } }

  /// Merges a candle into the bucket that starts at `start`. O(1) in the newest bucket, else O(log n), and O(n) for a
  /// bucket that had none.
  mutating func merge(_ candle: Candle, start: Timestamp) {
    var index = count
    if count > 0, !(starts[count - 1] < start) {
      index = starts[count - 1] == start ? count - 1 : lowerBound(start)
    }
    if index < count, starts[index] == start {
      var merged = candles[index]
      merged.merge(candle)
      candles[index] = merged
    } else {
      starts.insert(start, at: index)
      candles.insert(candle, at: index)
    }
  }

  /// Puts a candle in the place of the one at `start`, or takes that out. O(log n), or O(n).
  mutating func replace(start: Timestamp, with candle: Candle?) {
    let index = lowerBound(start)
    let isThere = index < count && starts[index] == start
    switch (isThere, candle) {
    case (true, let candle?): candles[index] = candle
    case (true, nil):
      starts.removeSubrange(index..<index + 1)
      candles.removeSubrange(index..<index + 1)
    case (false, let candle?):
      starts.insert(start, at: index)
      candles.insert(candle, at: index)
    case (false, nil): break
    }
  }

  /// Takes out the first `count` candles. O(n).
  mutating func removeFirst(_ count: Int) {
    starts.removeSubrange(0..<count)
    candles.removeSubrange(0..<count)
  }
}
