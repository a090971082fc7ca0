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
        let key = entry.orderKey(chain: chain)
        let isHeld =
          kind == .swap
          ? tokenStates[Int(entry.token)].swap(key) != nil
          : tokenStates[Int(entry.token)].transfer(key) != nil
        if !isHeld { wrong.append("identity without event: \(kind.name) \(key)") }
      }
    }
    return wrong
  }
}

extension TokenState {
  fileprivate func checkInvariants(horizon: Timestamp?) -> [String] {
    var wrong = swaps.checkInvariants("swaps") + transfers.checkInvariants("transfers") + hours.checkInvariants("hours")
    for chunk in 0..<swaps.chunks.count {
      let rows = swaps.chunks[chunk].count
      var summary: Candle?
      for row in 0..<rows { summary.take(swaps.chunks[chunk].row(at: row)) }
      if summary != swaps.summaries[chunk] { wrong.append("chunk \(chunk) has a stale summary") }
    }
    if let horizon, let first = swaps.firstTimestamp, first < horizon { wrong.append("a swap is below the horizon") }
    var position = hours.start
    while let start = hours.start(at: position) {
      let candle = hours.candle(&position)
      let folded = swaps.fold(from: start, before: Interval.oneHour.next(start))
      if horizon.map({ start >= $0 }) ?? true, folded != candle {
        wrong.append("the hour \(start) is not the fold of its swaps")
      }
    }
    return wrong
  }
}

extension SortedSeries {
  /// Checks what the series promises: for tests. O(n).
  package func checkInvariants(_ name: String) -> [String] {
    var wrong: [String] = []
    var counted = 0
    var previous: Row.Key?
    var position = start
    while position != end {
      let key = key(at: position)
      if let previous, !(previous < key) { wrong.append("\(name) are out of order at \(key)") }
      previous = key
      counted += 1
      position = after(position)
    }
    if counted != count { wrong.append("\(counted) \(name), but a count of \(count)") }
    if previous != lastKey { wrong.append("\(name) end at another key than the last one") }
    for chunk in 0..<chunks.count where !(1..<2 * Row.chunkRows).contains(chunks[chunk].count) {
      wrong.append("chunk \(chunk) of \(name) has \(chunks[chunk].count) rows")
    }
    return wrong
  }
}
