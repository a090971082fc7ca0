// The model's rolling windows: one pass over all swaps of a token, for any instant and length.
// Invariant: a window that would need dropped events is refused once there are any.
// Not here: candles (ModelAnswers).

package import Continuo

/// What a token did in a window, with sums of any size.
package struct ModelWindow: Equatable, Sendable {
  package var asOf: Timestamp
  package var volumeUSD = BigInteger.zero
  package var volumeToken = BigInteger.zero
  package var buyVolumeUSD = BigInteger.zero
  package var sellVolumeUSD = BigInteger.zero
  package var trades = 0
  package var open: Decimal18?
  package var high: Decimal18?
  package var low: Decimal18?
  package var last: Decimal18?
  package var change: Decimal18?
  package var changePercent: Decimal18?
}

/// Who traded in a window.
package struct ModelTraders: Equatable, Sendable {
  package var buys = 0
  package var sells = 0
  package var traders = 0
  package var buyers = 0
  package var sellers = 0
}

extension ModelAnswers {
  /// The length of a window in microseconds.
  package static func microseconds(_ length: WindowLength) -> Int64 {
    let minute: Int64 = 60 * 1_000_000
    switch length {
    case .fiveMinutes: return 5 * minute
    case .oneHour: return 60 * minute
    case .sixHours: return 360 * minute
    case .oneDay: return 1440 * minute
    case .sevenDays: return 7 * 1440 * minute
    }
  }

  /// Refuses an instant whose window would need dropped events (rule 6.4).
  package func checkRetention(_ length: WindowLength, _ asOf: Timestamp) throws(Refusal) {
    guard let horizon = model.horizon, hasDropped else { return }
    if Int128(asOf.microseconds) < Int128(horizon.microseconds) + Int128(Self.microseconds(length)) {
      throw Refusal.outsideRetention(asked: asOf, horizon: horizon)
    }
  }

  /// The swaps in (asOf − length, asOf], in order.
  private func inside(_ length: WindowLength, _ token: ByteString, _ asOf: Timestamp) -> [PlacedSwap] {
    let start = Int128(asOf.microseconds) - Int128(Self.microseconds(length))
    return (swaps[token] ?? []).filter {
      $0.key.timestamp <= asOf && start < Int128($0.key.timestamp.microseconds)
    }
  }

  /// Rules 5.1, 5.2.
  package func window(
    _ length: WindowLength, _ token: ByteString, asOf: Timestamp
  ) throws(Refusal) -> ModelWindow {
    try checkRetention(length, asOf)
    var answer = ModelWindow(asOf: asOf)
    let known = (swaps[token] ?? []).filter { $0.key.timestamp <= asOf }
    guard let last = known.last?.swap.price else { return answer }
    let inside = inside(length, token, asOf)
    // What is known and not inside lies before the window.
    let before = known.count - inside.count
    let open = before > 0 ? known[before - 1].swap.price : known[0].swap.price
    for placed in inside {
      let amount = BigInteger(placed.swap.amount.units)
      answer.volumeUSD += amount
      if let tokenAmount = placed.swap.tokenAmount { answer.volumeToken += BigInteger(tokenAmount.units) }
      if placed.swap.side == .buy { answer.buyVolumeUSD += amount }
      if placed.swap.side == .sell { answer.sellVolumeUSD += amount }
    }
    answer.trades = inside.count
    answer.high = inside.map(\.swap.price).max()
    answer.low = inside.map(\.swap.price).min()
    (answer.open, answer.last) = (open, last)
    let change = BigInteger(last.units) - BigInteger(open.units)
    answer.change = ModelNumber.fitted(change)
    answer.changePercent = ModelNumber.percent(change, of: BigInteger(open.units))
    return answer
  }

  /// Rule 5.3.
  package func traders(
    _ length: WindowLength, _ token: ByteString, asOf: Timestamp
  ) throws(Refusal) -> ModelTraders {
    try checkRetention(length, asOf)
    let inside = inside(length, token, asOf).map(\.swap)
    func wallets(_ swaps: [StoredSwap]) -> Int { Set(swaps.compactMap(\.wallet)).count }
    let (buys, sells) = (inside.filter { $0.side == .buy }, inside.filter { $0.side == .sell })
    return ModelTraders(
      buys: buys.count, sells: sells.count, traders: wallets(inside), buyers: wallets(buys), sellers: wallets(sells))
  }
}
