// A token's statistics, and tokens ranked by one of them.
// Invariant: largest first; what is empty or does not fit comes last; ties by the bytes of the name.
// Not here: windows (RollingWindow), balances (Balances), what a volume is at most (DayVolumes).
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
    let contents = contents
    let day = DayOfStandings(contents, asOf: asOf, clock: clock)
    try contents.requireHeld(from: day.start)
    return day.statistics(of: token.index)
  }

  /// The first `limit` tokens by one of their figures. By volume: O(tokens + windows of those that may be among the
  /// first), by another figure: O(tokens × log n).
  ///
  /// - Throws: ``Refusal/outsideRetention(asked:horizon:)`` as ``window(_:of:asOf:)`` does.
  public func ranking(by key: RankingKey, limit: Int, asOf: Timestamp) throws(Refusal) -> [TokenStatistics] {
    let contents = contents
    let day = DayOfStandings(contents, asOf: asOf, clock: nil)
    // What was dropped was some token's: there is one that has no answer.
    try contents.requireHeld(from: day.start)
    let limit = min(max(0, limit), contents.tokenCount)
    guard limit > 0 else { return [] }
    return key == .volume ? day.firstByVolume(limit) : day.first(limit, by: key)
  }
}

/// A token's place among others: a figure, and where its window was noted.
private struct Standing: BitwiseCopyable {
  var figure: Int128?
  var token: Int
  var window: Int?
}

/// A token, and what its volume is at most.
private struct Prospect: BitwiseCopyable {
  var token: Int
  var bound: Double
}

/// The 24 hours up to an instant, of every token.
private struct DayOfStandings {
  let contents: EngineContents
  let start: Timestamp
  let asOf: Timestamp
  /// Whether what is of the present is told.
  let isPresent: Bool

  init(_ contents: EngineContents, asOf: Timestamp, clock: Timestamp?) {
    self.contents = contents
    self.asOf = asOf
    start = asOf - WindowLength.oneDay.microseconds
    isPresent = (clock ?? contents.clockState.now).map { $0 <= asOf } ?? true
  }

  // MARK: one token

  @inline(__always)
  private func window(of token: Int) -> WindowStatistics {
    contents.reference(token).statistics(after: start, to: asOf)
  }

  @inline(__always)
  func statistics(of token: Int) -> TokenStatistics { statistics(of: token, window(of: token)) }

  @inline(__always)
  private func statistics(of token: Int, _ window: WindowStatistics) -> TokenStatistics {
    var statistics = TokenStatistics(token: TokenID(token), window: window)
    guard isPresent else { return statistics }
    let held = contents.reference(token)
    let balances = held.balances
    statistics.holders = balances.holders
    guard held.hasTransfers else { return statistics }
    statistics.supply = balances.supply
    statistics.marketCapUSD = marketCap(balances.supply, window.last)
    return statistics
  }

  private func marketCap(_ supply: ExactSum, _ last: Decimal18?) -> Decimal18? {
    guard let last, !supply.isNegative else { return nil }
    return WideArithmetic.product(supply, last)
  }

  /// One figure alone.
  private func figure(_ key: RankingKey, _ token: TokenReference) -> Int128? {
    switch key {
    case .volume: return token.window(after: start, to: asOf).sums.volumeUSD.decimal?.units
    case .change: return token.prices(after: start, to: asOf).changePercent?.units
    case .holders: return isPresent ? Int128(token.balances.holders) : nil
    case .marketCap:
      guard isPresent, token.hasTransfers else { return nil }
      return marketCap(token.balances.supply, token.prices(after: start, to: asOf).last)?.units
    }
  }

  // MARK: all tokens

  private func precedes(_ left: Standing, _ right: Standing) -> Bool {
    switch (left.figure, right.figure) {
    case (let one?, let other?) where one != other: one > other
    case (.some, nil): true
    case (nil, .some): false
    default: contents.tokenNames.precedes(left.token, right.token)
    }
  }

  func first(_ limit: Int, by key: RankingKey) -> [TokenStatistics] {
    var leaders = Leaders(limit: limit, by: precedes)
    for token in 0..<contents.tokenCount {
      let held = contents.reference(token)
      guard held.isKnown else { continue }
      leaders.offer(Standing(figure: figure(key, held), token: token, window: nil))
    }
    return leaders.sorted().map { statistics(of: $0.token) }
  }

  /// Looks at the tokens with the greatest bounds first, and at no token whose bound is under the last volume that counts.
  func firstByVolume(_ limit: Int) -> [TokenStatistics] {
    var leaders = Leaders(limit: limit, by: precedes)
    var windows: [WindowStatistics] = []
    var bounds = contents.dayVolumes.bounds(from: start + 1, through: asOf, tokens: contents.tokenCount)
    func look(at token: Int) {
      let window = window(of: token)
      // What a bound was raised by may have been undone, and be all that there was of the token.
      guard window.trades > 0 || contents.reference(token).isKnown else { return }
      leaders.offer(Standing(figure: window.volumeUSD.decimal?.units, token: token, window: windows.count))
      windows.append(window)
    }
    /// Under it no volume counts any more; what is just as large may, by its name.
    func floor() -> Double {
      guard leaders.isFull, let last = leaders.last?.figure else { return 0 }
      return VolumeBound.below(last)
    }
    for prospect in Self.greatest(limit, of: bounds) {
      look(at: prospect.token)
      bounds[prospect.token] = -1
    }
    for prospect in Self.prospects(bounds, from: floor()) {
      guard prospect.bound >= floor() else { break }
      look(at: prospect.token)
    }
    // Who had no swap comes after every volume, and before those that do not fit.
    if !leaders.isFull || leaders.last?.figure.map({ $0 <= 0 }) ?? true {
      for token in bounds.indices where bounds[token] == 0 && contents.reference(token).isKnown {
        leaders.offer(Standing(figure: 0, token: token, window: nil))
      }
    }
    return leaders.sorted().map { standing in
      guard let window = standing.window else { return statistics(of: standing.token) }
      return statistics(of: standing.token, windows[window])
    }
  }

  /// The tokens with the greatest bounds over zero, the greatest first.
  private static func greatest(_ limit: Int, of bounds: [Double]) -> [Prospect] {
    var greatest = Leaders<Prospect>(limit: limit) { $0.bound > $1.bound }
    // Most are told from the last one that counts here, without being offered.
    var floor = 0.0
    for token in bounds.indices where bounds[token] > floor {
      greatest.offer(Prospect(token: token, bound: bounds[token]))
      if greatest.isFull, let last = greatest.last { floor = last.bound }
    }
    return greatest.sorted()
  }

  /// The tokens with bounds over zero and not under `floor`, the greatest first.
  private static func prospects(_ bounds: [Double], from floor: Double) -> [Prospect] {
    var found: [Prospect] = []
    for token in bounds.indices where bounds[token] > 0 && bounds[token] >= floor {
      found.append(Prospect(token: token, bound: bounds[token]))
    }
    return found.sorted { $0.bound > $1.bound }
  }
}
