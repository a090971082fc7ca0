// A run of rows at rest: each column as whole bytes above its smallest value, at a power of ten that divides them all.
// Invariant: every row reads back to the bit; a chunk never changes; its one piece of memory is ours alone.
// Not here: which rows make a chunk (SortedSeries), what the columns mean (the rows).
// Source: frame of reference (Goldstein, Ramakrishnan, Shaft 1998), with byte widths so that a value is one unaligned load.

/// A row that can be packed: a key, and a fixed number of integer columns.
package protocol PackedRow: BitwiseCopyable {
  associatedtype Key: Comparable & BitwiseCopyable
  associatedtype Summary: BitwiseCopyable
  /// Where the row stands in its series.
  var key: Key { get }
  static var columnCount: Int { get }
  /// Whether a column holds decimals or times, which often share a power of ten.
  static func isScaled(_ column: Int) -> Bool
  func column(_ index: Int) -> Int128
  /// Makes a row of its columns.
  init(_ column: (Int) -> Int128)
  /// Makes a key of the columns, reading no others.
  static func key(_ column: (Int) -> Int128) -> Key
  /// What a run of rows, in order, adds up to.
  static func summary(_ rows: Span<Self>) -> Summary
  /// How many rows a chunk is made of, and how many the open tail of a series holds at most.
  static var chunkRows: Int { get }
  static var tailRowsMax: Int { get }
}

/// How one column lies in a chunk: value = (base + offset) × 10^exponent.
private struct PackedColumn: BitwiseCopyable {
  var base: Int64
  /// Where the offsets begin, in bytes from the start of the chunk's memory.
  var start: UInt32
  /// Bytes an offset takes, 0 to 16.
  var width: UInt8
  var exponent: UInt8
  /// The base is the 16 bytes before the offsets.
  var hasWideBase: Bool
}

/// Packed rows, in order.
@safe package struct PackedChunkHandle<Row: PackedRow>: ~Copyable {
  private let memory: UnsafeMutableRawPointer
  let count: Int
  let byteCount: Int

  /// Packs rows. O(rows × columns).
  init(_ rows: Span<Row>) {
    precondition(!rows.isEmpty, "a chunk has rows")
    let headers = Row.columnCount * MemoryLayout<PackedColumn>.stride
    var plans: [18 of PackPlan] = .init(repeating: PackPlan())
    var bytes = headers
    for column in 0..<Row.columnCount {
      plans[column] = PackPlan(rows, column)
      if plans[column].baseBytes > 0 { bytes = ((bytes + 15) & ~15) + plans[column].baseBytes }
      bytes += plans[column].width * rows.count
    }
    // A value is read as one or two whole words: the last one may reach past its bytes.
    byteCount = bytes + 16
    count = rows.count
    unsafe memory = .allocate(byteCount: byteCount, alignment: 16)
    var cursor = headers
    for column in 0..<Row.columnCount {
      let plan = plans[column]
      let isWide = plan.baseBytes > 0
      if isWide { cursor = (cursor + 15) & ~15 }
      // SAFETY: headers lie at the start, one a column, within byteCount.
      unsafe memory.storeBytes(
        of: PackedColumn(
          base: isWide ? 0 : Int64(plan.base), start: UInt32(cursor + plan.baseBytes), width: UInt8(plan.width),
          exponent: plan.exponent, hasWideBase: isWide),
        toByteOffset: column * MemoryLayout<PackedColumn>.stride, as: PackedColumn.self)
      if isWide {
        // SAFETY: room for 16 bytes was planned, aligned above.
        unsafe memory.storeBytes(of: plan.base, toByteOffset: cursor, as: Int128.self)
        cursor += 16
      }
      guard plan.width > 0 else { continue }
      for row in 0..<rows.count {
        let offset = plan.offset(rows[row].column(column))
        // SAFETY: the bytes behind this value are either written after it or padding.
        unsafe memory.storeBytes(of: UInt64(truncatingIfNeeded: offset), toByteOffset: cursor, as: UInt64.self)
        if plan.width > 8 {
          unsafe memory.storeBytes(
            of: UInt64(truncatingIfNeeded: offset >> 64), toByteOffset: cursor + 8, as: UInt64.self)
        }
        cursor += plan.width
      }
    }
  }

  /// A column's value of a row. O(1).
  @inline(__always)
  func value(_ index: Int, _ column: Int) -> Int128 {
    precondition(index >= 0 && index < count && column < Row.columnCount, "a chunk is read within its rows")
    // SAFETY: init wrote a header for every column, and `count` offsets with padding behind them.
    let header = unsafe memory.loadUnaligned(
      fromByteOffset: column * MemoryLayout<PackedColumn>.stride, as: PackedColumn.self)
    var base = Int128(header.base)
    if header.hasWideBase {
      base = unsafe memory.loadUnaligned(fromByteOffset: Int(header.start) - 16, as: Int128.self)
    }
    let width = Int(header.width)
    if width > 0 {
      let place = Int(header.start) + index * width
      let low = unsafe memory.loadUnaligned(fromByteOffset: place, as: UInt64.self)
      if width <= 8 {
        base &+= Int128(low & (UInt64.max >> UInt64(64 - 8 * width)))
      } else {
        let high = unsafe memory.loadUnaligned(fromByteOffset: place + 8, as: UInt64.self)
        let kept = high & (UInt64.max >> UInt64(128 - 8 * width))
        base &+= Int128(truncatingIfNeeded: UInt128(kept) << 64 | UInt128(low))
      }
    }
    return header.exponent == 0 ? base : base &* Int128(PackPlan.power(header.exponent))
  }

  /// A row. O(columns).
  @inline(__always)
  func row(at index: Int) -> Row { Row { value(index, $0) } }

  /// The key of a row. O(columns of the key).
  @inline(__always)
  func key(at index: Int) -> Row.Key { Row.key { value(index, $0) } }

  /// Appends all rows to a column. O(rows × columns).
  func unpack(into rows: inout ColumnHandle<Row>) {
    for index in 0..<count { rows.append(row(at: index)) }
  }

  // SAFETY: allocated in init, never handed out; plain bytes have nothing to deinitialise.
  deinit { unsafe memory.deallocate() }
}

