// One column of a packed chunk whose values are a word each before they are multiplied: one load, one sum, one product.
// Invariant: as ColumnReader; of a column that is not narrow nothing is read.
// Not here: columns of any width, sums (ColumnReader).

internal import CSums

/// Reads one narrow column of a chunk: value = (base + offset) × power.
@safe struct NarrowColumn: BitwiseCopyable {
  private let start: UnsafeRawPointer?
  private let base: Int64
  private let power: Int64
  private let mask: UInt64
  private let width: Int
  private let count: Int
  /// Whether the column can be read like this.
  let isNarrow: Bool

  static var none: NarrowColumn { NarrowColumn() }

  private init() {
    unsafe start = nil
    (base, power, mask, width, count, isNarrow) = (0, 0, 0, 0, 0, false)
  }

  @inline(__always)
  init(_ start: UnsafeRawPointer, base: Int128, width: Int, power: UInt64, count: Int) {
    // SAFETY: the chunk has `count` offsets there; rows are checked when read.
    unsafe self.start = start
    // Seven bytes above a base of 62 bits stay within a word; powers are under 2^60.
    isNarrow = width <= 7 && base < 1 << 62 && base >= -(1 << 62)
    self.base = Int64(truncatingIfNeeded: base)
    self.power = Int64(truncatingIfNeeded: power)
    self.width = width
    self.count = isNarrow ? count : 0
    mask = ColumnReader.mask(width)
  }

  /// Whether what a chunk's rows, fewer than 2^10, add up to before it is multiplied stays within a word.
  var isShort: Bool { width <= 6 && base >= 0 && base < 1 << 48 && count < 1 << 10 }

  /// Whether every row has zero.
  var isZero: Bool { isNarrow && width == 0 && base == 0 }

  /// A row's offset above the base. O(1).
  @inline(__always)
  func offset(_ row: Int) -> UInt64 {
    check(row..<row + 1)
    return offset(checked: row)
  }

  /// Makes sure that rows can be read without looking each time. O(1).
  @inline(__always)
  func check(_ rows: Range<Int>) {
    precondition(rows.lowerBound >= 0 && rows.upperBound <= count, "a column is read within its rows")
  }

  /// The offset of a row that was checked (`check`). O(1).
  @inline(__always)
  func offset(checked row: Int) -> UInt64 {
    // SAFETY: the caller has checked the row: the offset is there, and room for a word behind the last.
    unsafe start.unsafelyUnwrapped.loadUnaligned(fromByteOffset: row &* width, as: UInt64.self) & mask
  }

  /// The value of a row that was checked (`check`). O(1).
  @inline(__always)
  func value(checked row: Int) -> Int128 { value(offset(checked: row)) }

  /// The value of a row. O(1).
  @inline(__always)
  subscript(row: Int) -> Int128 { value(offset(row)) }

  /// The value of an offset, or of the sum of offsets of one row. O(1).
  @inline(__always)
  func value(_ offset: UInt64) -> Int128 {
    let product = (base &+ Int64(bitPattern: offset)).multipliedFullWidth(by: power)
    return Int128(product.high) << 64 | Int128(product.low)
  }

  /// What `rows` values of a short column add up to whose offsets add up to `offsets`. O(1).
  @inline(__always)
  func shortSum(_ offsets: UInt64, rows: Int64) -> Int128 {
    let product = (base &* rows &+ Int64(bitPattern: offsets)).multipliedFullWidth(by: power)
    return Int128(product.high) << 64 | Int128(product.low)
  }

  /// The value that every row is not under, before it is multiplied.
  var least: Int64 { base }

  /// The offsets, where they are narrow enough to be added up four at a time.
  // SAFETY: the chunk has `count` offsets of `width` bytes there, and 16 bytes of padding lie behind the last.
  var quads: continuo_offsets? {
    isNarrow && width <= 6 ? unsafe continuo_offsets(start: UnsafeRawPointer(start), width: width) : nil
  }
}

/// Reads one column of 64 bits of a chunk, of whatever width: value = (base + offset) × power, which may wrap.
@safe struct WordColumn: BitwiseCopyable {
  private let start: UnsafeRawPointer
  private let base: UInt64
  private let power: UInt64
  private let mask: UInt64
  private let width: Int
  let count: Int

  // SAFETY: the chunk has `count` offsets of `width` bytes there, and room for a word behind the last.
  @inline(__always)
  init(_ start: UnsafeRawPointer, base: Int64, width: Int, power: UInt64, count: Int) {
    unsafe self.start = start
    self.base = UInt64(bitPattern: base)
    self.power = power
    self.width = width
    self.count = count
    mask = ColumnReader.mask(width)
  }

  /// Makes sure that rows can be read without looking each time. O(1).
  @inline(__always)
  func check(_ rows: Range<Int>) {
    precondition(rows.lowerBound >= 0 && rows.upperBound <= count, "a column is read within its rows")
  }

  /// The value of a row that was checked (`check`). O(1).
  @inline(__always)
  func value(checked row: Int) -> Int64 {
    // SAFETY: the caller has checked the row: the offset is there, and room for a word behind the last.
    let word = unsafe start.loadUnaligned(fromByteOffset: row &* width, as: UInt64.self)
    return Int64(bitPattern: (base &+ (word & mask)) &* power)
  }

  /// The value of a row. O(1).
  @inline(__always)
  subscript(row: Int) -> Int64 {
    check(row..<row + 1)
    return value(checked: row)
  }

  /// The first row whose value is not under `bound`, of an ascending column. O(how far it is from `guess`).
  @inline(__always)
  func first(notUnder bound: Int64, near guess: Int) -> Int {
    var row = min(max(guess, 0), count)
    while row > 0, value(checked: row - 1) >= bound { row -= 1 }
    while row < count, value(checked: row) < bound { row += 1 }
    return row
  }
}
