// Results as CSV: RFC 4180, quotes only where needed, LF, empty for null.
// Invariant: a reader of RFC 4180 gets back every byte of every name.
// Not here: the header of which columns (ResultTable+Columns), when to write it (ResultWriter).

internal import Continuo

enum CSVOutput {
  static func appendHeader(_ columns: [Column], to output: inout [UInt8]) {
    for (index, column) in columns.enumerated() {
      if index > 0 { output.append(UInt8(ascii: ",")) }
      output.append(contentsOf: column.name.utf8)
    }
    output.append(UInt8(ascii: "\n"))
  }

  /// Comma, quote, CR and LF need quotes; so does a whole row of one empty text, but no table has one column of names.
  static func appendText(_ bytes: [UInt8], to output: inout [UInt8]) {
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
