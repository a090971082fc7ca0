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
