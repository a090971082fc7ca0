// What the engine holds, counted; and the check that its summaries agree with its raw events.
// Invariant: inspecting changes nothing.
// Not here: how the figures are printed (ContinuoFormats).

extension MarketAnswers where Self: ~Copyable {
  /// Counts what is held. O(tokens).
  public func inspection() -> Inspection {
    let contents = contents
    var counts = Inspection()
    for number in 0..<contents.tokenCount {
      let token = contents.token(number)
      counts.swaps += token.swaps.count
      counts.transfers += token.transfers.count
      for first in [token.swaps.firstTimestamp, token.transfers.firstTimestamp] {
        if let first { counts.first = min(counts.first ?? first, first) }
      }
      if token.swaps.count + token.transfers.count > 0 { counts.tokens += 1 }
      counts.negativeBalances += token.balances.negatives
      if token.isIncomplete { counts.incompleteTokens += 1 }
    }
    counts.addresses = contents.addressesWithBalance
    counts.newest = newest
    counts.clock = clock
    counts.horizon = horizon
    return counts
  }
}

extension Engine {
  /// How many bytes of memory columns, chunks and versions take, and how many the system was asked for: for tests. O(regions).
  package var bytesInUse: Int { arena.bytesInUse }
  package var bytesMapped: Int { arena.bytesMapped }

  /// Checks that every summary is what the raw events add up to: for tests. O(n).
  ///
  /// - Returns: what is wrong, nothing if all is well.
  package func checkInvariants() -> [String] {
    var wrong: [String] = []
    var held = 0
    for token in 0..<tokenStates.count {
      held += tokenStates[token].swaps.count + tokenStates[token].transfers.count
      let name = tokenNames.byteString(token)
      wrong += tokenStates[token].view.checkInvariants(horizon: horizon).map { "\(name): \($0)" }
      wrong += checkVolumes(of: token).map { "\(name): \($0)" }
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

extension Engine {
  /// Checks that no day has more volume than its bound says.
  private func checkVolumes(of token: Int) -> [String] {
    var wrong: [String] = []
    var volumes: [Timestamp: ExactSum] = [:]
    tokenStates[token].swaps.view.visit(from: .first, before: .last + 1) { row in
      volumes[row.key.timestamp.startOfDay, default: .zero] += row.amountUSD
    }
    for (day, volume) in volumes {
      let bound = dayVolumes.view.bounds(from: day, through: day, tokens: token + 1)[token]
      // A sum past 128 bits is over 2^127, and so must its bound be.
      let least = volume.decimal.map { VolumeBound.below($0.units) } ?? 0x1p127
      if bound < least { wrong.append("\(day) has volume \(volume), but a bound of \(bound)") }
    }
    return wrong
  }
}

extension TokenView {
  fileprivate func checkInvariants(horizon: Timestamp?) -> [String] {
    var wrong = swaps.checkInvariants("swaps") + transfers.checkInvariants("transfers") + hours.checkInvariants("hours")
    for chunk in 0..<swaps.chunkCount {
      let packed = swaps.chunk(chunk)
      var summary: Candle?
      for row in 0..<packed.count { summary.take(packed.row(at: row)) }
      if summary != packed.summary { wrong.append("chunk \(chunk) has a stale summary") }
    }
    if let horizon, let first = swaps.firstTimestamp, first < horizon { wrong.append("a swap is below the horizon") }
    let newest = swaps.lastKey.map { $0.timestamp.startOfHour }
    if newest != (newestHour.candle.trades > 0 ? newestHour.key : nil) { wrong.append("another hour is the newest") }
    if let newest, let last = hours.lastKey, last >= newest { wrong.append("the newest hour is not the newest") }
    var position = hours.start
    while position < hours.end {
      let stored = hours.row(at: position)
      if stored.candle.trades < 2, horizon.map({ stored.key >= $0 }) ?? true {
        wrong.append("the hour \(stored.key) is stored for one swap")
      }
      position = hours.after(position)
    }
    var cursor = BucketCursor(self, .oneHour, from: .first)
    while let (start, candle) = cursor.advance(self) {
      let folded = swaps.fold(from: start, before: Interval.oneHour.next(start))
      if horizon.map({ start >= $0 }) ?? true, folded != candle {
        wrong.append("the hour \(start) is not the fold of its swaps")
      }
    }
    return wrong
  }
}

extension SeriesView {
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
    for index in 0..<chunkCount {
      if !(1...Row.chunkRowsMost).contains(chunk(index).count) {
        wrong.append("chunk \(index) of \(name) has \(chunk(index).count) rows")
      }
      if chunk(index).lastKey != chunk(index).key(at: chunk(index).count - 1) {
        wrong.append("chunk \(index) of \(name) says it ends elsewhere")
      }
    }
    return wrong
  }
}

extension SortedSeries {
  /// Checks what the series promises: for tests. O(n).
  package func checkInvariants(_ name: String) -> [String] {
    view.checkInvariants(name) + (lastKey == view.lastKey ? [] : ["\(name) remember another last key"])
  }
}
