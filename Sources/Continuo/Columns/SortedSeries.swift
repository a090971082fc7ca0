// Rows in the order of their keys: packed chunks of what is at rest, and an open tail where new rows arrive. Late rows go
// anywhere. Raw events, identities and candles are all held like this.
// Invariant: as SeriesView; what a published version has of it is never written, only replaced.
// Not here: how a chunk is packed (PackedChunk), what rows mean (SwapRow, TransferRow, IdentityEntry, StoredCandle).

/// A series of rows in the order of their keys, as its one writer has it.
package struct SortedSeries<Row: PackedRow>: ~Copyable {
  package typealias Position = SeriesView<Row>.Position

  /// The greatest key, to tell what comes in order.
  package private(set) var lastKey: Row.Key?
  /// Rows behind all chunks, as they are.
  private var tail: ColumnHandle<Row>
  package private(set) var count = 0
  private var directory: ColumnHandle<DirectoryEntry<Row>>
  private let arena: Arena

  /// An empty series. O(1).
  ///
  /// - Parameter isShared: whether published versions have it.
  package init(_ arena: Arena, isShared: Bool = true) {
    self.arena = arena
    tail = ColumnHandle(arena, isShared: isShared)
    directory = ColumnHandle(arena, isShared: isShared)
  }

  /// The series as it is now, to be read until it is changed. O(1).
  @inline(__always)
  package var view: SeriesView<Row> { SeriesView(directory, tail, count: count) }

  @inline(__always)
  package var isEmpty: Bool { count == 0 }
  package var start: Position { view.start }
  package var end: Position { view.end }
  package func row(at position: Position) -> Row { view.row(at: position) }
  package func key(at position: Position) -> Row.Key { view.key(at: position) }
  package func after(_ position: Position) -> Position { view.after(position) }

  /// The position of the first row whose key is not before `key`. O(log n).
  @inline(__always)
  package func lowerBound(_ key: Row.Key) -> Position { view.lowerBound(key) }

  /// The position of the row with just this key, nil if there is none. O(log n).
  ///
  /// - Parameter chunk: where it is looked for first; under 0 where nobody knows.
  @inline(__always)
  package func find(_ key: Row.Key, near chunk: Int = -1) -> Position? {
    guard let lastKey, !(lastKey < key) else { return nil }
    return view.find(key, near: chunk)
  }

  /// Asks for the end of the tail, where rows come in.
  @inline(__always)
  func prefetchTail() { tail.prefetch(tail.count) }

  // MARK: changing

  /// Puts a row where its key belongs. O(1) amortised at the end, else O(chunk).
  ///
  /// - Parameters:
  ///   - row: what to put in.
  ///   - chunk: where its place is looked for first if it comes late; under 0 where nobody knows.
  /// - Precondition: no row has this key.
  @inline(__always)
  package mutating func insert(_ row: Row, near chunk: Int = -1) {
    if tail.count == tail.capacity { makeRoom() }
    // A row that is handed on to a call is put together in memory first: none is, it is written where it mostly belongs.
    tail.append(row)
    guard lastKey.map({ $0 < row.key }) ?? true else { return placeLast(near: chunk) }
    lastKey = row.key
    count += 1
  }

  /// Puts rows behind all others, for as long as each belongs there. O(rows) amortised.
  ///
  /// - Parameter row: makes a row.
  /// - Returns: how many: it ends before the first one that does not.
  @inline(__always)
  mutating func append(_ rows: Range<Int>, _ row: (Int) -> Row) -> Int {
    for index in rows {
      if tail.count == tail.capacity { makeRoom() }
      let next = row(index)
      guard lastKey.map({ $0 < next.key }) ?? true else { return index - rows.lowerBound }
      tail.append(next)
      lastKey = next.key
      count += 1
    }
    return rows.count
  }

  /// Puts the row that was written behind the tail where its key belongs.
  @inline(never)
  private mutating func placeLast(near chunk: Int) { insertLate(tail.removeLast(), near: chunk) }

  /// Puts a row that comes late at its place. O(chunk).
  ///
  /// - Precondition: `position` is the first one whose key is not before the row's, and that has another one.
  @inline(never)
  mutating func insert(_ row: Row, at position: Position) {
    insertLate(row, at: position, near: position.chunk)
  }

  /// Makes room in the tail: it grows by halves up to just its bound, since many series are short, and then is packed.
  @inline(never)
  private mutating func makeRoom() {
    let bound = Row.tailRowsMax(count)
    if tail.count >= bound { seal() }
    if tail.count == tail.capacity { tail.reserve(min(max(bound, tail.count + 1), max(4, tail.count * 2))) }
  }

  private mutating func insertLate(_ row: Row, at known: Position? = nil, near chunk: Int) {
    // Where the row goes is looked up behind the sealing, which moves the tail's rows.
    var known = known
    if tail.count >= Row.tailRowsMax(count) {
      seal()
      known = nil
    }
    var position = known ?? view.lowerBound(row.key, near: chunk)
    if position.chunk < directory.count, Row.isWorn(directory[position.chunk].chunk.count + 1, of: count) {
      split(position.chunk)
      position = view.lowerBound(row.key, near: position.chunk)
    }
    count += 1
    guard position.chunk < directory.count else {
      if tail.count == tail.capacity { makeRoom() }
      tail.insert(row, at: position.row)
      return
    }
    let old = directory[position.chunk].chunk
    let (chunkRows, lateRows) = (Row.chunkRows(count), Row.lateRows)
    // A chunk that has taken in more late rows than those it had room for will take in more.
    let room = old.count == chunkRows || old.count == lateRows ? old.count / 32 : lateRows / 4
    if let grown = old.inserting(row, at: position.row, room: room, arena) {
      put(grown, at: position.chunk)
    } else {
      rewrite(position.chunk, room: lateRows / 8) { $0.insert(row, at: position.row) }
    }
  }

  /// Cuts a worn chunk into short ones with room, packed as it was. O(bytes + rows + directory).
  private mutating func split(_ chunk: Int) {
    let old = directory[chunk].chunk
    let parts = max(2, old.count / Row.lateRows)
    directory.insert(directory[chunk], count: parts - 1, at: chunk)
    for part in 0..<parts {
      let rows = old.count * part / parts..<old.count * (part + 1) / parts
      directory[chunk + part] = DirectoryEntry(old.part(rows, room: Row.lateRows / 4, arena))
    }
    old.giveBack(arena)
  }

  /// Changes a row and keeps its key. O(1) in the tail, else O(chunk).
  @inline(__always)
  package mutating func update(_ position: Position, _ body: (inout Row) -> Void) {
    if position.chunk == directory.count { return body(&tail[position.row]) }
    let old = directory[position.chunk].chunk
    let held = old.row(at: position.row)
    var row = held
    body(&row)
    if let replaced = old.replacing(position.row, held, with: row, arena) {
      put(replaced, at: position.chunk)
    } else {
      rewrite(position.chunk, isChanging: true) { $0[position.row] = row }
    }
  }

  /// Takes out the rows with these keys and lends each one, the last first. O(keys × log n + bytes of their chunks).
  ///
  /// - Parameter keys: ascending.
  package mutating func remove(_ keys: [Row.Key], _ body: (Row) -> Void) {
    var gone = ColumnHandle<Int>(arena)
    var next = keys.count - 1
    // Their memory is asked for some keys at a time: they lie far apart.
    var asked = keys.count
    // From the back: a chunk that is emptied, or taken into its neighbour, moves those behind it.
    while next >= 0 {
      let view = view
      if next < asked { asked = view.prefetchRemovals(keys, before: asked) }
      let chunk = view.lowerBound(keys[next]).chunk
      gone.removeAll()
      while next >= 0, chunk == 0 || view.precedes(chunk - 1, keys[next]) {
        let found = view.lowerBound(keys[next], in: chunk)
        if found < view.rows(in: chunk), gone.isEmpty || gone[gone.count - 1] != found {
          let row = view.row(at: Position(chunk: chunk, row: found))
          if row.key == keys[next] {
            gone.append(found)
            body(row)
          }
        }
        next -= 1
        if next >= 0, next < asked { asked = view.prefetchRemovals(keys, before: asked) }
      }
      gone.reverse()
      if !gone.isEmpty { remove(gone.span, from: chunk) }
    }
    findLastKey()
  }

  /// Takes rows out of a chunk, or of the tail.
  ///
  /// - Parameter gone: ascending.
  private mutating func remove(_ gone: Span<Int>, from chunk: Int) {
    count -= gone.count
    guard chunk < directory.count else { return Self.remove(gone, from: &tail) }
    let old = directory[chunk].chunk
    if old.count - gone.count > Row.chunkRows(count) / 4 {
      put(old.removing(gone, arena), at: chunk)
    } else {
      rewrite(chunk) { Self.remove(gone, from: &$0) }
    }
  }

  private static func remove(_ gone: Span<Int>, from rows: inout ColumnHandle<Row>) {
    for index in stride(from: gone.count - 1, through: 0, by: -1) {
      rows.removeSubrange(gone[index]..<gone[index] + 1)
    }
  }

  /// Takes out every row from `position` on and lends each one, in order. O(rows taken out + chunk).
  package mutating func removeSuffix(from position: Position, _ body: (Row) -> Void) {
    let total = directory.count
    for chunk in position.chunk...total {
      for row in (chunk == position.chunk ? position.row : 0)..<view.rows(in: chunk) {
        body(self.row(at: Position(chunk: chunk, row: row)))
      }
    }
    guard position.chunk < total else {
      count -= tail.count - position.row
      tail.removeSubrange(position.row..<tail.count)
      return findLastKey()
    }
    count -= tail.count
    tail.removeAll()
    let kept = position.row > 0 ? position.chunk + 1 : position.chunk
    for chunk in kept..<total { count -= directory[chunk].chunk.count }
    removeChunks(kept..<total)
    if position.row > 0 {
      count -= directory[position.chunk].chunk.count - position.row
      rewrite(position.chunk) { $0.removeSubrange(position.row..<$0.count) }
    }
    findLastKey()
  }

  /// Takes out every row before `position` and lends each one, in order. O(rows taken out + chunk).
  package mutating func removePrefix(before position: Position, _ body: (Row) -> Void) {
    for chunk in 0..<position.chunk {
      let packed = directory[chunk].chunk
      for row in 0..<packed.count { body(packed.row(at: row)) }
      count -= packed.count
    }
    for row in 0..<position.row { body(self.row(at: Position(chunk: position.chunk, row: row))) }
    count -= position.row
    if position.row > 0 {
      if position.chunk < directory.count {
        rewrite(position.chunk) { $0.removeSubrange(0..<position.row) }
      } else {
        tail.removeSubrange(0..<position.row)
      }
    }
    removeChunks(0..<position.chunk)
    findLastKey()
  }

  /// Takes out every row for which `isGone` is true. O(n) in chunks that `mayHold` is true for.
  package mutating func removeAll(mayHold: (Row.Summary) -> Bool, where isGone: (Row) -> Bool) {
    var gone = ColumnHandle<Int>(arena)
    // From the back: a chunk that is rewritten may take in the next one.
    for chunk in stride(from: directory.count, through: 0, by: -1) {
      guard chunk >= directory.count || mayHold(directory[chunk].chunk.summary) else { continue }
      gone.removeAll()
      for row in 0..<view.rows(in: chunk) where isGone(self.row(at: Position(chunk: chunk, row: row))) {
        gone.append(row)
      }
      if !gone.isEmpty { remove(gone.span, from: chunk) }
    }
    findLastKey()
  }

  private mutating func findLastKey() { lastKey = view.lastKey }

  // MARK: chunks

  /// Packs the first rows of a full tail: a chunk of them, or half of a long one.
  private mutating func seal() {
    let chunkRows = Row.chunkRows(count)
    let rows = max(chunkRows, tail.count / 2 / chunkRows * chunkRows)
    for start in stride(from: 0, to: rows, by: chunkRows) {
      directory.append(DirectoryEntry(PackedChunk(tail.span.extracting(start..<start + chunkRows), arena)))
    }
    tail.removeSubrange(0..<rows)
  }

  /// Puts a changed chunk in its place. Versions share the directory: it is written only where it changes.
  @inline(__always)
  private mutating func put(_ chunk: PackedChunk<Row>, at index: Int) {
    let (old, new) = (directory[index], DirectoryEntry(chunk))
    if old.lastMajor != new.lastMajor || !old.chunk.isSame(as: chunk) { directory[index] = new }
  }

  private mutating func removeChunks(_ range: Range<Int>) {
    for chunk in range { directory[chunk].chunk.giveBack(arena) }
    directory.removeSubrange(range)
  }

  /// Unpacks a chunk, changes its rows, and packs them again, with the next when they are few.
  ///
  /// - Parameters:
  ///   - room: how many rows more are likely to come into each chunk.
  ///   - isChanging: whether its rows are likely to change again.
  private mutating func rewrite(
    _ chunk: Int, room: Int = 0, isChanging: Bool = false, _ body: (inout ColumnHandle<Row>) -> Void
  ) {
    var rows = ColumnHandle<Row>(arena)
    directory[chunk].chunk.unpack(into: &rows)
    body(&rows)
    let chunkRows = Row.chunkRows(count)
    let next = chunk + 1
    var replaced = 1
    if next < directory.count, rows.count + directory[next].chunk.count <= chunkRows / 2 {
      directory[next].chunk.unpack(into: &rows)
      replaced = 2
    }
    for index in chunk..<chunk + replaced { directory[index].chunk.giveBack(arena) }
    if !rows.isEmpty {
      directory[chunk] = DirectoryEntry(PackedChunk(rows.span, arena, room: room, isChanging: isChanging))
    }
    directory.removeSubrange(chunk + (rows.isEmpty ? 0 : 1)..<chunk + replaced)
  }
}
