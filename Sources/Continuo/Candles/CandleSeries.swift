// The stored candles of one token at one interval, by bucket.
// Invariant: a bucket without a swap has no candle.
// Not here: which intervals are stored, and how the others are made (TokenState, BucketCursor).

/// Candles by the start of their bucket.
typealias CandleSeries = SortedSeries<StoredCandle>

/// A candle as it is held: with the start of its bucket.
struct StoredCandle: PackedRow, Equatable {
  /// The start of its bucket.
  var key: Timestamp
  var candle: Candle

  /// No candle: it has no trades.
  static let none = StoredCandle(
    key: Timestamp(microseconds: 0),
    candle: Candle(
      open: .zero, high: .zero, low: .zero, close: .zero, openKey: .first(at: Timestamp(microseconds: 0)),
      closeKey: .first(at: Timestamp(microseconds: 0)), volumeUSD: .zero, volumeToken: .zero, buyVolumeUSD: .zero,
      sellVolumeUSD: .zero, trades: 0, tradesWithoutTokenAmount: 0))
}

extension StoredCandle {
  static var narrowCount: Int { 9 }
  static var columnCount: Int { 19 }
  static func chunkRows(_ count: Int) -> Int { Limits.candleChunkRows }
  static func tailRowsMax(_ count: Int) -> Int { Limits.candleChunkRows + 2 }
  static var lateRows: Int { Limits.candleChunkRows }

  static func isScaled(_ column: Int) -> Bool { column <= 2 || column >= 9 && column < 17 }

  @inline(__always)
  func narrow(_ column: Int) -> Int64 {
    switch column {
    case 0: key.microseconds
    // Within the bucket: small numbers.
    case 1: candle.openKey.timestamp.microseconds &- key.microseconds
    case 2: candle.closeKey.timestamp.microseconds &- key.microseconds
    case 3: Int64(bitPattern: candle.openKey.block)
    case 4: Int64(bitPattern: candle.closeKey.block &- candle.openKey.block)
    case 5: candle.openKey.placeColumn
    case 6: candle.closeKey.placeColumn
    case 7: Int64(candle.trades)
    default: Int64(candle.tradesWithoutTokenAmount)
    }
  }

  @inline(__always)
  func wide(_ column: Int) -> Int128 {
    switch column {
    case 9: candle.open.units
    // Near the open, mostly.
    case 10: candle.high.units &- candle.open.units
    case 11: candle.open.units &- candle.low.units
    case 12: candle.close.units &- candle.open.units
    case 13: candle.volumeUSD.lowColumn
    case 14: candle.volumeToken.lowColumn
    case 15: candle.buyVolumeUSD.lowColumn
    // Where each swap has a side this is zero.
    case 16: candle.volumeUSD.lowColumn &- candle.buyVolumeUSD.lowColumn &- candle.sellVolumeUSD.lowColumn
    // Sums past 128 bits are rare: two columns without a byte.
    case 17: Self.pair(candle.volumeUSD.high, candle.volumeToken.high)
    default: Self.pair(candle.buyVolumeUSD.high, candle.sellVolumeUSD.high)
    }
  }

  @inline(__always)
  init(_ columns: some ColumnSource) {
    let start = Self.key(columns)
    let (usdHigh, tokenHigh) = Self.unpair(columns.wide(17))
    let (buyHigh, sellHigh) = Self.unpair(columns.wide(18))
    let open = columns.wide(9)
    let (usd, buy) = (columns.wide(13), columns.wide(15))
    let openBlock = columns.narrow(3)
    key = start
    candle = Candle(
      open: Decimal18(units: open), high: Decimal18(units: open &+ columns.wide(10)),
      low: Decimal18(units: open &- columns.wide(11)), close: Decimal18(units: open &+ columns.wide(12)),
      openKey: OrderKey(
        timestamp: Timestamp(microseconds: start.microseconds &+ columns.narrow(1)), block: openBlock,
        place: columns.narrow(5)),
      closeKey: OrderKey(
        timestamp: Timestamp(microseconds: start.microseconds &+ columns.narrow(2)),
        block: openBlock &+ columns.narrow(4), place: columns.narrow(6)),
      volumeUSD: ExactSum(lowColumn: usd, high: usdHigh),
      volumeToken: ExactSum(lowColumn: columns.wide(14), high: tokenHigh),
      buyVolumeUSD: ExactSum(lowColumn: buy, high: buyHigh),
      sellVolumeUSD: ExactSum(lowColumn: usd &- buy &- columns.wide(16), high: sellHigh),
      trades: Int(columns.narrow(7)), tradesWithoutTokenAmount: Int(columns.narrow(8)))
  }

  @inline(__always)
  static func key(_ columns: some ColumnSource) -> Timestamp { Timestamp(microseconds: columns.narrow(0)) }

  @inline(__always)
  static func major(_ key: Timestamp) -> Int64 { key.microseconds }

  /// Two words in one column.
  @inline(__always)
  private static func pair(_ high: Int64, _ low: Int64) -> Int128 {
    Int128(high) << 64 | Int128(UInt64(bitPattern: low))
  }

  @inline(__always)
  private static func unpair(_ column: Int128) -> (Int64, Int64) {
    (Int64(truncatingIfNeeded: column >> 64), Int64(truncatingIfNeeded: column))
  }
}

extension ExactSum {
  /// The lower 128 bits.
  fileprivate var lowColumn: Int128 { Int128(truncatingIfNeeded: UInt128(middle) << 64 | UInt128(low)) }

  @inline(__always)
  fileprivate init(lowColumn: Int128, high: Int64) {
    self.init(
      low: UInt64(truncatingIfNeeded: lowColumn), middle: UInt64(truncatingIfNeeded: lowColumn >> 64), high: high)
  }
}

extension SortedSeries where Row == StoredCandle {
  /// Merges a candle into the bucket that starts at `start`. O(1) in the tail, else O(chunk).
  mutating func merge(_ candle: Candle, start: Timestamp) {
    guard let position = find(start) else { return insert(StoredCandle(key: start, candle: candle)) }
    update(position) { $0.candle.merge(candle) }
  }
}

/// The columns of a packed candle (StoredCandle) that are read without the others.
enum CandleColumn {
  static let trades = 7
  static let tradesWithoutTokenAmount = 8
  static let open = 9
  static let highOverOpen = 10
  static let lowUnderOpen = 11
  static let closeOverOpen = 12
  static let volumeUSD = 13
  static let volumeToken = 14
  static let buyVolumeUSD = 15
  static let unsidedVolumeUSD = 16
  /// What sums have past 128 bits: nearly always nothing.
  static let highWords = 17
  static let sidedHighWords = 18
}
