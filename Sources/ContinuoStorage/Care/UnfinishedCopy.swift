// A copy of a data directory while it is made: all files, then a look at all of them, then its manifest.
// Invariant: from its first file on it has a mark that nobody opens it with; the mark becomes the manifest, by a rename, when all
// else is on the disk, was read back, and is what was copied.
// Not here: what is copied, and who may copy it (DirectoryCopy, Checkpointer).
// Format: docs/format.md.

internal import Continuo

/// How far a copy is.
public struct CopyProgress: Equatable, Sendable {
  /// What is being done: what is to be copied is read, it is copied, the copy is read.
  public enum Phase: Sendable { case reading, copying, verifying }

  /// What is being done.
  public internal(set) var phase: Phase
  /// How many bytes are copied, and how many will be; both 0 before.
  public internal(set) var bytes: Int64 = 0
  public internal(set) var total: Int64 = 0
}

/// A data directory as it is at one moment.
struct CopyMoment: Sendable {
  var manifest: Manifest
  /// Where the journal ends; nil where there is none.
  var end: JournalEnd?
  /// Whether what is behind the end is copied too. Where somebody writes it is not: zeros are in its place.
  var hasRest = false
}

/// A copy that is not finished.
struct UnfinishedCopy: Sendable {
  private let disk: any Disk
  private let directory: DataDirectory
  private let moment: CopyMoment
  private let mark: any DiskFile
  /// Held until it is finished.
  private let lock: any DiskFile
  private let files: [CopiedFile]

  /// A file, how long it is, and how many of its bytes are copied; zeros are behind them.
  private struct CopiedFile: Sendable {
    var source: String
    var target: String
    var bytes: Int64
    var used: Int64
  }

  /// Refuses a place that a copy cannot have. O(names).
  static func requireTarget(
    _ disk: any Disk, _ target: DataDirectory, outside source: DataDirectory
  ) throws(StorageFailure) {
    let (names, own, whole) = try onDisk { () throws(DiskFailure) in
      let names = try disk.names(in: target.path)
      return (names, try disk.resolved(names == nil ? target.parent : target.path), try disk.resolved(source.path))
    }
    guard names?.isEmpty ?? true else {
      throw .badTarget(path: target.path, why: "something is in this directory already")
    }
    guard own != whole, !own.hasPrefix(whole + "/") else {
      throw .badTarget(path: target.path, why: "it lies in the directory that is to be copied")
    }
  }

  /// Copies all files, and makes them last. O(bytes).
  ///
  /// - Parameters:
  ///   - moment: what is copied; its files stay where they are meanwhile.
  ///   - directory: one that ``requireTarget(_:_:outside:)`` let pass.
  init(
    _ disk: any Disk, _ moment: CopyMoment, from source: DataDirectory, to directory: DataDirectory,
    _ progress: (CopyProgress) -> Void
  ) throws(StorageFailure) {
    let files = try onDisk { () throws(DiskFailure) in try Self.files(disk, moment, source, directory) }
    let total = files.reduce(0) { $0 + $1.bytes }
    try Self.requireRoom(disk, directory, total)
    (mark, lock) = try Self.making(directory) { () throws(StorageFailure) in
      // Before anything else: a part of a journal, or files without one, could be taken for a smaller directory.
      let mark = try onDisk { () throws(DiskFailure) in
        let mark = try disk.create(directory.unfinishedCopy)
        try disk.syncDirectory(directory.path)
        try disk.syncDirectory(directory.parent)
        return mark
      }
      let lock = try directory.claim(disk)
      try onDisk { () throws(DiskFailure) in
        for path in [directory.kept, directory.journal] { try disk.makeDirectory(path) }
        var done: Int64 = 0
        for file in files {
          try Self.copy(disk, file) {
            done += $0
            progress(CopyProgress(phase: .copying, bytes: done, total: total))
          }
        }
        for path in [directory.kept, directory.journal, directory.path] { try disk.syncDirectory(path) }
      }
      return (mark, lock)
    }
    (self.disk, self.directory, self.moment, self.files) = (disk, directory, moment, files)
  }

