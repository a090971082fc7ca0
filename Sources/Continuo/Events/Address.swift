// What a valid token, wallet and address is, and how the two spellings of a hexadecimal one become one.
// Invariant: bytes go through unchanged but for `0[xX][0-9a-fA-F]*`, which is lower-cased.
// Not here: the folded copy itself (TextPool), dense numbers for names (Interner).
// Rules 3.5.

/// Checks and folds the byte strings of events.
enum Address {
  /// Whether `bytes` is a token: 1 to 64 bytes of UTF-8 without control characters. O(length).
  static func isToken(_ bytes: Span<UInt8>) -> Bool {
    bytes.count >= 1 && bytes.count <= Limits.tokenBytesMax && isPlainUTF8(bytes)
  }

  /// Whether `bytes` may stand for a wallet or address: up to 128 bytes of UTF-8 without control characters. O(length).
  static func isAddress(_ bytes: Span<UInt8>) -> Bool {
    bytes.count <= Limits.addressBytesMax && isPlainUTF8(bytes)
  }

  /// Whether `bytes` matches `0[xX][0-9a-fA-F]*`. O(length).
  static func isHexadecimal(_ bytes: Span<UInt8>) -> Bool {
    guard bytes.count >= 2, bytes[0] == UInt8(ascii: "0"), bytes[1] | 0x20 == UInt8(ascii: "x") else { return false }
    for index in 2..<bytes.count {
      let byte = bytes[index]
      guard byte &- 48 < 10 || (byte | 0x20) &- UInt8(ascii: "a") < 6 else { return false }
    }
    return true
  }

  /// Whether `bytes` is the zero address: empty, or `0x` and any number of zeros. O(length).
  static func isZero(_ bytes: Span<UInt8>) -> Bool {
    guard bytes.count > 0 else { return true }
    guard isHexadecimal(bytes) else { return false }
    for index in 2..<bytes.count where bytes[index] != UInt8(ascii: "0") { return false }
    return true
  }

  /// Valid UTF-8 (RFC 3629) with no control character (category Cc: U+0000–U+001F, U+007F–U+009F).
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
