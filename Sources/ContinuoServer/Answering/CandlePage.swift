// The texts of neighbouring candles of one token, all closed, and what is known of what stands before and behind them.
// Invariant: at its version the token had these candles and no others between the first one and `end`; nothing in it changes.
// Not here: which pages are kept, and how far one still holds (CandleTexts).

internal import Continuo

/// Candles that follow on each other, as text.
final class CandlePage: Sendable {
  /// What stands before the first candle.
  enum Before: Equatable, Sendable {
    case unknown
    case nothing
    /// A candle, which starts at this instant.
    case candle(Timestamp)
  }

  let buckets: [Timestamp]
  /// The end of each candle's text, which ends with what stands between rows.
  let ends: [Int]
  let text: [UInt8]
  let before: Before
  /// Up to here nothing is missing.
  let end: Timestamp
  /// Whether nothing stood behind the last candle.
  let isNewest: Bool
  let version: UInt64
  let horizon: Timestamp?

  init(
    buckets: [Timestamp], ends: [Int], text: [UInt8], before: Before, end: Timestamp, isNewest: Bool,
    version: UInt64, horizon: Timestamp?
  ) {
    (self.buckets, self.ends, self.text, self.before) = (buckets, ends, text, before)
    (self.end, self.isNewest, self.version, self.horizon) = (end, isNewest, version, horizon)
  }

  var count: Int { buckets.count }
  var bytes: Int { text.count + count * (MemoryLayout<Timestamp>.stride + MemoryLayout<Int>.stride) }

  /// Where the text of some candles lies. O(1).
  func place(_ rows: Range<Int>) -> Range<Int> {
    func start(_ row: Int) -> Int { row == 0 ? 0 : ends[row - 1] }
    return start(rows.lowerBound)..<start(rows.upperBound)
  }

  /// The first candle that is not before a bucket. O(log n).
  func index(_ bucket: Timestamp) -> Int {
    guard let last = buckets.last, last >= bucket else { return count }
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if buckets[middle] < bucket { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// Some candles of this one with some of another behind them: what stands between the two is nothing. O(bytes).
  ///
  /// - Parameters:
  ///   - rows: from the first one on, or behind ones that are left out.
  ///   - nextRows: of the other, from its first one on.
  ///   - end: up to where nothing is missing.
  ///   - isSame: whether nothing has changed behind the other since its version.
  ///   - version: one at which the candles of both are as they are here.
  func joined(
    _ rows: Range<Int>, _ next: CandlePage, _ nextRows: Range<Int>, end: Timestamp, isSame: Bool,
    version: UInt64
  ) -> CandlePage {
    let (place, nextPlace) = (place(rows), next.place(nextRows))
    let shift = place.count - nextPlace.lowerBound
    let isCut = nextRows.upperBound < next.count
    return CandlePage(
      buckets: Array(buckets[rows] + next.buckets[nextRows]),
      ends: ends[rows].map { $0 - place.lowerBound } + next.ends[nextRows].map { $0 + shift },
      text: Array(text[place] + next.text[nextPlace]),
      before: rows.lowerBound == 0 ? before : .candle(buckets[rows.lowerBound - 1]),
      end: end, isNewest: next.isNewest && isSame && !isCut,
      version: version,
      horizon: horizon)
  }
}
