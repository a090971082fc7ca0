// Which swaps made a candle's four prices.
// Invariant: among equal prices the smallest in order is named.
// Not here: the candle itself (Engine+Candles).
// Rules 5.6.

extension MarketAnswers where Self: ~Copyable {
  /// The swaps that made a candle's open, high, low and close. O(log n + raw events of the bucket).
  ///
  /// - Parameters:
  ///   - token: a token of this engine.
  ///   - interval: how long the candle is.
  ///   - bucket: the start of a bucket of `interval`; any other instant is taken for the bucket that starts there.
  /// - Returns: four rows, or none where the bucket has no swap.
  /// - Throws: ``Refusal/outsideRetention(asked:horizon:)`` where the bucket starts below the horizon and anything was
  ///   dropped.
  public func explain(_ token: TokenID, _ interval: Interval, bucket: Timestamp) throws(Refusal) -> [Explanation] {
    let contents = contents
    try contents.requireHeld(from: bucket)
    var found: (open: SwapRow, high: SwapRow, low: SwapRow, close: SwapRow)?
    contents.token(token.index).swaps.visit(from: bucket, before: interval.next(bucket)) { row in
      guard var four = found else {
        found = (row, row, row, row)
        return
      }
      if four.high.price < row.price { four.high = row }
      if row.price < four.low.price { four.low = row }
      four.close = row
      found = four
    }
    guard let found else { return [] }
    return [(.open, found.open), (.high, found.high), (.low, found.low), (.close, found.close)].map { role, row in
      Explanation(role: role, price: row.price, key: row.key)
    }
  }
}
