// A name's bytes as two words, and their hash: what a table of names compares.
// Invariant: names of up to 15 bytes are equal just when their keys are; longer ones have equal keys if they are equal.
// Not here: the table (Interner).
// Source of the hash: multiply-and-fold as in wyhash (W. Yi), 64 × 64 → 128 bits, seeded per engine.

/// What a name is looked up by.
struct NameKey: BitwiseCopyable, Equatable {
  /// Up to 15 bytes, the length in the last one; of a longer name two words that its bytes were folded into, and 255 in the
  /// last byte.
  var low: UInt64
  var high: UInt64
  var hash: UInt32

  /// The key of no name.
  static let none = NameKey(low: 0, high: 0, hash: 0)

  private init(low: UInt64, high: UInt64, hash: UInt32) {
    self.low = low
    self.high = high
    self.hash = hash
  }

  /// The longest name whose bytes are all in its key.
  static let inlineBytesMax = 15

  var isInline: Bool { high >> 56 != 255 }

  /// The key of a name. O(length).
  @inline(__always)
  init(_ name: Span<UInt8>, seed: UInt64) {
    let count = name.count
    // SAFETY: the bytes are read within the call that lends them.
    if count <= Self.inlineBytesMax {
      (low, high) = unsafe name.withUnsafeBytes { unsafe Self.words($0) }
      high |= UInt64(count) << 56
    } else {
      (low, high) = unsafe name.withUnsafeBytes { unsafe Self.folded($0, seed) }
      high |= 255 << 56
    }
    let product = (low ^ seed).multipliedFullWidth(by: high ^ 0x9E37_79B9_7F4A_7C15)
    let mixed = (product.high ^ product.low ^ low).multipliedFullWidth(by: 0xD6E8_FEB8_6659_FD93)
    let folded = mixed.high ^ mixed.low
    hash = UInt32(truncatingIfNeeded: folded ^ folded >> 32)
  }

  /// Up to 15 bytes as two words, zeros behind them.
  @inline(__always)
  private static func words(_ bytes: UnsafeRawBufferPointer) -> (UInt64, UInt64) {
    let count = bytes.count
    if count >= 8 {
      // SAFETY: both loads lie within the bytes, of which there are 8 to 15.
      let low = unsafe bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self)
      let last = unsafe bytes.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self)
      return (low, count == 8 ? 0 : last >> UInt64(8 * (16 - count)))
    }
    if count >= 4 {
      // SAFETY: both loads lie within the bytes, of which there are 4 to 7.
      let low = unsafe UInt64(bytes.loadUnaligned(fromByteOffset: 0, as: UInt32.self))
      let last = unsafe UInt64(bytes.loadUnaligned(fromByteOffset: count - 4, as: UInt32.self))
      return (low | last << UInt64(8 * (count - 4)), 0)
    }
    var low: UInt64 = 0
    // SAFETY: the index is within the bytes.
    for index in 0..<count { low |= unsafe UInt64(bytes[index]) << UInt64(8 * index) }
    return (low, 0)
  }

  /// Sixteen bytes or more, folded into two words.
  @inline(__always)
  private static func folded(_ bytes: UnsafeRawBufferPointer, _ seed: UInt64) -> (UInt64, UInt64) {
    var (left, right) = (seed ^ UInt64(bytes.count), seed)
    var offset = 0
    while offset < bytes.count {
      // The last sixteen bytes overlap those before: every byte is in, and no load leaves the bytes.
      let place = min(offset, bytes.count - 16)
      // SAFETY: place + 16 ≤ count, which is 16 at least.
      let one = unsafe bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self)
      let other = unsafe bytes.loadUnaligned(fromByteOffset: place + 8, as: UInt64.self)
      let product = (left ^ one).multipliedFullWidth(by: right ^ other ^ 0x9E37_79B9_7F4A_7C15)
      (left, right) = (product.high ^ one, product.low ^ other)
      offset += 16
    }
    return (left, right & (1 << 56 - 1))
  }
}
