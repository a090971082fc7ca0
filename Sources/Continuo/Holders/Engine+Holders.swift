// Who holds a token, and which share of it.
// Invariant: only balances over zero are holders, never the zero address; largest first, ties by the address's bytes.
// Not here: the running sums (Balances).

extension MarketAnswers where Self: ~Copyable {
  /// The holders of a token, largest first, ties by address. O(h log h), and the balances that changed since the version.
  ///
  /// - Parameters:
  ///   - token: a token of this engine.
  ///   - limit: only the first so many; nil is all.
  public func holders(of token: TokenID, limit: Int? = nil) -> [Holder] {
    let contents = contents
    let balances = contents.token(token.index).balances
    var pairs: [(address: ByteString, balance: ExactSum)] = []
    contents.forEachBalance(of: token.index, balances) { address, balance in
      if balance.isPositive { pairs.append((contents.addressNames.byteString(Int(address)), balance)) }
    }
    pairs.sort { $0.balance != $1.balance ? $0.balance > $1.balance : $0.address < $1.address }
    return pairs.prefix(max(0, limit ?? .max)).map { address, balance in
      Holder(
        address: address, balance: balance,
        sharePercent: balances.supply.isPositive ? WideArithmetic.percent(balance, of: balances.supply) : nil)
    }
  }
}

extension EngineContents {
  /// Lends the balances of a token that are not zero, in no order. O(slots + changes since the version).
  func forEachBalance(of token: Int, _ balances: BalancesView, _ body: (UInt32, ExactSum) -> Void) {
    guard sequence < .max else { return balances.table.visit(body) }
    // The table may be ahead of this version, and be written right now. What differs, or is torn, was put into the log
    // before: what the log says, which is read behind the table, goes over what the table says.
    var found: [(UInt32, ExactSum)] = []
    balances.table.visit { found.append(($0, $1)) }
    var before: [UInt32: ExactSum] = [:]
    balanceLog.visit(after: sequence) { entry in
      if entry.token == token { before[entry.address] = entry.before }
    }
    for (address, sum) in found where before[address] == nil { body(address, sum) }
    for (address, sum) in before where !sum.isZero { body(address, sum) }
  }
}
