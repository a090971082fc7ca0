// Physical lines: where one ends, where a parser stands, how an endless one is passed over.
// Invariant: a decision looks only at the first 64 KiB + 2 bytes of a line, so it does not depend on how the input came in
// pieces; a line that is passed over needs no memory.
// Not here: what a line holds (CSVParser, NDJSONParser).

internal import Continuo

/// What is known of a physical line.
enum PhysicalLine: Equatable {
  /// Its text ends before `end` (its terminator LF or CRLF left out), the next line begins at `next`.
  case whole(end: Int, next: Int)
  /// It is over ``Limits/lineBytesMax``.
  case tooLong
  /// Its end has not come yet.
  case incomplete

  /// How many bytes decide about a line: its text and CRLF.
  static let windowBytes = Limits.lineBytesMax + 2

  /// Looks for the end of the line that begins at `start`. O(length).
  static func find(_ input: Span<UInt8>, from start: Int, isLast: Bool) -> PhysicalLine {
    let window = min(input.count, start + windowBytes)
    var end = input.count
    var next = input.count
    if let feed = firstIndex(of: UInt8(ascii: "\n"), in: input, start..<window) {
      (end, next) = (feed, feed + 1)
    } else if window - start == windowBytes {
      return .tooLong
    } else if !isLast {
      return .incomplete
    }
    if end > start, input[end - 1] == UInt8(ascii: "\r") { end -= 1 }
    return end - start > Limits.lineBytesMax ? .tooLong : .whole(end: end, next: next)
  }
}

/// Whether a text is nothing but spaces, tabs and CR. O(length), and at once for most.
@inline(__always)
func isBlank(_ input: Span<UInt8>, _ range: Range<Int>) -> Bool {
  for index in range {
    let byte = input[index]
    guard byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r") else { return false }
  }
  return true
}

/// Where a parser stands in its file.
struct LineProgress {
  /// The physical line at the parser's position, from 1.
  var line = 1
  /// How many rows of data came before, blank lines and the header left out.
  var rowNumber = 0
  /// Whether the rest of a line that is too long is still to be passed over.
  private(set) var isSkipping = false

  /// Adds the row of a line that is too long, and passes over it. O(length).
  ///
  /// - Returns: where to go on; while `isSkipping` everything from there on may be forgotten.
  mutating func reject(tooLong start: Int, _ input: Span<UInt8>, _ rows: inout OfferedRows) -> Int {
    rowNumber += 1
    rows.beginRow(line: line)
    // The buffer may be given back while the rest of the line comes, so the value is kept beside it.
    let shown = input.extracting(start..<min(input.count, start + Limits.rejectedValueCharactersMax * 4 + 4))
    rows.reject(.limit, value: rows.text.keep(shown))
    let from = start + Limits.lineBytesMax
    for index in start..<from where input[index] == UInt8(ascii: "\n") { line += 1 }
    return skip(from, input, resumeAt: start)
  }

  /// Goes on passing over a line. O(length).
  mutating func resume(at position: Int, _ input: Span<UInt8>) -> Int { skip(position, input, resumeAt: position) }

  private mutating func skip(_ from: Int, _ input: Span<UInt8>, resumeAt start: Int) -> Int {
    guard let feed = firstIndex(of: UInt8(ascii: "\n"), in: input, from..<input.count) else {
      isSkipping = true
      return start
    }
    isSkipping = false
    line += 1
    return feed + 1
  }

  /// Adds the row of a line that cannot be split. O(1).
  mutating func reject(malformed range: Range<Int>, _ rows: inout OfferedRows) {
    rowNumber += 1
    rows.beginRow(line: line)
    rows.reject(.malformed, value: TextCell(offset: range.lowerBound, length: range.count))
  }
}

extension OfferedRows {
  /// Whether a batch takes one row more, when its text is used as far as `position`. O(1).
  @inline(__always)
  func hasRoom(_ rowsMax: Int, _ position: Int) -> Bool {
    lines.count < rowsMax && position &+ text.scratch.count < Limits.batchBytesMax
  }
}
