// A segment's bytes: the header of the file, blocks that are each a column of a group, the footer.
// Invariant: every byte of a file is covered by a checksum, which also covers whose file it is and where in it the bytes
// belong.
// Not here: what is in a column (SegmentColumns), writing and reading files (SegmentWriter, SegmentReader).
// Format: docs/format/segment.md. Rules 7.4.

package import Continuo
internal import ContinuoBytes

/// Which segment it is: every checksum in its file depends on it.
package struct SegmentHeader: Equatable {
  /// Which directory the file is of.
  var directory: UInt64
  /// The number in the file's name, from 1.
  var number: UInt32
  /// Events are at or behind this time.
  var start: Timestamp
  /// And before this much later, in microseconds.
  var length: Int64

  static let version: UInt8 = 1
  static let bytes = 64
  /// "CONTSEGM", lowest byte first.
  private static let magic: UInt64 = 0x4D47_4553_544E_4F43

  var encoded: [UInt8] {
    var bytes: [UInt8] = []
    bytes.appendWord(Self.magic)
    bytes.append(contentsOf: [Self.version, 0, 0, 0])
    bytes.appendWord(number)
    bytes.appendWord(directory)
    bytes.appendWord(start.microseconds)
    bytes.appendWord(length)
    bytes.pad(to: Self.bytes - 4)
    bytes.appendWord(CRC32C.sum(bytes.span))
    return bytes
  }

  init(_ bytes: Span<UInt8>) throws(JournalFault) {
    guard bytes.count == Self.bytes, bytes.word(0, UInt64.self) == Self.magic else { throw .noJournal }
    guard CRC32C.sum(bytes.extracting(first: Self.bytes - 4)) == bytes.word(Self.bytes - 4, UInt32.self) else {
      throw .damagedHeader
    }
    guard bytes[8] <= Self.version else { throw .newer(version: bytes[8]) }
    guard bytes[8] == Self.version, bytes.areZeros(9..<12), bytes.areZeros(40..<60) else { throw .damagedHeader }
    number = bytes.word(12, UInt32.self)
    directory = bytes.word(16, UInt64.self)
    start = Timestamp(microseconds: bytes.word(24, Int64.self))
    length = bytes.word(32, Int64.self)
  }

  package init(directory: UInt64, number: UInt32, start: Timestamp, length: Int64) {
    (self.directory, self.number, self.start, self.length) = (directory, number, start, length)
  }

  /// The checksum of a block without its own: of this file, at this place. O(bytes).
  ///
  /// - Parameter block: all of it; where its checksum lies counts as zeros.
  func checksum(_ block: Span<UInt8>, at offset: Int64) -> UInt32 {
    var head: [UInt8] = []
    head.appendWord(directory)
    head.appendWord(number)
    head.appendWord(offset)
    for index in 0..<SegmentBlock.checksumOffset { head.append(block[index]) }
    return CRC32C.sum(block.extracting((SegmentBlock.checksumOffset + 4)...), after: CRC32C.sum(head.span))
  }
}

/// What stands before the bytes of a column, or of the footer.
struct SegmentBlock: Equatable {
  /// The kind of the group's events; of the footer `footerKind`.
  var kind: UInt8
  var column: UInt8
  var group: UInt16
  var payloadBytes: UInt32
  var checksum: UInt32 = 0

  static let headBytes = 16
  static let checksumOffset = 8
  static let footerKind: UInt8 = 0xFF

  /// How long a block is: whole words.
  static func bytes(_ payload: Int) -> Int { (headBytes + payload + 7) / 8 * 8 }

  /// Adds a block to the bytes of a file. O(bytes).
  ///
  /// - Parameter start: where in the file these bytes begin.
  static func append(
    kind: UInt8, column: UInt8, group: Int, _ payload: [UInt8], to bytes: inout [UInt8], startingAt start: Int64,
    of header: SegmentHeader
  ) -> UInt32 {
    let place = bytes.count
    bytes.append(contentsOf: [kind, column])
    bytes.appendWord(UInt16(truncatingIfNeeded: group))
    bytes.appendWord(UInt32(payload.count))
    bytes.appendWord(UInt64(truncatingIfNeeded: 0))
    bytes.append(contentsOf: payload)
    bytes.pad(to: place + Self.bytes(payload.count))
    let checksum = header.checksum(bytes.span.extracting(place...), at: start + Int64(place))
    for index in 0..<4 { bytes[place + checksumOffset + index] = UInt8(truncatingIfNeeded: checksum >> UInt32(8 * index)) }
    return checksum
  }

