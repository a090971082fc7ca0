// Kept files, written once and read block by block.
// Invariant: a file is on the disk before anybody names it; what is read was checked.
// Not here: the bytes (KeptFormat), what is in the blocks (SegmentFile, NamesFile, BasesFile), which files there are (Manifest).

internal import Continuo
internal import ContinuoBytes

/// Writes a kept file.
package struct KeptWriter {
  private let file: any DiskFile
  let header: KeptHeader
  /// What is not written yet, and where it begins.
  private var bytes: [UInt8]
  private var start: Int64 = 0
  private var places: [UInt64] = []
  private var checksums: [UInt32] = []

  package init(_ file: any DiskFile, _ header: KeptHeader) {
    (self.file, self.header) = (file, header)
    bytes = header.encoded
  }

  /// Adds a block. O(bytes).
  package mutating func append(kind: UInt8, column: UInt8, group: Int, _ payload: [UInt8]) throws(DiskFailure) {
    places.append(UInt64(start) + UInt64(bytes.count))
    checksums.append(
      KeptBlock.append(kind: kind, column: column, group: group, payload, to: &bytes, startingAt: start, of: header))
    if bytes.count > 1 << 20 { try flush() }
  }

  private mutating func flush() throws(DiskFailure) {
    try file.write(bytes.span, at: start)
    // Piece by piece: the journal's syncs wait for one of them at most.
    try file.writeOut(start..<start + Int64(bytes.count))
    start += Int64(bytes.count)
    bytes.removeAll(keepingCapacity: true)
  }

  /// Ends the file with what it says of itself, and makes it durable, but not its name.
  package mutating func finish(_ footer: [UInt8] = []) throws(DiskFailure) -> KeptEntry {
    let place = start + Int64(bytes.count)
    let checksum = KeptBlock.append(
      kind: KeptBlock.footerKind, column: 0, group: 0, Self.footer(places, checksums, footer), to: &bytes,
      startingAt: start, of: header)
    bytes.appendWord(place)
    bytes.appendWord(checksum)
    bytes.appendWord(KeptReader.trailerMagic)
    try flush()
    try file.sync()
    return KeptEntry(header: header, checksum: checksum, bytes: start)
  }
}

extension KeptWriter {
  /// The payload of the footer behind some blocks. O(blocks).
  static func footer(_ places: [UInt64], _ checksums: [UInt32], _ own: [UInt8]) -> [UInt8] {
    var payload: [UInt8] = []
    payload.appendWord(UInt32(places.count))
    payload.appendWord(UInt32(own.count))
    for place in places { payload.appendWord(place) }
    for checksum in checksums { payload.appendWord(checksum) }
    return payload + own
  }
}

