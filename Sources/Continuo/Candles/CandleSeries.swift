// The stored candles of one token at one interval, by bucket. They need no keys: buckets do not overlap, and within one the
// neighbours of a swap tell whether it is the first or the last.
// Invariant: a bucket without a swap has no candle.
// Not here: which intervals are stored, and how the others are made (TokenState, BucketCursor).

/// Candles by the start of their bucket.
typealias CandleSeries = SortedSeries<StoredCandle>

/// A candle as it is held.
struct StoredCandle: PackedRow, Equatable {
  /// The start of its bucket.
  var key: Timestamp
  var open: Decimal18
  var high: Decimal18
  var low: Decimal18
  var close: Decimal18
  var volumeUSD: ExactSum
  var volumeToken: ExactSum
  var buyVolumeUSD: ExactSum
  var sellVolumeUSD: ExactSum
  var trades: UInt64
  var tradesWithoutTokenAmount: UInt64

  /// The candle of one swap.
  @inline(__always)
  init(_ row: SwapRow, start: Timestamp) { self.init(Candle(row), start: start) }

  init(_ candle: Candle, start: Timestamp) {
    key = start
    open = candle.open
    high = candle.high
    low = candle.low
    close = candle.close
    volumeUSD = candle.volumeUSD
    volumeToken = candle.volumeToken
    buyVolumeUSD = candle.buyVolumeUSD
    sellVolumeUSD = candle.sellVolumeUSD
    trades = UInt64(candle.trades)
    tradesWithoutTokenAmount = UInt64(candle.tradesWithoutTokenAmount)
  }

  /// Takes in a swap of its bucket.
  ///
  /// - Parameters:
  ///   - isFirst: whether it comes before all others.
  ///   - isLast: whether it comes behind all others.
  @inline(__always)
  mutating func take(_ row: SwapRow, isFirst: Bool, isLast: Bool) {
    if isFirst { open = row.price }
    if isLast { close = row.price }
    if high < row.price { high = row.price }
    if row.price < low { low = row.price }
    let amount = ExactSum(row.amountUSD)
    volumeUSD += amount
    volumeToken += ExactSum(row.tokenAmount)
    if row.side == .buy { buyVolumeUSD += amount }
    if row.side == .sell { sellVolumeUSD += amount }
    trades += 1
    if row.tokenAmount == .zero { tradesWithoutTokenAmount += 1 }
  }

  /// Takes in the candle of a later bucket.
  fileprivate mutating func append(_ later: StoredCandle) {
    high = max(high, later.high)
    low = min(low, later.low)
    close = later.close
    volumeUSD += later.volumeUSD
    volumeToken += later.volumeToken
    buyVolumeUSD += later.buyVolumeUSD
    sellVolumeUSD += later.sellVolumeUSD
    trades += later.trades
    tradesWithoutTokenAmount += later.tradesWithoutTokenAmount
  }

  /// The candle, its first and last swap placed at the edges of its bucket: enough to merge with others' buckets.
  func candle(_ interval: Interval) -> Candle {
    Candle(
      open: open, high: high, low: low, close: close,
      openKey: OrderKey(timestamp: key, chain: 0, block: 0, logIndex: 0),
      closeKey: OrderKey(timestamp: interval.next(key) - 1, chain: .max, block: .max, logIndex: .max),
      volumeUSD: volumeUSD, volumeToken: volumeToken, buyVolumeUSD: buyVolumeUSD, sellVolumeUSD: sellVolumeUSD,
      trades: Int(trades), tradesWithoutTokenAmount: Int(tradesWithoutTokenAmount))
  }
}

extension StoredCandle {
  static var columnCount: Int { 12 }
  static var chunkRows: Int { Limits.candleChunkRows }
  static var tailRowsMax: Int { Limits.candleChunkRows + 2 }

  static func isScaled(_ column: Int) -> Bool { column <= 8 }

  @inline(__always)
  func column(_ index: Int) -> Int128 {
    switch index {
    case 0: Int128(key.microseconds)
    case 1: open.units
    case 2: high.units
    case 3: low.units
    case 4: close.units
    case 5: volumeUSD.lowColumn
    case 6: volumeToken.lowColumn
    case 7: buyVolumeUSD.lowColumn
    case 8: sellVolumeUSD.lowColumn
    // Sums past 128 bits are rare: two columns without a byte.
    case 9: Int128(truncatingIfNeeded: UInt128(UInt64(bitPattern: volumeUSD.high)) << 64)
      | Int128(UInt64(bitPattern: volumeToken.high))
    case 10: Int128(truncatingIfNeeded: UInt128(UInt64(bitPattern: buyVolumeUSD.high)) << 64)
      | Int128(UInt64(bitPattern: sellVolumeUSD.high))
    default: Int128(truncatingIfNeeded: UInt128(tradesWithoutTokenAmount) << 64) | Int128(trades)
    }
  }

  @inline(__always)
  init(_ column: (Int) -> Int128) {
    let highs = (UInt128(truncatingIfNeeded: column(9)), UInt128(truncatingIfNeeded: column(10)))
    let counts = UInt128(truncatingIfNeeded: column(11))
    key = Self.key(column)
    open = Decimal18(units: column(1))
    high = Decimal18(units: column(2))
    low = Decimal18(units: column(3))
    close = Decimal18(units: column(4))
    volumeUSD = ExactSum(lowColumn: column(5), high: UInt64(highs.0 >> 64))
    volumeToken = ExactSum(lowColumn: column(6), high: UInt64(truncatingIfNeeded: highs.0))
    buyVolumeUSD = ExactSum(lowColumn: column(7), high: UInt64(highs.1 >> 64))
    sellVolumeUSD = ExactSum(lowColumn: column(8), high: UInt64(truncatingIfNeeded: highs.1))
    trades = UInt64(truncatingIfNeeded: counts)
    tradesWithoutTokenAmount = UInt64(counts >> 64)
  }

  @inline(__always)
  static func key(_ column: (Int) -> Int128) -> Timestamp {
    Timestamp(microseconds: Int64(truncatingIfNeeded: column(0)))
  }

  static func summary(_ rows: Span<StoredCandle>) -> NoSummary { NoSummary() }
}

extension ExactSum {
  /// The lower 128 bits.
  fileprivate var lowColumn: Int128 { Int128(truncatingIfNeeded: UInt128(middle) << 64 | UInt128(low)) }

  fileprivate init(lowColumn: Int128, high: UInt64) {
    self.init(
      low: UInt64(truncatingIfNeeded: lowColumn), middle: UInt64(truncatingIfNeeded: lowColumn >> 64),
      high: Int64(bitPattern: high))
  }
}

extension SortedSeries where Row == StoredCandle {
  /// The bucket's start at a position, nil at the end. O(1).
  func start(at position: Position) -> Timestamp? { position == end ? nil : key(at: position) }

  /// The last bucket's start before `start`, nil without any. O(log n).
  func start(before start: Timestamp) -> Timestamp? { before(lowerBound(start)).map { key(at: $0) } }

  /// The candle at a position, which moves on. O(1).
  func candle(_ interval: Interval, _ position: inout Position) -> Candle {
    let candle = row(at: position).candle(interval)
    position = after(position)
    return candle
  }

  /// Takes in a candle of a bucket that is later than all that its bucket here is made of. O(1) amortised.
  mutating func append(_ candle: StoredCandle, start: Timestamp) {
    if lastKey == start {
      updateLast { $0.append(candle) }
    } else {
      var moved = candle
      moved.key = start
      insert(moved)
    }
  }
}
