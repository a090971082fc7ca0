// One JSON object, field after field: what stands around the rows of an answer.
// Invariant: the text is valid JSON once it is finished; values are spelled as in results.
// Not here: rows (ResultWriter), which fields an answer has (who makes it).

public import Continuo

/// Writes one JSON object.
///
///     var object = JSONObject()
///     object.put("token", name)
///     object.put("candles", rows: &writer)
///     let text = object.finished()
public struct JSONObject: Sendable {
  private var bytes: [UInt8] = [UInt8(ascii: "{")]

  /// Begins an object. O(1).
  public init() {}

  /// Begins an object with all fields of another one's text, which `ResultWriter` made of one row. O(length).
  public init(extending object: [UInt8]) {
    bytes = object
    while let last = bytes.last, last == UInt8(ascii: "\n") || last == UInt8(ascii: "}") {
      bytes.removeLast()
      if last == UInt8(ascii: "}") { break }
    }
  }

  /// Makes room for so many bytes more, so that what comes is not moved. O(length).
  public mutating func reserve(_ count: Int) { bytes.reserveCapacity(bytes.count + count) }

  private mutating func key(_ name: String) {
    if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
    JSONOutput.appendKey(name, to: &bytes)
  }

  /// Adds a name or a word; nil is null. O(length).
  public mutating func put(_ name: String, _ text: ByteString?) {
    key(name)
    JSONOutput.append(text.map { .text($0) } ?? .null, to: &bytes)
  }

  /// Adds a count; nil is null. O(1).
  public mutating func put(_ name: String, count: UInt64?) {
    key(name)
    JSONOutput.append(count.map { .count($0) } ?? .null, to: &bytes)
  }

  /// Adds true or false. O(1).
  public mutating func put(_ name: String, flag: Bool) {
    key(name)
    JSONOutput.append(.flag(flag), to: &bytes)
  }

  /// Adds a decimal; nil is null. O(1).
  public mutating func put(_ name: String, decimal: Decimal18?) {
    key(name)
    JSONOutput.append(decimal.map { .decimal($0) } ?? .null, to: &bytes)
  }

  /// Adds an instant, as an integer of a unit or in RFC 3339; nil is null. O(1).
  public mutating func put(_ name: String, time: Timestamp?, as unit: TimeUnit?) {
    key(name)
    if let time, let unit {
      time.append(as: unit, to: &bytes)
    } else {
      JSONOutput.append(time.map { .time($0) } ?? .null, to: &bytes)
    }
  }

  /// Adds a text that is JSON already; nil is null. O(length).
  public mutating func put(_ name: String, json: [UInt8]?) {
    key(name)
    guard let json else { return bytes.append(contentsOf: "null".utf8) }
    bytes.append(contentsOf: json)
    while bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
  }

  /// Adds what `append` appends: JSON too. O(length).
  public mutating func put(_ name: String, _ append: (inout [UInt8]) -> Void) {
    key(name)
    append(&bytes)
  }

  /// Adds a list of texts that are JSON already. O(length).
  public mutating func put(_ name: String, list: [[UInt8]]) {
    key(name)
    bytes.append(UInt8(ascii: "["))
    for (index, json) in list.enumerated() {
      if index > 0 { bytes.append(UInt8(ascii: ",")) }
      bytes.append(contentsOf: json)
    }
    bytes.append(UInt8(ascii: "]"))
  }

  /// Adds rows as a list of objects without line feeds. O(length).
  public mutating func put<Row>(_ name: String, _ rows: some Sequence<Row>, _ table: ResultTable<Row>) {
    var writer = ResultWriter(table.single, as: .json)
    put(
      name,
      list: rows.map { row in
        writer.write(row)
        return writer.takeBytes()
      })
  }

  /// Adds a list of texts. O(length).
  public mutating func put(_ name: String, texts: [String]) {
    put(
      name,
      list: texts.map { text in
        var json: [UInt8] = []
        JSONOutput.append(.text(ByteString(text)), to: &json)
        return json
      })
  }

  /// Adds the rows that a writer of JSON has, which is finished by that. O(length).
  public mutating func put<Row>(_ name: String, rows writer: inout ResultWriter<Row>) {
    writer.finish()
    put(name, json: writer.bytes)
  }

  /// The object's text, with a line feed. O(1).
  public consuming func finished() -> [UInt8] {
    bytes.append(UInt8(ascii: "}"))
    bytes.append(UInt8(ascii: "\n"))
    return bytes
  }
}

extension Timestamp {
  /// Appends the instant as an integer of a unit, floored. O(1).
  package func append(as unit: TimeUnit, to output: inout [UInt8]) {
    let whole: Int128 =
      switch unit {
      case .seconds: floored(by: 1_000_000)
      case .milliseconds: floored(by: 1000)
      case .microseconds: Int128(microseconds)
      case .nanoseconds: Int128(microseconds) * 1000
      }
    output.append(contentsOf: String(whole).utf8)
  }

  private func floored(by length: Int64) -> Int128 {
    let (quotient, remainder) = microseconds.quotientAndRemainder(dividingBy: length)
    return Int128(remainder < 0 ? quotient - 1 : quotient)
  }
}
