// Who holds a token, and which share of it.
// Invariant: only balances over zero are holders, never the zero address; largest first, ties by the address's bytes.
// Not here: the running sums (Balances).

extension Engine {
  /// The holders of a token, largest first, ties by address. O(h log h).
  ///
  /// - Parameters:
  ///   - token: a token of this engine.
  ///   - limit: only the first so many; nil is all.
  public func holders(of token: TokenID, limit: Int? = nil) -> [Holder] {
    var pairs: [(address: ByteString, balance: ExactSum)] = []
    tokenStates[token.index].balances.visit { address, balance in
      if balance.isPositive { pairs.append((addressNames.byteString(Int(address)), balance)) }
    }
    pairs.sort { $0.balance != $1.balance ? $0.balance > $1.balance : $0.address < $1.address }
    let supply = tokenStates[token.index].balances.supply
    return pairs.prefix(max(0, limit ?? .max)).map { address, balance in
      Holder(
        address: address, balance: balance,
        sharePercent: supply.isPositive ? WideArithmetic.percent(balance, of: supply) : nil)
    }
  }
}
