// The judgement of an event on its own content: every check of rule 3.6 up to `no_price`, in its order. The three checks
// that need the engine's state (in_future, too_late, conflict) follow in Verdict.
// Invariant: the first reason that applies, in the order of RejectionReason, is the one that is reported.
// Not here: splitting lines (ContinuoFormats), what valid names are (Address), rounding (Decimal18).
// Rules 3.3, 3.4.

/// Judges rows on their own content: a pure function of the row, the price mode and the time unit.
enum Judgement {
  /// Why a row is rejected, which field is at fault, and what it held.
  struct Fault: Error {
    var reason: RejectionReason
    var field: EventField?
    var value: ByteString
  }

  // MARK: rows of text

  /// Judges all rows; the batch holds their text already. O(bytes).
  static func judge(_ rows: OfferedRows, into batch: inout EventBatch) {
    batch.rows.reserveCapacity(rows.count)
    var nextFault = 0
    for row in 0..<rows.count {
      let line = rows.lines[row]
      if nextFault < rows.faults.count, rows.faults[nextFault].row == row {
        let fault = rows.faults[nextFault]
        nextFault += 1
        batch.reject(fault.reason, fault.field, Rejection.cut(batch.text.text(fault.cell)), line: line)
        continue
      }
      do throws(Fault) {
        let judged = try judge(rows, row, &batch)
        batch.rows.append(judged)
      } catch {
        if error.reason == .overflow, isTransfer(rows, row, batch.text) {
          markIncomplete(rows.cell(row: row, .token), line: line, &batch)
        }
        var value = error.value
        if error.reason == .nonPositiveAmount, let field = error.field {
          // As it was given: a number that rounds to 0 is reported with its digits.
          value = Rejection.cut(batch.text.text(rows.cell(row: row, field)))
        }
        batch.reject(error.reason, error.field, value, line: line)
      }
    }
    batch.offered += rows.count
  }

  private static func judge(_ rows: OfferedRows, _ row: Int, _ batch: inout EventBatch) throws(Fault) -> BatchRow {
    func text(_ field: EventField) -> TextCell { rows.cell(row: row, field) }
    let isTransfer = try kind(text(.kind), batch.text) == .transfer
    // malformed
    let chain = try unsigned(text(.chain), .chain, batch.text, max: UInt64(UInt32.max)) ?? 0
    let block = try unsigned(text(.block), .block, batch.text, max: .max)
    let logIndex = try unsigned(text(.logIndex), .logIndex, batch.text, max: UInt64(UInt32.max)) ?? 0
    var judged = BatchRow(
      operation: isTransfer ? .transfer : .swap, chain: UInt32(chain), block: block ?? 0, logIndex: UInt32(logIndex),
      line: rows.lines[row])
    var tokenID: WideID?
    if isTransfer {
      tokenID = try wideID(text(.tokenID), batch.text)
    } else {
      judged.side = try side(text(.side), batch.text)
    }
    // missing_field
    var required: [EventField] { isTransfer ? [.timestamp, .token, .from, .to] : [.timestamp, .token, .amountUSD] }
    if block == nil { throw Fault(reason: .missingField, field: .block, value: "") }
    for field in required where text(field) == .absent {
      throw Fault(reason: .missingField, field: field, value: "")
    }
    if isTransfer, text(.amount) == .absent, tokenID == nil {
      throw Fault(reason: .missingField, field: .amount, value: "")
    }
    // bad_token, bad_address
    judged.token = text(.token)
    judged.wallet = text(isTransfer ? .from : .wallet)
    judged.to = isTransfer ? text(.to) : .absent
    try names(&judged, isTransfer, &batch.text)
    // bad_time
    guard let timestamp = Timestamp(parsing: batch.text.text(text(.timestamp)), unit: batch.timeUnit) else {
      throw fault(.badTime, .timestamp, text(.timestamp), batch.text)
    }
    judged.timestamp = timestamp
    // bad_number, overflow, non_positive_amount, no_price
    if isTransfer {
      let amount = try Numbers(rows, row, [.amount], batch.text).values[0]
      judged.amount = try transferAmount(amount)
      if let tokenID {
        judged.tokenID = Int32(batch.tokenIDs.count)
        batch.tokenIDs.append(tokenID)
      }
    } else {
      let values = try Numbers(rows, row, [.amountUSD, .tokenAmount, .priceUSD], batch.text).values
      try price(&judged, values[0], values[1], values[2], batch.price)
    }
    return judged
  }

  private static func isTransfer(_ rows: OfferedRows, _ row: Int, _ text: TextPool) -> Bool {
    (try? kind(rows.cell(row: row, .kind), text)) == .transfer
  }

