// Rows that came from elsewhere as text, in the columns that they were written by: written again, they are the same.
// Invariant: a text that its column could not have written is no value.
// Not here: the columns (ResultTable+Columns), where the texts come from (the tool's client).

internal import Continuo

/// A row whose values are at hand.
package struct CellRow: Sendable {
  /// A value for each column, in order.
  package var cells: [Cell]

  package init(_ cells: [Cell]) { self.cells = cells }
}

extension ResultTable where Row == CellRow {
  /// The columns of another table.
  package init<Other>(like table: ResultTable<Other>) {
    let columns = table.columns
    self.init(isSingle: table.isSingle) { row, cells in
      for (index, column) in columns.enumerated() { cells.cell(column, of: row) { $0.cells[index] } }
    }
  }
}

extension Column {
  /// The value that a text of CSV is, nothing where it is empty; nil where it is none of this column. O(length).
  package func cell(ofCSV text: [UInt8]) -> Cell? {
    guard !text.isEmpty else { return isNullable ? .null : kind == .text ? .text(ByteString(text)) : nil }
    return cell(of: text)
  }

  /// The value that a text is; nil where it is none of this column. O(length).
  package func cell(of bytes: [UInt8]) -> Cell? {
    let text = String(decoding: bytes, as: UTF8.self)
    switch kind {
    case .text: return .text(ByteString(bytes))
    case .decimal: return Decimal18(text).map { .decimal($0) }
    case .time: return Timestamp(text).map { .time($0) }
    case .count: return UInt64(text).map { .count($0) }
    case .flag: return text == "true" ? .flag(true) : text == "false" ? .flag(false) : nil
    }
  }
}

/// The records of a text of CSV as ``ResultWriter`` writes it.
package struct CSVRecords {
  private let bytes: [UInt8]
  private var position = 0

  package init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// The next record; nil behind the last one. O(length).
  package mutating func next() -> [[UInt8]]? {
    guard position < bytes.count else { return nil }
    var record: [[UInt8]] = []
    var cell: [UInt8] = []
    var isQuoted = false
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      if byte == UInt8(ascii: "\"") {
        // A doubled one within quotes is one of the text.
        if isQuoted, position < bytes.count, bytes[position] == byte {
          cell.append(byte)
          position += 1
        } else {
          isQuoted.toggle()
        }
      } else if isQuoted || byte != UInt8(ascii: ",") && byte != UInt8(ascii: "\n") {
        cell.append(byte)
      } else {
        record.append(cell)
        cell.removeAll(keepingCapacity: true)
        if byte == UInt8(ascii: "\n") { return record }
      }
    }
    record.append(cell)
    return record
  }
}
