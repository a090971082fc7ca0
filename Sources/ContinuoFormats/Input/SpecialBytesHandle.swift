// Finds the bytes that split a text, eight at a time.
// Invariant: a load never passes the end of its span; positions come ascending, none twice, none left out.
// Not here: what a separator means (CSVParser, NDJSONParser).
// Source: the exact zero-byte test of H. S. Warren, Hacker's Delight, 6-1 (no false hit behind a hit).

/// Eight bytes of a text as one word, the first byte lowest.
@inline(__always)
func word(_ bytes: Span<UInt8>, at index: Int) -> UInt64 {
  precondition(index >= 0 && index &+ 8 <= bytes.count)
  // SAFETY: eight bytes from `index` lie within the span by the check above; any bits are a UInt64.
  return unsafe UInt64(littleEndian: bytes.bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: UInt64.self))
}

/// A word with the top bit of each byte set where `word` has the byte that `pattern` repeats.
@inline(__always)
func matches(_ word: UInt64, _ pattern: UInt64) -> UInt64 {
  let low: UInt64 = 0x7F7F_7F7F_7F7F_7F7F
  let difference = word ^ pattern
  return ~((difference & low) &+ low | difference | low)
}

/// `byte` in all eight bytes of a word.
@inline(__always)
func repeated(_ byte: UInt8) -> UInt64 { UInt64(byte) &* 0x0101_0101_0101_0101 }

/// Walks over the commas, quotes and line feeds of a text.
struct SpecialCursor {
  /// Where the word that `hits` tells of begins.
  private var base: Int
  private var hits: UInt64

  /// Stands before `position`.
  @inline(__always)
  init(_ bytes: Span<UInt8>, at position: Int) {
    base = position
    hits = Self.hits(bytes, at: position)
  }

  /// The position of the next special byte, −1 where there is none up to the end.
  @inline(__always)
  mutating func next(_ bytes: Span<UInt8>) -> Int {
    while hits == 0 {
      guard base &+ 8 < bytes.count else { return -1 }
      base &+= 8
      hits = Self.hits(bytes, at: base)
    }
    let position = base &+ hits.trailingZeroBitCount &>> 3
    hits &= hits &- 1
    return position
  }

  @inline(__always)
  private static func hits(_ bytes: Span<UInt8>, at position: Int) -> UInt64 {
    guard position &+ 8 <= bytes.count else { return lastHits(bytes, at: position) }
    let eight = word(bytes, at: position)
    return matches(eight, repeated(UInt8(ascii: ","))) | matches(eight, repeated(UInt8(ascii: "\n")))
      | matches(eight, repeated(UInt8(ascii: "\"")))
  }

  @inline(never)
  private static func lastHits(_ bytes: Span<UInt8>, at position: Int) -> UInt64 {
    var hits: UInt64 = 0
    var index = position
    while index < bytes.count {
      let byte = bytes[index]
      if byte == UInt8(ascii: ",") || byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\"") {
        hits |= 0x80 << UInt64((index - position) * 8)
      }
      index += 1
    }
    return hits
  }
}

/// The first `byte` in `range` of a text, nil where there is none. O(length).
func firstIndex(of byte: UInt8, in bytes: Span<UInt8>, _ range: Range<Int>) -> Int? {
  var index = range.lowerBound
  let pattern = repeated(byte)
  while index &+ 8 <= range.upperBound {
    let hits = matches(word(bytes, at: index), pattern)
    if hits != 0 { return index &+ hits.trailingZeroBitCount &>> 3 }
    index &+= 8
  }
  while index < range.upperBound {
    if bytes[index] == byte { return index }
    index &+= 1
  }
  return nil
}

/// The first byte in `range` that ends or interrupts a JSON string (a quote, a backslash, a control character), or the
/// range's end. O(length).
@inline(__always)
func endOfPlainJSON(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int {
  var index = range.lowerBound
  while index &+ 8 <= range.upperBound {
    let eight = word(bytes, at: index)
    let hits =
      matches(eight, repeated(UInt8(ascii: "\""))) | matches(eight, repeated(UInt8(ascii: "\\")))
      | matches(eight & repeated(0xE0), 0)
    if hits != 0 { return index &+ hits.trailingZeroBitCount &>> 3 }
    index &+= 8
  }
  while index < range.upperBound {
    let byte = bytes[index]
    if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte < 0x20 { return index }
    index &+= 1
  }
  return index
}
