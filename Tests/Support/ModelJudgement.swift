// The model's judgement of an event on its own content (rules 3.3–3.6), from the plain typed values.
// Invariant: the first reason in the order of rule 3.6 is the one thrown.
// Not here: in_future, too_late, duplicate, conflict (ContinuoModel).

package import Continuo

/// A swap that passed the judgement: what is stored of it.
package struct StoredSwap: Equatable, Sendable {
  package var timestamp: Timestamp
  package var token: ByteString
  package var side: Side?
  package var amount: Decimal18
  package var tokenAmount: Decimal18?
  package var price: Decimal18
  package var wallet: ByteString?
}

/// A transfer that passed the judgement: what is stored of it. The zero address is nil.
package struct StoredTransfer: Equatable, Sendable {
  package var timestamp: Timestamp
  package var token: ByteString
  package var from: ByteString?
  package var to: ByteString?
  package var amount: Decimal18
  package var tokenID: WideID?
}

/// What is stored of an event.
package enum StoredContent: Equatable, Sendable {
  case swap(StoredSwap)
  case transfer(StoredTransfer)

  package var timestamp: Timestamp {
    switch self {
    case .swap(let swap): swap.timestamp
    case .transfer(let transfer): transfer.timestamp
    }
  }

  package var token: ByteString {
    switch self {
    case .swap(let swap): swap.token
    case .transfer(let transfer): transfer.token
    }
  }
}

/// Why the model rejects an event.
package struct ModelFault: Error, Equatable {
  package var reason: RejectionReason
}

/// Judges single events.
package enum ModelJudgement {
  package static func judge(_ swap: Swap, _ mode: PriceMode) throws(ModelFault) -> StoredSwap {
    guard let amount = swap.amountUSD else { throw ModelFault(reason: .missingField) }
    guard isName(swap.token, 1...64) else { throw ModelFault(reason: .badToken) }
    let wallet = swap.wallet.flatMap { $0.bytes.isEmpty ? nil : $0 }
    if let wallet, !isName(wallet, 0...128) { throw ModelFault(reason: .badAddress) }
    guard isTime(swap.timestamp) else { throw ModelFault(reason: .badTime) }
    // A price is derived of positive numbers only, so what is not positive is told before it overflows.
    for value in [amount, swap.tokenAmount, swap.priceUSD] {
      if let value, value.units <= 0 { throw ModelFault(reason: .nonPositiveAmount) }
    }
    return StoredSwap(
      timestamp: swap.timestamp, token: swap.token, side: swap.side, amount: amount, tokenAmount: swap.tokenAmount,
      price: try price(amount, swap.tokenAmount, swap.priceUSD, mode),
      wallet: wallet.map { folded($0) ?? "0x" })
  }

  package static func judge(_ transfer: Transfer) throws(ModelFault) -> StoredTransfer {
    guard transfer.amount != nil || transfer.tokenID != nil else { throw ModelFault(reason: .missingField) }
    guard isName(transfer.token, 1...64) else { throw ModelFault(reason: .badToken) }
    guard isName(transfer.from, 0...128), isName(transfer.to, 0...128) else { throw ModelFault(reason: .badAddress) }
    let (from, to) = (folded(transfer.from), folded(transfer.to))
    if from == nil, to == nil { throw ModelFault(reason: .badAddress) }
    guard isTime(transfer.timestamp) else { throw ModelFault(reason: .badTime) }
    let amount = transfer.amount ?? Decimal18(units: 1_000_000_000_000_000_000)
    guard amount.units >= 0 else { throw ModelFault(reason: .nonPositiveAmount) }
    return StoredTransfer(
      timestamp: transfer.timestamp, token: transfer.token, from: from, to: to, amount: amount,
      tokenID: transfer.tokenID)
  }

  private static func price(
    _ amount: Decimal18, _ tokenAmount: Decimal18?, _ priceUSD: Decimal18?, _ mode: PriceMode
  ) throws(ModelFault) -> Decimal18 {
    if mode == .amountUSD { return amount }
    if let priceUSD { return priceUSD }
    guard let tokenAmount else { throw ModelFault(reason: .noPrice) }
    guard let derived = ModelNumber.quotient(BigInteger(amount.units), over: BigInteger(tokenAmount.units)) else {
      throw ModelFault(reason: .overflow)
    }
    guard derived.units > 0 else { throw ModelFault(reason: .noPrice) }
    return derived
  }

  /// Years 0001 to 9999.
  private static func isTime(_ instant: Timestamp) -> Bool {
    let day: Int64 = 86_400_000_000
    let first = ModelCalendar.days(year: 1, month: 1, day: 1) * day
    let end = (ModelCalendar.days(year: 9999, month: 12, day: 31) + 1) * day
    return first <= instant.microseconds && instant.microseconds < end
  }

  /// Valid UTF-8 of an allowed length, without a control character.
  private static func isName(_ name: ByteString, _ lengths: ClosedRange<Int>) -> Bool {
    guard lengths.contains(name.bytes.count), let text = String(validating: name.bytes, as: UTF8.self) else {
      return false
    }
    return text.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
  }

  /// The spelling that is stored, nil for the zero address (rule 3.5).
  package static func folded(_ name: ByteString) -> ByteString? {
    let digits = Array("0123456789abcdefABCDEF".utf8)
    let bytes = name.bytes
    guard !bytes.isEmpty else { return nil }
    let isPrefixed = bytes.starts(with: Array("0x".utf8)) || bytes.starts(with: Array("0X".utf8))
    guard isPrefixed, bytes.dropFirst(2).allSatisfy({ digits.contains($0) }) else { return name }
    let lower = String(decoding: bytes, as: UTF8.self).lowercased()
    return lower.dropFirst(2).allSatisfy { $0 == "0" } ? nil : ByteString(lower)
  }
}
