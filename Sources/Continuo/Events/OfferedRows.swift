// Rows of text as a parser found them: where each field's bytes are, nothing judged yet.
// Invariant: a cell lies within its pool; a row has one cell for every EventField.
// Not here: how a file is split into rows (ContinuoFormats), what a cell must hold (Judgement).

/// Where a piece of text lies in a ``TextPool``; or that there is none.
public struct TextCell: Equatable, Sendable, BitwiseCopyable {
  /// The offset of the first byte; the top bit tells the scratch pool from the main one.
  @usableFromInline package var start: UInt32
  @usableFromInline package var length: UInt32

  package static let scratchBit: UInt32 = 1 << 31
  /// No cell: an empty cell of CSV, a missing key or null of NDJSON.
  public static let absent = TextCell(start: .max, length: 0)

  @inlinable
  package init(start: UInt32, length: UInt32) {
    self.start = start
    self.length = length
  }

  /// The cell of `length` bytes from `offset` of ``TextPool/bytes``.
  public init(offset: Int, length: Int) {
    self.init(start: UInt32(offset), length: UInt32(length))
  }
}

/// The bytes that cells point into: the input as it was read, and text that had to be made (unquoted, constant).
public struct TextPool: Sendable {
  /// The input as it was read; under 2 GiB.
  public var bytes: [UInt8] = []
  /// Text that does not stand in the input as such.
  package var scratch: [UInt8] = []

  /// Makes an empty pool. O(1).
  public init() {}

  /// Keeps `text` as it is and tells where. O(length).
  public mutating func keep(_ text: some Sequence<UInt8>) -> TextCell {
    let start = scratch.count
    scratch.append(contentsOf: text)
    return TextCell(
      start: UInt32(start) | TextCell.scratchBit, length: UInt32(scratch.count - start))
  }

  /// The bytes of a cell; none for an absent one. O(1).
  @_lifetime(borrow self)
  public func text(_ cell: TextCell) -> Span<UInt8> {
    let start = Int(cell.start & ~TextCell.scratchBit)
    let range = cell.length == 0 ? 0..<0 : start..<start + Int(cell.length)
    return cell.start & TextCell.scratchBit == 0 ? bytes.span.extracting(range) : scratch.span.extracting(range)
  }

  /// Keeps a lower-case copy of a hexadecimal cell and tells where; the original stays, since another field may point at
  /// it. O(length).
  @inline(never)
  mutating func lowerCase(_ cell: TextCell) -> TextCell {
    let folded = folded(cell)
    return keep(folded.span)
  }

  private func folded(_ cell: TextCell) -> [UInt8] {
    let original = text(cell)
    var folded: [UInt8] = []
    folded.reserveCapacity(original.count)
    // A digit has the bit of lower case set already, so the same operation serves all.
    for index in 0..<original.count { folded.append(original[index] | 0x20) }
    return folded
  }
}

/// Rows of text for one batch: what a parser fills and ``EventBatch/judge(_:)`` reads.
///
///     rows.text.bytes = …                          // the input
///     rows.beginRow(line: 2)
///     rows.set(.block, TextCell(offset: 7, length: 3))
///     batch.judge(&rows)                           // the texts move into the batch
public struct OfferedRows: Sendable {
  /// What the cells point into.
  public var text = TextPool()
  /// Row after row, a cell for every field. Parsers write here directly: a call into this module for every cell would
  /// cost as much as finding it.
  package var cells: [TextCell] = []
  /// The physical line of each row.
  package var lines: [Int] = []
  /// The rows that are rejected already, in order, with the cell at fault.
  private(set) package var faults: [Fault] = []

  package struct Fault: Sendable {
    package var row: Int
    var reason: RejectionReason
    var field: EventField?
    var cell: TextCell
  }

  /// How many cells a row has: one for every ``EventField``. A literal, since a look-up a cell would cost more than the cell.
  @inlinable
  package static var width: Int { 15 }

  /// Makes an empty set of rows. O(1).
  public init() {}

  /// How many rows there are.
  public var count: Int { lines.count }

  /// Starts the next row, with every field absent. O(fields).
  ///
  /// - Parameter line: the physical line that the row starts in, from 1.
  public mutating func beginRow(line: Int) {
    lines.append(line)
    cells.append(contentsOf: repeatElement(.absent, count: Self.width))
  }

  /// Says where the last row has a field's text. O(1).
  public mutating func set(_ field: EventField, _ cell: TextCell) {
    cells[cells.count - Self.width + Int(field.rawValue)] = cell
  }

  /// Where the last row has a field's text. O(1).
  public func cell(_ field: EventField) -> TextCell {
    cells[cells.count - Self.width + Int(field.rawValue)]
  }

  /// Says that the last row cannot be read at all (`limit`, `malformed`); the first fault stands. O(1).
  public mutating func reject(_ reason: RejectionReason, field: EventField? = nil, value: TextCell) {
    guard faults.last?.row != count - 1 else { return }
    faults.append(Fault(row: count - 1, reason: reason, field: field, cell: value))
  }

  /// Drops all rows and keeps the memory; ``text`` stays. O(1).
  public mutating func removeAll() {
    cells.removeAll(keepingCapacity: true)
    lines.removeAll(keepingCapacity: true)
    faults.removeAll(keepingCapacity: true)
  }

  package func cell(row: Int, _ field: EventField) -> TextCell { cells[row * Self.width + Int(field.rawValue)] }
}
