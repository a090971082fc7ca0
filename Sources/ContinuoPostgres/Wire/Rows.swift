// What a statement answered: rows of fields, each nil or bytes.
// Invariant: a field is read as what its bytes are, or is nil; nothing traps, whatever the server sent.
// Not here: where rows come from (ResultHandle), the types' bytes (PostgresValue).

package import Continuo

/// The rows of one statement.
package struct Rows: Sendable {
  /// The columns' names, in order.
  package var columns: [String] = []
  /// Each row's fields.
  package var rows: [[[UInt8]?]] = []
  /// Whether fields are binary; of statements without parameters they are texts.
  package var isBinary = true
  /// How many rows were inserted, updated, deleted or merged.
  package var affected = 0

  package init() {}

  package var count: Int { rows.count }

  /// A row. O(1).
  package subscript(_ index: Int) -> Row { Row(fields: rows[index], isBinary: isBinary) }

  /// All of them, in order.
  package var all: [Row] { rows.map { Row(fields: $0, isBinary: isBinary) } }

  /// The first one; nil where there is none.
  package var first: Row? { rows.isEmpty ? nil : self[0] }
}

/// One row.
package struct Row: Sendable {
  package let fields: [[UInt8]?]
  package let isBinary: Bool

  /// The bytes of a field; nil for null, and where there is no such column.
  package func bytes(_ column: Int) -> [UInt8]? { fields.indices.contains(column) ? fields[column] : nil }

  package func text(_ column: Int) -> String? { bytes(column).map { String(decoding: $0, as: UTF8.self) } }

  package func bool(_ column: Int) -> Bool? {
    guard let bytes = bytes(column), bytes.count == 1 else { return nil }
    return isBinary ? bytes[0] != 0 : bytes[0] == UInt8(ascii: "t")
  }

  /// An integer of two, four or eight bytes.
  package func int(_ column: Int) -> Int64? {
    guard let bytes = bytes(column) else { return nil }
    guard isBinary else { return Int64(String(decoding: bytes, as: UTF8.self)) }
    switch bytes.count {
    case 2: return BigEndian.value(bytes, as: Int16.self).map { Int64($0) }
    case 4: return BigEndian.value(bytes, as: Int32.self).map { Int64($0) }
    case 8: return BigEndian.value(bytes)
    default: return nil
    }
  }

  /// A `numeric`; nil for null, and for what is none of ours.
  package func numeric(_ column: Int) -> Decimal18? {
    guard let bytes = bytes(column) else { return nil }
    return isBinary ? try? NumericBytes.decimal(bytes) : Decimal18(String(decoding: bytes, as: UTF8.self))
  }

  /// A `timestamptz`.
  package func timestamp(_ column: Int) -> Timestamp? {
    guard let bytes = bytes(column) else { return nil }
    guard isBinary else { return Timestamp(String(decoding: bytes, as: UTF8.self)) }
    return BigEndian.value(bytes).flatMap { ServerTime.timestamp($0) }
  }

  package func uuid(_ column: Int) -> UUIDBytes? {
    guard let bytes = bytes(column) else { return nil }
    return isBinary ? UUIDBytes(bytes) : UUIDBytes(String(decoding: bytes, as: UTF8.self))
  }
}