  // MARK: rows of values

  /// Judges a swap. O(length of its names).
  static func judge(_ swap: Swap, into batch: inout EventBatch) {
    var row = BatchRow(
      operation: .swap, chain: swap.chain, block: swap.block, logIndex: swap.logIndex, line: batch.offered)
    row.timestamp = swap.timestamp
    row.side = swap.side
    row.token = batch.text.keep(swap.token.bytes)
    if let wallet = swap.wallet { row.wallet = batch.text.keep(wallet.bytes) }
    judge(swap: row, swap.amountUSD, swap.tokenAmount, swap.priceUSD, into: &batch)
  }

  /// Judges a swap whose names are kept already. O(length of its names).
  static func judge(
    swap row: BatchRow, _ amountUSD: Decimal18?, _ tokenAmount: Decimal18?, _ priceUSD: Decimal18?,
    into batch: inout EventBatch
  ) {
    var judged = row
    batch.offered += 1
    do throws(Fault) {
      guard amountUSD != nil else { throw Fault(reason: .missingField, field: .amountUSD, value: "") }
      try names(&judged, false, &batch.text)
      try range(judged.timestamp)
      try price(&judged, amountUSD, tokenAmount, priceUSD, batch.price)
      batch.rows.append(judged)
    } catch {
      batch.reject(error.reason, error.field, error.value, line: judged.line)
    }
  }

  /// Judges a transfer. O(length of its names).
  static func judge(_ transfer: Transfer, into batch: inout EventBatch) {
    var judged = BatchRow(
      operation: .transfer, chain: transfer.chain, block: transfer.block, logIndex: transfer.logIndex,
      line: batch.offered)
    judged.timestamp = transfer.timestamp
    judged.token = batch.text.keep(transfer.token.bytes)
    judged.wallet = batch.text.keep(transfer.from.bytes)
    judged.to = batch.text.keep(transfer.to.bytes)
    batch.offered += 1
    do throws(Fault) {
      guard transfer.amount != nil || transfer.tokenID != nil else {
        throw Fault(reason: .missingField, field: .amount, value: "")
      }
      try names(&judged, true, &batch.text)
      try range(transfer.timestamp)
      judged.amount = try transferAmount(transfer.amount)
      if let tokenID = transfer.tokenID {
        judged.tokenID = Int32(batch.tokenIDs.count)
        batch.tokenIDs.append(tokenID)
      }
      batch.rows.append(judged)
    } catch {
      batch.reject(error.reason, error.field, error.value, line: judged.line)
    }
  }

  private static func range(_ timestamp: Timestamp) throws(Fault) {
    guard timestamp.isInRange else {
      throw Fault(reason: .badTime, field: .timestamp, value: ByteString(String(timestamp.microseconds)))
    }
  }

  // MARK: the checks, each in one place

  private static func fault(_ reason: RejectionReason, _ field: EventField, _ cell: TextCell, _ text: TextPool) -> Fault
  {
    Fault(reason: reason, field: field, value: Rejection.cut(text.text(cell)))
  }

  private static func kind(_ cell: TextCell, _ text: TextPool) throws(Fault) -> EventKind {
    guard cell != .absent else { return .swap }
    let bytes = text.text(cell)
    if bytes.holds("swap") { return .swap }
    if bytes.holds("transfer") { return .transfer }
    throw fault(.malformed, .kind, cell, text)
  }

  private static func side(_ cell: TextCell, _ text: TextPool) throws(Fault) -> Side? {
    guard cell != .absent else { return nil }
    let bytes = text.text(cell)
    if bytes.holds("buy") { return .buy }
    if bytes.holds("sell") { return .sell }
    throw fault(.malformed, .side, cell, text)
  }

