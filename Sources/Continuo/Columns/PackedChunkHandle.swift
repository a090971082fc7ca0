// A run of rows at rest: each column as whole bytes above its smallest value, at a power of ten that divides them all.
// Invariant: every row reads back to the bit; a chunk that a version may have never changes; its block is given back once,
// by its series.
// Not here: rows that come and go (PackedChunkChangesHandle), which rows make a chunk (SortedSeries), how a column is planned
// (PackPlan), what columns mean (the rows).
// Source: frame of reference (Goldstein, Ramakrishnan, Shaft 1998), with byte widths so that a value is one unaligned load.

internal import CMemory

/// How one column lies in a chunk: value = (base + offset) × 10^exponent.
struct PackedColumn: BitwiseCopyable {
  var base: Int64
  /// Where the offsets begin, in bytes from the start of the chunk's block.
  var start: UInt32
  /// Bytes an offset takes, 0 to 16.
  var width: UInt8
  var exponent: UInt8
  /// The base is the 16 bytes before the offsets.
  var hasWideBase: Bool
}

/// Packed rows, in order, in one block: count and size, last key, summary, a header a column, offsets with room before and
/// behind them.
@safe package struct PackedChunk<Row: PackedRow>: BitwiseCopyable {
  let block: UnsafeMutableRawPointer

  struct Head: BitwiseCopyable {
    var count: UInt16
    /// For how many rows the columns have room.
    var capacity: UInt16
    var byteCount: UInt32
    /// The version that the chunk was made for.
    var born: UInt64
    var lastKey: Row.Key
    /// For how many of these rows there is room before the first one: 0 where a base is.
    var front: UInt16
  }

  @inline(__always)
  static var summaryStart: Int { (MemoryLayout<Head>.size + 15) & ~15 }
  @inline(__always)
  static var columnsStart: Int { (summaryStart + MemoryLayout<Row.Summary>.size + 15) & ~15 }
  @inline(__always)
  static var dataStart: Int { columnsStart + Row.columnCount * MemoryLayout<PackedColumn>.stride }

  // SAFETY: every block has a head, written in init; it is read within the life of the block, which the series keeps.
  @inline(__always)
  var head: Head { unsafe block.load(as: Head.self) }
  @inline(__always)
  // SAFETY: the block was taken in init with room for head, summary, headers and offsets.
  package var count: Int { unsafe Int(block.load(as: UInt16.self)) }
  /// How many bytes the block takes.
  var byteCount: Int { Int(head.byteCount) }
  @inline(__always)
  var lastKey: Row.Key { head.lastKey }
  /// What the rows add up to.
  @inline(__always)
  // SAFETY: the block was taken in init with room for head, summary, headers and offsets.
  package var summary: Row.Summary { unsafe block.load(fromByteOffset: Self.summaryStart, as: Row.Summary.self) }

  /// Asks for the memory of the summary. O(1).
  @inline(__always)
  func prefetchSummary() { prefetch(Self.summaryStart..<Self.columnsStart) }

  /// Asks for the memory of everything before the offsets. O(1).
  @inline(__always)
  func prefetchHead() { prefetch(0..<Self.dataStart) }

  /// Asks for the memory of the offsets, of a small chunk. O(bytes ÷ 64).
  @inline(__always)
  func prefetchOffsets() { prefetch(Self.dataStart..<min(byteCount, 4096)) }

  @inline(__always)
  private func prefetch(_ bytes: Range<Int>) {
    for offset in stride(from: bytes.lowerBound, to: bytes.upperBound, by: 64) {
      // SAFETY: a prefetch of any address is harmless.
      unsafe continuo_prefetch(UnsafeRawPointer(block) + offset)
    }
  }

  /// Packs rows. O(rows × columns).
  ///
  /// - Parameters:
  ///   - room: how many rows more are likely to come, anywhere.
  ///   - isChanging: leaves room in the columns for values somewhat beyond those of the rows.
  init(_ rows: Span<Row>, _ arena: Arena, room: Int = 0, isChanging: Bool = false) {
    precondition(!rows.isEmpty, "a chunk has rows")
    let capacity = rows.count + room
    let scratch = PackScratch(rows, arena)
    let summary = Row.summary(rows, scratch)
    var bytes = Self.dataStart
    var front = room / 2
    for column in 0..<Row.columnCount {
      if room > 0 || isChanging { scratch.makeRoom(column, isChanging: isChanging, isGrowing: room > 0) }
      let plan = scratch.plan(column)
      bytes += plan.baseBytes + plan.width * capacity
      if plan.baseBytes > 0 { front = 0 }
    }
    // A value is read as one or two whole words: the last one may reach past its bytes.
    self.init(
      arena, rows.count, capacity, front: front, bytes: bytes + 16, lastKey: rows[rows.count - 1].key, summary)
    var cursor = Self.dataStart
    for column in 0..<Row.columnCount {
      let plan = scratch.plan(column)
      let width = plan.width
      let start = begin(column, plan, at: cursor, front: front)
      cursor = start + width * (capacity - front)
      guard width > 0 else { continue }
      // SAFETY: the column's room was counted above, and 16 bytes behind the last.
      unsafe scratch.write(column, to: block + start)
    }
    scratch.free(arena)
  }

  init(
    _ arena: Arena, _ count: Int, _ capacity: Int, front: Int, bytes: Int, lastKey: Row.Key, _ summary: Row.Summary
  ) {
    unsafe block = arena.take(bytes)
    let head = Head(
      count: UInt16(count), capacity: UInt16(capacity), byteCount: UInt32(bytes), born: arena.sequence,
      lastKey: lastKey, front: UInt16(front))
    // SAFETY: the block has room for its head and its summary.
    unsafe block.storeBytes(of: head, as: Head.self)
    unsafe block.storeBytes(of: summary, toByteOffset: Self.summaryStart, as: Row.Summary.self)
  }

  /// Gives the block back: no version that is still to come has it. O(1).
  // SAFETY: the block was taken in init with room for head, summary, headers and offsets.
  func giveBack(_ arena: Arena) { unsafe arena.giveBack(block, byteCount, born: head.born) }

  // MARK: writing, while the chunk is made

  /// Writes a column's header and wide base, and tells where its offsets begin.
  @inline(__always)
  private func begin(_ column: Int, _ plan: PackPlan, at cursor: Int, front: Int) -> Int {
    let start = cursor + plan.baseBytes + front * plan.width
    let hasWideBase = plan.baseBytes > 0
    if hasWideBase {
      // SAFETY: 16 bytes were planned here; no alignment is needed to store bytes.
      unsafe (block + cursor).storeBytes(of: UInt64(truncatingIfNeeded: plan.base), as: UInt64.self)
      unsafe (block + cursor + 8).storeBytes(of: UInt64(truncatingIfNeeded: plan.base >> 64), as: UInt64.self)
    }
    setHeader(
      column,
      PackedColumn(
        base: hasWideBase ? 0 : Int64(truncatingIfNeeded: plan.base), start: UInt32(truncatingIfNeeded: start),
        width: UInt8(truncatingIfNeeded: plan.width), exponent: plan.exponent, hasWideBase: hasWideBase))
    return start
  }

  /// Writes a word; the bytes behind a value are written after it, or padding.
  @inline(__always)
  func store(_ word: UInt64, at offset: Int) {
    // SAFETY: offsets lie within the planned bytes, and 16 bytes of padding behind them.
    unsafe (block + offset).storeBytes(of: word, as: UInt64.self)
  }

  @inline(__always)
  func setHeader(_ column: Int, _ header: PackedColumn) {
    // SAFETY: there is room for a header a column.
    unsafe block.storeBytes(
      of: header, toByteOffset: Self.columnsStart + column * MemoryLayout<PackedColumn>.stride, as: PackedColumn.self)
  }

  // MARK: reading

  @inline(__always)
  func header(_ column: Int) -> PackedColumn {
    // SAFETY: init wrote a header for every column.
    unsafe block.load(
      fromByteOffset: Self.columnsStart + column * MemoryLayout<PackedColumn>.stride, as: PackedColumn.self)
  }

  @inline(__always)
  func word(_ offset: Int) -> UInt64 {
    // SAFETY: as in `store`.
    unsafe block.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
  }

  /// A column of 64 bits; of a wider one its lower word. O(1).
  @inline(__always)
  func narrow(_ index: Int, _ column: Int) -> Int64 {
    precondition(index >= 0 && index < count && column < Row.columnCount, "a chunk is read within its rows")
    let header = header(column)
    let width = Int(header.width)
    var value = UInt64(bitPattern: header.base)
    if width > 0 { value &+= word(Int(header.start) + index &* width) & Self.mask(width) }
    if header.exponent > 0 { value &*= PackPlan.power(header.exponent) }
    return Int64(bitPattern: value)
  }

  /// A column of 128 bits. O(1).
  @inline(__always)
  func wide(_ index: Int, _ column: Int) -> Int128 {
    precondition(index >= 0 && index < count && column < Row.columnCount, "a chunk is read within its rows")
    let header = header(column)
    var value = base(header)
    let width = Int(header.width)
    if width > 0 {
      let place = Int(header.start) + index &* width
      let low = word(place)
      if width <= 8 {
        value &+= Int128(low & Self.mask(width))
      } else {
        let high = word(place + 8) & Self.mask(width - 8)
        value &+= Int128(truncatingIfNeeded: UInt128(high) << 64 | UInt128(low))
      }
    }
    return header.exponent == 0 ? value : value &* Int128(PackPlan.power(header.exponent))
  }

  @inline(__always)
  func base(_ header: PackedColumn) -> Int128 {
    guard header.hasWideBase else { return Int128(header.base) }
    let low = word(Int(header.start) - 16)
    return Int128(truncatingIfNeeded: UInt128(word(Int(header.start) - 8)) << 64 | UInt128(low))
  }

  /// The bytes that an offset of `width` takes, 1 to 8.
  @inline(__always)
  static func mask(_ width: Int) -> UInt64 { UInt64.max >> UInt64(64 &- 8 &* width) }

  /// A column, to be read over many rows. O(1).
  @inline(__always)
  func column(_ column: Int) -> ColumnReader {
    let header = checkedHeader(column)
    // SAFETY: the offsets of a column are `count` times its width, and 16 bytes of padding lie behind the last.
    return unsafe ColumnReader(
      UnsafeRawPointer(block) + Int(header.start), base: base(header), width: Int(header.width),
      power: PackPlan.power(header.exponent), count: count)
  }

  /// A column, to be read over many rows where its values are a word each. O(1).
  @inline(__always)
  func narrowColumn(_ column: Int) -> NarrowColumn {
    let header = checkedHeader(column)
    // SAFETY: as for `column`.
    return unsafe NarrowColumn(
      UnsafeRawPointer(block) + Int(header.start), base: base(header), width: Int(header.width),
      power: PackPlan.power(header.exponent), count: count)
  }

  /// A column of 64 bits, to be read over many rows. O(1).
  @inline(__always)
  func words(_ column: Int) -> WordColumn {
    precondition(column < Row.narrowCount, "a column of 64 bits is read as words")
    let header = checkedHeader(column)
    // SAFETY: as for `column`.
    return unsafe WordColumn(
      UnsafeRawPointer(block) + Int(header.start), base: header.base, width: Int(header.width),
      power: PackPlan.power(header.exponent), count: count)
  }

  @inline(__always)
  private func checkedHeader(_ column: Int) -> PackedColumn {
    precondition(column >= 0 && column < Row.columnCount, "a row has its columns")
    return header(column)
  }

  /// A row's columns. O(1).
  @inline(__always)
  func columns(at index: Int) -> PackedColumns<Row> { PackedColumns(chunk: self, index: index) }

  /// A row. O(columns).
  @inline(__always)
  package func row(at index: Int) -> Row { Row(columns(at: index)) }

  /// The key of a row. O(columns of the key).
  @inline(__always)
  func key(at index: Int) -> Row.Key { Row.key(columns(at: index)) }

  /// Appends all rows to a column. O(rows × columns).
  func unpack(into rows: inout ColumnHandle<Row>) {
    for index in 0..<count { rows.append(row(at: index)) }
  }

  /// The first row whose key is not before `key`. O(log rows), and few steps where the rows come evenly.
  ///
  /// - Parameter last: the major of the last key.
  @inline(__always)
  func lowerBound(_ key: Row.Key, last: Int64) -> Int {
    let major = Row.major(key)
    let majors = words(0)
    majors.check(0..<majors.count)
    return Search.first(majors.count, near: guess(major, last: last)) { index in
      let own = majors.value(checked: index)
      return own == major ? !(self.key(at: index) < key) : own > major
    }
  }

  /// Where a major would be if the rows came evenly from the base on, which lies close under the first one. O(1).
  @inline(__always)
  func guess(_ major: Int64, last: Int64) -> Int {
    let header = header(0)
    let base = header.base &* Int64(bitPattern: PackPlan.power(header.exponent))
    return Search.guess(major, from: base, to: last, count)
  }

  /// Asks for the memory of a row's columns, and of the rows that are about to move. O(1), and O(bytes moved ÷ 64).
  @inline(__always)
  func prefetchRow(_ index: Int, moving: MovedRows) {
    let all = count
    for column in 0..<Row.columnCount {
      let header = header(column)
      let (start, width) = (Int(header.start), Int(header.width))
      guard width > 0 else { continue }
      let place = start + index &* width
      // SAFETY: a prefetch of any address is harmless; nothing is read here.
      unsafe continuo_prefetch(UnsafeRawPointer(block) + place)
      // The first column is searched around the place.
      if column == 0 { unsafe continuo_prefetch(UnsafeRawPointer(block) + place - 64) }
      switch moving {
      case .none: break
      case .before:
        for line in stride(from: place - 64, to: start - 64, by: -64) {
          unsafe continuo_prefetch(UnsafeRawPointer(block) + line)
        }
      case .behind:
        for line in stride(from: place + 64, to: start + all &* width + 64, by: 64) {
          unsafe continuo_prefetch(UnsafeRawPointer(block) + line)
        }
      }
    }
  }

  /// Whether a new row there moves those before it, which takes room in front of them. O(1).
  @inline(__always)
  func movesFront(_ index: Int) -> Bool {
    let head = head
    let (all, front) = (Int(head.count), Int(head.front))
    return front > 0 && (index * 2 < all || front + all == Int(head.capacity))
  }
}

// SAFETY: a chunk that anybody else may read never changes; its block outlives who may read it (Arena).
extension PackedChunk: @unchecked Sendable {}

/// Which rows of a chunk a change moves.
enum MovedRows { case none, before, behind }

/// The columns of one row of a chunk.
struct PackedColumns<Row: PackedRow>: ColumnSource {
  let chunk: PackedChunk<Row>
  let index: Int

  @inline(__always)
  func narrow(_ column: Int) -> Int64 { chunk.narrow(index, column) }
  @inline(__always)
  func wide(_ column: Int) -> Int128 { chunk.wide(index, column) }
}
