// A data directory copied to another place, as a data directory: a backup, and what is restored of one.
// Invariant: what is copied is read first, and not written; what can be opened afterwards answers as it does.
// Not here: making the copy (UnfinishedCopy), copying while the directory is written (Ledger, Checkpointer).

public import Continuo

/// A copy of a data directory, read back and found to be what was copied.
///
///     let backup = try DirectoryCopy(from: "market", to: "backup")        // while nobody writes; else: Ledger.backup(to:)
///     let restored = try DirectoryCopy(from: "backup", to: "market-2")
public struct DirectoryCopy: Equatable, Sendable {
  /// How many kept and journal files were copied, and how many bytes they have.
  public var files: Int
  public var bytes: Int64
  /// How many events are held.
  public var events: Int
  /// The journal's last frame; nil where there is none.
  public var sequence: UInt64?
  /// A number for what both answer; nil where none was asked for.
  public var digest: String?

  init(files: Int, bytes: Int64, _ reading: DirectoryReading) {
    (self.files, self.bytes, events) = (files, bytes, reading.events)
    (sequence, digest) = (reading.sequence, reading.digest)
  }

  /// Copies a data directory that nobody writes in to a place that is absent or empty. It is read before, and the copy
  /// afterwards: counts, frames and every summary are compared. What is cut off does not open. O(all of it), and as much memory
  /// as reading the directory takes.
  ///
  /// - Parameters:
  ///   - digest: a number for what an engine answers, which is compared too.
  ///   - progress: is told how far it is.
  /// - Throws: ``StorageFailure``: the directory is missing, written, or damaged; the place is taken or cannot be written; what
  ///   was read back is not what was copied.
  public init(
    from path: String, to target: String, digest: (borrowing Engine) -> String? = { _ in nil },
    progress: (CopyProgress) -> Void = { _ in }
  ) throws(StorageFailure) {
    try self.init(RealDisk(), from: path, to: target, digest: digest, progress: progress)
  }

  package init(
    _ disk: any Disk, from path: String, to target: String, digest: (borrowing Engine) -> String? = { _ in nil },
    progress: (CopyProgress) -> Void = { _ in }
  ) throws(StorageFailure) {
    let (source, copy) = (DataDirectory(path: path), DataDirectory(path: target))
    try source.requireLock(disk)
    let lock = try onDisk { () throws(DiskFailure) in try disk.lock(source.lock, shared: true) }
    guard let lock else { throw .locked(path: path, holder: source.holder(disk)) }
    try UnfinishedCopy.requireTarget(disk, copy, outside: source)
    progress(CopyProgress(phase: .reading))
    // Cut off in its birth: nothing was ever taken into it.
    guard let manifest = try Manifest.read(disk, source) else { throw .missing(path: path) }
    let found = try DirectoryReading(disk, source, manifest, digest)
    if let difference = found.differences.first {
      throw .damaged(file: path, byte: 0, found: difference, expected: "what the held events add up to")
    }
    let moment = CopyMoment(manifest: manifest, end: found.end, hasRest: true)
    let unfinished = try UnfinishedCopy(disk, moment, from: source, to: copy, progress)
    self = try unfinished.finish(progress, comparing: found, digest: digest)
    withExtendedLifetime(lock) {}
  }
}

/// What a data directory comes to when all of it is read.
struct DirectoryReading: Equatable, Sendable {
  /// Where its journal ends; nil where there is none.
  let end: JournalEnd?
  let inspection: Inspection
  /// How far each source has come.
  let positions: [InputPosition]
  let digest: String?
  /// Which summaries are not what the held events add up to.
  let differences: [String]

  var events: Int { inspection.swaps + inspection.transfers }
  var sequence: UInt64? { end.flatMap { $0.sequence > 1 ? $0.sequence - 1 : nil } }

  /// Reads all of a directory, and checks every byte and every summary. O(all of it).
  ///
  /// - Parameter manifest: its own, or the one that it is to have.
  init(
    _ disk: any Disk, _ directory: DataDirectory, _ manifest: Manifest, _ digest: (borrowing Engine) -> String?
  ) throws(StorageFailure) {
    var engine = Engine(Engine.Settings().keeping(manifest.retention))
    (_, end) = try Restored.restore(disk, directory, manifest, price: nil, &engine)
    (inspection, positions, differences) = (engine.inspection(), engine.positions, engine.checkInvariants())
    self.digest = digest(engine)
  }
}
