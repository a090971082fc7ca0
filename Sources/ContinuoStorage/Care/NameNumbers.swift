// Which numbers names have after a repair, by those that they had: where some are lost the others move up.
// Invariant: numbers ascend as they did; what refers to a name that is lost is lost with it.
// Not here: reading names (KeptSalvage).

internal import Continuo

/// The numbers of names, by those that kept files know them by.
struct NameNumbers {
  /// No name has this number.
  private static let lost = UInt32.max

  private var tokens: [UInt32] = []
  /// Number 0 is the zero address, which no file has.
  private var addresses: [UInt32] = [0]
  /// How many names are lost.
  private(set) var lostTokens = 0
  private(set) var lostAddresses = 0

  /// Whether every name has the number that it had.
  var areUnchanged: Bool { lostTokens == 0 && lostAddresses == 0 }

  /// Adds names with the next numbers, of what they were and of what they are. O(names).
  mutating func add(_ count: Int, areTokens: Bool) {
    if areTokens {
      let first = tokens.count - lostTokens
      tokens += (first..<first + count).map { UInt32(truncatingIfNeeded: $0) }
    } else {
      let first = addresses.count - lostAddresses
      addresses += (first..<first + count).map { UInt32(truncatingIfNeeded: $0) }
    }
  }

  /// Passes over names that are lost. O(names).
  mutating func skip(_ count: Int, areTokens: Bool) {
    if areTokens {
      tokens += repeatElement(Self.lost, count: count)
      lostTokens += count
    } else {
      addresses += repeatElement(Self.lost, count: count)
      lostAddresses += count
    }
  }

  /// How many numbers there were.
  var counts: (tokens: Int, addresses: Int) { (tokens.count, addresses.count) }

  /// A token's number now; nil where its name is lost. O(1).
  func token(_ number: UInt32) -> UInt32? {
    guard number < tokens.count, tokens[Int(number)] != Self.lost else { return nil }
    return tokens[Int(number)]
  }

  /// An address's number now; nil where it is lost. O(1).
  func address(_ number: UInt32) -> UInt32? {
    guard number < addresses.count, addresses[Int(number)] != Self.lost else { return nil }
    return addresses[Int(number)]
  }

  /// A swap with the numbers of now; nil where one of its names is lost. O(1).
  func swap(_ swap: HeldSwap) -> HeldSwap? {
    var own = swap
    guard let token = token(swap.token) else { return nil }
    own.token = token
    if swap.trader > 0 {
      guard let trader = address(swap.trader - 1) else { return nil }
      own.trader = trader + 1
    }
    return own
  }

  /// A transfer with the numbers of now; nil where one of its names is lost. O(1).
  func transfer(_ transfer: HeldTransfer) -> HeldTransfer? {
    var own = transfer
    guard let token = token(transfer.token), let from = address(transfer.from), let to = address(transfer.to) else {
      return nil
    }
    (own.token, own.from, own.to) = (token, from, to)
    return own
  }

  /// What is left of a token's dropped events with the numbers of now, without the balances of addresses that are lost; nil where
  /// the token is. O(balances).
  func base(_ base: TokenBase) -> TokenBase? {
    var own = base
    guard let token = token(base.token) else { return nil }
    own.token = token
    own.balances = base.balances.compactMap { balance in
      address(balance.address).map { ($0, balance.sum) }
    }
    return own
  }
}
