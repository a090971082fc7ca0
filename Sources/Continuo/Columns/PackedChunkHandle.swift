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

  // Written out, so that they lie in the program as they are and nothing is asked before they are read.

  private static let powers: [19 of UInt64] = [
    1, 10, 100,
    1_000, 10_000, 100_000,
    1_000_000, 10_000_000, 100_000_000,
    1_000_000_000, 10_000_000_000, 100_000_000_000,
    1_000_000_000_000, 10_000_000_000_000, 100_000_000_000_000,
    1_000_000_000_000_000, 10_000_000_000_000_000, 100_000_000_000_000_000,
    1_000_000_000_000_000_000,
  ]

  /// The inverse of 5^exponent modulo 2^128.
  private static let inverses: [19 of UInt128] = [
    0x00000000_00000000_00000000_00000001, 0xCCCCCCCC_CCCCCCCC_CCCCCCCC_CCCCCCCD,
    0x28F5C28F_5C28F5C2_8F5C28F5_C28F5C29, 0x6E978D4F_DF3B645A_1CAC0831_26E978D5,
    0x495182A9_930BE0DE_D288CE70_3AFB7E91, 0xDB76B3BB_83CF2CF9_5D4E8FB0_0BCBE61D,
    0xC57E23F2_4D8FD5CB_790FB656_68C26139, 0xC1193A63_A91CC45B_E5032477_AE8D46A5,
    0xF36B7213_EE9F5A78_C767074B_22E90E21, 0x97157D37_2FB9787E_8E47CE42_3A2E9C6D,
    0x516AB2A4_A3251819_4FA7F60D_3ED61F49, 0x76AEF087_53D43805_0FEE6469_0C913975,
    0xB156301B_10C40B34_3662E0E1_CF503EB1, 0x2377A338_9CF4023D_A47A2CF9_F6433FBD,
    0x0717ED71_B8FD9A0C_54186F65_3140A659, 0xCE37FC49_F1CC5202_77381647_70402145,
    0xF60B3275_305C1066_E4A4D141_7CD9A041, 0x6468A3B1_09AC0347_C75429D9_E5C5200D,
    0xE0E1BA56_9B88CD74_C1773B91_FAC10669,
  ]

  /// The greatest quotient of a multiple of 5^exponent: (2^128 − 1) ÷ 5^exponent.
  private static let ceilings: [19 of UInt128] = [
    0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFF, 0x33333333_33333333_33333333_33333333,
    0x0A3D70A3_D70A3D70_A3D70A3D_70A3D70A, 0x020C49BA_5E353F7C_ED916872_B020C49B,
    0x0068DB8B_AC710CB2_95E9E1B0_89A02752, 0x0014F8B5_88E368F0_8461F9F0_1B866E43,
    0x000431BD_E82D7B63_4DAD31FC_D24E160D, 0x0000D6BF_94D5E57A_42BC3D32_90760469,
    0x00002AF3_1DC46118_73BF3F70_834ACDAE, 0x00000897_05F4136B_4A597316_80A88F89,
    0x000001B7_CDFD9D7B_DBAB7D6A_E6881CB5, 0x00000057_F5FF85E5_92557F7B_C7B4D28A,
    0x00000011_9799812D_EA11197F_27F0F6E8, 0x00000003_84B84D09_2ED0384C_A19697C8,
    0x00000000_B424DC35_095CD80F_538484C1, 0x00000000_24075F3D_CEAC2B36_43E74DC0,
    0x00000000_0734ACA5_F6226F0A_DA6175F3, 0x00000000_0170EF54_646D4968_92137DFD,
    0x00000000_0049C977_47490EAE_839D7F99,
  ]
}
