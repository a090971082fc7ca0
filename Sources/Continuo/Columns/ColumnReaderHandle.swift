// One column of a packed chunk, read over many rows: its header is read once, then a row is one load.
// Invariant: every figure is that of the rows' own values, to the bit; rows are read within the chunk.
// Not here: how columns are packed (PackedChunk, PackPlan), what their figures mean (WindowSums).

internal import CMemory

/// Reads one column of a chunk: value = (base + offset) × power.
@safe struct ColumnReader: BitwiseCopyable {
  /// Where the offsets begin.
  private let start: UnsafeRawPointer
  private let base: Int128
  private let power: UInt64
  private let width: Int
  /// The bytes of an offset's last word.
  private let mask: UInt64
  private let count: Int

  // SAFETY: the chunk has `count` offsets of `width` bytes there, and room for a word behind the last.
  @inline(__always)
  init(_ start: UnsafeRawPointer, base: Int128, width: Int, power: UInt64, count: Int) {
    unsafe self.start = start
    self.base = base
    self.power = power
    self.width = width
    self.count = count
    mask = Self.mask(width)
  }

  /// The bytes of the last word of an offset that takes `width` bytes.
  @inline(__always)
  static func mask(_ width: Int) -> UInt64 {
    width == 0 ? 0 : .max >> UInt64(truncatingIfNeeded: (64 &- 8 &* width) & 63)
  }

  /// Whether every row has zero.
  @inline(__always)
  var isZero: Bool { width == 0 && base == 0 }

  /// Whether no value is under zero or has wrapped, and sums of a chunk's rows stay within 128 bits before they are
  /// multiplied by the power.
  @inline(__always)
  var isPlain: Bool {
    // Powers are under 2^60.
    if width <= 8, base >= 0, base < 1 << 66 { return true }
    guard base >= 0, base < 1 << 112, width <= 13 else { return false }
    let bound = UInt128(base) + 1 << UInt128(8 &* width)
    let (product, overflow) = bound.multipliedReportingOverflow(by: UInt128(power))
    return !overflow && product < 1 << 127
  }

  @inline(__always)
  private func low(_ row: Int) -> UInt64 {
    // SAFETY: `row` lies within the chunk, which the callers check once for all rows.
    unsafe start.loadUnaligned(fromByteOffset: row &* width, as: UInt64.self)
  }

  /// An offset of up to eight bytes.
  @inline(__always)
  private func narrowOffset(_ row: Int) -> UInt64 { low(row) & mask }

  /// An offset of any width.
  @inline(__always)
  private func offset(_ row: Int) -> UInt128 {
    guard width > 8 else { return UInt128(narrowOffset(row)) }
    // SAFETY: as above.
    let high = unsafe start.loadUnaligned(fromByteOffset: row &* width &+ 8, as: UInt64.self)
    return UInt128(high & mask) << 64 | UInt128(low(row))
  }

  @inline(__always)
  private func scaled(_ offset: UInt128) -> Int128 {
    (base &+ Int128(truncatingIfNeeded: offset)) &* Int128(power)
  }

  @inline(__always)
  private func check(_ rows: Range<Int>) {
    precondition(rows.lowerBound >= 0 && rows.upperBound <= count, "a column is read within its rows")
  }

  /// The value of a row. O(1).
  @inline(__always)
  func value(_ row: Int) -> Int128 {
    check(row..<row &+ 1)
    return scaled(offset(row))
  }

  /// What the values of some rows add up to, as they are: signed. O(rows).
  @inline(__always)
  func sum(_ rows: Range<Int>) -> ExactSum {
    check(rows)
    if isZero { return .zero }
    guard isPlain else {
      var sum = ExactSum.zero
      for row in rows { sum += Decimal18(units: scaled(offset(row))) }
      return sum
    }
    var offsets: UInt128 = 0
    if width > 8 {
      for row in rows { offsets &+= offset(row) }
    } else if width > 6 {
      for row in rows { offsets &+= UInt128(narrowOffset(row)) }
    } else if width > 0 {
      // A chunk has less than 2^16 rows.
      var narrow: UInt64 = 0
      for row in rows { narrow &+= narrowOffset(row) }
      offsets = UInt128(narrow)
    }
    return total(offsets, rows.count)
  }

  /// What `rows` offsets that add up to `offsets` mean.
  @inline(__always)
  private func total(_ offsets: UInt128, _ rows: Int) -> ExactSum {
    ExactSum(UInt128(base) &* UInt128(truncatingIfNeeded: rows) &+ offsets, times: power)
  }

  /// The sums of the rows of which `sides` says that they are buys, and sells, and of all. O(rows).
  @inline(__always)
  func sums(_ rows: Range<Int>, by sides: ColumnReader) -> (all: ExactSum, buys: ExactSum, sells: ExactSum) {
    check(rows)
    sides.check(rows)
    guard isPlain, sides.width <= 8, sides.power == 1 else { return slowSums(rows, by: sides) }
    if width > 8 { return sums(rows, sides) { offset($0) } }
    // A chunk has less than 2^16 rows.
    return width > 6 ? sums(rows, sides) { UInt128(narrowOffset($0)) } : sums(rows, sides) { narrowOffset($0) }
  }

