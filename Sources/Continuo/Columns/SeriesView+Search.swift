// Finding a place by time alone, step by step, so that whoever looks for several can ask for all their memory at once.
// Invariant: the same places as `lowerBound` finds for the least key of a time.
// Not here: finding whole keys (SeriesView), what lies there.

extension SeriesView {
  /// The chunk with the first row whose major is not under `major`; the tail comes as one more. O(log chunks), and few
  /// steps where rows come evenly.
  @inline(__always)
  func chunk(notUnder major: Int64) -> Int {
    guard chunkCount > 0 else { return 0 }
    return chunk(notUnder: major, near: guess(major))
  }

  /// The same, looked for around chunk `guess`.
  @inline(__always)
  func chunk(notUnder major: Int64, near guess: Int) -> Int {
    Search.first(chunkCount, near: guess) { entry($0).lastMajor >= major }
  }

  /// The first row whose major is not under `major`, in the chunk where it is. O(log rows).
  @inline(__always)
  func position(notUnder major: Int64, in chunk: Int) -> Position {
    guard chunk < chunkCount else {
      return Position(chunk: chunk, row: Search.first(tailCount) { Row.major(tailRow($0).key) >= major })
    }
    let entry = entry(chunk)
    return Position(chunk: chunk, row: entry.chunk.column(0).firstRow(notUnder: major, last: entry.lastMajor))
  }

  /// The rows from `row` on in one chunk, or in the tail, whose majors are under `bound`; at most `count`. O(rows).
  @inline(__always)
  func rows(from row: Int, in chunk: Int, most count: Int, under bound: Int64) -> Range<Int> {
    var end = row
    if chunk < chunkCount {
      let majors = self.chunk(chunk).words(0)
      let last = count < majors.count - row ? row + count : majors.count
      majors.check(row..<last)
      while end < last, majors.value(checked: end) < bound { end += 1 }
    } else {
      let last = count < tailCount - row ? row + count : tailCount
      while end < last, Row.major(tailRow(end).key) < bound { end += 1 }
    }
    return row..<end
  }

  /// The rows up to `row` in one chunk, or in the tail, whose majors are not under `bound`; at most `count`. O(rows).
  @inline(__always)
  func rows(to row: Int, in chunk: Int, most count: Int, notUnder bound: Int64) -> Range<Int> {
    var start = row
    let first = count < row ? row - count : 0
    if chunk < chunkCount {
      let majors = self.chunk(chunk).words(0)
      majors.check(first..<row)
      while start > first, majors.value(checked: start - 1) >= bound { start -= 1 }
    } else {
      while start > first, Row.major(tailRow(start - 1).key) >= bound { start -= 1 }
    }
    return start..<row
  }

  /// The rows from `row` on in one chunk, or in the tail, whose majors are `step` apart; at least one, at most `count`.
  /// O(rows), O(1) where all of them are.
  @inline(__always)
  func evenRows(from row: Int, in chunk: Int, most count: Int, apart step: Int64) -> Range<Int> {
    let rows = rows(in: chunk)
    let last = count < rows - row ? row + count : rows
    if chunk < chunkCount {
      let majors = self.chunk(chunk).words(0)
      return row..<Search.evenEnd(row, last, apart: step) { majors[$0] }
    }
    return row..<Search.evenEnd(row, last, apart: step) { Row.major(tailRow($0).key) }
  }

  /// The same of the rows up to `row`.
  @inline(__always)
  func evenRows(to row: Int, in chunk: Int, most count: Int, apart step: Int64) -> Range<Int> {
    let first = count < row ? row - count : 0
    let (last, length) = (row - 1, row - first)
    if chunk < chunkCount {
      let majors = self.chunk(chunk).words(0)
      return row - Search.evenEnd(0, length, apart: -step) { majors[last - $0] }..<row
    }
    return row - Search.evenEnd(0, length, apart: -step) { Row.major(tailRow(last - $0).key) }..<row
  }

