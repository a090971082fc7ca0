// Finding a place by time alone, step by step, so that whoever looks for several can ask for all their memory at once.
// Invariant: the same places as `lowerBound` finds for the least key of a time.
// Not here: finding whole keys (SeriesView), what lies there.

extension SeriesView {
  /// The chunk with the first row whose major is not under `major`; the tail comes as one more. O(log chunks), and few
  /// steps where rows come evenly.
  @inline(__always)
  func chunk(notUnder major: Int64) -> Int {
    guard chunkCount > 0 else { return 0 }
    let guess = Search.guess(major, from: entry(0).lastMajor, to: entry(chunkCount - 1).lastMajor, chunkCount)
    return chunk(notUnder: major, near: guess)
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

  /// Asks for the memory by which a chunk is read. O(1).
  @inline(__always)
  func prefetchHead(_ chunk: Int) {
    if chunk < chunkCount { entry(chunk).chunk.prefetchHead() }
  }
}

extension Search {
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
