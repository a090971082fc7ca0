// Rows in the order of their keys: packed chunks of what is at rest, and an open tail where new rows arrive. Late rows go
// anywhere. Raw events, identities and candles are all held like this.
// Invariant: keys ascend strictly through all chunks and then the tail; no chunk is empty; a chunk's last key and summary
// stand beside it.
// Not here: how a chunk is packed (PackedChunkHandle), what rows mean (SwapRow, TransferRow, IdentityEntry, StoredCandle).

/// A series of rows in the order of their keys.
package struct SortedSeries<Row: PackedRow>: ~Copyable {
  /// The greatest key, to tell what comes in order.
  package private(set) var lastKey: Row.Key?
  /// Rows behind all chunks, as they are.
  private(set) var tail = ColumnHandle<Row>()
  package private(set) var count = 0
  private var lastKeys = ColumnHandle<Row.Key>()
  private(set) var summaries = ColumnHandle<Row.Summary>()
  private(set) var chunks = SlotsHandle<PackedChunkHandle<Row>>()

  /// Where a row lies; the tail comes as one more chunk. The end is behind the tail's last row.
  package struct Position: Comparable {
    var chunk: Int
    var row: Int

    package static func < (left: Position, right: Position) -> Bool {
      left.chunk < right.chunk || left.chunk == right.chunk && left.row < right.row
    }
  }

  package init() {}

  package var isEmpty: Bool { count == 0 }
  package var start: Position { Position(chunk: 0, row: 0) }
  package var end: Position { Position(chunk: chunks.count, row: tail.count) }

  /// How many rows a chunk, or the tail, has. O(1).
  func rows(in chunk: Int) -> Int { chunk < chunks.count ? chunks[chunk].count : tail.count }

  /// The row at a position. O(columns).
  @inline(__always)
  package func row(at position: Position) -> Row {
    position.chunk < chunks.count ? chunks[position.chunk].row(at: position.row) : tail[position.row]
  }

  /// The key at a position. O(1).
  @inline(__always)
  package func key(at position: Position) -> Row.Key {
    position.chunk < chunks.count ? chunks[position.chunk].key(at: position.row) : tail[position.row].key
  }

  /// The position behind `position`. O(1).
  @inline(__always)
  package func after(_ position: Position) -> Position {
    position.chunk < chunks.count && position.row + 1 == chunks[position.chunk].count
      ? Position(chunk: position.chunk + 1, row: 0) : Position(chunk: position.chunk, row: position.row + 1)
  }

  /// The position before `position`, nil at the start. O(1).
  package func before(_ position: Position) -> Position? {
    if position.row > 0 { return Position(chunk: position.chunk, row: position.row - 1) }
    guard position.chunk > 0 else { return nil }
    return Position(chunk: position.chunk - 1, row: chunks[position.chunk - 1].count - 1)
  }

  /// The position `count` rows before `position`, nil where there are fewer. O(chunks stepped over).
  package func position(_ position: Position, back count: Int) -> Position? {
    var (chunk, left) = (position.chunk, count)
    var row = position.row
    while left > row {
      guard chunk > 0 else { return nil }
      left -= row
      chunk -= 1
      row = chunks[chunk].count
    }
    return Position(chunk: chunk, row: row - left)
  }

  /// The position of the first row whose key `holds`; that must not go back to false. O(log n).
  @inline(__always)
  package func first(where holds: (Row.Key) -> Bool) -> Position {
    let packed = chunks.count
    if packed == 0 || !holds(lastKeys[packed - 1]) {
      return Position(chunk: packed, row: Search.first(tail.count) { holds(tail[$0].key) })
    }
    let chunk = Search.first(packed) { holds(lastKeys[$0]) }
    return Position(chunk: chunk, row: Search.first(chunks[chunk].count) { holds(chunks[chunk].key(at: $0)) })
  }

  /// The position of the first row whose key is not before `key`. O(log n).
  @inline(__always)
  package func lowerBound(_ key: Row.Key) -> Position { first { !($0 < key) } }

  /// The position of the row with just this key, nil if there is none. O(log n).
  @inline(__always)
  package func find(_ key: Row.Key) -> Position? {
    guard let lastKey, !(lastKey < key) else { return nil }
    let position = lowerBound(key)
    return position != end && self.key(at: position) == key ? position : nil
  }

  /// Asks for the end of the tail, where rows come in and the last one is changed.
  @inline(__always)
  func prefetchTail() {
    tail.prefetch(tail.count - 1)
    tail.prefetch(tail.count)
  }

  // MARK: changing

  /// Puts a row where its key belongs. O(1) amortised at the end, else O(chunk).
  ///
  /// - Precondition: no row has this key.
  @inline(__always)
  package mutating func insert(_ row: Row) {
    guard lastKey.map({ $0 < row.key }) ?? true else { return insertLate(row) }
    if tail.count == Row.tailRowsMax { seal() }
    lastKey = row.key
    count += 1
    // Many series are short: a tail grows by halves up to just its bound.
    if tail.count == tail.capacity { tail.reserve(min(Row.tailRowsMax, max(4, tail.count * 2))) }
    tail.append(row)
  }

  private mutating func insertLate(_ row: Row) {
    // Where the row goes is looked up behind the sealing, which moves the tail's rows.
    if tail.count == Row.tailRowsMax { seal() }
    let position = lowerBound(row.key)
    change(position.chunk) { $0.insert(row, at: position.row) }
  }

  /// Changes a row and keeps its key. O(1) in the tail, else O(chunk).
  @inline(__always)
  package mutating func update(_ position: Position, _ body: (inout Row) -> Void) {
    if position.chunk == chunks.count { return body(&tail[position.row]) }
    change(position.chunk) { body(&$0[position.row]) }
  }

  /// Changes the last row and keeps its key. O(1).
  @inline(__always)
  mutating func updateLast(_ body: (inout Row) -> Void) {
    if !tail.isEmpty { return body(&tail[tail.count - 1]) }
    if let last = before(end) { update(last, body) }
  }

  /// Takes out the rows with these keys and lends each one. O(keys × log n + rows of their chunks).
  ///
  /// - Parameter keys: ascending.
  package mutating func remove(_ keys: [Row.Key], _ body: (Row) -> Void) {
    var next = keys.count - 1
    while next >= 0 {
      guard let position = find(keys[next]) else {
        next -= 1
        continue
      }
      let first = key(at: Position(chunk: position.chunk, row: 0))
      var low = next
      while low > 0, !(keys[low - 1] < first) { low -= 1 }
      var wanted = keys[low...next]
      sweep(position.chunk) { row in
        while let key = wanted.first, key < row.key { wanted.removeFirst() }
        guard wanted.first == row.key else { return false }
        body(row)
        return true
      }
      next = low - 1
    }
    findLastKey()
  }

  /// Takes out every row from `position` on and lends each one, in order. O(rows taken out + chunk).
  package mutating func removeSuffix(from position: Position, _ body: (Row) -> Void) {
    let total = chunks.count
    for chunk in position.chunk...total {
      for row in (chunk == position.chunk ? position.row : 0)..<rows(in: chunk) {
        body(self.row(at: Position(chunk: chunk, row: row)))
      }
    }
    if position.chunk < total { change(total) { $0.removeAll() } }
    let kept = position.row > 0 ? position.chunk + 1 : position.chunk
    if kept < total {
      for chunk in kept..<total { count -= chunks[chunk].count }
      removeChunks(kept..<total)
    }
    if position.row > 0 || position.chunk == total {
      change(position.chunk) { $0.removeSubrange(position.row..<$0.count) }
    }
    findLastKey()
  }

  /// Takes out every row before `position` and lends each one, in order. O(rows taken out + chunk).
  package mutating func removePrefix(before position: Position, _ body: (Row) -> Void) {
    for chunk in 0..<position.chunk {
      for row in 0..<chunks[chunk].count { body(chunks[chunk].row(at: row)) }
      count -= chunks[chunk].count
    }
    for row in 0..<position.row { body(self.row(at: Position(chunk: position.chunk, row: row))) }
    if position.row > 0 { change(position.chunk) { $0.removeSubrange(0..<position.row) } }
    removeChunks(0..<position.chunk)
    findLastKey()
  }

  /// Takes out every row for which `isGone` is true. O(n) in chunks that `mayHold` is true for.
  package mutating func removeAll(mayHold: (Row.Summary) -> Bool, where isGone: (Row) -> Bool) {
    // From the back: a chunk that is rewritten may take in the next one.
    for chunk in stride(from: chunks.count, through: 0, by: -1) where chunk == chunks.count || mayHold(summaries[chunk])
    {
      sweep(chunk, isGone)
    }
    findLastKey()
  }

  /// Takes out of a chunk, or of the tail, every row for which `isGone` is true. O(rows).
  private mutating func sweep(_ chunk: Int, _ isGone: (Row) -> Bool) {
    change(chunk) { rows in
      var kept = 0
      for row in 0..<rows.count where !isGone(rows[row]) {
        rows[kept] = rows[row]
        kept += 1
      }
      rows.removeSubrange(kept..<rows.count)
    }
  }

  private mutating func findLastKey() { lastKey = before(end).map { key(at: $0) } }

  // MARK: chunks

  /// Packs the first rows of a full tail: a chunk of them, or half of a long one.
  private mutating func seal() {
    let rows = max(Row.chunkRows, Row.tailRowsMax / 2)
    for start in stride(from: 0, to: rows, by: Row.chunkRows) {
      let sealed = start..<start + Row.chunkRows
      lastKeys.append(tail[sealed.upperBound - 1].key)
      summaries.append(Row.summary(tail.span.extracting(sealed)))
      chunks.append(PackedChunkHandle(tail.span.extracting(sealed)))
    }
    tail.removeSubrange(0..<rows)
  }

  private mutating func insertChunk(_ rows: Span<Row>, at index: Int) {
    lastKeys.insert(rows[rows.count - 1].key, at: index)
    summaries.insert(Row.summary(rows), at: index)
    chunks.insert(PackedChunkHandle(rows), at: index)
  }

  private mutating func removeChunks(_ range: Range<Int>) {
    lastKeys.removeSubrange(range)
    summaries.removeSubrange(range)
    chunks.removeSubrange(range)
  }

  /// Changes the rows of a chunk, or of the tail, and keeps count. A chunk is unpacked for it and packed again: in two
  /// when its rows are many, with the next when they are few.
  private mutating func change(_ chunk: Int, _ body: (inout ColumnHandle<Row>) -> Void) {
    let before = rows(in: chunk)
    guard chunk < chunks.count else {
      body(&tail)
      count += tail.count - before
      return
    }
    var rows = ColumnHandle<Row>()
    chunks[chunk].unpack(into: &rows)
    body(&rows)
    count += rows.count - before
    removeChunks(chunk..<chunk + 1)
    if chunk < chunks.count, rows.count + chunks[chunk].count <= Row.chunkRows / 2 {
      chunks[chunk].unpack(into: &rows)
      removeChunks(chunk..<chunk + 1)
    }
    if rows.count >= 2 * Row.chunkRows {
      insertChunk(rows.span.extracting(rows.count / 2..<rows.count), at: chunk)
      insertChunk(rows.span.extracting(0..<rows.count / 2), at: chunk)
    } else if !rows.isEmpty {
      insertChunk(rows.span, at: chunk)
    }
  }
}

/// What rows add up to that nobody sums up.
struct NoSummary: BitwiseCopyable {}

/// Binary search.
enum Search {
  /// The first index in 0..<count for which `holds` is true, `count` if there is none; `holds` must not go back to
  /// false. O(log count).
  @inline(__always)
  static func first(_ count: Int, where holds: (Int) -> Bool) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) >> 1
      if holds(middle) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
