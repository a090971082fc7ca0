// What a valid token, wallet and address is, and how the two spellings of a hexadecimal one become one.
// Invariant: bytes go through unchanged but for `0[xX][0-9a-fA-F]*`, which is lower-cased.
// Not here: the folded copy itself (TextPool), dense numbers for names (Interner).
// Rules 3.5.

/// Checks and folds the byte strings of events.
enum Address {
  /// Whether `bytes` is a token: 1 to 64 bytes of UTF-8 without control characters. O(length).
  @inline(__always)
  static func isToken(_ bytes: Span<UInt8>) -> Bool {
    bytes.count >= 1 && bytes.count <= Limits.tokenBytesMax && isPlain(bytes)
  }

  /// What a wallet's or address's bytes say.
  enum Spelling {
    /// Over 128 bytes, no UTF-8, or with a control character.
    case invalid
    /// The one way to spell it.
    case settled
    /// Hexadecimal, with capitals: the lower-case bytes are its name.
    case capitals
    /// The zero address: nothing, or `0x` and any number of zeros.
    case zero
  }

  /// How a wallet or address is spelled. O(length).
  @inline(__always)
  static func spelling(_ bytes: Span<UInt8>) -> Spelling {
    guard bytes.count <= Limits.addressBytesMax else { return .invalid }
    guard bytes.count > 0 else { return .zero }
    if bytes.count >= 2, bytes[0] == UInt8(ascii: "0"), bytes[1] | 0x20 == UInt8(ascii: "x") {
      let digits = NameBytes.hexadecimal(bytes)
      if digits.isWhole { return !digits.hasValue ? .zero : digits.hasCapitals ? .capitals : .settled }
    }
    return isPlain(bytes) ? .settled : .invalid
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
