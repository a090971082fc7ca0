// A swap as it is held, and what a run of swaps adds up to.
// Invariant: names are dense numbers; the price is settled; `tokenAmount` is zero where absent.
// Not here: how rows are packed (PackedChunkHandle), where they lie (SortedSeries).

/// A swap as it is held.
struct SwapRow: PackedRow, Equatable {
  var key: OrderKey
  var amountUSD: Decimal18
  /// Zero where absent.
  var tokenAmount: Decimal18
  var price: Decimal18
  /// The wallet's number, `absentWallet` without one.
  var wallet: UInt32
  var side: Side?

  static let absentWallet = UInt32.max
}

extension SwapRow {
  static var columnCount: Int { 8 }
  static var chunkRows: Int { Limits.swapChunkRows }
  static var tailRowsMax: Int { Limits.swapChunkRows + 8 }

  static func isScaled(_ column: Int) -> Bool { column == 0 || column >= 5 }

  @inline(__always)
  func column(_ index: Int) -> Int128 {
    switch index {
    case 0: Int128(key.timestamp.microseconds)
    case 1: Int128(key.block)
    case 2: key.placeColumn
    case 3: Int128(wallet &+ 1)
    case 4: Int128(side?.rawValue ?? 0)
    case 5: amountUSD.units
    case 6: tokenAmount.units
    default: price.units
    }
  }

  @inline(__always)
  init(_ column: (Int) -> Int128) {
    self.init(
      key: Self.key(column), amountUSD: Decimal18(units: column(5)), tokenAmount: Decimal18(units: column(6)),
      price: Decimal18(units: column(7)), wallet: UInt32(truncatingIfNeeded: column(3)) &- 1,
      side: Side(rawValue: UInt8(truncatingIfNeeded: column(4))))
  }

  @inline(__always)
  static func key(_ column: (Int) -> Int128) -> OrderKey { OrderKey(columns: column) }

  static func summary(_ rows: Span<SwapRow>) -> Candle {
    var candle = Candle(rows[0])
    for row in 1..<rows.count { candle.merge(Candle(rows[row])) }
    return candle
  }
}

extension OrderKey {
  /// The key whose fields are the first three columns.
  @inline(__always)
  init(columns column: (Int) -> Int128) {
    self.init(
      timestamp: Timestamp(microseconds: Int64(truncatingIfNeeded: column(0))), block: column(1), place: column(2))
  }

  @inline(__always)
  init(timestamp: Timestamp, block: Int128, place: Int128) {
    self.init(
      timestamp: timestamp, chain: UInt32(truncatingIfNeeded: place >> 32), block: UInt64(truncatingIfNeeded: block),
      logIndex: UInt32(truncatingIfNeeded: place))
  }

  /// Chain and log index in one column: mostly one chain, and small numbers above it.
  @inline(__always)
  var placeColumn: Int128 { Int128(chain) << 32 | Int128(logIndex) }
}

typealias SwapSeries = SortedSeries<SwapRow>

extension Candle {
  /// The candle of one swap.
  @inline(__always)
  init(_ row: SwapRow) {
    open = row.price
    high = row.price
    low = row.price
    close = row.price
    openKey = row.key
    closeKey = row.key
    volumeUSD = ExactSum(row.amountUSD)
    volumeToken = ExactSum(row.tokenAmount)
    buyVolumeUSD = row.side == .buy ? volumeUSD : .zero
    sellVolumeUSD = row.side == .sell ? volumeUSD : .zero
    trades = 1
    tradesWithoutTokenAmount = row.tokenAmount == .zero ? 1 : 0
  }
}

extension Candle? {
  /// Takes in one swap.
  mutating func take(_ row: SwapRow) { take(Candle(row)) }

  /// Takes in a candle, if there is one.
  mutating func take(_ other: Candle?) {
    guard let other else { return }
    if self == nil { self = other } else { self?.merge(other) }
  }
}

extension SortedSeries where Row.Key == OrderKey {
  /// The smallest timestamp. O(1).
  var firstTimestamp: Timestamp? { isEmpty ? nil : key(at: start).timestamp }

  /// The position of the first event whose time is not before `timestamp`. O(log n).
  func lowerBound(_ timestamp: Timestamp) -> Position { first { !($0.timestamp < timestamp) } }
}

extension SortedSeries where Row == SwapRow {
  /// The candle of the swaps with `from` ≤ time < `end`, nil without any. O(log n + chunks + two chunks' rows).
  func fold(from: Timestamp, before end: Timestamp) -> Candle? {
    guard from < end, !isEmpty else { return nil }
    var position = lowerBound(from)
    let last = lowerBound(end)
    var candle: Candle?
    while position.chunk < last.chunk {
      let rows = chunks[position.chunk].count
      if position.row == 0 {
        candle.take(summaries[position.chunk])
      } else {
        for row in position.row..<rows { candle.take(chunks[position.chunk].row(at: row)) }
      }
      position = Position(chunk: position.chunk + 1, row: 0)
    }
    for row in position.row..<last.row { candle.take(self.row(at: Position(chunk: last.chunk, row: row))) }
    return candle
  }

  /// Lends the swaps with `from` ≤ time < `end`, in order. O(log n + rows).
  func visit(from: Timestamp, before end: Timestamp, _ body: (SwapRow) -> Void) {
    var position = lowerBound(from)
    while position != self.end {
      let row = row(at: position)
      guard row.key.timestamp < end else { return }
      body(row)
      position = after(position)
    }
  }
}
