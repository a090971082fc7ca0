// What the files of a data directory take on the disk, told apart by what they are for.
// Invariant: the three together are the directory.
// Not here: which files there are (DataDirectory, Manifest).

internal import Continuo

/// What a data directory takes on the disk, in bytes.
public struct DirectoryBytes: Equatable, Sendable {
  /// What segments take.
  public private(set) var raw: Int64 = 0
  /// What names, bases and the manifest take.
  public private(set) var state: Int64 = 0
  /// What the journal's files and all else take.
  public private(set) var journal: Int64 = 0

  /// Looks at every file. O(names).
  init(_ disk: any Disk, _ directory: DataDirectory, _ kept: [KeptEntry]) throws(StorageFailure) {
    let kinds = Dictionary(uniqueKeysWithValues: kept.map { (directory.keptFile($0.header), $0.header.kind) })
    var (raw, state, journal): (Int64, Int64, Int64) = (0, 0, 0)
    try onDisk { () throws(DiskFailure) in
      try directory.forEachAllocation(disk) { path, bytes in
        switch kinds[path] {
        case .segment: raw += bytes
        case .names, .bases: state += bytes
        case nil: if path == directory.manifest { state += bytes } else { journal += bytes }
        }
      }
    }
    (self.raw, self.state, self.journal) = (raw, state, journal)
  }
}

extension Ledger {
  /// What the directory takes on the disk. O(names), and waits for a checkpoint that is being made.
  ///
  /// - Throws: ``StorageFailure``: the disk refuses a call.
  public func directoryBytes() throws(StorageFailure) -> DirectoryBytes { try checkpointer.directoryBytes() }

  /// How many frames of the journal, and how many bytes, lie behind the last checkpoint. O(files).
  public var unkept: (frames: Int, bytes: Int64) {
    let (sequence, bytes) = checkpointer.unkept
    return (Int(clamping: journalPosition.sequence) - Int(clamping: sequence), bytes)
  }

  /// The version of the format that the directory's files have.
  public var formatVersion: Int { Int(JournalFormat.version) }
}

extension Checkpointer {
  /// The next journal file is made, and gets its name, at any time: what was gone when it was looked at is looked for again.
  fileprivate func directoryBytes() throws(StorageFailure) -> DirectoryBytes {
    var failure: StorageFailure?
    for _ in 0..<4 {
      do throws(StorageFailure) { return try measured() } catch { failure = error }
    }
    guard let failure else { preconditionFailure("four failures are one at least") }
    throw failure
  }
}
