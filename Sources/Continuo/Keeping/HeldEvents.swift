// Held events as they are handed to whoever keeps them elsewhere: all names are the engine's numbers.
// Invariant: an engine whose names have the same numbers, and that takes all of them, answers the same.
// Not here: how they are held (TokenState), where they are kept (ContinuoStorage).

/// A swap that is held.
package struct HeldSwap: Equatable, Sendable, BitwiseCopyable {
  /// As the engine holds it: it is copied as it lies.
  package var row: SwapRow
  package var token: UInt32

  package var key: OrderKey {
    get { row.key }
    set { row.key = newValue }
  }
  /// The wallet's number + 1; 0 without one.
  package var trader: UInt32 {
    get { row.wallet &+ 1 }
    set { row.wallet = newValue &- 1 }
  }
  package var side: Side? {
    get { row.side }
    set { row.side = newValue }
  }
  package var amountUSD: Decimal18 {
    get { row.amountUSD }
    set { row.amountUSD = newValue }
  }
  /// Zero where absent.
  package var tokenAmount: Decimal18 {
    get { row.tokenAmount }
    set { row.tokenAmount = newValue }
  }
  package var price: Decimal18 {
    get { row.price }
    set { row.price = newValue }
  }

  @inline(__always)
  init(row: SwapRow, token: UInt32) {
    self.row = row
    self.token = token
  }

  package init(
    key: OrderKey, token: UInt32, trader: UInt32, side: Side?, amountUSD: Decimal18, tokenAmount: Decimal18,
    price: Decimal18
  ) {
    self.init(
      row: SwapRow(
        key: key, amountUSD: amountUSD, tokenAmount: tokenAmount, price: price, wallet: trader &- 1, side: side),
      token: token)
  }

  /// None yet: what is put in its place makes it one.
  package static let none = HeldSwap(
    key: OrderKey(timestamp: Timestamp(microseconds: 0), chain: 0, block: 0, logIndex: 0), token: 0, trader: 0,
    side: nil, amountUSD: .zero, tokenAmount: .zero, price: .zero)
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

/// Hands out the held events of a version, stretch of time by stretch of time. Tokens are looked for once, and their events
/// where the stretch before has ended.
package struct HeldEvents {
  private struct Swaps {
    var token: UInt32
    var view: SeriesView<SwapRow>
    var next: SeriesView<SwapRow>.Position
  }

  private struct Transfers {
    var token: UInt32
    var view: SeriesView<TransferRow>
    var next: SeriesView<TransferRow>.Position
  }

  private var swaps: [Swaps] = []
  private var transfers: [Transfers] = []
  /// Where each token's next event is the first one that is not before this.
  private var end = Timestamp(microseconds: .min)

  /// O(tokens), and the versions made since.
  package init(_ market: borrowing some MarketAnswers & ~Copyable) {
    let contents = market.contents
    for token in 0..<contents.tokenCount {
      let reference = contents.reference(token)
      let view = reference.swaps
      if !view.isEmpty { swaps.append(Swaps(token: UInt32(truncatingIfNeeded: token), view: view, next: view.start)) }
      guard reference.hasTransfers else { continue }
      let own = reference.view.transfers
      transfers.append(Transfers(token: UInt32(truncatingIfNeeded: token), view: own, next: own.start))
    }
  }

  /// Puts the events with `from` ≤ time < `end` in place of what was there, token by token. O(tokens + events), and
  /// O(tokens × log n) where it does not go on from the last ones.
  package mutating func take(
    from: Timestamp, before end: Timestamp, _ held: inout [HeldSwap], _ heldTransfers: inout [HeldTransfer]
  ) {
    held.removeAll(keepingCapacity: true)
    heldTransfers.removeAll(keepingCapacity: true)
    let goesOn = from == self.end
    self.end = end
    for index in swaps.indices {
      let (token, view) = (swaps[index].token, swaps[index].view)
      var position = goesOn ? swaps[index].next : view.lowerBound(from)
      while position != view.end, view.time(at: position) < end {
        let row = view.row(at: position)
        held.append(HeldSwap(row: row, token: token))
        position = view.after(position)
      }
      swaps[index].next = position
    }
    for index in transfers.indices {
      let (token, view) = (transfers[index].token, transfers[index].view)
      var position = goesOn ? transfers[index].next : view.lowerBound(from)
      while position != view.end {
        let row = view.row(at: position)
        guard row.key.timestamp < end else { break }
        heldTransfers.append(
          HeldTransfer(
            key: row.key, token: token, from: row.from, to: row.to, amount: row.amount, tokenID: row.tokenID))
        position = view.after(position)
      }
      transfers[index].next = position
    }
  }
}

extension MarketAnswers where Self: ~Copyable {
  /// The held swaps with `from` ≤ time < `end`, token by token. O(tokens × log n + swaps).
  package func heldSwaps(from: Timestamp, before end: Timestamp) -> [HeldSwap] {
    var (events, swaps, transfers): (HeldEvents, [HeldSwap], [HeldTransfer]) = (HeldEvents(self), [], [])
    events.take(from: from, before: end, &swaps, &transfers)
    return swaps
  }

  /// The held transfers with `from` ≤ time < `end`, token by token. O(tokens × log n + transfers).
  package func heldTransfers(from: Timestamp, before end: Timestamp) -> [HeldTransfer] {
    var (events, swaps, transfers): (HeldEvents, [HeldSwap], [HeldTransfer]) = (HeldEvents(self), [], [])
    events.take(from: from, before: end, &swaps, &transfers)
    return transfers
  }
}
