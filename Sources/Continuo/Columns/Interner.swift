// Byte strings to dense integers and back.
// Invariant: the n-th name that was interned has number n − 1; equal bytes have equal numbers; names are never forgotten.
// Not here: which names are valid (Judgement), how a name is hashed (NameKey), the zero address (TransferRow).

/// A table of names: bytes in, a dense number out.
///
/// A look-up may be cut in three, so that the memory it needs is asked for ahead: ``key(_:)``, ``prefetchSlot(_:)``,
/// ``prefetchName(_:)``.
struct Interner: ~Copyable {
  /// A name as its key; of one of more than 15 bytes the place of its bytes in `bytes`, and its length.
  private struct Record: BitwiseCopyable {
    var low: UInt64
    var high: UInt64

    var isInline: Bool { high >> 56 != 255 }
    var length: Int { isInline ? Int(high >> 56) : Int(high & (1 << 56 - 1)) }
  }

  private struct Slot: BitwiseCopyable {
    var hash: UInt32
    /// The name's number + 1, 0 where the slot is free.
    var entry: UInt32
  }

  private var records = ColumnHandle<Record>()
  private var bytes = ColumnHandle<UInt8>()
  /// Open addressing with linear probing, at most half full.
  private var slots = ColumnHandle<Slot>(repeating: Slot(hash: 0, entry: 0), count: 64)
  private let seed: UInt64

  init(seed: UInt64) { self.seed = seed }

  /// How many names there are.
  var count: Int { records.count }

  /// What a name is looked up by. O(length).
  @inline(__always)
  func key(_ name: Span<UInt8>) -> NameKey { NameKey(name, seed: seed) }

  /// Asks for the slot where a name is looked up first. O(1).
  @inline(__always)
  func prefetchSlot(_ key: NameKey) { slots.prefetch(Int(key.hash) & (slots.count - 1)) }

  /// Asks for the name that is found first. O(1).
  @inline(__always)
  func prefetchName(_ key: NameKey) {
    let slot = slots[Int(key.hash) & (slots.count - 1)]
    if slot.entry != 0 { records.prefetch(Int(slot.entry) - 1) }
  }

  /// The number of a name, nil if it was never interned. O(length).
  @inline(__always)
  func find(_ name: Span<UInt8>) -> Int? { find(key(name), name) }

  /// The number of a name whose key is known. O(length).
  @inline(__always)
  func find(_ key: NameKey, _ name: Span<UInt8>) -> Int? {
    var index = Int(key.hash) & (slots.count - 1)
    while true {
      let slot = slots[index]
      guard slot.entry != 0 else { return nil }
      if slot.hash == key.hash {
        let number = Int(slot.entry) - 1
        let record = records[number]
        if key.isInline ? record.low == key.low && record.high == key.high : equals(record, name) { return number }
      }
      index = (index + 1) & (slots.count - 1)
    }
  }

  /// The number of a name, a new one if it was never interned. O(length) amortised.
  mutating func intern(_ name: Span<UInt8>) -> Int { intern(key(name), name) }

  /// The number of a name whose key is known. O(length) amortised.
  @inline(__always)
  mutating func intern(_ key: NameKey, _ name: Span<UInt8>) -> Int {
    find(key, name) ?? add(key, name)
  }

  /// The bytes of a name as a value. O(length).
  func byteString(_ number: Int) -> ByteString {
    let record = records[number]
    var copy: [UInt8] = []
    copy.reserveCapacity(record.length)
    for index in 0..<record.length {
      let word = index < 8 ? record.low : record.high
      copy.append(
        record.isInline ? UInt8(truncatingIfNeeded: word >> UInt64(8 * (index & 7))) : bytes[Int(record.low) + index])
    }
    return ByteString(copy)
  }

  @inline(__always)
  private func equals(_ record: Record, _ name: Span<UInt8>) -> Bool {
    !record.isInline && record.length == name.count && bytes.holds(name, at: Int(record.low))
  }

  private mutating func add(_ key: NameKey, _ name: Span<UInt8>) -> Int {
    if (count + 1) * 2 > slots.count { grow() }
    let number = count
    if key.isInline {
      records.append(Record(low: key.low, high: key.high))
    } else {
      records.append(Record(low: UInt64(bytes.count), high: 255 << 56 | UInt64(name.count)))
      bytes.append(contentsOf: name)
    }
    place(Slot(hash: key.hash, entry: UInt32(number) + 1))
    return number
  }

  private mutating func place(_ slot: Slot) {
    var index = Int(slot.hash) & (slots.count - 1)
    while slots[index].entry != 0 { index = (index + 1) & (slots.count - 1) }
    slots[index] = slot
  }

  private mutating func grow() {
    var old = ColumnHandle<Slot>(repeating: Slot(hash: 0, entry: 0), count: slots.count * 2)
    swap(&old, &slots)
    for index in 0..<old.count where old[index].entry != 0 { place(old[index]) }
  }
}
