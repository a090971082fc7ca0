// The first bytes of a text as two words: digits are counted and read eight at a time, short words compared at once.
// Invariant: the bytes behind the text are zero; no load leaves the pool that the text lies in.
// Not here: what a number, a time or a word means (Decimal18+Text, Timestamp+Text, Judgement).
// Source of eight digits at a time: D. Lemire, "Quickly parsing eight digits", 2018.

internal import CAddress

/// Up to sixteen bytes of text as two words, the first byte lowest, zeros behind the last.
struct ShortText: BitwiseCopyable {
  private(set) var low: UInt64
  private(set) var high: UInt64

  /// How many bytes it holds at most.
  static let bytesMax = 16

  /// Takes `count` bytes of `pool` from `start` on. O(1).
  ///
  /// - Precondition: they lie within the pool, and are ``bytesMax`` at most.
  @inline(__always)
  init(_ pool: Span<UInt8>, at start: Int, count: Int) {
    precondition(start >= 0 && count >= 0 && count <= Self.bytesMax && start <= pool.count &- count)
    guard start &+ Self.bytesMax <= pool.count else {
      (low, high) = Self.nearEnd(pool, start, count)
      return
    }
    // SAFETY: sixteen bytes from `start` lie within the pool; any bits are a UInt64.
    unsafe (low, high) = (load(pool, start), load(pool, start &+ 8))
    if count > 8 {
      high &= UInt64.max &>> UInt64(128 &- 8 &* count)
    } else {
      high = 0
      low = count == 0 ? 0 : low & (UInt64.max &>> UInt64(64 &- 8 &* count))
    }
  }

  /// Takes all bytes of a text, nothing behind which may be read. O(1).
  ///
  /// - Precondition: they are ``bytesMax`` at most.
  @inline(__always)
  init(whole text: Span<UInt8>) {
    let count = text.count
    precondition(count <= Self.bytesMax, "a short text has sixteen bytes at most")
    // SAFETY: every load lies within the `count` bytes of the text.
    if count >= 8 {
      low = unsafe load(text, 0)
      high = count == 8 ? 0 : unsafe load(text, count &- 8) &>> UInt64(128 &- 8 &* count)
    } else if count >= 4 {
      let last = unsafe UInt64(loadHalf(text, count &- 4))
      low = unsafe UInt64(loadHalf(text, 0)) | last &<< UInt64(8 &* (count &- 4))
      high = 0
    } else {
      (low, high) = (0, 0)
      // Up to three bytes: the first, the middle and the last one are all.
      guard count > 0 else { return }
      let (middle, last) = (count &>> 1, count &- 1)
      low = UInt64(text[0]) | UInt64(text[middle]) &<< UInt64(8 &* middle) | UInt64(text[last]) &<< UInt64(8 &* last)
    }
  }

  @inline(__always)
  private init(low: UInt64, high: UInt64) {
    self.low = low
    self.high = high
  }

  /// The same where sixteen bytes would pass the pool's end.
  private static func nearEnd(_ pool: Span<UInt8>, _ start: Int, _ count: Int) -> (UInt64, UInt64) {
    let text = ShortText(whole: pool.extracting(start..<start + count))
    return (text.low, text.high)
  }

  // MARK: words

  /// No text.
  static let empty = ShortText(low: 0, high: 0)

  /// A text of up to eight ASCII characters, to compare with. O(1), and nothing where it is a literal.
  @inline(__always)
  init(
    _ first: Unicode.Scalar, _ second: Unicode.Scalar, _ third: Unicode.Scalar = "\0", _ fourth: Unicode.Scalar = "\0",
    _ fifth: Unicode.Scalar = "\0", _ sixth: Unicode.Scalar = "\0", _ seventh: Unicode.Scalar = "\0",
    _ eighth: Unicode.Scalar = "\0"
  ) {
    low = UInt64(first.value) | UInt64(second.value) << 8 | UInt64(third.value) << 16 | UInt64(fourth.value) << 24
    low |= UInt64(fifth.value) << 32 | UInt64(sixth.value) << 40 | UInt64(seventh.value) << 48
    low |= UInt64(eighth.value) << 56
    high = 0
  }

  @inline(__always)
  static func == (left: ShortText, right: ShortText) -> Bool { left.low == right.low && left.high == right.high }

  /// The byte at `index`, which is under sixteen. O(1).
  @inline(__always)
  func byte(_ index: Int) -> UInt8 {
    UInt8(truncatingIfNeeded: (index < 8 ? low : high) &>> UInt64(8 &* (index & 7)))
  }

  /// The text without its first `count` bytes, which are 1 to 15. O(1).
  @inline(__always)
  func dropping(_ count: Int) -> ShortText {
    let bits = UInt64(8 &* count)
    if count < 8 { return ShortText(low: low &>> bits | (high &<< 1) &<< (63 &- bits), high: high &>> bits) }
    return ShortText(low: high &>> (bits &- 64), high: 0)
  }

  // MARK: names

