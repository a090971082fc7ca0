// What the model answers about its events at one instant; candles and their filling.
// Invariant: every answer is computed anew from the list of the swaps and transfers that stand.
// Not here: windows (ModelAnswers+Windows), holders and rankings (ModelAnswers+Holders), CSV (ModelAnswers+CSV).

package import Continuo

/// A swap with its place in order 3.2.
package struct PlacedSwap: Sendable {
  package var key: OrderKey
  package var swap: StoredSwap
}

/// A row about a bucket, with sums of any size.
package struct ModelCandle: Equatable, Sendable {
  package var bucket: Timestamp
  package var isClosed: Bool
  /// open, high, low, close; none in a row without prices.
  package var prices: [Decimal18] = []
  package var openKey: OrderKey?
  package var closeKey: OrderKey?
  package var volumeUSD = BigInteger.zero
  package var volumeToken = BigInteger.zero
  package var buyVolumeUSD = BigInteger.zero
  package var sellVolumeUSD = BigInteger.zero
  package var trades = 0
  package var vwap: Decimal18?
}

/// The model's answers about what stands.
package struct ModelAnswers: Sendable {
  package let model: ContinuoModel
  /// Each token's swaps in order 3.2.
  package let swaps: [ByteString: [PlacedSwap]]
  /// Each token's transfers.
  package let transfers: [ByteString: [StoredTransfer]]

  package init(_ model: ContinuoModel) {
    var swaps: [ByteString: [PlacedSwap]] = [:]
    var transfers: [ByteString: [StoredTransfer]] = [:]
    for event in model.standing {
      switch event.content {
      case .swap(let swap):
        let identity = event.identity
        let key = OrderKey(
          timestamp: swap.timestamp, chain: identity.chain, block: identity.block, logIndex: identity.logIndex)
        swaps[swap.token, default: []].append(PlacedSwap(key: key, swap: swap))
      case .transfer(let transfer): transfers[transfer.token, default: []].append(transfer)
      }
    }
    self.model = model
    self.swaps = swaps.mapValues { $0.sorted { Self.isBefore($0.key, $1.key) } }
    self.transfers = transfers
  }

  /// The order of rule 3.2, spelled out.
  package static func isBefore(_ left: OrderKey, _ right: OrderKey) -> Bool {
    (left.timestamp.microseconds, left.chain, left.block, left.logIndex)
      < (right.timestamp.microseconds, right.chain, right.block, right.logIndex)
  }

  /// Every token with an event that stands, by its bytes.
  package var tokens: [ByteString] {
    Set(swaps.keys).union(transfers.keys).sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
  }

  /// Whether the horizon passed any event (rules 5.6, 6.4).
  package var hasDropped: Bool { !model.dropped.isEmpty }

  // MARK: candles

  /// The swaps of each bucket that has one, ascending, whether it is served or not.
  package func buckets(_ token: ByteString, _ interval: Interval) -> [(start: Int64, swaps: ArraySlice<PlacedSwap>)] {
    let all = swaps[token] ?? []
    var found: [(start: Int64, swaps: ArraySlice<PlacedSwap>)] = []
    var first = 0
    for index in all.indices {
      let start = ModelInterval.start(interval, of: all[index].key.timestamp.microseconds)
      let isLast =
        index + 1 == all.count
        || ModelInterval.start(interval, of: all[index + 1].key.timestamp.microseconds) != start
      if isLast {
        found.append((start, all[first...index]))
        first = index + 1
      }
    }
    return found
  }

  /// Whether candles of a bucket are kept (rule 6.6).
  package func isServed(_ start: Int64, _ interval: Interval) -> Bool {
    guard let retention = model.settings.retention, let newest = model.newest else { return true }
    let kept = retention.microseconds(interval)
    guard kept != .max else { return true }
    return Int128(start) + Int128(ModelInterval.length(interval)) > Int128(newest.microseconds) - Int128(kept)
  }

  /// The rows about a token (rules 4.2–4.5, 6.6).
  package func candles(_ token: ByteString, _ query: CandleQuery, clock given: Timestamp? = nil) -> [ModelCandle] {
    let clock = given ?? model.clock
    let interval = query.interval
    let served = buckets(token, interval).filter { isServed($0.start, interval) }
    var rows: [Int64: ModelCandle] = [:]
    for bucket in served where isIn(bucket.start, query) {
      rows[bucket.start] = Self.candle(bucket.swaps, row(bucket.start, interval, clock))
    }
    if query.fill != .none, let first = served.first?.start, let clock {
      var closes = served.map { (start: $0.start, close: $0.swaps.last?.swap.price) }
      for start in filledStarts(query, first, clock).reversed() where rows[start] == nil {
        var filled = row(start, interval, clock)
        while let last = closes.last, last.start > start { closes.removeLast() }
        if query.fill == .previous, let close = closes.last?.close {
          filled.prices = [close, close, close, close]
        }
        rows[start] = filled
      }
    }
    let ascending = rows.values.sorted { $0.bucket < $1.bucket }
    return query.limit.map { Array(ascending.suffix($0)) } ?? ascending
  }

  private func isIn(_ start: Int64, _ query: CandleQuery) -> Bool {
    if let from = query.from, start < from.microseconds { return false }
    if let to = query.to, start >= to.microseconds { return false }
    return true
  }

  /// Where every bucket starts that is filled (rule 4.4), ascending; of more than the limit only the newest ones.
  private func filledStarts(_ query: CandleQuery, _ first: Int64, _ clock: Timestamp) -> [Int64] {
    let length = ModelInterval.length(query.interval)
    var starts: [Int64] = []
    // A clock may lie past the year 9999; a bucket's name may not (rule 2.6).
    let end = (ModelCalendar.days(year: 9999, month: 12, day: 31) + 1) * 86_400_000_000
    let latest = min(clock.microseconds, end - 1)
    var start = ModelInterval.start(query.interval, of: latest)
    if let to = query.to, to.microseconds <= latest {
      // The last bucket that starts before `to`.
      guard to.microseconds > first else { return [] }
      start = ModelInterval.start(query.interval, of: to.microseconds - 1)
    }
    while start >= first, isIn(start, query) {
      starts.append(start)
      if let limit = query.limit, starts.count >= limit { break }
      start -= length
    }
    return starts.reversed()
  }

  private func row(_ start: Int64, _ interval: Interval, _ clock: Timestamp?) -> ModelCandle {
    let end = start + ModelInterval.length(interval)
    let isClosed = clock.map { end <= $0.microseconds } ?? false
    return ModelCandle(bucket: Timestamp(microseconds: start), isClosed: isClosed)
  }

  private static func candle(_ swaps: ArraySlice<PlacedSwap>, _ row: ModelCandle) -> ModelCandle {
    var candle = row
    guard let first = swaps.first, let last = swaps.last else { return row }
    var (high, low) = (first.swap.price, first.swap.price)
    var isComplete = true
    for placed in swaps {
      let swap = placed.swap
      if swap.price > high { high = swap.price }
      if swap.price < low { low = swap.price }
      let amount = BigInteger(swap.amount.units)
      candle.volumeUSD += amount
      if swap.side == .buy { candle.buyVolumeUSD += amount }
      if swap.side == .sell { candle.sellVolumeUSD += amount }
      if let tokenAmount = swap.tokenAmount {
        candle.volumeToken += BigInteger(tokenAmount.units)
      } else {
        isComplete = false
      }
      candle.trades += 1
    }
    candle.prices = [first.swap.price, high, low, last.swap.price]
    (candle.openKey, candle.closeKey) = (first.key, last.key)
    if isComplete { candle.vwap = ModelNumber.quotient(candle.volumeUSD, over: candle.volumeToken) }
    return candle
  }

  // MARK: explain

  /// The swaps behind a bucket's prices (rule 5.6).
  package func explain(
    _ token: ByteString, _ interval: Interval, bucket: Timestamp
  ) throws(Refusal) -> [ModelExplanation] {
    if let horizon = model.horizon, hasDropped, bucket < horizon {
      throw Refusal.outsideRetention(asked: bucket, horizon: horizon)
    }
    guard let all = buckets(token, interval).first(where: { $0.start == bucket.microseconds })?.swaps else { return [] }
    var (open, high, low, close) = (all[all.startIndex], all[all.startIndex], all[all.startIndex], all[all.startIndex])
    for placed in all {
      if placed.swap.price > high.swap.price { high = placed }
      if placed.swap.price < low.swap.price { low = placed }
      if Self.isBefore(placed.key, open.key) { open = placed }
      if Self.isBefore(close.key, placed.key) { close = placed }
    }
    return zip(Explanation.Role.allCases, [open, high, low, close]).map {
      ModelExplanation(role: $0, price: $1.swap.price, key: $1.key)
    }
  }
}

/// Which swap made a price.
package struct ModelExplanation: Equatable, Sendable {
  package var role: Explanation.Role
  package var price: Decimal18
  package var key: OrderKey
}
