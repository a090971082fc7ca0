// The swaps that are held, one by one, as a list of trades shows them.
// Invariant: newest first, in the order of their keys; what was dropped below the horizon is not among them.
// Not here: what swaps add up to (Candles, Windows), which columns a list has (ContinuoFormats).

/// One held swap.
public struct Trade: Equatable, Sendable {
  /// Where it stands among all swaps.
  public var key: OrderKey
  /// Which way it went; nil where the source did not say.
  public var side: Side?
  /// Who traded; nil where the source did not say.
  public var wallet: ByteString?
  /// The money that changed hands.
  public var amountUSD: Decimal18
  /// How much of the token changed hands; nil where the source did not say.
  public var tokenAmount: Decimal18?
  /// The price of one whole token.
  public var priceUSD: Decimal18
}

extension MarketAnswers where Self: ~Copyable {
  /// The newest held swaps of a token, newest first. O(log n + limit).
  ///
  /// - Parameters:
  ///   - token: a token of this engine.
  ///   - key: only swaps before this one; nil: all.
  ///   - limit: at most so many; none where it is under 1.
  public func trades(of token: TokenID, before key: OrderKey? = nil, limit: Int) -> [Trade] {
    let contents = contents
    let swaps = contents.token(token.index).swaps
    var position = key.map { swaps.lowerBound($0) } ?? swaps.end
    var trades: [Trade] = []
    while trades.count < limit, let before = swaps.before(position) {
      position = before
      let row = swaps.row(at: position)
      trades.append(
        Trade(
          key: row.key, side: row.side,
          wallet: row.wallet == SwapRow.absentWallet ? nil : contents.addressNames.byteString(Int(row.wallet)),
          amountUSD: row.amountUSD, tokenAmount: row.tokenAmount == .zero ? nil : row.tokenAmount, priceUSD: row.price))
    }
    return trades
  }

  /// Which events of a kind are held of a token, ascending. O(events).
  package func heldKeys(of kind: EventKind, token: TokenID) -> [OrderKey] {
    let state = contents.token(token.index)
    return kind == .swap ? Self.keys(state.swaps) { $0.key } : Self.keys(state.transfers) { $0.key }
  }

  private static func keys<Row>(_ series: SeriesView<Row>, _ key: (Row) -> OrderKey) -> [OrderKey] {
    var (keys, position): ([OrderKey], SeriesView<Row>.Position) = ([], series.start)
    while position != series.end {
      keys.append(key(series.row(at: position)))
      position = series.after(position)
    }
    return keys
  }
}
