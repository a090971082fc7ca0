// Copies texts into a pool: whole words where a text is short, one call where it is long.
// Invariant: a kept text is the bytes that were given; nothing behind them counts.
// Not here: what a cell is (OfferedRows), what a text must hold (Judgement).

extension TextPool {
  /// Keeps `text` as it is and tells where. O(length).
  @inline(__always)
  package mutating func keep(_ text: Span<UInt8>) -> TextCell {
    let (start, count) = (scratch.count, text.count)
    if count > 0 {
      scratch.append(addingCapacity: count) { output in
        unsafe output.withUnsafeMutableBufferPointer { free, initialized in
          // SAFETY: `free` is room for `count` bytes at least, `text` lends as many, and nothing else has either; all of
          // them are set then.
          unsafe text.withUnsafeBytes { unsafe Self.copy($0, to: UnsafeMutableRawBufferPointer(free)) }
          initialized = count
        }
      }
    }
    return TextCell(start: UInt32(start) | TextCell.scratchBit, length: UInt32(count))
  }

  /// Copies all bytes: up to sixteen of them by two loads and two stores that may overlap.
  @inline(__always)
  private static func copy(_ source: UnsafeRawBufferPointer, to target: UnsafeMutableRawBufferPointer) {
    let count = source.count
    // SAFETY: every place is within the `count` bytes of either side; both loads come before the stores.
    switch count {
    case 8...16:
      let first = unsafe source.loadUnaligned(fromByteOffset: 0, as: UInt64.self)
      let last = unsafe source.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self)
      unsafe target.storeBytes(of: first, toByteOffset: 0, as: UInt64.self)
      unsafe target.storeBytes(of: last, toByteOffset: count - 8, as: UInt64.self)
    case 4...7:
      let first = unsafe source.loadUnaligned(fromByteOffset: 0, as: UInt32.self)
      let last = unsafe source.loadUnaligned(fromByteOffset: count - 4, as: UInt32.self)
      unsafe target.storeBytes(of: first, toByteOffset: 0, as: UInt32.self)
      unsafe target.storeBytes(of: last, toByteOffset: count - 4, as: UInt32.self)
    case 1...3:
      unsafe target[0] = source[0]
      unsafe target[count >> 1] = source[count >> 1]
      unsafe target[count - 1] = source[count - 1]
    default: unsafe target.copyMemory(from: source)
    }
  }
}
