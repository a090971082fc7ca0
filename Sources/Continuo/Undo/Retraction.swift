// Undoing events as if they had never come: a single one, or every event of a chain above a block.
// Invariant: newest, horizon and clock stay; every summary is what it would be without the undone events.
// Not here: dropping below the horizon, which keeps what events added up to (Eviction).
// Rules 3.8, 6.3.

extension Engine {
  /// Undoes one event, as if it had never come. O(log n + raw events of its hour).
  ///
  /// - Returns: false where it is not held: never accepted, undone already, or dropped below the horizon.
  public mutating func retract(_ identity: EventIdentity) -> Bool {
    let isHeld = takeBack(identity)
    publish()
    return isHeld
  }

  /// Undoes one event, not yet to be seen by readers.
  mutating func takeBack(_ identity: EventIdentity) -> Bool {
    guard let entry = identities.find(identity) else { return false }
    identities.remove(identity)
    undo(identity.kind, [entry.orderKey(chain: identity.chain)], of: Int(entry.token))
    return true
  }

  /// Undoes every event of `chain` with a block over `block`, as if they had never come. O(what is undone + the raw
  /// events of the hours that it touched).
  ///
  /// - Returns: how many events were undone; 0 where there are none.
  /// - Throws: ``Refusal/beyondRetention(chain:block:droppedBlock:)`` where a dropped event of the chain had a block
  ///   over `block`; nothing is changed then.
  public mutating func rollback(chain: UInt32, above block: UInt64) throws(Refusal) -> Int {
    if let dropped = droppedBlocks[chain], dropped > block {
      throw .beyondRetention(chain: chain, block: block, droppedBlock: dropped)
    }
    var undone = 0
    for kind in EventKind.allCases {
      let entries = identities.removeAll(kind, chain: chain, above: block)
      undone += entries.count
      var keysByToken: [UInt32: [OrderKey]] = [:]
      for entry in entries { keysByToken[entry.token, default: []].append(entry.orderKey(chain: chain)) }
      for (token, keys) in keysByToken { undo(kind, keys.sorted(), of: Int(token)) }
    }
    publish()
    return undone
  }

  /// Takes events of one token out of everything that they were part of.
  ///
  /// - Parameter keys: ascending.
  private mutating func undo(_ kind: EventKind, _ keys: [OrderKey], of token: Int) {
    willChange(token)
    switch kind {
    case .swap:
      tokenStates[token].swaps.remove(keys) { _ in }
      tokenStates[token].recomputeHours(of: keys.map(\.timestamp))
    case .transfer:
      var undone: [TransferRow] = []
      tokenStates[token].transfers.remove(keys) { undone.append($0) }
      for row in undone { applyBalances(row, token, undo: true) }
    }
  }
}
