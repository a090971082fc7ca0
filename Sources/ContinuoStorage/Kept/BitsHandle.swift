// Bits behind each other, the lowest of a byte first: written behind bytes, and read with every length checked.
// Invariant: nothing is read behind the bytes; who reads too far gets zeros, and is told at the end.
// Not here: what the bits mean (ColumnCode).

internal import Continuo

/// Writes bits.
struct BitWriter {
  private var words: [UInt64] = []
  private var word: UInt64 = 0
  private var filled: UInt64 = 0

  /// - Parameter bits: about how many will be written.
  init(bits: Int = 0) { words.reserveCapacity(bits / 64 + 1) }

  /// Adds the lowest `count` bits of a word that has no others, 64 at most. O(1).
  @inline(__always)
  mutating func put(_ bits: UInt64, _ count: Int) {
    word |= bits &<< filled
    let end = filled &+ UInt64(truncatingIfNeeded: count)
    if end >= 64 {
      words.append(word)
      // A shift by 64 leaves nothing.
      word = bits >> (64 &- filled)
    }
    filled = end & 63
  }

  /// Ends with whole bytes, and adds them to others; how many they are. O(bytes).
  mutating func finish(into bytes: inout [UInt8]) -> Int {
    let size = words.count * 8 + Int(filled + 7) / 8
    if filled > 0 { words.append(word) }
    for index in words.indices { words[index] = words[index].littleEndian }
    // SAFETY: any words may be read as bytes; they are as many as `size` says at least.
    unsafe words.withUnsafeBytes { own in unsafe bytes.append(contentsOf: own.prefix(size)) }
    (words, word, filled) = ([], 0, 0)
    return size
  }
}

/// Reads bits.
@safe struct BitReader: ~Escapable {
  private let bytes: RawSpan
  private var place: Int
  private let end: Int

  /// - Parameters:
  ///   - bytes: what is read from.
  ///   - range: which of them.
  // SAFETY: any bytes may be read as bytes.
  @_lifetime(copy bytes)
  init(_ bytes: Span<UInt8>, _ range: Range<Int>) {
    precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count, "bits are read within their bytes")
    unsafe self.bytes = bytes.bytes
    place = range.lowerBound * 8
    end = range.upperBound * 8
  }

  /// Whether all bits were read but those that fill the last byte, which are zeros, and no more.
  var isDone: Bool {
    var rest = self
    return place <= end && end - place < 8 && rest.take(end - place) == 0
  }

  /// The next bits, 57 at least; zeros behind the end. O(1).
  @inline(__always)
  var next: UInt64 {
    let byte = place >> 3
    if byte &+ 8 <= bytes.byteCount {
      // SAFETY: eight bytes from `byte` on are there; `place` only grows.
      let word = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: byte, as: UInt64.self)
      return UInt64(littleEndian: word) &>> UInt64(place & 7)
    }
    return last(byte)
  }

  @inline(never)
  private func last(_ byte: Int) -> UInt64 {
    var word: UInt64 = 0
    for index in 0..<8 where byte + index < bytes.byteCount {
      // SAFETY: checked by the load itself.
      word |= UInt64(unsafe bytes.unsafeLoad(fromByteOffset: byte + index, as: UInt8.self)) << UInt64(8 * index)
    }
    return word >> UInt64(place & 7)
  }

  /// Steps over bits. O(1).
  @inline(__always)
  @_lifetime(self: copy self)
  mutating func skip(_ count: Int) {
    // Far behind the end it stays where it is: nothing overflows.
    place = min(place &+ count, end &+ 64)
  }

  /// The next `count` bits, 57 at most. O(1).
  @inline(__always)
  @_lifetime(self: copy self)
  mutating func take(_ count: Int) -> UInt64 {
    let bits = next & ((1 &<< UInt64(count)) &- 1)
    skip(count)
    return bits
  }
}
