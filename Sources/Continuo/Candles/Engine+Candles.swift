// Candles as a reader asks for them: range, retention, filling, limit.
// Invariant: rows ascend; a filled row stands for a bucket without a swap; nothing is filled before the first served bucket
// or after the clock.
// Not here: the walk over buckets that have swaps (BucketCursor).
// Rules 4.4, 4.5, 6.6.

extension MarketAnswers where Self: ~Copyable {
  /// Lends the candles of a token, ascending. O(log n + rows).
  ///
  /// - Parameters:
  ///   - token: a token of this engine.
  ///   - query: interval, range, filling and limit.
  ///   - clock: what time it is for `isClosed` and filling; nil is the engine's own ``clock``.
  ///   - body: is lent each row; what it throws ends the walk.
  public func forEachCandle<Failure: Error>(
    of token: TokenID, _ query: CandleQuery, clock: Timestamp? = nil, _ body: (CandleRow) throws(Failure) -> Void
  ) throws(Failure) {
    let contents = contents
    guard let clock = clock ?? contents.clockState.now, let (from, to) = contents.range(query) else { return }
    let held = contents.token(token.index)
    if query.fill == .none {
      try held.forEachTraded(query, from, to, clock, body)
    } else {
      try held.forEachFilled(query, contents.firstServed(query.interval), from, to, clock, body)
    }
  }
}

extension MarketAnswers where Self: ~Copyable {
  /// No bucket that starts before is served. O(1).
  package func firstServed(_ interval: Interval) -> Timestamp { contents.firstServed(interval) }
}

extension EngineContents {
  /// The earliest start of a bucket that is served: its end is after `newest` − its retention. O(1).
  package func firstServed(_ interval: Interval) -> Timestamp {
    guard let retention, let newest = clockState.newest else { return .first }
    return newest - retention.microseconds(interval) - interval.microseconds + 1
  }

  /// Between which instants the buckets start that a query asks for and that are served; nil without any. O(1).
  func range(_ query: CandleQuery) -> (from: Timestamp, to: Timestamp)? {
    let from = max(query.from ?? .first, firstServed(query.interval))
    let to = query.to ?? Timestamp(microseconds: .max)
    return query.limit ?? 1 > 0 && from < to ? (from, to) : nil
  }
}

extension TokenView {
  /// Where a walk over traded buckets begins: at `from`, or at the first of the newest so many; nil without any.
  func start(_ query: CandleQuery, _ from: Timestamp, _ to: Timestamp) -> Timestamp? {
    guard let limit = query.limit else { return from }
    // Their first bucket is found from the back.
    return BucketCursor.bucket(self, query.interval, nth: limit, before: to, from: from)
  }

  fileprivate func forEachTraded<Failure: Error>(
    _ query: CandleQuery, _ from: Timestamp, _ to: Timestamp, _ clock: Timestamp,
    _ body: (CandleRow) throws(Failure) -> Void
  ) throws(Failure) {
    let interval = query.interval
    guard let start = start(query, from, to) else { return }
    var cursor = BucketCursor(self, interval, from: start)
    while let (bucket, candle) = cursor.advance(self), bucket < to {
      try body(CandleRow(bucket: bucket, isClosed: interval.next(bucket) <= clock, candle: candle))
    }
  }

  fileprivate func forEachFilled<Failure: Error>(
    _ query: CandleQuery, _ firstServed: Timestamp, _ from: Timestamp, _ to: Timestamp, _ clock: Timestamp,
    _ body: (CandleRow) throws(Failure) -> Void
  ) throws(Failure) {
    let interval = query.interval
    var served = BucketCursor(self, interval, from: firstServed)
    guard let first = served.start(self) else { return }
    // The last bucket starts before `to`, not after the clock, and not after the last instant there is.
    let last = interval.start(of: min(to - 1, clock, .last))
    var bucket = BucketCursor.aligned(max(from, first), interval)
    guard bucket <= last else { return }
    if let limit = query.limit {
      let buckets = (last.microseconds - bucket.microseconds) / interval.microseconds + 1
      if buckets > limit { bucket = last - (Int64(limit) - 1) * interval.microseconds }
    }
    var cursor = BucketCursor(self, interval, from: bucket)
    var next = cursor.advance(self)
    var previousClose = query.fill == .previous ? close(interval, before: bucket) : nil
    while bucket <= last {
      var row = CandleRow(bucket: bucket, isClosed: interval.next(bucket) <= clock)
      if let (start, candle) = next, start == bucket {
        row.candle = candle
        if query.fill == .previous { previousClose = candle.close }
        next = cursor.advance(self)
      } else {
        row.previousClose = previousClose
      }
      try body(row)
      bucket = interval.next(bucket)
    }
  }

  /// The close of the last bucket before one, nil without any.
  private func close(_ interval: Interval, before bucket: Timestamp) -> Decimal18? {
    guard let before = BucketCursor.bucket(self, interval, before: bucket) else { return nil }
    var cursor = BucketCursor(self, interval, from: before)
    return cursor.advance(self)?.candle.close
  }
}
