// What a valid token, wallet and address is, and how the two spellings of a hexadecimal one become one.
// Invariant: bytes go through unchanged but for `0[xX][0-9a-fA-F]*`, which is lower-cased.
// Not here: the folded copy itself (TextPool), dense numbers for names (Interner).
// Rules 3.5.

/// Checks and folds the byte strings of events.
enum Address {
  /// What the bytes of a name say.
  enum Spelling {
    /// Too long, no UTF-8, or with a control character.
    case invalid
    /// The zero address: nothing, or `0x` and any number of zeros.
    case zero
    /// A name that is known by its words.
    case packed(PackedName)
    /// A longer one; hexadecimal with capitals, the lower-case bytes are its name.
    case long(hasCapitals: Bool)
  }

  /// A token: 1 to 64 bytes of UTF-8 without control characters. O(length).
  @inline(__always)
  static func token(_ bytes: Span<UInt8>) -> Spelling {
    if bytes.count <= ShortText.bytesMax {
      let text = ShortText(whole: bytes)
      let isValid = bytes.count > 0 && (text.isPlainASCII(count: bytes.count) || isPlainUTF8(bytes))
      return isValid ? .packed(PackedName(text, count: bytes.count)) : .invalid
    }
    return longToken(bytes)
  }

  @inline(never)
  private static func longToken(_ bytes: Span<UInt8>) -> Spelling {
    guard bytes.count <= Limits.tokenBytesMax else { return .invalid }
    if let address = NameBytes.address(bytes), !address.hasCapitals { return .packed(address.name) }
    return isPlain(bytes) ? .long(hasCapitals: false) : .invalid
  }

  /// A wallet or address: up to 128 bytes, hexadecimal ones in lower case. O(length).
  @inline(__always)
  static func address(_ bytes: Span<UInt8>) -> Spelling {
    if bytes.count <= ShortText.bytesMax {
      guard bytes.count > 0 else { return .zero }
      let text = ShortText(whole: bytes)
      if text.beginsHexadecimal { return shortHexadecimal(bytes, text) }
      let isValid = text.isPlainASCII(count: bytes.count) || isPlainUTF8(bytes)
      return isValid ? .packed(PackedName(text, count: bytes.count)) : .invalid
    }
    return long(bytes)
  }

  @inline(never)
  private static func shortHexadecimal(_ bytes: Span<UInt8>, _ text: ShortText) -> Spelling {
    let digits = NameBytes.hexadecimal(bytes)
    guard digits.isWhole else {
      return isPlain(bytes) ? .packed(PackedName(text, count: bytes.count)) : .invalid
    }
    return digits.hasValue ? .packed(PackedName(text.lowerCase(count: bytes.count), count: bytes.count)) : .zero
  }

  @inline(never)
  private static func long(_ bytes: Span<UInt8>) -> Spelling {
    if let address = NameBytes.address(bytes) { return address.isZero ? .zero : .packed(address.name) }
    guard bytes.count <= Limits.addressBytesMax else { return .invalid }
    if NameBytes.beginsHexadecimal(bytes) {
      let digits = NameBytes.hexadecimal(bytes)
      if digits.isWhole { return digits.hasValue ? .long(hasCapitals: digits.hasCapitals) : .zero }
    }
    return isPlain(bytes) ? .long(hasCapitals: false) : .invalid
  }

  @inline(__always)
  private static func isPlain(_ bytes: Span<UInt8>) -> Bool { NameBytes.arePlainASCII(bytes) || isPlainUTF8(bytes) }

  /// Valid UTF-8 (RFC 3629) with no control character (category Cc: U+0000–U+001F, U+007F–U+009F).
  @inline(never)
  private static func isPlainUTF8(_ bytes: Span<UInt8>) -> Bool {
    var index = 0
    while index < bytes.count {
      let lead = bytes[index]
      if lead < 0x80 {
        guard lead >= 0x20, lead != 0x7F else { return false }
        index += 1
        continue
      }
      let length = lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0
      guard length != 0, index + length <= bytes.count else { return false }
      for offset in 1..<length where bytes[index + offset] & 0xC0 != 0x80 { return false }
      let second = bytes[index + 1]
      switch lead {
      case 0xC2 where second < 0xA0: return false  // U+0080–U+009F
      case 0xE0 where second < 0xA0: return false  // overlong
      case 0xED where second > 0x9F: return false  // surrogates
      case 0xF0 where second < 0x90: return false  // overlong
      case 0xF4 where second > 0x8F: return false  // past U+10FFFF
      default: break
      }
      index += length
    }
    return true
  }
}
