// What the changes of one transaction, or of one part of a long one, make of the engine: a batch, and changes of the map of keys.
// Invariant: the batch depends on the changes, the map and `newest` alone, so that a transaction that comes again makes the same one.
// Not here: reading changes (ChangeApplier), taking the batch (Follower).
// Rules 20.2.

package import Continuo

/// A change of a row of a followed table, as the server told it.
package enum RowChange: Equatable, Sendable {
  /// The row is this from now on. `old` is its key before, `oldEvent` what it was where the server sent the old row whole.
  case put(table: Int, key: RowKey, old: RowKey?, oldEvent: KeyedEvent?, new: MappedEvent?)
  case removed(table: Int, key: RowKey, oldEvent: KeyedEvent?)
  case truncated(table: Int)
}

/// What was counted on the way.
package struct ChangeCounts: Equatable, Sendable {
  package var inserted = 0
  package var updated = 0
  package var deleted = 0
  /// Deletions of events that are older than the window of reorganisations: the application's own clean-up.
  package var cleanedUp = 0
  /// Deletions of rows that are no event, or whose event is not known any more.
  package var unknown = 0
  package var truncated = 0

  package init() {}

  package static func += (left: inout ChangeCounts, right: ChangeCounts) {
    left.inserted += right.inserted
    left.updated += right.updated
    left.deleted += right.deleted
    left.cleanedUp += right.cleanedUp
    left.unknown += right.unknown
    left.truncated += right.truncated
  }
}

/// A batch in the making.
package struct ChangePlan: Sendable {
  package private(set) var batch: EventBatch
  /// Of each row of the batch, in order, which change it comes from; -1 for those of a truncation.
  package private(set) var origins: [Int] = []
  package private(set) var keyChanges: [KeyChange] = []
  package private(set) var counts = ChangeCounts()

  /// Plans changes in their order.
  ///
  /// - Parameters:
  ///   - keys: the map as it is in front of them; it is changed along.
  ///   - newest: the largest time ever accepted; deletions further back than `window` are clean-ups.
  package init(
    _ changes: some Sequence<RowChange>, kinds: [EventKind], _ keys: inout KeyMap, price: PriceMode, newest: Timestamp?,
    windowMicroseconds: Int64
  ) {
    batch = EventBatch(price: price)
    let oldest = newest.map { $0 - windowMicroseconds }
    for (index, change) in changes.enumerated() {
      switch change {
      case .put(let table, let key, let old, let oldEvent, let new):
        let before = old.flatMap { keys.event(table, $0) } ?? keys.event(table, key) ?? oldEvent
        if let before { retract(before.identity(kinds[table]), index) }
        if let old, old != key { note(.drop(table: table, old), &keys) }
        if old == nil && before == nil { counts.inserted += 1 } else { counts.updated += 1 }
        guard let new else {
          if before != nil { note(.drop(table: table, key), &keys) }
          continue
        }
        new.append(to: &batch, kind: kinds[table])
        origins.append(index)
        // One that is rejected is no event: nothing of it is to be retracted, and what has its identity is another row's.
        if case .fields = new.content, let identity = new.identity, let timestamp = new.timestamp {
          note(.put(table: table, key, KeyedEvent(identity, timestamp)), &keys)
        } else if before != nil {
          note(.drop(table: table, key), &keys)
        }
      case .removed(let table, let key, let oldEvent):
        guard let event = keys.event(table, key) ?? oldEvent else {
          counts.unknown += 1
          continue
        }
        note(.drop(table: table, key), &keys)
        if let oldest, event.timestamp < oldest {
          counts.cleanedUp += 1
        } else {
          counts.deleted += 1
          retract(event.identity(kinds[table]), index)
        }
      case .truncated(let table):
        counts.truncated += 1
        for event in keys.events(table).values.sorted(by: Self.isBefore) { retract(event.identity(kinds[table]), -1) }
        note(.clear(table: table), &keys)
      }
    }
  }

  /// Makes it smaller than a batch may be: a truncation has as many rows as the table had.
  package var isTooLarge: Bool { batch.offered > Limits.batchRowsMax }

  private mutating func retract(_ identity: EventIdentity, _ origin: Int) {
    batch.retract(identity)
    origins.append(origin)
  }

  private mutating func note(_ change: KeyChange, _ keys: inout KeyMap) {
    keys.apply(change)
    keyChanges.append(change)
  }

  /// An order that does not depend on where a dictionary has its keys.
  private static func isBefore(_ left: KeyedEvent, _ right: KeyedEvent) -> Bool {
    (left.chain, left.block, left.logIndex) < (right.chain, right.block, right.logIndex)
  }
}
