// The journal's bytes: the header of a file, and the header of a frame.
// Invariant: every byte of a file that was written is covered by a checksum, which also covers whose file it is and where in
// it the bytes belong: a frame in the wrong place is none.
// Not here: what is in a frame (JournalRecord), writing and reading files (JournalWriter, JournalReader).
// Format: docs/format/journal.md.

internal import Continuo
internal import ContinuoBytes

/// Sizes that every journal file has.
enum JournalFormat {
  static let version: UInt8 = 1
  /// Frames begin at multiples of this.
  static let blockBytes = 4096
  /// How long a header is.
  static let headerBytes = 64
  /// Where the checksum of a header lies: it covers all before it.
  static let checksumOffset = 60
  /// Where the price mode lies in a file's header.
  static let priceOffset = 9
  /// "CONTINUO", lowest byte first.
  static let fileMagic: UInt64 = 0x4F55_4E49_544E_4F43
  /// "FRAM", lowest byte first.
  static let frameMagic: UInt32 = 0x4D41_5246
  /// How long a new file is.
  static let fileBytes: Int64 = 16 << 20

  /// A number of bytes, rounded up to whole blocks.
  static func blocks(_ bytes: Int) -> Int { (bytes + blockBytes - 1) / blockBytes * blockBytes }
}

/// What stands at the start of a journal file.
struct JournalFileHeader: Equatable {
  /// A number that no other file has.
  var identity: UInt64
  /// The number in the file's name, from 1.
  var number: UInt32
  /// The sequence of the first frame.
  var firstSequence: UInt64
  /// The checksum of the header of the last frame of the file before; 0 in the first one.
  var chain: UInt32
  /// How long the file is.
  var fileBytes: Int64
  /// What a price is in every batch of the journal (rule 3.3).
  var price: PriceMode
  /// Which directory the file is of.
  var directory: UInt64

  /// The first block of the file. O(block).
  var bytes: [UInt8] {
    var bytes: [UInt8] = []
    bytes.appendWord(JournalFormat.fileMagic)
    bytes.append(JournalFormat.version)
    bytes.append(contentsOf: [price.journalByte, 0, 0])
    bytes.appendWord(number)
    bytes.appendWord(identity)
    bytes.appendWord(firstSequence)
    bytes.appendWord(chain)
    bytes.appendWord(UInt32(truncatingIfNeeded: 0))
    bytes.appendWord(fileBytes)
    bytes.appendWord(directory)
    bytes.pad(to: JournalFormat.checksumOffset)
    bytes.appendWord(CRC32C.sum(bytes.span))
    bytes.pad(to: JournalFormat.blockBytes)
    return bytes
  }

  /// Reads the first block of a file.
  ///
  /// - Throws: ``JournalFault`` that says what is wrong with it.
  init(_ bytes: Span<UInt8>) throws(JournalFault) {
    guard bytes.count >= JournalFormat.blockBytes else { throw .noJournal }
    try bytes.checkHeader(
      JournalFormat.fileMagic, version: JournalFormat.version, checksumAt: JournalFormat.checksumOffset)
    guard bytes.areZeros(10..<12), bytes.areZeros(36..<40), bytes.areZeros(56..<60) else { throw .damagedHeader }
    guard bytes.areZeros(JournalFormat.headerBytes..<JournalFormat.blockBytes) else { throw .damagedHeader }
    guard let price = PriceMode(journalByte: bytes[JournalFormat.priceOffset]) else { throw .damagedHeader }
    self.price = price
    number = bytes.word(12, UInt32.self)
    identity = bytes.word(16, UInt64.self)
    firstSequence = bytes.word(24, UInt64.self)
    chain = bytes.word(32, UInt32.self)
    fileBytes = bytes.word(40, Int64.self)
    directory = bytes.word(48, UInt64.self)
  }

  init(
    identity: UInt64, number: UInt32, firstSequence: UInt64, chain: UInt32, fileBytes: Int64, price: PriceMode,
    directory: UInt64
  ) {
    self.identity = identity
    self.number = number
    self.firstSequence = firstSequence
    self.chain = chain
    self.fileBytes = fileBytes
    self.price = price
    self.directory = directory
  }
}

extension PriceMode {
  fileprivate var journalByte: UInt8 { self == .quoted ? 0 : 1 }

  fileprivate init?(journalByte: UInt8) {
    guard journalByte <= 1 else { return nil }
    self = journalByte == 0 ? .quoted : .amountUSD
  }
}

/// Why a file is not what its name says.
enum JournalFault: Error, Equatable {
  case noJournal
  case newer(version: UInt8)
  case damagedHeader

  /// The same of a file, for whom it happens to.
  func failure(_ file: String, expected: String) -> StorageFailure {
    switch self {
    case .newer(let version): return .newer(file: file, version: Int(version))
    case .noJournal, .damagedHeader:
      return .damaged(file: file, byte: 0, found: "other bytes", expected: expected)
    }
  }
}

