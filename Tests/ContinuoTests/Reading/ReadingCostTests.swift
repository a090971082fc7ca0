// What a read costs besides time: the program that counts it, run.
// Invariant: the program fails where its own counters, or its stops, show nothing.
// Not here: the counting (Tests/Probe), time (Benchmarks).

import Foundation
import Testing

@Suite("What a read costs")
struct ReadingCostTests {
  /// Without optimisation the compiler boxes values that it keeps on the stack otherwise: nothing is promised then.
  private static var isOptimised: Bool {
    #if DEBUG
      false
    #else
      true
    #endif
  }

  /// Rule 8: also while the writer stands still in the middle of a batch, wherever that is.
  @Test(
    "On the way to a candle nothing is allocated, no lock is taken, and no writer is waited for",
    .enabled(if: isOptimised))
  func candlesCostNothing() throws {
    let places = [Bundle.main.bundleURL, Bundle.main.executableURL?.deletingLastPathComponent()].compactMap { $0 }
    let program = try #require(
      places.map { $0.appending(path: "ReadingProbe") }.first { FileManager.default.isExecutableFile(atPath: $0.path) },
      "no built 'ReadingProbe' beside the tests")
    let process = Process()
    let output = Pipe()
    process.executableURL = program
    process.standardOutput = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    // 3: another C library, or a sanitizer, whose calls cannot be counted.
    #expect([0, 3].contains(process.terminationStatus), "status \(process.terminationStatus): \(text)")
  }
}
