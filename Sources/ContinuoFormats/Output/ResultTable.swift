// What a table of results is: named columns, each beside the way to find its value in a row.
// Invariant: csv, json and table are made from the same columns, in the same order; a row costs no memory of its own.
// Not here: which columns there are (ResultTable+Columns), how a value is spelled (CellSink, CSVOutput, JSONOutput, TextOutput).

internal import Continuo

/// The columns of one kind of result.
public struct ResultTable<Row>: Sendable {
  /// Whether the result is always one row: one object in JSON, a line per column in a table for people.
  public let isSingle: Bool

  /// The columns, in order.
  package let columns: [Column]
  /// Hands on every value of the one row that is lent, in the order of the columns; without a row, the columns.
  let visit: @Sendable (Span<Row>, inout CellSink) -> Void

  /// Makes a table of what `visit` names, column after column.
  init(isSingle: Bool = false, _ visit: @escaping @Sendable (Span<Row>, inout CellSink) -> Void) {
    let noRow: [Row] = []
    var sink = CellSink(.csv, keys: [])
    visit(noRow.span, &sink)
    self.isSingle = isSingle
    self.visit = visit
    columns = sink.columns
  }

  /// The same columns for one row that stands by itself: one object in JSON. O(1).
  public var single: ResultTable { ResultTable(isSingle: true, visit) }

  /// The columns' names as keys of JSON objects.
  var keys: [[UInt8]] {
    columns.map { column in
      var key: [UInt8] = []
      JSONOutput.appendKey(column.name, to: &key)
      return key
    }
  }
}

/// One column of a table of results.
package struct Column: Equatable, Sendable {
  /// What its values are.
  package enum Kind: Sendable {
    case decimal, time, count, text, flag
  }

  /// The column's name, in every format.
  package let name: String
  package let kind: Kind
  /// Whether there may be nothing.
  package let isNullable: Bool

  /// Whether people read the column as numbers: `table` aligns it to the right.
  var isNumeric: Bool { kind == .decimal || kind == .count }
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
