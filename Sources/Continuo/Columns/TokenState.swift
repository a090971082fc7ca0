// Everything that is held of one token, as the writer has it.
// Invariant: as TokenView; from 1h up stored candles are up to date behind every change.
// Not here: names (Interner), identities (IdentityIndex), reading (TokenView).

/// The state of one token.
struct TokenState: ~Copyable {
  // What each swap touches stands together.
  /// The candle of the last hour with a swap; without trades where there is none. Live events mostly touch this one.
  private(set) var newestHour = StoredCandle.none
  /// The version that this token was last changed for.
  var changed: UInt64 = .max
  var swaps: SwapSeries
  /// Candles of the hours before the newest one.
  var hours: CandleSeries
  var transfers: TransferSeries
  /// Candles that moved up as they left a shorter interval's retention: at 4h, 1d, 1w.
  var fourHours: CandleSeries
  var days: CandleSeries
  var weeks: CandleSeries
  var balances: Balances
  /// The greatest swap below the horizon, kept for last prices and windows.
  var lastBelowHorizon: LastSwap?
  /// Events that were dropped below the horizon: they still count.
  var droppedSwaps = 0
  var droppedTransfers = 0
  /// One of its transfers was rejected as `overflow`: its holders are incomplete for good.
  var isMarked = false

  init(_ arena: Arena) {
    swaps = SwapSeries(arena)
    hours = CandleSeries(arena)
    transfers = TransferSeries(arena)
    fourHours = CandleSeries(arena)
    days = CandleSeries(arena)
    weeks = CandleSeries(arena)
    balances = Balances(arena)
  }

  /// The token as it is now, to be read until it is changed. O(1).
  var view: TokenView {
    TokenView(
      swaps: swaps.view, hours: hours.view, transfers: transfers.view, fourHours: fourHours.view, days: days.view,
      weeks: weeks.view, newestHour: newestHour, balances: balances.view, lastBelowHorizon: lastBelowHorizon,
      droppedSwaps: droppedSwaps, droppedTransfers: droppedTransfers, isMarked: isMarked)
  }

  /// Takes in a swap. O(1) amortised in order, O(chunk) late.
  @inline(__always)
  mutating func accept(_ row: SwapRow) {
    swaps.insert(row)
    let offset = row.key.timestamp.microseconds &- newestHour.key.microseconds
    if newestHour.candle.trades > 0, offset >= 0, offset < Interval.oneHour.microseconds {
      newestHour.candle.merge(row)
    } else {
      beginHour(row)
    }
  }

  private mutating func beginHour(_ row: SwapRow) {
    let start = Interval.oneHour.start(of: row.key.timestamp)
    if newestHour.candle.trades > 0, start < newestHour.key {
      hours.merge(Candle(row), start: start)
    } else {
      if newestHour.candle.trades > 0 { hours.insert(newestHour) }
      newestHour = StoredCandle(key: start, candle: Candle(row))
    }
  }

  /// Makes the hours that hold these instants anew from raw events. O(raw events of those hours).
  mutating func recomputeHours(of instants: [Timestamp]) {
    var previous: Timestamp?
    for start in instants.map({ Interval.oneHour.start(of: $0) }).sorted() where start != previous {
      previous = start
      setHour(start, swaps.view.fold(from: start, before: Interval.oneHour.next(start)))
    }
  }

  private mutating func setHour(_ start: Timestamp, _ candle: Candle?) {
    if newestHour.candle.trades > 0, newestHour.key == start {
      newestHour = candle.map { StoredCandle(key: start, candle: $0) } ?? hours.removeLast() ?? .none
    } else if let stored = hours.find(start) {
      if let candle {
        hours.update(stored) { $0.candle = candle }
      } else {
        hours.remove([start]) { _ in }
      }
    }
  }

  /// Puts the newest hour among the others, if it starts before `bound`: no live event is to come for it. O(1).
  mutating func closeHours(before bound: Timestamp) {
    guard newestHour.candle.trades > 0, newestHour.key < bound else { return }
    hours.insert(newestHour)
    newestHour = .none
  }

  /// The held swap with just this key. O(log n).
  func swap(_ key: OrderKey) -> SwapRow? { swaps.find(key).map { swaps.row(at: $0) } }

  /// The held transfer with just this key. O(log n).
  func transfer(_ key: OrderKey) -> TransferRow? { transfers.find(key).map { transfers.row(at: $0) } }

  /// Asks for the memory where the next event goes.
  @inline(__always)
  func prefetchTails(_ kind: EventKind) {
    if kind == .swap { swaps.prefetchTail() } else { transfers.prefetchTail() }
  }
}
