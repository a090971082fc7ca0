// The horizon: what is below it is dropped, final, and what it added up to is kept.
// Invariant: H is a start of day and only moves forward; every held event is at or above it; a bucket up to 1d lies on one
// side of it.
// Not here: which lengths may be set (RetentionPolicy), which buckets are served (CandleQuery's walk).
// Rules 6.1, 6.2, 6.4.

extension Engine {
  /// Moves the horizon to the start of the day that holds `newest` − raw retention, if that is later, and drops what is
  /// below it. O(tokens + what is dropped).
  ///
  /// Dropped events cannot be undone and their identities are free again; their candles, their part of balances and
  /// supply, and each token's last price below the horizon stay.
  ///
  /// - Returns: how many events were dropped; 0 where retention is off.
  @discardableResult
  public mutating func moveHorizon() -> Int { settings.retention.map { moveHorizon($0) } ?? 0 }

  /// The same by a policy that may have been that of another engine: how a journal is replayed.
  @discardableResult
  package mutating func moveHorizon(_ policy: RetentionPolicy) -> Int {
    guard let newest, let target = policy.horizon(newest: newest) else { return 0 }
    var dropped = 0
    if horizon.map({ $0 < target }) ?? true {
      horizon = target
      dropped = drop(below: target)
    }
    for token in 0..<tokenStates.count {
      willChange(token)
      archive(token, policy, newest, horizon ?? target)
    }
    if dropped > 0 { changes.noteBases() }
    publish()
    return dropped
  }

  /// Moves a token's candles up, and notes whether any moved. On its own: within the loop the compiler does not come to an end
  /// without optimisation (6.3).
  private mutating func archive(_ token: Int, _ policy: RetentionPolicy, _ newest: Timestamp, _ horizon: Timestamp) {
    let before = tokenStates[token].archivedCounts
    tokenStates[token].archive(policy, newest: newest, horizon: horizon)
    if tokenStates[token].archivedCounts != before { changes.noteBases() }
  }

  private mutating func drop(below horizon: Timestamp) -> Int {
    var greatest: [(chain: UInt32, block: UInt64)] = []
    identities.removeAll(before: horizon) { greatest.append(($0, $1)) }
    dayVolumes.removeDays(before: horizon)
    for (chain, block) in greatest { droppedBlocks[chain] = max(droppedBlocks[chain] ?? 0, block) }
    var dropped = 0
    for token in 0..<tokenStates.count {
      willChange(token)
      dropped += tokenStates[token].drop(below: horizon)
    }
    if dropped > 0 { hasDropped = true }
    return dropped
  }
}

extension TokenState {
  /// Drops the raw events below the horizon and keeps what they added up to. O(what is dropped).
  fileprivate mutating func drop(below horizon: Timestamp) -> Int {
    let swapCount = dropSwaps(before: horizon)
    var transferCount = 0
    transfers.removePrefix(before: transfers.view.lowerBound(horizon)) { _ in transferCount += 1 }
    droppedSwaps += swapCount
    droppedTransfers += transferCount
    return swapCount + transferCount
  }

  /// Moves candles below the horizon that are not served any more up into the next longer interval, which still needs
  /// them; what the longest one does not serve is freed. O(what moves).
  fileprivate mutating func archive(_ policy: RetentionPolicy, newest: Timestamp, horizon: Timestamp) {
    /// Not behind any bucket that is still served or not below the horizon.
    func bound(_ interval: Interval) -> Timestamp {
      min(horizon, newest - policy.microseconds(interval) - interval.microseconds + 1)
    }
    func move(_ series: inout CandleSeries, _ interval: Interval, to longer: inout CandleSeries, _ next: Interval) {
      series.removePrefix(before: series.lowerBound(bound(interval))) {
        longer.merge($0.candle, start: next.start(of: $0.key))
      }
    }
    move(&hours, .oneHour, to: &fourHours, .fourHours)
    move(&fourHours, .fourHours, to: &days, .oneDay)
    move(&days, .oneDay, to: &weeks, .oneWeek)
    weeks.removePrefix(before: weeks.lowerBound(bound(.oneWeek))) { _ in }
  }

  /// How many candles are stored, by interval.
  fileprivate var archivedCounts: [Int] { [hours.count, fourHours.count, days.count, weeks.count] }
}
