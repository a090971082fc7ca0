// Reads a journal from its start to its end, and tells a torn tail from damage.
// Invariant: a frame is taken only if all of it is sound and it follows the one before; nothing is written here. A tail is
// torn only in the last file, with no frame behind it that says that it was on the disk.
// Not here: cutting the tail (JournalWriter), what the records do (Ledger).
// Rules 7.5.

internal import Continuo
internal import ContinuoBytes

/// Where a journal ends, and what the next frame goes on from.
struct JournalEnd: Equatable {
  /// The last file.
  var file: JournalFileHeader
  /// Where the next frame stands in it.
  var offset: Int64
  /// The next frame's number.
  var sequence: UInt64
  /// The checksum of the header of the last frame.
  var chain: UInt32
  /// How many bytes behind the last frame are not zero, up to the last of them: what is left of a write that a crash cut off.
  var tornBytes: Int64
  /// Where each file begins that is there.
  var starts: [JournalStart] = []
}

/// Reads the frames of a journal.
struct JournalReader {
  private let disk: any Disk
  private let directory: DataDirectory
  private let manifest: Manifest
  /// What a price must be in every file; nil takes what the first one says.
  private let price: PriceMode?
  /// Whether frames that are in the kept files are read too; else only their headers are looked at.
  private let readsKept: Bool

  init(
    _ disk: any Disk, _ directory: DataDirectory, _ manifest: Manifest, price: PriceMode? = nil, readsKept: Bool = true
  ) {
    self.readsKept = readsKept
    self.disk = disk
    self.directory = directory
    self.manifest = manifest
    self.price = price
  }

  /// Lends the records of every sound frame that is not in the kept files, in order.
  ///
  /// - Parameter frame: is told how many bytes each of these frames has.
  /// - Returns: where the journal ends; nil where there is none, or only a file that was never finished.
  /// - Throws: ``StorageFailure``; nothing that was lent before is taken back.
  func forEachRecord(
    frame: (Int) -> Void = { _ in }, _ body: (JournalRecord) throws(StorageFailure) -> Void
  ) throws(StorageFailure) -> JournalEnd? {
    try forEachFrame { (payload, path, offset, bytes) throws(StorageFailure) in
      try Self.records(path, offset) { try JournalRecord.forEach(in: payload) { record in try body(record) } }
      frame(bytes)
    }
  }

  /// Takes so much of every sound frame that is not in the kept files as some tokens need, in order.
  ///
  /// - Parameter isWanted: whether anybody still waits for it; where nobody does the part needs all.
  /// - Returns: as ``forEachRecord(frame:_:)``.
  func take(into part: inout JournalPart, while isWanted: () -> Bool) throws(StorageFailure) -> JournalEnd? {
    try forEachFrame { (payload, path, offset, _) throws(StorageFailure) in
      if !isWanted() { part.giveUp() }
      if part.needsAll { return }
      try Self.records(path, offset) { try part.take(payload) }
    }
  }

  /// Looks at every frame that is not in the kept files, and at what is behind the last one; not at the records in them.
  ///
  /// - Returns: as ``forEachRecord(frame:_:)``.
  func check() throws(StorageFailure) -> JournalEnd? {
    try forEachFrame { (_, _, _, _) throws(StorageFailure) in }
  }

  /// Is lent a frame's payload, its file, where it stands there, and how many bytes it has.
  private typealias Frame = (Span<UInt8>, String, Int64, Int) throws(StorageFailure) -> Void

  private func forEachFrame(_ body: Frame) throws(StorageFailure) -> JournalEnd? {
    let numbers = try files()
    let start = manifest.journalStart
    if start.sequence == manifest.keptSequence + 1 {
      try checkKept(start.chain, directory.manifest, 100)
    }
    var end: JournalEnd?
    var starts: [JournalStart] = []
    for (index, number) in numbers.enumerated() {
      let next = try read(number, after: end, isLast: index == numbers.count - 1, body)
      starts.append(JournalStart(file: number, sequence: next.file.firstSequence, chain: next.file.chain))
      end = next
    }
    end?.starts = starts
    // What was kept was synced in the journal before.
    if let end, end.sequence <= manifest.keptSequence {
      throw .damaged(
        file: directory.journalFile(end.file.number), byte: end.offset, found: "frames up to \(end.sequence - 1)",
        expected: "up to \(manifest.keptSequence) at least, which is in the kept files")
    }
    return end
  }

