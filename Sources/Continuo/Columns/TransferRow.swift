// A transfer as it is held.
// Invariant: names are dense numbers; the zero address has number 0.
// Not here: how rows are packed (PackedChunkHandle), what transfers add up to (Balances).

/// A transfer as it is held.
struct TransferRow: PackedRow, Equatable {
  var key: OrderKey
  var from: UInt32
  var to: UInt32
  var amount: Decimal18
  var tokenID: WideID?

  /// The number of the zero address.
  static let zeroAddress: UInt32 = 0
}

extension TransferRow {
  static var columnCount: Int { 9 }
  static var chunkRows: Int { Limits.transferChunkRows }
  static var tailRowsMax: Int { Limits.transferChunkRows + 8 }

  static func isScaled(_ column: Int) -> Bool { column == 0 || column == 5 }

  @inline(__always)
  func column(_ index: Int) -> Int128 {
    switch index {
    case 0: Int128(key.timestamp.microseconds)
    case 1: Int128(key.block)
    case 2: key.placeColumn
    case 3: Int128(from)
    case 4: Int128(to)
    case 5: amount.units
    // Fungible tokens have no identifiers: three columns without a byte.
    case 6: tokenID == nil ? 0 : 1
    case 7: Int128(truncatingIfNeeded: tokenID?.high ?? 0)
    default: Int128(truncatingIfNeeded: tokenID?.low ?? 0)
    }
  }

  @inline(__always)
  init(_ column: (Int) -> Int128) {
    self.init(
      key: Self.key(column), from: UInt32(truncatingIfNeeded: column(3)), to: UInt32(truncatingIfNeeded: column(4)),
      amount: Decimal18(units: column(5)),
      tokenID: column(6) == 0
        ? nil
        : WideID(high: UInt128(truncatingIfNeeded: column(7)), low: UInt128(truncatingIfNeeded: column(8))))
  }

  @inline(__always)
  static func key(_ column: (Int) -> Int128) -> OrderKey { OrderKey(columns: column) }

  static func summary(_ rows: Span<TransferRow>) -> NoSummary { NoSummary() }
}

typealias TransferSeries = SortedSeries<TransferRow>
