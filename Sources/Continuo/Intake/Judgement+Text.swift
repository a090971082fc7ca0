// Rows of text: which field is read when, and how the short ones are read.
// Invariant: all numbers of a row are read before the first fault of one is told, since `bad_number` goes before `overflow`.
// Not here: the checks on what was read (Judgement), how numbers and times are spelled (Decimal18+Text, Timestamp+Text).

/// The texts that cells point into, lent for the time of a row.
struct CellTexts: ~Escapable {
  private let main: Span<UInt8>
  private let scratch: Span<UInt8>

  @inline(__always)
  @_lifetime(borrow pool)
  init(_ pool: borrowing TextPool) {
    main = pool.bytes.span
    scratch = pool.scratch.span
  }

  /// The bytes around a cell.
  @inline(__always)
  @_lifetime(copy self)
  func pool(of cell: TextCell) -> Span<UInt8> { cell.start & TextCell.scratchBit == 0 ? main : scratch }

  /// The bytes of a cell, none of an absent one.
  @inline(__always)
  @_lifetime(copy self)
  subscript(cell: TextCell) -> Span<UInt8> {
    @_lifetime(copy self)
    get {
      guard cell.length > 0 else { return main.extracting(0..<0) }
      return pool(of: cell).extracting(cell.offset..<cell.offset &+ Int(cell.length))
    }
  }

  /// A cell of up to sixteen bytes.
  @inline(__always)
  func short(_ cell: TextCell) -> ShortText {
    guard cell.length > 0 else { return ShortText.empty }
    return ShortText(pool(of: cell), at: cell.offset, count: Int(cell.length))
  }
}

extension TextCell {
  /// Where the cell begins in its pool.
  @inline(__always)
  var offset: Int { Int(start & ~Self.scratchBit) }

  @inline(__always)
  fileprivate var fault: Judgement.Held { .cell(self) }
}

extension Judgement {
  /// Judges all rows; the batch holds their text already. O(bytes).
  static func judge(_ rows: borrowing OfferedRows, into batch: inout EventBatch) {
    batch.rows.reserveCapacity(rows.count)
    var nextFault = 0
    for row in 0..<rows.count {
      let line = rows.lines[row]
      if nextFault < rows.faults.count, rows.faults[nextFault].row == row {
        let fault = rows.faults[nextFault]
        nextFault += 1
        batch.reject(Fault(reason: fault.reason, field: fault.field, held: .cell(fault.cell)), line: line)
        continue
      }
      let cells = rows.cells.span.extracting(row &* OfferedRows.width..<(row &+ 1) &* OfferedRows.width)
      do throws(Fault) {
        if try kind(cells[.kind], CellTexts(batch.text)) == .swap {
          try swap(cells, line, &batch)
        } else {
          try transfer(cells, line, &batch)
        }
      } catch {
        reject(error, cells, line, &batch)
      }
    }
    batch.offered += rows.count
  }

  @inline(never)
  private static func reject(_ fault: Fault, _ cells: Span<TextCell>, _ line: Int, _ batch: inout EventBatch) {
    var fault = fault
    if fault.reason == .overflow, (try? kind(cells[.kind], CellTexts(batch.text))) == .transfer {
      var names = JudgedNames()
      names.names.token = (try? token(CellTexts(batch.text)[cells[.token]])) ?? .absent
      names.place(token: cells[.token], wallet: .absent, to: .absent)
      let nowhere = OrderKey(timestamp: Timestamp(microseconds: 0), chain: 0, block: 0, logIndex: 0)
      batch.rows.append(BatchRow(.markIncomplete, nowhere, line: line, names: names.names))
    }
    // As it was given: a number that rounds to 0 is reported with its digits.
    if fault.reason == .nonPositiveAmount || fault.reason.isOfName, let field = fault.field {
      fault.held = .cell(cells[field])
    }
    batch.reject(fault, line: line)
  }

  // MARK: the two kinds

  @inline(__always)
  private static func swap(_ cells: Span<TextCell>, _ line: Int, _ batch: inout EventBatch) throws(Fault) {
    var (row, names) = try swap(cells, line, CellTexts(batch.text), batch.price, batch.timeUnit)
    if names.areLong {
      names.place(token: cells[.token], wallet: cells[.wallet], to: .absent)
      names.lowerCase(&batch.text)
      row = row.naming(names.names, tokenID: -1)
    }
    batch.rows.append(row)
  }