// SAFETY: the memory belongs to one handle, which cannot be copied, and never changes.
extension PackedChunkHandle: @unchecked Sendable where Row: Sendable {}

/// How a column of some rows is going to be packed.
struct PackPlan: BitwiseCopyable {
  var base: Int128 = 0
  var exponent: UInt8 = 0
  var width = 0

  init() {}

  /// Bytes of a base that does not fit a word.
  var baseBytes: Int { base == Int128(Int64(truncatingIfNeeded: base)) ? 0 : 16 }

  @inline(__always)
  init<Row: PackedRow>(_ rows: Span<Row>, _ column: Int) {
    var low = rows[0].column(column)
    var high = low
    var exponent = Row.isScaled(column) ? 18 : 0
    for index in 0..<rows.count {
      let value = rows[index].column(column)
      if value < low { low = value }
      if high < value { high = value }
      while exponent > 0, !Self.isDivisible(value.magnitude, exponent) { exponent -= 1 }
    }
    self.exponent = UInt8(exponent)
    base = Self.divided(low, exponent)
    let range = UInt128(truncatingIfNeeded: Self.divided(high, exponent) &- base)
    width = (128 - range.leadingZeroBitCount + 7) >> 3
  }

  @inline(__always)
  func offset(_ value: Int128) -> UInt128 {
    UInt128(truncatingIfNeeded: Self.divided(value, Int(exponent)) &- base)
  }

  /// 10^exponent for exponents up to 18.
  @inline(__always)
  static func power(_ exponent: UInt8) -> UInt64 { powers[Int(exponent)] }

  /// Whether 10^exponent divides `value`: by 2^exponent as bits, by 5^exponent as a product with its inverse (Granlund &
  /// Montgomery 1994, section 9).
  @inline(__always)
  private static func isDivisible(_ value: UInt128, _ exponent: Int) -> Bool {
    value == 0
      || value.trailingZeroBitCount >= exponent && value &* inverses[exponent] <= ceilings[exponent]
  }

  /// `value` ÷ 10^exponent, which is known to leave nothing.
  @inline(__always)
  private static func divided(_ value: Int128, _ exponent: Int) -> Int128 {
    exponent == 0
      ? value : (value >> Int128(exponent)) &* Int128(truncatingIfNeeded: inverses[exponent])
  }

  private static let powers: [19 of UInt64] = {
    var table: [19 of UInt64] = .init(repeating: 1)
    for index in 1..<19 { table[index] = table[index - 1] * 10 }
    return table
  }()

  /// The inverse of 5^exponent modulo 2^128.
  private static let inverses: [19 of UInt128] = {
    var table: [19 of UInt128] = .init(repeating: 1)
    // Newton's iteration doubles the bits that are right; 5 · 5 ≡ 1 modulo 8 to begin with.
    var fifth: UInt128 = 5
    for _ in 0..<6 { fifth = fifth &* (2 &- 5 &* fifth) }
    for index in 1..<19 { table[index] = table[index - 1] &* fifth }
    return table
  }()

  /// The greatest multiple's quotient: (2^128 − 1) ÷ 5^exponent.
  private static let ceilings: [19 of UInt128] = {
    var table: [19 of UInt128] = .init(repeating: .max)
    var power: UInt128 = 1
    for index in 1..<19 {
      power *= 5
      table[index] = .max / power
    }
    return table
  }()
}