  /// Whether it begins with `0x` or `0X`.
  @inline(__always)
  var beginsHexadecimal: Bool { (low | 0x2000) & 0xFFFF == 0x7830 }

  /// Whether all of its `count` bytes are ASCII and none is a control character. O(1).
  @inline(__always)
  func isPlainASCII(count: Int) -> Bool {
    // Blanks behind the end, which are plain.
    let blanks: UInt64 = 0x2020_2020_2020_2020
    if count < 8 { return NameBytes.controls(low | blanks &<< UInt64(8 &* count)) == 0 }
    let behind = count == 16 ? 0 : blanks &<< UInt64(8 &* (count &- 8))
    return NameBytes.controls(low) | NameBytes.controls(high | behind) == 0
  }

  /// A text of hexadecimal digits behind `0x` in lower case. O(1).
  func lowerCase(count: Int) -> ShortText {
    // A digit has the bit of lower case set already, so the same operation serves all.
    func mask(_ bytes: Int) -> UInt64 {
      bytes >= 8 ? 0x2020_2020_2020_2020 : bytes <= 0 ? 0 : 0x2020_2020_2020_2020 &>> UInt64(64 &- 8 &* bytes)
    }
    return ShortText(low: low | mask(count), high: high | mask(count &- 8))
  }

  // MARK: digits

  /// How many digits it begins with. O(1).
  @inline(__always)
  var leadingDigits: Int {
    let inLow = Self.nondigits(low)
    if inLow != 0 { return inLow.trailingZeroBitCount &>> 3 }
    let inHigh = Self.nondigits(high)
    return inHigh == 0 ? 16 : 8 &+ inHigh.trailingZeroBitCount &>> 3
  }

  /// The number that its first `count` digits make. O(1).
  ///
  /// - Precondition: 1 ≤ `count` ≤ ``leadingDigits``.
  @inline(__always)
  func number(digits count: Int) -> UInt64 {
    if count <= 8 { return Self.eightDigits(low &<< UInt64(64 &- 8 &* count)) }
    // All sixteen, moved up so that the last one is the highest; what moves in below counts as zeros.
    let shift = UInt64(128 &- 8 &* count)
    let upper = high &<< shift | (low &>> 1) &>> (63 &- shift)
    return Self.eightDigits(low &<< shift) &* 100_000_000 &+ Self.eightDigits(upper)
  }

  /// A word with the top bit of each byte set that is no ASCII digit.
  @inline(__always)
  private static func nondigits(_ word: UInt64) -> UInt64 {
    let value = word ^ 0x3030_3030_3030_3030
    return (((value & 0x7F7F_7F7F_7F7F_7F7F) &+ 0x7676_7676_7676_7676) | value) & 0x8080_8080_8080_8080
  }

  /// The number of eight digits, the first one lowest; a zero byte counts as the digit zero.
  @inline(__always)
  private static func eightDigits(_ word: UInt64) -> UInt64 {
    let pairs = ((word & 0x0F0F_0F0F_0F0F_0F0F) &* 2561) &>> 8
    let fours = ((pairs & 0x00FF_00FF_00FF_00FF) &* 6_553_601) &>> 16
    return ((fours & 0x0000_FFFF_0000_FFFF) &* 42_949_672_960_001) &>> 32
  }
}

/// Looks at the bytes of names eight at a time.
enum NameBytes {
  /// Whether all bytes are ASCII and none is a control character. O(length).
  @inline(__always)
  static func arePlainASCII(_ text: Span<UInt8>) -> Bool {
    // SAFETY: a load of eight is made where eight bytes are left, or eight from the end of a text that has as many.
    if text.count >= 8 {
      var faults: UInt64 = 0
      var index = 0
      while index &+ 8 < text.count {
        faults |= unsafe controls(load(text, index))
        index &+= 8
      }
      return unsafe faults | controls(load(text, text.count &- 8)) == 0
    }
    if text.count >= 4 {
      // SAFETY: four bytes from the start and four up to the end lie within.
      return unsafe controls(UInt64(loadHalf(text, 0)) | UInt64(loadHalf(text, text.count &- 4)) << 32) == 0
    }
    guard text.count > 0 else { return true }
    let word = UInt64(text[0]) | UInt64(text[text.count &>> 1]) << 8 | UInt64(text[text.count &- 1]) << 16
    return controls(word | 0x2020_2020_2000_0000) == 0
  }

  /// Whether a text begins with `0x` or `0X`. O(1).
  @inline(__always)
  static func beginsHexadecimal(_ text: Span<UInt8>) -> Bool {
    text.count >= 2 && text[0] == UInt8(ascii: "0") && text[1] | 0x20 == UInt8(ascii: "x")
  }

  /// What there is to say of a text that begins with `0x` or `0X`.
  struct Hexadecimal {
    /// Whether nothing but hexadecimal digits follows.
    var isWhole: Bool
    /// Whether a digit of what follows is not zero.
    var hasValue: Bool
    /// Whether a letter is a capital, the `X` counted.
    var hasCapitals: Bool
  }