  /// Reads the block that stands at a place of a file's bytes, and checks all of it; nil where there is none that is sound.
  /// O(bytes).
  init?(_ bytes: Span<UInt8>, at place: Int, startingAt start: Int64, of header: SegmentHeader) {
    guard place >= 0, place <= bytes.count - Self.headBytes else { return nil }
    kind = bytes[place]
    column = bytes[place + 1]
    group = bytes.word(place + 2, UInt16.self)
    payloadBytes = bytes.word(place + 4, UInt32.self)
    checksum = bytes.word(place + Self.checksumOffset, UInt32.self)
    let count = Self.bytes(Int(payloadBytes))
    guard count <= bytes.count - place,
      header.checksum(bytes.extracting(place..<place + count), at: start + Int64(place)) == checksum,
      bytes.areZeros(place + 12..<place + 16),
      bytes.areZeros(place + Self.headBytes + Int(payloadBytes)..<place + count)
    else { return nil }
  }
}

/// What a segment holds, at its end.
struct SegmentFooter: Equatable {
  /// The events of one kind on one chain.
  struct Range: Equatable {
    var kind: EventKind
    var chain: UInt32
    var firstBlock: UInt64
    var lastBlock: UInt64
  }

  var swaps: UInt64 = 0
  var transfers: UInt64 = 0
  var earliest = Timestamp(microseconds: .max)
  var latest = Timestamp(microseconds: .min)
  var ranges: [Range] = []
  /// Where each block begins.
  var blocks: [UInt64] = []

  /// Behind the footer: its place, its checksum, and what tells that this is the end.
  static let trailerBytes = 16
  /// "ENDS", lowest byte first.
  static let trailerMagic: UInt32 = 0x5344_4E45

  mutating func note(_ keys: some Sequence<OrderKey>, _ kind: EventKind) {
    for key in keys {
      earliest = min(earliest, key.timestamp)
      latest = max(latest, key.timestamp)
      if let last = ranges.last, last.kind == kind, last.chain == key.chain {
        ranges[ranges.count - 1].lastBlock = key.block
      } else {
        ranges.append(Range(kind: kind, chain: key.chain, firstBlock: key.block, lastBlock: key.block))
      }
      if kind == .swap { swaps += 1 } else { transfers += 1 }
    }
  }

  var encoded: [UInt8] {
    var bytes: [UInt8] = []
    bytes.appendWord(swaps)
    bytes.appendWord(transfers)
    bytes.appendWord(earliest.microseconds)
    bytes.appendWord(latest.microseconds)
    bytes.appendWord(UInt32(ranges.count))
    bytes.appendWord(UInt32(blocks.count))
    for range in ranges {
      bytes.appendWord(range.chain)
      bytes.appendWord(UInt32(range.kind.rawValue))
      bytes.appendWord(range.firstBlock)
      bytes.appendWord(range.lastBlock)
    }
    for block in blocks { bytes.appendWord(block) }
    return bytes
  }

  init() {}

  init?(_ bytes: Span<UInt8>) {
    guard bytes.count >= 40 else { return nil }
    swaps = bytes.word(0, UInt64.self)
    transfers = bytes.word(8, UInt64.self)
    earliest = Timestamp(microseconds: bytes.word(16, Int64.self))
    latest = Timestamp(microseconds: bytes.word(24, Int64.self))
    let (rangeCount, blockCount) = (Int(bytes.word(32, UInt32.self)), Int(bytes.word(36, UInt32.self)))
    guard bytes.count == 40 + 24 * rangeCount + 8 * blockCount else { return nil }
    for index in 0..<rangeCount {
      let place = 40 + 24 * index
      guard let kind = EventKind(rawValue: UInt8(truncatingIfNeeded: bytes.word(place + 4, UInt32.self))),
        bytes.word(place + 4, UInt32.self) <= 1
      else { return nil }
      ranges.append(
        Range(
          kind: kind, chain: bytes.word(place, UInt32.self), firstBlock: bytes.word(place + 8, UInt64.self),
          lastBlock: bytes.word(place + 16, UInt64.self)))
    }
    for index in 0..<blockCount { blocks.append(bytes.word(40 + 24 * rangeCount + 8 * index, UInt64.self)) }
  }
}
