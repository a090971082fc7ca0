// Commands that write in a data directory: ingest, rollback, retract.
// Invariant: a command that fails leaves what was acknowledged.
// Not here: reading (DirectorySourceTests), processes that are killed (KillTests).

import Foundation
import Testing

@Suite("Data directories that are written")
struct DirectoryWriteTests {
  private static func withDirectory<Result>(_ body: (String) throws -> Result) throws -> Result {
    try Tool.withScratch { try body($0.appending(path: "market").path) }
  }

  private static func ingest(_ path: String, _ arguments: String..., input: String = "") throws -> Outcome {
    try Tool.run(["ingest", "--data-dir", path, "--format", "json"] + arguments, input: input)
  }

  /// Everything that a directory answers, in one number.
  private static func digest(_ path: String) throws -> Substring {
    let outcome = try Tool.run(["inspect", "--data-dir", path, "--digest", "--format", "json"])
    #expect(outcome.status == 0, "\(outcome.err)")
    return try #require(outcome.out.split(separator: "\"state_digest\":").last)
  }

  /// Rules 3.7, 10.2: the same file again is duplicates and changes nothing; the durable position is said.
  @Test("The same file twice", arguments: ["sync", "os", "none"])
  func twice(durability: String) throws {
    try Self.withDirectory { path in
      let first = try Self.ingest(path, "data/sample.csv", "--durability", durability)
      #expect(first.status == 0)
      #expect(first.out.hasPrefix(#"{"accepted":22,"duplicates":1,"rejected":13,"#))
      // A frame with the rows, and one with the move of the horizon.
      #expect(first.err.contains("continuo: \(path) is durable up to byte 12288 of journal file 1"), "\(first.err)")
      #expect(first.out.hasSuffix("\"sequence\":2}\n"))
      #expect(first.err.contains("--durability \(durability)") == (durability != "sync"))
      #expect(!first.err.contains("nothing was kept"))
      let digest = try Self.digest(path)
      let second = try Self.ingest(path, "data/sample.csv", "--durability", durability)
      #expect(second.out.hasPrefix(#"{"accepted":0,"duplicates":23,"rejected":13,"#))
      #expect(second.out.hasSuffix("\"sequence\":4}\n"))
      #expect(try Self.digest(path) == digest)
    }
  }

