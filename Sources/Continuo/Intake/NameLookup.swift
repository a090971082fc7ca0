// Looking up the names of a group of rows: what each step needs of memory is asked for one step ahead.
// Invariant: looking up changes nothing; a name that an earlier row of the group brings in is found when its turn comes.
// Not here: the tables of names (Interner), taking the rows in (Engine+Apply).
// Source: group prefetching, Chen, Ailamaki, Gibbons, Mowry, "Improving Hash Join Performance through Prefetching", 2004.

/// The names of one row, as far as they are known, and where it belongs if it comes late.
struct NameLookup: BitwiseCopyable {
  /// The numbers of a row's token, of a transfer's giver and of its taker; `unknown` while they have none.
  var token = Self.unknown
  var wallet = Self.unknown
  var to = Self.unknown
  /// The hashes of the names. The wallet is a swap's, or a transfer's giver.
  var tokenHash: UInt32 = 0
  var walletHash: UInt32 = 0
  var toHash: UInt32 = 0

  /// Where it should go: known of late rows alone.
  var place = LatePlace.unknown

  static let unknown = UInt32.max

  /// How many rows are looked up together: enough to hide a miss, few enough to stay in the nearest cache.
  static let groupRows = 24
}

extension Engine {
  /// Looks up the names of `rows`, and asks for the memory that taking them in is going to touch. O(rows).
  func lookUp(_ rows: Span<BatchRow>, _ text: borrowing TextPool, into names: inout [24 of NameLookup]) {
    for index in 0..<rows.count {
      var lookup = NameLookup()
      lookup.tokenHash = tokenNames.hash(rows[index].token, text)
      tokenNames.prefetchSlot(lookup.tokenHash)
      if rows[index].wallet.isText {
        lookup.walletHash = addressNames.hash(rows[index].wallet, text)
        addressNames.prefetchSlot(lookup.walletHash)
      }
      if rows[index].operation == .transfer, rows[index].to.isText {
        lookup.toHash = addressNames.hash(rows[index].to, text)
        addressNames.prefetchSlot(lookup.toHash)
      }
      names[index] = lookup
    }
    for index in 0..<rows.count {
      // Of what is no text any name is asked for: cheaper than to ask whether it is one.
      tokenNames.prefetchName(names[index].tokenHash)
      addressNames.prefetchName(names[index].walletHash)
      if rows[index].operation == .transfer { addressNames.prefetchName(names[index].toHash) }
    }
    for index in 0..<rows.count {
      guard let token = tokenNames.find(rows[index].token, names[index].tokenHash, text) else { continue }
      names[index].token = UInt32(truncatingIfNeeded: token)
      if rows[index].operation == .transfer {
        tokenStates.prefetch(token, from: TokenState.transferLines.lowerBound, lines: TokenState.transferLines.count)
      } else {
        tokenStates.prefetch(token, lines: TokenState.swapLines)
      }
    }
    for index in 0..<rows.count where names[index].token != NameLookup.unknown {
      if rows[index].operation == .swap { tokenStates[Int(names[index].token)].prefetchTails(.swap) }
    }
    for index in 0..<rows.count where rows[index].operation == .transfer {
      findHolders(rows[index], text, &names[index])
    }
  }

  /// Finds who gives and who takes, and asks for their balances. O(1), of long names O(length).
  @inline(__always)
  private func findHolders(_ row: BatchRow, _ text: borrowing TextPool, _ names: inout NameLookup) {
    if row.wallet.isText, let wallet = addressNames.find(row.wallet, names.walletHash, text) {
      names.wallet = UInt32(truncatingIfNeeded: wallet)
      balancesByAddress.prefetch(wallet)
    }
    if row.to.isText, let to = addressNames.find(row.to, names.toHash, text) {
      names.to = UInt32(truncatingIfNeeded: to)
      balancesByAddress.prefetch(to)
    }
    guard names.token != NameLookup.unknown else { return }
    let token = Int(names.token)
    tokenStates[token].prefetchTails(.transfer)
    if names.wallet != NameLookup.unknown { tokenStates[token].balances.prefetch(names.wallet) }
    if names.to != NameLookup.unknown { tokenStates[token].balances.prefetch(names.to) }
  }
}
