// What a data directory says of itself: whose it is, which journal files there are, how long events are kept.
// Invariant: a manifest is replaced as a whole, by a rename, once all that it names is on the disk; what it names is there.
// Not here: the files that it names (Journal), when a new one is needed (Ledger, JournalWriter).
// Format: docs/format/manifest.md. Rules 6, 7.3, 7.4.

internal import Continuo
internal import ContinuoBytes
internal import Synchronization

/// What stands in the file `manifest`.
struct Manifest: Equatable {
  /// A number that no other directory has, repeated in the header of every file.
  var identity: UInt64
  /// How many manifests there were before, and this one.
  var generation: UInt64
  /// The newest journal file that frames may be in; 0 before the first one. One more may be there, begun and never used.
  var newestJournalFile: UInt32
  /// How long events and candles are kept.
  var retention: RetentionPolicy

  static let version: UInt8 = 1
  static let bytes = 128
  /// "CONTMANI", lowest byte first.
  private static let magic: UInt64 = 0x494E_414D_544E_4F43

  /// The file's bytes. O(1).
  var encoded: [UInt8] {
    var bytes: [UInt8] = []
    bytes.appendWord(Self.magic)
    bytes.append(contentsOf: [Self.version, 0, 0, 0])
    bytes.appendWord(newestJournalFile)
    bytes.appendWord(identity)
    bytes.appendWord(generation)
    for length in retention.lengths { bytes.appendWord(length) }
    bytes.pad(to: Self.bytes - 4)
    bytes.appendWord(CRC32C.sum(bytes.span))
    return bytes
  }

  /// Reads the file's bytes.
  ///
  /// - Throws: ``JournalFault`` that says what is wrong with them.
  init(_ bytes: Span<UInt8>) throws(JournalFault) {
    guard bytes.count == Self.bytes, bytes.word(0, UInt64.self) == Self.magic else { throw .noJournal }
    guard CRC32C.sum(bytes.extracting(first: Self.bytes - 4)) == bytes.word(Self.bytes - 4, UInt32.self) else {
      throw .damagedHeader
    }
    guard bytes[8] <= Self.version else { throw .newer(version: bytes[8]) }
    let lengths = (0..<8).map { bytes.word(32 + 8 * $0, Int64.self) }
    guard bytes[8] == Self.version, bytes.areZeros(9..<12), bytes.areZeros(96..<Self.bytes - 4),
      let retention = RetentionPolicy(lengths: lengths)
    else { throw .damagedHeader }
    newestJournalFile = bytes.word(12, UInt32.self)
    identity = bytes.word(16, UInt64.self)
    generation = bytes.word(24, UInt64.self)
    self.retention = retention
  }

  /// That of a new directory, which is still to be written.
  init(retention: RetentionPolicy) {
    (identity, generation, newestJournalFile) = (UInt64.random(in: 1 ... .max), 0, 0)
    self.retention = retention
  }

  /// Reads the manifest of a directory; nil where there is none.
  static func read(_ disk: any Disk, _ directory: DataDirectory) throws(StorageFailure) -> Manifest? {
    let path = directory.manifest
    let names = try onDisk { () throws(DiskFailure) in try disk.names(in: directory.path) }
    guard let names, names.contains(DataDirectory.manifestName) else { return nil }
    var bytes: [UInt8] = []
    // One byte more, so that a file that is too long is seen.
    try onDisk { () throws(DiskFailure) in
      try disk.open(path, forWriting: false).read(Self.bytes + 1, at: 0, into: &bytes)
    }
    do throws(JournalFault) { return try Manifest(bytes.span) } catch {
      throw error.failure(path, expected: "the \(Self.bytes) sound bytes of a manifest")
    }
  }
}

/// The manifest of a directory that is open for writing.
final class ManifestKeeper: Sendable {
  private let disk: any Disk
  private let directory: DataDirectory
  private let manifest: Mutex<Manifest>

  init(_ disk: any Disk, _ directory: DataDirectory, _ manifest: Manifest) {
    self.disk = disk
    self.directory = directory
    self.manifest = Mutex(manifest)
  }

  /// The manifest as it is now. O(1).
  var current: Manifest { manifest.withLock { $0 } }

  /// Replaces the manifest; it is on the disk when this returns. O(1), two syncs.
  func update(_ change: (inout Manifest) -> Void) throws(DiskFailure) {
    try manifest.withLock { (manifest) throws(DiskFailure) in
      var next = manifest
      change(&next)
      next.generation += 1
      let file = try disk.create(directory.newManifest)
      try file.write(next.encoded.span, at: 0)
      try file.sync()
      try disk.rename(directory.newManifest, to: directory.manifest)
      try disk.syncDirectory(directory.path)
      manifest = next
    }
  }
}
