// Memory for things that cannot be copied: chunks of a series, states of tokens.
// Invariant: 0 ≤ count ≤ capacity; slots 0..<count are initialised; `base` is ours alone.
// Not here: what the things are.

import CPrefetch

/// A growing array of non-copyable things, lent out in place.
@safe struct SlotsHandle<Element: ~Copyable>: ~Copyable {
  private var base: UnsafeMutablePointer<Element>?
  private(set) var count = 0
  private var capacity = 0

  init() { unsafe base = nil }

  /// The thing in slot `index`, in place. O(1).
  subscript(index: Int) -> Element {
    _read {
      precondition(index >= 0 && index < count, "slots are read within their count")
      // SAFETY: index < count by the check above; slots below count are initialised.
      yield unsafe base.unsafelyUnwrapped[index]
    }
    _modify {
      precondition(index >= 0 && index < count, "slots are written within their count")
      // SAFETY: as for reading; exclusive access to self is exclusive access to its memory.
      yield unsafe &base.unsafelyUnwrapped[index]
    }
  }

  /// Asks for the first lines of the thing in slot `index`, which need not be there. O(1).
  @inline(__always)
  func prefetch(_ index: Int, lines: Int) {
    guard let base = unsafe base else { return }
    for line in 0..<lines {
      // SAFETY: a prefetch of any address is harmless; this one is not read here.
      unsafe continuo_prefetch(UnsafeRawPointer(base + index) + line * 64)
    }
  }

  /// Adds a thing at the end. O(1) amortised.
  mutating func append(_ element: consuming Element) { insert(element, at: count) }

  /// Puts a thing before the one in slot `index`. O(count − index).
  mutating func insert(_ element: consuming Element, at index: Int) {
    precondition(index >= 0 && index <= count, "slots grow within their count")
    if count == capacity { reserve(max(1, capacity * 2)) }
    // SAFETY: slots index..<count move up by one within the capacity; slot `index` is uninitialised then.
    unsafe base.unsafelyUnwrapped.advanced(by: index + 1)
      .moveInitialize(from: base.unsafelyUnwrapped.advanced(by: index), count: count - index)
    unsafe base.unsafelyUnwrapped.advanced(by: index).initialize(to: element)
    count += 1
  }

  /// Takes slots out and closes the gap. O(count).
  mutating func removeSubrange(_ range: Range<Int>) {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "slots shrink within their count")
    guard !range.isEmpty else { return }
    // SAFETY: the range is deinitialised once, then the slots behind it move down into the gap.
    unsafe base.unsafelyUnwrapped.advanced(by: range.lowerBound).deinitialize(count: range.count)
    unsafe base.unsafelyUnwrapped.advanced(by: range.lowerBound)
      .moveInitialize(from: base.unsafelyUnwrapped.advanced(by: range.upperBound), count: count - range.upperBound)
    count -= range.count
  }

  private mutating func reserve(_ wanted: Int) {
    let grown = UnsafeMutablePointer<Element>.allocate(capacity: wanted)
    if let old = unsafe base {
      // SAFETY: both hold at least count slots and do not overlap; the old memory is given back once.
      unsafe grown.moveInitialize(from: old, count: count)
      unsafe old.deallocate()
    }
    unsafe base = grown
    capacity = wanted
  }

  // SAFETY: allocated in reserve, never handed out; exactly slots 0..<count are initialised.
  deinit {
    unsafe base?.deinitialize(count: count)
    unsafe base?.deallocate()
  }
}

// SAFETY: the memory belongs to one handle, which cannot be copied: it goes where the handle goes.
extension SlotsHandle: @unchecked Sendable where Element: Sendable & ~Copyable {}
