// Writes frames behind the last one of a journal, into files that are zero-filled ahead.
// Invariant: a frame is begun when the one before is as durable as it is going to be; a file is named when all of it is
// synced, and used when the manifest names it; after a call that failed nothing is written any more.
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

/// How far a journal is.
public struct JournalPosition: Equatable, Sendable {
  /// The number of the last frame, from 1 through all files; 0 before the first one.
  public let sequence: UInt64
  /// The last file.
  public let file: UInt32
  /// The byte in it that the next frame is written at.
  public let byte: Int64
}

/// A frame of the journal, told from all others.
struct JournalFrame: Equatable {
  var sequence: UInt64
  /// The checksum of its header.
  var chain: UInt32
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
  private let manifest: ManifestKeeper
  private let durability: Durability
  private let fileBytes: Int64
  /// Files that are longer than that, for one frame is.
  private var lengths: [UInt32: Int64]
  private var file: any DiskFile
  /// Where the next frame goes.
  private(set) var end: JournalEnd
  /// The last frame that is on the disk for all we know.
  private var durable: UInt64
  /// Whether there were files whose making was cut off.
  let hasRemovedUnfinished: Bool
  /// Makes the next file ahead, once this one is half full.
  private let preparer: JournalFilePreparer?
  private var packer = BatchPacker()
  /// Room for a header, in front of the payload.
  private var frame: [UInt8] = []
  /// Memory of so many bytes is kept from one frame to the next.
  private static let keptCapacity = 64 << 20

  /// Takes a journal up where it ends, or begins one. One that is there is still to be settled (``settle()``).
  ///
  /// - Parameters:
  ///   - end: where the journal ends; nil where there is none.
  ///   - price: what a price is, where a journal is begun; one that is there keeps its own.
  ///   - fileBytes: how long files are that are begun.
  init(
    _ disk: any Disk, _ directory: DataDirectory, _ manifest: ManifestKeeper, at end: JournalEnd?,
    _ durability: Durability, price: PriceMode, fileBytes: Int64 = JournalFormat.fileBytes,
    _ preparer: JournalFilePreparer? = nil
  ) throws(DiskFailure) {
    let hasRemovedUnfinished = try Self.removeUnfinished(disk, directory)
    let (file, end) =
      if let end {
        (try disk.open(directory.journalFile(end.file.number), forWriting: true), end)
      } else {
        try Self.begin(disk, directory, manifest, number: 1, sequence: 1, chain: 0, price, fileBytes)
      }
    var lengths: [UInt32: Int64] = [:]
    for start in end.starts.dropLast() {
      let bytes = try disk.open(directory.journalFile(start.file), forWriting: false).bytes()
      if bytes != fileBytes { lengths[start.file] = bytes }
    }
    self.lengths = lengths
    (self.disk, self.directory, self.durability, self.fileBytes) = (disk, directory, durability, fileBytes)
    (self.manifest, self.preparer) = (manifest, preparer)
    (self.file, self.end, self.hasRemovedUnfinished) = (file, end, hasRemovedUnfinished)
    durable = end.file.firstSequence - 1
  }

  /// Where the data directory is.
  var path: String { directory.path }

  /// What a price is in every batch of the journal.
  var price: PriceMode { end.file.price }

  /// Behind the last frame.
  var position: JournalPosition {
    JournalPosition(sequence: end.sequence - 1, file: end.file.number, byte: end.offset)
  }

  /// Whether the next frame goes where a journal ends. O(1).
  borrowing func isBehind(_ other: JournalEnd) -> Bool {
    end.sequence == other.sequence && end.file.number == other.file.number && end.offset == other.offset
      && end.chain == other.chain
  }

  /// The last frame.
  var lastFrame: JournalFrame { JournalFrame(sequence: end.sequence - 1, chain: end.chain) }

  /// How many bytes the journal has from its start on, up to the last frame. O(1).
  var bytes: Int64 {
    end.starts.dropLast().reduce(end.offset) { $0 + (lengths[$1.file] ?? fileBytes) }
  }

