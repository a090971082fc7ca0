// What the engine holds, counted; and the check that its summaries agree with its raw events.
// Invariant: inspecting changes nothing.
// Not here: how the figures are printed (ContinuoFormats).

extension Engine {
  /// Counts what is held. O(tokens).
  public func inspection() -> Inspection {
    var counts = Inspection()
    for token in 0..<tokenStates.count {
      counts.swaps += tokenStates[token].swaps.count
      counts.transfers += tokenStates[token].transfers.count
      for first in [tokenStates[token].swaps.firstTimestamp, tokenStates[token].transfers.firstTimestamp] {
        if let first { counts.first = min(counts.first ?? first, first) }
      }
      if tokenStates[token].swaps.count + tokenStates[token].transfers.count > 0 { counts.tokens += 1 }
      counts.negativeBalances += tokenStates[token].balances.negatives
      if tokenStates[token].isIncomplete { counts.incompleteTokens += 1 }
    }
    counts.addresses = addressesWithBalance
    counts.newest = newest
    counts.clock = clock
    counts.horizon = horizon
    return counts
  }

  /// Checks that every summary is what the raw events add up to: for tests. O(n).
  ///
  /// - Returns: what is wrong, nothing if all is well.
  package func checkInvariants() -> [String] {
    var wrong: [String] = []
    var held = 0
    for token in 0..<tokenStates.count {
      held += tokenStates[token].swaps.count + tokenStates[token].transfers.count
      let name = tokenNames.byteString(token)
      wrong += tokenStates[token].checkInvariants(horizon: horizon).map { "\(name): \($0)" }
    }
    if held != identities.count { wrong.append("\(held) events, but \(identities.count) identities") }
    for kind in EventKind.allCases {
      identities.visit(kind) { chain, entry in
        let key = OrderKey(timestamp: entry.timestamp, chain: chain, block: entry.block, logIndex: entry.logIndex)
        let isHeld =
          kind == .swap
          ? tokenStates[Int(entry.token)].swaps.find(key) != nil
          : tokenStates[Int(entry.token)].transfers.find(key) != nil
        if !isHeld { wrong.append("identity without event: \(kind.name) \(key)") }
      }
    }
    return wrong
  }
}

extension TokenState {
  fileprivate func checkInvariants(horizon: Timestamp?) -> [String] {
    var wrong: [String] = []
    var counted = 0
    var previous: OrderKey?
    for chunk in 0..<swaps.chunks.count {
      let rows = swaps.chunks[chunk].count
      counted += rows
      if rows == 0 || rows > Limits.chunkRowsMax { wrong.append("chunk \(chunk) has \(rows) rows") }
      var summary: Candle?
      for index in 0..<rows {
        let row = swaps.chunks[chunk].row(at: index)
        if let previous, !(previous < row.key) { wrong.append("swaps are out of order at \(row.key)") }
        if let horizon, row.key.timestamp < horizon { wrong.append("a swap is below the horizon: \(row.key)") }
        previous = row.key
        summary.take(row)
      }
      if summary != swaps.chunks[chunk].payload.summary { wrong.append("chunk \(chunk) has a stale summary") }
    }
    if counted != swaps.count { wrong.append("\(counted) swaps, but a count of \(swaps.count)") }
    var hour = 0
    while hour < hours.count {
      let start = hours.start(at: hour)
      if horizon.map({ start >= $0 }) ?? true,
        hours.candle(at: hour) != swaps.fold(from: start, before: Interval.oneHour.next(start))
      {
        wrong.append("the hour \(start) is not the fold of its swaps")
      }
      hour += 1
    }
    return wrong
  }
}