  /// The files that the manifest names, and those of the journal.
  private static func files(
    _ disk: any Disk, _ moment: CopyMoment, _ source: DataDirectory, _ target: DataDirectory
  ) throws(DiskFailure) -> [CopiedFile] {
    var files: [CopiedFile] = []
    for entry in moment.manifest.kept {
      files.append(
        CopiedFile(
          source: source.keptFile(entry.header), target: target.keptFile(entry.header), bytes: entry.bytes,
          used: entry.bytes))
    }
    guard let end = moment.end else { return files }
    for start in end.starts {
      let path = source.journalFile(start.file)
      let bytes = try disk.open(path, forWriting: false).bytes()
      let isWritten = start.file == end.file.number && !moment.hasRest
      files.append(
        CopiedFile(
          source: path, target: target.journalFile(start.file), bytes: bytes, used: isWritten ? end.offset : bytes))
    }
    return files
  }

  /// Makes the directory, and refuses one that the copy does not fit in.
  private static func requireRoom(
    _ disk: any Disk, _ directory: DataDirectory, _ bytes: Int64
  ) throws(StorageFailure) {
    let left = try onDisk { () throws(DiskFailure) in
      try disk.makeDirectory(directory.path)
      return try disk.bytesLeft(in: directory.path)
    }
    guard let left, left < bytes else { return }
    throw .badTarget(
      path: directory.path, why: "\(left >> 20) MiB are left on its disk, and the copy takes \(bytes >> 20) MiB")
  }

  private static func copy(
    _ disk: any Disk, _ file: CopiedFile, _ progress: (Int64) -> Void
  ) throws(DiskFailure) {
    let source = try disk.open(file.source, forWriting: false)
    let target = try disk.create(file.target)
    // One that is too short is told when the copy is read.
    try source.copy(file.used, to: target, progress)
    if file.used < file.bytes {
      try target.fill(from: file.used, to: file.bytes)
      progress(file.bytes - file.used)
    }
    try target.sync()
  }

  /// Reads the copy, compares it with what was copied, and makes it a data directory. O(bytes).
  ///
  /// - Parameters:
  ///   - expected: what the directory came to that was copied; nil: where its journal ended alone is known.
  ///   - digest: a number for what an engine answers, to be compared too.
  func finish(
    _ progress: (CopyProgress) -> Void, comparing expected: DirectoryReading? = nil,
    digest: (borrowing Engine) -> String? = { _ in nil }
  ) throws(StorageFailure) -> DirectoryCopy {
    let bytes = files.reduce(0) { $0 + $1.bytes }
    progress(CopyProgress(phase: .verifying, bytes: bytes, total: bytes))
    let found = try Self.making(directory) { () throws(StorageFailure) in
      let found = try DirectoryReading(disk, directory, moment.manifest, digest)
      try requireSame(found, expected)
      try name()
      return found
    }
    withExtendedLifetime(lock) {}
    return DirectoryCopy(files: files.count, bytes: bytes, found)
  }

  private func requireSame(_ found: DirectoryReading, _ expected: DirectoryReading?) throws(StorageFailure) {
    if let difference = found.differences.first { throw .badCopy(path: directory.path, why: difference) }
    guard found.end == moment.end, expected.map({ $0 == found }) ?? true else {
      let wanted = expected.map { "\($0.events) events and " } ?? ""
      throw .badCopy(
        path: directory.path,
        why: "the copy has \(found.events) events and \(found.sequence ?? 0) frames, and should have \(wanted)"
          + "\((moment.end?.sequence ?? 1) - 1) frames with the same answers")
    }
  }

  /// Makes the mark the manifest.
  private func name() throws(StorageFailure) {
    let encoded = moment.manifest.encoded
    var written: [UInt8] = []
    try onDisk { () throws(DiskFailure) in
      try mark.write(encoded.span, at: 0)
      try mark.sync()
      try mark.read(encoded.count + 1, at: 0, into: &written)
    }
    guard written == encoded else {
      throw .badCopy(path: directory.path, why: "the manifest was read back as other bytes than were written")
    }
    try onDisk { () throws(DiskFailure) in
      try disk.rename(directory.unfinishedCopy, to: directory.manifest)
      try disk.syncDirectory(directory.path)
    }
  }

  /// Does what makes a copy; where it fails, what is there is none.
  private static func making<Answer>(
    _ directory: DataDirectory, _ calls: () throws(StorageFailure) -> Answer
  ) throws(StorageFailure) -> Answer {
    do throws(StorageFailure) { return try calls() } catch {
      switch error {
      case .badCopy, .locked, .beingRead: throw error
      case .disk(let failure): throw .badCopy(path: directory.path, why: failure.description)
      case .damaged(let file, let byte, let found, let expected):
        throw .badCopy(path: directory.path, why: "\(file), byte \(byte): found \(found), expected \(expected)")
      default: throw .badCopy(path: directory.path, why: error.what)
      }
    }
  }
}
