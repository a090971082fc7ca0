// Rolling windows at any instant: (T − w, T], exact to the microsecond.
// Invariant: every figure as of T uses swaps with a time ≤ T and no other.
// Not here: the fold over chunks (TokenReference+Window), who is ranked (Ranking).
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
    return contents.reference(token.index).statistics(after: start, to: asOf)
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

extension TokenReference {
  /// What the token did in (`start`, `asOf`].
  @inline(__always)
  func statistics(after start: Timestamp, to asOf: Timestamp) -> WindowStatistics {
    var window = WindowStatistics(asOf: asOf)
    let fold = self.window(after: start, to: asOf)
    if fold.sums.trades > 0 {
      window.volumeUSD = fold.sums.volumeUSD
      window.volumeToken = fold.sums.volumeToken
      window.buyVolumeUSD = fold.sums.buyVolumeUSD
      window.sellVolumeUSD = fold.sums.sellVolumeUSD
      window.trades = fold.sums.trades
      window.high = Decimal18(units: fold.sums.high)
      window.low = Decimal18(units: fold.sums.low)
    }
    window.open = fold.prices.open
    window.last = fold.prices.last
    window.change = fold.prices.change
    window.changePercent = fold.prices.changePercent
    return window
  }
}
