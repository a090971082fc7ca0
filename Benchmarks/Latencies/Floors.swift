// The market as plain arrays: what the machine needs at best to copy, find or pick as much as an answer has in it.
// Invariant: made before anything is measured; an answer is copied whole.
// Not here: the engine's answers (Bench).

internal import Continuo
internal import ContinuoMarket

struct Floors {
  /// As many bytes as a candle has that nothing can be left out of: bucket, four prices and the sums in their short form.
  struct PlainCandle: BitwiseCopyable {
    var words: [10 of UInt64]
  }

  /// Where each token's values begin; the last is the end.
  private let starts: [Int]
  /// Each token's times, ascending.
  private let times: [Int64]
  private let candles: [PlainCandle]
  private let sums: [Double]

  init(_ market: Market) {
    var starts = [Int](repeating: 0, count: market.shape.tokens + 1)
    for row in 0..<market.count { starts[market.token(row) + 1] += 1 }
    for token in 1..<starts.count { starts[token] += starts[token - 1] }
    var next = starts
    var times = [Int64](repeating: 0, count: market.count)
    for row in 0..<market.count {
      times[next[market.token(row)]] = market.timestamp(row).microseconds
      next[market.token(row)] += 1
    }
    for token in 0..<market.shape.tokens { times[starts[token]..<starts[token + 1]].sort() }
    // As many plain candles as a market of this size has hours with a swap.
    candles = (0..<max(4_096, market.count / 5)).map { number in
      PlainCandle(words: .init(repeating: UInt64(number)))
    }
    self.starts = starts
    self.times = times
    sums = (0..<market.shape.tokens).map { Double(starts[$0 + 1] - starts[$0]) * Double($0 * 7_919 % 1_009) }
  }

  /// Copies so many neighbouring candles of a token to `target`.
  func copy(_ count: Int, of rank: Int, to target: inout [PlainCandle]) -> UInt64 {
    let start = starts[rank] / 5 % (candles.count - count)
    target.removeAll(keepingCapacity: true)
    target.append(contentsOf: candles[start..<start + count])
    return target[count - 1].words[0]
  }

  /// Finds the ends of a window of 24 hours by two binary searches.
  func window(of rank: Int, to instant: Timestamp) -> UInt64 {
    let first = place(after: instant.microseconds - 86_400_000_000, of: rank)
    return UInt64(place(after: instant.microseconds, of: rank) - first)
  }

  private func place(after time: Int64, of rank: Int) -> Int {
    var (low, high) = (starts[rank], starts[rank + 1])
    while low < high {
      let middle = (low + high) / 2
      if times[middle] <= time { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// Picks the hundred greatest of sums that are there already.
  func greatest(_ count: Int) -> UInt64 {
    var best: [Double] = []
    for sum in sums {
      if best.count == count, let least = best.last, sum <= least { continue }
      let place = best.firstIndex { $0 < sum } ?? best.count
      best.insert(sum, at: place)
      if best.count > count { best.removeLast() }
    }
    return best.reduce(0) { $0 &+ $1.bitPattern }
  }
}
