// What can go wrong with a data directory, in words for whom it happens to.
// Invariant: every message says where, what was found, what was done, and what to do next.
// Not here: when each is thrown (JournalReader, JournalWriter, Ledger).

/// Why a data directory cannot be opened, or takes no more.
public enum StorageFailure: Error, Equatable, Sendable, CustomStringConvertible {
  /// There is no data directory.
  case missing(path: String)
  /// Another process writes.
  case locked(path: String, holder: String)
  /// Bytes are not what was written: nothing was changed, and nothing was opened.
  case damaged(file: String, byte: Int64, found: String, expected: String)
  /// A newer version has written it.
  case newer(file: String, version: Int)
  /// The system refused a call while the directory was opened.
  case disk(DiskFailure)
  /// A write or a sync failed: what was to be written then may be there or not.
  case poisoned(by: String)

  public var description: String {
    switch self {
    case .missing(let path):
      return "\(path): there is no data directory; 'continuo ingest --data-dir \(path) FILE' makes one"
    case .locked(let path, let holder):
      return "\(path): process \(holder) writes in this directory; end it, or ask it with --url"
    case .damaged(let file, let byte, let found, let expected):
      return "\(file), byte \(byte): found \(found), expected \(expected). Nothing was changed, and the engine did not "
        + "start: a guess could show a wrong price. Keep a copy of the directory; put this file back from a backup"
    case .newer(let file, let version):
      return "\(file): written in format \(version) by a newer continuo; open it with that one"
    case .disk(let failure):
      return "\(failure); nothing was changed: mend it, and start again"
    case .poisoned(let cause):
      return "ingestion has stopped: \(cause). What was being written is there whole or not at all; reads go on. "
        + "Mend the disk, and start again: everything acknowledged is kept"
    }
  }
}

/// Makes calls on the disk, whose failures are the directory's.
func onDisk<Answer>(_ calls: () throws(DiskFailure) -> Answer) throws(StorageFailure) -> Answer {
  do throws(DiskFailure) { return try calls() } catch { throw .disk(error) }
}
