// What is left of a token's dropped events: what it had when the horizon last moved, without the events held since.
// Invariant: a token that is given its base, and then takes in its held events, is the token that it was.
// Not here: dropping (Eviction), the held events (HeldEvents).

/// What is left of a token's dropped events.
package struct TokenBase: Equatable, Sendable {
  /// A candle below the horizon that is held, and at which interval: 1h, 4h, 1d or 1w.
  package struct Archived: Equatable, Sendable {
    package var interval: Interval
    package var start: Timestamp
    package var candle: Candle

    package init(interval: Interval, start: Timestamp, candle: Candle) {
      (self.interval, self.start, self.candle) = (interval, start, candle)
    }
  }

  package var token: UInt32
  package var droppedSwaps = 0
  package var droppedTransfers = 0
  /// The place and the price of its last dropped swap.
  package var lastKey: OrderKey?
  package var lastPrice = Decimal18.zero
  package var candles: [Archived] = []
  /// What its dropped transfers added up to, by address, zeros left out.
  package var balances: [(address: UInt32, sum: ExactSum)] = []
  package var supply = ExactSum.zero

  package init(token: UInt32) { self.token = token }

  package static func == (left: TokenBase, right: TokenBase) -> Bool {
    left.token == right.token && left.droppedSwaps == right.droppedSwaps
      && left.droppedTransfers == right.droppedTransfers && left.lastKey == right.lastKey
      && left.lastPrice == right.lastPrice && left.candles == right.candles && left.supply == right.supply
      && left.balances.elementsEqual(right.balances) { $0 == $1 }
  }
}

extension TokenBase {
  /// No token has dropped more events: sums of counts stay far from where they would overflow.
  private static let droppedMax = 1 << 48

  /// Whether it can be what is left of events below a horizon. O(candles + balances).
  package func fits(below horizon: Timestamp) -> Bool {
    let counts = 0...Self.droppedMax
    guard counts.contains(droppedSwaps), counts.contains(droppedTransfers), droppedSwaps + droppedTransfers > 0,
      (lastKey != nil) == (droppedSwaps > 0)
    else { return false }
    if let lastKey {
      guard lastKey.timestamp.isInRange, lastKey.timestamp < horizon, lastPrice.isPositive else { return false }
    }
    var left = droppedSwaps
    for archived in candles {
      guard archived.fits(below: horizon, swaps: left) else { return false }
      left -= archived.candle.trades
    }
    // So many amounts, each of which has 127 bits.
    let sums = -Int64(droppedTransfers)...Int64(droppedTransfers)
    guard droppedTransfers > 0 || balances.isEmpty && supply.isZero, sums.contains(supply.high) else { return false }
    return balances.allSatisfy { sums.contains($0.sum.high) }
      && zip(balances, balances.dropFirst()).allSatisfy { $0.address < $1.address }
  }
}

extension TokenBase.Archived {
  /// Whether it can be the candle of a bucket with swaps below a horizon, so many at most. O(1).
  fileprivate func fits(below horizon: Timestamp, swaps: Int) -> Bool {
    let (open, close) = (candle.openKey, candle.closeKey)
    guard open <= close, open.timestamp.isInRange, close.timestamp < horizon,
      interval.start(of: open.timestamp) == start, interval.start(of: close.timestamp) == start
    else { return false }
    guard candle.low.isPositive, candle.low <= min(candle.open, candle.close),
      max(candle.open, candle.close) <= candle.high, candle.trades > 0, candle.trades <= swaps,
      (0...candle.trades).contains(candle.tradesWithoutTokenAmount)
    else { return false }
    var sided = candle.buyVolumeUSD
    sided += candle.sellVolumeUSD
    let sums = 0...Int64(candle.trades)
    return [candle.volumeUSD, candle.volumeToken, candle.buyVolumeUSD, candle.sellVolumeUSD].allSatisfy {
      sums.contains($0.high)
    } && sided <= candle.volumeUSD
  }
}

extension MarketAnswers where Self: ~Copyable {
  /// What is left of the dropped events of every token that has any, by number. O(tokens + what is left), and of tokens
  /// with dropped transfers those that are held.
  package func bases() -> [TokenBase] {
    let contents = contents
    guard let horizon = contents.horizon else { return [] }
    var bases: [TokenBase] = []
    for number in 0..<contents.tokenCount {
      let view = contents.token(number)
      guard view.droppedSwaps + view.droppedTransfers > 0 else { continue }
      var base = TokenBase(token: UInt32(truncatingIfNeeded: number))
      (base.droppedSwaps, base.droppedTransfers) = (view.droppedSwaps, view.droppedTransfers)
      (base.lastKey, base.lastPrice) = (view.lastBelowHorizon?.key, view.lastBelowHorizon?.price ?? .zero)
      for (series, interval) in [
        (view.hours, Interval.oneHour), (view.fourHours, .fourHours), (view.days, .oneDay), (view.weeks, .oneWeek),
      ] {
        var position = series.start
        while position != series.end {
          let row = series.row(at: position)
          // Of hours at or above it the raw events are held.
          if interval == .oneHour, row.key >= horizon { break }
          base.candles.append(TokenBase.Archived(interval: interval, start: row.key, candle: row.candle))
          position = series.after(position)
        }
      }
      if view.droppedTransfers > 0 { contents.addBalances(of: number, view, to: &base) }
      bases.append(base)
    }
    return bases
  }
}

extension EngineContents {
  /// Takes the held transfers out of a token's balances: what is left is what the dropped ones added up to.
  fileprivate func addBalances(of number: Int, _ view: TokenView, to base: inout TokenBase) {
    var sums: [UInt32: ExactSum] = [:]
    forEachBalance(of: number, view.balances) { sums[$0] = $1 }
    base.supply = view.balances.supply
    var position = view.transfers.start
    while position != view.transfers.end {
      let row = view.transfers.row(at: position)
      position = view.transfers.after(position)
      guard row.from != row.to else { continue }
      let amount = ExactSum(row.amount)
      if row.from == TransferRow.zeroAddress { base.supply -= amount } else { sums[row.from, default: .zero] += amount }
      if row.to == TransferRow.zeroAddress { base.supply += amount } else { sums[row.to, default: .zero] -= amount }
    }
    base.balances = sums.filter { !$0.value.isZero }.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }
}
