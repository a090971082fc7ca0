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
  static var narrowCount: Int { 6 }
  static var columnCount: Int { 9 }
  static func chunkRows(_ count: Int) -> Int { Limits.transferChunkRows }
  static func tailRowsMax(_ count: Int) -> Int { Limits.transferChunkRows + 8 }
  static var lateRows: Int { Limits.transferChunkRows }

  static func isScaled(_ column: Int) -> Bool { column == 0 || column == 6 }

  @inline(__always)
  func narrow(_ column: Int) -> Int64 {
    switch column {
    case 0...2: key.column(column)
    case 3: Int64(from)
    case 4: Int64(to)
    default: tokenID == nil ? 0 : 1
    }
  }

  @inline(__always)
  func wide(_ column: Int) -> Int128 {
    switch column {
    case 6: amount.units
    // Fungible tokens have no identifiers: two columns without a byte.
    case 7: Int128(truncatingIfNeeded: tokenID?.high ?? 0)
    default: Int128(truncatingIfNeeded: tokenID?.low ?? 0)
    }
  }

  @inline(__always)
  init(_ columns: some ColumnSource) {
    self.init(
      key: Self.key(columns), from: UInt32(truncatingIfNeeded: columns.narrow(3)),
      to: UInt32(truncatingIfNeeded: columns.narrow(4)), amount: Decimal18(units: columns.wide(6)),
      tokenID: columns.narrow(5) == 0
        ? nil
        : WideID(
          high: UInt128(truncatingIfNeeded: columns.wide(7)), low: UInt128(truncatingIfNeeded: columns.wide(8))))
  }

  @inline(__always)
  static func key(_ columns: some ColumnSource) -> OrderKey { OrderKey(columns: columns) }

  @inline(__always)
  static func major(_ key: OrderKey) -> Int64 { key.timestamp.microseconds }
}

typealias TransferSeries = SortedSeries<TransferRow>
