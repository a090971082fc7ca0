// Asking ahead for the memory by which a place is found and written, step by step: the next step reads what this one asked
// for. Whoever has several places to find takes each step for all of them.
// Invariant: nothing is changed; the guesses are those of the search itself.
// Not here: finding a place (SeriesView, SeriesView+Search), for which rows it pays (LateRows, SortedSeries).

extension SeriesView {
  /// The first step: the ends of the directory, between which a chunk is guessed. O(1).
  @inline(__always)
  func prefetchDirectory() {
    prefetchEntry(0)
    prefetchEntry(chunkCount - 1)
  }

  /// The second: the part of the directory where a chunk should be. O(1).
  @inline(__always)
  func prefetchEntry(near major: Int64) {
    if chunkCount > 4 { prefetchEntry(guess(major)) }
  }

  /// The third: what a chunk says of itself. O(log chunks), and few steps where rows come evenly.
  ///
  /// - Returns: the chunk.
  @inline(__always)
  func prefetchHead(near major: Int64) -> Int {
    let chunk = chunk(notUnder: major)
    prefetchHead(chunk)
    return chunk
  }

  /// The last: where a row should be in each column of a chunk. O(columns), and O(bytes moved ÷ 64) where it is new.
  ///
  /// - Parameter isNew: whether it is about to be put in there.
  @inline(__always)
  func prefetchRow(near major: Int64, in chunk: Int, isNew: Bool) {
    guard chunk < chunkCount else { return }
    let entry = entry(chunk)
    let row = entry.chunk.guess(major, last: entry.lastMajor)
    let newMoves: MovedRows = entry.chunk.movesFront(row) ? .before : .behind
    entry.chunk.prefetchRow(row, moving: isNew ? newMoves : .none)
  }

  /// All steps for the last of some keys whose rows are taken out from the back: those behind the first of a chunk move.
  /// O(log chunks + columns) a key, O(bytes ÷ 64) a chunk.
  ///
  /// - Parameters:
  ///   - keys: ascending.
  ///   - end: the keys before this one were not asked for yet.
  /// - Returns: the first of those that are now.
  @inline(__always)
  func prefetchRemovals(_ keys: [Row.Key], before end: Int) -> Int {
    var chunks: [16 of Int] = .init(repeating: 0)
    let first = max(0, end - chunks.count)
    for index in first..<end { prefetchEntry(near: Row.major(keys[index])) }
    for index in first..<end { chunks[index - first] = prefetchHead(near: Row.major(keys[index])) }
    for index in first..<end where chunks[index - first] < chunkCount {
      let entry = entry(chunks[index - first])
      let row = entry.chunk.guess(Row.major(keys[index]), last: entry.lastMajor)
      let isFirst = index == first || chunks[index - first - 1] != chunks[index - first]
      entry.chunk.prefetchRow(row, moving: isFirst ? .behind : .none)
    }
    return first
  }
}
