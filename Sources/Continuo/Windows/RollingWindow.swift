// Rolling windows at any instant: (T − w, T], exact to the microsecond.
// Invariant: every figure as of T uses swaps with a time ≤ T and no other.
// Not here: the fold over chunks (SwapColumns), who is ranked (Ranking).
// Rules 5.1, 5.2, 5.3.

extension MarketAnswers where Self: ~Copyable {
  /// What a token did in (`asOf` − length, `asOf`]. O(log n + chunks of the window + two chunks' rows).
  ///
  /// - Throws: ``Refusal/outsideRetention(asked:horizon:)`` where the window begins below the horizon and anything was
  ///   dropped.
  public func window(_ length: WindowLength, of token: TokenID, asOf: Timestamp) throws(Refusal) -> WindowStatistics {
    let start = asOf - length.microseconds
    let contents = contents
    try contents.requireHeld(from: start)
    let token = contents.token(token.index)
    var window = WindowStatistics(asOf: asOf)
    let before = token.lastSwap(atOrBefore: start)
    let candle = token.swaps.fold(from: start + 1, before: asOf + 1)
    if let candle {
      window.volumeUSD = candle.volumeUSD
      window.volumeToken = candle.volumeToken
      window.buyVolumeUSD = candle.buyVolumeUSD
      window.sellVolumeUSD = candle.sellVolumeUSD
      window.trades = candle.trades
      window.high = candle.high
      window.low = candle.low
    }
    guard let last = candle?.close ?? before?.price, let open = before?.price ?? candle?.open else { return window }
    window.last = last
    window.open = open
    // Both prices are over zero, so their difference always fits.
    let change = Decimal18(units: last.units - open.units)
    window.change = change
    window.changePercent = WideArithmetic.percent(ExactSum(change), of: ExactSum(open))
    return window
  }

  /// Who traded in (`asOf` − length, `asOf`], counted from raw events. O(log n + swaps of the window).
  ///
  /// - Throws: ``Refusal/outsideRetention(asked:horizon:)`` as ``window(_:of:asOf:)`` does.
  public func traders(_ length: WindowLength, of token: TokenID, asOf: Timestamp) throws(Refusal) -> WindowTraders {
    let start = asOf - length.microseconds
    let contents = contents
    try contents.requireHeld(from: start)
    var counts = WindowTraders()
    var traders: Set<UInt32> = []
    var buyers: Set<UInt32> = []
    var sellers: Set<UInt32> = []
    contents.token(token.index).swaps.visit(from: start + 1, before: asOf + 1) { row in
      if row.side == .buy { counts.buys += 1 }
      if row.side == .sell { counts.sells += 1 }
      if row.wallet != SwapRow.absentWallet {
        traders.insert(row.wallet)
        if row.side == .buy { buyers.insert(row.wallet) }
        if row.side == .sell { sellers.insert(row.wallet) }
      }
    }
    counts.traders = traders.count
    counts.buyers = buyers.count
    counts.sellers = sellers.count
    return counts
  }
}
