// A batch as bytes and back: what its rows say once they are judged on their own content, column by column.
// Invariant: unpacking gives rows that an engine takes in with the same verdicts; the bytes stand alone.
// Not here: how columns become bytes (PackedBatchHandle), frames and checksums (ContinuoStorage).
// Format: docs/format/journal.md, "Batch".

/// Packs batches. It keeps what it needs from batch to batch.
package struct BatchPacker: ~Copyable {
  private let arena = Arena()
  /// Open addressing over the batch's distinct tokens: number + 1, 0 where free.
  private var slots: [UInt32] = []
  private var tokens: [PackedName] = []
  private var rows: [PackedBatchRow] = []

  /// O(1).
  package init() {}

  /// How many rows are packed together: columns are as wide as the widest of so many values.
  package static let blockRows = 512

  /// Adds a batch's rows to some bytes. Rows that were rejected on their own content are not in. O(rows).
  package mutating func pack(_ batch: borrowing EventBatch, into bytes: inout [UInt8]) {
    let count = batch.rows.count
    number(batch)
    bytes.appendWord(UInt32(count))
    bytes.appendWord(UInt32(tokens.count))
    bytes.appendWord(UInt32(batch.tokenIDs.count))
    let hasTakers = batch.rows.contains { $0.to != .absent }
    bytes.append(hasTakers ? 1 : 0)
    for name in tokens { bytes.append(name.spelling) }
    for name in tokens { bytes.append(name, batch.text) }
    for id in batch.tokenIDs {
      bytes.appendWord(id.low)
      bytes.appendWord(id.high)
    }
    for start in stride(from: 0, to: count, by: Self.blockRows) {
      let block = start..<min(start + Self.blockRows, count)
      rows.span.extracting(block).pack(into: &bytes, arena)
      bytes.append(batch.rows.span.extracting(block), batch.text) { $0.wallet }
      if hasTakers { bytes.append(batch.rows.span.extracting(block), batch.text) { $0.to } }
    }
  }

  /// Gives each distinct token of a batch a number, and makes the rows that are packed. O(rows).
  private mutating func number(_ batch: borrowing EventBatch) {
    var size = 64
    while size < batch.rows.count * 2 { size *= 2 }
    if slots.count == size {
      for index in slots.indices { slots[index] = 0 }
    } else {
      slots = Array(repeating: 0, count: size)
    }
    tokens.removeAll(keepingCapacity: true)
    rows.removeAll(keepingCapacity: true)
    let all = batch.rows.span
    for index in all.indices { rows.append(PackedBatchRow(all[index], token: number(all[index].token))) }
  }

  /// Long names are told apart by where they are kept: one that comes twice has two numbers.
  private mutating func number(_ name: PackedName) -> UInt32 {
    var slot = Int(name.hash(seed: 0x9E37_79B9_7F4A_7C15)) & (slots.count - 1)
    while slots[slot] != 0 {
      if tokens[Int(slots[slot]) - 1] == name { return slots[slot] - 1 }
      slot = (slot + 1) & (slots.count - 1)
    }
    tokens.append(name)
    slots[slot] = UInt32(tokens.count)
    return UInt32(tokens.count - 1)
  }
}

/// Why bytes are no packed batch.
package struct PackedBatchFault: Error, Equatable, Sendable {
  /// What was expected and not found.
  package var what: String

  package init(what: String) { self.what = what }
}

/// A row of a batch as it is packed: names stand elsewhere.
struct PackedBatchRow: ColumnRow {
  var key: OrderKey
  /// Operation, and from the fourth bit on the side, 0 without one.
  var kind: UInt8
  var token: UInt32
  /// Index into the batch's identifiers + 1, 0 without one.
  var tokenID: UInt32
  var amount: Decimal18
  var tokenAmount: Decimal18
  var price: Decimal18

  @inline(__always)
  init(_ row: BatchRow, token: UInt32) {
    key = row.key
    kind = row.operation.rawValue | (row.side?.rawValue ?? 0) << 3
    self.token = token
    tokenID = UInt32(row.tokenID + 1)
    (amount, tokenAmount, price) = (row.amount, row.tokenAmount, row.price)
  }

  static var narrowCount: Int { 6 }
  static var columnCount: Int { 9 }
  static func isScaled(_ column: Int) -> Bool { column == 0 || column >= 6 }
  static func isAscending(_ column: Int) -> Bool { false }

  @inline(__always)
  func narrow(_ column: Int) -> Int64 {
    switch column {
    case 0...2: key.column(column)
    case 3: Int64(kind)
    case 4: Int64(token)
    default: Int64(tokenID)
    }
  }

  @inline(__always)
  func wide(_ column: Int) -> Int128 {
    switch column {
    case 6: amount.units
    case 7: tokenAmount.units
    default: price.units
    }
  }
}

extension PackedName {
  /// How a name is spelled in a packed batch: nothing, 1 to 16 bytes, 17 to 128 bytes, an address of 20, the zero address.
  @inline(__always)
  var spelling: UInt8 { isLong ? UInt8(longLength) : UInt8(truncatingIfNeeded: third &>> 56) }

  /// The spelling of an address of twenty bytes, and of the zero address.
  static var addressSpelling: UInt8 { 253 }
  static var zeroSpelling: UInt8 { 254 }

  /// How many bytes follow a spelling; nil where it is none.
  @inline(__always)
  static func bytes(of spelling: UInt8) -> Int? {
    switch spelling {
    case 0...UInt8(Limits.addressBytesMax): Int(spelling)
    case addressSpelling: 20
    case zeroSpelling: 0
    default: nil
    }
  }
}

