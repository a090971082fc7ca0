// Results as CSV: RFC 4180, quotes only where needed, LF, empty for null.
// Invariant: a reader of RFC 4180 gets back every byte of every name.
// Not here: the header of which columns (ResultTable+Columns), when to write it (ResultWriter).

internal import Continuo

enum CSVOutput {
  static func appendHeader<Row>(_ table: ResultTable<Row>, to output: inout [UInt8]) {
    for (index, name) in table.names.enumerated() {
      if index > 0 { output.append(UInt8(ascii: ",")) }
      output.append(contentsOf: name.utf8)
    }
    output.append(UInt8(ascii: "\n"))
  }

  static func appendRow<Row>(_ row: Row, _ table: ResultTable<Row>, to output: inout [UInt8]) {
    for index in table.names.indices {
      if index > 0 { output.append(UInt8(ascii: ",")) }
      append(table.cell(index, of: row), to: &output)
    }
    output.append(UInt8(ascii: "\n"))
  }

  private static func append(_ cell: Cell, to output: inout [UInt8]) {
    if case .text(let name) = cell {
      appendText(name.bytes, to: &output)
    } else {
      cell.appendPlain(to: &output)
    }
  }

  /// Comma, quote, CR and LF need quotes; so does a whole row of one empty text, but no table has one column of names.
  private static func appendText(_ bytes: [UInt8], to output: inout [UInt8]) {
    let needsQuotes = bytes.contains { byte in
      byte == UInt8(ascii: ",") || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\n")
        || byte == UInt8(ascii: "\r")
    }
    guard needsQuotes else {
      output.append(contentsOf: bytes)
      return
    }
    output.append(UInt8(ascii: "\""))
    for byte in bytes {
      if byte == UInt8(ascii: "\"") { output.append(byte) }
      output.append(byte)
    }
    output.append(UInt8(ascii: "\""))
  }
}

extension Cell {
  /// Appends the value without quotes or escapes; nothing for null. O(length).
  func appendPlain(to output: inout [UInt8]) {
    switch self {
    case .null: break
    case .decimal(let value): value.append(to: &output)
    case .time(let instant): instant.append(to: &output)
    case .count(let count): DecimalDigits.append(count, to: &output)
    case .text(let name): output.append(contentsOf: name.bytes)
    case .flag(let flag): output.append(contentsOf: (flag ? "true" : "false").utf8)
    }
  }
}
