// The names of all files of a data directory, and who may write in it.
// Invariant: one writer at a time; a name is spelled here and nowhere else.
// Not here: what is in the files (Journal), calls to the system (Disk).
// Rules 7.8.

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

  private static func name(_ number: UInt32) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, 8 - digits.count)) + digits
  }
}
