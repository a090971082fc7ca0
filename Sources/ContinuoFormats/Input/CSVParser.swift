// CSV (RFC 4180) from bytes into rows of cells, in one pass and without memory per row.
// Invariant: the same rows, whatever pieces the input comes in; a line whose quoting is broken costs one row, and reading
// goes on with the next physical line.
// Not here: which column is which field (RowPlan, CSVHeader), what a cell must hold (Judgement).
// Source: RFC 4180; LF as well as CRLF ends a line.

internal import Continuo

/// What became of the record at the parser's position.
enum CSVRecord: Equatable {
  /// It has so many columns; its line, and `breaks` more within quotes, end before `next`.
  case whole(columns: Int, end: Int, next: Int, breaks: Int)
  /// A line without anything in it.
  case blank(next: Int)
  /// It is over 64 KiB, and its quotes are in order as far as that.
  case tooLong
  /// A quote stands where none may, or is not closed: the physical line decides.
  case broken
  /// Its end has not come yet.
  case incomplete
}

/// Splits a CSV file into rows.
struct CSVParser {
  /// Where it stands in its file.
  private(set) var progress = LineProgress()
  /// Why the file does not fit, once that is known.
  private(set) var failure: InputFailure?
  /// What its user is to be told.
  var warnings: [String] = []

  private let header: CSVHeader
  private var plan = RowPlan()
  /// How many columns a row has; nil until the first record was read.
  private var width: Int?
  private var slots: [TextCell] = []
  /// Columns of the record at hand with doubled quotes inside.
  private var doubled: [Int] = []

  init(_ header: CSVHeader) { self.header = header }

  /// Makes ready for a batch whose text begins anew. O(constants).
  mutating func beginBatch(_ rows: inout OfferedRows) { plan.beginBatch(&rows) }

  /// Adds rows from `position` of the rows' text on, up to `rowsMax` in all. O(bytes).
  ///
  /// - Parameter isLast: whether the text ends the file.
  /// - Returns: the position of what is left; where less than a row is left, more text must be appended. Where
  ///   `progress.isSkipping`, the text from there on may be dropped.
  mutating func parse(_ rows: inout OfferedRows, from start: Int, isLast: Bool, rowsMax: Int) -> Int {
    // The same memory, not a copy: nothing is appended to it before this returns.
    let bytes = rows.text.bytes
    let input = bytes.span
    var position = start
    if progress.isSkipping {
      position = progress.resume(at: position, input)
      if progress.isSkipping { return position }
    }
    doubled.removeAll(keepingCapacity: true)
    if width == nil { position = prepare(input, &rows, from: position, isLast: isLast, rowsMax: rowsMax) }
    guard let width, failure == nil else { return position }
    let plan = plan
    var cursor = SpecialCursor(.csv, input, at: position)
    while position < input.count, rows.hasRoom(rowsMax, position) {
      switch Self.split(input, from: position, isLast: isLast, &cursor, into: &slots, &doubled) {
      case .whole(let columns, let end, let next, let breaks):
        progress.rowNumber += 1
        if columns == width {
          if !doubled.isEmpty { undouble(&rows) }
          plan.fill(&rows, from: slots.span, line: progress.line, rowNumber: progress.rowNumber)
        } else {
          progress.rowNumber -= 1
          progress.reject(malformed: position..<end, &rows)
        }
        progress.line += 1 + breaks
        position = next
      case .blank(let next):
        progress.line += 1
        position = next
      case let fault:
        guard let next = reject(fault, at: position, input, &rows, isLast: isLast) else { return position }
        position = next
        if progress.isSkipping { return position }
        // Back, where the record that is broken had a line feed within quotes.
        cursor = SpecialCursor(.csv, input, at: position)
      }
      if !doubled.isEmpty { doubled.removeAll(keepingCapacity: true) }
    }
    return position
  }

  /// Adds the row of a record that is no record; nil where more must be known first.
  @inline(never)
  private mutating func reject(
    _ fault: CSVRecord, at position: Int, _ input: Span<UInt8>, _ rows: inout OfferedRows, isLast: Bool
  ) -> Int? {
    if fault == .incomplete { return nil }
    if fault == .tooLong { return progress.reject(tooLong: position, input, &rows) }
    switch PhysicalLine.find(input, from: position, isLast: isLast) {
    case .incomplete: return nil
    case .tooLong: return progress.reject(tooLong: position, input, &rows)
    case .whole(let end, let next):
      progress.reject(malformed: position..<end, &rows)
      progress.line += 1
      return next
    }
  }

  /// Reads what comes before the first row (or, without a header, looks how many columns that has). O(bytes).
  private mutating func prepare(
    _ input: Span<UInt8>, _ rows: inout OfferedRows, from start: Int, isLast: Bool, rowsMax: Int
  ) -> Int {
    var position = start
    while position < input.count, rows.lines.count < rowsMax {
      let window = position..<min(input.count, position + PhysicalLine.windowBytes)
      let columnsMax = window.reduce(1) { input[$1] == UInt8(ascii: ",") ? $0 + 1 : $0 }
      var cells = [TextCell](repeating: .absent, count: columnsMax)
      var cursor = SpecialCursor(.csv, input, at: position)
      doubled.removeAll()
      switch Self.split(input, from: position, isLast: isLast, &cursor, into: &cells, &doubled) {
      case .blank(let next):
        progress.line += 1
        position = next
      case .whole(let columns, _, let next, let breaks):
        var names: [[UInt8]] = []
        for index in 0..<columns {
          let cell = cells[index]
          let text = input.extracting(Int(cell.start)..<Int(cell.start + cell.length)).bytes(upTo: .max)
          names.append(doubled.contains(index) ? Self.undoubled(text) : text)
        }
        doubled.removeAll()
        return settle(names, &rows, at: position, next: next, breaks: breaks)
      case let fault:
        if fault == .incomplete { return position }
        if header.isNamed {
          let line = PhysicalLine.find(input, from: position, isLast: isLast)
          if line == .incomplete { return position }
          failure = header.unreadable(line: progress.line, isTooLong: fault == .tooLong || line == .tooLong)
          return position
        }
        guard let next = reject(fault, at: position, input, &rows, isLast: isLast) else { return position }
        position = next
        if progress.isSkipping { return position }
      }
    }
    return position
  }

  /// Looks the map up in the first record; answers where rows begin.
  private mutating func settle(_ first: [[UInt8]], _ rows: inout OfferedRows, at position: Int, next: Int, breaks: Int)
    -> Int
  {
    do throws(InputFailure) {
      let layout = try header.layout(first, line: progress.line)
      plan = layout.plan
      warnings += layout.warnings
      plan.beginBatch(&rows)
      width = first.count
      slots = [TextCell](repeating: .absent, count: first.count)
      guard layout.isHeader else { return position }
      progress.line += 1 + breaks
      return next
    } catch {
      failure = error
      return position
    }
  }

  /// Replaces doubled quotes in the row at hand.
  @inline(never)
  private mutating func undouble(_ rows: inout OfferedRows) {
    for column in doubled {
      slots[column] = rows.text.keep(Self.undoubled(rows.text.text(slots[column]).bytes(upTo: .max)))
    }
  }

  private static func undoubled(_ text: [UInt8]) -> [UInt8] {
    var single: [UInt8] = []
    var index = 0
    while index < text.count {
      single.append(text[index])
      index += text[index] == UInt8(ascii: "\"") ? 2 : 1
    }
    return single
  }
}
