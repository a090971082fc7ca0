// Read commands on a data directory: the same answers as from the files, and what a directory can be that cannot be read.
// Invariant: nothing that reads changes a byte of the directory.
// Not here: what writes (DirectoryWriteTests), processes that are killed (KillTests).

import ContinuoBytes
import ContinuoStorage
import Foundation
import Testing

@Suite("Data directories that are read")
struct DirectorySourceTests {
  /// Lends the path of a directory that took in data/sample.csv, in small batches.
  private static func withSample<Result>(_ body: (String) throws -> Result) throws -> Result {
    try Tool.withScratch { scratch in
      let path = scratch.appending(path: "market").path
      let taken = try Tool.run(["ingest", "--data-dir", path, "data/sample.csv", "--batch-size", "5", "--quiet"])
      #expect(taken.status == 0, "\(taken.err)")
      return try body(path)
    }
  }

  private static func journal(_ path: String) -> URL { URL(filePath: path + "/journal/00000001.journal") }

  /// Rules 7.5, 10.1: a directory answers as the files that it took in.
  @Test("Every read command answers as from the files", arguments: ["csv", "json"])
  func everyCommand(format: String) throws {
    try Self.withSample { path in
      let before = try Data(contentsOf: Self.journal(path))
      for question in GoldenTests.questions where !["ingest", "inspect"].contains(question.name) {
        var arguments = question.arguments
        let input = try #require(arguments.firstIndex(of: "--input"))
        arguments.replaceSubrange(input...input + 1, with: ["--data-dir", path])
        let outcome = try Tool.run(arguments + ["--format", format])
        #expect(outcome.out == (try Tool.text("Tests/Fixtures/golden/\(question.name).\(format)")), "\(question.name)")
        #expect(outcome.status == 0)
        #expect(!outcome.err.contains("continuo:"), "\(outcome.err)")
      }
      #expect(try Data(contentsOf: Self.journal(path)) == before)
    }
  }

  /// Rule 10.6: what a directory takes on the disk, together all of it; the digest is that of the files.
  @Test("inspect has the directory's figures")
  func inspect() throws {
    try Self.withSample { path in
      let files = try Tool.run(["inspect", "--input", "data/sample.csv", "--digest", "--format", "csv", "--quiet"])
      let directory = try Tool.run(["inspect", "--data-dir", path, "--digest", "--format", "csv"])
      func rows(_ outcome: Outcome) -> [[Substring]] {
        outcome.out.split(separator: "\n").map { $0.split(separator: ",", omittingEmptySubsequences: false) }
      }
      let (plain, extended) = (rows(files), rows(directory))
      try #require(plain.count == 2 && extended.count == 2)
      #expect(
        extended[0][11..<21] == [
          "raw_bytes", "state_bytes", "journal_bytes", "format_version", "dropped_tail_bytes", "unkept_frames",
          "unkept_bytes", "checkpoint_failed_at", "checkpoint_failure", "sources",
        ])
      // A directory's horizon moves, one of files stands still (6.1).
      for row in 0..<2 {
        let found = [extended[row][..<8], extended[row][9..<11], extended[row][21...]].joined()
        let expected = [plain[row][..<8], plain[row][9...]].joined()
        #expect(Array(found) == Array(expected))
      }
      #expect(extended[1][8] == "2024-09-03T00:00:00Z" && plain[1][8] == "")
      // No checkpoint was worth its while yet: a manifest alone.
      #expect(extended[1][11] == "0" && extended[1][12] == "4096")
      #expect(extended[1][14] == "1" && extended[1][15] == "0")
      let (frames, bytes) = (try #require(Int(extended[1][16])), try #require(Int(extended[1][17])))
      #expect(frames > 1 && bytes == frames * 4096)
      #expect(extended[1][18] == "" && extended[1][19] == "" && extended[1][20] == "")
      let counted = try Tool.shell("find '\(path)' -printf '%b\\n' | awk '{ sum += 512 * $1 } END { print sum }'")
      let sum = extended[1][11...13].reduce(0) { $0 + (Int($1) ?? 0) }
      #expect(counted.out == "\(sum)\n")
    }
  }

