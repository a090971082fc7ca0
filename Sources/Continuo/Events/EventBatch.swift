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

  /// How many bytes of text its rows have. O(1).
  package var textBytes: Int { text.bytes.count }

  /// The row of a line that was offered; nil where there is none, or it was rejected already. O(log rows).
  package func row(line: Int) -> BatchRow? {
    var (low, high) = (0, rows.count)
    while low < high {
      let middle = (low + high) / 2
      if rows[middle].line < line { low = middle + 1 } else { high = middle }
    }
    guard low < rows.count, rows[low].line == line else { return nil }
    // Of a transfer that was rejected a mark of its token may be there.
    return rows[low].operation == .swap || rows[low].operation == .transfer ? rows[low] : nil
  }

  /// The chains that its rows are of. O(rows).
  package var chains: Set<UInt32> {
    var (chains, last): (Set<UInt32>, UInt32?) = ([], nil)
    // Nearly always that of the row before.
    for row in rows where row.key.chain != last {
      last = row.key.chain
      chains.insert(row.key.chain)
    }
    return chains
  }

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

/// One step of a batch: an event, a retraction, or the mark of rule 3.7. Two lines of memory: a batch of 10,000 is to stay
/// near until it is applied.
package struct BatchRow: Sendable, BitwiseCopyable {
  package enum Operation: UInt8, Sendable, BitwiseCopyable {
    case swap, transfer, retractSwap, retractTransfer, markIncomplete

    static func retract(_ kind: EventKind) -> Operation { kind == .swap ? .retractSwap : .retractTransfer }
  }

  /// Where the event stands in the order of its kind.
  package let key: OrderKey
  package let operation: Operation
  package let side: Side?
  /// The line, of 48 bits.
  private let lineHigh: UInt16
  private let lineLow: UInt32
  package let token: PackedName
  /// A swap's wallet, a transfer's giver.
  package let wallet: PackedName
  /// `amount_usd` of a swap, `amount` of a transfer.
  package let amount: Decimal18
  /// A swap's amount of tokens, then its price; a transfer's taker and the place of its identifier.
  private let rest: (Int128, Int128)

  /// Puts a row together, all at once: a row that is made bit by bit is copied into its place. O(1).
  @inline(__always)
  package init(
    _ operation: Operation, _ key: OrderKey, line: Int, names: RowNames = RowNames(), side: Side? = nil,
    amount: Decimal18 = .zero, tokenAmount: Decimal18 = .zero, price: Decimal18 = .zero, tokenID: Int32 = -1
  ) {
    self.key = key
    self.operation = operation
    self.side = side
    lineHigh = UInt16(truncatingIfNeeded: line &>> 32)
    lineLow = UInt32(truncatingIfNeeded: line)
    token = names.token
    wallet = names.wallet
    self.amount = amount
    rest =
      operation == .transfer
      ? (
        Int128(names.to.second) << 64 | Int128(names.to.first), Int128(tokenID) << 64 | Int128(names.to.third)
      ) : (tokenAmount.units, price.units)
  }

  /// The same row with other names. O(1).
  func naming(_ names: RowNames, tokenID: Int32) -> BatchRow {
    BatchRow(
      operation, key, line: line, names: names, side: side, amount: amount, tokenAmount: tokenAmount, price: price,
      tokenID: tokenID)
  }

  package var timestamp: Timestamp { key.timestamp }
  package var line: Int { Int(lineHigh) &<< 32 | Int(lineLow) }
  /// A transfer's taker; absent without one.
  @inline(__always)
  package var to: PackedName {
    operation == .transfer
      ? PackedName(
        words: UInt64(truncatingIfNeeded: rest.0), UInt64(truncatingIfNeeded: rest.0 >> 64),
        UInt64(truncatingIfNeeded: rest.1)) : .absent
  }
  /// Zero where absent.
  @inline(__always)
  package var tokenAmount: Decimal18 { operation == .transfer ? .zero : Decimal18(units: rest.0) }
  @inline(__always)
  package var price: Decimal18 { operation == .transfer ? .zero : Decimal18(units: rest.1) }
  /// Index into the batch's `tokenIDs`, −1 without one.
  @inline(__always)
  package var tokenID: Int32 { operation == .transfer ? Int32(truncatingIfNeeded: rest.1 >> 64) : -1 }

  /// What the event, or the one that is retracted, is told from all others by.
  @inline(__always)
  package var identity: EventIdentity {
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
