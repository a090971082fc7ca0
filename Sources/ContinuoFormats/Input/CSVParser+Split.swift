// Where the cells of one CSV record lie.
// Invariant: decides by the first 64 KiB + 2 bytes from the record's start, so that pieces of input do not matter; cells
// past the row's width are counted, not kept.
// Not here: what follows from a broken record (CSVParser).

internal import Continuo

extension CSVParser {
  /// Splits the record that begins at `start`; `cursor` stands there, and behind the record afterwards. O(length).
  @inline(__always)
  static func split(
    _ input: Span<UInt8>, from start: Int, isLast: Bool, _ cursor: inout SpecialCursor, into cells: inout [TextCell],
    _ doubled: inout [Int]
  ) -> CSVRecord {
    var cells = cells.mutableSpan
    var column = 0
    var cellStart = start
    var breaks = 0
    while true {
      var special = cursor.next(input)
      if special < 0 {
        guard isLast else { return input.count &- start >= PhysicalLine.windowBytes ? .tooLong : .incomplete }
        special = input.count
      }
      let byte = special < input.count ? input[special] : UInt8(ascii: "\n")
      if byte == UInt8(ascii: ",") {
        if column < cells.count { cells[column] = cell(cellStart, special) }
        column &+= 1
        cellStart = special &+ 1
      } else if byte == UInt8(ascii: "\n") {
        var end = special
        if end > cellStart, input[end &- 1] == UInt8(ascii: "\r") { end &-= 1 }
        let next = min(special &+ 1, input.count)
        guard end &- start <= Limits.lineBytesMax else { return .tooLong }
        if column == 0, isBlank(input, start..<end) { return .blank(next: next) }
        if column < cells.count { cells[column] = cell(cellStart, end) }
        return .whole(columns: column &+ 1, end: end, next: next, breaks: breaks)
      } else {
        guard special &- start < PhysicalLine.windowBytes else { return .tooLong }
        guard special == cellStart else { return .broken }
        let quoted = quoted(input, from: start, open: special, isLast: isLast)
        guard case .closed(let close, let within, let hasDoubled, let after) = quoted else { return quoted.record }
        breaks &+= within
        if hasDoubled { doubled.append(column) }
        if column < cells.count { cells[column] = cell(special &+ 1, close) }
        column &+= 1
        if case .record(let next) = after {
          cursor.move(to: next, input)
          return .whole(columns: column, end: close &+ 1, next: next, breaks: breaks)
        }
        cellStart = close &+ 2
        cursor.move(to: cellStart, input)
      }
    }
  }

  @inline(__always)
  private static func cell(_ start: Int, _ end: Int) -> TextCell {
    TextCell(start: UInt32(truncatingIfNeeded: start), length: UInt32(truncatingIfNeeded: end &- start))
  }

  /// What follows a quoted cell.
  enum AfterQuote: Equatable {
    case cell
    /// The record ends; the next one begins at `next`.
    case record(next: Int)
  }

  /// What became of a quoted cell.
  enum Quoted: Equatable {
    case closed(at: Int, breaks: Int, hasDoubled: Bool, after: AfterQuote)
    case tooLong
    case broken
    case incomplete

    var record: CSVRecord {
      switch self {
      case .tooLong: .tooLong
      case .incomplete: .incomplete
      case .closed, .broken: .broken
      }
    }
  }

  /// Finds the end of a cell whose quote opens at `open`, and what follows it.
  @inline(never)
  private static func quoted(_ input: Span<UInt8>, from start: Int, open: Int, isLast: Bool) -> Quoted {
    let window = start + PhysicalLine.windowBytes
    let limit = min(input.count, window)
    var index = open + 1
    var breaks = 0
    var hasDoubled = false
    while index < limit {
      let byte = input[index]
      if byte == UInt8(ascii: "\"") {
        guard index + 1 < limit else { break }
        guard input[index + 1] == UInt8(ascii: "\"") else { break }
        hasDoubled = true
        index += 1
      } else if byte == UInt8(ascii: "\n") {
        breaks += 1
      }
      index += 1
    }
    // An open quote: at the end of the file, or of what a record may be, it is broken.
    guard index < limit else { return limit == window || isLast ? .broken : .incomplete }
    func closed(_ after: AfterQuote) -> Quoted {
      if case .record = after, index + 1 - start > Limits.lineBytesMax { return .tooLong }
      return .closed(at: index, breaks: breaks, hasDoubled: hasDoubled, after: after)
    }
    let after = index + 1
    guard after < window else { return .tooLong }
    guard after < input.count else { return isLast ? closed(.record(next: after)) : .incomplete }
    switch input[after] {
    case UInt8(ascii: ","): return closed(.cell)
    case UInt8(ascii: "\n"): return closed(.record(next: after + 1))
    case UInt8(ascii: "\r"):
      guard after + 1 < window else { return .tooLong }
      guard after + 1 < input.count else { return isLast ? closed(.record(next: after + 1)) : .incomplete }
      return input[after + 1] == UInt8(ascii: "\n") ? closed(.record(next: after + 2)) : .broken
    default: return .broken
    }
  }
}
