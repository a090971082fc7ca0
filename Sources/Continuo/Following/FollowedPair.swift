// What the followers of one token's candles have, and what they are sent when it changes.
// Invariant: behind an update of a version its followers have the newest candle of that version, and every one before it that
// they were not told to ask for again.
// Not here: when they are told (CandleFeed).

/// A pair that somebody follows.
struct FollowedPair: Sendable {
  /// So many candles are sent one by one; more are to be asked for.
  private static let candlesMax = 100

  let pair: CandlePair
  var number: TokenID?
  /// The numbers of the subscriptions.
  var followers: [Int] = []
  /// When they were told last.
  var told: ContinuousClock.Instant?
  /// Up to where they have everything, while there is something to tell.
  var complete: UInt64?
  /// The version that they have.
  private var version: UInt64 = 0
  /// The bucket of the newest candle that they have; nil where they have none.
  private var newest: Timestamp?
  private var isOpen = false

  init(_ pair: CandlePair) { self.pair = pair }

  /// Whether the newest candle was open when it was sent, and is not at this time.
  func isToClose(_ clock: Timestamp) -> Bool {
    guard isOpen, let newest else { return false }
    return pair.interval.next(newest) <= clock
  }

  /// Begins at a version. O(log n).
  mutating func begin(_ market: borrowing Snapshot, _ place: FeedPlace) {
    note(bars(market, place, limit: 1).last)
    version = market.version
  }

  /// What one who begins now is sent: the newest candle, or what has changed since a place.
  ///
  /// - Parameter since: where the follower stopped; nil for one that is not known any more, none for one that begins.
  func beginning(
    _ market: borrowing Snapshot, _ place: FeedPlace, since: FeedPlace??, _ changes: CandleChanges
  ) -> [CandleUpdate] {
    let last = bars(market, place, limit: 1).last
    guard let since else { return last.map { [update(.candle($0))] } ?? [] }
    switch change(since, changes) {
    case .unknown: return [update(.reset(from: nil))] + (last.map { [update(.candle($0))] } ?? [])
    case .none:
      guard let last, last.isClosed, let clock = since?.clock, pair.interval.next(last.bucket) > clock else {
        return []
      }
      return [update(.candle(last))]
    case .since(let instant, let isUndone):
      var from = pair.interval.start(of: instant)
      // The candle before may have been open then.
      if let clock = since?.clock, !isUndone { from = min(from, pair.interval.start(of: clock)) }
      let bars = bars(market, place, from: from, limit: Self.candlesMax + 1)
      guard !isUndone, bars.count <= Self.candlesMax else {
        return [update(.reset(from: from))] + (last.map { [update(.candle($0))] } ?? [])
      }
      return bars.map { update(.candle($0)) }
    }
  }

  private func change(_ since: FeedPlace?, _ changes: CandleChanges) -> CandleChange {
    guard let since else { return .unknown }
    guard let number else { return CandleChange.none }
    return changes.since(since.version, of: number)
  }

  /// What the followers are sent at a version. O(log n + candles).
  mutating func updates(
    _ market: borrowing Snapshot, _ place: FeedPlace, _ changes: CandleChanges
  ) -> [CandleUpdate] {
    guard let number else { return [] }
    let change = changes.since(version, of: number)
    version = market.version
    switch change {
    case .unknown:
      let last = bars(market, place, limit: 1).last
      note(last)
      return [update(.reset(from: nil))] + (last.map { [update(.candle($0))] } ?? [])
    case .none:
      guard let newest, isOpen, let bar = bars(market, place, from: newest, limit: 1).last, bar.bucket == newest,
        bar.isClosed
      else { return [] }
      isOpen = false
      return [update(.candle(bar))]
    case .since(let instant, let isUndone):
      return changed(market, place, from: pair.interval.start(of: instant), isUndone: isUndone)
    }
  }

  private mutating func changed(
    _ market: borrowing Snapshot, _ place: FeedPlace, from first: Timestamp, isUndone: Bool
  ) -> [CandleUpdate] {
    var updates: [CandleUpdate] = []
    var from = first
    if let newest {
      if first < newest { updates.append(update(.reset(from: first))) }
      // One that was open is sent once more when it is not.
      if first < newest || isOpen { from = newest }
    }
    var bars = bars(market, place, from: from, limit: Self.candlesMax + 1)
    if bars.count > Self.candlesMax {
      if updates.isEmpty { updates.append(update(.reset(from: from))) }
      bars = Array(bars.suffix(1))
    }
    if let newest, isUndone, from <= newest, bars.first?.bucket != newest, updates.isEmpty || bars.isEmpty {
      updates.append(update(.deleted(bucket: newest)))
    }
    updates += bars.map { update(.candle($0)) }
    note(bars.last ?? self.bars(market, place, limit: 1).last)
    return updates
  }

  private mutating func note(_ bar: Bar?) {
    newest = bar?.bucket
    isOpen = bar.map { !$0.isClosed } ?? false
  }

  private func bars(
    _ market: borrowing Snapshot, _ place: FeedPlace, from: Timestamp? = nil, limit: Int
  ) -> [Bar] {
    guard let number else { return [] }
    var bars: [Bar] = []
    market.forEachBar(of: number, CandleQuery(pair.interval, from: from, limit: limit), clock: place.clock) {
      bars.append($0)
    }
    return bars
  }

  private func update(_ change: CandleUpdate.Change) -> CandleUpdate {
    CandleUpdate(token: pair.token, interval: pair.interval, change: change, sequence: nil)
  }
}

extension Snapshot {
  /// The token of this name, whether an event of it stands or none does any more; nil where none ever did. O(length).
  func number(of name: ByteString) -> TokenID? {
    guard let number = contents.tokenNames.find(name.bytes.span), number < contents.tokenCount else { return nil }
    return TokenID(number)
  }
}
