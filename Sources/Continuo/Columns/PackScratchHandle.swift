// Room for the columns of rows that are being packed: a column's values one behind the other.
// Invariant: a column's offsets are in `words`, and above 64 bits in `wide` too, from planning on.
// Not here: how a column is planned (PackPlan), where its bytes go (PackedChunk).

/// The columns of some rows, until they are packed.
@safe struct PackScratch {
  private let block: UnsafeMutableRawPointer
  private let rows: Int
  private let columns: Int

  /// Bytes: a word for each value, then two for each value of one column at a time, or of those that need them.
  private var wideStart: Int { Self.wideStart(rows * columns) }
  private var bytes: Int { Self.bytes(rows * columns) }
  private static func wideStart(_ values: Int) -> Int { (values * 8 + 15) & ~15 }
  private static func bytes(_ values: Int) -> Int { wideStart(values) + values * 16 }

  init(_ rows: Int, columns: Int, _ arena: Arena) {
    self.rows = rows
    self.columns = columns
    // SAFETY: the block has room for all columns, and is given back once, with the size it was taken with.
    unsafe block = arena.take(Self.bytes(rows * columns))
  }

  // SAFETY: the block has room for all columns, and is given back once, with the size it was taken with.
  func free(_ arena: Arena) { unsafe arena.free(block, bytes) }

  /// Collects and plans a column: its values are offsets then. O(rows).
  @inline(__always)
  func plan<Row: PackedRow>(_ column: Int, _ rows: Span<Row>) -> PackPlan {
    var words = mutableWords(column)
    guard column >= Row.narrowCount else {
      Row.collect(narrow: column, of: rows, into: &words)
      return PackPlan(&words, isScaled: Row.isScaled(column))
    }
    // SAFETY: the column's own part of the block, which has room for all; plain values need no initialisation.
    var wide = unsafe MutableSpan<Int128>(
      _unsafeStart: (block + wideStart + column * self.rows * 16).assumingMemoryBound(to: Int128.self), count: self.rows
    )
    Row.collect(wide: column, of: rows, into: &wide)
    return PackPlan(&wide, isScaled: Row.isScaled(column), &words)
  }

  /// Leaves a planned column room for values as far again below and above those it has, and more. O(rows).
  func widen(_ plan: inout PackPlan, _ column: Int) {
    guard plan.width > 0, plan.width < 7, plan.base.magnitude < 1 << 60 else { return }
    let step = Int64(1) << Int64(8 * Int(plan.width))
    plan.base -= Int128(step)
    plan.width += 1
    var words = mutableWords(column)
    for row in 0..<words.count { words[row] = words[row] &+ step }
  }

  /// Moves the base of a planned column down by half of what its width leaves free: lesser values fit later, as greater
  /// ones do. O(rows).
  func lower(_ plan: inout PackPlan, _ column: Int) {
    guard plan.width > 0, plan.width < 7, let base = Int64(exactly: plan.base) else { return }
    var words = mutableWords(column)
    var greatest: Int64 = 0
    for row in 0..<words.count { greatest = max(greatest, words[row]) }
    let free = Int64(1) << Int64(8 * Int(plan.width)) - 1 - greatest
    // Rows are looked for by column 0, around where they would be between the least and the greatest: it stays close.
    var step = column == 0 ? min(free, greatest >> 6) : free >> 1
    // What is positive stays so: sums are quicker then.
    if base >= 0 { step = min(step, max(0, base - 1)) }
    let (least, overflow) = base.subtractingReportingOverflow(step)
    guard !overflow else { return }
    plan.base = Int128(least)
    for row in 0..<words.count { words[row] = words[row] &+ step }
  }

  /// A column's offsets, or their lower words. O(1).
  @inline(__always)
  @_lifetime(borrow self)
  func words(_ column: Int) -> Span<Int64> {
    // SAFETY: as in `plan`.
    let all = unsafe Span<Int64>(
      _unsafeStart: (block + column * rows * 8).assumingMemoryBound(to: Int64.self), count: rows)
    return unsafe _overrideLifetime(all, borrowing: self)
  }

  @inline(__always)
  @_lifetime(borrow self)
  private func mutableWords(_ column: Int) -> MutableSpan<Int64> {
    // SAFETY: as in `plan`.
    let all = unsafe MutableSpan<Int64>(
      _unsafeStart: (block + column * rows * 8).assumingMemoryBound(to: Int64.self), count: rows)
    return unsafe _overrideLifetime(all, borrowing: self)
  }

  /// The upper word of an offset that is wider than one. O(1).
  @inline(__always)
  func highWord(_ column: Int, _ row: Int) -> UInt64 {
    precondition(row >= 0 && row < rows && column < columns, "a column is read within its rows")
    // SAFETY: as in `plan`.
    let offset = unsafe (block + wideStart + (column * rows + row) * 16).load(as: Int128.self)
    return UInt64(truncatingIfNeeded: offset >> 64)
  }
}