  /// The numbers of the journal's files, ascending: all that the manifest says, and one more at most.
  private func files() throws(StorageFailure) -> [UInt32] {
    // Files that are not needed any more may still be there.
    let first = manifest.journalStart.file
    let numbers = try Self.numbers(disk, directory).filter { $0 >= first }
    let newest = manifest.newestJournalFile
    for (number, found) in zip(Int(first)..., numbers).map({ (UInt32(clamping: $0), $1) }) where number != found {
      throw .damaged(
        file: directory.journalFile(number), byte: 0, found: "no file", expected: "the one before number \(found)")
    }
    let last = first - 1 + UInt32(numbers.count)
    if last < newest {
      throw .damaged(
        file: directory.journalFile(last + 1), byte: 0, found: "no file",
        expected: "one of the \(newest) that the manifest names")
    }
    if last > newest + 1 {
      throw .damaged(
        file: directory.manifest, byte: 12, found: "\(newest) journal files", expected: "\(last), as there are")
    }
    return numbers
  }

  /// The numbers of the journal's files that are there, ascending.
  static func numbers(_ disk: any Disk, _ directory: DataDirectory) throws(StorageFailure) -> [UInt32] {
    let names = try onDisk { () throws(DiskFailure) in try disk.names(in: directory.journal) ?? [] }
    return names.compactMap(DataDirectory.journalNumber).sorted()
  }

  // MARK: one file

  private func read(
    _ number: UInt32, after before: JournalEnd?, isLast: Bool, _ body: Frame
  ) throws(StorageFailure) -> JournalEnd {
    let path = directory.journalFile(number)
    let header: JournalFileHeader
    var window = JournalWindow()
    let file = try onDisk { () throws(DiskFailure) in try disk.open(path, forWriting: false) }
    try window.load(file, 0, JournalFormat.blockBytes)
    do throws(JournalFault) {
      header = try JournalFileHeader(window.bytes.span)
    } catch { throw error.failure(path, expected: "the sound header of a journal file") }
    guard header.directory == manifest.identity else {
      throw .damaged(file: path, byte: 48, found: "a file of another directory", expected: "one of this")
    }
    let start = manifest.journalStart
    let (sequence, chain) = (before?.sequence ?? start.sequence, before?.chain ?? start.chain)
    guard header.number == number, header.firstSequence == sequence, header.chain == chain else {
      throw .damaged(
        file: path, byte: 0, found: "the header of another file",
        expected: "that of file \(number), which begins with frame \(sequence)")
    }
    let price = self.price ?? before?.file.price ?? header.price
    guard header.price == price else { throw .otherPrice(file: path, found: header.price, expected: price) }
    let bytes = try onDisk { () throws(DiskFailure) in try file.bytes() }
    guard bytes == header.fileBytes else {
      throw .damaged(
        file: path, byte: min(bytes, header.fileBytes), found: "\(bytes) bytes", expected: "\(header.fileBytes)")
    }
    var end = JournalEnd(
      file: header, offset: Int64(JournalFormat.blockBytes), sequence: sequence, chain: chain, tornBytes: 0)
    while try readFrame(file, path, &end, &window, body) {}
    // What is not the last file ends with zeros: its last frame was synced before the next file was begun.
    try lookBehind(file, path, &end, &window, isLast: isLast)
    return end
  }