  /// Looks at a text that begins with `0x` or `0X`. O(length).
  @inline(__always)
  static func hexadecimal(_ text: Span<UInt8>) -> Hexadecimal {
    var digits = HexadecimalDigits()
    if text.count >= 10 {
      var index = 2
      // SAFETY: a load of eight is made where eight bytes are left, or eight from the end of a text of ten at least.
      while index &+ 8 < text.count {
        unsafe digits.look(load(text, index))
        index &+= 8
      }
      unsafe digits.look(load(text, text.count &- 8))
    } else {
      for index in 2..<text.count { digits.look(UInt64(text[index]) &* 0x0101_0101_0101_0101) }
    }
    return Hexadecimal(
      isWhole: digits.areDigits, hasValue: digits.value != 0,
      hasCapitals: digits.haveCapitals || text[1] == UInt8(ascii: "X"))
  }

  /// What eight characters at a time say as hexadecimal digits.
  private struct HexadecimalDigits {
    private var (strange, capitals): (UInt64, UInt64) = (0, 0)
    private(set) var value: UInt64 = 0

    @inline(__always)
    mutating func look(_ word: UInt64) {
      let folded = word | 0x2020_2020_2020_2020
      let digits = (word &+ 0x5050_5050_5050_5050) & ~(word &+ 0x4646_4646_4646_4646)
      let letters = (folded &+ 0x1F1F_1F1F_1F1F_1F1F) & ~(folded &+ 0x1919_1919_1919_1919)
      // In a byte over 0x7F the sums carry into the next one: `word` itself tells of it then.
      strange |= ~(digits | letters) | word
      value |= word ^ 0x3030_3030_3030_3030
      capitals |= letters & ~(word &<< 2)
    }

    private static let top: UInt64 = 0x8080_8080_8080_8080
    @inline(__always)
    var areDigits: Bool { strange & Self.top == 0 }
    @inline(__always)
    var haveCapitals: Bool { capitals & Self.top != 0 }
  }

  /// An address of twenty bytes that is spelled out.
  struct WholeAddress {
    var name: PackedName
    var isZero: Bool
    var hasCapitals: Bool
  }

  /// How many bytes spell an address of twenty bytes.
  static let addressBytes = 42

  /// The address that `0x` and forty digits spell; nil where a text is no such thing. O(1).
  @inline(__always)
  static func address(_ text: Span<UInt8>) -> WholeAddress? {
    guard text.count == addressBytes, beginsHexadecimal(text) else { return nil }
    // SAFETY: forty bytes from the third on are there.
    let address = unsafe text.withUnsafeBytes { unsafe continuo_address($0.baseAddress.unsafelyUnwrapped + 2) }
    guard address.are_digits else { return nil }
    return WholeAddress(
      name: PackedName(address: address.first, address.second, address.last), isZero: !address.have_value,
      hasCapitals: address.have_capitals || text[1] == UInt8(ascii: "X"))
  }

  /// More than sixteen bytes, folded into two words. O(length).
  @inline(__always)
  static func folded(_ text: Span<UInt8>, _ seed: UInt64) -> (UInt64, UInt64) {
    precondition(text.count >= 16, "a name that is folded is a long one")
    var (left, right) = (seed ^ UInt64(text.count), seed)
    var offset = 0
    while offset < text.count {
      // The last sixteen bytes overlap those before: every byte is in, and no load leaves the text.
      let place = min(offset, text.count - 16)
      // SAFETY: place + 16 ≤ count, which is 16 at least.
      let (one, other) = unsafe (load(text, place), load(text, place + 8))
      let product = (left ^ one).multipliedFullWidth(by: right ^ other ^ 0x9E37_79B9_7F4A_7C15)
      (left, right) = (product.high ^ one, product.low ^ other)
      offset += 16
    }
    return (left, right)
  }

  /// A word with the top bit of each byte set that is a control character of ASCII, or no ASCII.
  @inline(__always)
  fileprivate static func controls(_ word: UInt64) -> UInt64 {
    // Sums carry out of a byte only where that byte is over 0x7F, and then `word` tells of it.
    (word | (word &+ 0x0101_0101_0101_0101) | ~(word &+ 0x6060_6060_6060_6060)) & 0x8080_8080_8080_8080
  }
}

/// Eight bytes as a word, the first byte lowest.
@inline(__always)
@unsafe private func load(_ bytes: Span<UInt8>, _ index: Int) -> UInt64 {
  // SAFETY: the caller says that eight bytes from `index` lie within.
  unsafe UInt64(littleEndian: bytes.bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: UInt64.self))
}

/// Four bytes as a word, the first byte lowest.
@inline(__always)
@unsafe private func loadHalf(_ bytes: Span<UInt8>, _ index: Int) -> UInt32 {
  // SAFETY: the caller says that four bytes from `index` lie within.
  unsafe UInt32(littleEndian: bytes.bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: UInt32.self))
}