  // MARK: frames

  /// Writes records as a frame and makes it durable. O(bytes).
  ///
  /// - Returns: how much room is missing for the file that the frame would begin, with nothing written; nil where all is well.
  mutating func append(_ records: [JournalRecord]) throws(DiskFailure) -> MissingRoom? {
    frame.removeAll(keepingCapacity: true)
    // What one very long step needs is not kept.
    defer { if frame.capacity > Self.keptCapacity { frame = [] } }
    frame.pad(to: JournalFormat.headerBytes)
    for record in records { record.append(to: &frame, &packer) }
    let payloadBytes = frame.count - JournalFormat.headerBytes
    frame.pad(to: JournalFormat.blocks(frame.count))
    let size = Int64(frame.count)
    if end.file.fileBytes - end.offset < size, let missing = try beginNext(room: size) { return missing }
    let header = JournalFrameHeader(
      identity: end.file.identity, offset: end.offset, sequence: end.sequence, payloadBytes: UInt32(payloadBytes),
      chain: end.chain, payloadChecksum: CRC32C.sum(frame.span.extracting(JournalFormat.headerBytes...)),
      durable: durable)
    let (bytes, checksum) = header.encoded
    for index in 0..<JournalFormat.headerBytes { frame[index] = bytes[index] }
    try file.write(frame.span, at: end.offset)
    if durability == .sync {
      try file.sync()
      durable = end.sequence
    }
    end.offset += size
    end.sequence += 1
    end.chain = checksum
    if end.offset > end.file.fileBytes / 2 { preparer?.want(end.file.number + 1) }
    return nil
  }

  /// Makes all frames durable, whatever was asked for: a writer that ends leaves nothing to chance. O(bytes).
  mutating func finish() throws(DiskFailure) {
    try file.sync()
    durable = end.sequence - 1
  }

  // MARK: files

  /// Room that is missing for a next file of so many bytes, or of the usual length; nil where there is enough. As much again is
  /// left free, so that what is there can still be looked after.
  ///
  /// - Parameter isReady: whether the next file is there already; nil: whether the preparer has it.
  func missingRoom(_ bytes: Int64 = 0, isReady: Bool? = nil) throws(DiskFailure) -> MissingRoom? {
    let isReady = isReady ?? preparer?.isReady(end.file.number + 1) ?? false
    let needed = (isReady ? 1 : 2) * max(fileBytes, bytes)
    guard let left = try disk.bytesLeft(in: directory.journal), left < needed else { return nil }
    return MissingRoom(bytesLeft: left, bytesNeeded: needed)
  }

  /// Begins the next file. One frame may be longer than a file is: then that file is.
  private mutating func beginNext(room: Int64) throws(DiskFailure) -> MissingRoom? {
    let bytes = max(fileBytes, room + Int64(JournalFormat.blockBytes))
    // One that is ready has its room already: what is left free is as much again.
    let ready = preparer?.take(end.file.number + 1, bytes)
    if let missing = try missingRoom(bytes, isReady: ready != nil) {
      if let ready { preparer?.giveBack(end.file.number + 1, ready) }
      return missing
    }
    // What is in this file is durable before the next one has a name: a file is read on the word of the one behind it.
    try finish()
    let starts = end.starts
    if end.file.fileBytes != fileBytes { lengths[end.file.number] = end.file.fileBytes }
    (file, end) = try Self.begin(
      disk, directory, manifest, number: end.file.number + 1, sequence: end.sequence, chain: end.chain, end.file.price,
      bytes, ready)
    end.starts = starts + end.starts
    return nil
  }

  /// Where the journal begins that is needed behind frame `sequence`; files before are not looked at any more. O(files).
  mutating func start(behind sequence: UInt64) -> JournalStart? {
    guard let index = end.starts.lastIndex(where: { $0.sequence <= sequence + 1 }) else { return nil }
    return end.starts[index]
  }

  /// Forgets files before one, which are to be removed. O(files).
  mutating func release(before file: UInt32) {
    end.starts.removeAll { $0.file < file }
    lengths = lengths.filter { $0.key >= file }
  }