  @inline(__always)
  private static func swap(
    _ cells: Span<TextCell>, _ line: Int, _ texts: borrowing CellTexts, _ mode: PriceMode, _ unit: TimeUnit
  ) throws(Fault) -> (BatchRow, JudgedNames) {
    var key = try place(cells, texts)
    let side = try side(cells[.side], texts)
    try require(cells, .block, .timestamp, .token, .amountUSD)
    let names = try names(texts[cells[.token]], wallet: texts[cells[.wallet]])
    key.timestamp = try timestamp(cells[.timestamp], texts, unit)
    var numbers = SwapNumbers(
      amountUSD: plain(cells[.amountUSD], texts), tokenAmount: plain(cells[.tokenAmount], texts),
      priceUSD: plain(cells[.priceUSD], texts))
    if numbers.amountUSD == nil || numbers.tokenAmount == nil && cells[.tokenAmount] != .absent
      || numbers.priceUSD == nil && cells[.priceUSD] != .absent
    {
      numbers = try swapNumbers(cells, texts)
    }
    let amount = numbers.amountUSD ?? .zero
    let price = try price(amount, numbers.tokenAmount, numbers.priceUSD, mode)
    let row = BatchRow(
      .swap, key, line: line, names: names.names, side: side, amount: amount,
      tokenAmount: numbers.tokenAmount ?? .zero, price: price)
    return (row, names)
  }

  /// The numbers of a swap, as far as it has them.
  private struct SwapNumbers: BitwiseCopyable {
    var amountUSD: Decimal18?
    var tokenAmount: Decimal18?
    var priceUSD: Decimal18?
  }

  @inline(never)
  private static func swapNumbers(
    _ cells: Span<TextCell>, _ texts: borrowing CellTexts
  ) throws(Fault) -> SwapNumbers {
    let numbers = try numbers(cells, [.amountUSD, .tokenAmount, .priceUSD], texts)
    return SwapNumbers(amountUSD: numbers[0], tokenAmount: numbers[1], priceUSD: numbers[2])
  }

  @inline(never)
  private static func transfer(_ cells: Span<TextCell>, _ line: Int, _ batch: inout EventBatch) throws(Fault) {
    var (row, names, tokenID) = try transfer(cells, line, CellTexts(batch.text), batch.timeUnit)
    if names.areLong {
      names.place(token: cells[.token], wallet: cells[.from], to: cells[.to])
      names.lowerCase(&batch.text)
      row = row.naming(names.names, tokenID: -1)
    }
    if let tokenID { row = row.naming(names.names, tokenID: batch.keep(tokenID)) }
    batch.rows.append(row)
  }

  @inline(__always)
  private static func transfer(
    _ cells: Span<TextCell>, _ line: Int, _ texts: borrowing CellTexts, _ unit: TimeUnit
  ) throws(Fault) -> (BatchRow, JudgedNames, WideID?) {
    var key = try place(cells, texts)
    let tokenID = try wideID(cells[.tokenID], texts)
    try require(cells, .block, .timestamp, .token, .from)
    try require(cells, .to)
    if tokenID == nil { try require(cells, .amount) }
    let names = try names(texts[cells[.token]], from: texts[cells[.from]], to: texts[cells[.to]])
    key.timestamp = try timestamp(cells[.timestamp], texts, unit)
    var given = plain(cells[.amount], texts)
    if given == nil { given = try numbers(cells, [.amount], texts)[0] }
    let amount = try transferAmount(given)
    return (BatchRow(.transfer, key, line: line, names: names.names, amount: amount), names, tokenID)
  }

  // MARK: fields, each in one place

  /// `malformed`: chain, block and log index, without the time; a block that is absent is for ``require(_:_:_:_:_:)`` to tell.
  @inline(__always)
  private static func place(_ cells: Span<TextCell>, _ texts: borrowing CellTexts) throws(Fault) -> OrderKey {
    let chain = try unsigned(cells[.chain], .chain, texts, max: UInt64(UInt32.max))
    let block = try unsigned(cells[.block], .block, texts, max: .max)
    let logIndex = try unsigned(cells[.logIndex], .logIndex, texts, max: UInt64(UInt32.max))
    return OrderKey(
      timestamp: Timestamp(microseconds: 0), chain: UInt32(truncatingIfNeeded: chain), block: block,
      logIndex: UInt32(truncatingIfNeeded: logIndex))
  }

  /// `missing_field`, the first of these that is absent.
  @inline(__always)
  private static func require(
    _ cells: Span<TextCell>, _ first: EventField, _ second: EventField? = nil, _ third: EventField? = nil,
    _ fourth: EventField? = nil
  ) throws(Fault) {
    if cells[first] == .absent { throw Fault(reason: .missingField, field: first) }
    if let second, cells[second] == .absent { throw Fault(reason: .missingField, field: second) }
    if let third, cells[third] == .absent { throw Fault(reason: .missingField, field: third) }
    if let fourth, cells[fourth] == .absent { throw Fault(reason: .missingField, field: fourth) }
  }

