// Looking up the names of a group of rows: what each step needs of memory is asked for one step ahead.
// Invariant: looking up changes nothing; a name that an earlier row of the group brings in is found when its turn comes.
// Not here: the tables of names (Interner), taking the rows in (Engine+Apply).
// Source: group prefetching, Chen, Ailamaki, Gibbons, Mowry, "Improving Hash Join Performance through Prefetching", 2004.

/// The names of one row, as far as they are known.
struct NameLookup: BitwiseCopyable {
  /// The token's number, nil while it has none.
  var token: Int?
  var tokenKey: NameKey
  /// A swap's wallet, a transfer's giver.
  var walletKey: NameKey
  /// A transfer's taker.
  var toKey: NameKey
  /// The numbers of a transfer's giver and taker, nil while they have none.
  var wallet: UInt32?
  var to: UInt32?

  /// How many rows are looked up together: enough to hide a miss, few enough to stay in the nearest cache.
  static let groupRows = 24
}

extension Engine {
  /// Looks up the names of `rows`, and asks for the memory that taking them in is going to touch. O(rows).
  func lookUp(_ rows: Span<BatchRow>, _ text: borrowing TextPool, into names: inout ColumnHandle<NameLookup>) {
    let none = NameKey.none
    names.removeAll()
    for index in 0..<rows.count {
      var lookup = NameLookup(token: nil, tokenKey: none, walletKey: none, toKey: none)
      lookup.tokenKey = tokenNames.key(text.text(rows[index].token))
      tokenNames.prefetchSlot(lookup.tokenKey)
      if rows[index].wallet.isText {
        lookup.walletKey = addressNames.key(text.text(rows[index].wallet))
        addressNames.prefetchSlot(lookup.walletKey)
      }
      if rows[index].to.isText {
        lookup.toKey = addressNames.key(text.text(rows[index].to))
        addressNames.prefetchSlot(lookup.toKey)
      }
      names.append(lookup)
    }
    for index in 0..<rows.count {
      tokenNames.prefetchName(names[index].tokenKey)
      if rows[index].wallet.isText { addressNames.prefetchName(names[index].walletKey) }
      if rows[index].to.isText { addressNames.prefetchName(names[index].toKey) }
    }
    for index in 0..<rows.count {
      guard let token = tokenNames.find(names[index].tokenKey, text.text(rows[index].token)) else { continue }
      names[index].token = token
      tokenStates.prefetch(token, lines: 5)
    }
    for index in 0..<rows.count {
      guard let token = names[index].token else { continue }
      if rows[index].operation == .swap {
        tokenStates[token].prefetchTails(.swap)
      } else if rows[index].operation == .transfer {
        tokenStates.prefetch(token, from: 6, lines: 12)
        prefetchLongNames(rows[index], names[index])
      }
    }
    for index in 0..<rows.count where rows[index].operation == .transfer {
      findHolders(rows[index], text, &names[index])
    }
  }
}

extension Engine {
  /// Asks for the bytes of a transfer's names that are too long for their keys. O(1).
  @inline(__always)
  private func prefetchLongNames(_ row: BatchRow, _ names: NameLookup) {
    if row.wallet.isText { addressNames.prefetchBytes(names.walletKey) }
    if row.to.isText { addressNames.prefetchBytes(names.toKey) }
  }

  /// Finds who gives and who takes, and asks for their balances. O(length of the names).
  private func findHolders(_ row: BatchRow, _ text: borrowing TextPool, _ names: inout NameLookup) {
    func find(_ cell: TextCell, _ key: NameKey) -> UInt32? {
      guard cell.isText else { return nil }
      return addressNames.find(key, text.text(cell)).map { UInt32(truncatingIfNeeded: $0) }
    }
    names.wallet = find(row.wallet, names.walletKey)
    names.to = find(row.to, names.toKey)
    guard let token = names.token else { return }
    tokenStates[token].prefetchTails(.transfer)
    if let wallet = names.wallet {
      tokenStates[token].balances.prefetch(wallet)
      balancesByAddress.prefetch(Int(wallet))
    }
    if let to = names.to {
      tokenStates[token].balances.prefetch(to)
      balancesByAddress.prefetch(Int(to))
    }
  }
}

extension TextCell {
  /// Whether the cell has bytes to look up.
  @inline(__always)
  var isText: Bool { length > 0 }
}
