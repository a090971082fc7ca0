// A name in three words, as rows and tables of names have it: short texts and addresses whole, of longer ones a place.
// Invariant: equal names that are not long are equal words, and the other way round; a name has one way to be packed.
// Not here: which names are valid (Address), the table (Interner), how bytes become words (ShortText, NameBytes).
// Source of the hash: multiply-and-fold as in wyhash (W. Yi), 64 × 64 → 128 bits, seeded per engine.

/// A name: up to sixteen bytes, or an address of twenty, as they are; of any other text where its bytes lie.
package struct PackedName: Equatable, Sendable, BitwiseCopyable {
  /// The first eight bytes, the first one lowest; of a long name the place of its bytes.
  package let first: UInt64
  /// The next eight; of a long name its length.
  package let second: UInt64
  /// What kind it is in the highest byte, and the last four bytes of an address.
  package let third: UInt64

  /// In the highest byte: up to sixteen are the length of a short text, which ends with the second word.
  private static let addressKind: UInt64 = 253 << 56
  private static let zeroKind: UInt64 = 254 << 56
  private static let longKind: UInt64 = 255 << 56

  private init(_ first: UInt64, _ second: UInt64, _ third: UInt64) {
    self.first = first
    self.second = second
    self.third = third
  }

  /// A name by the words of one.
  @inline(__always)
  init(words first: UInt64, _ second: UInt64, _ third: UInt64) { self.init(first, second, third) }

  /// No name: what an absent wallet has.
  package static let absent = PackedName(0, 0, 0)
  /// The zero address, whatever its spelling was.
  package static let zeroAddress = PackedName(0, 0, zeroKind)
  /// A name whose bytes are still to be placed.
  static let unplaced = PackedName(0, 0, longKind)

  /// A text of up to sixteen bytes.
  @inline(__always)
  init(_ text: ShortText, count: Int) {
    self.init(text.low, text.high, UInt64(truncatingIfNeeded: count) &<< 56)
  }

  /// The twenty bytes that forty digits behind `0x` spell: eight, eight and four of them.
  @inline(__always)
  init(address first: UInt64, _ second: UInt64, _ last: UInt64) {
    self.init(first, second, last | Self.addressKind)
  }

  /// A longer text, by where it is kept.
  @inline(__always)
  init(longAt start: Int, length: Int) {
    self.init(UInt64(truncatingIfNeeded: start), UInt64(truncatingIfNeeded: length), Self.longKind)
  }

  /// A text of a batch that is longer, by where it is kept.
  @inline(__always)
  init(long cell: TextCell) { self.init(longAt: Int(cell.start), length: Int(cell.length)) }

  /// The name that some bytes are, if it need not be kept elsewhere: any up to sixteen bytes, and the lower-case spelling
  /// of an address. O(1).
  package init?(_ bytes: Span<UInt8>) {
    if bytes.count <= ShortText.bytesMax {
      self.init(ShortText(whole: bytes), count: bytes.count)
    } else if let address = NameBytes.address(bytes), !address.hasCapitals {
      self = address.name
    } else {
      return nil
    }
  }

  /// Whether its bytes lie elsewhere.
  @inline(__always)
  package var isLong: Bool { third >= Self.longKind }

  /// Whether there is anything to look up.
  @inline(__always)
  package var isText: Bool { third != 0 && third != Self.zeroKind }

  /// Where the bytes of a long name of a batch are.
  var cell: TextCell { TextCell(start: UInt32(truncatingIfNeeded: first), length: UInt32(truncatingIfNeeded: second)) }

  /// How many bytes a long name has.
  @inline(__always)
  var longLength: Int { Int(truncatingIfNeeded: second) }

  // MARK: as bytes

  /// The bytes of a name that is not long. O(length).
  var bytes: [UInt8] {
    if third & Self.longKind == Self.addressKind {
      var text = Array("0x".utf8)
      for index in 0..<20 {
        let byte = UInt8(truncatingIfNeeded: word(index) &>> UInt64(8 * (index & 7)))
        text.append(Self.digit(byte &>> 4))
        text.append(Self.digit(byte & 15))
      }
      return text
    }
    let count = third &>> 56 <= UInt64(ShortText.bytesMax) ? Int(third &>> 56) : 0
    return (0..<count).map { UInt8(truncatingIfNeeded: word($0) &>> UInt64(8 * ($0 & 7))) }
  }

  private func word(_ index: Int) -> UInt64 { index < 8 ? first : index < 16 ? second : third }

  private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? value + 48 : value + 87 }

  /// Whether the bytes of this name come before those of another, where words tell: nil else. O(1).
  func precedes(_ other: PackedName) -> Bool? {
    let (kind, otherKind) = (third & Self.longKind, other.third & Self.longKind)
    let areShort = kind <= Self.shortKindMax && otherKind <= Self.shortKindMax
    guard areShort || kind == Self.addressKind && otherKind == kind else { return nil }
    // First bytes first; the length, or the kind, last.
    if first != other.first { return first.byteSwapped < other.first.byteSwapped }
    if second != other.second { return second.byteSwapped < other.second.byteSwapped }
    return third.byteSwapped < other.third.byteSwapped
  }

  private static var shortKindMax: UInt64 { UInt64(ShortText.bytesMax) << 56 }

  // MARK: hash

  /// The hash of a name that is not long. O(1).
  @inline(__always)
  func hash(seed: UInt64) -> UInt32 { Self.hash(first, second, third, seed) }

  /// The hash of a long name. O(length).
  @inline(__always)
  static func hash(long bytes: Span<UInt8>, seed: UInt64) -> UInt32 {
    let (left, right) = NameBytes.folded(bytes, seed)
    return hash(left, right, longKind, seed)
  }

  @inline(__always)
  private static func hash(_ first: UInt64, _ second: UInt64, _ third: UInt64, _ seed: UInt64) -> UInt32 {
    // Both factors are blinded: nobody outside can make one of them zero.
    let product = (first ^ seed).multipliedFullWidth(by: second ^ (seed &>> 32 | seed &<< 32))
    let mixed = (product.high ^ product.low ^ third ^ first).multipliedFullWidth(by: 0xD6E8_FEB8_6659_FD93)
    let folded = mixed.high ^ mixed.low
    return UInt32(truncatingIfNeeded: folded ^ folded &>> 32)
  }
}
