// What the server's plugin `pgoutput` tells of a transaction, message by message.
// Invariant: a message is what the server sent; nothing here knows which table means what.
// Not here: reading bytes (ChangeReader), what a row means (RowReader).

package import Continuo

/// One message.
package enum ChangeMessage: Equatable, Sendable {
  /// A transaction begins, which ends at `final` in the log.
  case begin(final: LSN, xid: UInt32)
  /// It ends; everything before `end` was told.
  case commit(commit: LSN, end: LSN, at: Timestamp?)
  /// How a table looks from here on.
  case relation(ChangedRelation)
  case insert(relation: UInt32, new: [TupleField])
  /// The old row comes whole, or its key where that changed, or not at all.
  case update(relation: UInt32, old: OldTuple?, new: [TupleField])
  case delete(relation: UInt32, old: OldTuple)
  case truncate(relations: [UInt32])
  /// Something that means nothing here: an origin, a type, a message of the application.
  case other(UInt8)
}

/// A field of a row.
package enum TupleField: Equatable, Sendable {
  case null
  /// It is large and did not change, so it was not sent: not null.
  case unchanged
  case text([UInt8])
  case binary([UInt8])
}

/// A row as it was.
package enum OldTuple: Equatable, Sendable {
  /// The columns of the replica identity; the others are null.
  case key([TupleField])
  case whole([TupleField])

  package var fields: [TupleField] {
    switch self {
    case .key(let fields), .whole(let fields): fields
    }
  }
}

/// A table, as its changes are told from here on.
package struct ChangedRelation: Equatable, Sendable {
  package struct Column: Equatable, Sendable {
    /// Whether it is of the replica identity.
    package var isKey: Bool
    package var name: String
    package var type: UInt32

    package init(isKey: Bool, name: String, type: UInt32) { (self.isKey, self.name, self.type) = (isKey, name, type) }
  }

  package var number: UInt32
  package var schema: String
  package var name: String
  /// `d`, `n`, `f` or `i`.
  package var identity: UInt8
  package var columns: [Column]

  package init(number: UInt32, schema: String, name: String, identity: UInt8, columns: [Column]) {
    (self.number, self.schema, self.name, self.identity, self.columns) = (number, schema, name, identity, columns)
  }
}
