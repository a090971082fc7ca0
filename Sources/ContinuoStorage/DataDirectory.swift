// The names of all files of a data directory, and who may write in it.
// Invariant: one writer at a time; a name is spelled here and nowhere else.
// Not here: what is in the files (Journal), calls to the system (Disk).
// Rules 7.8.

/// A directory into which a database is followed.
package enum FollowedDirectory {
  /// What tells so, and has the keys of its rows (ContinuoPostgres).
  package static let keysName = "postgres.keys"

  /// Whether there is one at a path, or nothing that could be one.
  package static func isThere(_ path: String) throws -> Bool {
    try RealDisk().names(in: path)?.contains(keysName) == true
  }
}

/// Where the files of a data directory are.
struct DataDirectory: Sendable {
  /// The directory's own path.
  let path: String

  /// The directory that it lies in.
  var parent: String {
    let trimmed = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    guard let slash = trimmed.lastIndex(of: "/") else { return "." }
    return slash == trimmed.startIndex ? "/" : String(trimmed[..<slash])
  }

  /// Whose lock says that somebody writes; it holds the writer's process number.
  var lock: String { path + "/" + Self.lockName }
  static let lockName = "lock"
  /// What the lock says of who holds it.
  func holder(_ disk: any Disk) -> String {
    var bytes: [UInt8] = []
    do throws(DiskFailure) {
      try disk.open(lock, forWriting: false).read(20, at: 0, into: &bytes)
    } catch { return "?" }
    return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }

  /// Refuses a directory that is none of ours.
  func requireLock(_ disk: any Disk) throws(StorageFailure) {
    let names = try onDisk { () throws(DiskFailure) in try disk.names(in: path) }
    guard let names, names.contains(Self.lockName) else {
      throw names?.contains(Self.copyName) ?? false ? .unfinishedCopy(path: path) : .missing(path: path)
    }
  }

  /// Makes the directory, takes its lock, and says in it who has it.
  func claim(_ disk: any Disk) throws(StorageFailure) -> any DiskFile {
    let held = try onDisk { () throws(DiskFailure) in
      try disk.makeDirectory(path)
      return try disk.lock(lock, shared: false)
    }
    guard let held else { throw locked(disk) }
    try onDisk { () throws(DiskFailure) in
      var line = Array(ProcessNumber.own.description.utf8)
      line.pad(to: 20)
      try held.write(line.span, at: 0)
    }
    return held
  }

  /// Why the lock cannot be had for writing: somebody writes, or others read, which a lock says nothing of.
  func locked(_ disk: any Disk) -> StorageFailure {
    do throws(DiskFailure) {
      if try disk.lock(lock, shared: true) != nil { return .beingRead(path: path) }
    } catch { return .disk(error) }
    return .locked(path: path, holder: holder(disk))
  }

  /// What everything in the directory, and it itself, takes on the disk. O(names).
  func forEachAllocation(
    _ disk: any Disk, _ body: (_ path: String, _ bytes: Int64) -> Void
  ) throws(DiskFailure) {
    var waiting = [path]
    while let next = waiting.popLast() {
      let entry = try disk.allocation(of: next, followsLink: next == path)
      body(next, entry.bytes)
      if entry.isDirectory { waiting += (try disk.names(in: next) ?? []).map { next + "/" + $0 } }
    }
  }

  /// What the directory says of itself, and the next one while it is being made.
  var manifest: String { path + "/" + Self.manifestName }
  var newManifest: String { manifest + Self.newSuffix }
  static let manifestName = "manifest"

  /// What tells a copy that is not finished, and becomes its manifest.
  var unfinishedCopy: String { path + "/" + Self.copyName }
  static let copyName = manifestName + ".copy"

  /// What says that the last checkpoint failed (``CheckpointNote``).
  var checkpointNote: String { path + "/checkpoint.failed" }

  /// Who took something back (``AuditFile``), unless that is kept elsewhere.
  var audit: String { path + "/audit.ndjson" }

  /// Where kept files are.
  var kept: String { path + "/kept" }

  /// A kept file.
  func keptFile(_ header: KeptHeader) -> String { kept + "/" + Self.name(header.number) + header.kind.suffix }

  /// Whether a name is that of a kept file; others are none of ours.
  static func isKept(_ name: String) -> Bool {
    KeptKind.allCases.contains { kind in
      guard name.hasSuffix(kind.suffix), let number = UInt32(name.dropLast(kind.suffix.count)) else { return false }
      return self.name(number) + kind.suffix == name
    }
  }

  /// Where what was damaged is put by, a directory for each repair.
  var damaged: String { path + "/damaged" }
  func damaged(_ repair: Int) -> String { damaged + "/" + Self.digits(repair, 4) }

  /// Where the journal's files are.
  var journal: String { path + "/journal" }

  /// A journal file. Numbers have eight digits at least, so that names sort as numbers do.
  func journalFile(_ number: UInt32) -> String { journal + "/" + Self.name(number) + Self.journalSuffix }

  /// A journal file that is being made.
  func newJournalFile(_ number: UInt32) -> String { journal + "/" + Self.name(number) + Self.newSuffix }

  /// The number of a journal file; nil where a name is not one of a file that is complete.
  static func journalNumber(_ name: String) -> UInt32? {
    guard name.hasSuffix(journalSuffix), let number = UInt32(name.dropLast(journalSuffix.count)),
      self.name(number) + journalSuffix == name
    else { return nil }
    return number
  }

  /// Whether a name is that of a file whose making was cut off.
  static func isNew(_ name: String) -> Bool { name.hasSuffix(newSuffix) }

  private static let journalSuffix = ".journal"
  private static let newSuffix = ".new"

  private static func name(_ number: UInt32) -> String { digits(Int(number), 8) }

  private static func digits(_ number: Int, _ least: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, least - digits.count)) + digits
  }
}
