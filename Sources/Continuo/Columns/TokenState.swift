// Everything that is held of one token, as the writer has it.
// Invariant: as TokenView; behind every change all hours but the newest are stored, if they have more than one swap.
// Not here: names (Interner), identities (IdentityIndex), reading (TokenView).

/// The state of one token.
struct TokenState: ~Copyable {
  // What each swap touches stands together.
  /// The hour of the last held swap. Live events are mostly counted here, and go nowhere else than behind `swaps`.
  private(set) var newestHour = NewestHour.none
  /// The version that this token was last changed for.
  var changed: UInt64 = .max
  var swaps: SwapSeries
  /// Candles of hours before the newest one: of those with more than one swap, and of all whose swaps were dropped.
  var hours: CandleSeries
  var transfers: TransferSeries
  var balances: Balances
  /// Candles that moved up as they left a shorter interval's retention: at 4h, 1d, 1w.
  var fourHours: CandleSeries
  var days: CandleSeries
  var weeks: CandleSeries
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
  @inline(__always)
  var view: TokenView {
    TokenView(
      swaps: swaps.view, hours: hours.view, transfers: transfers.view, fourHours: fourHours.view, days: days.view,
      weeks: weeks.view, newestHour: newestHour, balances: balances.view, lastBelowHorizon: lastBelowHorizon,
      droppedSwaps: droppedSwaps, droppedTransfers: droppedTransfers, isMarked: isMarked)
  }

  /// Takes in a swap. O(1) amortised in order, O(chunk) late.
  @inline(__always)
  mutating func accept(_ row: SwapRow) {
    if newestHour.has(row.key.timestamp) {
      newestHour.trades += 1
    } else if newestHour.trades > 0, row.key.timestamp < newestHour.start {
      return acceptBefore(row)
    } else {
      closeHour()
      newestHour = NewestHour(start: row.key.timestamp.startOfHour, trades: 1)
    }
    swaps.insert(row)
  }

  /// Takes in a swap of an hour before the newest one.
  private mutating func acceptBefore(_ row: SwapRow) {
    swaps.insert(row)
    let start = row.key.timestamp.startOfHour
    if let stored = hours.find(start) {
      hours.update(stored) { $0.candle.merge(row) }
    } else {
      storeHour(start)
    }
  }

  /// Stores the newest hour, unless its one swap says it all. O(its swaps in the tail + chunks).
  private mutating func closeHour() {
    if newestHour.trades > 1 { hours.insert(newestCandle) }
  }

  /// The newest hour with its candle.
  private var newestCandle: StoredCandle {
    StoredCandle(key: newestHour.start, candle: swaps.view.fold(last: newestHour.trades))
  }

  /// Stores an hour before the newest that has no candle yet, if it has more than one swap by now.
  private mutating func storeHour(_ start: Timestamp) {
    let candle = swaps.view.fold(from: start, before: Interval.oneHour.next(start))
    if let candle, candle.trades > 1 { hours.insert(StoredCandle(key: start, candle: candle)) }
  }

  /// Takes out the swaps with these keys, and keeps their hours up to date. O(keys × log n + bytes of their chunks), and
  /// the raw events of an hour that lost one of its four prices.
  ///
  /// - Parameter keys: ascending.
  mutating func takeBack(_ keys: [OrderKey]) {
    var gone: [SwapRow] = []
    swaps.remove(keys) { gone.append($0) }
    gone.reverse()
    var start = 0
    while start < gone.count {
      let hour = gone[start].key.timestamp.startOfHour
      let next = Interval.oneHour.next(hour)
      var end = start
      while end < gone.count, gone[end].key.timestamp < next { end += 1 }
      takeBack(gone[start..<end], from: hour)
      start = end
    }
  }

  private mutating func takeBack(_ rows: ArraySlice<SwapRow>, from hour: Timestamp) {
    func rest(_ candle: Candle) -> Candle? { rows.reduce(candle as Candle?) { $0?.without($1) } }
    if newestHour.trades > 0, newestHour.start == hour {
      newestHour.trades -= rows.count
      if newestHour.trades == 0 { findNewestHour() }
    } else if let stored = hours.find(hour) {
      let candle =
        rest(hours.row(at: stored).candle) ?? swaps.view.fold(from: hour, before: Interval.oneHour.next(hour))
      if let candle, candle.trades > 1 {
        hours.update(stored) { $0.candle = candle }
      } else {
        hours.remove([hour]) { _ in }
      }
    }
  }

  /// Makes the hour of the last held swap the newest one. O(chunk).
  private mutating func findNewestHour() {
    newestHour = .none
    guard let last = swaps.lastKey else { return }
    newestHour = NewestHour(start: last.timestamp.startOfHour, trades: 1)
    hours.remove([newestHour.start]) { newestHour.trades = $0.candle.trades }
  }

  /// Drops the raw swaps before `bound`, the start of an hour, and keeps their hours. O(what is dropped).
  ///
  /// - Returns: how many there were.
  mutating func dropSwaps(before bound: Timestamp) -> Int {
    // From now on no swap stands for its hour: those that stood alone are stored, the newest hour too.
    var alone: [StoredCandle] = []
    if newestHour.trades > 0, newestHour.start < bound {
      alone.append(newestCandle)
      newestHour = .none
    }
    var (hour, inHour) = (Timestamp(microseconds: .min), 0)
    var last: SwapRow?
    let count = swaps.count
    func close() {
      guard let last, inHour == 1, alone.first?.key != hour else { return }
      alone.append(StoredCandle(key: hour, candle: Candle(last)))
    }
    swaps.removePrefix(before: swaps.view.lowerBound(bound)) { row in
      let start = row.key.timestamp.startOfHour
      if start != hour {
        close()
        (hour, inHour) = (start, 0)
      }
      inHour += 1
      last = row
    }
    close()
    for candle in alone { hours.insert(candle) }
    if let last { lastBelowHorizon = LastSwap(key: last.key, price: last.price) }
    return count - swaps.count
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
