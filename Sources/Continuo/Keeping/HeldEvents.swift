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

  package init(
    key: OrderKey, token: UInt32, trader: UInt32, side: Side?, amountUSD: Decimal18, tokenAmount: Decimal18,
    price: Decimal18
  ) {
    row = SwapRow(
      key: key, amountUSD: amountUSD, tokenAmount: tokenAmount, price: price, wallet: trader &- 1, side: side)
    self.token = token
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
    /// When the next swap happened; nil behind the last one. Most tokens have none in a stretch: nothing else of these is read.
    var time: Timestamp?

    /// Goes to the first swap that is not before an instant. O(log n).
    mutating func seek(_ from: Timestamp) {
      next = view.lowerBound(from)
      time = next == view.end ? nil : view.time(at: next)
    }

    /// Puts swaps from the next one on in place of what is there, up to an instant. O(swaps).
    mutating func take(before end: Timestamp, _ held: inout [HeldSwap], _ count: inout Int) {
      while let time, time < end {
        if next.chunk < view.chunkCount {
          let chunk = view.chunk(next.chunk)
          let last = chunk.copy(from: next.row, before: end, token, &held, &count)
          next = last < chunk.count ? .init(chunk: next.chunk, row: last) : .init(chunk: next.chunk + 1, row: 0)
        } else {
          held.makeRoom(count + 1)
          held[count].row = view.row(at: next)
          held[count].token = token
          count += 1
          next = view.after(next)
        }
        self.time = next == view.end ? nil : view.time(at: next)
      }
    }
  }

  private struct Transfers {
    var token: UInt32
    var view: SeriesView<TransferRow>
    var next: SeriesView<TransferRow>.Position
  }

  private var swaps: [Swaps] = []
  private var transfers: [Transfers] = []
  /// Where each token's next event is the first one that is not before this; nil before any was looked for.
  private var end: Timestamp?

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
    heldTransfers.removeAll(keepingCapacity: true)
    let goesOn = from == self.end
    self.end = end
    var count = 0
    for index in swaps.indices {
      if !goesOn { swaps[index].seek(from) }
      if let time = swaps[index].time, time < end { swaps[index].take(before: end, &held, &count) }
    }
    held.removeLast(held.count - count)
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

extension [HeldSwap] {
  /// Makes it so many long at least. What is there is written over field by field: memory that was made room for is used again.
  package mutating func makeRoom(_ wanted: Int) {
    if count < wanted { append(contentsOf: repeatElement(.none, count: Swift.max(wanted - count, count / 2, 1024))) }
  }
}

extension PackedChunk<SwapRow> {
  /// Puts swaps of a token, from a row on and before an instant, in place of others. O(swaps).
  ///
  /// - Returns: the first row that is not before the instant.
  fileprivate func copy(
    from first: Int, before end: Timestamp, _ token: UInt32, _ held: inout [HeldSwap], _ place: inout Int
  ) -> Int {
    let times = words(0)
    times.check(first..<count)
    var last = first
    while last < count, times.value(checked: last) < end.microseconds { last += 1 }
    let (blocks, places, traders) = (words(1), words(2), words(SwapColumn.trader))
    for column in [blocks, places, traders] { column.check(first..<last) }
    let amounts = column(SwapColumn.amountUSD)
    let (tokenAmounts, prices) = (column(SwapColumn.tokenAmount), column(SwapColumn.price))
    held.makeRoom(place + last - first)
    var own = held.mutableSpan
    for row in first..<last {
      own[place].row.key = OrderKey(
        timestamp: Timestamp(microseconds: times.value(checked: row)), block: blocks.value(checked: row),
        place: places.value(checked: row))
      let trader = traders.value(checked: row)
      own[place].row.wallet = SwapRow.wallet(trader)
      own[place].row.side = SwapRow.side(trader)
      own[place].row.amountUSD = Decimal18(units: amounts.value(row))
      own[place].row.tokenAmount = Decimal18(units: tokenAmounts.value(row))
      own[place].row.price = Decimal18(units: prices.value(row))
      own[place].token = token
      place += 1
    }
    return last
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
