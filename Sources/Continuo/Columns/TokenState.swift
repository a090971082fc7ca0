// Everything that is held of one token, as the writer has it.
// Invariant: as TokenView; from 1h up stored candles are up to date behind every change.
// Not here: names (Interner), identities (IdentityIndex), reading (TokenView).

/// The state of one token.
struct TokenState: ~Copyable {
  // What each swap touches stands together, and what each transfer does: Engine.lookUp asks for it by its lines.
  /// The version that this token was last changed for.
  var changed: UInt64 = .max
  /// Whether its last version has another rest than it has now (TokenRest); of no meaning while no versions are made.
  var isRestChanged = true
  /// The candle of the last held swap's hour; without trades where none is held. Live events mostly touch this one.
  private(set) var newestHour = StoredCandle.none
  var swaps: SwapSeries
  /// Candles of hours before the newest one: of those with more than one swap, and of all whose swaps were dropped.
  var hours: CandleSeries
  /// Events that were dropped below the horizon: they still count.
  var droppedSwaps = 0
  /// Where the rest of its last version is (TokenVersion); of no meaning without one.
  var restWord: UInt = 0
  var transfers: TransferSeries
  var balances: Balances
  /// Candles that moved up as they left a shorter interval's retention: at 4h, 1d, 1w.
  var fourHours: CandleSeries
  var days: CandleSeries
  var weeks: CandleSeries
  /// The greatest swap below the horizon, kept for last prices and windows.
  var lastBelowHorizon: LastSwap?
  var droppedTransfers = 0
  /// One of its transfers was rejected as `overflow`: its holders are incomplete for good.
  var isMarked = false

  /// So many lines of memory from the first one on a swap touches.
  static let swapLines = 6
  /// So many hold what TokenTrades is made of.
  static let tradesLines = 8
  /// Those that a transfer touches.
  static let transferLines = 8..<12

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
      trades: TokenTrades(swaps: swaps.view, hours: hours.view, droppedSwaps: droppedSwaps, newestHour: newestHour),
      rest: rest)
  }

  /// What swaps do not change, as it is now. O(1).
  @inline(__always)
  var rest: TokenRest {
    TokenRest(
      transfers: transfers.view, fourHours: fourHours.view, days: days.view, weeks: weeks.view, balances: balances.view,
      lastBelowHorizon: lastBelowHorizon, droppedTransfers: droppedTransfers, isMarked: isMarked)
  }

  /// Takes in a swap. O(1) amortised in order, O(chunk) late.
  @inline(__always)
  mutating func accept(_ row: SwapRow, near place: LatePlace = .unknown) {
    swaps.insert(row, near: place.event)
    let offset = row.key.timestamp.microseconds &- newestHour.key.microseconds
    if newestHour.candle.trades > 0, offset >= 0, offset < Interval.oneHour.microseconds {
      newestHour.candle.merge(row)
    } else {
      beginHour(row, near: place)
    }
  }

  /// Takes in a run of swaps. O(swaps) amortised in order.
  mutating func accept(_ held: Span<HeldSwap>, _ run: Range<Int>) {
    for index in run { accept(held[index].row) }
  }

  // In its caller: a row that is handed on is put together in memory first, and whoever reads it there waits for that.
  @inline(__always)
  private mutating func beginHour(_ row: SwapRow, near place: LatePlace) {
    let start = row.key.timestamp.startOfHour
    if newestHour.candle.trades == 0 || newestHour.key < start {
      closeHour()
      newestHour = StoredCandle(key: start, candle: Candle(row))
    } else {
      mergeLate(row, start, near: place)
    }
  }

  @inline(never)
  private mutating func mergeLate(_ row: SwapRow, _ start: Timestamp, near place: LatePlace) {
    if let stored = hours.find(start, near: place.hour) {
      hours.update(stored) { $0.candle.merge(row) }
    } else {
      storeHour(start, near: place)
    }
  }

  /// Stores the newest hour, unless its one swap says it all.
  private mutating func closeHour() {
    if newestHour.candle.trades > 1 { hours.insert(newestHour) }
  }

  /// Stores an hour before the newest that has no candle yet, if it has more than one swap by now.
  private mutating func storeHour(_ start: Timestamp, near place: LatePlace) {
    let candle = swaps.view.fold(from: start, before: Interval.oneHour.next(start), near: place.event)
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
    if newestHour.candle.trades > 0, newestHour.key == hour {
      guard let rest = rest(newestHour.candle) else { return recomputeNewestHour() }
      newestHour.candle = rest
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

  /// Makes the hour of the last held swap the newest one. O(its raw events).
  private mutating func recomputeNewestHour() {
    guard let last = swaps.lastKey else {
      newestHour = .none
      return
    }
    let start = last.timestamp.startOfHour
    if hours.lastKey == start { hours.remove([start]) { _ in } }
    if let candle = swaps.view.fold(from: start, before: Interval.oneHour.next(start)) {
      newestHour = StoredCandle(key: start, candle: candle)
    }
  }

  /// Drops the raw swaps before `bound`, the start of an hour, and keeps their hours. O(what is dropped).
  ///
  /// - Returns: how many there were.
  mutating func dropSwaps(before bound: Timestamp) -> Int {
    // From now on no swap stands for its hour: those that stood alone are stored, the newest hour too.
    var alone: [StoredCandle] = []
    if newestHour.candle.trades > 0, newestHour.key < bound {
      alone.append(newestHour)
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
  // In its caller, both of them: for a method that only reads all of the state would be copied first.
  @inline(__always)
  func swap(_ key: OrderKey) -> SwapRow? { swaps.find(key).map { swaps.row(at: $0) } }

  /// The held transfer with just this key. O(log n).
  @inline(__always)
  func transfer(_ key: OrderKey) -> TransferRow? { transfers.find(key).map { transfers.row(at: $0) } }

  /// Asks for the memory where the next event goes.
  @inline(__always)
  func prefetchTails(_ kind: EventKind) {
    if kind == .swap { swaps.prefetchTail() } else { transfers.prefetchTail() }
  }
}
