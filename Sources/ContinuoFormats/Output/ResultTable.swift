// What a table of results is: named columns, each with the kind of its values and the way to find one in a row.
// Invariant: csv, json and table are made from the same columns, in the same order.
// Not here: which columns there are (ResultTable+Columns), how a cell is spelled (CSVOutput, JSONOutput, TextOutput).

public import Continuo

/// One value of a row of results.
public enum Cell: Equatable, Sendable {
  /// Nothing: undefined, or it does not fit.
  case null
  /// Money, a price, a quantity: a string in JSON, so that no reader puts it through a double.
  case decimal(Decimal18)
  /// An instant, in RFC 3339.
  case time(Timestamp)
  /// A count, rank, chain, block or log index: a number in JSON.
  case count(UInt64)
  case text(ByteString)
  case flag(Bool)
}

/// One column of a table of results: its name, the kind of its values, and how to find the value in a row.
public struct Column<Row>: Sendable {
  /// The column's name, in every format.
  public let name: String
  /// Whether people read the column as numbers: `table` aligns it to the right.
  public let isNumeric: Bool
  /// The row's value.
  public let cell: @Sendable (Row) -> Cell

  /// A column of decimals; nil is null.
  static func decimal(_ name: String, _ value: @escaping @Sendable (Row) -> Decimal18?) -> Self {
    Self(name: name, isNumeric: true) { row in value(row).map(Cell.decimal) ?? .null }
  }

  /// A column of exact sums; one that does not fit is null.
  static func sum(_ name: String, _ value: @escaping @Sendable (Row) -> ExactSum?) -> Self {
    decimal(name) { row in value(row)?.decimal }
  }

  /// A column of counts; nil is null.
  static func count(_ name: String, _ value: @escaping @Sendable (Row) -> Int?) -> Self {
    Self(name: name, isNumeric: true) { row in value(row).map { .count(UInt64($0)) } ?? .null }
  }

  /// A column of unsigned numbers that count nothing: a chain, a block, a log index.
  static func number(_ name: String, _ value: @escaping @Sendable (Row) -> UInt64) -> Self {
    Self(name: name, isNumeric: true) { row in .count(value(row)) }
  }

  /// A column of instants; nil is null.
  static func time(_ name: String, _ value: @escaping @Sendable (Row) -> Timestamp?) -> Self {
    Self(name: name, isNumeric: false) { row in value(row).map(Cell.time) ?? .null }
  }

  /// A column of names and words.
  static func text(_ name: String, _ value: @escaping @Sendable (Row) -> ByteString) -> Self {
    Self(name: name, isNumeric: false) { row in .text(value(row)) }
  }

  /// A column of true and false.
  static func flag(_ name: String, _ value: @escaping @Sendable (Row) -> Bool) -> Self {
    Self(name: name, isNumeric: false) { row in .flag(value(row)) }
  }
}

/// The columns of one kind of result.
public struct ResultTable<Row>: Sendable {
  /// The columns, in order.
  public let columns: [Column<Row>]
  /// Whether the result is always one row: one object in JSON, a line per column in a table for people.
  public let isSingle: Bool

  /// The columns' names and values once more, apart: code that is generic over the row walks them without asking the
  /// runtime for the type of a column, which was half of the cost of a row.
  let names: [String]
  private let values: [@Sendable (Row) -> Cell]

  init(isSingle: Bool = false, _ columns: [Column<Row>]) {
    self.columns = columns
    self.isSingle = isSingle
    names = columns.map(\.name)
    values = columns.map(\.cell)
  }

  /// The row's value in a column. O(1).
  func cell(_ index: Int, of row: Row) -> Cell { values[index](row) }
}

/// How results are written.
public enum OutputFormat: String, CaseIterable, Sendable {
  /// For people: aligned, control characters escaped.
  case table
  /// RFC 4180, quotes only where needed, LF, always a header, empty for null.
  case csv
  /// One array of objects; one object where the result is one row.
  case json
}
