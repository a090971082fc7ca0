// The small program in front: what it answers itself, what it leaves to `continuo-server`, and what it says without that.
// Not here: what the commands do (the other suites run them through it).

import Foundation
import Testing

struct FrontTests {
  /// Rule 10.8.
  @Test(arguments: [
    (["candles", "--input", "data/ibm-2013-10.csv.gz"], true), (["top", "--input", "absent.csv"], true),
    (["inspect"], true), (["stats", "--nothing"], true), (["candles", "--url", "http://127.0.0.1:1"], false),
    (["stats", "--url=http://127.0.0.1:1"], false), (["holders", "--config", "c.json"], false),
    (["explain", "--help"], false), (["candles", "-h"], false),
    (["candles", "--generate-completion-script", "bash"], false), (["ingest", "a.csv"], false), (["serve"], false),
    (["--help"], false), (["--version"], false), (["nothing"], false), ([], false), ([""], false),
  ])
  func readingCommandsOfFilesAreAnsweredInFront(_ arguments: [String], _ isAnswered: Bool) throws {
    try withFront { folder, front in
      let log = try putOther(in: folder)
      for (environment, isAnswered) in [
        ([:], isAnswered), (["CONTINUO_URL": "http://127.0.0.1:1"], false), (["CONTINUO_CONFIG": "c.json"], false),
      ] {
        let outcome = try Tool.run(front, arguments, input: Data(), environment: environment)
        #expect(FileManager.default.fileExists(atPath: log.path) != isAnswered)
        #expect((outcome.status == 7) != isAnswered)
        try? FileManager.default.removeItem(at: log)
      }
    }
  }

  /// Rule 10.8.
  @Test(arguments: [
    ["candles", "--input", "data/ibm-2013-10.csv.gz", "--token", "IBM", "--interval", "1d"],
    ["stats", "--input", "data/ibm-2013-10.csv.gz", "--format", "json"],
    ["top", "--input", "data/ibm-2013-10.csv.gz", "--format", "csv"],
    ["candles", "--input", "absent.csv", "--interval", "1d"], ["candles", "--interval", "2d"], ["top", "extra"],
    ["inspect", "--data-dir", "absent"],
  ])
  func bothProgramsSayTheSame(_ arguments: [String]) throws {
    let front = try Tool.run(arguments)
    let programs = try #require(Tool.programs)
    let whole = try Tool.run(programs.appending(path: "continuo-server"), arguments, input: Data(), environment: [:])
    #expect(front.status == whole.status)
    #expect(front.out == whole.out)
    #expect(front.err == whole.err)
    #expect(!front.out.isEmpty || !front.err.isEmpty)
  }

  @Test func allElseGoesOverAsItCame() throws {
    try withFront { folder, front in
      let log = try putOther(in: folder)
      let arguments = ["serve", "--data-dir", "a b", "", "ü\n*"]
      let outcome = try Tool.run(front, arguments, input: Data(), environment: ["CONTINUO_X": "y"])
      #expect(outcome.status == 7)
      let said = String(decoding: try Data(contentsOf: log), as: UTF8.self)
      #expect(said == ([folder.path + "/continuo-server"] + arguments + ["y"]).map { $0 + "\n" }.joined())
    }
  }

  @Test(arguments: ["serve", "health", "config", "migrate", "sync", "postgres"])
  func aMissingProgramIsNamed(_ command: String) throws {
    try withFront { _, front in
      let outcome = try Tool.run(front, [command], input: Data(), environment: [:])
      #expect(outcome.status == 2)
      #expect(
        outcome.err.hasPrefix("continuo: usage: '\(command)' is a command of 'continuo-server'"), "\(outcome.err)")
      #expect(outcome.err.contains("--product continuo-server"))
    }
  }

  /// What is there and does not start is an error of its own; what is this program again is not become for ever.
  @Test func anotherOneThatDoesNotStart() throws {
    try withFront { folder, front in
      let other = folder.appending(path: "continuo-server")
      try Data("#!/bin/sh\n".utf8).write(to: other)
      let refused = try Tool.run(front, ["serve"], input: Data(), environment: [:])
      #expect(refused.status == 1)
      #expect(refused.err.contains("is there and does not start: Permission denied"), "\(refused.err)")
      try FileManager.default.removeItem(at: other)
      try FileManager.default.copyItem(at: front, to: other)
      let itself = try Tool.run(front, ["serve"], input: Data(), environment: [:])
      #expect(itself.status == 2 && itself.err.contains("'serve' is a command of 'continuo-server'"), "\(itself.err)")
      // A link in another folder leads here.
      try FileManager.default.removeItem(at: other)
      let log = try putOther(in: folder)
      try Tool.withScratch { elsewhere in
        let link = elsewhere.appending(path: "continuo")
        try FileManager.default.createSymbolicLink(at: link, withDestinationURL: front)
        #expect(try Tool.run(link, ["serve"], input: Data(), environment: [:]).status == 7)
      }
      #expect(FileManager.default.fileExists(atPath: log.path))
    }
  }

  /// Rule 20.10.
  @Test func aloneItWritesButNotIntoADirectoryOfADatabase() throws {
    try withFront { folder, front in
      let market = folder.appending(path: "market").path
      func run(_ arguments: [String]) throws -> Outcome {
        try Tool.run(front, arguments, input: Data(), environment: [:])
      }
      let taken = try run(["ingest", "--data-dir", market, "data/ibm-2013-10.csv.gz"])
      #expect(taken.status == 0, "\(taken.err)")
      let asked = try run(["top", "--url", "http://127.0.0.1:1"])
      #expect(asked.status == 2)
      #expect(asked.err.contains("--product continuo-server"), "\(asked.err)")
      try Data("keys".utf8).write(to: URL(filePath: market + "/postgres.keys"))
      for arguments in [
        ["ingest", "--data-dir", market, "data/ibm-2013-10.csv.gz"],
        ["rollback", "--data-dir", market, "--chain", "1", "--block", "1", "--yes"],
      ] {
        let refused = try run(arguments)
        #expect(refused.status == 1)
        #expect(refused.err.contains("source_owned"), "\(refused.err)")
        #expect(refused.err.contains("continuo-server"), "\(refused.err)")
      }
    }
  }

  /// Puts a program in the other one's place that writes down what it was started with, in the file of the answer, and ends with 7.
  private func putOther(in folder: URL) throws -> URL {
    let log = folder.appending(path: "log")
    let script = "#!/bin/sh\nprintf '%s\\n' \"$0\" \"$@\" \"$CONTINUO_X\" >\"\(log.path)\"\nexit 7\n"
    let whole = folder.appending(path: "continuo-server")
    try Data(script.utf8).write(to: whole)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: whole.path)
    return log
  }

  /// Lends a folder with the small program alone in it.
  private func withFront(_ body: (_ folder: URL, _ front: URL) throws -> Void) throws {
    let programs = try #require(Tool.programs)
    try Tool.withScratch { folder in
      let front = folder.appending(path: "continuo")
      try FileManager.default.copyItem(at: programs.appending(path: "continuo"), to: front)
      try body(folder, front)
    }
  }
}