  private static func unsigned(_ cell: TextCell, _ field: EventField, _ text: TextPool, max: UInt64) throws(Fault)
    -> UInt64?
  {
    guard cell != .absent else { return nil }
    let bytes = text.text(cell)
    guard bytes.count > 0 else { throw fault(.malformed, field, cell, text) }
    var value: UInt64 = 0
    for index in 0..<bytes.count {
      let digit = bytes[index] &- UInt8(ascii: "0")
      let (tenfold, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = tenfold.addingReportingOverflow(UInt64(digit))
      guard digit < 10, !overflow, !carry, sum <= max else { throw fault(.malformed, field, cell, text) }
      value = sum
    }
    return value
  }

  private static func wideID(_ cell: TextCell, _ text: TextPool) throws(Fault) -> WideID? {
    guard cell != .absent else { return nil }
    guard let value = WideID(parsing: text.text(cell)) else { throw fault(.malformed, .tokenID, cell, text) }
    return value
  }

  /// `bad_token`, `bad_address`; folds what is hexadecimal and gives the zero address its one name.
  private static func names(_ row: inout BatchRow, _ isTransfer: Bool, _ text: inout TextPool) throws(Fault) {
    guard Address.isToken(text.text(row.token)) else { throw fault(.badToken, .token, row.token, text) }
    if row.wallet.length == 0, !isTransfer { row.wallet = .absent }
    if row.wallet != .absent {
      let field: EventField = isTransfer ? .from : .wallet
      guard Address.isAddress(text.text(row.wallet)) else { throw fault(.badAddress, field, row.wallet, text) }
    }
    guard isTransfer else { return fold(&row.wallet, &text) }
    guard Address.isAddress(text.text(row.to)) else { throw fault(.badAddress, .to, row.to, text) }
    let asGiven = row.to
    fold(&row.wallet, &text)
    fold(&row.to, &text)
    if row.wallet == .zeroAddress, row.to == .zeroAddress { throw fault(.badAddress, .to, asGiven, text) }
  }

  private static func fold(_ cell: inout TextCell, _ text: inout TextPool) {
    guard cell != .absent else { return }
    if Address.isZero(text.text(cell)) {
      cell = .zeroAddress
    } else if Address.isHexadecimal(text.text(cell)) {
      cell = text.lowercasedHexadecimal(cell)
    }
  }

  /// The numbers of a row: all are read before the first fault is told, since `bad_number` goes before `overflow`.
  private struct Numbers {
    var values: [3 of Decimal18?] = .init(repeating: nil)

    init(_ rows: OfferedRows, _ row: Int, _ fields: [EventField], _ text: TextPool) throws(Fault) {
      var overflowed: EventField?
      for (index, field) in fields.enumerated() {
        let cell = rows.cell(row: row, field)
        guard cell != .absent else { continue }
        do {
          values[index] = try Decimal18(parsing: text.text(cell))
        } catch NumberFault.notANumber {
          throw fault(.badNumber, field, cell, text)
        } catch {
          overflowed = overflowed ?? field
        }
      }
      if let overflowed { throw fault(.overflow, overflowed, rows.cell(row: row, overflowed), text) }
    }
  }

  private static func transferAmount(_ amount: Decimal18?) throws(Fault) -> Decimal18 {
    let amount = amount ?? .one
    guard amount >= .zero else {
      throw Fault(reason: .nonPositiveAmount, field: .amount, value: ByteString(amount.description))
    }
    return amount
  }

  /// `non_positive_amount`, then the price: given, derived, or the amount itself.
  private static func price(
    _ row: inout BatchRow, _ amountUSD: Decimal18?, _ tokenAmount: Decimal18?, _ priceUSD: Decimal18?, _ mode: PriceMode
  ) throws(Fault) {
    for (field, value) in [(.amountUSD, amountUSD), (.tokenAmount, tokenAmount), (.priceUSD, priceUSD)]
      as [(EventField, Decimal18?)]
    {
      if let value, !value.isPositive {
        throw Fault(reason: .nonPositiveAmount, field: field, value: ByteString(value.description))
      }
    }
    row.amount = amountUSD ?? .zero
    row.tokenAmount = tokenAmount ?? .zero
    if mode == .amountUSD {
      row.price = row.amount
    } else if let priceUSD {
      row.price = priceUSD
    } else if let tokenAmount {
      guard let derived = WideArithmetic.quotient(ExactSum(row.amount), over: ExactSum(tokenAmount)) else {
        throw Fault(reason: .overflow, field: .priceUSD, value: "")
      }
      guard derived.isPositive else { throw Fault(reason: .noPrice, field: .priceUSD, value: "") }
      row.price = derived
    } else {
      throw Fault(reason: .noPrice, field: .priceUSD, value: "")
    }
  }

  private static func markIncomplete(_ token: TextCell, line: Int, _ batch: inout EventBatch) {
    var mark = BatchRow(operation: .markIncomplete, chain: 0, block: 0, logIndex: 0, line: line)
    mark.token = token
    batch.rows.append(mark)
  }
}

extension Span<UInt8> {
  /// Whether the bytes are those of `text`. O(length).
  package func holds(_ text: StaticString) -> Bool {
    guard count == text.utf8CodeUnitCount else { return false }
    var index = 0
    for unit in String(describing: text).utf8 {
      guard self[index] == unit else { return false }
      index += 1
    }
    return true
  }
}
