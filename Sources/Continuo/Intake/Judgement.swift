// The judgement of an event on its own content: every check of rule 3.6 up to `no_price`, in its order. The three checks
// that need the engine's state (in_future, too_late, conflict) follow in Verdict.
// Invariant: the first reason that applies, in the order of RejectionReason, is the one that is reported.
// Not here: reading fields of text (Judgement+Text), typed rows (Judgement+Values), valid names (Address), rounding (Decimal18).
// Rules 3.3, 3.4.

/// Judges rows on their own content: a pure function of the row, the price mode and the time unit.
enum Judgement {
  /// Why a row is rejected, which field is at fault, and what it held.
  struct Fault: Error, BitwiseCopyable {
    var reason: RejectionReason
    var field: EventField?
    var held = Held.nothing
  }

  /// What a field at fault held; it becomes text only when the row is rejected.
  enum Held: BitwiseCopyable {
    case nothing
    case cell(TextCell)
    case number(Decimal18)
    case time(Timestamp)

    func shown(_ text: borrowing TextPool) -> ByteString {
      switch self {
      case .nothing: ""
      case .cell(let cell): Rejection.cut(text.text(cell))
      case .number(let number): ByteString(number.description)
      case .time(let time): ByteString(String(time.microseconds))
      }
    }
  }

  // MARK: names

  /// The names of a row that are valid; those that are long may have no place yet.
  struct JudgedNames: BitwiseCopyable {
    var names = RowNames()
    /// Whether the name of a swap's wallet, or of a transfer's giver, is the lower-case copy of what was given.
    var walletHasCapitals = false
    /// The same of a transfer's taker.
    var toHasCapitals = false

    /// Whether a name is long.
    @inline(__always)
    var areLong: Bool { names.token.isLong || names.wallet.isLong || names.to.isLong }

    /// Says where the bytes of the long ones are, if any is. O(1).
    @inline(__always)
    mutating func place(token: TextCell, wallet: TextCell, to: TextCell) {
      if names.token.isLong { names.token = PackedName(long: token) }
      if names.wallet.isLong { names.wallet = PackedName(long: wallet) }
      if names.to.isLong { names.to = PackedName(long: to) }
    }

    /// Makes the lower-case copies that are still to be made, once long names have their places. O(length).
    @inline(__always)
    mutating func lowerCase(_ text: inout TextPool) {
      if walletHasCapitals { names.wallet = PackedName(long: text.lowerCase(names.wallet.cell)) }
      if toHasCapitals { names.to = PackedName(long: text.lowerCase(names.to.cell)) }
    }
  }

  /// `bad_token`, `bad_address` of a swap.
  @inline(__always)
  static func names(_ token: Span<UInt8>, wallet: Span<UInt8>) throws(Fault) -> JudgedNames {
    var judged = JudgedNames()
    judged.names.token = try self.token(token)
    if wallet.count > 0 { judged.names.wallet = try address(wallet, .wallet, &judged.walletHasCapitals) }
    return judged
  }

  /// `bad_token`, `bad_address` of a transfer.
  @inline(__always)
  static func names(_ token: Span<UInt8>, from: Span<UInt8>, to: Span<UInt8>) throws(Fault) -> JudgedNames {
    var judged = JudgedNames()
    judged.names.token = try self.token(token)
    judged.names.wallet = try address(from, .from, &judged.walletHasCapitals)
    judged.names.to = try address(to, .to, &judged.toHasCapitals)
    if judged.names.wallet == .zeroAddress, judged.names.to == .zeroAddress {
      throw Fault(reason: .badAddress, field: .to)
    }
    return judged
  }

  @inline(__always)
  static func token(_ bytes: Span<UInt8>) throws(Fault) -> PackedName {
    switch Address.token(bytes) {
    case .packed(let name): return name
    case .long: return .unplaced
    case .invalid, .zero: throw Fault(reason: .badToken, field: .token)
    }
  }

  @inline(__always)
  private static func address(
    _ bytes: Span<UInt8>, _ field: EventField, _ hasCapitals: inout Bool
  ) throws(Fault) -> PackedName {
    switch Address.address(bytes) {
    case .packed(let name): return name
    case .zero: return .zeroAddress
    case .long(let capitals):
      hasCapitals = capitals
      return .unplaced
    case .invalid: throw Fault(reason: .badAddress, field: field)
    }
  }

  // MARK: numbers

  /// `non_positive_amount` of a transfer; an absent amount is 1.
  @inline(__always)
  static func transferAmount(_ amount: Decimal18?) throws(Fault) -> Decimal18 {
    let amount = amount ?? .one
    guard amount >= .zero else { throw Fault(reason: .nonPositiveAmount, field: .amount, held: .number(amount)) }
    return amount
  }

  /// `non_positive_amount` of a swap, then its price: given, derived, or the amount itself.
  @inline(__always)
  static func price(
    _ amountUSD: Decimal18, _ tokenAmount: Decimal18?, _ priceUSD: Decimal18?, _ mode: PriceMode
  ) throws(Fault) -> Decimal18 {
    try positive(amountUSD, .amountUSD)
    if let tokenAmount { try positive(tokenAmount, .tokenAmount) }
    if let priceUSD { try positive(priceUSD, .priceUSD) }
    if mode == .amountUSD { return amountUSD }
    return if let priceUSD { priceUSD } else { try derived(amountUSD, tokenAmount) }
  }

  @inline(__always)
  private static func positive(_ number: Decimal18, _ field: EventField) throws(Fault) {
    guard number.isPositive else { throw Fault(reason: .nonPositiveAmount, field: field, held: .number(number)) }
  }

  private static func derived(_ amountUSD: Decimal18, _ tokenAmount: Decimal18?) throws(Fault) -> Decimal18 {
    guard let tokenAmount else { throw Fault(reason: .noPrice, field: .priceUSD) }
    guard let price = WideArithmetic.quotient(ExactSum(amountUSD), over: ExactSum(tokenAmount)) else {
      throw Fault(reason: .overflow, field: .priceUSD)
    }
    guard price.isPositive else { throw Fault(reason: .noPrice, field: .priceUSD) }
    return price
  }
}
