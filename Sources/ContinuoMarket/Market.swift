// A market that a seed decides: swaps or transfers in the order of their delivery, as columns of plain values.
// Invariant: the same shape and seed give the same market on every machine; it is drawn whole, and never changes then.
// Not here: how values are drawn (SwapDraw, TransferDraw), the order of delivery (Delivery), text (MarketText).

package import Continuo

/// How a market is drawn.
package struct MarketShape: Equatable, Sendable {
  /// What happens in it.
  package enum Kind: Sendable { case swaps, transfers }
  /// In which order its events are delivered.
  package enum Order: Sendable {
    /// As they happen: 1 % come up to 10 minutes late, 0.01 % up to 3 hours.
    case arrival
    /// In no order: nearly every event is late.
    case random
  }
  /// How wallets are named.
  package enum Names: Sendable {
    /// `0`, `1` …
    case numbers
    /// Addresses of 20 bytes: 0x and forty hexadecimal digits.
    case addresses
  }

  package var kind = Kind.swaps
  /// How many events happen; repeats are not counted.
  package var events: Int
  package var tokens = 10_000
  package var days = 30
  package var seed: UInt64 = 7
  /// Which share of the events is delivered a second time, later.
  package var duplicates = 0.0
  /// Whether amounts have eighteen fractional digits, and no price is quoted, instead of eight and one.
  package var isWide = false
  package var order = Order.arrival
  /// Whether tokens and wallets are drawn uniformly instead of by popularity.
  package var isUniform = false
  package var wallets = 1_000_000
  package var names = Names.numbers

  /// Swaps of 10,000 tokens and up to a million wallets over 30 days, unless changed.
  package init(events: Int) { self.events = events }
}

/// A market, drawn whole.
///
///     let market = Market(MarketShape(events: 1_000_000))
///     var batch = EventBatch()
///     for rows in market.batches(of: 10_000) {
///       batch.removeAll()
///       market.append(rows, to: &batch)
///       try engine.apply(batch, wallClock: nil)
///     }
package struct Market: Sendable {
  package static let chain: UInt32 = 8453
  /// The number of the first block.
  package static let firstBlock: UInt64 = 20_000_000
  package static let blockMicroseconds: Int64 = 2_000_000
  /// 2024-11-01T00:00:00Z.
  package static let start = Timestamp(microseconds: 1_730_419_200_000_000)

  package let shape: MarketShape
  let columns: MarketColumns
  let tokenNames: NamePool
  let walletNames: NamePool

  /// Draws a market. O(events).
  package init(_ shape: MarketShape) {
    self.shape = shape
    var drawn = MarketColumns()
    switch shape.kind {
    case .swaps: SwapDraw.fill(&drawn, shape)
    case .transfers: TransferDraw.fill(&drawn, shape)
    }
    drawn.arrange(Delivery.order(of: drawn.blocks, shape))
    columns = drawn
    tokenNames = .tokens(shape.tokens)
    switch shape.names {
    case .numbers: walletNames = .numbers(shape.wallets)
    case .addresses: walletNames = .addresses(shape.wallets, seed: shape.seed)
    }
  }

  /// How many rows are delivered, repeats counted.
  package var count: Int { columns.blocks.count }

  /// The rows of each batch of `size`, in order of delivery.
  package func batches(of size: Int) -> [Range<Int>] {
    stride(from: 0, to: count, by: size).map { $0..<min($0 + size, count) }
  }

  // MARK: a row's fields

  /// The block of a row.
  package func block(_ row: Int) -> UInt64 { Self.firstBlock + UInt64(columns.blocks[row]) }

  /// The place of a row's event in its block.
  package func logIndex(_ row: Int) -> UInt32 { columns.logIndexes[row] }

  /// When a row's event happened.
  @inline(__always)
  package func timestamp(_ row: Int) -> Timestamp {
    Self.start + Int64(columns.blocks[row]) * Self.blockMicroseconds
  }

  /// The number of a row's token; the lower, the more popular.
  package func token(_ row: Int) -> Int { Int(columns.tokens[row]) }

  /// The name of a token.
  package func tokenName(_ token: Int) -> ByteString {
    ByteString(Array(tokenNames.bytes[tokenNames.place(UInt32(token))]))
  }

  /// The number of a row's wallet.
  package func wallet(_ row: Int) -> Int { Int(columns.wallets[row]) }

  /// Tokens drawn as the market's own rows draw them.
  package func popularity() -> WeightedPick {
    WeightedPick(count: shape.tokens, exponent: shape.isUniform ? 0 : SwapDraw.popularityExponent)
  }

  // MARK: into a batch

  /// So many rows ahead the memory of a wallet's name is asked for. Names that come from a wire have just been written:
  /// an engine is not to wait for them here.
  private static let rowsAhead = 16

  /// Adds rows to a batch, their names as bytes. O(rows).
  package func append(_ rows: Range<Int>, to batch: inout EventBatch) {
    switch shape.kind {
    case .swaps: appendSwaps(rows, to: &batch)
    case .transfers: appendTransfers(rows, to: &batch)
    }
  }

  private func appendSwaps(_ rows: Range<Int>, to batch: inout EventBatch) {
    let tokenBytes = tokenNames.bytes.span
    let walletBytes = walletNames.bytes.span
    for row in rows {
      if row + Self.rowsAhead < rows.upperBound { walletNames.prefetch(columns.wallets[row + Self.rowsAhead]) }
      batch.appendSwap(
        chain: Self.chain, block: Self.firstBlock + UInt64(columns.blocks[row]), logIndex: columns.logIndexes[row],
        timestamp: timestamp(row), token: tokenBytes.extracting(tokenNames.place(columns.tokens[row])),
        side: columns.sides[row] == 0 ? .buy : .sell, amountUSD: columns.money(row), tokenAmount: columns.amount(row),
        priceUSD: shape.isWide ? nil : columns.price(row),
        wallet: walletBytes.extracting(walletNames.place(columns.wallets[row])))
    }
  }

  private func appendTransfers(_ rows: Range<Int>, to batch: inout EventBatch) {
    let tokenBytes = tokenNames.bytes.span
    let walletBytes = walletNames.bytes.span
    let zeroAddress = walletBytes.extracting(0..<0)
    for row in rows {
      if row + Self.rowsAhead < rows.upperBound {
        walletNames.prefetch(columns.wallets[row + Self.rowsAhead])
        walletNames.prefetch(columns.takers[row + Self.rowsAhead])
      }
      let (giver, taker) = (columns.wallets[row], columns.takers[row])
      batch.appendTransfer(
        chain: Self.chain, block: Self.firstBlock + UInt64(columns.blocks[row]), logIndex: columns.logIndexes[row],
        timestamp: timestamp(row), token: tokenBytes.extracting(tokenNames.place(columns.tokens[row])),
        from: giver == MarketColumns.nobody ? zeroAddress : walletBytes.extracting(walletNames.place(giver)),
        to: taker == MarketColumns.nobody ? zeroAddress : walletBytes.extracting(walletNames.place(taker)),
        amount: columns.amount(row), tokenID: nil)
    }
  }
}
