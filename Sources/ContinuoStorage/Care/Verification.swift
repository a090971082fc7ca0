// Whether a data directory is what it should be: every byte by its checksum, every file by the manifest, every summary by the
// events that are held.
// Invariant: nothing is written; one damaged file does not hide another; a changed value is found whose checksums are right.
// Not here: what a check of a file is (KeptFiles, JournalReader), mending.
// Rules 7.6.

internal import Continuo

/// What was found when a data directory was looked at as a whole: one that nobody writes, or an open one (``Ledger/verify()``).
public struct Verification: Sendable {
  /// How many kept and journal files were read, and how many bytes they have.
  public private(set) var files = 0
  public private(set) var bytes: Int64 = 0
  /// How many events are held.
  public private(set) var events = 0
  /// What is wrong, each with its file and byte; none if all is well.
  public private(set) var failures: [StorageFailure] = []
  /// Which summaries are not what the held events add up to, and which files have other contents than were written though
  /// their checksums are right; none if all is well.
  public private(set) var differences: [String] = []

  /// Whether all is well.
  public var isSound: Bool { failures.isEmpty && differences.isEmpty }

  /// Looks at a data directory. O(all of it).
  ///
  /// - Throws: ``StorageFailure`` where it cannot be looked at: there is none, another process writes in it, or it is a
  ///   copy that is not finished.
  public init(path: String) throws(StorageFailure) { try self.init(RealDisk(), path: path) }

  package init(_ disk: any Disk, path: String) throws(StorageFailure) {
    try self.init(disk, path: path, isWhole: true)
  }

  /// Looks at the kept files alone, each by itself, without an engine: what reading and checking them takes. O(their bytes).
  package init(keptFilesOf path: String) throws(StorageFailure) {
    try self.init(RealDisk(), path: path, isWhole: false)
  }

  private init(_ disk: any Disk, path: String, isWhole: Bool) throws(StorageFailure) {
    let directory = DataDirectory(path: path)
    try directory.requireLock(disk)
    let lock = try onDisk { () throws(DiskFailure) in try disk.lock(directory.lock, shared: true) }
    guard let lock else { throw .locked(path: path, holder: directory.holder(disk)) }
    let manifest: Manifest?
    do throws(StorageFailure) { manifest = try Manifest.read(disk, directory) } catch {
      // No damage, and nothing to look at.
      if case .unfinishedCopy = error { throw error }
      failures.append(error)
      return
    }
    look(disk, directory, manifest, isWhole: isWhole)
    withExtendedLifetime(lock) {}
  }

  /// Looks at a directory that is open, as it was at a moment. O(all of it).
  ///
  /// - Parameter moment: what is looked at; its files stay where they are meanwhile.
  init(_ disk: any Disk, _ directory: DataDirectory, at moment: CopyMoment) {
    look(MomentDisk(disk, directory, moment.end), directory, moment.manifest, isWhole: true)
    guard failures.isEmpty, let end = moment.end, nextSequence != end.sequence else { return }
    failures.append(
      .damaged(
        file: directory.journalFile(end.file.number), byte: end.offset,
        found: "the last frame is \((nextSequence ?? 1) - 1)", expected: "\(end.sequence - 1), which was synced"))
  }

  /// The number of the next frame of the journal that was read; nil where there is none.
  private var nextSequence: UInt64?

  private mutating func look(_ disk: any Disk, _ directory: DataDirectory, _ manifest: Manifest?, isWhole: Bool) {
    var misfit: StorageFailure?
    do throws(StorageFailure) {
      if isWhole { try restore(disk, directory, manifest) }
    } catch { misfit = error }
    check(disk, directory, manifest)
    // It is the first thing that is wrong: what else is, each file has told by itself, if it is not only that they do not fit.
    if failures.isEmpty, let misfit { failures.append(misfit) }
  }

  /// Reads every kept file by itself, and holds what is in it against what was written.
  private mutating func check(_ disk: any Disk, _ directory: DataDirectory, _ manifest: Manifest?) {
    var scratch = SegmentScratch()
    let names: Set<String>
    do throws(StorageFailure) { names = try KeptRestore.names(disk, directory) } catch {
      failures.append(error)
      return
    }
    for entry in manifest?.kept ?? [] {
      do throws(StorageFailure) {
        let reader = try KeptRestore.reader(disk, directory, names, entry)
        let contents =
          switch entry.header.kind {
          case .segment: try SegmentFile.contents(reader, &scratch)
          case .names: try NamesFile.contents(reader)
          case .bases: BasesFile.contents(try BasesFile.bases(reader))
          }
        files += 1
        bytes += entry.bytes
        // Of a file that was written before sums were nothing is known.
        if entry.contents != 0, entry.contents != contents {
          differences.append(
            "\(reader.path): its contents are not those that were written, though every checksum is right: bring a backup "
              + "back")
        }
      } catch { failures.append(error) }
    }
  }

  /// Makes an engine of everything, which reads everything, and looks at that.
  private mutating func restore(
    _ disk: any Disk, _ directory: DataDirectory, _ manifest: Manifest?
  ) throws(StorageFailure) {
    var engine = Engine(Engine.Settings().keeping(manifest?.retention))
    let (_, end) = try Restored.restore(disk, directory, manifest, price: nil, &engine)
    var journalBytes: Int64 = 0
    for start in end?.starts ?? [] {
      journalBytes += try onDisk { () throws(DiskFailure) in
        try disk.open(directory.journalFile(start.file), forWriting: false).bytes()
      }
    }
    (files, bytes, nextSequence) = (end?.starts.count ?? 0, journalBytes, end?.sequence)
    let counts = engine.inspection()
    events = counts.swaps + counts.transfers
    differences = engine.checkInvariants()
  }
}
