// Names as one version has them: to look one up, or to get its bytes, while new ones are added.
// Invariant: only the first `count` names are answered; they never change.
// Not here: adding names (Interner).

internal import CMemory

/// The names that one version knows.
@safe struct NamesView: BitwiseCopyable {
  private let records: UnsafePointer<PackedName>?
  private let bytes: UnsafePointer<UInt8>?
  private let byteCount: Int
  private let slots: AtomicWordsView
  private let seed: UInt64
  /// How many names there are.
  let count: Int

  @inline(__always)
  init(
    _ records: borrowing ColumnHandle<PackedName>, _ bytes: borrowing ColumnHandle<UInt8>, _ slots: AtomicWordsView,
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

  private func record(_ number: Int) -> PackedName {
    precondition(number >= 0 && number < count, "names are read within their count")
    // SAFETY: number < count; names are only added behind, and their memory outlives who may read it (Arena).
    return unsafe records.unsafelyUnwrapped[number]
  }

  /// The bytes of a long name.
  private func bytes(of record: PackedName) -> UnsafeBufferPointer<UInt8> {
    let (start, length) = (Int(record.first), record.longLength)
    precondition(start >= 0 && length <= byteCount - start, "names' bytes are read within their count")
    // SAFETY: as above.
    return unsafe UnsafeBufferPointer(start: bytes.unsafelyUnwrapped + start, count: length)
  }

  /// The number of a name, nil if this version does not know it. O(length).
  func find(_ name: Span<UInt8>) -> Int? {
    let packed = PackedName(name)
    return find(name, packed, packed.map { $0.hash(seed: seed) } ?? PackedName.hash(long: name, seed: seed))
  }

  /// The number of a name with this hash, as it is packed; nil where that is not all of it. O(length).
  @inline(never)
  func find(_ name: Span<UInt8>, _ packed: PackedName?, _ hash: UInt32) -> Int? {
    var index = Int(hash) & (slots.count - 1)
    while true {
      let slot = slots[index]
      guard slot != 0 else { return nil }
      let number = Int(truncatingIfNeeded: slot & 0xFFFF_FFFF) - 1
      // A name that was added since then has a number past ours.
      if slot >> 32 == UInt64(hash), number < count, holds(record(number), packed, name) { return number }
      index = (index + 1) & (slots.count - 1)
    }
  }

  private func holds(_ record: PackedName, _ packed: PackedName?, _ name: Span<UInt8>) -> Bool {
    if let packed { return record == packed }
    guard record.isLong, record.longLength == name.count else { return false }
    // SAFETY: both have as many bytes.
    return unsafe name.withUnsafeBytes { name in
      unsafe continuo_equal(name.baseAddress, bytes(of: record).baseAddress, name.count)
    }
  }

  /// The bytes of a name as a value. O(length).
  func byteString(_ number: Int) -> ByteString {
    let record = record(number)
    guard record.isLong else { return ByteString(record.bytes) }
    // SAFETY: copied before the view is gone.
    return unsafe ByteString(Array(bytes(of: record)))
  }

  /// Adds names to some bytes: how each is spelled, then the bytes of all. O(bytes).
  func append(_ numbers: Range<Int>, to bytes: inout [UInt8]) {
    for number in numbers { bytes.append(record(number).spelling) }
    let none = TextPool()
    for number in numbers {
      let record = record(number)
      // SAFETY: copied before the view is gone.
      if record.isLong { unsafe bytes.append(contentsOf: self.bytes(of: record)) } else { bytes.append(record, none) }
    }
  }

  /// Whether the bytes of one name come before those of another. O(length).
  func precedes(_ left: Int, _ right: Int) -> Bool {
    record(left).precedes(record(right)) ?? (byteString(left) < byteString(right))
  }
}

// SAFETY: what a view refers to does not change, and outlives who may read it (Arena).
extension NamesView: @unchecked Sendable {}
