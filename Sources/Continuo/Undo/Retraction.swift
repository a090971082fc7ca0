// Undoing events as if they had never come: a single one, or every event of a chain above a block.
// Invariant: newest, horizon and clock stay; every summary is what it would be without the undone events.
// Not here: dropping below the horizon, which keeps what events added up to (Eviction).
// Rules 3.8, 6.3.

extension Engine {
  /// Undoes one event, as if it had never come. O(log n + raw events of its hour).
  ///
  /// - Returns: false where it is not held: never accepted, undone already, or dropped below the horizon.
  public mutating func retract(_ identity: EventIdentity) -> Bool {
    beginStep()
    var receipt = Receipt()
    retracting.append(Retracting(identity: identity, row: 0))
    undoRetracting(&receipt)
    publish()
    return receipt.undone > 0
  }

  /// Undoes the events that a run of rows retracts, chain by chain. O(rows × log n + bytes of their chunks), and the raw
  /// events of an hour that lost one of its four prices.
  mutating func undoRetracting(_ receipt: inout Receipt) {
    guard !retracting.isEmpty else { return }
    retracting.sort()
    var missing: [Retracting] = []
    var start = 0
    while start < retracting.count {
      let (kind, chain) = (retracting[start].identity.kind, retracting[start].identity.chain)
      var end = start
      while end < retracting.count, retracting[end].identity.kind == kind, retracting[end].identity.chain == chain {
        end += 1
      }
      let entries = identities.remove(retracting[start..<end].map(\.key), kind, chain: chain)
      var next = 0
      for retracted in retracting[start..<end] {
        // The second row that retracts an event finds none.
        guard next < entries.count, entries[next].key == retracted.key else {
          missing.append(retracted)
          continue
        }
        undoing.append(Undoing(kind: kind, token: entries[next].token, key: entries[next].orderKey(chain: chain)))
        next += 1
      }
      start = end
    }
    retracting.removeAll(keepingCapacity: true)
    receipt.undone += undoing.count
    missing.sort { $0.row < $1.row }
    receipt.notFound += missing.map(\.identity)
    undoPending()
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
    beginStep()
    var undone = 0
    for kind in EventKind.allCases {
      let entries = identities.removeAll(kind, chain: chain, above: block)
      undone += entries.count
      for entry in entries {
        undoing.append(Undoing(kind: kind, token: entry.token, key: entry.orderKey(chain: chain)))
      }
    }
    undoPending()
    publish()
    return undone
  }

  /// How many events of `chain` have a block over `block`: as many as a rollback to it would undo. O(log n + those events).
  public func eventCount(chain: UInt32, above block: UInt64) -> Int {
    var count = 0
    for kind in EventKind.allCases { count += identities.count(kind, chain: chain, above: block) }
    return count
  }

  /// Takes the events whose identities were taken out of everything that they were part of, token by token. O(events ×
  /// log n + bytes of their chunks), and the raw events of an hour that lost one of its four prices.
  mutating func undoPending() {
    guard !undoing.isEmpty else { return }
    undoing.sort()
    for undone in undoing { changes.note(undone.key.timestamp) }
    var start = 0
    while start < undoing.count {
      let (kind, token) = (undoing[start].kind, undoing[start].token)
      var end = start
      while end < undoing.count, undoing[end].kind == kind, undoing[end].token == token { end += 1 }
      undo(kind, undoing[start..<end].map(\.key), of: Int(token))
      start = end
    }
    undoing.removeAll(keepingCapacity: true)
  }

  /// - Parameter keys: ascending.
  private mutating func undo(_ kind: EventKind, _ keys: [OrderKey], of token: Int) {
    willChange(token)
    switch kind {
    case .swap:
      tokenStates[token].takeBack(keys)
      if let first = keys.first { stepChanges.note(token, first.timestamp, isUndone: true) }
    case .transfer:
      var undone: [TransferRow] = []
      tokenStates[token].transfers.remove(keys) { undone.append($0) }
      for row in undone { applyBalances(row, token, undo: true) }
    }
  }
}

/// A row that retracts an event, until others of its kind and chain go with it.
struct Retracting: Comparable {
  var identity: EventIdentity
  /// Which of the rows it is.
  var row: Int

  var key: IdentityEntry.Key { IdentityEntry.Key(block: identity.block, logIndex: identity.logIndex) }

  static func < (left: Retracting, right: Retracting) -> Bool {
    let (one, other) = (left.identity, right.identity)
    if one.kind != other.kind { return one.kind.rawValue < other.kind.rawValue }
    return one.chain != other.chain ? one.chain < other.chain : left.key < right.key
  }
}

/// An event that is being undone.
struct Undoing: Comparable {
  var kind: EventKind
  var token: UInt32
  var key: OrderKey

  static func < (left: Undoing, right: Undoing) -> Bool {
    if left.kind != right.kind { return left.kind.rawValue < right.kind.rawValue }
    return left.token != right.token ? left.token < right.token : left.key < right.key
  }
}
