// Room for the columns of rows that are being packed: a column's values one behind the other.
// Invariant: a planned column's quotients are in `words`, or in `wide` where its plan says so.
// Not here: how a column is planned (PackPlan), where its bytes go (PackedChunk).

/// The columns of some rows, until they are packed.
@safe package struct PackScratch: BitwiseCopyable {
  private let block: UnsafeMutableRawPointer
  private let rows: Int
  private let columns: Int

  /// Bytes: a plan for each column, a word for each value, then two for each value of those that need them.
  @inline(__always)
  private var wordsStart: Int { columns &* MemoryLayout<PackPlan>.stride }
  private var wideStart: Int { Self.bytes(rows, columns) - rows * columns * 16 }
  private static func bytes(_ rows: Int, _ columns: Int) -> Int {
    (columns * (MemoryLayout<PackPlan>.stride + rows * 8) + 15) & ~15 + rows * columns * 16
  }

  /// Plans all columns of some rows, of which there must be one. O(rows × columns).
  @inline(__always)
  init<Row: ColumnRow>(_ rows: Span<Row>, _ arena: Arena) {
    self.rows = rows.count
    columns = Row.columnCount
    // SAFETY: the block has room for all columns, and is given back once, with the size it was taken with.
    unsafe block = arena.take(Self.bytes(rows.count, Row.columnCount))
    Planned<0>.take(rows, self)
    Planned<1>.take(rows, self)
    Planned<2>.take(rows, self)
    Planned<3>.take(rows, self)
    Planned<4>.take(rows, self)
    Planned<5>.take(rows, self)
    Planned<6>.take(rows, self)
    Planned<7>.take(rows, self)
    Planned<8>.take(rows, self)
    Planned<9>.take(rows, self)
    Planned<10>.take(rows, self)
    Planned<11>.take(rows, self)
    Planned<12>.take(rows, self)
    Planned<13>.take(rows, self)
    Planned<14>.take(rows, self)
    Planned<15>.take(rows, self)
    Planned<16>.take(rows, self)
    Planned<17>.take(rows, self)
    Planned<18>.take(rows, self)
    Planned<19>.take(rows, self)
  }

  // SAFETY: the block has room for all columns, and is given back once, with the size it was taken with.
  func free(_ arena: Arena) { unsafe arena.free(block, Self.bytes(rows, columns)) }

  // MARK: planning

  /// How a column is packed. O(1).
  @inline(__always)
  func plan(_ column: Int) -> PackPlan {
    precondition(column >= 0 && column < columns, "a row has its columns")
    // SAFETY: `init` wrote a plan for every column.
    return unsafe block.load(fromByteOffset: column * MemoryLayout<PackPlan>.stride, as: PackPlan.self)
  }

  @inline(__always)
  fileprivate func setPlan(_ column: Int, _ plan: PackPlan) {
    // SAFETY: there is room for a plan a column.
    unsafe block.storeBytes(of: plan, toByteOffset: column * MemoryLayout<PackPlan>.stride, as: PackPlan.self)
  }

  /// Leaves a column room for other values than it has. O(1).
  ///
  /// - Parameters:
  ///   - isChanging: whether its values are likely to change.
  ///   - isGrowing: whether rows are likely to come in.
  func makeRoom(_ column: Int, isChanging: Bool, isGrowing: Bool) {
    var plan = plan(column)
    if isChanging, column > 0 { plan.widen() }
    if isGrowing { plan.lower(isMajor: column == 0) }
    setPlan(column, plan)
  }

  /// Whether a column's quotients are words, and so small and not negative that all of them add up to one. O(1).
  @inline(__always)
  func addsUpToWord(_ column: Int) -> Bool {
    let plan = plan(column)
    return !plan.isWide && plan.base >= 0 && plan.base + Int128(plan.reach) <= Int128(Int64.max / Int64(rows))
  }

  /// A column's quotients, where they are words. O(1).
  @inline(__always)
  @_lifetime(borrow self)
  func words(_ column: Int) -> Span<Int64> {
    // SAFETY: the column's own part of the block.
    let all = unsafe Span<Int64>(
      _unsafeStart: (block + wordsStart + column * rows * 8).assumingMemoryBound(to: Int64.self), count: rows)
    return unsafe _overrideLifetime(all, borrowing: self)
  }

  // SAFETY: the column's own part of the block; plain values need no initialisation.
  @inline(__always)
  @_lifetime(borrow self)
  fileprivate func mutableWords(_ column: Int, _ rows: Int) -> MutableSpan<Int64> {
    let all = unsafe MutableSpan<Int64>(
      _unsafeStart: (block + wordsStart + column * rows * 8).assumingMemoryBound(to: Int64.self), count: rows)
    return unsafe _overrideLifetime(all, borrowing: self)
  }

  // SAFETY: as for `mutableWords`.
  @inline(__always)
  @_lifetime(borrow self)
  fileprivate func mutableWide(_ column: Int, _ rows: Int) -> MutableSpan<Int128> {
    let all = unsafe MutableSpan<Int128>(
      _unsafeStart: (block + wideStart + column * rows * 16).assumingMemoryBound(to: Int128.self), count: rows)
    return unsafe _overrideLifetime(all, borrowing: self)
  }

  /// Writes a column's offsets one behind the other, each in its width; up to 15 bytes behind the last are written over.
  /// O(rows).
  ///
  /// - Parameter target: where all of them and 16 bytes more have room.
  func write(_ column: Int, to target: UnsafeMutableRawPointer) {
    let plan = plan(column)
    guard !plan.isWide else { return unsafe writeWide(column, to: target) }
    let words = words(column)
    let base = Int64(truncatingIfNeeded: plan.base)
    // SAFETY: the callers have planned the room; no alignment is needed to store bytes.
    switch plan.width {
    case 1:
      for row in 0..<rows {
        unsafe target.storeBytes(of: UInt8(truncatingIfNeeded: words[row] &- base), toByteOffset: row, as: UInt8.self)
      }
    case 2:
      for row in 0..<rows {
        unsafe target.storeBytes(
          of: UInt16(truncatingIfNeeded: words[row] &- base), toByteOffset: row &* 2, as: UInt16.self)
      }
    case 3:
      for row in 0..<rows { unsafe target.storeBytes(of: words[row] &- base, toByteOffset: row &* 3, as: Int64.self) }
    case 4:
      for row in 0..<rows {
        unsafe target.storeBytes(
          of: UInt32(truncatingIfNeeded: words[row] &- base), toByteOffset: row &* 4, as: UInt32.self)
      }
    case 5:
      for row in 0..<rows { unsafe target.storeBytes(of: words[row] &- base, toByteOffset: row &* 5, as: Int64.self) }
    case 6:
      for row in 0..<rows { unsafe target.storeBytes(of: words[row] &- base, toByteOffset: row &* 6, as: Int64.self) }
    case 7:
      for row in 0..<rows { unsafe target.storeBytes(of: words[row] &- base, toByteOffset: row &* 7, as: Int64.self) }
    default:
      for row in 0..<rows { unsafe target.storeBytes(of: words[row] &- base, toByteOffset: row &* 8, as: Int64.self) }
    }
  }

  private func writeWide(_ column: Int, to target: UnsafeMutableRawPointer) {
    let plan = plan(column)
    let width = plan.width
    let values = mutableWide(column, rows)
    for row in 0..<rows {
      let offset = UInt128(truncatingIfNeeded: values[row] &- plan.base)
      // SAFETY: as in `write`.
      unsafe target.storeBytes(of: UInt64(truncatingIfNeeded: offset), toByteOffset: row &* width, as: UInt64.self)
      guard width > 8 else { continue }
      unsafe target.storeBytes(
        of: UInt64(truncatingIfNeeded: offset >> 64), toByteOffset: row &* width &+ 8, as: UInt64.self)
    }
  }
}

