// What a row must say of itself to be packed: its key, its columns, what a run of rows adds up to.
// Invariant: making a row of its columns gives the row back, to the bit.
// Not here: how columns are packed (PackedChunk), how a column is scaled (PackPlan).

/// Where a row's columns are read from. A column is asked for by its number; narrow ones come first.
package protocol ColumnSource {
  /// A column of 64 bits. O(1).
  func narrow(_ column: Int) -> Int64
  /// A column of 128 bits. O(1).
  func wide(_ column: Int) -> Int128
}

/// A row whose columns can be planned and written: a fixed number of integers.
package protocol ColumnRow: BitwiseCopyable, ColumnSource {
  /// Columns of 64 bits come first, then those of 128. They may wrap: what counts is that they come back.
  static var narrowCount: Int { get }
  static var columnCount: Int { get }
  /// Whether a column holds decimals or times, which often share a power of ten.
  static func isScaled(_ column: Int) -> Bool
  /// Whether a column of 64 bits never falls from row to row.
  static func isAscending(_ column: Int) -> Bool
}

/// A row that can be packed and looked for: a key besides its columns, the first of which decides where it stands.
package protocol PackedRow: ColumnRow {
  associatedtype Key: Comparable & BitwiseCopyable
  associatedtype Summary: BitwiseCopyable
  /// Where the row stands in its series.
  var key: Key { get }
  /// What decides between keys first: never greater for a lesser key. It is column 0.
  static func major(_ key: Key) -> Int64
  /// Makes a row of its columns.
  init(_ columns: some ColumnSource)
  /// Makes a key of its columns, reading no others.
  static func key(_ columns: some ColumnSource) -> Key
  /// What a run of rows, in order, adds up to.
  static func summary(_ rows: Span<Self>) -> Summary
  /// The same, where columns are planned that may tell it.
  static func summary(_ rows: Span<Self>, _ columns: PackScratch) -> Summary
  /// What a run adds up to with one row more, wherever it stands.
  static func summary(_ summary: Summary, with row: Self) -> Summary
  /// What is left of a run's summary without one of its rows; nil where that takes all rows to tell.
  static func summary(_ summary: Summary, without row: Self) -> Summary?
  /// What the rows of a chunk add up to, whatever its summary says. O(rows).
  static func summary(of chunk: PackedChunk<Self>) -> Summary
  /// How many rows the next chunk of a series of `count` rows is made of.
  static func chunkRows(_ count: Int) -> Int
  /// How many rows a chunk has that takes in late ones: at twice as many it is cut.
  static var lateRows: Int { get }
  /// How many rows the open tail of such a series holds at most.
  static func tailRowsMax(_ count: Int) -> Int
}

/// What rows add up to that nobody sums up.
package struct NoSummary: BitwiseCopyable, Equatable {
  package init() {}
}

extension PackedRow where Summary == NoSummary {
  package static func summary(_ rows: Span<Self>) -> NoSummary { NoSummary() }
  package static func summary(_ summary: NoSummary, with row: Self) -> NoSummary { summary }
  package static func summary(_ summary: NoSummary, without row: Self) -> NoSummary? { summary }
}

extension PackedRow {
  package static func isAscending(_ column: Int) -> Bool { column == 0 }

  /// Whether a chunk of a series of `count` rows has taken in so many late ones that it is cut; one that is long as it was
  /// packed takes in an eighth more.
  static func isWorn(_ rows: Int, of count: Int) -> Bool {
    let packed = chunkRows(count)
    return rows >= 2 * lateRows && (rows < packed || rows > packed + packed / 8)
  }

  /// The most rows that a chunk ever has: one row more, and it is worn.
  static var chunkRowsMost: Int {
    let packed = chunkRows(.max)
    return max(2 * lateRows - 1, packed + packed / 8)
  }

  package static func summary(_ rows: Span<Self>, _ columns: PackScratch) -> Summary { summary(rows) }

  package static func summary(of chunk: PackedChunk<Self>) -> Summary {
    let first: [1 of Self] = [chunk.row(at: 0)]
    var sum = summary(first.span)
    for row in 1..<chunk.count { sum = summary(sum, with: chunk.row(at: row)) }
    return sum
  }
}
