// The bytes of a packed batch: written behind others, and read with every length checked.
// Invariant: nothing is read behind the bytes; a column is read within its rows.
// Not here: what the bytes mean together (BatchPacker), how a column is planned (PackScratch).

extension [UInt8] {
  /// Adds an integer, its lowest byte first. O(1).
  @inline(__always)
  package mutating func appendWord(_ word: some FixedWidthInteger & BitwiseCopyable) {
    let bytes = word.bitWidth / 8
    append(addingCapacity: bytes) { (space: inout OutputSpan<UInt8>) in
      // SAFETY: room for `bytes` was asked for, and all of them are written.
      unsafe space.withUnsafeMutableBufferPointer { buffer, count in
        unsafe UnsafeMutableRawPointer(buffer.baseAddress.unsafelyUnwrapped)
          .storeBytes(of: word.littleEndian, toByteOffset: count, as: type(of: word).self)
        count += bytes
      }
    }
  }

  /// Adds the bytes of a name. O(length).
  @inline(__always)
  mutating func append(_ name: PackedName, _ text: borrowing TextPool) {
    let spelling = name.spelling
    if name.isLong { return append(text.text(name.cell)) }
    guard let count = PackedName.bytes(of: spelling), count > 0 else { return }
    append(addingCapacity: 24) { (space: inout OutputSpan<UInt8>) in
      // SAFETY: room for three words was asked for; `count` of their bytes are kept.
      unsafe space.withUnsafeMutableBufferPointer { buffer, used in
        let place = unsafe UnsafeMutableRawPointer(buffer.baseAddress.unsafelyUnwrapped + used)
        unsafe place.storeBytes(of: name.first.littleEndian, toByteOffset: 0, as: UInt64.self)
        unsafe place.storeBytes(of: name.second.littleEndian, toByteOffset: 8, as: UInt64.self)
        unsafe place.storeBytes(of: name.third.littleEndian, toByteOffset: 16, as: UInt64.self)
        used += count
      }
    }
  }

  private mutating func append(_ text: Span<UInt8>) {
    for index in text.indices { append(text[index]) }
  }

  /// Adds a name of each row: how they are spelled, then their bytes. O(rows).
  @inline(__always)
  mutating func append(_ rows: Span<BatchRow>, _ text: borrowing TextPool, _ name: (BatchRow) -> PackedName) {
    for row in rows.indices { append(name(rows[row]).spelling) }
    for row in rows.indices { append(name(rows[row]), text) }
  }
}

extension Span<PackedBatchRow> {
  /// Adds the columns of rows, of which there must be one: each its power of ten, its width, its base, and its offsets.
  /// O(rows).
  func pack(into bytes: inout [UInt8], _ arena: Arena) {
    let scratch = PackScratch(self, arena)
    for column in 0..<PackedBatchRow.columnCount {
      let plan = scratch.plan(column)
      let hasWideBase = plan.baseBytes > 0
      bytes.append(plan.exponent | (hasWideBase ? 0x80 : 0))
      bytes.append(UInt8(plan.width))
      if hasWideBase { bytes.appendWord(plan.base) } else { bytes.appendWord(Int64(truncatingIfNeeded: plan.base)) }
      // Of a column whose values are all the same nothing follows.
      guard plan.width > 0 else { continue }
      let size = plan.width * count
      bytes.append(addingCapacity: size + 16) { (space: inout OutputSpan<UInt8>) in
        // SAFETY: room for the offsets and 16 bytes more was asked for; the offsets are kept.
        unsafe space.withUnsafeMutableBufferPointer { buffer, used in
          unsafe scratch.write(column, to: UnsafeMutableRawPointer(buffer.baseAddress.unsafelyUnwrapped + used))
          used += size
        }
      }
    }
    scratch.free(arena)
  }
}

/// The columns of a block of rows.
@safe struct PackedBatchColumns: ~Escapable {
  private struct Column {
    var start = 0
    var width = 0
    var base: Int128 = 0
    var power: Int128 = 1
  }

  private let bytes: RawSpan
  private var columns: [9 of Column] = .init(repeating: Column())

  @_lifetime(copy bytes)
  fileprivate init(_ bytes: RawSpan) { self.bytes = bytes }

  @_lifetime(self: copy self)
  fileprivate mutating func set(_ column: Int, start: Int, width: Int, base: Int128, exponent: UInt8) {
    columns[column] = Column(start: start, width: width, base: base, power: Int128(PackPlan.power(exponent)))
  }

  /// A column of 64 bits. O(1).
  @inline(__always)
  func narrow(_ column: Int, _ row: Int) -> Int64 { Int64(truncatingIfNeeded: wide(column, row)) }