  @inline(__always)
  private static func kind(_ cell: TextCell, _ texts: borrowing CellTexts) throws(Fault) -> EventKind {
    guard cell != .absent else { return .swap }
    if cell.length <= 8 {
      let word = texts.short(cell)
      if word == ShortText("s", "w", "a", "p") { return .swap }
      if word == ShortText("t", "r", "a", "n", "s", "f", "e", "r") { return .transfer }
    }
    throw Fault(reason: .malformed, field: .kind, held: cell.fault)
  }

  @inline(__always)
  private static func side(_ cell: TextCell, _ texts: borrowing CellTexts) throws(Fault) -> Side? {
    guard cell != .absent else { return nil }
    if cell.length <= 4 {
      let word = texts.short(cell)
      if word == ShortText("b", "u", "y") { return .buy }
      if word == ShortText("s", "e", "l", "l") { return .sell }
    }
    throw Fault(reason: .malformed, field: .side, held: cell.fault)
  }

  /// An unsigned integer; 0 where it is absent.
  @inline(__always)
  private static func unsigned(
    _ cell: TextCell, _ field: EventField, _ texts: borrowing CellTexts, max: UInt64
  ) throws(Fault) -> UInt64 {
    guard cell != .absent else { return 0 }
    if cell.length > 0, cell.length <= ShortText.bytesMax {
      let text = texts.short(cell)
      guard text.leadingDigits == Int(cell.length) else {
        throw Fault(reason: .malformed, field: field, held: cell.fault)
      }
      let value = text.number(digits: Int(cell.length))
      guard value <= max else { throw Fault(reason: .malformed, field: field, held: cell.fault) }
      return value
    }
    return try unsigned(long: cell, field, texts, max: max)
  }

  @inline(never)
  private static func unsigned(
    long cell: TextCell, _ field: EventField, _ texts: borrowing CellTexts, max: UInt64
  ) throws(Fault) -> UInt64 {
    guard let id = WideID(parsing: texts[cell]), id.high == 0, id.low <= UInt128(max) else {
      throw Fault(reason: .malformed, field: field, held: cell.fault)
    }
    return UInt64(id.low)
  }

  private static func wideID(_ cell: TextCell, _ texts: borrowing CellTexts) throws(Fault) -> WideID? {
    guard cell != .absent else { return nil }
    guard let value = WideID(parsing: texts[cell]) else {
      throw Fault(reason: .malformed, field: .tokenID, held: cell.fault)
    }
    return value
  }

  @inline(__always)
  private static func timestamp(
    _ cell: TextCell, _ texts: borrowing CellTexts, _ unit: TimeUnit
  ) throws(Fault) -> Timestamp {
    if cell.length > 0, cell.length <= ShortText.bytesMax,
      let plain = Timestamp(plain: texts.short(cell), digits: Int(cell.length), unit)
    {
      return plain
    }
    guard let timestamp = Timestamp(parsing: texts[cell], unit: unit) else {
      throw Fault(reason: .badTime, field: .timestamp, held: cell.fault)
    }
    return timestamp
  }

  /// A number that needs no second look; nil where it does, or is absent.
  @inline(__always)
  private static func plain(_ cell: TextCell, _ texts: borrowing CellTexts) -> Decimal18? {
    guard cell.length > 0 else { return nil }
    return Decimal18(plain: texts.pool(of: cell), at: cell.offset, count: Int(cell.length))
  }

  /// `bad_number` of any of these before `overflow` of the first of them.
  @inline(never)
  private static func numbers(
    _ cells: Span<TextCell>, _ fields: [EventField], _ texts: borrowing CellTexts
  ) throws(Fault) -> [Decimal18?] {
    var values: [Decimal18?] = []
    var overflowed: EventField?
    for field in fields {
      guard cells[field] != .absent else {
        values.append(nil)
        continue
      }
      do {
        values.append(try Decimal18(parsing: texts[cells[field]]))
      } catch NumberFault.notANumber {
        throw Fault(reason: .badNumber, field: field, held: .cell(cells[field]))
      } catch {
        values.append(nil)
        overflowed = overflowed ?? field
      }
    }
    if let overflowed { throw Fault(reason: .overflow, field: overflowed, held: .cell(cells[overflowed])) }
    return values
  }
}

extension Span<TextCell> {
  /// The cell of a field in a row's cells.
  @inline(__always)
  fileprivate subscript(field: EventField) -> TextCell { self[Int(field.rawValue)] }
}
