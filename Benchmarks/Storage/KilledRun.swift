// From kill -9 at full rate to ready: a process of its own takes a market in and is killed; the next one brings everything back.
// Invariant: what was acknowledged before the kill is there; the time is that of a whole process, from exec to its answer.
// Not here: the ingest that is killed (StorageRun), crashes at every point (tools/crash).

internal import Foundation

/// What a start behind a kill takes.
struct KilledRun {
  /// From exec to the answer of `continuo inspect`, which is of all that is held.
  private(set) var readySeconds = 0.0
  /// The bytes of journal that were to be replayed.
  private(set) var journalBytes = 0

  /// - Parameters:
  ///   - directory: where data directories are; it is made there.
  ///   - events: how many the market has.
  init(_ directory: String, events: Int) throws {
    let writer = Process()
    writer.executableURL = URL(fileURLWithPath: CommandLine.arguments[0])
    writer.arguments = [directory, "killed", "--events", "\(events)"]
    let said = Pipe()
    writer.standardOutput = said
    try writer.run()
    let acknowledged = Int(String(decoding: said.fileHandleForReading.availableData, as: UTF8.self).dropLast()) ?? 0
    kill(writer.processIdentifier, SIGKILL)
    writer.waitUntilExit()
    precondition(acknowledged > 0 && writer.terminationReason == .uncaughtSignal, "it was killed at work")
    let answer = try TimedAnswer(["inspect", "--data-dir", directory + "/killed", "--format", "json"])
    readySeconds = answer.seconds
    let fields = try JSONSerialization.jsonObject(with: answer.bytes) as? [String: Any] ?? [:]
    let held = fields["swaps"] as? Int ?? 0
    precondition(held >= acknowledged, "\(held) swaps are held, \(acknowledged) were acknowledged")
    journalBytes = fields["unkept_bytes"] as? Int ?? 0
  }
}
