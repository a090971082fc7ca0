// Finds the bytes that split a text, sixty-four at a time.
// Invariant: no load passes the end of its span; positions come ascending, none twice, none left out.
// Not here: what a separator means (CSVParser, NDJSONParser), the comparisons themselves (CMarks).

internal import CMarks

/// Which bytes a cursor stops at.
enum SpecialBytes {
  /// Commas, quotes, line feeds.
  case csv
  /// Quotes, backslashes, control characters.
  case json

  @inline(__always)
  func contains(_ byte: UInt8) -> Bool {
    switch self {
    case .csv: byte == UInt8(ascii: ",") || byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\"")
    case .json: byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte < 0x20
    }
  }
}

/// Walks over the special bytes of a text.
struct SpecialCursor {
  private static let blockBytes = 64

  private let kind: SpecialBytes
  /// Where the block that `hits` tells of begins.
  private var base: Int
  /// A bit for each special byte of the block that is still to come.
  private var hits: UInt64

  /// Stands before `position`.
  @inline(__always)
  init(_ kind: SpecialBytes, _ bytes: Span<UInt8>, at position: Int) {
    self.kind = kind
    base = position
    hits = Self.hits(kind, bytes, at: position)
  }

  /// The position of the next special byte, −1 where there is none up to the end.
  @inline(__always)
  mutating func next(_ bytes: Span<UInt8>) -> Int {
    while hits == 0 {
      guard base &+ Self.blockBytes < bytes.count else { return -1 }
      base &+= Self.blockBytes
      hits = Self.hits(kind, bytes, at: base)
    }
    let position = base &+ hits.trailingZeroBitCount
    hits &= hits &- 1
    return position
  }

  /// Goes on to `position`, which is not before the last one that was found.
  @inline(__always)
  mutating func move(to position: Int, _ bytes: Span<UInt8>) {
    if position &- base < Self.blockBytes {
      hits &= UInt64.max &<< UInt64(truncatingIfNeeded: position &- base)
    } else {
      self = SpecialCursor(kind, bytes, at: position)
    }
  }

  @inline(__always)
  private static func hits(_ kind: SpecialBytes, _ bytes: Span<UInt8>, at position: Int) -> UInt64 {
    guard position >= 0, position &+ blockBytes <= bytes.count else { return lastHits(kind, bytes, at: position) }
    // SAFETY: 64 bytes from `position` lie within the span by the check above, and are only read.
    return unsafe bytes.withUnsafeBufferPointer { buffer in
      unsafe kind == .csv
        ? continuo_csv_marks(buffer.baseAddress.unsafelyUnwrapped + position)
        : continuo_json_marks(buffer.baseAddress.unsafelyUnwrapped + position)
    }
  }

  @inline(never)
  private static func lastHits(_ kind: SpecialBytes, _ bytes: Span<UInt8>, at position: Int) -> UInt64 {
    var hits: UInt64 = 0
    var index = position
    while index < bytes.count {
      if kind.contains(bytes[index]) { hits |= 1 << UInt64(index - position) }
      index += 1
    }
    return hits
  }
}

/// The first `byte` in `range` of a text, nil where there is none. O(length).
func firstIndex(of byte: UInt8, in bytes: Span<UInt8>, _ range: Range<Int>) -> Int? {
  precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count)
  var index = range.lowerBound
  while index &+ 64 <= range.upperBound {
    // SAFETY: 64 bytes from `index` lie within the range, and that within the span by the check above.
    let hits = unsafe bytes.withUnsafeBufferPointer { buffer in
      unsafe continuo_byte_marks(buffer.baseAddress.unsafelyUnwrapped + index, byte)
    }
    if hits != 0 { return index &+ hits.trailingZeroBitCount }
    index &+= 64
  }
  while index < range.upperBound {
    if bytes[index] == byte { return index }
    index &+= 1
  }
  return nil
}

/// A key to compare texts with: two words where it is short.
struct KeyPattern: BitwiseCopyable {
  /// How many bytes it has.
  let count: Int
  /// What its user keeps for it.
  let slot: Int
  private var low: UInt64 = 0
  private var high: UInt64 = 0

  private static let bytesMax = 16

  init(_ name: [UInt8], slot: Int) {
    count = name.count
    self.slot = slot
    guard isShort else { return }
    for (index, byte) in name.enumerated() {
      if index < 8 { low |= UInt64(byte) << UInt64(8 * index) } else { high |= UInt64(byte) << UInt64(8 * index - 64) }
    }
  }

  /// Whether it is compared as words.
  @inline(__always)
  var isShort: Bool { count <= Self.bytesMax }

  /// Whether the bytes from `position` on are the key, a short one; false, also where they are, near the text's end.
  @inline(__always)
  func holds(_ bytes: Span<UInt8>, at position: Int) -> Bool {
    guard isShort, position >= 0, position &+ Self.bytesMax <= bytes.count else { return false }
    // SAFETY: sixteen bytes from `position` lie within the span by the check above; any bits are a UInt64.
    let first = unsafe bytes.bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: position, as: UInt64.self)
    let second = unsafe bytes.bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: position &+ 8, as: UInt64.self)
    let (lower, upper) = (UInt64(littleEndian: first) ^ low, UInt64(littleEndian: second) ^ high)
    guard count > 8 else { return count == 0 || lower &<< UInt64(64 &- 8 &* count) == 0 }
    return lower == 0 && upper &<< UInt64(128 &- 8 &* count) == 0
  }
}
