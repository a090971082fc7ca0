// The columns of transfers.
// Invariant: `tokenIDs` is empty, or has a slot for every row.
// Not here: keys (KeyColumns), what transfers add up to (Balances).

/// A transfer as it is held: names are dense numbers.
struct TransferRow: EventRow, Equatable {
  var key: OrderKey
  var from: UInt32
  var to: UInt32
  var amount: Decimal18
  var tokenID: WideID?

  /// The number of the zero address.
  static let zeroAddress: UInt32 = 0
}

/// The columns of a chunk of transfers.
struct TransferColumns: EventColumns, ~Copyable {
  private var givers = ColumnHandle<UInt32>()
  private var takers = ColumnHandle<UInt32>()
  private var amounts = ColumnHandle<Decimal18>()
  /// Only there once a row has one: fungible tokens never do.
  private var tokenIDs = ColumnHandle<WideID?>()

  mutating func insert(_ row: TransferRow, at index: Int) {
    if row.tokenID != nil || !tokenIDs.isEmpty {
      while tokenIDs.count < givers.count { tokenIDs.append(nil) }
      tokenIDs.insert(row.tokenID, at: index)
    }
    givers.insert(row.from, at: index)
    takers.insert(row.to, at: index)
    amounts.insert(row.amount, at: index)
  }

  mutating func removeSubrange(_ range: Range<Int>) {
    givers.removeSubrange(range)
    takers.removeSubrange(range)
    amounts.removeSubrange(range)
    if !tokenIDs.isEmpty { tokenIDs.removeSubrange(range) }
  }

  mutating func moveSuffix(from index: Int, into other: inout TransferColumns) {
    if !tokenIDs.isEmpty || !other.tokenIDs.isEmpty {
      while tokenIDs.count < givers.count { tokenIDs.append(nil) }
      while other.tokenIDs.count < other.givers.count { other.tokenIDs.append(nil) }
      tokenIDs.moveSuffix(from: index, into: &other.tokenIDs)
    }
    givers.moveSuffix(from: index, into: &other.givers)
    takers.moveSuffix(from: index, into: &other.takers)
    amounts.moveSuffix(from: index, into: &other.amounts)
  }

  func row(at index: Int, key: OrderKey) -> TransferRow {
    TransferRow(
      key: key, from: givers[index], to: takers[index], amount: amounts[index],
      tokenID: tokenIDs.isEmpty ? nil : tokenIDs[index])
  }

  mutating func summarize(_ keys: borrowing KeyColumns) {}
}

typealias TransferSeries = EventSeries<TransferColumns>
