// `continuo repair` as it is typed: what it lists, what it asks, what it exits with.
// Invariant: nothing is written where it did not say so.
// Not here: what can be brought back (RepairTests of ContinuoStorage).

import Foundation
import Testing

@Suite("continuo repair")
struct RepairToolTests {
  /// Lends the path of a directory with a checkpoint, and one of its segments.
  private static func withDirectory<Result>(_ body: (String, URL) throws -> Result) throws -> Result {
    try Tool.withScratch { scratch in
      let path = scratch.appending(path: "market").path
      #expect(try Tool.run(["ingest", "--data-dir", path, "data/sample.csv", "--quiet"]).status == 0)
      #expect(try Tool.run(["checkpoint", "--data-dir", path, "--quiet"]).status == 0)
      let segments = try FileManager.default.contentsOfDirectory(atPath: path + "/kept").filter {
        $0.hasSuffix(".segment")
      }.sorted()
      return try body(path, URL(filePath: path + "/kept/" + (try #require(segments.last))))
    }
  }

  private static func flip(_ file: URL, _ place: Int) throws {
    var bytes = try Data(contentsOf: file)
    bytes[place] ^= 1
    try bytes.write(to: file)
  }

  private static func repair(_ path: String, _ arguments: String...) throws -> Outcome {
    try Tool.run(["repair", "--data-dir", path] + arguments)
  }

  private static func digest(_ path: String) throws -> Substring {
    let outcome = try Tool.run(["inspect", "--data-dir", path, "--digest", "--format", "json"])
    return outcome.out.split(separator: "\"state_digest\":").last ?? ""
  }

  private static let header = "kind,file,byte,events,identities,tokens,from,to,what\n"

  /// Rules 7.6, 10.7: a sound directory is left alone; the empty list is the answer.
  @Test("Nothing is damaged")
  func sound() throws {
    try Self.withDirectory { path, _ in
      for arguments in [[], ["--dry-run"], ["--accept-loss"]] {
        let outcome = try Tool.run(["repair", "--data-dir", path, "--format", "csv"] + arguments)
        #expect(outcome.status == 0, "\(outcome.err)")
        #expect(outcome.out == Self.header)
        #expect(outcome.err.contains("nothing"), "\(outcome.err)")
        #expect(outcome.err.split(separator: "\n").count == 1)
      }
      #expect(try Self.repair(path, "--format", "json").out == "[]\n")
      #expect(!FileManager.default.fileExists(atPath: path + "/damaged"))
      let missing = try Self.repair(path + "-none")
      #expect(missing.status == 1)
      #expect(missing.err.hasPrefix("continuo: not_found: "))
    }
  }

  /// Rules 7.6, 10.7: what the journal has too is not lost; whoever cannot be asked says so on the command line.
  @Test("A damaged segment that is still in the journal")
  func inTheJournal() throws {
    try Self.withDirectory { path, segment in
      let digest = try Self.digest(path)
      try Self.flip(segment, 90)
      let damaged = try Data(contentsOf: segment)
      let refused = try Tool.run(["stats", "--data-dir", path])
      #expect(refused.status == 1 && refused.err.contains("'continuo repair --dry-run'"), "\(refused.err)")
      let verified = try Tool.run(["verify", "--data-dir", path])
      #expect(verified.status == 1 && verified.err.contains("'continuo repair --dry-run'"), "\(verified.err)")
      let dry = try Self.repair(path, "--dry-run", "--format", "json")
      #expect(dry.status == 0 && dry.out == "[]\n", "\(dry.err)")
      #expect(dry.err.contains(segment.lastPathComponent) && dry.err.contains("nothing would be lost"), "\(dry.err)")
      let asked = try Self.repair(path)
      #expect(asked.status == 2 && asked.out == "" && asked.err.contains("--yes"), "\(asked.err)")
      #expect(try Data(contentsOf: segment) == damaged)
      let done = try Self.repair(path, "--yes", "--format", "csv")
      #expect(done.status == 0 && done.out == Self.header, "\(done.err)")
      #expect(
        done.err.contains("is repaired, and holds 22 events") && done.err.contains("\(path)/damaged/0001"),
        "\(done.err)")
      #expect(try Data(contentsOf: URL(filePath: path + "/damaged/0001/" + segment.lastPathComponent)) == damaged)
      #expect(try Self.digest(path) == digest)
      #expect(try Tool.run(["verify", "--data-dir", path]).status == 0)
      let again = try Tool.run(["ingest", "--data-dir", path, "data/sample.csv", "--format", "json"])
      #expect(again.out.hasPrefix(#"{"accepted":0,"duplicates":23,"#), "\(again.out)")
      #expect(try Self.repair(path, "--dry-run").status == 0)
    }
  }

  /// Rules 7.6, 10.8: a loss is listed and exit 1, until it is accepted; then what is left answers.
  @Test("A damaged segment, and a journal that has it no more")
  func lost() throws {
    try Self.withDirectory { path, segment in
      try Self.flip(segment, 90)
      try Self.flip(URL(filePath: path + "/journal/00000001.journal"), 4096 + 100)
      let before = try Tool.shell("cd '\(path)' && find . -type f ! -name lock | sort | xargs sha256sum")
      for arguments in [["--dry-run"], [], ["--yes"]] {
        let outcome = try Tool.run(["repair", "--data-dir", path, "--format", "csv"] + arguments)
        #expect(outcome.status == 1)
        #expect(outcome.out.hasPrefix(Self.header + "segment,\(segment.path),"), "\(outcome.out)")
        #expect(outcome.err.contains("continuo: damaged: ") && outcome.err.contains("--accept-loss"), "\(outcome.err)")
        let after = try Tool.shell("cd '\(path)' && find . -type f ! -name lock | sort | xargs sha256sum")
        #expect(after.out == before.out, "\(arguments)")
      }
      let listed = try Self.repair(path, "--dry-run", "--format", "csv").out
      let done = try Self.repair(path, "--accept-loss", "--format", "csv")
      #expect(done.status == 0, "\(done.err)")
      #expect(done.out == listed)
      let cells = try #require(listed.split(separator: "\n").last).split(
        separator: ",", omittingEmptySubsequences: false)
      let events = try #require(Int(cells[3]))
      #expect(events > 0)
      let held = try Tool.run(["inspect", "--data-dir", path, "--format", "json"])
      #expect(held.out.hasPrefix("{\"events\":\(22 - events),"), "\(held.out)")
      #expect(try Tool.run(["verify", "--data-dir", path]).status == 0)
      // What was lost is taken again, the rest is there.
      let again = try Tool.run(["ingest", "--data-dir", path, "data/sample.csv", "--format", "json"])
      #expect(again.out.hasPrefix("{\"accepted\":\(events),"), "\(again.out)")
    }
  }

  /// Rule 7.6: without manifest and first frame nothing can be told, and a backup is what helps.
  @Test("A manifest that is gone")
  func manifest() throws {
    try Self.withDirectory { path, _ in
      try FileManager.default.removeItem(atPath: path + "/manifest")
      let dry = try Self.repair(path, "--dry-run", "--format", "csv")
      #expect(dry.status == 1)
      #expect(dry.out.hasPrefix(Self.header + "manifest,\(path)/manifest,0,,,,,,"), "\(dry.out)")
      try Self.flip(URL(filePath: path + "/journal/00000001.journal"), 4096 + 100)
      let refused = try Self.repair(path, "--accept-loss")
      #expect(refused.status == 1 && refused.out == "", "\(refused.out)")
      #expect(refused.err.contains("put all of it back from a backup"), "\(refused.err)")
      try Self.flip(URL(filePath: path + "/journal/00000001.journal"), 4096 + 100)
      #expect(try Self.repair(path, "--accept-loss").status == 0)
      #expect(try Tool.run(["verify", "--data-dir", path]).status == 0)
      let held = try Tool.run(["inspect", "--data-dir", path, "--format", "json"])
      #expect(held.out.hasPrefix("{\"events\":22,"), "\(held.out)")
    }
  }
}