  private static func begin(
    _ disk: any Disk, _ directory: DataDirectory, _ manifest: ManifestKeeper, number: UInt32, sequence: UInt64,
    chain: UInt32, _ price: PriceMode, _ fileBytes: Int64, _ ready: (any DiskFile)? = nil
  ) throws(DiskFailure) -> (any DiskFile, JournalEnd) {
    let header = JournalFileHeader(
      identity: UInt64.random(in: .min ... .max), number: number, firstSequence: sequence, chain: chain,
      fileBytes: fileBytes, price: price, directory: manifest.current.identity)
    let file = try make(disk, directory, header, ready)
    try manifest.update { $0.newestJournalFile = number }
    return (
      file,
      JournalEnd(
        file: header, offset: Int64(JournalFormat.blockBytes), sequence: sequence, chain: chain, tornBytes: 0,
        starts: [JournalStart(file: number, sequence: sequence, chain: chain)])
    )
  }

  /// Makes a file without frames, on the disk, bytes and name; no manifest names it yet.
  static func make(
    _ disk: any Disk, _ directory: DataDirectory, _ header: JournalFileHeader, _ ready: (any DiskFile)? = nil
  ) throws(DiskFailure) -> any DiskFile {
    let file: any DiskFile
    if let ready {
      file = ready
    } else {
      try requireRoom(disk, directory, header)
      file = try disk.createZeros(directory.newJournalFile(header.number), header.fileBytes)
    }
    try file.write(header.bytes.span, at: 0)
    try name(file, disk, directory, header)
    return file
  }

  /// Refuses to make a file that there is no room for.
  private static func requireRoom(
    _ disk: any Disk, _ directory: DataDirectory, _ header: JournalFileHeader
  ) throws(DiskFailure) {
    guard let left = try disk.bytesLeft(in: directory.journal), left < header.fileBytes else { return }
    throw DiskFailure(
      call: "statvfs", path: directory.newJournalFile(header.number), code: DiskFailure.full,
      message: "\(left >> 20) MiB are left, and a journal file takes \(header.fileBytes >> 20)")
  }

  /// Gives a file its name, over another one that has it, once all of it is on the disk.
  private static func name(
    _ file: any DiskFile, _ disk: any Disk, _ directory: DataDirectory, _ header: JournalFileHeader
  ) throws(DiskFailure) {
    try file.sync()
    try disk.rename(directory.newJournalFile(header.number), to: directory.journalFile(header.number))
    try disk.syncDirectory(directory.journal)
  }

  /// Files whose making was cut off have nothing in them that anybody was told of.
  private static func removeUnfinished(_ disk: any Disk, _ directory: DataDirectory) throws(DiskFailure) -> Bool {
    let unfinished = (try disk.names(in: directory.journal) ?? []).filter(DataDirectory.isNew)
    for name in unfinished { try disk.remove(directory.journal + "/" + name) }
    return !unfinished.isEmpty
  }

  /// Makes what was read last, before anybody is shown it: a write whose sync failed, or that nobody waited for, can be read
  /// from the system's memory and still never have reached the disk, and a sync says nothing of it. So the last file is copied,
  /// up to its end, and the copy takes its name: what is there is never written over. O(bytes of a file).
  mutating func settle() throws(DiskFailure) {
    try Self.requireRoom(disk, directory, end.file)
    let copy = try disk.create(directory.newJournalFile(end.file.number))
    try file.copy(end.offset, to: copy)
    try copy.fill(from: end.offset, to: end.file.fileBytes)
    file = copy
    if end.tornBytes > 0 { try noteCut() }
    try Self.name(copy, disk, directory, end.file)
    durable = end.sequence - 1
  }

  /// Writes a record that says how much a crash left behind the end, into the copy that goes without it.
  private mutating func noteCut() throws(DiskFailure) {
    let torn = end.tornBytes
    end.tornBytes = 0
    // It fits: where something was left there is a block at least.
    _ = try append([.cut(bytes: torn)])
  }
}