  /// Rules 7.3, 10.6: a checkpoint takes everything out of the journal, and changes no answer.
  @Test("A checkpoint, and a command behind it")
  func checkpoint() throws {
    try Self.withDirectory { path in
      #expect(try Self.ingest(path, "data/sample.csv").status == 0)
      let digest = try Self.digest(path)
      let outcome = try Tool.run(["checkpoint", "--data-dir", path, "--format", "json"])
      #expect(outcome.status == 0, "\(outcome.err)")
      #expect(outcome.out.hasPrefix("{\"sequence\":2,\"bytes\":"), "\(outcome.out)")
      #expect(try Self.digest(path) == digest)
      let figures = try Tool.run(["inspect", "--data-dir", path, "--format", "csv"])
      let cells = try #require(figures.out.split(separator: "\n").last).split(
        separator: ",", omittingEmptySubsequences: false)
      #expect(Int(cells[11]) ?? 0 > 0 && Int(cells[12]) ?? 0 > 0)
      let again = try Self.ingest(path, "data/sample.csv")
      #expect(again.out.hasPrefix(#"{"accepted":0,"duplicates":23,"rejected":13,"#))
      #expect(again.out.hasSuffix("\"sequence\":4}\n"))
      #expect(try Self.digest(path) == digest)
      let sound = try Tool.run(["verify", "--data-dir", path, "--format", "csv"])
      #expect(sound.status == 0, "\(sound.err)")
      #expect(sound.out.hasPrefix("files,bytes,events\n") && sound.out.hasSuffix(",22\n"), "\(sound.out)")
      let missing = try Tool.run(["checkpoint", "--data-dir", path + "-none"])
      #expect(missing.status == 1)
      #expect(missing.err.hasPrefix("continuo: not_found: "))
    }
  }

  /// Rule 6: what --retention says stays with the directory; a read command that says another one changes nothing.
  @Test("Retention is kept in the directory")
  func retention() throws {
    try Self.withDirectory { path in
      func minutes(_ arguments: String...) throws -> Int {
        let outcome = try Tool.run(["candles", "--data-dir", path, "--interval", "1m", "--format", "csv"] + arguments)
        #expect(outcome.status == 0, "\(outcome.err)")
        return outcome.out.split(separator: "\n").count - 1
      }
      #expect(try Self.ingest(path, "data/ibm-2013-10.csv.gz").status == 0)
      let usual = try minutes()
      #expect(try Self.ingest(path, "data/sample.csv", "--retention", "raw=7d,1m=1d,5m=1d").status == 0)
      let few = try minutes()
      #expect(few < usual)
      #expect(try minutes("--retention", "raw=90d,1m=30d") >= few)
      #expect(try Self.ingest(path, "data/sample.csv").status == 0)
      #expect(try minutes() == few)
    }
  }

  /// Rule 10.2: an unreadable file is exit 1, and what was acknowledged before it stays.
  @Test("A file that cannot be read, behind one that can")
  func unreadable() throws {
    try Self.withDirectory { path in
      let outcome = try Self.ingest(path, "data/sample.csv", "no/such.csv")
      #expect(outcome.status == 1)
      #expect(outcome.out == "")
      #expect(outcome.err.contains("continuo: not_found: no/such.csv: "))
      #expect(outcome.err.contains("is kept: \(path) is durable up to byte 8192 of journal file 1"), "\(outcome.err)")
      let inspected = try Tool.run(["inspect", "--data-dir", path, "--format", "json"])
      #expect(inspected.out.hasPrefix(#"{"events":22,"#))
    }
  }

  /// Rules 7.2, 10.8: a disk that takes no more is one line; when it does again, so does the directory.
  @Test("No room for a journal file")
  func noRoom() throws {
    try Self.withDirectory { path in
      let line = "continuo ingest --data-dir '\(path)' data/sample.csv --quiet"
      let outcome = try Tool.shell("ulimit -f 2000; \(line)")
      #expect(outcome.status == 1)
      #expect(outcome.out == "")
      #expect(
        outcome.err.hasPrefix("continuo: storage_failed: \(path)/journal/00000001.new: pwrite failed: "),
        "\(outcome.err)")
      #expect(outcome.err.split(separator: "\n").count == 1)
      #expect(try Tool.shell(line).status == 0)
      #expect(try FileManager.default.contentsOfDirectory(atPath: path + "/journal") == ["00000001.journal"])
    }
  }

  /// Rules 7.1, 7.2, 10.8: opening copies the journal's last file; where that fails what was acknowledged is there, and the rest
  /// comes when it can.
  @Test("A write that fails while a directory is opened")
  func copyFails() throws {
    try Self.withDirectory { path in
      let file = path + ".csv"
      let drawn = try Tool.run(
        [
          "load", "--in-process", "--events", "200000", "--tokens", "50", "--digits", "18", "--addresses", "--write",
          file,
        ])
      try #require(drawn.status == 0, "\(drawn.err)")
      // A hundred rows are there; then nothing may be written behind four megabytes of a file.
      #expect(try Tool.shell("head -n 101 '\(file)' | continuo ingest --data-dir '\(path)' - --quiet").status == 0)
      let outcome = try Tool.shell("ulimit -f 8192; continuo ingest --data-dir '\(path)' '\(file)' --quiet")
      #expect(outcome.status == 1)
      #expect(outcome.out == "")
      #expect(
        outcome.err.hasPrefix(
          "continuo: storage_failed: \(path)/journal/00000001.new: pwrite failed: "),
        "\(outcome.err)")
      #expect(outcome.err.split(separator: "\n").count == 1, "\(outcome.err)")
      let left = try Tool.run(["inspect", "--data-dir", path, "--format", "json"])
      #expect(left.status == 0, "\(left.err)")
      #expect(left.out.hasPrefix("{\"events\":100,"), "\(left.out)")
      #expect(try Self.ingest(path, file).status == 0)
      let whole = try Tool.run(["inspect", "--data-dir", path, "--format", "json"])
      #expect(whole.out.hasPrefix("{\"events\":200000,"), "\(whole.out)")
    }
  }

  /// Rule 3.3: the price mode is the directory's; another one is refused, and nothing is changed.
  @Test("A directory has one price mode")
  func price() throws {
    try Self.withDirectory { path in
      #expect(try Self.ingest(path, "data/sample.csv", "--price", "amount-usd").status == 0)
      let digest = try Self.digest(path)
      let files = try Tool.run(
        ["inspect", "--input", "data/sample.csv", "--price", "amount-usd", "--digest", "--format", "json", "--quiet"])
      #expect(files.out.hasSuffix(digest))
      let other = try Self.ingest(path, "data/sample.csv")
      #expect(other.status == 1)
      #expect(other.out == "")
      #expect(
        other.err
          == "continuo: bad_parameter: \(path)/journal/00000001.journal: prices are of mode amount-usd here, not "
          + "quoted. Nothing was changed; ingest with --price amount-usd, or into a directory of its own\n")
      #expect(try Self.digest(path) == digest)
      // What is undone has no price.
      let retract = ["retract", "--data-dir", path, "--kind", "swap", "--chain", "1", "--block", "100"]
      #expect(try Tool.run(retract + ["--log-index", "0"]).status == 0)
      #expect(try Self.ingest(path, "data/sample.csv", "--price", "amount-usd").status == 0)
      #expect(try Self.digest(path) == digest)
    }
  }

  /// Rules 3.8, 10.5, 10.7: a dry run counts and writes nothing; without a terminal `--yes` is wanted; it can all come back.
  @Test("rollback")
  func rollback() throws {
    try Self.withDirectory { path in
      #expect(try Self.ingest(path, "data/sample.csv").status == 0)
      let digest = try Self.digest(path)
      let line = ["rollback", "--data-dir", path, "--chain", "1", "--block", "101"]
      let dry = try Tool.run(line + ["--dry-run", "--format", "json"])
      #expect(dry.out == "{\"chain\":1,\"block\":101,\"undone\":5}\n")
      #expect(dry.err == "continuo: dry run: nothing was written\n")
      let asked = try Tool.run(line)
      #expect(asked.status == 2)
      #expect(asked.out == "")
      #expect(asked.err.contains("--yes"))
      #expect(try Self.digest(path) == digest)
      let done = try Tool.run(line + ["--yes", "--format", "csv"])
      #expect(done.out == "chain,block,undone\n1,101,5\n")
      #expect(done.status == 0)
      #expect(try Self.digest(path) != digest)
      let again = try Tool.run(line + ["--yes", "--format", "csv"])
      #expect(again.out == "chain,block,undone\n1,101,0\n")
      #expect(try Self.ingest(path, "data/sample.csv").out.hasPrefix(#"{"accepted":5,"duplicates":18,"#))
      #expect(try Self.digest(path) == digest)
    }
  }

  /// Rules 6.3, 10.8: what was dropped cannot be undone, dry or not: nothing is changed.
  @Test("rollback below what was dropped", arguments: ["--dry-run", "--yes"])
  func beyondRetention(flag: String) throws {
    try Self.withDirectory { path in
      let rows = """
        block,timestamp,token,amount_usd,price_usd
        1,2024-01-01T00:00:00Z,ART,1,1
        2,2024-02-01T00:00:00Z,ART,1,1

        """
      let outcome = try Self.ingest(path, "-", "--retention", "raw=7d,1m=7d,5m=7d,15m=7d", input: rows)
      #expect(outcome.out.hasPrefix(#"{"accepted":2,"#))
      let digest = try Self.digest(path)
      let undone = try Tool.run(["rollback", "--data-dir", path, "--chain", "0", "--block", "0", flag])
      #expect(undone.status == 1)
      #expect(undone.out == "")
      #expect(undone.err.hasPrefix("continuo: beyond_retention: chain 0 cannot go back to block 0: "), "\(undone.err)")
      #expect(try Self.digest(path) == digest)
    }
  }

  /// Rule 10.5: one event undone; one that is not held is `not_found`.
  @Test("retract")
  func retract() throws {
    try Self.withDirectory { path in
      #expect(try Self.ingest(path, "data/sample.csv").status == 0)
      let line = [
        "retract", "--data-dir", path, "--chain", "1", "--block", "100", "--log-index", "0", "--format", "json",
      ]
      let done = try Tool.run(line + ["--kind", "swap"])
      #expect(done.out == "{\"undone\":1}\n")
      #expect(done.err == "")
      let again = try Tool.run(line + ["--kind", "swap"])
      #expect(again.status == 1)
      #expect(again.out == "")
      #expect(again.err.hasPrefix("continuo: not_found: no swap of chain 1, block 100, log index 0 is held; "))
      for arguments in [["--kind", "trade"], [], ["--kind", "swap", "--chain", "-1"]] {
        #expect(try Tool.run(line + arguments).status == 2, "\(arguments)")
      }
    }
  }

  /// Rules 6.1, 10.0: the horizon moves at the end of an ingest, with `--ordered` after each batch; a directory has a policy of its own.
  @Test("When the horizon moves")
  func horizon() throws {
    let rows = """
      block,timestamp,token,amount_usd,price_usd
      1,2024-03-01T12:00:00Z,ART,1,1
      2,2024-01-01T12:00:00Z,ART,2,2

      """
    let policy = ["--retention", "raw=7d,1m=7d,5m=7d,15m=7d"]
    for (flags, accepted, horizon) in [
      ([], 2, "\"2023-12-02T00:00:00Z\""), (policy, 2, "\"2024-02-23T00:00:00Z\""),
      (policy + ["--ordered"], 1, "\"2024-02-23T00:00:00Z\""),
    ] {
      try Self.withDirectory { path in
        let outcome = try Tool.run(
          ["ingest", "--data-dir", path, "--batch-size", "1", "--format", "json"] + flags, input: rows)
        #expect(outcome.out.hasPrefix("{\"accepted\":\(accepted),"), "\(outcome.out)")
        let inspected = try Tool.run(["inspect", "--data-dir", path, "--format", "json"])
        #expect(inspected.out.contains("\"horizon\":\(horizon),"), "\(inspected.out)")
      }
    }
  }
}
