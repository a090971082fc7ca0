// All raw events of one token and one kind, in order, in chunks; late events go anywhere.
// Invariant: chunks are never empty; keys ascend strictly within a chunk and from chunk to chunk.
// Not here: identity (IdentityIndex), what the rows add up to (SwapSeries, Balances).

/// The raw events of one kind of a token, in order.
struct EventSeries<Payload: EventColumns & ~Copyable>: ~Copyable {
  private(set) var chunks = SlotsHandle<EventChunk<Payload>>()
  private(set) var count = 0

  /// Where a row lies; the end is `(chunks.count, 0)`.
  struct Position: Equatable {
    var chunk: Int
    var row: Int
  }

  var end: Position { Position(chunk: chunks.count, row: 0) }

  /// The smallest timestamp. O(1).
  var firstTimestamp: Timestamp? { count == 0 ? nil : chunks[0].firstKey.timestamp }

  /// The greatest key. O(1).
  var lastKey: OrderKey? { count == 0 ? nil : chunks[chunks.count - 1].lastKey }

  /// The row at a position. O(1).
  func row(at position: Position) -> Payload.Row { chunks[position.chunk].row(at: position.row) }

  /// The position of the first row whose key is not before `key`. O(log n).
  func lowerBound(_ key: OrderKey) -> Position {
    let chunk = Search.first(chunks.count) { !(chunks[$0].lastKey < key) }
    return chunk == chunks.count ? end : Position(chunk: chunk, row: chunks[chunk].keys.lowerBound(key))
  }

  /// The position of the first row whose time is not before `timestamp`. O(log n).
  func lowerBound(_ timestamp: Timestamp) -> Position {
    let chunk = Search.first(chunks.count) { !(chunks[$0].lastKey.timestamp < timestamp) }
    return chunk == chunks.count ? end : Position(chunk: chunk, row: chunks[chunk].keys.lowerBound(timestamp))
  }

  /// The position behind `position`. O(1).
  func after(_ position: Position) -> Position {
    position.row + 1 < chunks[position.chunk].count
      ? Position(chunk: position.chunk, row: position.row + 1) : Position(chunk: position.chunk + 1, row: 0)
  }

  /// The last row before `position`, nil at the start. O(1).
  func row(before position: Position) -> Payload.Row? {
    if position.row > 0 { return chunks[position.chunk].row(at: position.row - 1) }
    guard position.chunk > 0 else { return nil }
    return chunks[position.chunk - 1].row(at: chunks[position.chunk - 1].count - 1)
  }

  /// The row with just this key, nil if there is none. O(log n).
  func find(_ key: OrderKey) -> Payload.Row? {
    let position = lowerBound(key)
    guard position != end else { return nil }
    let row = row(at: position)
    return row.key == key ? row : nil
  }

  /// Puts a row where its key belongs. O(1) at the end, else O(chunk).
  ///
  /// - Precondition: no row has this key.
  mutating func insert(_ row: Payload.Row) {
    count += 1
    let key = row.key
    var index = chunks.count - 1
    if index < 0 || chunks[index].lastKey < key {
      if index < 0 || chunks[index].count == Limits.chunkRowsMax {
        chunks.append(EventChunk())
        index += 1
      }
      return chunks[index].insert(row, at: chunks[index].count)
    }
    // The full key decides: a row equal in time to a chunk's first one may belong to the chunk before.
    index = Search.first(chunks.count) { !(chunks[$0].lastKey < key) }
    if chunks[index].count == Limits.chunkRowsMax {
      let upper = chunks[index].split(at: Limits.chunkRowsMax / 2)
      chunks.insert(upper, at: index + 1)
      if chunks[index].lastKey < key { index += 1 }
    }
    let slot = chunks[index].keys.lowerBound(key)
    chunks[index].insert(row, at: slot)
  }

  /// Takes out the rows with these keys and lends each one. O(keys × log n + rows of their chunks).
  ///
  /// - Parameter keys: ascending.
  mutating func remove(_ keys: [OrderKey], _ body: (Payload.Row) -> Void) {
    var next = keys.count - 1
    while next >= 0 {
      let position = lowerBound(keys[next])
      guard position != end else {
        next -= 1
        continue
      }
      next = removeFromChunk(position.chunk, keys, upTo: next, body)
      if chunks[position.chunk].count == 0 {
        chunks.removeSubrange(position.chunk..<position.chunk + 1)
      } else {
        chunks[position.chunk].summarize()
        joinSparse(position.chunk)
      }
    }
  }

  /// Takes out of one chunk what is in it of keys 0...last, from the back; the index of the key to go on with.
  private mutating func removeFromChunk(
    _ chunk: Int, _ keys: [OrderKey], upTo last: Int, _ body: (Payload.Row) -> Void
  ) -> Int {
    var next = last
    let first = chunks[chunk].firstKey
    while next >= 0, !(keys[next] < first) {
      let slot = chunks[chunk].keys.lowerBound(keys[next])
      var low = slot
      if slot < chunks[chunk].count, chunks[chunk].keys.key(at: slot) == keys[next] {
        body(chunks[chunk].row(at: slot))
        // A run of neighbours leaves in one move.
        while next > 0, low > 0, chunks[chunk].keys.key(at: low - 1) == keys[next - 1] {
          next -= 1
          low -= 1
          body(chunks[chunk].row(at: low))
        }
        chunks[chunk].removeSubrange(low..<slot + 1)
        count -= slot + 1 - low
      }
      next -= 1
      if chunks[chunk].count == 0 { break }
    }
    return next
  }

  private mutating func joinSparse(_ chunk: Int) {
    guard chunk + 1 < chunks.count, chunks[chunk].count + chunks[chunk + 1].count <= Limits.chunkRowsMax / 2 else {
      return
    }
    var next = EventChunk<Payload>()
    swap(&next, &chunks[chunk + 1])
    chunks.removeSubrange(chunk + 1..<chunk + 2)
    chunks[chunk].absorb(&next)
  }

  /// Takes out all rows before `timestamp` and lends each one, in order. O(rows taken out + one chunk).
  mutating func removeAll(before timestamp: Timestamp, _ body: (Payload.Row) -> Void) {
    let bound = lowerBound(timestamp)
    for chunk in 0..<bound.chunk {
      for row in 0..<chunks[chunk].count { body(chunks[chunk].row(at: row)) }
      count -= chunks[chunk].count
    }
    if bound.row > 0 {
      for row in 0..<bound.row { body(chunks[bound.chunk].row(at: row)) }
      count -= bound.row
      chunks[bound.chunk].removeSubrange(0..<bound.row)
      chunks[bound.chunk].summarize()
    }
    chunks.removeSubrange(0..<bound.chunk)
  }
}
