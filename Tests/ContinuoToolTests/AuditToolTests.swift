// What the command line takes back is written down, before it is done.
// Invariant: what cannot be written down is not done.
// Not here: servers (ContinuoServerTests), the file on a disk that fails (ContinuoStorageTests).

import Foundation
import Testing

@Suite("The audit log of commands")
struct AuditToolTests {
  private static func lines(_ path: String) throws -> [[String: Any]] {
    let text = try String(contentsOfFile: path, encoding: .utf8)
    return try text.split(separator: "\n").map {
      try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }
  }

  /// Rules 3.7, 3.8, 7.6: rollbacks, retractions and repairs, in the directory or where it is said; dry runs are none.
  @Test("A line before and one behind")
  func lines() throws {
    try Tool.withScratch { scratch in
      let (path, other) = (scratch.appending(path: "market").path, scratch.appending(path: "elsewhere").path)
      #expect(try Tool.run(["ingest", "--data-dir", path, "data/sample.csv"]).status == 0)
      let rollback = ["rollback", "--data-dir", path, "--chain", "137", "--block", "905"]
      #expect(try Tool.run(rollback + ["--dry-run"]).status == 0)
      #expect(!FileManager.default.fileExists(atPath: path + "/audit.ndjson"))
      #expect(try Tool.run(rollback + ["--yes"]).status == 0)
      let event = ["--kind", "swap", "--chain", "1", "--block", "110", "--log-index", "0"]
      let retracted = try Tool.run(["retract", "--data-dir", path] + event)
      #expect(retracted.status == 0, "\(retracted.err)")
      let again = try Tool.run(["retract", "--data-dir", path, "--audit-log", other] + event)
      #expect(again.status == 1 && again.err.hasPrefix("continuo: not_found: "))
      let lines = try Self.lines(path + "/audit.ndjson")
      #expect(lines.compactMap { $0["act"] as? String } == ["rollback", "rollback", "retract", "retract"])
      #expect(lines.compactMap { $0["outcome"] as? String } == ["begun", "done", "begun", "done"])
      #expect(lines.allSatisfy { $0["who"] as? String == "command line" })
      #expect(
        (lines[1]["undone"] as? Int ?? 0) > 0 && lines[1]["sequence"] as? Int == 3 && lines[3]["undone"] as? Int == 1)
      #expect(try Self.lines(other).last?["undone"] as? Int == 0)

      // The log is no part of what is verified, copied or repaired.
      #expect(try Tool.run(["verify", "--data-dir", path]).status == 0)
      let copy = scratch.appending(path: "copy").path
      #expect(try Tool.run(["backup", "--data-dir", path, "--to", copy]).status == 0)
      #expect(!FileManager.default.fileExists(atPath: copy + "/audit.ndjson"))
      #expect(try Tool.run(["checkpoint", "--data-dir", path]).status == 0)
      try Data("no manifest".utf8).write(to: URL(filePath: path + "/manifest"))
      let repaired = try Tool.run(["repair", "--data-dir", path, "--accept-loss"])
      #expect(repaired.status == 0, "\(repaired.err)")
      let last = try #require(try Self.lines(path + "/audit.ndjson").last)
      #expect(last["act"] as? String == "repair" && last["outcome"] as? String == "done")
    }
  }

  /// Rules 3.7, 3.8: a full disk under the log.
  @Test("A log that cannot be written")
  func full() throws {
    try Tool.withScratch { scratch in
      let path = scratch.appending(path: "market").path
      #expect(try Tool.run(["ingest", "--data-dir", path, "data/sample.csv"]).status == 0)
      func digest() throws -> String {
        try Tool.run(["inspect", "--data-dir", path, "--digest", "--format", "csv"]).out
      }
      let before = try digest()
      for arguments in [
        ["rollback", "--chain", "137", "--block", "905", "--yes"],
        ["retract", "--kind", "swap", "--chain", "1", "--block", "110", "--log-index", "0"],
      ] {
        let refused = try Tool.run(arguments + ["--data-dir", path, "--audit-log", "/dev/full"])
        #expect(refused.status == 1 && refused.err.hasPrefix("continuo: storage_failed: /dev/full"), "\(refused.err)")
      }
      #expect(try digest() == before)
    }
  }
}
