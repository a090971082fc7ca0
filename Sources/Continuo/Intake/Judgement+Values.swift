// Rows of typed fields: what is left to check of an event whose numbers and times are numbers already.
// Invariant: a name is copied into the batch once; a row is written once, at the end of the batch's rows.
// Not here: the checks themselves and their order (Judgement).

extension Judgement {
  /// Judges a swap. O(length of its names).
  @inline(__always)
  static func judge(
    swap row: BatchRow, _ token: Span<UInt8>, wallet: Span<UInt8>, _ amountUSD: Decimal18?, _ tokenAmount: Decimal18?,
    _ priceUSD: Decimal18?, into batch: inout EventBatch
  ) {
    var judged = row
    judged.token = batch.text.keep(token)
    judged.wallet = batch.text.keep(wallet)
    do throws(Fault) {
      guard let amountUSD else { throw Fault(reason: .missingField, field: .amountUSD) }
      let hasCapitals = try names(&judged, token, wallet: wallet)
      if hasCapitals { judged.wallet = batch.text.lowercasedHexadecimal(judged.wallet) }
      try range(judged.timestamp)
      try price(&judged, amountUSD, tokenAmount, priceUSD, batch.price)
      batch.rows.append(judged)
    } catch {
      batch.reject(error, line: row.line)
    }
  }

  /// Judges a transfer. O(length of its names).
  @inline(__always)
  static func judge(
    transfer row: BatchRow, _ token: Span<UInt8>, from: Span<UInt8>, to: Span<UInt8>, _ amount: Decimal18?,
    _ tokenID: WideID?, into batch: inout EventBatch
  ) {
    var judged = row
    judged.token = batch.text.keep(token)
    judged.wallet = batch.text.keep(from)
    judged.to = batch.text.keep(to)
    do throws(Fault) {
      guard amount != nil || tokenID != nil else { throw Fault(reason: .missingField, field: .amount) }
      let capitals = try names(&judged, token, from: from, to: to)
      if capitals.from { judged.wallet = batch.text.lowercasedHexadecimal(judged.wallet) }
      if capitals.to { judged.to = batch.text.lowercasedHexadecimal(judged.to) }
      try range(judged.timestamp)
      judged.amount = try transferAmount(amount)
      if let tokenID { judged.tokenID = batch.keep(tokenID) }
      batch.rows.append(judged)
    } catch {
      batch.reject(error, line: row.line)
    }
  }

  @inline(__always)
  private static func range(_ timestamp: Timestamp) throws(Fault) {
    guard timestamp.isInRange else { throw Fault(reason: .badTime, field: .timestamp, held: .time(timestamp)) }
  }
}