  /// Reads the frame at the end so far; false where there is none that is sound.
  private func readFrame(
    _ file: any DiskFile, _ path: String, _ end: inout JournalEnd, _ window: inout JournalWindow, _ body: Frame
  ) throws(StorageFailure) -> Bool {
    guard end.offset + Int64(JournalFormat.blockBytes) <= end.file.fileBytes else { return false }
    try window.load(file, end.offset, JournalFormat.blockBytes)
    if let version = JournalFrameHeader.version(window.bytes.span, at: 0), version > JournalFormat.version {
      throw .newer(file: path, version: Int(version))
    }
    guard let header = JournalFrameHeader(window.bytes.span, at: 0), header.identity == end.file.identity,
      header.offset == end.offset, header.sequence == end.sequence, header.chain == end.chain,
      header.payloadBytes > 0, Int64(header.frameBytes) <= end.file.fileBytes - end.offset
    else { return false }
    if readsKept || header.sequence > manifest.keptSequence {
      try window.load(file, end.offset, header.frameBytes)
      let payload = window.bytes.span.extracting(JournalFormat.headerBytes...)
      guard CRC32C.sum(payload) == header.payloadChecksum,
        payload.areZeros(Int(header.payloadBytes)..<payload.count)
      else { return false }
      if header.sequence > manifest.keptSequence {
        try body(payload.extracting(first: Int(header.payloadBytes)), path, end.offset, header.frameBytes)
      }
    }
    let checksum = window.bytes.span.word(JournalFormat.checksumOffset, UInt32.self)
    if header.sequence == manifest.keptSequence { try checkKept(checksum, path, end.offset) }
    end.offset += Int64(header.frameBytes)
    end.sequence += 1
    end.chain = checksum
    return true
  }

  /// Refuses a journal that is not the one which the kept files are of: two directories that were one once.
  private func checkKept(_ chain: UInt32, _ path: String, _ byte: Int64) throws(StorageFailure) {
    guard chain == manifest.keptChain else {
      throw .damaged(
        file: path, byte: byte, found: "another frame \(manifest.keptSequence)",
        expected: "the one that is in the kept files")
    }
  }

  /// Says in which file what was thrown for a payload is.
  private static func records(_ path: String, _ offset: Int64, _ body: () throws -> Void) throws(StorageFailure) {
    do { try body() } catch let failure as StorageFailure {
      throw failure
    } catch let fault as JournalRecordFault {
      let byte = offset + Int64(JournalFormat.headerBytes + fault.place)
      throw .damaged(file: path, byte: byte, found: "other bytes with a right checksum", expected: fault.what)
    } catch {
      throw .damaged(file: path, byte: offset, found: "\(error)", expected: "records")
    }
  }

  /// Looks at all that is behind the last sound frame: zeros, or what is left of writes that nobody was told of.
  private func lookBehind(
    _ file: any DiskFile, _ path: String, _ end: inout JournalEnd, _ window: inout JournalWindow, isLast: Bool
  ) throws(StorageFailure) {
    var place = end.offset
    while place < end.file.fileBytes {
      let count = Int(min(Int64(1 << 20), end.file.fileBytes - place))
      try window.load(file, place, count)
      let bytes = window.bytes.span
      for block in stride(from: 0, to: count, by: JournalFormat.blockBytes) {
        let own = bytes.extracting(block..<min(block + JournalFormat.blockBytes, count))
        guard !own.areZeros(0..<own.count), let last = own.indices.last(where: { own[$0] != 0 }) else { continue }
        let offset = place + Int64(block)
        // Wherever a later one landed: if it says that this one was on the disk, it was.
        if let header = JournalFrameHeader(own, at: 0), header.identity == end.file.identity,
          header.sequence > end.sequence, header.durable >= end.sequence
        {
          throw .damaged(
            file: path, byte: end.offset, found: "no sound frame, but frame \(header.sequence) at byte \(offset)",
            expected: "frame \(end.sequence)")
        }
        end.tornBytes = offset + Int64(last) + 1 - end.offset
      }
      place += Int64(count)
    }
    if !isLast, end.tornBytes > 0 {
      throw .damaged(
        file: path, byte: end.offset, found: "no sound frame", expected: "frame \(end.sequence), or the end of the file"
      )
    }
  }
}

/// A piece of a file in memory.
private struct JournalWindow {
  private(set) var bytes: [UInt8] = []

  mutating func load(_ file: any DiskFile, _ offset: Int64, _ count: Int) throws(StorageFailure) {
    bytes.removeAll(keepingCapacity: true)
    do throws(DiskFailure) { try file.read(count, at: offset, into: &bytes) } catch { throw .disk(error) }
    // What is behind the end of a file that is too short counts as zeros: its length is looked at on its own.
    bytes.pad(to: count)
  }
}
