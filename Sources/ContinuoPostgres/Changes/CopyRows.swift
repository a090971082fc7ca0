// The rows of a COPY in binary: those of a snapshot, and those that are sent.
// Invariant: a row that is read has as many fields as were asked for, or the stream is malformed.
// Not here: what a row means (RowReader), the COPY itself (Connection+Copy).

/// Where a field is within the piece that its row is; `count` is negative where it is null.
package struct FieldPlace: Equatable, Sendable, BitwiseCopyable {
  package var start: Int
  package var count: Int
}

/// Reads the pieces of `COPY … TO STDOUT (FORMAT binary)`, each of which is a row, but for the head in front of the first one.
package struct CopyRowReader {
  /// What a piece is.
  package enum Piece: Sendable { case head, row, foot }

  private var hasHead: Bool

  /// - Parameter isBehindHead: whether the head was read by somebody else.
  package init(isBehindHead: Bool = false) { hasHead = isBehindHead }

  /// Reads a piece; nil where it is the foot, no field where it is the head alone. O(bytes).
  package mutating func row(_ piece: [UInt8], columns: Int) throws(MalformedChange) -> [TupleField]? {
    var places: [FieldPlace] = []
    switch try read(piece, columns: columns, into: &places) {
    case .foot: return nil
    case .head: return []
    case .row: return Self.fields(piece, places)
    }
  }

  /// The fields of a piece whose places are known. O(bytes).
  package static func fields(_ piece: [UInt8], _ places: [FieldPlace]) -> [TupleField] {
    places.map { $0.count < 0 ? .null : .binary(Array(piece[$0.start..<($0.start + $0.count)])) }
  }

  /// Finds the fields of a piece. O(columns).
  package mutating func read(
    _ piece: [UInt8], columns: Int, into places: inout [FieldPlace]
  ) throws(MalformedChange) -> Piece {
    var offset = 0
    places.removeAll(keepingCapacity: true)
    if !hasHead {
      guard piece.starts(with: CopyRows.signature), let extra: Int32 = BigEndian.value(piece, at: 15), extra >= 0 else {
        throw MalformedChange("a copy that does not begin as one")
      }
      offset = 19 + Int(extra)
      hasHead = true
      // The head may come by itself.
      if offset == piece.count { return .head }
    }
    guard let count: Int16 = BigEndian.value(piece, at: offset) else { throw MalformedChange("a row without a count") }
    if count == -1 { return .foot }
    guard Int(count) == columns else {
      throw MalformedChange("a row of \(count) fields, where \(columns) are expected")
    }
    offset += 2
    for _ in 0..<columns {
      guard let length: Int32 = BigEndian.value(piece, at: offset) else {
        throw MalformedChange("a field without a length")
      }
      offset += 4
      guard Int(length) <= piece.count - offset else { throw MalformedChange("a field that ends behind its row") }
      places.append(FieldPlace(start: offset, count: Int(max(-1, length))))
      offset += Int(max(0, length))
    }
    guard offset == piece.count else { throw MalformedChange("\(piece.count - offset) bytes behind a row") }
    return .row
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
