// One column's memory: moves values, knows nothing about them.
// Invariant: 0 ≤ count ≤ capacity; slots 0..<count are initialised; `base` is ours alone.
// Not here: what columns mean together (SortedSeries, Balances, Interner).

/// A growing array of plain values that nobody shares: no reference count, no copy on write.
@safe struct ColumnHandle<Element: BitwiseCopyable>: ~Copyable {
  private var base: UnsafeMutablePointer<Element>?
  private(set) var count = 0
  private(set) var capacity = 0

  init() { unsafe base = nil }

  /// A column of `count` times `value`. O(count).
  init(repeating value: Element, count: Int) {
    unsafe base = nil
    guard count > 0 else { return }
    reserve(count)
    for _ in 0..<count { append(value) }
  }

  var isEmpty: Bool { count == 0 }

  /// The value in slot `index`. O(1).
  subscript(index: Int) -> Element {
    get {
      precondition(index >= 0 && index < count, "a column is read within its count")
      // SAFETY: index < count ≤ capacity by the check above; slots below count are initialised.
      return unsafe base.unsafelyUnwrapped[index]
    }
    _modify {
      precondition(index >= 0 && index < count, "a column is written within its count")
      // SAFETY: as for reading; exclusive access to self is exclusive access to its memory.
      yield unsafe &base.unsafelyUnwrapped[index]
    }
  }

  /// Adds a value at the end. O(1) amortised.
  mutating func append(_ value: Element) {
    if count == capacity { reserve(max(4, capacity * 2)) }
    // SAFETY: count < capacity now; the slot is still empty.
    unsafe base.unsafelyUnwrapped.advanced(by: count).initialize(to: value)
    count += 1
  }

  /// Adds bytes at the end. O(length).
  mutating func append(contentsOf values: Span<Element>) {
    if capacity - count < values.count { reserve(max(count + values.count, capacity * 2)) }
    for index in 0..<values.count {
      // SAFETY: count + index < capacity by the line above; the slot is still empty.
      unsafe base.unsafelyUnwrapped.advanced(by: count + index).initialize(to: values[index])
    }
    count += values.count
  }

  /// Puts a value before the one in slot `index`. O(count − index).
  mutating func insert(_ value: Element, at index: Int) {
    precondition(index >= 0 && index <= count, "a column grows within its count")
    if count == capacity { reserve(max(4, capacity * 2)) }
    // SAFETY: slots index..<count move up by one within the capacity; slot `index` is free then.
    unsafe base.unsafelyUnwrapped.advanced(by: index + 1)
      .update(from: base.unsafelyUnwrapped.advanced(by: index), count: count - index)
    unsafe base.unsafelyUnwrapped.advanced(by: index).initialize(to: value)
    count += 1
  }

  /// Takes slots out and closes the gap. O(count).
  mutating func removeSubrange(_ range: Range<Int>) {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "a column shrinks within its count")
    guard !range.isEmpty else { return }
    // SAFETY: the slots behind the range move down within the initialised part; plain values need no clean-up.
    unsafe base.unsafelyUnwrapped.advanced(by: range.lowerBound)
      .update(from: base.unsafelyUnwrapped.advanced(by: range.upperBound), count: count - range.upperBound)
    count -= range.count
  }

  /// Forgets all slots and keeps the memory. O(1).
  mutating func removeAll() { count = 0 }

  /// The initialised slots. O(1).
  var span: Span<Element> {
    @_lifetime(borrow self)
    get {
      // SAFETY: the span borrows self, so the memory outlives it and nobody writes meanwhile.
      let all = unsafe UnsafeBufferPointer(start: base, count: count)
      return unsafe _overrideLifetime(Span(_unsafeElements: all), borrowing: self)
    }
  }

  /// Makes room for `wanted` values in all. O(count).
  mutating func reserve(_ wanted: Int) {
    guard wanted > capacity else { return }
    let grown = UnsafeMutablePointer<Element>.allocate(capacity: wanted)
    if let old = unsafe base {
      // SAFETY: both hold at least count slots and do not overlap; the old memory is given back once.
      unsafe grown.moveInitialize(from: old, count: count)
      unsafe old.deallocate()
    }
    unsafe base = grown
    capacity = wanted
  }

  // SAFETY: allocated in reserve, never handed out; plain values have nothing to deinitialise.
  deinit { unsafe base?.deallocate() }
}

// SAFETY: the memory belongs to one handle, which cannot be copied: it goes where the handle goes.
extension ColumnHandle: @unchecked Sendable where Element: Sendable {}
