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
      tokenStates[token].prefetchTails(rows[index].operation == .swap ? .swap : .transfer)
    }
  }
}

extension TextCell {
  /// Whether the cell has bytes to look up.
  @inline(__always)
  var isText: Bool { length > 0 }
}
