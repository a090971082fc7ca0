// Names as one version has them: to look one up, or to get its bytes, while new ones are added.
// Invariant: only the first `count` names are answered; they never change.
// Not here: adding names (Interner).

/// The names that one version knows.
@safe struct NamesView: BitwiseCopyable {
  private let records: UnsafePointer<NameRecord>?
  private let bytes: UnsafePointer<UInt8>?
  private let byteCount: Int
  private let slots: AtomicWordsView
  private let seed: UInt64
  /// How many names there are.
  let count: Int

  @inline(__always)
  init(
    _ records: borrowing ColumnHandle<NameRecord>, _ bytes: borrowing ColumnHandle<UInt8>, _ slots: AtomicWordsView,
    seed: UInt64
  ) {
    // SAFETY: the memory of names only grows at its end and outlives who may read it (Arena).
    unsafe self.records = records.memory
    unsafe self.bytes = bytes.memory
    byteCount = bytes.count
    self.slots = slots
    self.seed = seed
    count = records.count
  }

  private func record(_ number: Int) -> NameRecord {
    precondition(number >= 0 && number < count, "names are read within their count")
    // SAFETY: number < count; names are only added behind, and their memory outlives who may read it (Arena).
    return unsafe records.unsafelyUnwrapped[number]
  }

  private func byte(_ index: Int) -> UInt8 {
    precondition(index >= 0 && index < byteCount, "names' bytes are read within their count")
    // SAFETY: as above.
    return unsafe bytes.unsafelyUnwrapped[index]
  }

  /// The number of a name, nil if this version does not know it. O(length).
  func find(_ name: Span<UInt8>) -> Int? {
    let key = NameKey(name, seed: seed)
    var index = Int(key.hash) & (slots.count - 1)
    while true {
      let slot = slots[index]
      guard slot != 0 else { return nil }
      let number = Int(truncatingIfNeeded: slot & 0xFFFF_FFFF) - 1
      // A name that was added since then has a number past ours.
      if slot >> 32 == UInt64(key.hash), number < count, holds(record(number), key, name) { return number }
      index = (index + 1) & (slots.count - 1)
    }
  }

  private func holds(_ record: NameRecord, _ key: NameKey, _ name: Span<UInt8>) -> Bool {
    if key.isInline { return record.low == key.low && record.high == key.high }
    guard !record.isInline, record.length == name.count else { return false }
    for index in 0..<name.count where byte(Int(record.low) + index) != name[index] { return false }
    return true
  }

  /// The bytes of a name as a value. O(length).
  func byteString(_ number: Int) -> ByteString {
    let record = record(number)
    var copy: [UInt8] = []
    copy.reserveCapacity(record.length)
    for index in 0..<record.length {
      let word = index < 8 ? record.low : record.high
      copy.append(
        record.isInline ? UInt8(truncatingIfNeeded: word >> UInt64(8 * (index & 7))) : byte(Int(record.low) + index))
    }
    return ByteString(copy)
  }

  /// Whether the bytes of one name come before those of another. O(length).
  func precedes(_ left: Int, _ right: Int) -> Bool {
    let (one, other) = (record(left), record(right))
    guard one.isInline, other.isInline else { return byteString(left) < byteString(right) }
    // First bytes first, and the length last.
    if one.low != other.low { return one.low.byteSwapped < other.low.byteSwapped }
    return one.high.byteSwapped < other.high.byteSwapped
  }
}

// SAFETY: what a view refers to does not change, and outlives who may read it (Arena).
extension NamesView: @unchecked Sendable {}
