// Memory for things that cannot be copied: states of tokens, indexes of chains.
// Invariant: 0 ≤ count ≤ capacity; slots 0..<count are initialised; `base` is ours alone.
// Not here: what the things are.

internal import CMemory

/// A growing array of non-copyable things, lent out in place.
@safe struct SlotsHandle<Element: ~Copyable>: ~Copyable {
  private var base: UnsafeMutablePointer<Element>?
  private(set) var count = 0
  private var capacity = 0

  init() { unsafe base = nil }

  /// The thing in slot `index`, in place. O(1).
  subscript(index: Int) -> Element {
    @inline(__always)
    _read {
      precondition(index >= 0 && index < count, "slots are read within their count")
      // SAFETY: index < count by the check above; slots below count are initialised.
      yield unsafe base.unsafelyUnwrapped[index]
    }
    @inline(__always)
    _modify {
      precondition(index >= 0 && index < count, "slots are written within their count")
      // SAFETY: as for reading; exclusive access to self is exclusive access to its memory.
      yield unsafe &base.unsafelyUnwrapped[index]
    }
  }

  /// Where the things are, as long as nobody changes the array. O(1).
  @inline(__always)
  // SAFETY: slots below count are initialised, and the array is borrowed.
  var memory: UnsafePointer<Element>? { unsafe UnsafePointer(base) }

  /// Asks for some lines of the thing in slot `index`, which need not be there. O(1).
  @inline(__always)
  func prefetch(_ index: Int, from first: Int = 0, lines: Int) {
    guard let base = unsafe base else { return }
    for line in first..<first + lines {
      // SAFETY: a prefetch of any address is harmless; this one is not read here.
      unsafe continuo_prefetch(UnsafeRawPointer(base + index) + line * 64)
    }
  }

  /// Adds a thing at the end. O(1) amortised.
  mutating func append(_ element: consuming Element) {
    if count == capacity { reserve(max(4, capacity * 2)) }
    // SAFETY: count < capacity now; the slot is still empty.
    unsafe base.unsafelyUnwrapped.advanced(by: count).initialize(to: element)
    count += 1
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

  // SAFETY: allocated in reserve, never handed out for longer; exactly slots 0..<count are initialised.
  deinit {
    unsafe base?.deinitialize(count: count)
    unsafe base?.deallocate()
  }
}

// SAFETY: the memory belongs to one handle, which cannot be copied: it goes where the handle goes.
extension SlotsHandle: @unchecked Sendable where Element: Sendable & ~Copyable {}
