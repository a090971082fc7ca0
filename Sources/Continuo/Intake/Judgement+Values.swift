// Rows of typed fields: what is left to check of an event whose numbers and times are numbers already.
// Invariant: the bytes of a long name are copied into the batch once; a row is written once, at the end of the batch's rows.
// Not here: the checks themselves and their order (Judgement).

extension Judgement {
  /// Judges a swap. O(length of its names).
  @inline(__always)
  static func judge(
    swap row: BatchRow, _ token: Span<UInt8>, wallet: Span<UInt8>, _ amountUSD: Decimal18?, _ tokenAmount: Decimal18?,
    _ priceUSD: Decimal18?, into batch: inout EventBatch
  ) {
    var judged = row
    do throws(Fault) {
      guard let amountUSD else { throw Fault(reason: .missingField, field: .amountUSD) }
      let capitals = try names(&judged, token, wallet: wallet)
      judged.token.place(batch.text.keep(token))
      judged.wallet.place(batch.text.keep(wallet))
      if capitals.wallet { batch.text.lowerCase(&judged.wallet) }
      try range(judged.timestamp)
      try price(&judged, amountUSD, tokenAmount, priceUSD, batch.price)
      batch.rows.append(judged)
    } catch {
      reject(error, row.line, token, wallet, wallet, &batch)
    }
  }

  /// Judges a transfer. O(length of its names).
  @inline(__always)
  static func judge(
    transfer row: BatchRow, _ token: Span<UInt8>, from: Span<UInt8>, to: Span<UInt8>, _ amount: Decimal18?,
    _ tokenID: WideID?, into batch: inout EventBatch
  ) {
    var judged = row
    do throws(Fault) {
      guard amount != nil || tokenID != nil else { throw Fault(reason: .missingField, field: .amount) }
      let capitals = try names(&judged, token, from: from, to: to)
      judged.token.place(batch.text.keep(token))
      judged.wallet.place(batch.text.keep(from))
      judged.to.place(batch.text.keep(to))
      if capitals.wallet { batch.text.lowerCase(&judged.wallet) }
      if capitals.to { batch.text.lowerCase(&judged.to) }
      try range(judged.timestamp)
      judged.amount = try transferAmount(amount)
      if let tokenID { judged.tokenID = batch.keep(tokenID) }
      batch.rows.append(judged)
    } catch {
      reject(error, row.line, token, from, to, &batch)
    }
  }

  /// Rejects a row, with the name at fault if it is one.
  @inline(never)
  private static func reject(
    _ fault: Fault, _ line: Int, _ token: Span<UInt8>, _ wallet: Span<UInt8>, _ to: Span<UInt8>,
    _ batch: inout EventBatch
  ) {
    var fault = fault
    if fault.reason.isOfName {
      let name = fault.field == .token ? token : fault.field == .to ? to : wallet
      fault.held = .cell(batch.text.keep(name))
    }
    batch.reject(fault, line: line)
  }

  @inline(__always)
  private static func range(_ timestamp: Timestamp) throws(Fault) {
    guard timestamp.isInRange else { throw Fault(reason: .badTime, field: .timestamp, held: .time(timestamp)) }
  }
}