  @inline(__always)
  private func sums<Offset: FixedWidthInteger & UnsignedInteger>(
    _ rows: Range<Int>, _ sides: ColumnReader, _ offset: (Int) -> Offset
  ) -> (all: ExactSum, buys: ExactSum, sells: ExactSum) {
    let sideBase = UInt64(truncatingIfNeeded: sides.base)
    var (all, buys, sells): (Offset, Offset, Offset) = (0, 0, 0)
    var (buyCount, sellCount) = (0, 0)
    for row in rows {
      let offset = offset(row)
      let side = (sides.narrowOffset(row) &+ sideBase) & 3
      // All ones or none, without branches: nobody can foretell the side.
      let isBuy = Self.ones(side ^ UInt64(Side.buy.rawValue))
      let isSell = Self.ones(side ^ UInt64(Side.sell.rawValue))
      all &+= offset
      buys &+= offset & Offset(truncatingIfNeeded: isBuy)
      sells &+= offset & Offset(truncatingIfNeeded: isSell)
      buyCount &-= isBuy
      sellCount &-= isSell
    }
    return (
      total(UInt128(truncatingIfNeeded: all), rows.count), total(UInt128(truncatingIfNeeded: buys), buyCount),
      total(UInt128(truncatingIfNeeded: sells), sellCount)
    )
  }

  /// −1 for 0, 0 for 1 to 3.
  @inline(__always)
  private static func ones(_ value: UInt64) -> Int { Int(truncatingIfNeeded: value &- 1) >> 63 }

  @inline(never)
  private func slowSums(_ rows: Range<Int>, by sides: ColumnReader) -> (
    all: ExactSum, buys: ExactSum, sells: ExactSum
  ) {
    var sums = (all: ExactSum.zero, buys: ExactSum.zero, sells: ExactSum.zero)
    for row in rows {
      let value = Decimal18(units: scaled(offset(row)))
      let side = UInt8(truncatingIfNeeded: sides.scaled(sides.offset(row)) & 3)
      sums.all += value
      if side == Side.buy.rawValue { sums.buys += value }
      if side == Side.sell.rawValue { sums.sells += value }
    }
    return sums
  }

  /// The least and the greatest value of some rows, of which there is one at least. O(rows).
  @inline(__always)
  func extremes(_ rows: Range<Int>) -> (low: Int128, high: Int128) {
    check(rows)
    guard width > 0 else { return (scaled(0), scaled(0)) }
    guard width < 16 else { return slowExtremes(rows) }
    guard width <= 8 else {
      var (least, greatest) = (UInt128.max, UInt128(0))
      for row in rows {
        let offset = offset(row)
        least = min(least, offset)
        greatest = max(greatest, offset)
      }
      return (scaled(least), scaled(greatest))
    }
    var (least, greatest) = (UInt64.max, UInt64(0))
    for row in rows {
      let offset = narrowOffset(row)
      least = min(least, offset)
      greatest = max(greatest, offset)
    }
    return (scaled(UInt128(least)), scaled(UInt128(greatest)))
  }

  /// Offsets of sixteen bytes may have wrapped, when a row came in under the base.
  @inline(never)
  private func slowExtremes(_ rows: Range<Int>) -> (low: Int128, high: Int128) {
    var (least, greatest) = (Int128.max, Int128.min)
    for row in rows {
      let value = scaled(offset(row))
      least = min(least, value)
      greatest = max(greatest, value)
    }
    return (least, greatest)
  }

  /// Asks for the memory of some rows. O(rows).
  @inline(__always)
  func prefetch(_ rows: Range<Int>) {
    guard width > 0 else { return }
    for place in stride(from: rows.lowerBound &* width, to: rows.upperBound &* width &+ 63, by: 64) {
      // SAFETY: a prefetch of any address is harmless.
      unsafe continuo_prefetch(start + place)
    }
  }

  /// The first row whose value is not under `bound`, of an ascending column of up to 64 bits that ends with `last`.
  /// O(log rows), and few steps where the values come evenly.
  @inline(__always)
  func firstRow(notUnder bound: Int64, last: Int64) -> Int {
    // As an offset: the division is once, not a multiplication a step.
    let (quotient, remainder) = bound.quotientAndRemainder(dividingBy: Int64(bitPattern: power))
    let wanted = Int128(quotient) + (remainder > 0 ? 1 : 0) - base
    if wanted <= 0 { return 0 }
    guard wanted <= Int128(mask) else { return count }
    let offset = UInt64(truncatingIfNeeded: wanted)
    let first = Int64(truncatingIfNeeded: scaled(0))
    return Search.first(count, near: Search.guess(bound, from: first, to: last, count)) { narrowOffset($0) >= offset }
  }
}

extension ExactSum {
  /// A product of a number and a power of ten. O(1).
  @inline(__always)
  fileprivate init(_ value: UInt128, times power: UInt64) {
    let low = UInt64(truncatingIfNeeded: value).multipliedFullWidth(by: power)
    let high = UInt64(truncatingIfNeeded: value >> 64).multipliedFullWidth(by: power)
    let (middle, carry) = low.high.addingReportingOverflow(high.low)
    self.init(low: low.low, middle: middle, high: Int64(bitPattern: high.high &+ (carry ? 1 : 0)))
  }
}