/// Plans one column: its number stands fast in each loop.
private enum Planned<let column: Int> {
  static func take<Row: ColumnRow>(_ rows: Span<Row>, _ scratch: PackScratch) {
    if column < Row.columnCount { scratch.setPlan(column, plan(rows, scratch)) }
  }

  @inline(__always)
  private static func plan<Row: ColumnRow>(_ rows: Span<Row>, _ scratch: PackScratch) -> PackPlan {
    var words = scratch.mutableWords(column, rows.count)
    if column >= Row.narrowCount {
      let plan = PackPlan(isScaled: Row.isScaled(column), into: &words) { rows[$0].wide(column) }
      return plan.isWide ? wide(rows, scratch) : plan
    }
    if Row.isScaled(column) {
      return PackPlan(scaledIsAscending: Row.isAscending(column), into: &words) { rows[$0].narrow(column) }
    }
    return PackPlan(isAscending: Row.isAscending(column), into: &words) { rows[$0].narrow(column) }
  }

  @inline(__always)
  private static func wide<Row: ColumnRow>(_ rows: Span<Row>, _ scratch: PackScratch) -> PackPlan {
    var wide = scratch.mutableWide(column, rows.count)
    for row in 0..<wide.count { wide[row] = rows[row].wide(column) }
    return PackPlan(wide: &wide, isScaled: Row.isScaled(column))
  }
}
