// Byte strings to dense integers and back.
// Invariant: the n-th name that was interned has number n − 1; equal bytes have equal numbers; names are never forgotten.
// Not here: which names are valid (Judgement), how a name is hashed (NameKey), the zero address (TransferRow).

/// A table of names: bytes in, a dense number out.
///
/// A look-up may be cut in three, so that the memory it needs is asked for ahead: ``key(_:)``, ``prefetchSlot(_:)``,
/// ``prefetchName(_:)``.
struct Interner: ~Copyable {
  private var records: ColumnHandle<NameRecord>
  private var bytes: ColumnHandle<UInt8>
  /// Open addressing with linear probing, at most half full: a hash, and under it the name's number + 1; 0 where free.
  private var slots: AtomicWords
  private let seed: UInt64
  private let arena: Arena

  init(seed: UInt64, _ arena: Arena) {
    self.seed = seed
    self.arena = arena
    records = ColumnHandle(arena, isShared: true)
    bytes = ColumnHandle(arena, isShared: true)
    slots = AtomicWords(64, arena)
  }

  /// How many names there are.
  var count: Int { records.count }

  /// The names as readers have them. O(1).
  var view: NamesView { NamesView(records, bytes, slots.view, seed: seed) }

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
    if slot != 0 { records.prefetch(Int(truncatingIfNeeded: slot & 0xFFFF_FFFF) - 1) }
  }

  /// Asks for the bytes of the name that is found first, if its key does not have them. O(1).
  @inline(__always)
  func prefetchBytes(_ key: NameKey) {
    let slot = slots[Int(key.hash) & (slots.count - 1)]
    guard !key.isInline, slot >> 32 == UInt64(key.hash) else { return }
    let record = records[Int(truncatingIfNeeded: slot & 0xFFFF_FFFF) - 1]
    if !record.isInline { bytes.prefetch(Int(record.low)) }
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
      guard slot != 0 else { return nil }
      if slot >> 32 == UInt64(key.hash) {
        let number = Int(truncatingIfNeeded: slot & 0xFFFF_FFFF) - 1
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
  func byteString(_ number: Int) -> ByteString { view.byteString(number) }

  @inline(__always)
  private func equals(_ record: NameRecord, _ name: Span<UInt8>) -> Bool {
    !record.isInline && record.length == name.count && bytes.holds(name, at: Int(record.low))
  }

  private mutating func add(_ key: NameKey, _ name: Span<UInt8>) -> Int {
    if (count + 1) * 2 > slots.count { grow() }
    let number = count
    if key.isInline {
      records.append(NameRecord(low: key.low, high: key.high))
    } else {
      records.append(NameRecord(low: UInt64(bytes.count), high: 255 << 56 | UInt64(name.count)))
      bytes.append(contentsOf: name)
    }
    Self.place(UInt64(key.hash) << 32 | UInt64(number + 1), slots)
    return number
  }

  private static func place(_ slot: UInt64, _ slots: borrowing AtomicWords) {
    var index = Int(truncatingIfNeeded: slot >> 32) & (slots.count - 1)
    while slots[index] != 0 { index = (index + 1) & (slots.count - 1) }
    slots[index] = slot
  }

  private mutating func grow() {
    let grown = AtomicWords(slots.count * 2, arena)
    for index in 0..<slots.count where slots[index] != 0 { Self.place(slots[index], grown) }
    slots = grown
  }
}

/// A name as its key; of one of more than 15 bytes the place of its bytes, and its length.
struct NameRecord: BitwiseCopyable {
  var low: UInt64
  var high: UInt64

  @inline(__always)
  var isInline: Bool { high >> 56 != 255 }
  var length: Int { isInline ? Int(high >> 56) : Int(high & (1 << 56 - 1)) }
}
