// Everything that is held of one token.
// Invariant: `hours` are the candles of the held swaps and of the dropped ones not archived yet; `archives` hold what has
// left a shorter interval's retention: each swap is in just one stored candle.
// Not here: names (Interner), identities (IdentityIndex), the answers (Reading, Candles, Windows, Standings).

/// The state of one token.
struct TokenState: ~Copyable {
  var swaps = SwapSeries()
  var transfers = TransferSeries()
  /// Candles at 1h: the only ones that live events touch.
  var hours = CandleSeries()
  /// Candles that moved up as they left a shorter interval's retention: at 4h, 1d, 1w.
  var fourHours = CandleSeries()
  var days = CandleSeries()
  var weeks = CandleSeries()
  var balances = Balances()
  /// The greatest swap below the horizon, kept for last prices and windows.
  var lastBelowHorizon: LastSwap?
  /// Events that were dropped below the horizon: they still count.
  var droppedSwaps = 0
  var droppedTransfers = 0
  /// One of its transfers was rejected as `overflow`: its holders are incomplete for good.
  var isMarked = false

  /// A swap of which only its place and its price are left.
  struct LastSwap: Equatable {
    var key: OrderKey
    var price: Decimal18
  }

  /// Whether any accepted event of the token stands.
  var isKnown: Bool { swaps.count + transfers.count + droppedSwaps + droppedTransfers > 0 }

  var hasTransfers: Bool { transfers.count + droppedTransfers > 0 }

  var isIncomplete: Bool { isMarked || balances.negatives > 0 }

  /// Takes in a swap. O(1) amortised in order, O(chunk) late.
  mutating func accept(_ row: SwapRow) {
    swaps.insert(row)
    hours.merge(Candle(row), start: Interval.oneHour.start(of: row.key.timestamp))
  }

  /// Makes the hours that hold these instants anew from raw events. O(raw events of those hours).
  mutating func recomputeHours(of instants: [Timestamp]) {
    var previous: Timestamp?
    for start in instants.map({ Interval.oneHour.start(of: $0) }).sorted() where start != previous {
      previous = start
      let candle = swaps.fold(from: start, before: Interval.oneHour.next(start))
      if let stored = hours.find(start) {
        if let candle {
          hours.update(stored) { $0.candle = candle }
        } else {
          hours.remove([start]) { _ in }
        }
      }
    }
  }

  /// The held swap with just this key. O(log n).
  func swap(_ key: OrderKey) -> SwapRow? { swaps.find(key).map { swaps.row(at: $0) } }

  /// The held transfer with just this key. O(log n).
  func transfer(_ key: OrderKey) -> TransferRow? { transfers.find(key).map { transfers.row(at: $0) } }

  /// The last swap with a time ≤ `instant`: its place and price. O(log n).
  func lastSwap(atOrBefore instant: Timestamp) -> LastSwap? {
    if let position = swaps.before(swaps.lowerBound(instant + 1)) {
      let row = swaps.row(at: position)
      return LastSwap(key: row.key, price: row.price)
    }
    guard let last = lastBelowHorizon, last.key.timestamp <= instant else { return nil }
    return last
  }
}
