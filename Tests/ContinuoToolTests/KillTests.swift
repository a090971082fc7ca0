// The program killed while it ingests: what is there is a beginning of the file, and the same file completes it.
// Invariant: only processes that were started here are killed.
// Not here: crashes of the machine (ContinuoStorageTests, on a simulated disk).

import ContinuoTestSupport
import Foundation
import Testing

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

@Suite("Killed while it ingests")
struct KillTests {
  private static let (events, batch, rounds) = (300_000, 2_000, 10)

  /// Starts an ingest, and kills it after some time if it is not done by then.
  ///
  /// - Returns: whether it was killed.
  private static func ingest(_ file: String, into path: String, killedAfter milliseconds: Int) throws -> Bool {
    let process = Process()
    process.executableURL = try #require(Tool.programs).appending(path: "continuo")
    process.arguments = ["ingest", "--data-dir", path, file, "--batch-size", "\(batch)", "--quiet"]
    process.environment = [:]
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.start()
    Thread.sleep(forTimeInterval: Double(milliseconds) / 1000)
    if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    process.waitUntilExit()
    return process.terminationReason == .uncaughtSignal
  }

  /// Rules 7.1, 7.5, 10.2: a crash leaves a prefix of whole batches, and the same file again completes it.
  @Test("Killed at any moment, then the same file again: nothing is missing, nothing is twice")
  func killed() throws {
    try Tool.withScratch { scratch in
      let file = scratch.appending(path: "market.csv").path
      let drawn = try Tool.run(
        ["load", "--in-process", "--events", "\(Self.events)", "--tokens", "50", "--write", file])
      try #require(drawn.status == 0, "\(drawn.err)")
      func inspect(_ source: String...) throws -> Outcome {
        try Tool.run(["inspect", "--digest", "--format", "json", "--quiet"] + source)
      }
      let whole = try inspect("--input", file).out
      let digest = try #require(whole.split(separator: "\"state_digest\":").last)
      var (killed, held) = (0, [Int]())
      for round in 0..<Self.rounds {
        let path = scratch.appending(path: "market-\(round)").path
        // Where the machine is quick, few are alive for long.
        let longest = round.isMultiple(of: 2) ? 400 : 150
        if try Self.ingest(file, into: path, killedAfter: Int.random(in: 0...longest)) { killed += 1 }
        let left = try inspect("--data-dir", path)
        if FileManager.default.fileExists(atPath: path + "/lock") {
          #expect(left.status == 0, "\(left.err)")
          let count = left.out.prefix { $0 != "," }.split(separator: ":").last.flatMap { Int($0) }
          held.append(try #require(count, "\(left.out)"))
          #expect(held[held.count - 1] % Self.batch == 0, "a part of a batch")
        } else {
          #expect(left.err.hasPrefix("continuo: not_found: "), "\(left.err)")
        }
        let again = try Tool.run(["ingest", "--data-dir", path, file, "--format", "json"])
        #expect(again.status == 0, "\(again.err)")
        #expect(again.out.contains("\"rejected\":0,"))
        let completed = try inspect("--data-dir", path)
        #expect(completed.out.hasSuffix(digest), "round \(round)")
        try FileManager.default.removeItem(atPath: path)
      }
      print("\(Self.rounds) rounds, \(killed) killed, held then: \(held.map(String.init).joined(separator: " "))")
    }
  }
}
