// Asking ahead for the memory by which a place is found and written, step by step: the next step reads what this one asked
// for. Whoever has several places to find takes each step for all of them.
// Invariant: nothing is changed; the guesses are those of the search itself.
// Not here: finding a place (SeriesView, SeriesView+Search), for which rows it pays (LateRows).

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
    entry.chunk.prefetchRow(entry.chunk.guess(major, last: entry.lastMajor), isNew: isNew)
  }
}