extension EventBatch {
  /// Makes a batch of packed bytes, all of which must be used. O(bytes).
  ///
  /// - Throws: ``PackedBatchFault`` where they are not what ``BatchPacker`` writes; nothing in them can trap.
  package static func unpacked(_ bytes: Span<UInt8>) throws(PackedBatchFault) -> EventBatch {
    var source = PackedBatchBytes(bytes)
    var (batch, head) = try source.batchHead()
    batch.rows.reserveCapacity(head.rows)
    var (wallets, takers): ([PackedName], [PackedName]) = ([], [])
    for start in stride(from: 0, to: head.rows, by: BatchPacker.blockRows) {
      let rows = min(BatchPacker.blockRows, head.rows - start)
      let columns = try source.columns(rows)
      wallets.removeAll(keepingCapacity: true)
      takers.removeAll(keepingCapacity: true)
      try source.names(rows, longest: Limits.addressBytesMax, &batch.text, &wallets)
      if head.hasTakers { try source.names(rows, longest: Limits.addressBytesMax, &batch.text, &takers) }
      for row in 0..<rows {
        let taker = head.hasTakers ? takers[row] : .absent
        try batch.append(columns, row, head.tokens, wallet: wallets[row], to: taker)
      }
    }
    guard source.isAtEnd else { throw PackedBatchFault(what: "the end of the batch") }
    batch.offered = head.rows
    return batch
  }

  /// Adds a row of a block.
  @inline(__always)
  mutating func append(
    _ columns: PackedBatchColumns, _ row: Int, _ tokens: [PackedName], wallet: PackedName, to: PackedName
  ) throws(PackedBatchFault) {
    let brief = try columns.brief(row, tokens: tokens.count)
    let (kind, tokenID) = (columns.narrow(3, row), columns.narrow(5, row))
    let (amount, tokenAmount, price) = (columns.wide(6, row), columns.wide(7, row), columns.wide(8, row))
    guard tokenID >= 0, tokenID <= tokenIDs.count else {
      throw PackedBatchFault(what: "a row with an identifier that is listed")
    }
    let side = Side(rawValue: UInt8(kind >> 3))
    let name = tokens[brief.token]
    guard brief.operation.allows(token: name, wallet, to, amount, tokenAmount, price) else {
      throw PackedBatchFault(what: "a row that is well-formed")
    }
    rows.append(
      BatchRow(
        brief.operation, brief.key, line: rows.count, names: RowNames(token: name, wallet: wallet, to: to), side: side,
        amount: Decimal18(units: amount), tokenAmount: Decimal18(units: tokenAmount), price: Decimal18(units: price),
        tokenID: Int32(tokenID) - 1))
  }
}

/// What stands before the rows of a packed batch.
struct PackedBatchHead {
  var rows: Int
  var tokens: [PackedName]
  var hasTakers: Bool
}

extension PackedBatchBytes {
  /// What stands before the rows, and a batch that has long names and identifiers already. O(bytes of tokens).
  @_lifetime(self: copy self)
  mutating func batchHead() throws(PackedBatchFault) -> (batch: EventBatch, head: PackedBatchHead) {
    var batch = EventBatch()
    let count = Int(try word(UInt32.self))
    let tokenCount = Int(try word(UInt32.self))
    let idCount = Int(try word(UInt32.self))
    let hasTakers = try byte()
    guard count <= Limits.batchRowsMax, tokenCount <= count, idCount <= count, hasTakers <= 1 else {
      throw PackedBatchFault(what: "counts within the limits of a batch")
    }
    var tokens: [PackedName] = []
    try names(tokenCount, longest: Limits.tokenBytesMax, &batch.text, &tokens)
    for _ in 0..<idCount {
      let (low, high) = (try word(UInt128.self), try word(UInt128.self))
      batch.tokenIDs.append(WideID(high: high, low: low))
    }
    return (batch, PackedBatchHead(rows: count, tokens: tokens, hasTakers: hasTakers == 1))
  }
}

extension PackedBatchColumns {
  /// What a row is. O(1).
  @inline(__always)
  func brief(_ row: Int, tokens: Int) throws(PackedBatchFault) -> PackedRowBrief {
    let key = OrderKey(
      timestamp: Timestamp(microseconds: narrow(0, row)), block: narrow(1, row), place: narrow(2, row))
    let (kind, token) = (narrow(3, row), narrow(4, row))
    guard kind >= 0, kind < 24, let operation = BatchRow.Operation(rawValue: UInt8(kind & 7)), token >= 0,
      token < tokens
    else { throw PackedBatchFault(what: "a row of a known kind, with a token that is listed") }
    guard key.timestamp.isInRange else { throw PackedBatchFault(what: "a row that is well-formed") }
    return PackedRowBrief(operation: operation, key: key, token: Int(token))
  }
}

extension BatchRow.Operation {
  /// Whether a row of this kind may have these fields: what judging has made sure of. O(1).
  @inline(__always)
  fileprivate func allows(
    token: PackedName, _ wallet: PackedName, _ to: PackedName, _ amount: Int128, _ tokenAmount: Int128, _ price: Int128
  ) -> Bool {
    let isToken = token.isText
    switch self {
    case .swap:
      return isToken && to == .absent && amount > 0 && tokenAmount >= 0 && price > 0
    case .transfer: return isToken && wallet != .absent && to != .absent && amount >= 0
    case .markIncomplete: return isToken
    case .retractSwap, .retractTransfer: return true
    }
  }
}
