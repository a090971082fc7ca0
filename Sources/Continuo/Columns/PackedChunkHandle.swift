// A run of rows at rest: each column as whole bytes above its smallest value, at a power of ten that divides them all.
// Invariant: every row reads back to the bit; a chunk never changes; its block is given back once, by its series.
// Not here: which rows make a chunk (SortedSeries), how a column is planned (PackPlan), what columns mean (the rows).
// Source: frame of reference (Goldstein, Ramakrishnan, Shaft 1998), with byte widths so that a value is one unaligned load.

internal import CMemory

/// How one column lies in a chunk: value = (base + offset) × 10^exponent.
private struct PackedColumn: BitwiseCopyable {
  var base: Int64
  /// Where the offsets begin, in bytes from the start of the chunk's block.
  var start: UInt32
  /// Bytes an offset takes, 0 to 16.
  var width: UInt8
  var exponent: UInt8
  /// The base is the 16 bytes before the offsets.
  var hasWideBase: Bool
}

/// Packed rows, in order, in one block: count and size, last key, summary, a header a column, offsets.
@safe package struct PackedChunk<Row: PackedRow>: BitwiseCopyable {
  private let block: UnsafeMutableRawPointer

  private struct Head: BitwiseCopyable {
    var count: UInt32
    var byteCount: UInt32
    /// The version that the chunk was made for.
    var born: UInt64
    var lastKey: Row.Key
  }

  @inline(__always)
  private static var summaryStart: Int { (MemoryLayout<Head>.size + 15) & ~15 }
  @inline(__always)
  private static var columnsStart: Int { (summaryStart + MemoryLayout<Row.Summary>.size + 15) & ~15 }
  @inline(__always)
  private static var dataStart: Int { columnsStart + Row.columnCount * MemoryLayout<PackedColumn>.stride }

  // SAFETY: every block has a head, written in init; it is read within the life of the block, which the series keeps.
  @inline(__always)
  private var head: Head { unsafe block.load(as: Head.self) }
  @inline(__always)
  // SAFETY: the block was taken in init with room for head, summary, headers and offsets.
  package var count: Int { unsafe Int(block.load(as: UInt32.self)) }
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

  @inline(__always)
  private func prefetch(_ bytes: Range<Int>) {
    for offset in stride(from: bytes.lowerBound, to: bytes.upperBound, by: 64) {
      // SAFETY: a prefetch of any address is harmless.
      unsafe continuo_prefetch(UnsafeRawPointer(block) + offset)
    }
  }

  /// Packs rows. O(rows × columns).
  ///
  /// - Parameter isChanging: leaves room in the columns for values somewhat beyond those of the rows.
  init(_ rows: Span<Row>, _ arena: Arena, isChanging: Bool = false) {
    precondition(!rows.isEmpty, "a chunk has rows")
    let scratch = PackScratch(rows.count, columns: Row.columnCount, arena)
    var plans: [20 of PackPlan] = .init(repeating: PackPlan())
    var bytes = Self.dataStart
    for column in 0..<Row.columnCount {
      plans[column] = scratch.plan(column, rows)
      if isChanging, column > 0 { scratch.widen(&plans[column], column) }
      bytes += plans[column].baseBytes + Int(plans[column].width) * rows.count
    }
    // A value is read as one or two whole words: the last one may reach past its bytes.
    self.init(arena, rows.count, bytes: bytes + 16, lastKey: rows[rows.count - 1].key, Row.summary(rows))
    var cursor = Self.dataStart
    for column in 0..<Row.columnCount {
      let plan = plans[column]
      cursor = begin(column, plan, at: cursor)
      guard plan.width > 0 else { continue }
      let width = Int(plan.width)
      let words = scratch.words(column)
      for row in 0..<words.count {
        store(UInt64(bitPattern: words[row]), at: cursor)
        if width > 8 { store(scratch.highWord(column, row), at: cursor + 8) }
        cursor += width
      }
    }
    scratch.free(arena)
  }

  private init(_ arena: Arena, _ count: Int, bytes: Int, lastKey: Row.Key, _ summary: Row.Summary) {
    unsafe block = arena.take(bytes)
    // SAFETY: the block has room for its head and its summary.
    unsafe block.storeBytes(
      of: Head(count: UInt32(count), byteCount: UInt32(bytes), born: arena.sequence, lastKey: lastKey), as: Head.self)
    unsafe block.storeBytes(of: summary, toByteOffset: Self.summaryStart, as: Row.Summary.self)
  }

  /// Gives the block back: no version that is still to come has it. O(1).
  // SAFETY: the block was taken in init with room for head, summary, headers and offsets.
  func giveBack(_ arena: Arena) { unsafe arena.giveBack(block, byteCount, born: head.born) }

  // MARK: writing, while the chunk is made

  /// Writes a column's header and wide base, and tells where its offsets begin.
  @inline(__always)
  private func begin(_ column: Int, _ plan: PackPlan, at cursor: Int) -> Int {
    let start = cursor + plan.baseBytes
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
        width: plan.width, exponent: plan.exponent, hasWideBase: hasWideBase))
    return start
  }

  /// Writes a word; the bytes behind a value are written after it, or padding.
  @inline(__always)
  private func store(_ word: UInt64, at offset: Int) {
    // SAFETY: offsets lie within the planned bytes, and 16 bytes of padding behind them.
    unsafe (block + offset).storeBytes(of: word, as: UInt64.self)
  }

  @inline(__always)
  private func setHeader(_ column: Int, _ header: PackedColumn) {
    // SAFETY: there is room for a header a column.
    unsafe block.storeBytes(
      of: header, toByteOffset: Self.columnsStart + column * MemoryLayout<PackedColumn>.stride, as: PackedColumn.self)
  }

  // MARK: reading

  @inline(__always)
  private func header(_ column: Int) -> PackedColumn {
    // SAFETY: init wrote a header for every column.
    unsafe block.load(
      fromByteOffset: Self.columnsStart + column * MemoryLayout<PackedColumn>.stride, as: PackedColumn.self)
  }

  @inline(__always)
  private func word(_ offset: Int) -> UInt64 {
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
  private func base(_ header: PackedColumn) -> Int128 {
    guard header.hasWideBase else { return Int128(header.base) }
    let low = word(Int(header.start) - 16)
    return Int128(truncatingIfNeeded: UInt128(word(Int(header.start) - 8)) << 64 | UInt128(low))
  }

  /// The bytes that an offset of `width` takes, 1 to 8.
  @inline(__always)
  private static func mask(_ width: Int) -> UInt64 { UInt64.max >> UInt64(64 &- 8 &* width) }

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

  /// The first row whose key is not before `key`. O(log rows).
  @inline(__always)
  func lowerBound(_ key: Row.Key) -> Int {
    let major = Row.major(key)
    return Search.first(count) { index in
      let own = narrow(index, 0)
      return own == major ? !(self.key(at: index) < key) : own > major
    }
  }

  // MARK: one row more or less

  /// The same rows and one more, nil where that does not fit the columns as they are packed. O(bytes).
  func inserting(_ row: Row, at index: Int, _ arena: Arena) -> PackedChunk? {
    var words: [20 of (UInt64, UInt64)] = .init(repeating: (0, 0))
    var bytes = byteCount
    for column in 0..<Row.columnCount {
      guard let word = offset(of: row, column) else { return nil }
      words[column] = word
      bytes += Int(header(column).width)
    }
    let grown = PackedChunk(
      arena, count + 1, bytes: bytes, lastKey: index == count ? row.key : lastKey, Row.summary(summary, with: row))
    var cursor = Self.dataStart
    for column in 0..<Row.columnCount {
      let width = Int(header(column).width)
      cursor = grown.copy(column, from: self, keeping: 0..<index, at: cursor)
      if width > 0 { grown.store(words[column].0, at: cursor) }
      if width > 8 { grown.store(words[column].1, at: cursor + 8) }
      cursor = grown.copyRest(column, from: self, keeping: index..<count, at: cursor + width)
    }
    return grown
  }

  /// The same rows but one, with the same key, nil where that does not fit the columns as they are packed. O(bytes).
  func replacing(_ index: Int, with row: Row, _ arena: Arena) -> PackedChunk? {
    var words: [20 of (UInt64, UInt64)] = .init(repeating: (0, 0))
    for column in 0..<Row.columnCount {
      guard let word = offset(of: row, column) else { return nil }
      words[column] = word
    }
    guard let rest = Row.summary(summary, without: self.row(at: index)) else { return nil }
    let replaced = PackedChunk(
      arena, count, bytes: byteCount, lastKey: lastKey, Row.summary(rest, with: row))
    // SAFETY: both blocks have `byteCount` bytes, of the same layout; the head and the summary were written before.
    unsafe (replaced.block + Self.columnsStart).copyMemory(
      from: block + Self.columnsStart, byteCount: byteCount - Self.columnsStart)
    for column in 0..<Row.columnCount {
      let header = header(column)
      let place = Int(header.start) + index * Int(header.width)
      replaced.store(words[column], bytes: Int(header.width), at: place)
    }
    return replaced
  }

  /// A row's offset in a column as it is packed, nil where it does not fit.
  @inline(__always)
  private func offset(of row: Row, _ column: Int) -> (UInt64, UInt64)? {
    let header = header(column)
    let value = column < Row.narrowCount ? Int128(row.narrow(column)) : row.wide(column)
    let exponent = Int(header.exponent)
    guard exponent == 0 || PackPlan.divides(exponent, value.magnitude) else { return nil }
    let offset = UInt128(truncatingIfNeeded: PackPlan.quotient(value, exponent) &- base(header))
    guard (128 - offset.leadingZeroBitCount + 7) >> 3 <= Int(header.width) else { return nil }
    return (UInt64(truncatingIfNeeded: offset), UInt64(truncatingIfNeeded: offset >> 64))
  }

  /// Writes the bytes of an offset, and none behind them.
  private func store(_ words: (UInt64, UInt64), bytes: Int, at place: Int) {
    for byte in 0..<bytes {
      let word = byte < 8 ? words.0 : words.1
      // SAFETY: the offset lies within the block.
      unsafe block.storeBytes(
        of: UInt8(truncatingIfNeeded: word >> UInt64(8 * (byte & 7))), toByteOffset: place + byte, as: UInt8.self)
    }
  }

  /// The same rows without some, nil where none is left or their summary takes all rows to tell. O(bytes).
  ///
  /// - Parameter gone: the rows to leave out, ascending.
  func removing(_ gone: Span<Int>, _ arena: Arena) -> PackedChunk? {
    guard gone.count < count else { return nil }
    var rest: Row.Summary? = summary
    var bytes = byteCount
    for index in 0..<gone.count {
      rest = rest.flatMap { Row.summary($0, without: row(at: gone[index])) }
    }
    guard let rest else { return nil }
    for column in 0..<Row.columnCount { bytes -= Int(header(column).width) * gone.count }
    var last = count - 1
    var taken = gone.count
    while taken > 0, gone[taken - 1] == last { (last, taken) = (last - 1, taken - 1) }
    let shrunk = PackedChunk(arena, count - gone.count, bytes: bytes, lastKey: key(at: last), rest)
    var cursor = Self.dataStart
    for column in 0..<Row.columnCount {
      cursor = shrunk.copy(column, from: self, keeping: 0..<gone[0], at: cursor)
      for index in 0..<gone.count {
        let end = index + 1 < gone.count ? gone[index + 1] : count
        cursor = shrunk.copyRest(column, from: self, keeping: gone[index] + 1..<end, at: cursor)
      }
    }
    return shrunk
  }

  /// Begins a column as another chunk has it, with the first of its rows, and tells where the next offset goes.
  private func copy(_ column: Int, from other: PackedChunk, keeping rows: Range<Int>, at cursor: Int) -> Int {
    var header = other.header(column)
    let baseBytes = header.hasWideBase ? 16 : 0
    if baseBytes > 0 {
      store(other.word(Int(header.start) - 16), at: cursor)
      store(other.word(Int(header.start) - 8), at: cursor + 8)
    }
    header.start = UInt32(truncatingIfNeeded: cursor + baseBytes)
    setHeader(column, header)
    return copyRest(column, from: other, keeping: rows, at: cursor + baseBytes)
  }

  /// Goes on with a column that was begun.
  private func copyRest(_ column: Int, from other: PackedChunk, keeping rows: Range<Int>, at cursor: Int) -> Int {
    let header = other.header(column)
    let bytes = rows.count * Int(header.width)
    // SAFETY: the source lies within the other's offsets, the target within ours: its bytes were counted before.
    unsafe (block + cursor).copyMemory(
      from: other.block + Int(header.start) + rows.lowerBound * Int(header.width), byteCount: bytes)
    return cursor + bytes
  }
}

// SAFETY: a chunk never changes once it is made; its block outlives who may read it (Arena).
extension PackedChunk: @unchecked Sendable {}

/// The columns of one row of a chunk.
struct PackedColumns<Row: PackedRow>: ColumnSource {
  let chunk: PackedChunk<Row>
  let index: Int

  @inline(__always)
  func narrow(_ column: Int) -> Int64 { chunk.narrow(index, column) }
  @inline(__always)
  func wide(_ column: Int) -> Int128 { chunk.wide(index, column) }
}
