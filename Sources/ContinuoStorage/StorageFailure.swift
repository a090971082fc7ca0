// What can go wrong with a data directory, in words for whom it happens to.
// Invariant: every message says where, what was found, what was done, and what to do next.
// Not here: when each is thrown (JournalReader, JournalWriter, Ledger); for operators: docs/operations.md.

public import Continuo

/// Why a data directory cannot be opened, or takes no more.
public enum StorageFailure: Error, Equatable, Sendable, CustomStringConvertible {
  /// There is no data directory.
  case missing(path: String)
  /// Another process writes.
  case locked(path: String, holder: String)
  /// Other processes read, so that nobody can write.
  case beingRead(path: String)
  /// Bytes are not what was written: nothing was changed, and nothing was opened.
  case damaged(file: String, byte: Int64, found: String, expected: String)
  /// The same, found while the directory was open: nothing more is taken, and reads go on.
  case damageFound(file: String, byte: Int64, found: String, expected: String)
  /// The same, found while the rest of a directory was read whose candles are answered already: nothing is taken, and nothing else is
  /// answered.
  case damagedBehind(file: String, byte: Int64, found: String, expected: String)
  /// A newer version has written it.
  case newer(file: String, version: Int)
  /// A price is something else in it than was asked for.
  case otherPrice(file: String, found: PriceMode, expected: PriceMode)
  /// The system refused a call while the directory was opened, or while a checkpoint was made.
  case disk(DiskFailure)
  /// A journal file is full, and the disk has no room for the next one: nothing was written. It may be tried again.
  case noRoom(path: String, bytesLeft: Int64, bytesNeeded: Int64)
  /// Checkpoints fail, and the journal behind the last one that did not has grown past its bound: nothing was written. It may be
  /// tried again once one succeeds.
  case journalTooLong(path: String, bytes: Int64, limit: Int64, cause: String)
  /// A copy of a directory that is not finished: it was cut off, or is still being made.
  case unfinishedCopy(path: String)
  /// A directory cannot be copied to that place.
  case badTarget(path: String, why: String)
  /// A copy could not be made, or is not what was copied.
  case badCopy(path: String, why: String)
  /// A write or a sync failed: what was to be written then may be there or not.
  case poisoned(by: String)

  /// Whether a checkpoint may help: it makes room.
  var wantsCheckpoint: Bool {
    switch self {
    case .noRoom, .journalTooLong: true
    default: false
    }
  }

  /// Where it was, what was found, and what was done. O(length).
  public var what: String {
    switch self {
    case .missing(let path): return "\(path): there is no data directory"
    case .locked(let path, let holder): return "\(path): process \(holder) writes in this directory"
    case .beingRead(let path): return "\(path): other processes read this directory"
    case .damaged(let file, let byte, let found, let expected):
      return "\(file), byte \(byte): found \(found), expected \(expected). Nothing was changed, and the engine did not "
        + "start: a guess could show a wrong price"
    case .damageFound(let file, let byte, let found, let expected):
      return
        "ingestion has stopped: \(file), byte \(byte): found \(found), expected \(expected). Nothing of this step was "
        + "written, and what was taken before is as durable as it was; reads go on"
    case .damagedBehind(let file, let byte, let found, let expected):
      return
        "\(file), byte \(byte): found \(found), expected \(expected). It was found while the directory was read: nothing is "
        + "taken, and only candles of files that are sound are answered; what was acknowledged is as it was"
    case .newer(let file, let version): return "\(file): written in format \(version) by a newer continuo"
    case .otherPrice(let file, let found, let expected):
      return "\(file): prices are of mode \(found.rawValue) here, not \(expected.rawValue). Nothing was changed"
    case .disk(let failure): return "\(failure). All that was acknowledged is as it was"
    case .noRoom(let path, let left, let needed):
      return "\(path): \(left >> 20) MiB are left on this disk, and a journal file and as much in reserve take "
        + "\(needed >> 20) MiB. Nothing was written; reads go on"
    case .journalTooLong(let path, let bytes, let limit, let cause):
      return "\(path): no checkpoint could be made since the journal had \(bytes >> 10) KiB less, and more than "
        + "\(limit >> 10) KiB are not taken without one. Nothing was written; reads go on. The last one failed: \(cause)"
    case .unfinishedCopy(let path):
      return "\(path): a copy of a data directory that is not finished. It was not opened: what is there is a part"
    case .badTarget(let path, let why): return "\(path): \(why). Nothing was copied"
    case .badCopy(let path, let why):
      return "\(why). What is in \(path) is no copy to rely on; what was to be copied is as it was"
    case .poisoned(let cause):
      return "ingestion has stopped: \(cause). What was being written is there whole or not at all; reads go on"
    }
  }

  /// What to do next. O(length).
  public var remedy: String {
    switch self {
    case .missing(let path): return "'continuo ingest --data-dir \(path) FILE' makes one"
    case .locked: return "end that process, or wait for its end"
    case .beingRead: return "try again when they are done"
    case .damaged:
      return
        "keep a copy of the directory; put this file back from a backup, or see with 'continuo repair --dry-run' what "
        + "can be brought back without one"
    case .damageFound, .damagedBehind:
      return
        "keep a copy of the directory; end this process, then put the file back from a backup, or see with 'continuo repair "
        + "--dry-run' what can be brought back without one"
    case .newer: return "open it with that one"
    case .otherPrice(_, let found, _):
      return "ingest with --price \(found.rawValue), or into a directory of its own"
    case .disk(let failure) where failure.code == DiskFailure.full: return "make room, and try again"
    case .disk: return "mend it, and start again"
    case .noRoom: return "make room, and send the same again"
    case .journalTooLong: return "mend what made it fail; then send the same again, or ask for a checkpoint"
    case .unfinishedCopy: return "remove it, and copy again"
    case .badTarget:
      return "name a directory that is not there yet, or empty, outside of what is copied and with room for it"
    case .badCopy(let path, _):
      return "remove \(path) and copy again; where that fails too, 'continuo verify' looks at what is copied"
    case .poisoned: return "mend the disk, and start again: everything acknowledged is kept"
    }
  }

  /// What happened, and what to do next. O(length).
  public var description: String { "\(what); \(remedy)" }
}

/// Makes calls on the disk, whose failures are the directory's.
package func onDisk<Answer: ~Copyable>(_ calls: () throws(DiskFailure) -> Answer) throws(StorageFailure) -> Answer {
  do throws(DiskFailure) { return try calls() } catch { throw .disk(error) }
}
