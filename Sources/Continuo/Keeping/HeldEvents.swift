// Held events as they are handed to whoever keeps them elsewhere: all names are the engine's numbers.
// Invariant: an engine whose names have the same numbers, and that takes all of them, answers the same.
// Not here: how they are held (TokenState), where they are kept (ContinuoStorage).

/// A swap that is held.
package struct HeldSwap: Equatable, Sendable, BitwiseCopyable {
  package var key: OrderKey
  package var token: UInt32
  /// The wallet's number + 1; 0 without one.
  package var trader: UInt32
  package var side: Side?
  package var amountUSD: Decimal18
  /// Zero where absent.
  package var tokenAmount: Decimal18
  package var price: Decimal18

  package init(
    key: OrderKey, token: UInt32, trader: UInt32, side: Side?, amountUSD: Decimal18, tokenAmount: Decimal18,
    price: Decimal18
  ) {
    self.key = key
    self.token = token
    self.trader = trader
    self.side = side
    self.amountUSD = amountUSD
    self.tokenAmount = tokenAmount
    self.price = price
  }
}

/// A transfer that is held.
package struct HeldTransfer: Equatable, Sendable, BitwiseCopyable {
  package var key: OrderKey
  package var token: UInt32
  package var from: UInt32
  package var to: UInt32
  package var amount: Decimal18
  package var tokenID: WideID?

  package init(key: OrderKey, token: UInt32, from: UInt32, to: UInt32, amount: Decimal18, tokenID: WideID?) {
    self.key = key
    self.token = token
    self.from = from
    self.to = to
    self.amount = amount
    self.tokenID = tokenID
  }
}

extension MarketAnswers where Self: ~Copyable {
  /// The held swaps with `from` ≤ time < `end`, token by token. O(tokens × log n + swaps).
  package func heldSwaps(from: Timestamp, before end: Timestamp) -> [HeldSwap] {
    var held: [HeldSwap] = []
    for token in 0..<contents.tokenCount {
      contents.reference(token).swaps.visit(from: from, before: end) { row in
        held.append(
          HeldSwap(
            key: row.key, token: UInt32(truncatingIfNeeded: token), trader: row.wallet &+ 1, side: row.side,
            amountUSD: row.amountUSD, tokenAmount: row.tokenAmount, price: row.price))
      }
    }
    return held
  }

  /// The held transfers with `from` ≤ time < `end`, token by token. O(tokens × log n + transfers).
  package func heldTransfers(from: Timestamp, before end: Timestamp) -> [HeldTransfer] {
    var held: [HeldTransfer] = []
    for token in 0..<contents.tokenCount {
      let transfers = contents.token(token).transfers
      guard !transfers.isEmpty else { continue }
      var position = transfers.lowerBound(from)
      while position != transfers.end {
        let row = transfers.row(at: position)
        guard row.key.timestamp < end else { break }
        held.append(
          HeldTransfer(
            key: row.key, token: UInt32(truncatingIfNeeded: token), from: row.from, to: row.to, amount: row.amount,
            tokenID: row.tokenID))
        position = transfers.after(position)
      }
    }
    return held
  }
}
