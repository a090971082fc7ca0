// Bars of minutes: folded from swaps when they are asked for, column by column where they are packed.
// Invariant: every bucket with a swap comes once, ascending, as BucketCursor has it.
// Not here: hours (HourBars), candles that can be merged (BucketCursor), how swaps are added up (SwapColumns).

extension SeriesView where Row == SwapRow {
  /// The first swap of the earliest of the last `count` buckets that start before `bound`, the start of one, and not
  /// before `from`. O(buckets × log chunk + chunks).
  func first(_ interval: Interval, nth count: Int, before bound: Timestamp, from: Timestamp) -> Position {
    var position = lastKey.map { $0.timestamp < bound } ?? true ? end : lowerBound(bound)
    var (bucket, left, size) = (bound, count, 1)
    while let last = before(position) {
      let isOver =
        last.chunk < chunkCount
        ? goBack(chunk(last.chunk).words(SwapColumn.time), &position, last, &bucket, &left, &size, interval, from)
        : goBackTail(&position, last, &bucket, &left, interval, from)
      if isOver { break }
    }
    return position
  }

  /// Goes back through a chunk, from `last` on, bucket by bucket.
  ///
  /// - Returns: whether there are no more to go through.
  @inline(__always)
  private func goBack(
    _ times: WordColumn, _ position: inout Position, _ last: Position, _ bucket: inout Timestamp, _ left: inout Int,
    _ size: inout Int, _ interval: Interval, _ from: Timestamp
  ) -> Bool {
    var row = last.row + 1
    times.check(0..<row)
    while row > 0 {
      let time = Timestamp(microseconds: times.value(checked: row - 1))
      if time < bucket {
        let start = interval.start(of: time, before: bucket)
        guard left > 0, start >= from else {
          // Where nothing was passed here, it stays in the chunk behind.
          if row <= last.row { position = Position(chunk: last.chunk, row: row) }
          return true
        }
        (bucket, left) = (start, left - 1)
      }
      // A bucket has about as many swaps as its neighbour.
      let first = times.first(notUnder: bucket.microseconds, near: row - size)
      (size, row) = (row - first, first)
    }
    position = Position(chunk: last.chunk, row: 0)
    return false
  }

  @inline(__always)
  private func goBackTail(
    _ position: inout Position, _ last: Position, _ bucket: inout Timestamp, _ left: inout Int, _ interval: Interval,
    _ from: Timestamp
  ) -> Bool {
    var row = last.row + 1
    while row > 0 {
      let time = tailRow(row - 1).key.timestamp
      if time < bucket {
        let start = interval.start(of: time, before: bucket)
        guard left > 0, start >= from else {
          position = Position(chunk: last.chunk, row: row)
          return true
        }
        (bucket, left) = (start, left - 1)
      }
      row -= 1
    }
    position = Position(chunk: last.chunk, row: 0)
    return false
  }

  /// Lends the bars of the buckets that start before `end`, the start of one, from a swap on that is the first of its
  /// bucket. O(swaps).
  func forEachShortBar<Failure: Error>(
    _ interval: Interval, from first: Position, before end: Timestamp, _ clock: Timestamp,
    _ body: (Bar) throws(Failure) -> Void
  ) throws(Failure) {
    guard first < self.end else { return }
    var position = first
    var bucket = interval.start(of: time(at: first))
    var columns = SwapColumns()
    var size = 1
    while bucket < end {
      columns.enter(position.chunk, self)
      if position.chunk < chunkCount, columns.isShort {
        // The buckets that lie in this chunk whole.
        let times = chunk(position.chunk).words(SwapColumn.time)
        times.check(position.row..<times.count)
        while bucket < end {
          let next = interval.next(bucket)
          let behind = times.first(notUnder: next.microseconds, near: position.row + size)
          guard behind < times.count else { break }
          // Each bar is made where the body takes it: a copy would cost as much as it.
          try body(columns.bar(checked: position.row..<behind, bucket: bucket, isClosed: next <= clock))
          (size, position.row) = (behind - position.row, behind)
          bucket = interval.start(of: Timestamp(microseconds: times.value(checked: behind)), from: next)
        }
        guard bucket < end else { return }
      }
      let next = interval.next(bucket)
      var bar = Bar(bucket: bucket)
      bar.isClosed = next <= clock
      fold(&position, before: next, &size, &columns, into: &bar)
      try body(bar)
      guard position < self.end else { return }
      bucket = interval.start(of: time(at: position), from: next)
    }
  }

  /// Takes into `bar` the swaps from `position` on that come before `end`, and goes behind them. O(swaps).
  @inline(__always)
  private func fold(
    _ position: inout Position, before end: Timestamp, _ size: inout Int, _ columns: inout SwapColumns,
    into bar: inout Bar
  ) {
    while position.chunk < chunkCount {
      let packed = chunk(position.chunk)
      let times = packed.words(SwapColumn.time)
      let row = position.row
      let behind = times.first(notUnder: end.microseconds, near: row + size)
      if row < behind {
        size = behind - row
        columns.enter(position.chunk, self)
        if columns.isShort {
          columns.fold(row..<behind, into: &bar)
        } else {
          for row in row..<behind { bar.append(packed.row(at: row)) }
        }
      }
      guard behind == times.count else {
        position.row = behind
        return
      }
      position = Position(chunk: position.chunk + 1, row: 0)
    }
    while position.row < tailCount {
      let row = tailRow(position.row)
      guard row.key.timestamp < end else { return }
      bar.append(row)
      position.row += 1
    }
  }
}

extension Interval {
  /// The start of the bucket of an instant that lies before `bucket`, mostly in the one before.
  @inline(__always)
  fileprivate func start(of instant: Timestamp, before bucket: Timestamp) -> Timestamp {
    let near = bucket - microseconds
    return instant >= near ? near : start(of: instant)
  }

  /// The start of the bucket of an instant not before `bucket`, mostly in that one.
  @inline(__always)
  fileprivate func start(of instant: Timestamp, from bucket: Timestamp) -> Timestamp {
    instant.microseconds &- bucket.microseconds < microseconds ? bucket : start(of: instant)
  }
}
