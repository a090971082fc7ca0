// `continuo backup` and `continuo restore`, run as a user runs them, and killed.
// Invariant: only processes that were started here are killed; what is copied has the digest that it had.
// Not here: copies on a simulated disk (ContinuoStorageTests).

import ContinuoTestSupport
import Foundation
import Testing

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

@Suite("Backups and what is restored of them")
struct BackupTests {
  /// Everything that a directory answers, in one number.
  private static func digest(_ path: String) throws -> Substring {
    let outcome = try Tool.run(["inspect", "--data-dir", path, "--digest", "--format", "json"])
    #expect(outcome.status == 0, "\(outcome.err)")
    return try #require(outcome.out.split(separator: "\"state_digest\":").last)
  }

  /// The names below a folder, and their bytes.
  private static func files(_ path: String) throws -> [String: Data] {
    var files: [String: Data] = [:]
    for name in try FileManager.default.subpathsOfDirectory(atPath: path) where name != "lock" {
      files[name] = try? Data(contentsOf: URL(filePath: path + "/" + name))
    }
    return files
  }

  /// Rules 7.6, 7.8, 10.3: a backup is a data directory, and what is restored of it answers as what was there.
  @Test("A directory, its backup, what is restored of it")
  func roundTrip() throws {
    try Tool.withScratch { scratch in
      let (path, backup) = (scratch.appending(path: "market").path, scratch.appending(path: "backup").path)
      #expect(try Tool.run(["ingest", "--data-dir", path, "data/ibm-2013-10.csv.gz", "--quiet"]).status == 0)
      #expect(try Tool.run(["checkpoint", "--data-dir", path]).status == 0)
      #expect(
        try Tool.run([
          "retract", "--data-dir", path, "--kind", "swap", "--chain", "4", "--block", "17", "--log-index", "0",
        ])
        .status == 0)
      // Who took something back stays with the directory.
      let (digest, files) = (try Self.digest(path), try Self.files(path).filter { $0.key != "audit.ndjson" })
      let made = try Tool.run(["backup", "--data-dir", path, "--to", backup, "--format", "json"])
      #expect(made.status == 0 && made.err == "", "\(made.err)")
      let verified = try Tool.run(["verify", "--data-dir", backup, "--format", "json"])
      let counts = verified.out.dropLast(2)
      #expect(verified.status == 0 && counts.hasPrefix("{\"files\":"), "\(verified.out)")
      #expect(made.out.hasPrefix(counts + ",\"sequence\":15,\"seconds\":\""), "\(made.out)")
      #expect(made.out.hasSuffix("\"}\n"))
      #expect(try Self.digest(backup) == digest)
      let copied = try Self.files(backup)
      #expect(copied == files)
      try FileManager.default.removeItem(atPath: path)
      let restored = try Tool.run(["restore", "--data-dir", path, "--from", backup, "--digest", "--format", "json"])
      #expect(restored.status == 0 && restored.out.hasPrefix(counts + ",\"sequence\":15,\"seconds\":\""), "\(restored)")
      #expect(restored.out.hasSuffix("\"state_digest\":" + digest), "\(restored.out)")
      #expect(try Self.digest(path) == digest)
      let again = try Tool.run(["ingest", "--data-dir", path, "data/ibm-2013-10.csv.gz", "--format", "json"])
      #expect(again.out.hasPrefix("{\"accepted\":1,\"duplicates\":126394,\"rejected\":0,"), "\(again.out)")
      let table = try Tool.run(["backup", "--data-dir", path, "--to", backup + "-2"])
      #expect(table.out.hasPrefix("field"), "\(table.out)")
      #expect(try Self.digest(backup) == digest)
    }
  }

  /// Rule 10.8: every refusal is one line, and nothing is made or written over.
  @Test("What is refused")
  func refused() throws {
    try Tool.withScratch { scratch in
      let (path, backup) = (scratch.appending(path: "market").path, scratch.appending(path: "backup").path)
      func failure(_ arguments: String...) throws -> String {
        let outcome = try Tool.run(arguments)
        #expect(outcome.status == 1 && outcome.out == "", "\(arguments)")
        #expect(outcome.err.split(separator: "\n").count == 1, "\(outcome.err)")
        return String(outcome.err.dropFirst("continuo: ".count))
      }
      #expect(try failure("backup", "--data-dir", path, "--to", backup).hasPrefix("not_found: \(path): "))
      #expect(try failure("restore", "--data-dir", path, "--from", backup).hasPrefix("not_found: \(backup): "))
      #expect(!FileManager.default.fileExists(atPath: path) && !FileManager.default.fileExists(atPath: backup))
      #expect(try Tool.run(["ingest", "--data-dir", path, "data/sample.csv", "--quiet"]).status == 0)
      let files = try Self.files(path)
      for target in [path, path + "/below", path + "/kept", scratch.path] {
        let line = try failure("backup", "--data-dir", path, "--to", target)
        #expect(line.hasPrefix("bad_parameter: \(target): "), "\(line)")
      }
      #expect(
        try failure("backup", "--data-dir", path, "--to", backup + "/no").hasPrefix("storage_failed: \(backup): "))
      #expect(try Tool.run(["backup", "--data-dir", path, "--to", backup, "--quiet"]).status == 0)
      #expect(
        try failure("restore", "--data-dir", path, "--from", backup).hasPrefix(
          "bad_parameter: \(path): something is in this directory already. Nothing was copied; "))
      #expect(try Self.files(path) == files)
      for arguments in [["--to="], [], ["--to"]] {
        #expect(try Tool.run(["backup", "--data-dir", path] + arguments).status == 2)
      }
      #expect(try Tool.run(["restore", "--data-dir", path, "--from="]).status == 2)
      // A byte of the backup: nothing is restored of it.
      let journal = URL(filePath: backup + "/journal/00000001.journal")
      var bytes = try Data(contentsOf: journal)
      bytes[4096 + 80] ^= 1
      try bytes.write(to: journal)
      let damaged = try failure("restore", "--data-dir", path + "-2", "--from", backup)
      #expect(damaged.hasPrefix("damaged: \(journal.path), byte 4096: "), "\(damaged)")
      #expect(!FileManager.default.fileExists(atPath: path + "-2"))
      // A file may not be that long: what is there then is no directory, for no command.
      let short = try Tool.shell("ulimit -f 2000; continuo backup --data-dir '\(path)' --to '\(path)-3'")
      #expect(short.status == 1)
      #expect(
        short.err.hasPrefix("continuo: storage_failed: \(path)-3/journal/00000001.journal: pwrite failed: "),
        "\(short.err)")
      #expect(short.err.hasSuffix("'continuo verify' looks at what is copied\n"))
      for command in ["inspect", "verify", "checkpoint"] {
        #expect(
          try failure(command, "--data-dir", path + "-3").contains("a copy of a data directory that is not finished"))
      }
      #expect(
        try failure("ingest", "--data-dir", path + "-3", "data/sample.csv", "--quiet").hasPrefix("damaged: \(path)-3: ")
      )
      #expect(try Self.files(path) == files)
    }
  }

  // MARK: killed

  /// Starts a command and kills it after some time if it is not done by then.
  ///
  /// - Returns: whether it was killed.
  private static func run(_ arguments: [String], killedAfter microseconds: UInt32) throws -> Bool {
    let process = Process()
    process.executableURL = try #require(Tool.programs).appending(path: "continuo")
    process.arguments = arguments + ["--quiet"]
    process.environment = [:]
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.start()
    usleep(microseconds)
    if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    process.waitUntilExit()
    return process.terminationReason == .uncaughtSignal
  }

  /// Rules 7.5, 7.6: a copy that is killed is refused, or is right; what is copied is what it was.
  @Test("Killed at any moment", arguments: [false, true])
  func killed(isRestored: Bool) throws {
    try Tool.withScratch { scratch in
      let source = scratch.appending(path: "market").path
      #expect(try Tool.run(["ingest", "--data-dir", source, "data/ibm-2013-10.csv.gz", "--quiet"]).status == 0)
      let (digest, files) = (try Self.digest(source), try Self.files(source))
      func arguments(_ target: String) -> [String] {
        isRestored
          ? ["restore", "--data-dir", target, "--from", source] : ["backup", "--data-dir", source, "--to", target]
      }
      let start = ContinuousClock.now
      #expect(try Tool.run(arguments(scratch.appending(path: "whole").path)).status == 0)
      let whole = (ContinuousClock.now - start) / .microseconds(1)
      var (killed, refused, right, absent) = (0, 0, 0, 0)
      for round in 0..<12 {
        let target = scratch.appending(path: "copy-\(round)").path
        let time = UInt32(Double.random(in: 0...1.1) * whole)
        if try Self.run(arguments(target), killedAfter: time) { killed += 1 }
        let found = try Tool.run(["inspect", "--data-dir", target, "--digest", "--format", "json"])
        if found.status == 0 {
          right += 1
          #expect(found.out.hasSuffix(digest), "round \(round), after \(time) µs")
        } else if found.err.contains("a copy of a data directory that is not finished") {
          refused += 1
          #expect(try Tool.run(["ingest", "--data-dir", target, "data/sample.csv", "--quiet"]).status == 1)
        } else {
          absent += 1
          #expect(found.err.hasPrefix("continuo: not_found: "), "\(found.err)")
          let left = try? FileManager.default.contentsOfDirectory(atPath: target)
          #expect((left ?? []).isEmpty, "\(left ?? [])")
        }
        let isUnchanged = try Self.files(source) == files
        #expect(isUnchanged)
        try? FileManager.default.removeItem(atPath: target)
      }
      print(
        "\(isRestored ? "restore" : "backup"): 12 rounds, \(killed) killed: "
          + "\(absent) not there, \(refused) refused, \(right) right")
    }
  }
}
