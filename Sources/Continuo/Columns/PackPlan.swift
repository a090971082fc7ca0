// How a column of a chunk is packed: value = (base + offset) × 10^exponent, offsets in whole bytes.
// Invariant: all arithmetic is modulo 2^64 or 2^128, and values come back to the bit.
// Not here: where the bytes lie (PackedChunk).
// Source of the division: Granlund & Montgomery, "Division by Invariant Integers using Multiplication", 1994, section 9.

/// How a column of some rows is going to be packed.
struct PackPlan: BitwiseCopyable {
  var base: Int128 = 0
  var exponent: UInt8 = 0
  var width: UInt8 = 0

  init() {}

  /// Bytes of a base that does not fit a word.
  @inline(__always)
  var baseBytes: Int { base == Int128(Int64(truncatingIfNeeded: base)) ? 0 : 16 }

  /// Plans a column of 64 bits, and turns its values into offsets. O(rows).
  @inline(__always)
  init(_ values: inout MutableSpan<Int64>, isScaled: Bool) {
    var power = isScaled ? 18 : 0
    var low = values[0]
    var high = low
    for index in 0..<values.count {
      let value = values[index]
      low = Swift.min(low, value)
      high = Swift.max(high, value)
      while power > 0, !Self.divides(power, value.magnitude) { power -= 1 }
    }
    if low == 0, high == 0 { power = 0 }
    exponent = UInt8(truncatingIfNeeded: power)
    let least = Self.quotient(low, power)
    base = Int128(least)
    let range = UInt64(bitPattern: Self.quotient(high, power) &- least)
    width = UInt8(truncatingIfNeeded: (64 - range.leadingZeroBitCount + 7) >> 3)
    guard width > 0 else { return }
    if power == 0 {
      for index in 0..<values.count { values[index] = values[index] &- least }
    } else {
      let inverse = Int64(truncatingIfNeeded: Self.inverse(power))
      for index in 0..<values.count { values[index] = ((values[index] >> Int64(power)) &* inverse) &- least }
    }
  }

  /// Plans a column of 128 bits, and turns its values into offsets: into words where those do, else in place. O(rows).
  @inline(__always)
  init(_ values: inout MutableSpan<Int128>, isScaled: Bool, _ words: inout MutableSpan<Int64>) {
    var power = isScaled ? 18 : 0
    // Which power divides the first value that is not zero is mostly the one.
    if isScaled { power = Self.power(of: values) }
    while !quotients(of: &values, power, &words) { power -= 1 }
  }

  /// The greatest power of ten up to 18 that divides the first value that is not zero; 0 where there is none.
  private static func power(of values: borrowing MutableSpan<Int128>) -> Int {
    for index in 0..<values.count where values[index] != 0 {
      var power = 18
      while power > 0, !divides(power, values[index].magnitude) { power -= 1 }
      return power
    }
    return 0
  }

  /// Tries a power; false where it does not divide a value. Values are only changed when it does.
  @inline(__always)
  private mutating func quotients(
    of values: inout MutableSpan<Int128>, _ power: Int, _ words: inout MutableSpan<Int64>
  ) -> Bool {
    let (inverse, factor) = (Self.inverse(power), UInt128(Self.power(UInt8(truncatingIfNeeded: power))))
    // As long as quotients fit a word. The product tells whether one is true: it cannot overflow.
    var (low, high) = (Int64.max, Int64.min)
    var areNarrow = true
    var index = 0
    while index < values.count {
      let value = UInt128(truncatingIfNeeded: values[index])
      let quotient = (value >> UInt128(power)) &* inverse
      areNarrow = quotient >> 63 == 0 && quotient &* factor == value
      guard areNarrow else { break }
      let word = Int64(truncatingIfNeeded: quotient)
      words[index] = word
      low = Swift.min(low, word)
      high = Swift.max(high, word)
      index += 1
    }
    if areNarrow {
      exponent = UInt8(truncatingIfNeeded: power)
      base = Int128(low)
      width = UInt8(truncatingIfNeeded: (64 - UInt64(bitPattern: high &- low).leadingZeroBitCount + 7) >> 3)
      if high == 0, low == 0 { exponent = 0 }
      for index in 0..<values.count { words[index] = words[index] &- low }
      return true
    }
    return wideQuotients(of: &values, power, &words)
  }

  @inline(never)
  private mutating func wideQuotients(
    of values: inout MutableSpan<Int128>, _ power: Int, _ words: inout MutableSpan<Int64>
  ) -> Bool {
    var low = values[0]
    var high = low
    for index in 0..<values.count {
      let value = values[index]
      low = Swift.min(low, value)
      high = Swift.max(high, value)
      guard power == 0 || Self.divides(power, value.magnitude) else { return false }
    }
    exponent = UInt8(truncatingIfNeeded: power)
    base = Self.quotient(low, power)
    let range = UInt128(truncatingIfNeeded: Self.quotient(high, power) &- base)
    width = UInt8(truncatingIfNeeded: (128 - range.leadingZeroBitCount + 7) >> 3)
    for index in 0..<values.count {
      values[index] = Self.quotient(values[index], power) &- base
      words[index] = Int64(truncatingIfNeeded: values[index])
    }
    return true
  }

  // MARK: powers of ten

  /// 10^exponent for exponents up to 18.
  @inline(__always)
  static func power(_ exponent: UInt8) -> UInt64 { powers[Int(exponent)] }

  @inline(__always)
  private static func inverse(_ exponent: Int) -> UInt128 { inverses[exponent] }

  /// Whether 10^exponent divides `value`: by 2^exponent as bits, by 5^exponent as a product with its inverse.
  @inline(__always)
  static func divides(_ exponent: Int, _ value: UInt128) -> Bool {
    value == 0
      || value.trailingZeroBitCount >= exponent && value &* inverses[exponent] <= ceilings[exponent]
  }

  @inline(__always)
  static func divides(_ exponent: Int, _ value: UInt64) -> Bool {
    value == 0
      || value.trailingZeroBitCount >= exponent
        && value &* UInt64(truncatingIfNeeded: inverses[exponent]) <= narrowCeilings[exponent]
  }

  /// `value` ÷ 10^exponent, which is known to leave nothing.
  @inline(__always)
  static func quotient(_ value: Int128, _ exponent: Int) -> Int128 {
    exponent == 0 ? value : (value >> Int128(exponent)) &* Int128(truncatingIfNeeded: inverses[exponent])
  }

  /// `value` ÷ 10^exponent, which is known to leave nothing.
  @inline(__always)
  static func quotient(_ value: Int64, _ exponent: Int) -> Int64 {
    (value >> Int64(exponent)) &* Int64(truncatingIfNeeded: inverses[exponent])
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

  /// The greatest quotient in 64 bits: (2^64 − 1) ÷ 5^exponent.
  private static let narrowCeilings: [19 of UInt64] = [
    0xFFFFFFFF_FFFFFFFF, 0x33333333_33333333, 0x0A3D70A3_D70A3D70,
    0x020C49BA_5E353F7C, 0x0068DB8B_AC710CB2, 0x0014F8B5_88E368F0,
    0x000431BD_E82D7B63, 0x0000D6BF_94D5E57A, 0x00002AF3_1DC46118,
    0x00000897_05F4136B, 0x000001B7_CDFD9D7B, 0x00000057_F5FF85E5,
    0x00000011_9799812D, 0x00000003_84B84D09, 0x00000000_B424DC35,
    0x00000000_24075F3D, 0x00000000_0734ACA5, 0x00000000_0170EF54,
    0x00000000_0049C977,
  ]
}
