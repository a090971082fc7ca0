// What the command line takes back, with its lines in the audit log of the directory.
// Invariant: what cannot be written down first is not done.
// Not here: the lines (ContinuoFormats), the file (ContinuoStorage).

internal import ArgumentParser
internal import ContinuoFormats
internal import ContinuoStorage
internal import FoundationEssentials

/// Where it is written down who took something back.
struct AuditOptions: ParsableArguments {
  static let settings: [Setting] = [.value("audit-log")]

  @Option(
    help: ArgumentHelp(
      "Where rollbacks, retractions and repairs are written down, a line of JSON before and behind each. "
        + "(default: audit.ndjson in the data directory)",
      valueName: "file"),
    completion: .file())
  var auditLog: String?

  mutating func validate() throws {
    if auditLog == "" { throw ValidationError("'' for --audit-log names no file") }
  }

  /// Does something that is to be found in the audit log.
  func recording<Done>(
    _ act: AuditEntry.Act, in directory: String, _ body: () throws -> Done,
    figures: (Done) -> (undone: Int?, sequence: UInt64?)
  ) throws -> Done {
    let audit = try AuditFile(path: auditLog ?? AuditFile.path(in: directory))
    let entry = AuditEntry(act, who: "command line", from: "user \(ProcessInfo.processInfo.userName)")
    return try audit.record(
      { number, stage in
        let outcome: AuditEntry.Outcome =
          switch stage {
          case .begun: .begun
          case .done(let done): .done(undone: figures(done).undone, sequence: figures(done).sequence)
          case .failed(let error as StorageFailure): .failed(error.what)
          case .failed: .failed("it was refused")
          }
        return entry.line(number, outcome, at: Feed.wallClock)
      }, body)
  }
}
