// A market's rows as text: CSV or NDJSON in the fields that `continuo ingest` reads.
// Invariant: numbers have all their digits, eight or eighteen after the point; names need no quotes.
// Not here: where the text goes (ContinuoTool).

internal import Continuo

/// The form of a market's text.
package enum MarketTextFormat: Sendable { case csv, ndjson }

extension Market {
  /// The first line of a CSV file; NDJSON has none.
  package func header(_ format: MarketTextFormat) -> [UInt8] {
    format == .csv ? Array((fields.joined(separator: ",") + "\n").utf8) : []
  }

  private var fields: [String] {
    let place = ["kind", "chain", "block", "log_index", "timestamp", "token"]
    switch shape.kind {
    case .swaps:
      return place + ["side", "amount_usd", "token_amount"] + (shape.isWide ? [] : ["price_usd"]) + ["wallet"]
    case .transfers: return place + ["from", "to", "amount"]
    }
  }

  /// Adds rows as lines of text. O(bytes).
  ///
  /// - Parameter daysLater: so many days behind the market's own time, and as many blocks.
  package func append(_ rows: Range<Int>, as format: MarketTextFormat, daysLater: Int = 0, to text: inout [UInt8]) {
    var line = MarketLine(format, fields)
    for row in rows { append(row, Int64(daysLater) * 86_400_000_000, to: &text, &line) }
  }

  private func append(_ row: Int, _ shift: Int64, to text: inout [UInt8], _ line: inout MarketLine) {
    line.begin()
    line.word(shape.kind == .swaps ? "swap" : "transfer", &text)
    line.integer(UInt64(Self.chain), &text)
    line.integer(block(row) + UInt64(shift / Self.blockMicroseconds), &text)
    line.integer(UInt64(logIndex(row)), &text)
    line.integer(UInt64((timestamp(row) + shift).microseconds), &text)
    line.name(tokenNames, columns.tokens[row], &text)
    switch shape.kind {
    case .swaps:
      line.word(columns.sides[row] == 0 ? "buy" : "sell", &text)
      line.decimal(columns.money[row], shape.isWide ? columns.moneyDigits[row] : nil, &text)
      line.decimal(columns.amounts[row], shape.isWide ? columns.amountDigits[row] : nil, &text)
      if !shape.isWide { line.decimal(columns.prices[row], nil, &text) }
      line.name(walletNames, columns.wallets[row], &text)
    case .transfers:
      line.address(walletNames, columns.wallets[row], &text)
      line.address(walletNames, columns.takers[row], &text)
      line.decimal(columns.amounts[row], shape.isWide ? columns.amountDigits[row] : nil, &text)
    }
    line.end(&text)
  }
}

/// One line: what stands before each value, and the values.
private struct MarketLine {
  private let prefixes: [[UInt8]]
  private let closing: [UInt8]
  private let quote: [UInt8]
  private var field = 0

  init(_ format: MarketTextFormat, _ fields: [String]) {
    switch format {
    case .csv:
      prefixes = fields.indices.map { $0 == 0 ? [] : [UInt8(ascii: ",")] }
      closing = [UInt8(ascii: "\n")]
      quote = []
    case .ndjson:
      prefixes = fields.enumerated().map { Array(("\($0 == 0 ? "{" : ",")\"\($1)\":").utf8) }
      closing = Array("}\n".utf8)
      quote = [UInt8(ascii: "\"")]
    }
  }

  mutating func begin() { field = 0 }

  func end(_ text: inout [UInt8]) { text += closing }

  private mutating func next(_ text: inout [UInt8]) {
    text += prefixes[field]
    field += 1
  }

  mutating func word(_ word: String, _ text: inout [UInt8]) {
    next(&text)
    text += quote
    text += word.utf8
    text += quote
  }

  mutating func integer(_ value: UInt64, _ text: inout [UInt8]) {
    next(&text)
    Self.digits(value, atLeast: 1, &text)
  }

  mutating func name(_ pool: NamePool, _ number: UInt32, _ text: inout [UInt8]) {
    next(&text)
    text += quote
    text += pool.bytes[pool.place(number)]
    text += quote
  }

  mutating func address(_ pool: NamePool, _ number: UInt32, _ text: inout [UInt8]) {
    if number == MarketColumns.nobody { word("0x0", &text) } else { name(pool, number, &text) }
  }

  /// A count of 10^-8, and ten digits more where there are such. In NDJSON a string: no reader rounds it.
  mutating func decimal(_ count: Int64, _ more: Int64?, _ text: inout [UInt8]) {
    next(&text)
    text += quote
    let (whole, fraction) = UInt64(count).quotientAndRemainder(dividingBy: 100_000_000)
    Self.digits(whole, atLeast: 1, &text)
    text.append(UInt8(ascii: "."))
    Self.digits(fraction, atLeast: 8, &text)
    if let more { Self.digits(UInt64(more), atLeast: 10, &text) }
    text += quote
  }

  private static func digits(_ value: UInt64, atLeast width: Int, _ text: inout [UInt8]) {
    var count = 1
    var power: UInt64 = 10
    while count < 19, value >= power {
      power *= 10
      count += 1
    }
    count = max(count, width)
    let start = text.count
    for _ in 0..<count { text.append(48) }
    var rest = value
    var place = start + count
    while rest > 0 {
      place -= 1
      let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
      text[place] = 48 + UInt8(truncatingIfNeeded: digit)
      rest = quotient
    }
  }
}
