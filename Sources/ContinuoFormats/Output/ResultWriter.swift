// Rows in, bytes out, in one of the three formats: the same columns whichever it is.
// Invariant: what was written is complete only after `finish`; no row is held but the first of a table for people.
// Not here: where the bytes go (the caller takes them), which rows there are.

public import Continuo

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
  private var sink: CellSink

  /// What was made and not taken yet.
  public var bytes: [UInt8] { sink.bytes }
  /// How many bytes that is. O(1).
  public var byteCount: Int { sink.bytes.count }

  /// How many sums did not fit a decimal where they were written, so that there is nothing in their place. O(1).
  public var outOfRange: Int { sink.outOfRange }

  /// Begins a result. O(columns).
  ///
  /// - Parameters:
  ///   - isBold: whether a table for people may show its header in bold: its terminal understands that.
  ///   - times: what an instant counts in CSV and JSON; nil: it is written as RFC 3339.
  public init(
    _ table: ResultTable<Row>, as format: OutputFormat, isBold: Bool = false, times: TimeUnit? = nil
  ) {
    self.table = table
    self.format = format
    layout =
      table.isSingle
      ? TextLayout(names: ["field", "value"], alignsRight: [false, false], isBold: isBold)
      : TextLayout(names: table.columns.map(\.name), alignsRight: table.columns.map(\.isNumeric), isBold: isBold)
    sink = CellSink(format, keys: table.keys, times: times)
    if format == .csv { CSVOutput.appendHeader(table.columns, to: &sink.bytes) }
  }

  /// Adds a row. O(columns).
  // Inlined where the type of the row is known: here its copies would go through what is known of it when the program runs.
  @inlinable
  public mutating func write(_ row: Row) {
    let alone: [1 of Row] = [row]
    write(alone: alone.span)
  }

  /// Adds the one row that is lent. O(columns).
  public mutating func write(alone row: Span<Row>) {
    if format == .json {
      if !table.isSingle { sink.bytes.append(contentsOf: (isFirst ? "[\n" : ",\n").utf8) }
      sink.bytes.append(UInt8(ascii: "{"))
    }
    table.visit(row, &sink)
    switch format {
    case .csv: sink.endRow(UInt8(ascii: "\n"))
    case .json: sink.endRow(UInt8(ascii: "}"))
    case .table: layOut()
    }
    isFirst = false
  }

  private mutating func layOut() {
    let values = sink.cells
    sink.cells.removeAll(keepingCapacity: true)
    guard table.isSingle else { return layout.add(values, to: &sink.bytes) }
    for (column, value) in zip(table.columns, values) {
      layout.add([.text(ByteString(column.name)), value], to: &sink.bytes)
    }
  }

  /// Ends the result. O(rows held).
  public mutating func finish() {
    switch format {
    case .csv: break
    case .json where table.isSingle: sink.bytes.append(contentsOf: "\n".utf8)
    case .json: sink.bytes.append(contentsOf: (isFirst ? "[]\n" : "\n]\n").utf8)
    case .table: layout.finish(to: &sink.bytes)
    }
  }

  /// Hands over what was made since the last time. O(1).
  public mutating func takeBytes() -> [UInt8] {
    var taken: [UInt8] = []
    // The next piece is going to be as long.
    taken.reserveCapacity(sink.bytes.capacity)
    swap(&taken, &sink.bytes)
    return taken
  }

  /// Forgets what was made since the last time, and keeps its memory. O(1).
  public mutating func clear() { sink.bytes.removeAll(keepingCapacity: true) }

  /// Hands over what was made since the last time, and takes memory for what comes: what that held is gone. O(1).
  public mutating func swapBytes(_ memory: inout [UInt8]) {
    memory.removeAll(keepingCapacity: true)
    swap(&memory, &sink.bytes)
  }
}
