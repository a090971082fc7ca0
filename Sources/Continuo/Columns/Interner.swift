// Byte strings to dense integers and back.
// Invariant: the n-th name that was interned has number n − 1; equal bytes have equal numbers; names are never forgotten.
// Not here: which names are valid (Address), how a name is packed and hashed (PackedName), the zero address (TransferRow).

/// A table of names: names in, a dense number out.
///
/// A look-up may be cut in three, so that the memory it needs is asked for ahead: ``hash(_:_:)``, ``prefetchSlot(_:)``,
/// ``prefetchName(_:)``.
struct Interner: ~Copyable {
  /// The names; of long ones the place of their bytes here.
  private var records: ColumnHandle<PackedName>
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
  @inline(__always)
  var view: NamesView { NamesView(records, bytes, slots.view, seed: seed) }

  /// What a name is looked up by. O(1), of a long name O(length).
  ///
  /// - Parameters:
  ///   - name: the name.
  ///   - text: where the bytes of a long one are.
  @inline(__always)
  func hash(_ name: PackedName, _ text: borrowing TextPool) -> UInt32 {
    name.isLong ? PackedName.hash(long: text.text(name.cell), seed: seed) : name.hash(seed: seed)
  }

  /// Asks for the slot where a name is looked up first. O(1).
  @inline(__always)
  func prefetchSlot(_ hash: UInt32) { slots.prefetch(Int(hash) & (slots.count &- 1)) }

  /// Asks for the name that is found first. O(1).
  @inline(__always)
  func prefetchName(_ hash: UInt32) {
    let slot = slots[Int(hash) & (slots.count &- 1)]
    if slot != 0 { records.prefetch(Int(truncatingIfNeeded: slot & 0xFFFF_FFFF) &- 1) }
  }

  /// The number of a name, nil if it was never interned. O(1), of a long name O(length).
  @inline(__always)
  func find(_ name: PackedName, _ text: borrowing TextPool) -> Int? { find(name, hash(name, text), text) }

  /// The number of a name whose hash is known. O(1), of a long name O(length).
  @inline(__always)
  func find(_ name: PackedName, _ hash: UInt32, _ text: borrowing TextPool) -> Int? {
    // A view is a value: a method of this table, if it is not inlined, is handed a copy of all of it first.
    if name.isLong { return view.find(text.text(name.cell), nil, hash) }
    let mask = slots.count &- 1
    var index = Int(hash) & mask
    while true {
      let slot = slots[index]
      guard slot != 0 else { return nil }
      if slot &>> 32 == UInt64(hash) {
        let number = Int(truncatingIfNeeded: slot & 0xFFFF_FFFF) &- 1
        if records[number] == name { return number }
      }
      index = (index &+ 1) & mask
    }
  }

  /// The number of a name, a new one if it was never interned. O(1) amortised, of a long name O(length).
  mutating func intern(_ name: PackedName, _ text: borrowing TextPool) -> Int { intern(name, hash(name, text), text) }

  /// The number of a name whose hash is known. O(1) amortised, of a long name O(length).
  @inline(__always)
  mutating func intern(_ name: PackedName, _ hash: UInt32, _ text: borrowing TextPool) -> Int {
    if let number = find(name, hash, text) { return number }
    return add(name, hash, text)
  }

  /// The bytes of a name as a value. O(length).
  func byteString(_ number: Int) -> ByteString { view.byteString(number) }

  private mutating func add(_ name: PackedName, _ hash: UInt32, _ text: borrowing TextPool) -> Int {
    if (count + 1) * 2 > slots.count { grow() }
    let number = count
    if name.isLong {
      records.append(PackedName(longAt: bytes.count, length: name.longLength))
      bytes.append(contentsOf: text.text(name.cell))
    } else {
      records.append(name)
    }
    Self.place(UInt64(hash) << 32 | UInt64(number + 1), slots)
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
