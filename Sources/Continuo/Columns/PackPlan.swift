// How a column of a chunk is packed: value = (base + offset) × 10^exponent, offsets in whole bytes.
// Invariant: all arithmetic is modulo 2^64 or 2^128, and values come back to the bit.
// Not here: where the bytes lie (PackedChunk).
// Source of the division: Granlund & Montgomery, "Division by Invariant Integers using Multiplication", 1994, section 9.

/// How a column of some rows is going to be packed.
package struct PackPlan: BitwiseCopyable {
  /// The least quotient, or what is packed in its place.
  var base: Int128 = 0
  /// How far the greatest quotient is above the base.
  var reach: UInt128 = 0
  var exponent: UInt8 = 0
  /// Quotients take two words each.
  var isWide = false

  init() {}

  private init(_ least: Int64, _ greatest: Int64, power: Int) {
    base = Int128(least)
    reach = UInt128(UInt64(bitPattern: greatest &- least))
    exponent = least == 0 && greatest == 0 ? 0 : UInt8(truncatingIfNeeded: power)
  }

  /// Bytes that an offset takes: as few as the greatest one needs.
  @inline(__always)
  var width: Int { (128 - reach.leadingZeroBitCount + 7) >> 3 }

  /// Bytes of a base that does not fit a word.
  @inline(__always)
  var baseBytes: Int { base == Int128(Int64(truncatingIfNeeded: base)) ? 0 : 16 }

  /// The least and the greatest value.
  var least: Int128 { base &* Int128(Self.power(exponent)) }
  var greatest: Int128 { (base &+ Int128(truncatingIfNeeded: reach)) &* Int128(Self.power(exponent)) }

  /// Plans a column of 64 bits whose values are packed as they are. O(rows).
  @inline(__always)
  init(
    isAscending: Bool, into words: inout MutableSpan<Int64>, _ value: (Int) -> Int64
  ) {
    var extremes = Extremes()
    for row in 0..<words.count {
      words[row] = value(row)
      if !isAscending { extremes.take(words[row]) }
    }
    if isAscending { extremes = Extremes(low: words[0], high: words[words.count - 1]) }
    self.init(extremes.low, extremes.high, power: 0)
  }

  /// Plans a column of 64 bits, at the greatest power of ten that divides all its values. O(rows).
  @inline(__always)
  init(
    scaledIsAscending isAscending: Bool, into words: inout MutableSpan<Int64>, _ value: (Int) -> Int64
  ) {
    var power = Self.power(of: UInt128(value(0).magnitude))
    var extremes = Extremes()
    var row = Self.divide(power, into: &words, &extremes, isAscending: isAscending, value)
    // From the start again, at a power that divides this value too: mostly the first value has told it.
    while row < words.count {
      power = Self.power(of: UInt128(value(row).magnitude))
      row = Self.divide(power, into: &words, &extremes, isAscending: isAscending, value)
    }
    self.init(extremes.low, extremes.high, power: power)
  }

  /// Divides values as long as they are multiples of a power of ten, and tells how many are.
  @inline(__always)
  private static func divide(
    _ power: Int, into words: inout MutableSpan<Int64>, _ extremes: inout Extremes,
    isAscending: Bool, _ value: (Int) -> Int64
  ) -> Int {
    let inverse = Int64(truncatingIfNeeded: inverse(power))
    let factor = Int64(bitPattern: Self.power(UInt8(truncatingIfNeeded: power)))
    extremes = Extremes()
    for row in 0..<words.count {
      let own = value(row)
      let quotient = (own &>> Int64(power)) &* inverse
      // The product tells whether the quotient is true.
      let (product, overflow) = quotient.multipliedReportingOverflow(by: factor)
      guard !overflow, product == own else { return row }
      words[row] = quotient
      if !isAscending { extremes.take(quotient) }
    }
    if isAscending { extremes = Extremes(low: words[0], high: words[words.count - 1]) }
    return words.count
  }

  /// Plans a column of 128 bits whose quotients are words; where they are not it says so, and no more. O(rows).
  @inline(__always)
  init(
    isScaled: Bool, into words: inout MutableSpan<Int64>, _ value: (Int) -> Int128
  ) {
    var power = isScaled ? Self.power(of: value(0).magnitude) : 0
    var extremes = Extremes()
    var row = Self.divide(wide: power, into: &words, &extremes, value)
    while isScaled, row < words.count {
      let own = Self.power(of: value(row).magnitude)
      guard own < power else { break }
      power = own
      row = Self.divide(wide: power, into: &words, &extremes, value)
    }
    self.init(extremes.low, extremes.high, power: power)
    isWide = row < words.count
  }

  /// The same; quotients must fit a word besides.
  @inline(__always)
  private static func divide(
    wide power: Int, into words: inout MutableSpan<Int64>, _ extremes: inout Extremes,
    _ value: (Int) -> Int128
  ) -> Int {
    let inverse = UInt64(truncatingIfNeeded: inverse(power))
    // What a bit of the high word gives: they move down by `power`, without one by nothing.
    let carry = power == 0 ? 0 : inverse &<< UInt64(64 &- power)
    let factor = Int64(bitPattern: Self.power(UInt8(truncatingIfNeeded: power)))
    extremes = Extremes()
    for row in 0..<words.count {
      let own = value(row)
      let (high, low) = (Int64(truncatingIfNeeded: own >> 64), UInt64(truncatingIfNeeded: own))
      let quotient = Int64(
        bitPattern: (low &>> UInt64(power)) &* inverse &+ UInt64(bitPattern: high) &* carry)
      let product = quotient.multipliedFullWidth(by: factor)
      guard product.low == low, product.high == high else { return row }
      words[row] = quotient
      extremes.take(quotient)
    }
    return words.count
  }

  /// Plans a column of 128 bits, and turns its values into quotients. O(rows).
  @inline(never)
  init(wide values: inout MutableSpan<Int128>, isScaled: Bool) {
    var power = isScaled ? Self.power(of: values[0].magnitude) : 0
    var low = values[0]
    var high = low
    for index in 0..<values.count {
      let value = values[index]
      low = Swift.min(low, value)
      high = Swift.max(high, value)
      if power > 0, !Self.divides(power, value.magnitude) { power = Self.power(of: value.magnitude) }
    }
    exponent = UInt8(truncatingIfNeeded: power)
    isWide = true
    base = Self.quotient(low, power)
    reach = UInt128(truncatingIfNeeded: Self.quotient(high, power) &- base)
    guard power > 0 else { return }
    for index in 0..<values.count { values[index] = Self.quotient(values[index], power) }
  }

  /// Leaves a column room for values as far again below and above those it has, and more. O(1).
  mutating func widen() {
    guard width > 0, width < 7, base.magnitude < 1 << 60 else { return }
    let step = UInt128(1) << UInt128(8 * width)
    base -= Int128(step)
    reach += step
  }

  /// Moves the base down by half of what the width leaves free: lesser values fit later, as greater ones do. O(1).
  ///
  /// - Parameter isMajor: whether rows are looked for by this column, around where they would be between the least and the
  ///   greatest: it stays close.
  mutating func lower(isMajor: Bool) {
    guard width > 0, width < 7, let base = Int64(exactly: base) else { return }
    let greatest = Int64(truncatingIfNeeded: reach)
    let free = Int64(1) << Int64(8 * width) - 1 - greatest
    var step = isMajor ? min(free, greatest >> 6) : free >> 1
    // What is positive stays so: sums are quicker then.
    if base >= 0 { step = min(step, max(0, base - 1)) }
    let (least, overflow) = base.subtractingReportingOverflow(step)
    guard !overflow else { return }
    self.base = Int128(least)
    reach += UInt128(step)
  }

  // MARK: powers of ten

  /// 10^exponent for exponents up to 18.
  @inline(__always)
  package static func power(_ exponent: UInt8) -> UInt64 { powers[Int(exponent)] }

  @inline(__always)
  private static func inverse(_ exponent: Int) -> UInt128 { inverses[exponent] }

  /// The greatest power of ten up to 18 that divides `value`.
  @inline(never)
  private static func power(of value: UInt128) -> Int {
    guard value != 0 else { return 18 }
    var power = min(18, value.trailingZeroBitCount)
    while power > 0, value &* inverses[power] > ceilings[power] { power -= 1 }
    return power
  }

  /// Whether 10^exponent divides `value`: by 2^exponent as bits, by 5^exponent as a product with its inverse.
  @inline(__always)
  static func divides(_ exponent: Int, _ value: UInt128) -> Bool {
    value == 0
      || value.trailingZeroBitCount >= exponent && value &* inverses[exponent] <= ceilings[exponent]
  }

  /// `value` ÷ 10^exponent, which is known to leave nothing.
  @inline(__always)
  static func quotient(_ value: Int128, _ exponent: Int) -> Int128 {
    exponent == 0 ? value : (value >> Int128(exponent)) &* Int128(truncatingIfNeeded: inverses[exponent])
  }

  /// `value` ÷ 10^exponent where that leaves nothing, else nil: the product tells whether the quotient is true.
  @inline(__always)
  static func exactQuotient(_ value: Int64, _ exponent: Int) -> Int64? {
    let quotient = (value >> Int64(exponent)) &* Int64(truncatingIfNeeded: inverses[exponent])
    let (product, overflow) = quotient.multipliedReportingOverflow(by: Int64(truncatingIfNeeded: powers[exponent]))
    return product == value && !overflow ? quotient : nil
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

/// The least and the greatest of some words.
private struct Extremes {
  var low = Int64.max
  var high = Int64.min

  @inline(__always)
  mutating func take(_ word: Int64) {
    low = Swift.min(low, word)
    high = Swift.max(high, word)
  }
}
