// A token's statistics, and tokens ranked by one of them.
// Invariant: largest first; what is empty or does not fit comes last; ties by the bytes of the name.
// Not here: windows (RollingWindow), balances (Balances).
// Rules 5.4, 5.5.

extension MarketAnswers where Self: ~Copyable {
  /// The 24 hours, last price, holders, supply and market cap of a token. O(log n + chunks of a day).
  ///
  /// Holders, supply and market cap are of the present: nil as of an instant before the clock.
  ///
  /// - Parameters:
  ///   - token: a token of this engine.
  ///   - asOf: the instant that the figures are as of.
  ///   - clock: what time it is; nil is the engine's own ``clock``.
  /// - Throws: ``Refusal/outsideRetention(asked:horizon:)`` as ``window(_:of:asOf:)`` does.
  public func statistics(of token: TokenID, asOf: Timestamp, clock: Timestamp? = nil) throws(Refusal)
    -> TokenStatistics
  {
    var statistics = TokenStatistics(token: token, window: try window(.oneDay, of: token, asOf: asOf))
    if let clock = clock ?? self.clock, asOf < clock { return statistics }
    let held = contents.token(token.index)
    statistics.holders = held.balances.holders
    guard held.hasTransfers else { return statistics }
    let supply = held.balances.supply
    statistics.supply = supply
    if let price = statistics.window.last, !supply.isNegative {
      statistics.marketCapUSD = WideArithmetic.product(supply, price)
    }
    return statistics
  }

  /// The first `limit` tokens by one of their figures. O(tokens × windows + n log n).
  ///
  /// - Throws: ``Refusal/outsideRetention(asked:horizon:)`` as ``window(_:of:asOf:)`` does.
  public func ranking(by key: RankingKey, limit: Int, asOf: Timestamp) throws(Refusal) -> [TokenStatistics] {
    var ranked: [TokenStatistics] = []
    for token in tokens() { ranked.append(try statistics(of: token, asOf: asOf)) }
    // The sort is stable and the tokens come by name, so that ties stay in the order of names.
    let figures = ranked.map { Self.figure(key, $0) }
    let order = ranked.indices.sorted { left, right in
      switch (figures[left], figures[right]) {
      case (let one?, let other?): one != other ? one > other : left < right
      case (.some, nil): true
      case (nil, .some): false
      case (nil, nil): left < right
      }
    }
    return order.prefix(max(0, limit)).map { ranked[$0] }
  }

  private static func figure(_ key: RankingKey, _ statistics: TokenStatistics) -> Int128? {
    switch key {
    case .volume: statistics.window.volumeUSD.decimal?.units
    case .change: statistics.window.changePercent?.units
    case .marketCap: statistics.marketCapUSD?.units
    case .holders: statistics.holders.map { Int128($0) }
    }
  }
}
