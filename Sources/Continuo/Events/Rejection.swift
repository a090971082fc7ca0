// Why a row was not accepted, and the order in which reasons apply.
// Invariant: `RejectionReason.allCases` stands in the order of rule 3.6; the first that applies is the one reported.
// Not here: the checks themselves (Judgement).
// Rules 3.6.

/// Why an event was rejected, in the order in which the reasons apply.
public enum RejectionReason: UInt8, CaseIterable, Sendable, BitwiseCopyable {
  case limit
  case malformed
  case missingField
  case badToken
  case badAddress
  case badTime
  case badNumber
  case overflow
  case nonPositiveAmount
  case noPrice
  case inFuture
  case tooLate
  case conflict

  /// The reason's name on the wire.
  public var name: String {
    switch self {
    case .limit: "limit"
    case .malformed: "malformed"
    case .missingField: "missing_field"
    case .badToken: "bad_token"
    case .badAddress: "bad_address"
    case .badTime: "bad_time"
    case .badNumber: "bad_number"
    case .overflow: "overflow"
    case .nonPositiveAmount: "non_positive_amount"
    case .noPrice: "no_price"
    case .inFuture: "in_future"
    case .tooLate: "too_late"
    case .conflict: "conflict"
    }
  }
}

/// A field of an event, by its name on the wire.
public enum EventField: UInt8, CaseIterable, Sendable, BitwiseCopyable {
  case kind, chain, block, logIndex, timestamp, token, side, amountUSD, tokenAmount, priceUSD, wallet
  case from, to, amount, tokenID

  /// The field's name on the wire.
  public var name: String {
    switch self {
    case .kind: "kind"
    case .chain: "chain"
    case .block: "block"
    case .logIndex: "log_index"
    case .timestamp: "timestamp"
    case .token: "token"
    case .side: "side"
    case .amountUSD: "amount_usd"
    case .tokenAmount: "token_amount"
    case .priceUSD: "price_usd"
    case .wallet: "wallet"
    case .from: "from"
    case .to: "to"
    case .amount: "amount"
    case .tokenID: "token_id"
    }
  }
}

/// One rejected row: where it stood, which field was at fault, what it held, and why it was not accepted.
public struct Rejection: Equatable, Sendable {
  /// The physical line in its file from 1, or the row's index in a batch that was built by hand.
  public var line: Int
  /// The field at fault; nil where it is the row as a whole.
  public var field: EventField?
  /// What the field held, cut at 100 characters.
  public var value: ByteString
  public var reason: RejectionReason

  public init(line: Int, field: EventField?, value: ByteString, reason: RejectionReason) {
    self.line = line
    self.field = field
    self.value = value
    self.reason = reason
  }

  /// The first 100 characters of `bytes`, and `…` where there were more. O(1).
  package static func cut(_ bytes: Span<UInt8>) -> ByteString {
    // A character is at most four bytes of a scalar here: enough for the cut, whatever the scalars combine to.
    let room = Limits.rejectedValueCharactersMax * 4
    var kept: [UInt8] = []
    for index in 0..<min(bytes.count, room) { kept.append(bytes[index]) }
    let text = String(decoding: kept, as: UTF8.self)
    let scalars = text.unicodeScalars
    guard bytes.count > room || scalars.count > Limits.rejectedValueCharactersMax else { return ByteString(text) }
    return ByteString(String(String.UnicodeScalarView(scalars.prefix(Limits.rejectedValueCharactersMax))) + "…")
  }
}
