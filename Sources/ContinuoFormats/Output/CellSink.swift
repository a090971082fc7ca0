// Where the values of a row go: bytes of CSV or JSON at once, values that wait for their columns' widths else.
// Invariant: a value is followed by a comma; who ends the row puts its own end there.
// Not here: which values a row has (ResultTable+Columns), when a row begins and ends (ResultWriter).

package import Continuo

/// One value of a row of results.
package enum Cell: Equatable, Sendable {
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

/// Takes the values of rows.
struct CellSink {
  let format: OutputFormat
  /// The columns' names as keys of JSON objects.
  private let keys: [[UInt8]]
  /// CSV and JSON as far as they are made.
  var bytes: [UInt8] = []
  /// The values of a row in a table for people.
  var cells: [Cell] = []
  private var index = 0
  /// What an instant is written as: an integer that counts this, or RFC 3339.
  private let times: TimeUnit?
  /// How many figures did not fit where they were written, so that there is nothing in their place.
  private(set) var outOfRange = 0
  /// The columns that were named where there was no row.
  private(set) var columns: [Column] = []

  init(_ format: OutputFormat, keys: [[UInt8]], times: TimeUnit? = nil) {
    self.format = format
    self.times = times
    self.keys = keys
  }

  mutating func put(_ value: Decimal18?) {
    guard format != .table else { return cells.append(value.map { .decimal($0) } ?? .null) }
    guard let value else { return putNull() }
    beginValue(isQuoted: true)
    value.append(to: &bytes)
    endValue(isQuoted: true)
  }

  mutating func put(_ value: Timestamp?) {
    guard format != .table else { return cells.append(value.map { .time($0) } ?? .null) }
    guard let value else { return putNull() }
    if let times {
      beginValue(isQuoted: false)
      value.append(as: times, to: &bytes)
      return endValue(isQuoted: false)
    }
    beginValue(isQuoted: true)
    value.append(to: &bytes)
    endValue(isQuoted: true)
  }

  mutating func put(_ value: UInt64?) {
    guard format != .table else { return cells.append(value.map { .count($0) } ?? .null) }
    guard let value else { return putNull() }
    beginValue(isQuoted: false)
    DecimalDigits.append(value, to: &bytes)
    endValue(isQuoted: false)
  }

  mutating func put(_ value: ByteString?) {
    guard format != .table else { return cells.append(value.map { .text($0) } ?? .null) }
    guard let value else { return putNull() }
    beginValue(isQuoted: true)
    if format == .csv {
      CSVOutput.appendText(value.bytes, to: &bytes)
    } else {
      JSONOutput.appendEscaped(value.bytes, to: &bytes)
    }
    endValue(isQuoted: true)
  }

  mutating func put(_ value: Bool) {
    guard format != .table else { return cells.append(.flag(value)) }
    beginValue(isQuoted: false)
    bytes.append(contentsOf: (value ? "true" : "false").utf8)
    endValue(isQuoted: false)
  }

  private mutating func putNull() {
    beginValue(isQuoted: false)
    if format == .json { bytes.append(contentsOf: "null".utf8) }
    endValue(isQuoted: false)
  }

  /// The key of JSON, and its quote.
  @inline(__always)
  private mutating func beginValue(isQuoted: Bool) {
    guard format == .json else { return }
    bytes.append(contentsOf: keys[index])
    index += 1
    if isQuoted { bytes.append(UInt8(ascii: "\"")) }
  }

  @inline(__always)
  private mutating func endValue(isQuoted: Bool) {
    if isQuoted, format == .json { bytes.append(UInt8(ascii: "\"")) }
    bytes.append(UInt8(ascii: ","))
  }

  fileprivate mutating func add(_ name: String, _ kind: Column.Kind, isNullable: Bool = true) {
    columns.append(Column(name: name, kind: kind, isNullable: isNullable))
  }

  /// Ends a row of CSV or JSON: `end` takes the place of the last comma. O(1).
  mutating func endRow(_ end: UInt8) {
    bytes[bytes.count - 1] = end
    index = 0
  }
}

/// How a table names its columns and finds their values: inlined where the columns stand, so that a value goes from its row
/// to the output in place. A value that is always there makes a column that is never null.
extension CellSink {
  /// A column of decimals; nil is null.
  @inline(__always)
  mutating func decimal<Row>(_ name: String, of row: Span<Row>, _ value: (Row) -> Decimal18?) {
    if row.isEmpty { add(name, .decimal) } else { put(value(row[0])) }
  }

  /// A column of decimals.
  @inline(__always)
  mutating func decimal<Row>(_ name: String, of row: Span<Row>, _ value: (Row) -> Decimal18) {
    if row.isEmpty { add(name, .decimal, isNullable: false) } else { put(value(row[0])) }
  }

  /// A column of exact sums; one that does not fit is null.
  @inline(__always)
  mutating func sum<Row>(_ name: String, of row: Span<Row>, _ value: (Row) -> ExactSum?) {
    guard !row.isEmpty else { return add(name, .decimal) }
    let sum = value(row[0])
    let decimal = sum?.decimal
    if decimal == nil, sum != nil { outOfRange += 1 }
    put(decimal)
  }

  /// A column of counts; nil is null.
  @inline(__always)
  mutating func count<Row>(_ name: String, of row: Span<Row>, _ value: (Row) -> Int?) {
    if row.isEmpty { add(name, .count) } else { put(value(row[0]).map { UInt64($0) }) }
  }

  /// A column of counts.
  @inline(__always)
  mutating func count<Row>(_ name: String, of row: Span<Row>, _ value: (Row) -> Int) {
    if row.isEmpty { add(name, .count, isNullable: false) } else { put(UInt64(value(row[0]))) }
  }

  /// A column of unsigned numbers that count nothing: a chain, a block, a log index.
  @inline(__always)
  mutating func number<Row>(_ name: String, of row: Span<Row>, _ value: (Row) -> UInt64) {
    if row.isEmpty { add(name, .count, isNullable: false) } else { put(value(row[0])) }
  }

  /// A column of instants; nil is null.
  @inline(__always)
  mutating func time<Row>(_ name: String, of row: Span<Row>, _ value: (Row) -> Timestamp?) {
    if row.isEmpty { add(name, .time) } else { put(value(row[0])) }
  }

  /// A column of instants.
  @inline(__always)
  mutating func time<Row>(_ name: String, of row: Span<Row>, _ value: (Row) -> Timestamp) {
    if row.isEmpty { add(name, .time, isNullable: false) } else { put(value(row[0])) }
  }

  /// A column of names and words; nil is null.
  @inline(__always)
  mutating func text<Row>(_ name: String, of row: Span<Row>, _ value: (Row) -> ByteString?) {
    if row.isEmpty { add(name, .text) } else { put(value(row[0])) }
  }

  /// A column of names and words.
  @inline(__always)
  mutating func text<Row>(_ name: String, of row: Span<Row>, _ value: (Row) -> ByteString) {
    if row.isEmpty { add(name, .text, isNullable: false) } else { put(value(row[0])) }
  }

  /// A column of true and false.
  @inline(__always)
  mutating func flag<Row>(_ name: String, of row: Span<Row>, _ value: (Row) -> Bool) {
    if row.isEmpty { add(name, .flag, isNullable: false) } else { put(value(row[0])) }
  }

  /// A column of another table, whose value is at hand already.
  mutating func cell<Row>(_ column: Column, of row: Span<Row>, _ value: (Row) -> Cell) {
    guard !row.isEmpty else { return add(column.name, column.kind, isNullable: column.isNullable) }
    switch value(row[0]) {
    case .null: putNothing()
    case .decimal(let value): put(value)
    case .time(let value): put(value)
    case .count(let value): put(value)
    case .text(let value): put(value)
    case .flag(let value): put(value)
    }
  }

  private mutating func putNothing() { put(nil as UInt64?) }
}
