// What an engine takes in one step: events that are well-formed, retractions, and the rows that were rejected on their
// own content, in the order given.
// Invariant: every event in it passes all checks that need no engine; names are checked and folded.
// Not here: the checks (Judgement), what depends on the engine's state (Engine).

/// How a swap's price is found.
public enum PriceMode: String, CaseIterable, Sendable {
  /// `price_usd` if given, else `amount_usd` ÷ `token_amount`.
  case quoted = "quoted"
  /// `amount_usd` itself.
  case amountUSD = "amount-usd"
}

/// A batch of events and retractions, judged on their own content, for ``Engine/apply(_:wallClock:)``.
///
///     var batch = EventBatch()
///     batch.append(Swap(block: 1, timestamp: noon, token: "ART", amountUSD: Decimal18("12.5"), tokenAmount: .one))
///     let receipt = try engine.apply(batch, wallClock: nil)
public struct EventBatch: Sendable {
  /// How prices are found.
  public let price: PriceMode
  /// What an integer in a `timestamp` counts.
  public let timeUnit: TimeUnit
  package var text = TextPool()
  package var rows: [BatchRow] = []
  package var tokenIDs: [WideID] = []
  /// The rows that were rejected on their own content, in order.
  public package(set) var rejections: [Rejection] = []
  /// How many rows were offered, rejected ones counted.
  public package(set) var offered = 0

  /// Makes an empty batch. O(1).
  ///
  /// - Parameters:
  ///   - price: how the prices of its swaps are found.
  ///   - timeUnit: what an integer in a `timestamp` of its rows of text counts.
  public init(price: PriceMode = .quoted, timeUnit: TimeUnit = .microseconds) {
    self.price = price
    self.timeUnit = timeUnit
  }

  /// Adds a swap, or a rejection if it is not one. O(length of its names).
  public mutating func append(_ swap: Swap) {
    let wallet = swap.wallet?.bytes ?? []
    appendSwap(
      chain: swap.chain, block: swap.block, logIndex: swap.logIndex, timestamp: swap.timestamp,
      token: swap.token.bytes.span, side: swap.side, amountUSD: swap.amountUSD, tokenAmount: swap.tokenAmount,
      priceUSD: swap.priceUSD, wallet: wallet.span)
  }

  /// Adds a swap whose names are bytes that the caller keeps: the same as ``append(_:)-(Swap)`` without a value in between.
  /// A wallet is nil or empty where the source does not say who traded. O(length of its names).
  public mutating func appendSwap(
    chain: UInt32, block: UInt64, logIndex: UInt32, timestamp: Timestamp, token: Span<UInt8>, side: Side?,
    amountUSD: Decimal18?, tokenAmount: Decimal18?, priceUSD: Decimal18?, wallet: Span<UInt8>?
  ) {
    let key = OrderKey(timestamp: timestamp, chain: chain, block: block, logIndex: logIndex)
    let trader = if let wallet { wallet } else { token.extracting(0..<0) }
    Judgement.judge(swap: key, token, side, wallet: trader, amountUSD, tokenAmount, priceUSD, into: &self)
  }

  /// Adds a transfer, or a rejection if it is not one. O(length of its names).
  public mutating func append(_ transfer: Transfer) {
    appendTransfer(
      chain: transfer.chain, block: transfer.block, logIndex: transfer.logIndex, timestamp: transfer.timestamp,
      token: transfer.token.bytes.span, from: transfer.from.bytes.span, to: transfer.to.bytes.span,
      amount: transfer.amount, tokenID: transfer.tokenID)
  }

  /// Adds a transfer whose names are bytes that the caller keeps: the same as ``append(_:)-(Transfer)`` without a value in
  /// between. O(length of its names).
  public mutating func appendTransfer(
    chain: UInt32, block: UInt64, logIndex: UInt32, timestamp: Timestamp, token: Span<UInt8>, from: Span<UInt8>,
    to: Span<UInt8>, amount: Decimal18?, tokenID: WideID?
  ) {
    let key = OrderKey(timestamp: timestamp, chain: chain, block: block, logIndex: logIndex)
    Judgement.judge(transfer: key, token, from: from, to: to, amount, tokenID, into: &self)
  }

  /// Adds the retraction of an event. O(1).
  public mutating func retract(_ identity: EventIdentity) {
    let key = OrderKey(
      timestamp: Timestamp(microseconds: 0), chain: identity.chain, block: identity.block, logIndex: identity.logIndex)
    rows.append(BatchRow(.retract(identity.kind), key, line: offered))
    offered += 1
  }

