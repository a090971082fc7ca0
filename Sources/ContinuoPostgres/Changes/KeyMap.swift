// Which event the row of a table is, by what a deletion of it would name it with.
// Invariant: a key stands for the event that its row is now; a row that is no event has none.
// Not here: keeping it (KeyFile), what is made of it (ChangeApplier).
// Rules 20.3.

package import Continuo

/// What the server names a row by.
package enum RowKey: Hashable, Sendable {
  /// One column, which is an integer: what nearly every table has.
  case number(Int64)
  case bytes([UInt8])

  /// The key of the fields of a replica identity. O(length).
  package init(_ fields: [TupleField]) {
    if fields.count == 1, let number = fields[0].integer {
      self = .number(number)
      return
    }
    var bytes: [UInt8] = []
    for field in fields {
      switch field {
      case .null, .unchanged: BigEndian.append(Int32(-1), to: &bytes)
      case .text(let value), .binary(let value):
        BigEndian.append(Int32(value.count), to: &bytes)
        bytes += value
      }
    }
    self = .bytes(bytes)
  }
}

/// The event that a row is, and when it happened.
package struct KeyedEvent: Equatable, Sendable, BitwiseCopyable {
  package var chain: UInt32
  package var logIndex: UInt32
  package var block: UInt64
  package var timestamp: Timestamp

  package init(_ identity: EventIdentity, _ timestamp: Timestamp) {
    (chain, block, logIndex, self.timestamp) = (identity.chain, identity.block, identity.logIndex, timestamp)
  }

  package init(chain: UInt32, block: UInt64, logIndex: UInt32, timestamp: Timestamp) {
    (self.chain, self.block, self.logIndex, self.timestamp) = (chain, block, logIndex, timestamp)
  }

  package func identity(_ kind: EventKind) -> EventIdentity {
    EventIdentity(kind: kind, chain: chain, block: block, logIndex: logIndex)
  }
}

/// A change of the map.
package enum KeyChange: Equatable, Sendable {
  case put(table: Int, RowKey, KeyedEvent)
  case drop(table: Int, RowKey)
  case clear(table: Int)
}

/// The events of the rows of several tables, by their keys.
package struct KeyMap: Equatable, Sendable {
  private var tables: [[RowKey: KeyedEvent]]

  /// An empty map of so many tables. O(tables).
  package init(tables count: Int) { tables = Array(repeating: [:], count: count) }

  /// The tables' numbers.
  package var tableNumbers: Range<Int> { tables.indices }

  /// How many bytes all rows take in a file, nearly. O(rows).
  package var encodedBytes: Int64 {
    tables.reduce(0) { sum, table in
      table.keys.reduce(sum) { sum, key in
        if case .bytes(let bytes) = key { return sum + 31 + Int64(bytes.count) }
        return sum + 35
      }
    }
  }

  /// How many rows are known. O(tables).
  package var count: Int { tables.reduce(0) { $0 + $1.count } }

  /// The event of a row; nil where it is none, or not known. O(1).
  package func event(_ table: Int, _ key: RowKey) -> KeyedEvent? { tables[table][key] }

  /// All rows of a table that are known, in no order.
  package func events(_ table: Int) -> [RowKey: KeyedEvent] { tables[table] }

  /// Makes room for so many rows of a table, as somebody has estimated. O(rows).
  package mutating func reserve(_ table: Int, rows: Int) {
    tables[table].reserveCapacity(min(max(0, rows), Self.reservedMax))
  }

  /// An estimate is not trusted any further.
  private static let reservedMax = 10_000_000

  /// Makes a change. O(1) amortised, or the table's rows.
  package mutating func apply(_ change: KeyChange) {
    switch change {
    case .put(let table, let key, let event): tables[table][key] = event
    case .drop(let table, let key): tables[table][key] = nil
    case .clear(let table): tables[table] = [:]
    }
  }

  /// Forgets rows whose events were dropped: they can be retracted no more. O(rows).
  package mutating func forget(before horizon: Timestamp) {
    for table in tables.indices { tables[table] = tables[table].filter { $0.value.timestamp >= horizon } }
  }
}
