// What balances were before they changed: a reader of an older version takes it from here.
// Invariant: an entry is in the log before its balance is written; entries of a version are in the order of the changes.
// Not here: the balances (Balances), how long a version lives (Publication).
// Source: undo records in place of old copies, as in Neumann, Mühlbauer, Kemper, "Fast Serializable Multi-Version
// Concurrency Control for Main-Memory Database Systems", 2015.

internal import Synchronization

/// What balances were, newest block first.
@safe struct BalanceLog: ~Copyable {
  struct Entry: BitwiseCopyable {
    var token: UInt32
    var address: UInt32
    var before: ExactSum
  }

  @safe fileprivate struct Block: ~Copyable {
    let sequence: UInt64
    let older: UnsafePointer<Block>?
    let olderSequence: UInt64
    let capacity: Int
    let count = Atomic<Int>(0)
  }

  /// A version's first block is small, since many versions change few balances; the next ones are twice as large each.
  private static var entriesMin: Int { 16 }
  private static var entriesMax: Int { 1024 }
  private static var entriesStart: Int { (MemoryLayout<Block>.size + 15) & ~15 }
  private static func bytes(_ capacity: Int) -> Int { entriesStart + capacity * MemoryLayout<Entry>.stride }

  private var newest: UnsafeMutablePointer<Block>?
  /// The newest block, as readers find it.
  private let head: AtomicWords
  private let arena: Arena

  init(_ arena: Arena) {
    self.arena = arena
    head = AtomicWords(1, arena)
    unsafe newest = nil
  }

  /// The log as readers have it. O(1).
  var view: BalanceLogView { BalanceLogView(head: head.view) }

  /// Notes what a balance was, before it is written. O(1).
  mutating func append(_ entry: Entry) {
    let old = unsafe newest
    var capacity = Self.entriesMin
    if let block = unsafe old, unsafe block.pointee.sequence == arena.sequence {
      let count = unsafe block.pointee.count.load(ordering: .relaxed)
      if unsafe count < block.pointee.capacity { return unsafe store(entry, block, count) }
      capacity = unsafe min(2 * block.pointee.capacity, Self.entriesMax)
    }
    let raw = unsafe arena.take(Self.bytes(capacity))
    let block = unsafe raw.bindMemory(to: Block.self, capacity: 1)
    // SAFETY: the block is fresh; the older one stays as long as a reader may come by it.
    unsafe block.initialize(
      to: Block(
        sequence: arena.sequence, older: UnsafePointer(old), olderSequence: old.map { unsafe $0.pointee.sequence } ?? 0,
        capacity: capacity))
    // Readers of older versions may be on their way through it, even if it is of the version that is being made.
    if let old = unsafe old { unsafe arena.retire(old, Self.bytes(old.pointee.capacity)) }
    unsafe newest = block
    unsafe store(entry, block, 0)
    head[0] = UInt64(UInt(bitPattern: UnsafeRawPointer(block)))
  }

  /// Gives what is left of it back: nobody reads it any more. O(1).
  mutating func removeAll() {
    // SAFETY: the block was taken with so many bytes; older ones are retired already.
    if let block = unsafe newest { unsafe arena.retire(block, Self.bytes(block.pointee.capacity)) }
    unsafe newest = nil
    head[0] = 0
  }

  private func store(_ entry: Entry, _ block: UnsafeMutablePointer<Block>, _ index: Int) {
    // SAFETY: index < capacity; readers read no further than the count that is stored behind the entry.
    unsafe (UnsafeMutableRawPointer(block) + Self.entriesStart + index * MemoryLayout<Entry>.stride)
      .storeBytes(of: entry, as: Entry.self)
    unsafe block.pointee.count.store(index + 1, ordering: .releasing)
  }

  fileprivate static func visit(_ word: UInt64, after sequence: UInt64, _ body: (Entry) -> Void) {
    var next = unsafe UnsafePointer<Block>(bitPattern: UInt(word))
    while let block = unsafe next, unsafe block.pointee.sequence > sequence {
      // SAFETY: blocks of later versions than the reader's are alive (Arena); entries below the count are written.
      let count = unsafe block.pointee.count.load(ordering: .acquiring)
      for index in stride(from: count - 1, through: 0, by: -1) {
        unsafe body(
          (UnsafeRawPointer(block) + entriesStart + index * MemoryLayout<Entry>.stride).load(as: Entry.self))
      }
      unsafe next = block.pointee.olderSequence > sequence ? block.pointee.older : nil
    }
  }
}

// SAFETY: one writer; readers see what was written before the words they read.
extension BalanceLog: @unchecked Sendable {}

/// The log, to its readers.
struct BalanceLogView: BitwiseCopyable {
  fileprivate let head: AtomicWordsView

  /// Lends what balances were, of changes made after version `sequence`, the last change first. O(such changes).
  func visit(after sequence: UInt64, _ body: (BalanceLog.Entry) -> Void) {
    BalanceLog.visit(head[0], after: sequence, body)
  }
}
