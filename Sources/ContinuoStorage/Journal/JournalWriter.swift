// Writes frames behind the last one of a journal, into files that are zero-filled ahead.
// Invariant: a frame is begun when the one before is as durable as it is going to be; a file is named when all of it is
// synced; after a call that failed nothing is written any more.
// Not here: what is in a frame (JournalRecord), who waits for it (Ledger), where the journal ends (JournalReader).

internal import Continuo
internal import ContinuoBytes

/// How far a batch is on its way to the disk when it is acknowledged.
public enum Durability: String, CaseIterable, Sendable {
  /// On the disk: it survives the machine.
  case sync = "sync"
  /// With the operating system: it survives the process.
  case os = "os"
  /// Nowhere yet: the journal is written as with `os`, and nobody waits for what may fail.
  case none = "none"
}

/// Room that a disk does not have.
struct MissingRoom: Equatable {
  var bytesLeft: Int64
  var bytesNeeded: Int64
}

/// Writes a journal. One caller at a time.
struct JournalWriter: ~Copyable {
  private let disk: any Disk
  private let directory: DataDirectory
  private let durability: Durability
  private let fileBytes: Int64
  private var file: any DiskFile
  private var end: JournalEnd
  /// Whether there were files whose making was cut off.
  let hasRemovedUnfinished: Bool
  /// Room for a header, in front of the payload.
  private var frame: [UInt8] = []

  /// Takes a journal up where it ends, or begins one. What a crash left behind the end is still to be cut (``cutTail()``).
  ///
  /// - Parameters:
  ///   - end: where the journal ends; nil where there is none.
  ///   - price: what a price is, where a journal is begun; one that is there keeps its own.
  ///   - fileBytes: how long files are that are begun.
  init(
    _ disk: any Disk, _ directory: DataDirectory, at end: JournalEnd?, _ durability: Durability, price: PriceMode,
    fileBytes: Int64 = JournalFormat.fileBytes
  ) throws(DiskFailure) {
    let hasRemovedUnfinished = try Self.removeUnfinished(disk, directory)
    let (file, end) =
      if let end {
        (try disk.open(directory.journalFile(end.file.number), forWriting: true), end)
      } else {
        try Self.begin(disk, directory, number: 1, sequence: 1, chain: 0, price, fileBytes)
      }
    (self.disk, self.directory, self.durability, self.fileBytes) = (disk, directory, durability, fileBytes)
    (self.file, self.end, self.hasRemovedUnfinished) = (file, end, hasRemovedUnfinished)
  }

  /// Where the data directory is.
  var path: String { directory.path }

  /// How many frames there are.
  var frames: UInt64 { end.sequence - 1 }

  /// What a price is in every batch of the journal.
  var price: PriceMode { end.file.price }

  /// How many bytes of the journal hold frames and headers, in its last file.
  var position: (file: UInt32, offset: Int64) { (end.file.number, end.offset) }

  // MARK: frames

  /// Writes a frame and makes it durable. O(bytes).
  ///
  /// - Parameter fill: adds the frame's records.
  /// - Returns: how much room is missing for the file that the frame would begin, with nothing written; nil where all is well.
  mutating func append(_ fill: (inout [UInt8]) -> Void) throws(DiskFailure) -> MissingRoom? {
    frame.removeAll(keepingCapacity: true)
    frame.pad(to: JournalFormat.headerBytes)
    fill(&frame)
    let payloadBytes = frame.count - JournalFormat.headerBytes
    frame.pad(to: JournalFormat.blocks(frame.count))
    let size = Int64(frame.count)
    if end.file.fileBytes - end.offset < size, let missing = try beginNext(room: size) { return missing }
    let header = JournalFrameHeader(
      identity: end.file.identity, offset: end.offset, sequence: end.sequence, payloadBytes: UInt32(payloadBytes),
      chain: end.chain, payloadChecksum: CRC32C.sum(frame.span.extracting(JournalFormat.headerBytes...)))
    let (bytes, checksum) = header.encoded
    for index in 0..<JournalFormat.headerBytes { frame[index] = bytes[index] }
    try file.write(frame.span, at: end.offset)
    if durability == .sync { try file.sync() }
    end.offset += size
    end.sequence += 1
    end.chain = checksum
    return nil
  }

  /// Makes all frames durable, whatever was asked for: a writer that ends leaves nothing to chance. O(bytes).
  func finish() throws(DiskFailure) { try file.sync() }

  // MARK: files

  /// Begins the next file. One frame may be longer than a file is: then that file is.
  private mutating func beginNext(room: Int64) throws(DiskFailure) -> MissingRoom? {
    let bytes = max(fileBytes, room + Int64(JournalFormat.blockBytes))
    // As much again is left free, so that what is there can still be looked after.
    if let left = try disk.bytesLeft(in: directory.journal), left < 2 * bytes {
      return MissingRoom(bytesLeft: left, bytesNeeded: 2 * bytes)
    }
    // What is in this file is durable before the next one has a name: a file is read on the word of the one behind it.
    try file.sync()
    (file, end) = try Self.begin(
      disk, directory, number: end.file.number + 1, sequence: end.sequence, chain: end.chain, end.file.price, bytes)
    return nil
  }

  private static func begin(
    _ disk: any Disk, _ directory: DataDirectory, number: UInt32, sequence: UInt64, chain: UInt32, _ price: PriceMode,
    _ fileBytes: Int64
  ) throws(DiskFailure) -> (any DiskFile, JournalEnd) {
    let header = JournalFileHeader(
      identity: UInt64.random(in: .min ... .max), number: number, firstSequence: sequence, chain: chain,
      fileBytes: fileBytes, price: price)
    let path = directory.newJournalFile(number)
    let file = try disk.create(path)
    try fill(file, from: 0, to: fileBytes)
    try file.write(header.bytes.span, at: 0)
    try file.sync()
    try disk.rename(path, to: directory.journalFile(number))
    try disk.syncDirectory(directory.journal)
    return (
      file,
      JournalEnd(
        file: header, offset: Int64(JournalFormat.blockBytes), sequence: sequence, chain: chain, tornBytes: 0)
    )
  }

  /// Writes zeros.
  private static func fill(_ file: any DiskFile, from start: Int64, to end: Int64) throws(DiskFailure) {
    let zeros = [UInt8](repeating: 0, count: Int(min(1 << 20, max(0, end - start))))
    var place = start
    while place < end {
      let count = Int(min(Int64(zeros.count), end - place))
      try file.write(zeros.span.extracting(first: count), at: place)
      place += Int64(count)
    }
  }

  /// Files whose making was cut off have nothing in them that anybody was told of.
  private static func removeUnfinished(_ disk: any Disk, _ directory: DataDirectory) throws(DiskFailure) -> Bool {
    let unfinished = (try disk.names(in: directory.journal) ?? []).filter(DataDirectory.isNew)
    for name in unfinished { try disk.remove(directory.journal + "/" + name) }
    return !unfinished.isEmpty
  }

  /// Overwrites what a crash left behind the end with zeros, and writes a record that says how much it was. O(bytes).
  mutating func cutTail() throws(DiskFailure) {
    let torn = end.tornBytes
    guard torn > 0 else { return }
    try Self.fill(file, from: end.offset, to: min(end.file.fileBytes, end.offset + torn))
    try file.sync()
    end.tornBytes = 0
    var packer = BatchPacker()
    _ = try append { payload in JournalRecord.cut(bytes: torn).append(to: &payload, &packer) }
    try file.sync()
  }
}
