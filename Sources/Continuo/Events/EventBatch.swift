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
    var row = BatchRow(operation: .swap, chain: chain, block: block, logIndex: logIndex, line: offered)
    row.timestamp = timestamp
    row.side = side
    offered += 1
    if let wallet {
      Judgement.judge(swap: row, token, wallet: wallet, amountUSD, tokenAmount, priceUSD, into: &self)
    } else {
      Judgement.judge(swap: row, token, wallet: token.extracting(0..<0), amountUSD, tokenAmount, priceUSD, into: &self)
    }
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
    var row = BatchRow(operation: .transfer, chain: chain, block: block, logIndex: logIndex, line: offered)
    row.timestamp = timestamp
    offered += 1
    Judgement.judge(transfer: row, token, from: from, to: to, amount, tokenID, into: &self)
  }

  /// Adds the retraction of an event. O(1).
  public mutating func retract(_ identity: EventIdentity) {
    rows.append(
      BatchRow(
        operation: .retract(identity.kind), chain: identity.chain, block: identity.block,
        logIndex: identity.logIndex, line: offered))
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
  package func bytes(of name: PackedName) -> ByteString {
    guard name.isLong else { return ByteString(name.bytes) }
    let text = text.text(name.cell)
    return ByteString(text.indices.map { text[$0] })
  }

  /// Keeps a 256-bit identifier and tells where. O(1) amortised.
  mutating func keep(_ tokenID: WideID) -> Int32 {
    tokenIDs.append(tokenID)
    return Int32(tokenIDs.count - 1)
  }
}

/// One step of a batch: an event, a retraction, or the mark of rule 3.7.
package struct BatchRow: Sendable, BitwiseCopyable {
  package enum Operation: UInt8, Sendable, BitwiseCopyable {
    case swap, transfer, retractSwap, retractTransfer, markIncomplete

    static func retract(_ kind: EventKind) -> Operation { kind == .swap ? .retractSwap : .retractTransfer }
  }

  package var timestamp = Timestamp(microseconds: 0)
  package var block: UInt64
  package var chain: UInt32
  package var logIndex: UInt32
  package var operation: Operation
  package var side: Side?
  /// Index into the batch's `tokenIDs`, −1 without one.
  package var tokenID: Int32 = -1
  package var token = PackedName.absent
  /// A swap's wallet, a transfer's giver.
  package var wallet = PackedName.absent
  /// A transfer's taker.
  package var to = PackedName.absent
  package var line: Int
  /// `amount_usd` of a swap, `amount` of a transfer.
  package var amount = Decimal18.zero
  /// Zero where absent.
  package var tokenAmount = Decimal18.zero
  package var price = Decimal18.zero

  package init(operation: Operation, chain: UInt32, block: UInt64, logIndex: UInt32, line: Int) {
    self.operation = operation
    self.chain = chain
    self.block = block
    self.logIndex = logIndex
    self.line = line
  }

  /// What the event, or the one that is retracted, is told from all others by.
  @inline(__always)
  var identity: EventIdentity {
    let isTransfer = operation == .transfer || operation == .retractTransfer
    return EventIdentity(kind: isTransfer ? .transfer : .swap, chain: chain, block: block, logIndex: logIndex)
  }

  /// Where the event stands in the order of its kind.
  package var key: OrderKey { OrderKey(timestamp: timestamp, chain: chain, block: block, logIndex: logIndex) }
}
