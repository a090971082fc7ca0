// One column's memory: moves values, knows nothing about them.
// Invariant: 0 ≤ count ≤ capacity; slots 0..<count are initialised; slots that a published version has are never written
// again: they are moved to new memory first.
// Not here: what columns mean together (SortedSeries, Balances, Interner), where the memory comes from (Arena).

internal import CMemory

/// A growing array of plain values: no reference count; copied only where a published version has it.
@safe struct ColumnHandle<Element: BitwiseCopyable>: ~Copyable {
  fileprivate var base: UnsafeMutablePointer<Element>?
  private(set) var count = 0
  private(set) var capacity = 0
  /// The version for which the memory was taken; `.max` where versions never have it.
  private var born: UInt64
  private let arena: Arena

  /// An empty column. O(1).
  ///
  /// - Parameter isShared: whether published versions have its memory.
  init(_ arena: Arena, isShared: Bool = false) {
    unsafe base = nil
    born = isShared ? arena.sequence : .max
    self.arena = arena
  }

  /// A column of `count` times `value`, which versions do not have. O(count).
  init(repeating value: Element, count: Int, _ arena: Arena) {
    self.init(arena)
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
      own()
      // SAFETY: as for reading; exclusive access to self is exclusive access to its memory.
      yield unsafe &base.unsafelyUnwrapped[index]
    }
  }

  /// Adds a value at the end. O(1) amortised.
  @inline(__always)
  mutating func append(_ value: Element) {
    if count == capacity { reserve(max(4, capacity * 2)) }
    // SAFETY: count < capacity now; the slot is still empty.
    unsafe base.unsafelyUnwrapped.advanced(by: count).initialize(to: value)
    count += 1
  }

  /// Takes the last value back, which no version may have. O(1).
  ///
  /// - Precondition: there is one.
  mutating func removeLast() -> Element {
    let last = self[count - 1]
    count -= 1
    return last
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

  /// Puts a value before the one in slot `index`, so many times. O(number + count − index).
  mutating func insert(_ value: Element, count number: Int = 1, at index: Int) {
    precondition(index >= 0 && index <= count && number >= 0, "a column grows within its count")
    if capacity - count < number { reserve(max(4, count + number, capacity * 2)) } else { own() }
    // SAFETY: slots index..<count move up within the capacity; the slots behind `index` are free then.
    unsafe base.unsafelyUnwrapped.advanced(by: index + number)
      .update(from: base.unsafelyUnwrapped.advanced(by: index), count: count - index)
    unsafe base.unsafelyUnwrapped.advanced(by: index).initialize(repeating: value, count: number)
    count += number
  }

  /// Takes slots out and closes the gap. O(count).
  mutating func removeSubrange(_ range: Range<Int>) {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "a column shrinks within its count")
    guard !range.isEmpty else { return }
    // Of memory that a version has, what goes in front need not be copied first.
    if range.lowerBound == 0, born < arena.sequence { return move(to: capacity, from: range.upperBound) }
    own()
    // SAFETY: the slots behind the range move down within the initialised part; plain values need no clean-up.
    unsafe base.unsafelyUnwrapped.advanced(by: range.lowerBound)
      .update(from: base.unsafelyUnwrapped.advanced(by: range.upperBound), count: count - range.upperBound)
    count -= range.count
  }

  /// Turns the order of the slots around. O(count).
  mutating func reverse() {
    for index in 0..<count / 2 { (self[index], self[count - 1 - index]) = (self[count - 1 - index], self[index]) }
  }

  /// Asks for the memory of slot `index`, which need not be there. O(1).
  @inline(__always)
  func prefetch(_ index: Int) {
    guard let base = unsafe base else { return }
    let size = MemoryLayout<Element>.stride
    for offset in stride(from: 0, to: size, by: 64) {
      // SAFETY: a prefetch of any address is harmless; this one is not read here.
      unsafe continuo_prefetch(UnsafeRawPointer(base) + index &* size + offset)
    }
    // Slots begin at multiples of `step`: what is left behind the last whole line may lie across two.
    let step = min(size & -size, 32)
    // SAFETY: as above.
    if (size - 1) & 63 >= step { unsafe continuo_prefetch(UnsafeRawPointer(base) + index &* size + (size - 1)) }
  }

  /// Forgets all slots, and keeps the memory where it is ours alone. O(1).
  mutating func removeAll() {
    count = 0
    own()
  }

  /// Makes sure that no version has the memory, before slots are written that it may have.
  @inline(__always)
  private mutating func own() {
    if born < arena.sequence { move(to: capacity) }
  }

  /// Where the slots are, for a version. O(1).
  // SAFETY: the memory was taken in `move` and is lent for as long as a version has it.
  @inline(__always)
  var memory: UnsafePointer<Element>? { unsafe UnsafePointer(base) }

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
  @inline(__always)
  mutating func reserve(_ wanted: Int) {
    if wanted > capacity { move(to: wanted) }
  }

  /// - Parameter first: the slots before this one are left behind.
  @inline(never)
  private mutating func move(to wanted: Int, from first: Int = 0) {
    let taken = born
    if born < .max { born = arena.sequence }
    guard wanted > 0 else { return }
    let size = MemoryLayout<Element>.stride
    let grown = unsafe arena.take(wanted * size).bindMemory(to: Element.self, capacity: wanted)
    if let old = unsafe base {
      count -= first
      // SAFETY: both hold at least these slots and do not overlap; the old memory is given back once.
      unsafe grown.moveInitialize(from: old + first, count: count)
      unsafe arena.giveBack(old, capacity * size, born: taken)
    }
    unsafe base = grown
    capacity = wanted
  }

  // SAFETY: taken in `move`, never handed out beyond a version; plain values have nothing to deinitialise.
  deinit {
    if let base = unsafe base { unsafe arena.giveBack(base, capacity * MemoryLayout<Element>.stride, born: born) }
  }
}

// SAFETY: the memory belongs to one handle, which cannot be copied: it goes where the handle goes.
extension ColumnHandle: @unchecked Sendable where Element: Sendable {}
