// An event as a caller of the library writes it: a swap or a transfer, with typed fields.
// Invariant: none; a value here is not judged yet.
// Not here: judging (Judgement), rows of text (OfferedRows), the batch (EventBatch).
// Rules 3.3 and 3.4 are kept by Judgement.

/// Which way a swap went, as seen by the trader.
public enum Side: UInt8, Sendable, BitwiseCopyable {
  /// The trader bought the token.
  case buy = 1
  /// The trader sold the token.
  case sell = 2

  /// The side's name on the wire.
  public var name: String { self == .buy ? "buy" : "sell" }
}

/// A swap of a token against money, not judged yet.
public struct Swap: Equatable, Sendable {
  /// The chain it happened on; 0 for a source without chains.
  public var chain: UInt32
  /// The block it is in; for a source without blocks its own ever-growing row or trade id.
  public var block: UInt64
  /// Where it stands in its block; 0 for a source without such.
  public var logIndex: UInt32
  /// When it happened.
  public var timestamp: Timestamp
  /// The token, 1 to 64 bytes.
  public var token: ByteString
  /// Which way it went; nil where the source does not say.
  public var side: Side?
  /// The money that changed hands, over zero.
  public var amountUSD: Decimal18?
  /// How much of the token changed hands, over zero where given.
  public var tokenAmount: Decimal18?
  /// The price of one whole token; `amountUSD` ÷ `tokenAmount` where absent.
  public var priceUSD: Decimal18?
  /// Who traded, up to 128 bytes; nil or empty where the source does not say.
  public var wallet: ByteString?

  /// Puts the fields together; what they hold is judged when they are appended to a batch. O(1).
  public init(
    chain: UInt32 = 0, block: UInt64, logIndex: UInt32 = 0, timestamp: Timestamp, token: ByteString,
    side: Side? = nil, amountUSD: Decimal18?, tokenAmount: Decimal18? = nil, priceUSD: Decimal18? = nil,
    wallet: ByteString? = nil
  ) {
    self.chain = chain
    self.block = block
    self.logIndex = logIndex
    self.timestamp = timestamp
    self.token = token
    self.side = side
    self.amountUSD = amountUSD
    self.tokenAmount = tokenAmount
    self.priceUSD = priceUSD
    self.wallet = wallet
  }
}

/// A transfer of a token between two addresses, not judged yet.
public struct Transfer: Equatable, Sendable {
  /// The chain it happened on; 0 for a source without chains.
  public var chain: UInt32
  /// The block it is in; for a source without blocks its own ever-growing row or trade id.
  public var block: UInt64
  /// Where it stands in its block; 0 for a source without such.
  public var logIndex: UInt32
  /// When it happened.
  public var timestamp: Timestamp
  /// The token, 1 to 64 bytes.
  public var token: ByteString
  /// The giver; the zero address (or an empty one) mints.
  public var from: ByteString
  /// The taker; the zero address (or an empty one) burns.
  public var to: ByteString
  /// How much was given, zero or more; 1 where absent and `tokenID` is given.
  public var amount: Decimal18?
  /// The 256-bit identifier of a non-fungible token.
  public var tokenID: WideID?

  /// Puts the fields together; what they hold is judged when they are appended to a batch. O(1).
  public init(
    chain: UInt32 = 0, block: UInt64, logIndex: UInt32 = 0, timestamp: Timestamp, token: ByteString,
    from: ByteString, to: ByteString, amount: Decimal18?, tokenID: WideID? = nil
  ) {
    self.chain = chain
    self.block = block
    self.logIndex = logIndex
    self.timestamp = timestamp
    self.token = token
    self.from = from
    self.to = to
    self.amount = amount
    self.tokenID = tokenID
  }
}

/// An unsigned integer of 256 bits: the identifier of a non-fungible token.
public struct WideID: Hashable, Sendable, BitwiseCopyable {
  /// The upper 128 bits.
  public var high: UInt128
  /// The lower 128 bits.
  public var low: UInt128

  /// Puts an identifier together from its halves. O(1).
  public init(high: UInt128, low: UInt128) {
    self.high = high
    self.low = low
  }

  /// Reads an unsigned decimal integer, or is nil where the text is none or passes 256 bits. O(length).
  public init?(parsing text: Span<UInt8>) {
    guard text.count > 0 else { return nil }
    var (high, low): (UInt128, UInt128) = (0, 0)
    for index in 0..<text.count {
      let digit = text[index] &- UInt8(ascii: "0")
      guard digit < 10 else { return nil }
      let product = low.multipliedFullWidth(by: 10)
      let (sum, carry) = product.low.addingReportingOverflow(UInt128(digit))
      let (tenfold, overflow) = high.multipliedReportingOverflow(by: 10)
      let (joined, carried) = tenfold.addingReportingOverflow(product.high + (carry ? 1 : 0))
      guard !overflow, !carried else { return nil }
      (high, low) = (joined, sum)
    }
    self.init(high: high, low: low)
  }
}

extension WideID: CustomStringConvertible {
  /// The integer in base ten.
  public var description: String {
    var digits: [UInt8] = []
    var (high, low) = (high, low)
    repeat {
      let (quotient, carry) = high.quotientAndRemainder(dividingBy: 10)
      let (next, digit) = UInt128(10).dividingFullWidth((carry, low))
      digits.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: digit))
      (high, low) = (quotient, next)
    } while high != 0 || low != 0
    return String(decoding: digits.reversed(), as: UTF8.self)
  }
}