  /// Judges rows of text into this batch; their texts move here and the rows are empty then. O(bytes).
  ///
  /// - Precondition: the batch is empty.
  public mutating func judge(_ offeredRows: inout OfferedRows) {
    precondition(rows.isEmpty && offered == 0, "a batch takes rows of text once")
    swap(&text, &offeredRows.text)
    Judgement.judge(offeredRows, into: &self)
    offeredRows.removeAll()
  }

  /// The chains that its rows are of. O(rows).
  package var chains: Set<UInt32> { rows.reduce(into: []) { $0.insert($1.key.chain) } }

  /// Judges one row of texts behind the rows that there are; a field that is not named is absent. O(length).
  package mutating func append(texts: [(field: EventField, bytes: [UInt8])]) {
    var one = OfferedRows()
    one.beginRow(line: offered)
    for (field, bytes) in texts where !bytes.isEmpty { one.set(field, text.keep(bytes)) }
    Judgement.judge(one, into: &self)
  }

  /// Empties the batch and keeps its memory. O(1).
  public mutating func removeAll() {
    text.bytes.removeAll(keepingCapacity: true)
    text.scratch.removeAll(keepingCapacity: true)
    rows.removeAll(keepingCapacity: true)
    tokenIDs.removeAll(keepingCapacity: true)
    rejections.removeAll()
    offered = 0
  }

  @inline(never)
  mutating func reject(_ fault: Judgement.Fault, line: Int) {
    rejections.append(Rejection(line: line, field: fault.field, value: fault.held.shown(text), reason: fault.reason))
  }

  /// The bytes of a name of one of its rows; none of an absent one, nor of the zero address. O(length).
  package func bytes(of name: PackedName) -> ByteString { name.byteString(text) }

  /// Keeps a 256-bit identifier and tells where. O(1) amortised.
  mutating func keep(_ tokenID: WideID) -> Int32 {
    tokenIDs.append(tokenID)
    return Int32(tokenIDs.count - 1)
  }
}

/// The names of a row; absent where there is none.
package struct RowNames: Sendable, BitwiseCopyable {
  package var token = PackedName.absent
  /// A swap's wallet, a transfer's giver.
  package var wallet = PackedName.absent
  /// A transfer's taker.
  package var to = PackedName.absent
}

/// One step of a batch: an event, a retraction, or the mark of rule 3.7.
package struct BatchRow: Sendable, BitwiseCopyable {
  package enum Operation: UInt8, Sendable, BitwiseCopyable {
    case swap, transfer, retractSwap, retractTransfer, markIncomplete

    static func retract(_ kind: EventKind) -> Operation { kind == .swap ? .retractSwap : .retractTransfer }
  }

  /// Where the event stands in the order of its kind.
  package var key: OrderKey
  package var operation: Operation
  package var side: Side?
  /// Index into the batch's `tokenIDs`, −1 without one.
  package var tokenID: Int32
  package var names: RowNames
  package var line: Int
  /// `amount_usd` of a swap, `amount` of a transfer.
  package var amount: Decimal18
  /// Zero where absent.
  package var tokenAmount: Decimal18
  package var price: Decimal18

  /// Puts a row together, all at once: a row that is made bit by bit is copied into its place. O(1).
  @inline(__always)
  package init(
    _ operation: Operation, _ key: OrderKey, line: Int, names: RowNames = RowNames(), side: Side? = nil,
    amount: Decimal18 = .zero, tokenAmount: Decimal18 = .zero, price: Decimal18 = .zero, tokenID: Int32 = -1
  ) {
    self.key = key
    self.operation = operation
    self.side = side
    self.tokenID = tokenID
    self.names = names
    self.line = line
    self.amount = amount
    self.tokenAmount = tokenAmount
    self.price = price
  }

  package var timestamp: Timestamp { key.timestamp }
  package var token: PackedName { names.token }
  /// A swap's wallet, a transfer's giver.
  package var wallet: PackedName { names.wallet }
  /// A transfer's taker.
  package var to: PackedName { names.to }

  /// What the event, or the one that is retracted, is told from all others by.
  @inline(__always)
  var identity: EventIdentity {
    let isTransfer = operation == .transfer || operation == .retractTransfer
    return EventIdentity(
      kind: isTransfer ? .transfer : .swap, chain: key.chain, block: key.block, logIndex: key.logIndex)
  }
}

extension PackedName {
  /// The bytes of a name, of a long one from where they are kept. O(length).
  func byteString(_ text: borrowing TextPool) -> ByteString {
    guard isLong else { return ByteString(bytes) }
    let own = text.text(cell)
    return ByteString(own.indices.map { own[$0] })
  }
}
