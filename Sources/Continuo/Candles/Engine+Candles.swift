// Candles as a reader asks for them: range, retention, filling, limit.
// Invariant: rows ascend; a filled row stands for a bucket without a swap; nothing is filled before the first served bucket
// or after the clock.
// Not here: the walk over buckets that have swaps (BucketCursor).
// Rules 4.4, 4.5, 6.6.

extension Engine {
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
    guard let clock = clock ?? self.clock else { return }
    let interval = query.interval
    let firstServed = firstServed(interval)
    let from = max(query.from ?? .first, firstServed)
    let to = query.to ?? Timestamp(microseconds: .max)
    guard from < to else { return }
    if query.fill == .none {
      try forEachTraded(token.index, query, from, to, clock, body)
    } else {
      try forEachFilled(token.index, query, firstServed, from, to, clock, body)
    }
  }

  /// The earliest start of a bucket that is served: its end is after `newest` − its retention. O(1).
  private func firstServed(_ interval: Interval) -> Timestamp {
    guard let policy = settings.retention, let newest else { return .first }
    return newest - policy.microseconds(interval) - interval.microseconds + 1
  }

  private func forEachTraded<Failure: Error>(
    _ token: Int, _ query: CandleQuery, _ from: Timestamp, _ to: Timestamp, _ clock: Timestamp,
    _ body: (CandleRow) throws(Failure) -> Void
  ) throws(Failure) {
    let interval = query.interval
    var start = from
    if let limit = query.limit {
      // The newest so many: their first bucket is found from the back.
      guard let first = BucketCursor.bucket(tokenStates[token], interval, nth: limit, before: to, from: from) else {
        return
      }
      start = first
    }
    var cursor = BucketCursor(tokenStates[token], interval, from: start)
    while let (bucket, candle) = cursor.advance(tokenStates[token]), bucket < to {
      try body(CandleRow(bucket: bucket, isClosed: interval.next(bucket) <= clock, candle: candle))
    }
  }

  private func forEachFilled<Failure: Error>(
    _ token: Int, _ query: CandleQuery, _ firstServed: Timestamp, _ from: Timestamp, _ to: Timestamp,
    _ clock: Timestamp, _ body: (CandleRow) throws(Failure) -> Void
  ) throws(Failure) {
    let interval = query.interval
    var served = BucketCursor(tokenStates[token], interval, from: firstServed)
    guard let (first, _) = served.advance(tokenStates[token]) else { return }
    // The last bucket starts before `to` and not after the clock; half of all instants is far enough for any clock, and
    // leaves room to count buckets.
    let last = interval.start(of: min(to - 1, clock, Timestamp(microseconds: .max / 2)))
    var bucket = BucketCursor.aligned(max(from, first), interval)
    guard bucket <= last else { return }
    if let limit = query.limit {
      let buckets = (last.microseconds - bucket.microseconds) / interval.microseconds + 1
      if buckets > limit { bucket = last - (Int64(limit) - 1) * interval.microseconds }
    }
    var cursor = BucketCursor(tokenStates[token], interval, from: bucket)
    var next = cursor.advance(tokenStates[token])
    var previousClose = query.fill == .previous ? close(token, interval, before: bucket) : nil
    while bucket <= last {
      var row = CandleRow(bucket: bucket, isClosed: interval.next(bucket) <= clock)
      if let (start, candle) = next, start == bucket {
        row.candle = candle
        if query.fill == .previous { previousClose = candle.close }
        next = cursor.advance(tokenStates[token])
      } else {
        row.previousClose = previousClose
      }
      try body(row)
      bucket = interval.next(bucket)
    }
  }

  /// The close of the last bucket before one, nil without any.
  private func close(_ token: Int, _ interval: Interval, before bucket: Timestamp) -> Decimal18? {
    guard let before = BucketCursor.bucket(tokenStates[token], interval, before: bucket) else { return nil }
    var cursor = BucketCursor(tokenStates[token], interval, from: before)
    return cursor.advance(tokenStates[token])?.candle.close
  }
}
