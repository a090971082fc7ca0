// Copies texts into a pool: whole words where a text is short, one call where it is long.
// Invariant: a kept text is the bytes that were given; nothing behind them counts.
// Not here: what a cell is (OfferedRows), what a text must hold (Judgement).

extension TextPool {
  /// Keeps `text` as it is and tells where. O(length).
  @inline(__always)
  package mutating func keep(_ text: Span<UInt8>) -> TextCell {
    let (start, count) = (scratch.count, text.count)
    guard count > 0 else { return TextCell(start: UInt32(start) | TextCell.scratchBit, length: 0) }
    scratch.append(addingCapacity: count) { output in
      unsafe output.withUnsafeMutableBufferPointer { free, initialized in
        // SAFETY: `free` has room for `count` bytes behind those that are initialised, of which there are none yet; the
        // text cannot overlap memory that nothing was lent from.
        unsafe text.withUnsafeBytes { unsafe UnsafeMutableRawBufferPointer(free).copyMemory(from: $0) }
        initialized = count
      }
    }
    return TextCell(start: UInt32(start) | TextCell.scratchBit, length: UInt32(count))
  }
}
