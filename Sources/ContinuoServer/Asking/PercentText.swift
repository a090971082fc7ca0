// Percent-encoding of paths and queries (RFC 3986), and UTF-8 that must be there behind it.
// Invariant: what is decoded is valid UTF-8, or there is nothing.
// Not here: what the texts mean (Query, Route).

internal import Continuo

package enum PercentText {
  /// Decodes a part of a path or a query; nil where an escape is broken, or the bytes are not UTF-8. O(length).
  ///
  /// - Parameter plusIsSpace: as forms are encoded.
  static func decoded(_ text: Substring, plusIsSpace: Bool) -> ByteString? {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.utf8.count)
    var rest = text.utf8.makeIterator()
    while let byte = rest.next() {
      if byte == UInt8(ascii: "%") {
        guard let high = rest.next().flatMap(digit), let low = rest.next().flatMap(digit) else { return nil }
        bytes.append(high << 4 | low)
      } else {
        bytes.append(plusIsSpace && byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
      }
    }
    return isUTF8(bytes.span) ? ByteString(bytes) : nil
  }

  /// Decodes a part of a query as text; nil as above. O(length).
  static func text(_ text: Substring) -> String? {
    // Mostly there is nothing to decode.
    guard text.utf8.contains(where: { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "+") }) else { return String(text) }
    return decoded(text, plusIsSpace: true)?.description
  }

  /// Whether bytes are valid UTF-8. O(length).
  static func isUTF8(_ bytes: Span<UInt8>) -> Bool { (try? UTF8Span(validating: bytes)) != nil }

  /// Encodes a value of a query. O(length).
  package static func encoded(_ text: String) -> String {
    var encoded: [UInt8] = []
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"),
        UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
        encoded.append(byte)
      default:
        encoded.append(UInt8(ascii: "%"))
        for digit in [byte >> 4, byte & 15] { encoded.append(digit < 10 ? digit + 48 : digit + 55) }
      }
    }
    return String(decoding: encoded, as: UTF8.self)
  }

  private static func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - 48
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - 87
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - 55
    default: nil
    }
  }
}

/// Whether a text that comes in pieces is valid UTF-8.
struct UTF8Pieces {
  /// The beginning of a character whose end has not come yet.
  private var rest: [UInt8] = []

  /// Takes the next piece; false where it is not UTF-8. O(bytes).
  mutating func take(_ piece: Span<UInt8>) -> Bool {
    guard !rest.isEmpty else { return take(whole: piece) }
    let joined = rest + piece.indices.map { piece[$0] }
    rest = []
    return take(whole: joined.span)
  }

  private mutating func take(whole piece: Span<UInt8>) -> Bool {
    let end = Self.wholeEnd(piece)
    for index in end..<piece.count { rest.append(piece[index]) }
    return PercentText.isUTF8(piece.extracting(0..<end))
  }

  /// Whether the text ends with a whole character.
  var isWhole: Bool { rest.isEmpty }

  /// Where the last character begins that is not there in full; the end where all are.
  private static func wholeEnd(_ piece: Span<UInt8>) -> Int {
    for back in 1...3 where back <= piece.count {
      let byte = piece[piece.count - back]
      let length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : byte >= 0x80 ? 0 : 1
      if length > 0 { return length > back ? piece.count - back : piece.count }
    }
    return piece.count
  }
}
