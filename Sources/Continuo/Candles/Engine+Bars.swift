// Bars as a chart asks for them.
// Invariant: bar for bar what `forEachCandle` says.
// Not here: how hours (HourBars) and shorter intervals (ShortBars) are read.

extension MarketAnswers where Self: ~Copyable {
  /// Lends the bars of a token, ascending: what ``forEachCandle(of:_:clock:_:)`` says, faster, for those who do not merge.
  /// O(log n + rows); under 1h O(log n + swaps).
  ///
  /// - Parameters:
  ///   - token: a token of this engine.
  ///   - query: interval, range, filling and limit.
  ///   - clock: what time it is for `isClosed` and filling; nil is the engine's own ``clock``.
  ///   - body: is lent each bar; what it throws ends the walk.
  public func forEachBar<Failure: Error>(
    of token: TokenID, _ query: CandleQuery, clock: Timestamp? = nil, _ body: (Bar) throws(Failure) -> Void
  ) throws(Failure) {
    let contents = contents
    guard query.fill == .none, query.interval.microseconds <= Interval.oneHour.microseconds else {
      return try forEachCandle(of: token, query, clock: clock) { (row) throws(Failure) in try body(Bar(row)) }
    }
    guard let clock = clock ?? contents.clockState.now, let (from, to) = contents.range(query) else { return }
    let held = contents.token(token.index)
    guard let start = held.start(query, from, to) else { return }
    let first = BucketCursor.aligned(start, query.interval)
    if query.interval == .oneHour {
      try held.forEachHour(from: first, before: to, clock, body)
    } else {
      try held.forEachShortBar(query.interval, from: first, before: to, clock, body)
    }
  }
}
