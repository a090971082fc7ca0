// Rows of a file as NDJSON, to be judged elsewhere: each field with the text that it has.
// Invariant: who reads a line finds the same texts in the same fields, so judges the same; a row that cannot be written so is
// not written.
// Not here: splitting (Input), judging (Continuo), sending (the tool's client).

package import Continuo

/// Writes the rows of a batch that is not judged as NDJSON.
package struct RowText {
  /// What stands before each field's text.
  private static let openings = EventField.allCases.map { Array("\"\($0.name)\":\"".utf8) }

  /// The lines that were written.
  package private(set) var bytes: [UInt8] = []
  /// The physical line in its file of each.
  package private(set) var lines: [Int] = []

  package init() {}

  /// Writes a row. O(length).
  ///
  /// - Parameter leavesOut: whether a text that is not UTF-8 is left out.
  /// - Returns: false where it has no fields, or a text that is not UTF-8: nothing was written.
  package mutating func append(
    _ row: Int, of rows: borrowing OfferedRows, leavesOutBadTexts leavesOut: Bool = false
  ) -> Bool {
    let start = bytes.count
    bytes.append(UInt8(ascii: "{"))
    for (field, opening) in zip(EventField.allCases, Self.openings) {
      let cell = rows.cell(row: row, field)
      guard cell != .absent else { continue }
      let text = rows.text.text(cell)
      guard (try? UTF8Span(validating: text)) != nil else {
        if leavesOut { continue }
        bytes.removeLast(bytes.count - start)
        return false
      }
      if bytes.count > start + 1 { bytes.append(UInt8(ascii: ",")) }
      bytes.append(contentsOf: opening)
      append(text)
      bytes.append(UInt8(ascii: "\""))
    }
    bytes.append(contentsOf: "}\n".utf8)
    lines.append(rows.lines[row])
    return true
  }

  private mutating func append(_ text: Span<UInt8>) {
    for index in text.indices {
      let byte = text[index]
      guard byte >= 0x20, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte != 0x7F else {
        JSONOutput.appendEscaped([byte], to: &bytes)
        continue
      }
      bytes.append(byte)
    }
  }
}

extension OfferedRows {
  /// The rows, by index, that a parser could not make anything of. O(faults).
  package var faulty: Set<Int> { Set(faults.map(\.row)) }
}
