// Memory that is asked for before it is read, where the order in which it is read is no order that the processor sees.
// Invariant: nothing is read; any place may be asked for.
// Not here: what is read (GroupReader).

internal import CMemory

extension Span {
  /// Asks for the memory of an element that is there. O(1).
  @inline(__always)
  func prefetch(_ index: Int) {
    // SAFETY: a prefetch of any address is harmless; without elements there may be none.
    unsafe withUnsafeBufferPointer { elements in
      if let start = elements.baseAddress { unsafe continuo_prefetch(start + index) }
    }
  }
}