  /// A column of 128 bits. O(1).
  @inline(__always)
  func wide(_ column: Int, _ row: Int) -> Int128 {
    let own = columns[column]
    var offset: UInt128 = 0
    if own.width > 0 {
      let place = own.start &+ row &* own.width
      if own.width <= 8, place &+ 8 <= bytes.byteCount {
        // SAFETY: eight bytes from `place` on are there.
        let word = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: place, as: UInt64.self)
        offset = UInt128(UInt64(littleEndian: word) & (UInt64.max &>> UInt64(64 &- 8 &* own.width)))
      } else {
        for index in 0..<own.width {
          // SAFETY: checked by the load itself.
          let byte = unsafe bytes.unsafeLoad(fromByteOffset: place + index, as: UInt8.self)
          offset |= UInt128(byte) << UInt128(8 * index)
        }
      }
    }
    return (own.base &+ Int128(truncatingIfNeeded: offset)) &* own.power
  }
}

/// Reads packed bytes from their start to their end.
@safe struct PackedBatchBytes: ~Escapable {
  private let bytes: RawSpan
  private var position = 0

  // SAFETY: any bytes may be read as bytes.
  @_lifetime(copy bytes)
  init(_ bytes: Span<UInt8>) { unsafe self.bytes = bytes.bytes }

  var isAtEnd: Bool { position == bytes.byteCount }

  /// Steps over so many bytes, and tells where they begin.
  @_lifetime(self: copy self)
  private mutating func take(_ count: Int) throws(PackedBatchFault) -> Int {
    guard count <= bytes.byteCount - position else { throw PackedBatchFault(what: "\(count) bytes more") }
    position += count
    return position - count
  }

  @_lifetime(self: copy self)
  mutating func byte() throws(PackedBatchFault) -> UInt8 { try word(UInt8.self) }

  /// An integer, its lowest byte first.
  @_lifetime(self: copy self)
  mutating func word<Word: FixedWidthInteger & BitwiseCopyable>(_ type: Word.Type) throws(PackedBatchFault) -> Word {
    let place = try take(Word.bitWidth / 8)
    // SAFETY: `take` has made sure of the bytes; any bits are an integer.
    return unsafe Word(littleEndian: bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: place, as: Word.self))
  }

  /// The columns of a block of rows. O(columns).
  @_lifetime(copy self)
  @_lifetime(self: copy self)
  mutating func columns(_ rows: Int) throws(PackedBatchFault) -> PackedBatchColumns {
    var columns = PackedBatchColumns(bytes)
    for column in 0..<PackedBatchRow.columnCount {
      let (exponent, width) = (try byte(), Int(try byte()))
      guard exponent & 0x7F <= 18, width <= 16 else { throw PackedBatchFault(what: "a power of ten and a width") }
      let base = exponent & 0x80 == 0 ? Int128(try word(Int64.self)) : try word(Int128.self)
      columns.set(column, start: try take(width * rows), width: width, base: base, exponent: exponent & 0x7F)
    }
    return columns
  }

  /// Steps over so many names. O(names).
  @_lifetime(self: copy self)
  mutating func skipNames(_ count: Int, longest: Int) throws(PackedBatchFault) {
    let spellings = try take(count)
    var size = 0
    for index in 0..<count {
      // SAFETY: `take` has made sure of the bytes; any bits are an integer.
      let spelling = unsafe bytes.unsafeLoad(fromUncheckedByteOffset: spellings + index, as: UInt8.self)
      guard let length = PackedName.bytes(of: spelling), length <= longest else {
        throw PackedBatchFault(what: "the spelling of a name")
      }
      size += length
    }
    _ = try take(size)
  }

  /// So many names: how they are spelled, then their bytes. O(bytes).
  @_lifetime(self: copy self)
  mutating func names(
    _ count: Int, longest: Int, _ text: inout TextPool, _ names: inout [PackedName]
  ) throws(PackedBatchFault) {
    let spellings = try take(count)
    for index in 0..<count {
      // SAFETY: checked by the load itself.
      let spelling = unsafe bytes.unsafeLoad(fromByteOffset: spellings + index, as: UInt8.self)
      guard let length = PackedName.bytes(of: spelling), length <= longest else {
        throw PackedBatchFault(what: "the spelling of a name")
      }
      let place = try take(length)
      if spelling == PackedName.zeroSpelling {
        names.append(.zeroAddress)
      } else if spelling == PackedName.addressSpelling {
        // SAFETY: `take` has made sure of twenty bytes.
        let (first, second, last) = unsafe (
          bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: place, as: UInt64.self),
          bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: place + 8, as: UInt64.self),
          bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: place + 16, as: UInt32.self)
        )
        names.append(
          PackedName(
            address: UInt64(littleEndian: first), UInt64(littleEndian: second), UInt64(UInt32(littleEndian: last))))
      } else if length == 0 {
        names.append(.absent)
      } else {
        // SAFETY: any bytes are values of UInt8.
        let own = unsafe bytes.extracting(place..<place + length)._unsafeView(as: UInt8.self)
        names.append(PackedName(own) ?? PackedName(long: text.keep(own)))
      }
    }
  }
}
