// Kept files: a header, blocks that are each checked on their own, and a footer that says where they are.
// Invariant: every byte of a file is covered by a checksum, which also covers whose file it is and where in it the bytes
// belong.
// Not here: what is in a block (SegmentColumns, NamesFile, BasesFile), writing and reading files (KeptFiles).
// Format: docs/format/kept.md. Rules 7.4.

internal import Continuo
internal import ContinuoBytes

/// What a kept file has in it.
package enum KeptKind: UInt8, CaseIterable, Sendable {
  /// The events of a stretch of time.
  case segment = 0
  /// Names, by their numbers.
  case names = 1
  /// What is left of dropped events.
  case bases = 2

  /// How the names of such files end.
  var suffix: String {
    switch self {
    case .segment: ".segment"
    case .names: ".names"
    case .bases: ".bases"
    }
  }
}

/// Which file it is: every checksum in it depends on it.
package struct KeptHeader: Equatable, Sendable {
  package var kind: KeptKind
  /// Which directory the file is of.
  package var directory: UInt64
  /// The number in the file's name, from 1.
  package var number: UInt32
  /// A segment: where its time begins, in µs. Names: the number of the first token. Bases: the horizon, in µs.
  package var first: Int64
  /// A segment: how long its time is, in µs. Names: the number of the first address. Bases: 0.
  package var second: Int64

  static let version: UInt8 = 1
  static let bytes = 64
  /// "CONTKEPT", lowest byte first.
  private static let magic: UInt64 = 0x5450_454B_544E_4F43

  var encoded: [UInt8] {
    var bytes: [UInt8] = []
    bytes.appendWord(Self.magic)
    bytes.append(contentsOf: [Self.version, kind.rawValue, 0, 0])
    bytes.appendWord(number)
    bytes.appendWord(directory)
    bytes.appendWord(first)
    bytes.appendWord(second)
    bytes.pad(to: Self.bytes - 4)
    bytes.appendWord(CRC32C.sum(bytes.span))
    return bytes
  }

  init(_ bytes: Span<UInt8>) throws(JournalFault) {
    guard bytes.count == Self.bytes else { throw .noJournal }
    try bytes.checkHeader(Self.magic, version: Self.version, checksumAt: Self.bytes - 4)
    guard let kind = KeptKind(rawValue: bytes[9]), bytes.areZeros(10..<12), bytes.areZeros(40..<60) else {
      throw .damagedHeader
    }
    self.kind = kind
    number = bytes.word(12, UInt32.self)
    directory = bytes.word(16, UInt64.self)
    first = bytes.word(24, Int64.self)
    second = bytes.word(32, Int64.self)
  }

  package init(kind: KeptKind, directory: UInt64, number: UInt32, first: Int64, second: Int64) {
    (self.kind, self.directory, self.number, self.first, self.second) = (kind, directory, number, first, second)
  }

  /// The checksum of a block without its own: of this file, at this place. O(bytes).
  ///
  /// - Parameter block: all of it.
  func checksum(_ block: Span<UInt8>, at offset: Int64) -> UInt32 {
    var head: [UInt8] = []
    head.appendWord(directory)
    head.appendWord(number)
    head.appendWord(offset)
    for index in 0..<KeptBlock.checksumOffset { head.append(block[index]) }
    return CRC32C.sum(block.extracting((KeptBlock.checksumOffset + 4)...), after: CRC32C.sum(head.span))
  }
}

/// What stands before the bytes of a column, or of the footer.
struct KeptBlock: Equatable {
  /// What it is, by the kind of the file; of the footer `footerKind`.
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

  /// Where the payload lies in the bytes of a block that begins at a place.
  func payload(at place: Int) -> Range<Int> {
    place + Self.headBytes..<place + Self.headBytes + Int(payloadBytes)
  }

  /// Adds a block to the bytes of a file. O(bytes).
  ///
  /// - Parameter start: where in the file these bytes begin.
  static func append(
    kind: UInt8, column: UInt8, group: Int, _ payload: [UInt8], to bytes: inout [UInt8], startingAt start: Int64,
    of header: KeptHeader
  ) -> UInt32 {
    let place = bytes.count
    bytes.append(contentsOf: [kind, column])
    bytes.appendWord(UInt16(truncatingIfNeeded: group))
    bytes.appendWord(UInt32(payload.count))
    bytes.appendWord(UInt64(truncatingIfNeeded: 0))
    bytes.append(contentsOf: payload)
    bytes.pad(to: place + Self.bytes(payload.count))
    let checksum = header.checksum(bytes.span.extracting(place...), at: start + Int64(place))
    bytes.put(checksum, at: place + checksumOffset)
    return checksum
  }

  /// Reads the block that stands at a place of a file's bytes, and checks all of it; nil where there is none that is sound.
  /// O(bytes).
  init?(_ bytes: Span<UInt8>, at place: Int, startingAt start: Int64, of header: KeptHeader) {
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

/// What the manifest says of a kept file.
package struct KeptEntry: Equatable, Sendable {
  package var header: KeptHeader
  /// The checksum of its footer: of another day's file it is another one.
  package var checksum: UInt32
  /// How long the file is.
  package var bytes: Int64
  /// What its contents add up to (``ContentSum``); 0 in a manifest that does not say so.
  package var contents: UInt32 = 0
  /// Of a segment the blocks that it has events of, as its footer says: who looks for an identity need not open the others. nil in
  /// a manifest that does not say so.
  var ranges: [SegmentFooter.Range]?

  /// How long an entry is in a manifest.
  static let encodedBytes = 40

  func append(to bytes: inout [UInt8]) {
    bytes.append(contentsOf: [header.kind.rawValue, 0, 0, 0])
    bytes.appendWord(header.number)
    bytes.appendWord(header.first)
    bytes.appendWord(header.second)
    bytes.appendWord(self.bytes)
    bytes.appendWord(checksum)
    bytes.appendWord(contents)
  }

  init(header: KeptHeader, checksum: UInt32, bytes: Int64) {
    (self.header, self.checksum, self.bytes) = (header, checksum, bytes)
  }

  /// Reads an entry of a manifest; nil where it is none.
  init?(_ bytes: Span<UInt8>, at place: Int, directory: UInt64) {
    guard let kind = KeptKind(rawValue: bytes[place]), bytes.areZeros(place + 1..<place + 4) else { return nil }
    header = KeptHeader(
      kind: kind, directory: directory, number: bytes.word(place + 4, UInt32.self),
      first: bytes.word(place + 8, Int64.self), second: bytes.word(place + 16, Int64.self))
    self.bytes = bytes.word(place + 24, Int64.self)
    guard self.bytes >= 0 else { return nil }
    checksum = bytes.word(place + 32, UInt32.self)
    contents = bytes.word(place + 36, UInt32.self)
  }
}