  /// Rules 7.3, 10.6: a checkpoint that failed is shown with when and why, from a note of the form that docs/format.md says.
  @Test("inspect has the checkpoint that failed last")
  func failedCheckpoint() throws {
    try Self.withSample { path in
      let note =
        "2024-12-03T10:00:00Z, behind frame 0\n\(path)/kept/00000001.segment: open failed: no\tway (error 13)\nmend it\n"
      try Data(note.utf8).write(to: URL(fileURLWithPath: path + "/checkpoint.failed"))
      let read = try Tool.run(["inspect", "--data-dir", path, "--format", "json"])
      #expect(read.status == 0)
      #expect(read.out.contains("\"checkpoint_failed_at\":\"2024-12-03T10:00:00Z\","), "\(read.out)")
      #expect(read.out.contains("/kept/00000001.segment: open failed: no\\tway (error 13)\""), "\(read.out)")
      #expect(try Tool.run(["checkpoint", "--data-dir", path]).status == 0)
      let after = try Tool.run(["inspect", "--data-dir", path, "--format", "json"])
      #expect(
        after.out.contains("\"unkept_frames\":0,\"unkept_bytes\":0,\"checkpoint_failed_at\":null"), "\(after.out)")
    }
  }

  /// Rules 7.5, 7.6: a directory is verified before anything is written into it where that is asked for.
  @Test("ingest --verify-on-start")
  func verifyOnStart() throws {
    try Self.withSample { path in
      let words = ["ingest", "--data-dir", path, "data/sample.csv", "--format", "csv"]
      let plain = try Tool.run(words)
      #expect(plain.status == 0 && !plain.err.contains("verified"))
      let verified = try Tool.run(words + ["--verify-on-start"])
      #expect(verified.status == 0)
      #expect(
        verified.err.contains("verified: every checksum, and every summary against its events"), "\(verified.err)")
    }
  }

  /// Rule 6.6: a policy only decides which buckets are served, with a directory as with files.
  @Test("The retention policy decides what is served")
  func retention() throws {
    try Self.withSample { path in
      let line = ["candles", "--interval", "1m", "--format", "csv", "--quiet", "--retention", "raw=7d,1m=1d"]
      let files = try Tool.run(line + ["--input", "data/sample.csv"])
      let directory = try Tool.run(line + ["--data-dir", path])
      #expect(directory.out == files.out)
      #expect(directory.status == 0)
    }
  }

  /// Rule 10.1: exactly one source; the one that is set closer to the command line stands.
  @Test("One source, from wherever it is set")
  func sources() throws {
    try Self.withSample { path in
      for arguments in [
        ["stats"], ["stats", "--input", "data/sample.csv", "--data-dir", path], ["stats", "--data-dir", ""],
        ["stats", "--data-dir"],
      ] {
        let outcome = try Tool.run(arguments)
        #expect(outcome.status == 2)
        #expect(outcome.out == "")
        #expect(outcome.err.hasPrefix("continuo: usage: "))
        #expect(outcome.err.split(separator: "\n").count == 1)
      }
      let expected = try Tool.text("Tests/Fixtures/golden/stats.csv")
      let settings = path + ".json"
      try Data(#"{"data-dir": "\#(path)"}"#.utf8).write(to: URL(filePath: settings))
      let cases: [(arguments: [String], environment: [String: String], isDirectory: Bool)] = [
        ([], ["CONTINUO_DATA_DIR": path], true), (["--config", settings], [:], true),
        (["--input", "data/sample.csv"], ["CONTINUO_DATA_DIR": path], false),
        (["--config", settings], ["CONTINUO_INPUT": "data/sample.csv"], false),
        (["--config", settings, "--data-dir", path], ["CONTINUO_INPUT": "data/sample.csv"], true),
      ]
      for (arguments, environment, isDirectory) in cases {
        let outcome = try Tool.run(["stats", "--format", "csv"] + arguments, environment: environment)
        #expect(outcome.out == expected, "\(arguments) \(outcome.err)")
        #expect(outcome.err.contains("rows rejected") != isDirectory)
      }
      let both = try Tool.run(
        ["stats"], environment: ["CONTINUO_DATA_DIR": path, "CONTINUO_INPUT": "data/sample.csv"])
      #expect(both.status == 2)
    }
  }

  private static func expectFailure(
    _ arguments: [String], _ line: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let outcome = try Tool.run(arguments)
    #expect(outcome.status == 1, sourceLocation: sourceLocation)
    #expect(outcome.out == "", sourceLocation: sourceLocation)
    #expect(outcome.err.hasPrefix("continuo: " + line), "\(outcome.err)", sourceLocation: sourceLocation)
    #expect(outcome.err.split(separator: "\n").count == 1, "\(outcome.err)", sourceLocation: sourceLocation)
  }

  /// Rules 7.8, 10.8: a directory that is not there, or that somebody writes in: one line that says who.
  @Test("A directory that is missing, or locked")
  func missingOrLocked() throws {
    try Self.withSample { path in
      let none = path + "-none"
      for command in [["stats"], ["inspect"], ["rollback", "--chain", "1", "--block", "2", "--yes"]] {
        try Self.expectFailure(command + ["--data-dir", none], "not_found: \(none): there is no data directory; ")
        #expect(!FileManager.default.fileExists(atPath: none))
      }
      let ledger = try Ledger(path: path)
      let own = ProcessInfo.processInfo.processIdentifier
      for command in [
        ["stats"], ["inspect"], ["rollback", "--chain", "1", "--block", "2", "--yes"], ["ingest", "data/sample.csv"],
      ] {
        try Self.expectFailure(
          command + ["--data-dir", path], "locked: \(path): process \(own) writes in this directory; ")
      }
      withExtendedLifetime(ledger) {}
    }
  }

  /// Rules 7.5, 10.8: damage names the file and the byte, and is never answered over; what a newer version wrote is said to be that.
  @Test("A damaged byte, and a newer format")
  func damaged() throws {
    try Self.withSample { path in
      let journal = Self.journal(path)
      let whole = try Data(contentsOf: journal)
      func change(_ place: Int, _ value: (UInt8) -> UInt8) throws {
        var bytes = whole
        bytes[place] = value(bytes[place])
        try bytes.write(to: journal)
      }
      for command in [["stats"], ["inspect"], ["ingest", "data/sample.csv"]] {
        try change(4096 + 100) { $0 ^ 1 }
        try Self.expectFailure(command + ["--data-dir", path], "damaged: \(journal.path), byte 4096: found ")
        for place in [8, 9] {
          try change(place) { $0 ^ 2 }
          try Self.expectFailure(command + ["--data-dir", path], "damaged: \(journal.path), byte 0: found ")
        }
        var newer = Array(whole)
        newer[8] = 2
        let head = Array(newer[..<60])
        let sum = CRC32C.sum(head.span)
        for index in 0..<4 { newer[60 + index] = UInt8(truncatingIfNeeded: sum >> UInt32(8 * index)) }
        try Data(newer).write(to: journal)
        try Self.expectFailure(command + ["--data-dir", path], "newer_format: \(journal.path): written in format 2 ")
      }
    }
  }

  /// Rules 7.5, 10.6: a torn tail is counted and said, by readers until a writer cuts it; then `inspect` keeps the count.
  @Test("A torn tail")
  func tornTail() throws {
    try Self.withSample { path in
      let journal = Self.journal(path)
      var bytes = try Data(contentsOf: journal)
      let end = try #require(bytes.lastIndex { $0 != 0 }) / 4096 * 4096 + 4096
      bytes.replaceSubrange(end..<end + 1000, with: Data(repeating: 7, count: 1000))
      try bytes.write(to: journal)
      let inspect = ["inspect", "--data-dir", path, "--format", "json"]
      for _ in 0..<2 {
        let read = try Tool.run(inspect)
        #expect(read.status == 0)
        #expect(read.err.contains("ends with 1000 bytes of a write that a crash cut off"), "\(read.err)")
        #expect(read.out.contains("\"dropped_tail_bytes\":1000,"))
        #expect(read.out.contains("\"events\":22,"))
      }
      let written = try Tool.run(["ingest", "--data-dir", path, "data/sample.csv"])
      #expect(written.status == 0)
      #expect(written.err.contains("ended with 1000 bytes"), "\(written.err)")
      let read = try Tool.run(inspect)
      #expect(read.err == "")
      #expect(read.out.contains("\"dropped_tail_bytes\":1000,"))
    }
  }
}
