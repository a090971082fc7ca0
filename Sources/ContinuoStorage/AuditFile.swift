// The file that says who took something back: a line before each such act, and one behind it.
// Invariant: an act is begun only when its line is on the disk; lines are only appended, by one process at a time.
// Not here: what a line says (ContinuoFormats/AuditEntry), the acts.
// Format: docs/format.md.

internal import Continuo
internal import Synchronization

/// A file of lines that are on the disk before what they tell is done.
///
///     let audit = try AuditFile(path: AuditFile.path(in: "market"))
///     let undone = try audit.record(line) { try ledger.rollback(chain: 1, above: 100) }
public final class AuditFile: Sendable {
  /// How far an act is.
  public enum Stage<Answer> {
    /// It is about to be done.
    case begun
    /// It is done.
    case done(Answer)
    /// It was not done, or nobody knows.
    case failed(any Error)
  }

  private struct State: Sendable {
    var end: Int64
    /// A write that failed: nothing more is taken, for nobody knows what is on the disk behind it.
    var failure: DiskFailure?
  }

  /// The file.
  public let path: String
  private let file: any DiskFile
  private let state: Mutex<State>

  /// The file in a data directory.
  public static func path(in directory: String) -> String { DataDirectory(path: directory).audit }

  /// Opens a file, which is made where there is none, and keeps others out. O(1).
  ///
  /// - Throws: ``StorageFailure/disk(_:)``: it cannot be written, or another process writes it.
  public convenience init(path: String) throws(StorageFailure) { try self.init(RealDisk(), path: path) }

  package init(_ disk: any Disk, path: String) throws(StorageFailure) {
    let (file, end) = try onDisk { () throws(DiskFailure) in
      guard let file = try disk.lock(path, shared: false) else {
        throw DiskFailure(call: "flock", path: path, code: 11, message: "another process writes it")
      }
      try disk.syncDirectory(DataDirectory(path: path).parent)
      var end = try file.bytes()
      var last: [UInt8] = []
      if end > 0 { try file.read(1, at: end - 1, into: &last) }
      // What a crash cut off is no line: the next one is not a part of it.
      if let byte = last.first, byte != Self.lineEnd {
        try file.write([Self.lineEnd].span, at: end)
        end += 1
      }
      return (file, end)
    }
    (self.path, self.file) = (path, file)
    state = Mutex(State(end: end))
  }

  private static let lineEnd = UInt8(ascii: "\n")

  /// Does something, with a line before and one behind it. Where the first one cannot be put on the disk nothing is done; where the
  /// second one cannot, what was done stands, and nothing is begun any more.
  ///
  /// - Parameter line: makes a line, which ends with a line feed; both have one number, which no other act of the file has.
  public func record<Answer>(
    _ line: (_ number: Int64, Stage<Answer>) -> [UInt8], _ act: () throws -> Answer
  ) throws -> Answer {
    let number = try append { line($0, .begun) }
    do {
      let answer = try act()
      _ = try? append { _ in line(number, .done(answer)) }
      return answer
    } catch {
      _ = try? append { _ in line(number, .failed(error)) }
      throw error
    }
  }

  /// Puts a line on the disk; where it begins.
  private func append(_ line: (Int64) -> [UInt8]) throws(StorageFailure) -> Int64 {
    try state.withLock { state throws(StorageFailure) in
      if let failure = state.failure { throw .disk(failure) }
      let (start, bytes) = (state.end, line(state.end))
      do throws(DiskFailure) {
        try file.write(bytes.span, at: start)
        try file.sync()
      } catch {
        state.failure = error
        throw .disk(error)
      }
      state.end += Int64(bytes.count)
      return start
    }
  }
}