/// What stands at the start of a frame: one write, synced as one.
struct JournalFrameHeader: Equatable {
  /// Whose frame it is.
  var identity: UInt64
  /// Where in the file it stands.
  var offset: Int64
  /// Its number in the whole journal, from 1.
  var sequence: UInt64
  /// How many bytes of records follow the header.
  var payloadBytes: UInt32
  /// The checksum of the header before; the file's chain in its first frame.
  var chain: UInt32
  /// The checksum of all that follows the header, up to the end of the last block.
  var payloadChecksum: UInt32
  /// The last frame that was synced when this one was written: it and all before were on the disk.
  var durable: UInt64

  /// How long the frame is, whole blocks.
  var frameBytes: Int { JournalFormat.blocks(JournalFormat.headerBytes + Int(payloadBytes)) }

  /// The header's bytes, and its checksum. O(1).
  var encoded: (bytes: [UInt8], checksum: UInt32) {
    var bytes: [UInt8] = []
    bytes.appendWord(JournalFormat.frameMagic)
    bytes.append(JournalFormat.version)
    bytes.append(contentsOf: [0, 0, 0])
    bytes.appendWord(identity)
    bytes.appendWord(offset)
    bytes.appendWord(sequence)
    bytes.appendWord(payloadBytes)
    bytes.appendWord(chain)
    bytes.appendWord(payloadChecksum)
    bytes.appendWord(durable)
    bytes.pad(to: JournalFormat.checksumOffset)
    let checksum = CRC32C.sum(bytes.span)
    bytes.appendWord(checksum)
    return (bytes, checksum)
  }

  /// The version of the sound frame header that stands at an offset of some bytes; nil where there is none. O(1).
  static func version(_ bytes: Span<UInt8>, at place: Int) -> UInt8? {
    guard place + JournalFormat.headerBytes <= bytes.count,
      bytes.word(place, UInt32.self) == JournalFormat.frameMagic,
      bytes.hasChecksum(of: place..<place + JournalFormat.checksumOffset)
    else { return nil }
    return bytes[place + 4]
  }

  /// The header that stands at an offset of some bytes; nil where there is none that is sound. O(1).
  init?(_ bytes: Span<UInt8>, at place: Int) {
    guard Self.version(bytes, at: place) == JournalFormat.version, bytes.areZeros(place + 5..<place + 8),
      bytes.areZeros(place + 52..<place + 60)
    else { return nil }
    identity = bytes.word(place + 8, UInt64.self)
    offset = bytes.word(place + 16, Int64.self)
    sequence = bytes.word(place + 24, UInt64.self)
    payloadBytes = bytes.word(place + 32, UInt32.self)
    chain = bytes.word(place + 36, UInt32.self)
    payloadChecksum = bytes.word(place + 40, UInt32.self)
    durable = bytes.word(place + 44, UInt64.self)
  }

  init(
    identity: UInt64, offset: Int64, sequence: UInt64, payloadBytes: UInt32, chain: UInt32, payloadChecksum: UInt32,
    durable: UInt64
  ) {
    self.identity = identity
    self.offset = offset
    self.sequence = sequence
    self.payloadBytes = payloadBytes
    self.chain = chain
    self.payloadChecksum = payloadChecksum
    self.durable = durable
  }
}

extension Span<UInt8> {
  /// An integer, its lowest byte first. O(1).
  ///
  /// - Precondition: it lies within.
  func word<Word: FixedWidthInteger>(_ place: Int, _ type: Word.Type) -> Word {
    var word: Word = 0
    for index in 0..<Word.bitWidth / 8 { word |= Word(truncatingIfNeeded: self[place + index]) << Word(8 * index) }
    return word
  }

  /// Whether bytes are as they are written where nothing stands. O(bytes), without a question for each.
  func areZeros(_ range: Range<Int>) -> Bool {
    var bits: UInt8 = 0
    for index in range { bits |= self[index] }
    return bits == 0
  }

  /// Checks what every file begins with: eight bytes that tell its kind, and its version, under a checksum of all before it.
  /// O(bytes).
  ///
  /// - Precondition: so many bytes are there.
  func checkHeader(_ magic: UInt64, version: UInt8, checksumAt place: Int) throws(JournalFault) {
    guard word(0, UInt64.self) == magic else { throw .noJournal }
    guard hasChecksum(of: 0..<place) else { throw .damagedHeader }
    guard self[8] <= version else { throw .newer(version: self[8]) }
    guard self[8] == version else { throw .damagedHeader }
  }

  /// Whether the checksum of some bytes stands behind them. O(bytes).
  fileprivate func hasChecksum(of range: Range<Int>) -> Bool {
    CRC32C.sum(extracting(range)) == word(range.upperBound, UInt32.self)
  }
}

extension [UInt8] {
  /// Writes an integer over the bytes at a place, its lowest byte first. O(1).
  mutating func put<Word: FixedWidthInteger>(_ word: Word, at place: Int) {
    for index in 0..<Word.bitWidth / 8 { self[place + index] = UInt8(truncatingIfNeeded: word >> Word(8 * index)) }
  }

  /// Adds zeros until so many bytes are there. O(zeros).
  mutating func pad(to count: Int) {
    if count > self.count { append(contentsOf: repeatElement(0, count: count - self.count)) }
  }
}
