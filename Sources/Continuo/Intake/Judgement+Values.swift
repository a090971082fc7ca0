// Rows of typed fields: what is left to check of an event whose numbers and times are numbers already.
// Invariant: the bytes of a long name are copied into the batch once; a row is written once, at the end of the batch's rows.
// Not here: the checks themselves and their order (Judgement).

extension Judgement {
  /// Judges a swap. O(length of its names).
  @inline(__always)
  static func judge(
    swap key: OrderKey, _ token: Span<UInt8>, _ side: Side?, wallet: Span<UInt8>, _ amountUSD: Decimal18?,
    _ tokenAmount: Decimal18?, _ priceUSD: Decimal18?, into batch: inout EventBatch
  ) {
    let line = batch.offered
    batch.offered += 1
    do throws(Fault) {
      guard let amountUSD else { throw Fault(reason: .missingField, field: .amountUSD) }
      var names = try names(token, wallet: wallet)
      try range(key.timestamp)
      let price = try price(amountUSD, tokenAmount, priceUSD, batch.price)
      if names.areLong { batch.keepLong(&names, token, wallet, wallet) }
      batch.rows.append(
        BatchRow(
          .swap, key, line: line, names: names.names, side: side, amount: amountUSD, tokenAmount: tokenAmount ?? .zero,
          price: price))
    } catch {
      reject(error, line, token, wallet, wallet, &batch)
    }
  }

  /// Judges a transfer. O(length of its names).
  @inline(__always)
  static func judge(
    transfer key: OrderKey, _ token: Span<UInt8>, from: Span<UInt8>, to: Span<UInt8>, _ amount: Decimal18?,
    _ tokenID: WideID?, into batch: inout EventBatch
  ) {
    let line = batch.offered
    batch.offered += 1
    do throws(Fault) {
      guard amount != nil || tokenID != nil else { throw Fault(reason: .missingField, field: .amount) }
      var names = try names(token, from: from, to: to)
      try range(key.timestamp)
      let amount = try transferAmount(amount)
      if names.areLong { batch.keepLong(&names, token, from, to) }
      batch.rows.append(
        BatchRow(
          .transfer, key, line: line, names: names.names, amount: amount,
          tokenID: tokenID.map { batch.keep($0) } ?? -1))
    } catch {
      reject(error, line, token, from, to, &batch)
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

extension EventBatch {
  /// Keeps the bytes of a row's names, one of which is long. O(length).
  @inline(never)
  fileprivate mutating func keepLong(
    _ names: inout Judgement.JudgedNames, _ token: Span<UInt8>, _ wallet: Span<UInt8>, _ to: Span<UInt8>
  ) {
    names.place(token: text.keep(token), wallet: text.keep(wallet), to: text.keep(to))
    names.lowerCase(&text)
  }
}
