// The rows of a COPY in binary: those of a snapshot, and those that are sent.
// Invariant: a row that is read has as many fields as were asked for, or the stream is malformed.
// Not here: what a row means (RowReader), the COPY itself (Connection+Copy).

/// Reads the pieces of `COPY … TO STDOUT (FORMAT binary)`, each of which is a row, but for the head in front of the first one.
package struct CopyRowReader {
  private var hasHead = false

  package init() {}

  /// Reads a piece; nil where it is the foot. O(bytes).
  package mutating func row(_ piece: [UInt8], columns: Int) throws(MalformedChange) -> [TupleField]? {
    var offset = 0
    if !hasHead {
      guard piece.starts(with: CopyRows.signature), let extra: Int32 = BigEndian.value(piece, at: 15), extra >= 0 else {
        throw MalformedChange("a copy that does not begin as one")
      }
      offset = 19 + Int(extra)
      hasHead = true
      // The head may come by itself.
      if offset == piece.count { return [] }
    }
    guard let count: Int16 = BigEndian.value(piece, at: offset) else { throw MalformedChange("a row without a count") }
    if count == -1 { return nil }
    guard Int(count) == columns else {
      throw MalformedChange("a row of \(count) fields, where \(columns) are expected")
    }
    offset += 2
    var fields: [TupleField] = []
    fields.reserveCapacity(columns)
    for _ in 0..<columns {
      guard let length: Int32 = BigEndian.value(piece, at: offset) else {
        throw MalformedChange("a field without a length")
      }
      offset += 4
      if length < 0 {
        fields.append(.null)
        continue
      }
      guard Int(length) <= piece.count - offset else { throw MalformedChange("a field that ends behind its row") }
      fields.append(.binary(Array(piece[offset..<(offset + Int(length))])))
      offset += Int(length)
    }
    guard offset == piece.count else { throw MalformedChange("\(piece.count - offset) bytes behind a row") }
    return fields
  }
}

/// Makes the pieces of `COPY … FROM STDIN (FORMAT binary)`.
package enum CopyRows {
  static let signature: [UInt8] = Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0x00]

  /// What stands in front of all rows.
  package static let head: [UInt8] = signature + [UInt8](repeating: 0, count: 8)
  /// What stands behind them.
  package static let foot: [UInt8] = [0xFF, 0xFF]

  /// Appends a row. O(bytes).
  package static func append(_ row: [PostgresValue], to output: inout [UInt8]) {
    BigEndian.append(Int16(row.count), to: &output)
    for value in row { value.append(field: &output) }
  }
}
