// Acts that take something back, with their lines in the audit log.
// Invariant: what cannot be written down first is not done.
// Not here: the lines (ContinuoFormats), the file (ContinuoStorage), the acts (UndoRoutes).

internal import Continuo
internal import ContinuoFormats
internal import ContinuoStorage

extension Question {
  /// Does something that is to be found in the audit log.
  ///
  /// - Parameter figures: how many events were undone, and how far the journal is.
  func audited<Done>(
    _ act: AuditEntry.Act, _ body: () throws -> Done, figures: (Done) -> (undone: Int, sequence: UInt64)
  ) throws -> Done {
    guard let audit = try market.opened().audit else { return try body() }
    let entry = AuditEntry(act, who: who, from: ask.peer ?? "")
    let line: (Int64, AuditFile.Stage<Done>) -> [UInt8] = { number, stage in
      let outcome: AuditEntry.Outcome =
        switch stage {
        case .begun: .begun
        case .done(let done): .done(undone: figures(done).undone, sequence: figures(done).sequence)
        case .failed(let error): .failed(Problem(error).detail)
        }
      return entry.line(number, outcome, at: market.wallClock())
    }
    return try audit.record(line, body)
  }
}
