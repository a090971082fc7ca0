// Why a row was not accepted, and the order in which reasons apply.
// Invariant: `RejectionReason.allCases` stands in the order of rule 3.6; the first that applies is the one reported.
// Not here: the checks themselves (Judgement).
// Rules 3.6.

/// Why an event was rejected, in the order in which the reasons apply.
public enum RejectionReason: UInt8, CaseIterable, Sendable, BitwiseCopyable {
  /// The line is longer than ``Limits/lineBytesMax``.
  case limit
  /// The row cannot be split into fields, or a field that is no decimal, time or name cannot be read.
  case malformed
  /// A field that its kind needs is absent.
  case missingField
  /// The token is not 1 to 64 bytes of UTF-8 without control characters.
  case badToken
  /// A wallet or address is not up to 128 such bytes; or a transfer goes from zero to zero.
  case badAddress
  /// The timestamp is none, or outside the years 0001 to 9999.
  case badTime
  /// A number is outside the grammar of decimals.
  case badNumber
  /// A number, or the price derived from two, does not fit ``Decimal18``.
  case overflow
  /// An amount of a swap is not over zero, or that of a transfer is below it.
  case nonPositiveAmount
  /// There is nothing to derive a price from, or it rounds to zero.
  case noPrice
  /// The event lies further past the wall clock than is allowed.
  case inFuture
  /// The event lies below the horizon.
  case tooLate
  /// Another event with the same identity and other content stands.
  case conflict

  /// Whether a name is at fault.
  var isOfName: Bool { self == .badToken || self == .badAddress }

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
  /// `swap` or `transfer`.
  case kind
  /// The chain, 32 bits.
  case chain
  /// The block, 64 bits.
  case block
  /// The place within the block, 32 bits.
  case logIndex
  /// When it happened.
  case timestamp
  /// The token's name.
  case token
  /// `buy` or `sell`; of a swap.
  case side
  /// The money that changed hands; of a swap.
  case amountUSD
  /// How much of the token changed hands; of a swap.
  case tokenAmount
  /// The price of one whole token; of a swap.
  case priceUSD
  /// Who traded; of a swap.
  case wallet
  /// The giver; of a transfer.
  case from
  /// The taker; of a transfer.
  case to
  /// How much was given; of a transfer.
  case amount
  /// The identifier of a non-fungible token, 256 bits; of a transfer.
  case tokenID

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
  /// Why it was not accepted.
  public var reason: RejectionReason

  /// Puts a rejection together. O(1).
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
