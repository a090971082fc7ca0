// Rows in, bytes out, in one of the three formats: the same columns whichever it is.
// Invariant: what was written is complete only after `finish`; no row is held but the first of a table for people.
// Not here: where the bytes go (the caller takes them), which rows there are.

internal import Continuo

/// Writes the rows of one result, one after the other, as bytes that the caller takes when it likes.
///
///     var writer = ResultWriter(.holders, as: .csv)
///     for (index, holder) in holders.enumerated() { writer.write(HolderAnswer(rank: index + 1, holder: holder)) }
///     writer.finish()
///     try output.write(writer.takeBytes())
public struct ResultWriter<Row> {
  private let table: ResultTable<Row>
  private let format: OutputFormat
  private var layout: TextLayout
  private var isFirst = true
  /// What was made and not taken yet.
  public private(set) var bytes: [UInt8] = []

  /// Begins a result. O(columns).
  ///
  /// - Parameter isBold: whether a table for people may show its header in bold: its terminal understands that.
  public init(_ table: ResultTable<Row>, as format: OutputFormat, isBold: Bool = false) {
    self.table = table
    self.format = format
    layout =
      table.isSingle
      ? TextLayout(names: ["field", "value"], alignsRight: [false, false], isBold: isBold)
      : TextLayout(names: table.columns.map(\.name), alignsRight: table.columns.map(\.isNumeric), isBold: isBold)
    if format == .csv { CSVOutput.appendHeader(table, to: &bytes) }
  }

  /// Adds a row. O(columns).
  public mutating func write(_ row: Row) {
    switch format {
    case .csv: CSVOutput.appendRow(row, table, to: &bytes)
    case .json:
      if !table.isSingle { bytes.append(contentsOf: (isFirst ? "[\n" : ",\n").utf8) }
      JSONOutput.appendObject(row, table, to: &bytes)
    case .table where table.isSingle:
      for column in table.columns {
        layout.add([.text(ByteString(column.name)), column.cell(row)], to: &bytes)
      }
    case .table: layout.add(table.columns.map { $0.cell(row) }, to: &bytes)
    }
    isFirst = false
  }

  /// Ends the result. O(rows held).
  public mutating func finish() {
    switch format {
    case .csv: break
    case .json where table.isSingle: bytes.append(contentsOf: "\n".utf8)
    case .json: bytes.append(contentsOf: (isFirst ? "[]\n" : "\n]\n").utf8)
    case .table: layout.finish(to: &bytes)
    }
  }

  /// Hands over what was made since the last time. O(1).
  public mutating func takeBytes() -> [UInt8] {
    defer { bytes = [] }
    return bytes
  }
}