  /// The position so many rows ahead, back where it is under zero; the start or the end where there are fewer. O(chunks
  /// stepped over).
  @inline(__always)
  func position(_ position: Position, ahead count: Int) -> Position {
    if count < 0 { return self.position(position, back: -count) ?? start }
    var position = Position(chunk: position.chunk, row: position.row + count)
    while position.chunk < chunkCount {
      let rows = chunk(position.chunk).count
      guard position.row >= rows else { break }
      position = Position(chunk: position.chunk + 1, row: position.row - rows)
    }
    return position < end ? position : end
  }

  /// Asks for the memory that a walk back from the end reads first. O(1).
  @inline(__always)
  func prefetchEnd() {
    prefetchTail(max(0, tailCount - 8)..<tailCount)
    if chunkCount > 0 { prefetchHead(chunkCount - 1) }
  }

  /// Asks for the memory that a walk from the start reads first. O(1).
  @inline(__always)
  func prefetchStart() {
    prefetchTail(0..<min(8, tailCount))
    for chunk in 0..<min(2, chunkCount) { prefetchHead(chunk) }
  }

  /// Asks for the memory that a walk on reads next where it comes to the first row of a chunk, or in the tail. O(rows).
  @inline(__always)
  func prefetch(from position: Position) {
    guard position.chunk < chunkCount else {
      return prefetchTail(position.row..<min(position.row + 4, tailCount))
    }
    guard position.row == 0 else { return }
    prefetchHead(position.chunk + 1)
    chunk(position.chunk).prefetchOffsets()
  }

  /// Asks for the memory that a walk back reads next where it comes to the last row of a chunk, or in the tail. O(rows).
  @inline(__always)
  func prefetch(behind position: Position) {
    guard position.chunk < chunkCount else {
      return prefetchTail(max(0, position.row - 4)..<position.row)
    }
    let packed = chunk(position.chunk)
    guard position.row + 1 == packed.count else { return }
    if position.chunk > 0 { prefetchHead(position.chunk - 1) }
    packed.prefetchOffsets()
  }

  /// Asks for the memory by which a chunk is read. O(1).
  @inline(__always)
  func prefetchHead(_ chunk: Int) {
    if chunk < chunkCount { entry(chunk).chunk.prefetchHead() }
  }
}

extension Search {
  /// The end of the rows from `row` on whose values are `step` apart, not behind `last`, which is behind `row`.
  @inline(__always)
  static func evenEnd(_ row: Int, _ last: Int, apart step: Int64, _ value: (Int) -> Int64) -> Int {
    let first = value(row)
    if value(last - 1) &- first == Int64(last - 1 - row) &* step { return last }
    var end = row + 1
    while end < last, value(end) &- first == Int64(end - row) &* step { end += 1 }
    return end
  }

  /// Where a value is among `count` that come evenly.
  @inline(__always)
  static func guess(_ value: Int64, from first: Int64, to last: Int64, _ count: Int) -> Int {
    guard value > first else { return 0 }
    guard value < last else { return count - 1 }
    // Neither overflows: both lie between the ends.
    let share = Double(value.magnitudeOver(first)) / Double(last.magnitudeOver(first))
    return Int(share * Double(count - 1))
  }

  /// The first index in 0..<count for which `holds` is true, `count` if there is none; `holds` must not go back to
  /// false. O(log of how far it is from `guess`).
  @inline(__always)
  static func first(_ count: Int, near guess: Int, where holds: (Int) -> Bool) -> Int {
    guard count > 0 else { return 0 }
    var (low, high) = (0, count)
    var step = 4
    let guess = min(guess, count - 1)
    if holds(guess) {
      high = guess
      while high - step >= low {
        guard holds(high - step) else {
          low = high - step + 1
          break
        }
        high -= step
        step *= 2
      }
    } else {
      low = guess + 1
      while low + step <= high {
        guard !holds(low + step - 1) else {
          high = low + step - 1
          break
        }
        low += step
        step *= 2
      }
    }
    var left = high - low
    // Without branches: nobody can foretell the way.
    while left > 0 {
      let half = left >> 1
      let isBefore = !holds(low + half)
      low = isBefore ? low + half + 1 : low
      left = isBefore ? left - half - 1 : half
    }
    return low
  }
}

extension Int64 {
  /// How far this is over a lesser number.
  @inline(__always)
  fileprivate func magnitudeOver(_ other: Int64) -> UInt64 { UInt64(bitPattern: self &- other) }
}
