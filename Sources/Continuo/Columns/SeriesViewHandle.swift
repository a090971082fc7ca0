// A series as one version has it: what is read, by the writer and by readers of published versions alike.
// Invariant: keys ascend strictly through all chunks and then the tail; no chunk is empty; nothing in it ever changes
// while anybody may read it.
// Not here: changing a series (SortedSeries), how long a version lives (Publication).

internal import CMemory

/// Rows in the order of their keys: packed chunks, and a tail of rows as they are.
@safe package struct SeriesView<Row: PackedRow>: BitwiseCopyable {
  private let directory: UnsafePointer<DirectoryEntry<Row>>?
  private let tail: UnsafePointer<Row>?
  private let chunks: Int32
  private let tailRows: Int32
  /// How many rows there are.
  package let count: Int

  /// Where a row lies; the tail comes as one more chunk. The end is behind the tail's last row.
  package struct Position: Comparable, BitwiseCopyable {
    var chunk: Int
    var row: Int

    @inline(__always)
    package static func < (left: Position, right: Position) -> Bool {
      left.chunk < right.chunk || left.chunk == right.chunk && left.row < right.row
    }
  }

  @inline(__always)
  init(_ directory: borrowing ColumnHandle<DirectoryEntry<Row>>, _ tail: borrowing ColumnHandle<Row>, count: Int) {
    // SAFETY: the columns lend their memory for as long as a version has it (ColumnHandle).
    unsafe self.directory = directory.memory
    unsafe self.tail = tail.memory
    chunks = Int32(truncatingIfNeeded: directory.count)
    tailRows = Int32(truncatingIfNeeded: tail.count)
    self.count = count
  }

  @inline(__always)
  package var isEmpty: Bool { count == 0 }
  @inline(__always)
  package var start: Position { Position(chunk: 0, row: 0) }
  @inline(__always)
  package var end: Position { Position(chunk: chunkCount, row: tailCount) }
  /// How many packed chunks there are. O(1).
  @inline(__always)
  package var chunkCount: Int { Int(chunks) }
  @inline(__always)
  var tailCount: Int { Int(tailRows) }

  @inline(__always)
  func entry(_ index: Int) -> DirectoryEntry<Row> {
    precondition(index >= 0 && index < chunkCount, "a series is read within its chunks")
    // SAFETY: the directory had `chunks` entries when the view was made, and they stay as they were (ColumnHandle).
    return unsafe directory.unsafelyUnwrapped[index]
  }

  /// A packed chunk. O(1).
  @inline(__always)
  package func chunk(_ index: Int) -> PackedChunk<Row> { entry(index).chunk }

  /// A row of the tail. O(1).
  @inline(__always)
  func tailRow(_ index: Int) -> Row {
    precondition(index >= 0 && index < tailCount, "a series is read within its tail")
    // SAFETY: the tail had `tailRows` rows when the view was made, and they stay as they were (ColumnHandle).
    return unsafe tail.unsafelyUnwrapped[index]
  }

  /// Asks for the memory of some rows of the tail. O(rows).
  @inline(__always)
  func prefetchTail(_ rows: Range<Int>) {
    let (first, end) = (rows.lowerBound * MemoryLayout<Row>.stride, rows.upperBound * MemoryLayout<Row>.stride)
    for place in stride(from: first, to: end, by: 64) {
      // SAFETY: a prefetch of any address is harmless; without rows there may be none.
      unsafe continuo_prefetch(UnsafeRawPointer(tail.unsafelyUnwrapped) + place)
    }
  }

  /// How many rows a chunk, or the tail, has. O(1).
  @inline(__always)
  func rows(in chunk: Int) -> Int { chunk < chunkCount ? self.chunk(chunk).count : tailCount }

  /// The row at a position. O(columns).
  @inline(__always)
  package func row(at position: Position) -> Row {
    position.chunk < chunkCount ? chunk(position.chunk).row(at: position.row) : tailRow(position.row)
  }

  /// The key at a position. O(1).
  @inline(__always)
  package func key(at position: Position) -> Row.Key {
    position.chunk < chunkCount ? chunk(position.chunk).key(at: position.row) : tailRow(position.row).key
  }

  /// The greatest key, nil without rows. O(1).
  @inline(__always)
  package var lastKey: Row.Key? {
    if tailCount > 0 { return tailRow(tailCount - 1).key }
    return chunkCount > 0 ? chunk(chunkCount - 1).lastKey : nil
  }

  /// The position behind `position`. O(1).
  @inline(__always)
  package func after(_ position: Position) -> Position {
    position.chunk < chunkCount && position.row + 1 == chunk(position.chunk).count
      ? Position(chunk: position.chunk + 1, row: 0) : Position(chunk: position.chunk, row: position.row + 1)
  }

  /// The position before `position`, nil at the start. O(1).
  package func before(_ position: Position) -> Position? {
    if position.row > 0 { return Position(chunk: position.chunk, row: position.row - 1) }
    guard position.chunk > 0 else { return nil }
    return Position(chunk: position.chunk - 1, row: chunk(position.chunk - 1).count - 1)
  }

  /// The position `count` rows before `position`, nil where there are fewer. O(chunks stepped over).
  package func position(_ position: Position, back count: Int) -> Position? {
    var (chunk, left) = (position.chunk, count)
    var row = position.row
    while left > row {
      guard chunk > 0 else { return nil }
      left -= row
      chunk -= 1
      row = self.chunk(chunk).count
    }
    return Position(chunk: chunk, row: row - left)
  }

  /// The position of the first row whose key is not before `key`. O(log n).
  ///
  /// - Parameter chunk: where it is looked for first; under 0 where nobody knows.
  @inline(__always)
  package func lowerBound(_ key: Row.Key, near chunk: Int = -1) -> Position {
    let chunk = chunkCount == 0 || precedes(chunkCount - 1, key) ? chunkCount : firstChunk(key, near: chunk)
    return Position(chunk: chunk, row: lowerBound(key, in: chunk))
  }

  /// The first row of a chunk, or of the tail, whose key is not before `key`; their count if there is none. O(log rows).
  @inline(__always)
  func lowerBound(_ key: Row.Key, in chunk: Int) -> Int {
    guard chunk < chunkCount else { return Search.first(tailCount) { !(tailRow($0).key < key) } }
    let entry = entry(chunk)
    return entry.chunk.lowerBound(key, last: entry.lastMajor)
  }

  /// The first chunk that does not end before `key`.
  @inline(__always)
  private func firstChunk(_ key: Row.Key, near chunk: Int) -> Int {
    if chunk >= 0, chunk < chunkCount, !precedes(chunk, key), chunk == 0 || precedes(chunk - 1, key) { return chunk }
    return Search.first(chunkCount, near: chunk < 0 ? guess(Row.major(key)) : chunk) { !precedes($0, key) }
  }

  /// The chunk where a major would be if rows came evenly; there is a chunk. O(1).
  @inline(__always)
  func guess(_ major: Int64) -> Int {
    Search.guess(major, from: entry(0).lastMajor, to: entry(chunkCount - 1).lastMajor, chunkCount)
  }

  /// Asks for the memory of an entry of the directory, which need not be there. O(1).
  @inline(__always)
  func prefetchEntry(_ index: Int) {
    // SAFETY: a prefetch of any address is harmless; nothing is read here.
    if let directory = unsafe directory { unsafe continuo_prefetch(UnsafeRawPointer(directory + index)) }
  }

  /// Whether all rows of a chunk come before `key`. O(1).
  @inline(__always)
  func precedes(_ chunk: Int, _ key: Row.Key) -> Bool {
    let entry = entry(chunk)
    let major = Row.major(key)
    return entry.lastMajor == major ? entry.chunk.lastKey < key : entry.lastMajor < major
  }

  /// The position of the row with just this key, nil if there is none. O(log n).
  ///
  /// - Parameter chunk: where it is looked for first; under 0 where nobody knows.
  @inline(__always)
  package func find(_ key: Row.Key, near chunk: Int = -1) -> Position? {
    let position = lowerBound(key, near: chunk)
    return position != end && self.key(at: position) == key ? position : nil
  }
}

/// A chunk, and by which majors it is found without looking into it.
struct DirectoryEntry<Row: PackedRow>: BitwiseCopyable {
  var lastMajor: Int64
  var chunk: PackedChunk<Row>

  init(_ chunk: PackedChunk<Row>) {
    lastMajor = Row.major(chunk.lastKey)
    self.chunk = chunk
  }
}

// SAFETY: what a view refers to does not change, and outlives who may read it (Arena).
extension SeriesView: @unchecked Sendable {}

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
