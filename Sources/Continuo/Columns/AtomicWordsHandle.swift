// Words that one thread writes in place while others read them: what lies in hash tables.
// Invariant: the number of words never changes; a word is read and written whole.
// Not here: what the words mean together (Interner, Balances).

internal import CMemory
internal import Synchronization

/// A fixed number of words for one writer, zero at first.
@safe struct AtomicWords: ~Copyable {
  private let base: UnsafeMutablePointer<Atomic<UInt64>>?
  let count: Int
  /// The version for which the memory was taken.
  private let born: UInt64
  private let arena: Arena

  /// O(count).
  init(_ count: Int, _ arena: Arena) {
    self.count = count
    self.arena = arena
    born = arena.sequence
    guard count > 0 else {
      unsafe base = nil
      return
    }
    unsafe base = arena.take(count * 8).bindMemory(to: Atomic<UInt64>.self, capacity: count)
    for index in 0..<count {
      // SAFETY: the block has room for `count` words.
      unsafe base.unsafelyUnwrapped.advanced(by: index).initialize(to: Atomic(0))
    }
  }

  /// The words as readers have them. O(1).
  @inline(__always)
  // SAFETY: the words were taken in init and outlive who may read them (Arena).
  var view: AtomicWordsView { unsafe AtomicWordsView(UnsafePointer(base), count) }

  @inline(__always)
  subscript(index: Int) -> UInt64 {
    get { view.relaxed(index) }
    nonmutating set {
      precondition(index >= 0 && index < count, "words are written within their count")
      // SAFETY: index < count; readers that see this word see what was written before it.
      unsafe base.unsafelyUnwrapped[index].store(newValue, ordering: .releasing)
    }
  }

  /// Four words from `index` on, to their writer. O(1).
  @inline(__always)
  func four(_ index: Int) -> (UInt64, UInt64, UInt64, UInt64) {
    precondition(index >= 0 && index <= count - 4, "words are read within their count")
    // SAFETY: index + 3 < count.
    let words = unsafe base.unsafelyUnwrapped + index
    return unsafe (
      words[0].load(ordering: .relaxed), words[1].load(ordering: .relaxed), words[2].load(ordering: .relaxed),
      words[3].load(ordering: .relaxed)
    )
  }

  /// Writes three words from `index` on. O(1).
  @inline(__always)
  func put(_ first: UInt64, _ second: UInt64, _ third: UInt64, at index: Int) {
    precondition(index >= 0 && index <= count - 3, "words are written within their count")
    // SAFETY: index + 2 < count; readers that see one of these words see what was written before it.
    let words = unsafe base.unsafelyUnwrapped + index
    unsafe words[0].store(first, ordering: .releasing)
    unsafe words[1].store(second, ordering: .releasing)
    unsafe words[2].store(third, ordering: .releasing)
  }

  /// Asks for the memory of a word. O(1).
  @inline(__always)
  func prefetch(_ index: Int) {
    guard let base = unsafe base else { return }
    // SAFETY: a prefetch of any address is harmless.
    unsafe continuo_prefetch(UnsafeRawPointer(base + index))
  }

  // SAFETY: taken in init; readers keep what they see alive by their version (Arena).
  deinit {
    if let base = unsafe base { unsafe arena.giveBack(base, count * 8, born: born) }
  }
}

// SAFETY: one writer; the words themselves are atomic.
extension AtomicWords: @unchecked Sendable {}

/// Words that another thread may be writing.
@safe struct AtomicWordsView: BitwiseCopyable {
  private let base: UnsafePointer<Atomic<UInt64>>?
  let count: Int

  @inline(__always)
  fileprivate init(_ base: UnsafePointer<Atomic<UInt64>>?, _ count: Int) {
    // SAFETY: the words were taken in init and outlive who may read them (Arena).
    unsafe self.base = base
    self.count = count
  }

  /// A word, and with it what was written before it. O(1).
  @inline(__always)
  subscript(index: Int) -> UInt64 {
    precondition(index >= 0 && index < count, "words are read within their count")
    // SAFETY: index < count; the block outlives who may read it (Arena).
    return unsafe base.unsafelyUnwrapped[index].load(ordering: .acquiring)
  }

  /// A word, to its writer. O(1).
  @inline(__always)
  fileprivate func relaxed(_ index: Int) -> UInt64 {
    precondition(index >= 0 && index < count, "words are read within their count")
    // SAFETY: as above.
    return unsafe base.unsafelyUnwrapped[index].load(ordering: .relaxed)
  }
}

// SAFETY: the words themselves are atomic.
extension AtomicWordsView: @unchecked Sendable {}
