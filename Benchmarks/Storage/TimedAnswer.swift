// What `continuo` answers, and how long that takes from exec to the last byte.
// Invariant: the program is the one beside this; it ended well.
// Not here: what is asked (FirstCandles, KilledRun).

internal import ContinuoMachine
internal import Foundation

/// An answer of the program.
struct TimedAnswer {
  let bytes: Data
  let seconds: Double

  /// Asks in a process of its own.
  init(_ arguments: [String]) throws {
    let process = Process()
    let own = URL(fileURLWithPath: CommandLine.arguments[0])
    process.executableURL = own.deletingLastPathComponent().appendingPathComponent("continuo")
    process.arguments = arguments
    let output = Pipe()
    process.standardOutput = output
    let start = MachineHandle.nanoseconds
    try process.run()
    // Until its end: what waits for processes looks every 50 ms only.
    bytes = output.fileHandleForReading.readDataToEndOfFile()
    seconds = Double(MachineHandle.nanoseconds - start) / 1e9
    process.waitUntilExit()
    precondition(
      process.terminationStatus == 0, "'continuo \(arguments[0])' ended with \(process.terminationStatus)")
  }
}
