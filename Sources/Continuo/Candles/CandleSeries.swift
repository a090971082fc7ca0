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
}

extension StoredCandle {
  static var columnCount: Int { 18 }
  static var chunkRows: Int { Limits.candleChunkRows }
  static var tailRowsMax: Int { Limits.candleChunkRows + 2 }

  static func isScaled(_ column: Int) -> Bool { column <= 10 }

  @inline(__always)
  func column(_ index: Int) -> Int128 {
    switch index {
    case 0: Int128(key.microseconds)
    case 1: candle.open.units
    case 2: candle.high.units
    case 3: candle.low.units
    case 4: candle.close.units
    case 5: candle.volumeUSD.lowColumn
    case 6: candle.volumeToken.lowColumn
    case 7: candle.buyVolumeUSD.lowColumn
    case 8: candle.sellVolumeUSD.lowColumn
    // Within the bucket: small numbers.
    case 9: Int128(candle.openKey.timestamp.microseconds - key.microseconds)
    case 10: Int128(candle.closeKey.timestamp.microseconds - key.microseconds)
    case 11: Int128(candle.openKey.block)
    case 12: Int128(candle.closeKey.block)
    case 13: candle.openKey.placeColumn
    case 14: candle.closeKey.placeColumn
    // Sums past 128 bits are rare: two columns without a byte.
    case 15: Self.pair(candle.volumeUSD.high, candle.volumeToken.high)
    case 16: Self.pair(candle.buyVolumeUSD.high, candle.sellVolumeUSD.high)
    default: Self.pair(Int64(candle.tradesWithoutTokenAmount), Int64(candle.trades))
    }
  }

  @inline(__always)
  init(_ column: (Int) -> Int128) {
    let start = Self.key(column)
    let (usdHigh, tokenHigh) = Self.unpair(column(15))
    let (buyHigh, sellHigh) = Self.unpair(column(16))
    let (without, trades) = Self.unpair(column(17))
    key = start
    candle = Candle(
      open: Decimal18(units: column(1)), high: Decimal18(units: column(2)), low: Decimal18(units: column(3)),
      close: Decimal18(units: column(4)),
      openKey: OrderKey(
        timestamp: start + Int64(truncatingIfNeeded: column(9)), block: column(11), place: column(13)),
      closeKey: OrderKey(
        timestamp: start + Int64(truncatingIfNeeded: column(10)), block: column(12), place: column(14)),
      volumeUSD: ExactSum(lowColumn: column(5), high: usdHigh),
      volumeToken: ExactSum(lowColumn: column(6), high: tokenHigh),
      buyVolumeUSD: ExactSum(lowColumn: column(7), high: buyHigh),
      sellVolumeUSD: ExactSum(lowColumn: column(8), high: sellHigh),
      trades: Int(trades), tradesWithoutTokenAmount: Int(without))
  }

  @inline(__always)
  static func key(_ column: (Int) -> Int128) -> Timestamp {
    Timestamp(microseconds: Int64(truncatingIfNeeded: column(0)))
  }

  /// Two words in one column.
  private static func pair(_ high: Int64, _ low: Int64) -> Int128 {
    Int128(high) << 64 | Int128(UInt64(bitPattern: low))
  }

  private static func unpair(_ column: Int128) -> (Int64, Int64) {
    (Int64(truncatingIfNeeded: column >> 64), Int64(truncatingIfNeeded: column))
  }

  static func summary(_ rows: Span<StoredCandle>) -> NoSummary { NoSummary() }
}

extension ExactSum {
  /// The lower 128 bits.
  fileprivate var lowColumn: Int128 { Int128(truncatingIfNeeded: UInt128(middle) << 64 | UInt128(low)) }

  fileprivate init(lowColumn: Int128, high: Int64) {
    self.init(
      low: UInt64(truncatingIfNeeded: lowColumn), middle: UInt64(truncatingIfNeeded: lowColumn >> 64), high: high)
  }
}

extension SortedSeries where Row == StoredCandle {
  /// The bucket's start at a position, nil at the end. O(1).
  func start(at position: Position) -> Timestamp? { position == end ? nil : key(at: position) }

  /// The last bucket's start before `start`, nil without any. O(log n).
  func start(before start: Timestamp) -> Timestamp? { before(lowerBound(start)).map { key(at: $0) } }

  /// The candle at a position, which moves on. O(1).
  func candle(_ position: inout Position) -> Candle {
    let candle = row(at: position).candle
    position = after(position)
    return candle
  }

  /// Merges a candle into the bucket that starts at `start`. O(1) in the newest bucket, else O(chunk).
  @inline(__always)
  mutating func merge(_ candle: Candle, start: Timestamp) {
    if lastKey == start { return updateLast { $0.candle.merge(candle) } }
    guard let position = find(start) else { return insert(StoredCandle(key: start, candle: candle)) }
    update(position) { $0.candle.merge(candle) }
  }
}