/// A kept file that is read.
package struct KeptReader {
  let path: String
  let header: KeptHeader
  /// What the file says of itself.
  let footer: [UInt8]
  /// Where each block begins, and its checksum: what the manifest says of the footer it so says of every block.
  private let places: [Int64]
  private let checksums: [UInt32]
  private let end: Int64
  private let file: any DiskFile
  /// The blocks that the manifest says of a segment.
  let ranges: [SegmentFooter.Range]?

  /// Behind the footer: its place, its checksum, and what tells that this is the end.
  static let trailerBytes = 16
  /// "ENDS", lowest byte first.
  static let trailerMagic: UInt32 = 0x5344_4E45

  /// Opens a file and checks its length, header and footer. O(blocks).
  package init(_ file: any DiskFile, path: String, _ entry: KeptEntry) throws(StorageFailure) {
    (self.file, self.path, ranges) = (file, path, entry.ranges)
    func damaged(_ byte: Int64, _ found: String, _ expected: String) -> StorageFailure {
      .damaged(file: path, byte: byte, found: found, expected: expected)
    }
    let length = try onDisk { () throws(DiskFailure) in try file.bytes() }
    guard length == entry.bytes, length >= Int64(KeptHeader.bytes + KeptBlock.headBytes + Self.trailerBytes) else {
      throw damaged(min(length, entry.bytes), "\(length) bytes", "\(entry.bytes), as the manifest says")
    }
    let head = try Self.bytes(file, 0..<Int64(KeptHeader.bytes))
    do throws(JournalFault) { header = try KeptHeader(head.span) } catch {
      throw error.failure(path, expected: "the sound header of a kept file")
    }
    guard header == entry.header else {
      throw damaged(0, "the header of another file", "that of number \(entry.header.number)")
    }
    let trailerPlace = length - Int64(Self.trailerBytes)
    let trailer = try Self.bytes(file, trailerPlace..<length)
    end = trailer.span.word(0, Int64.self)
    guard trailer.span.word(12, UInt32.self) == Self.trailerMagic, end >= KeptHeader.bytes, end < trailerPlace,
      trailer.span.word(8, UInt32.self) == entry.checksum
    else { throw damaged(trailerPlace, "other bytes", "where the footer is that the manifest names") }
    let bytes = try Self.bytes(file, end..<trailerPlace)
    guard let block = KeptBlock(bytes.span, at: 0, startingAt: end, of: header), block.checksum == entry.checksum,
      block.kind == KeptBlock.footerKind, block.column == 0, block.group == 0, block.payloadBytes >= 8,
      KeptBlock.bytes(Int(block.payloadBytes)) == bytes.count,
      let (places, checksums, footer) = Self.parts(bytes.span.extracting(block.payload(at: 0)))
    else { throw damaged(end, "other bytes", "a sound footer") }
    (self.places, self.checksums, self.footer) = (places, checksums, footer)
    guard (places.first ?? end) == KeptHeader.bytes, zip(places, places.dropFirst() + [end]).allSatisfy({ $0 < $1 })
    else { throw damaged(end, "places that do not ascend", "those of blocks") }
  }

  /// Reads blocks of a file whose footer is not sound: where they are said to be.
  init(
    remainsOf file: any DiskFile, _ path: String, _ header: KeptHeader, _ places: [Int64], _ checksums: [UInt32],
    end: Int64
  ) {
    (self.file, self.path, self.header, footer, ranges) = (file, path, header, [], nil)
    (self.places, self.checksums, self.end) = (places, checksums, end)
  }

  private static func parts(_ payload: Span<UInt8>) -> ([Int64], [UInt32], [UInt8])? {
    let (blocks, own) = (Int(payload.word(0, UInt32.self)), Int(payload.word(4, UInt32.self)))
    guard payload.count == 8 + 12 * blocks + own else { return nil }
    return (
      (0..<blocks).map { payload.word(8 + 8 * $0, Int64.self) },
      (0..<blocks).map { payload.word(8 + 8 * blocks + 4 * $0, UInt32.self) },
      (0..<own).map { payload[8 + 12 * blocks + $0] }
    )
  }

  private static func bytes(_ file: any DiskFile, _ range: Range<Int64>) throws(StorageFailure) -> [UInt8] {
    var bytes: [UInt8] = []
    try onDisk { () throws(DiskFailure) in try file.read(range.count, at: range.lowerBound, into: &bytes) }
    bytes.pad(to: range.count)
    return bytes
  }

  var blockCount: Int { places.count }

  /// Where a block begins, or, behind the last one, the footer. O(1).
  func place(_ block: Int) -> Int64 { block < places.count ? places[block] : end }

  /// The first of some blocks that is not sound. O(bytes).
  func firstUnsound(_ blocks: Range<Int>) -> Int? {
    for block in blocks {
      do throws(StorageFailure) { try check(block) } catch { return block }
    }
    return nil
  }

  /// Why bytes that are sound are not what they should be, at a block.
  func damaged(_ block: Int, _ expected: String) -> StorageFailure {
    .damaged(
      file: path, byte: place(block), found: "other bytes with right checksums", expected: expected)
  }

  /// Checks a block, whatever it is. O(bytes).
  func check(_ index: Int) throws(StorageFailure) {
    let bytes = try bytes(of: index..<index + 1)
    _ = try block(index, in: bytes.span, startingAt: places[index])
  }

  /// A block that is sound, and the one which the footer says. O(bytes).
  ///
  /// - Parameter start: where in the file these bytes begin.
  private func block(_ index: Int, in bytes: Span<UInt8>, startingAt start: Int64) throws(StorageFailure) -> KeptBlock {
    let next = index + 1 < places.count ? places[index + 1] : end
    guard let block = KeptBlock(bytes, at: Int(places[index] - start), startingAt: start, of: header),
      places[index] + Int64(KeptBlock.bytes(Int(block.payloadBytes))) == next, block.checksum == checksums[index]
    else { throw unsound(index) }
    return block
  }

  private func unsound(_ index: Int) -> StorageFailure {
    .damaged(file: path, byte: places[index], found: "other bytes", expected: "block \(index), sound")
  }

  private func bytes(of blocks: Range<Int>) throws(StorageFailure) -> [UInt8] {
    let limit = blocks.upperBound < places.count ? places[blocks.upperBound] : end
    return try Self.bytes(file, places[blocks.lowerBound]..<limit)
  }

  /// Lends the payloads of a run of blocks, all checked. O(bytes).
  ///
  /// - Parameter expected: the kind, column and group of each.
  func withBlocks<Answer>(
    _ blocks: Range<Int>, _ expected: (Int) -> (kind: UInt8, column: UInt8, group: Int),
    _ body: (Span<UInt8>, [Range<Int>]) throws(StorageFailure) -> Answer
  ) throws(StorageFailure) -> Answer {
    precondition(!blocks.isEmpty && blocks.upperBound <= places.count, "blocks are read within their count")
    let start = places[blocks.lowerBound]
    let bytes = try bytes(of: blocks)
    var payloads: [Range<Int>] = []
    for index in blocks {
      let (wanted, block) = (expected(index), try block(index, in: bytes.span, startingAt: start))
      guard block.kind == wanted.kind, block.column == wanted.column, Int(block.group) == wanted.group & 0xFFFF else {
        throw unsound(index)
      }
      payloads.append(block.payload(at: Int(places[index] - start)))
    }
    return try body(bytes.span, payloads)
  }
}
