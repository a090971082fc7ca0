// Byte strings to dense integers and back.
// Invariant: the n-th name that was interned has number n − 1; equal bytes have equal numbers; names are never forgotten.
// Not here: which names are valid (Judgement), the zero address (TokenState uses number 0 for it).
// Source of the hash: multiply-and-fold as in wyhash (W. Yi), 64 × 64 → 128 bits, seeded per engine.

/// A table of names: bytes in, a dense number out.
struct Interner: ~Copyable {
  private var bytes = ColumnHandle<UInt8>()
  /// Where each name ends in `bytes`; it begins where the one before ends.
  private var ends = ColumnHandle<Int>()
  private var hashes = ColumnHandle<UInt32>()
  /// Open addressing with linear probing: number + 1, 0 where free; at most half full.
  private var slots = ColumnHandle<UInt32>(repeating: 0, count: 64)
  private let seed: UInt64

  init(seed: UInt64) { self.seed = seed }

  /// How many names there are.
  var count: Int { ends.count }

  /// The number of a name, nil if it was never interned. O(length).
  func find(_ name: Span<UInt8>) -> Int? {
    let hash = hash(name)
    var slot = Int(hash) & (slots.count - 1)
    while slots[slot] != 0 {
      let number = Int(slots[slot] - 1)
      if hashes[number] == hash, equals(number, name) { return number }
      slot = (slot + 1) & (slots.count - 1)
    }
    return nil
  }

  /// The number of a name, a new one if it was never interned. O(length) amortised.
  mutating func intern(_ name: Span<UInt8>) -> Int {
    if let number = find(name) { return number }
    if (count + 1) * 2 > slots.count { grow() }
    let number = count
    bytes.append(contentsOf: name)
    ends.append(bytes.count)
    let hash = hash(name)
    hashes.append(hash)
    place(number, hash)
    return number
  }

  /// The bytes of a name. O(1).
  @_lifetime(borrow self)
  func name(_ number: Int) -> Span<UInt8> {
    bytes.span.extracting((number == 0 ? 0 : ends[number - 1])..<ends[number])
  }

  /// The bytes of a name as a value. O(length).
  func byteString(_ number: Int) -> ByteString {
    let name = name(number)
    var copy: [UInt8] = []
    copy.reserveCapacity(name.count)
    for index in 0..<name.count { copy.append(name[index]) }
    return ByteString(copy)
  }

  private func equals(_ number: Int, _ other: Span<UInt8>) -> Bool {
    let name = name(number)
    guard name.count == other.count else { return false }
    for index in 0..<name.count where name[index] != other[index] { return false }
    return true
  }

  private mutating func place(_ number: Int, _ hash: UInt32) {
    var slot = Int(hash) & (slots.count - 1)
    while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
    slots[slot] = UInt32(number) + 1
  }

  private mutating func grow() {
    slots = ColumnHandle(repeating: 0, count: slots.count * 2)
    for number in 0..<count { place(number, hashes[number]) }
  }

  private func hash(_ name: Span<UInt8>) -> UInt32 {
    var state = seed ^ UInt64(truncatingIfNeeded: name.count)
    var word: UInt64 = 0
    for index in 0..<name.count {
      word = word << 8 | UInt64(name[index])
      if index & 7 == 7 {
        state = Self.mix(state ^ word)
        word = 0
      }
    }
    let mixed = Self.mix(Self.mix(state ^ word))
    return UInt32(truncatingIfNeeded: mixed ^ mixed >> 32)
  }

  private static func mix(_ value: UInt64) -> UInt64 {
    let product = (value ^ 0x9E37_79B9_7F4A_7C15).multipliedFullWidth(by: 0xD6E8_FEB8_6659_FD93)
    return product.high ^ product.low
  }
}
