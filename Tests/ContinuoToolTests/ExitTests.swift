// How the program ends: statuses, the one line of a failure, closed streams.
// Invariant: a failure leaves stdout empty.
// Not here: results (GoldenTests), settings (SettingsTests).

import Foundation
import Testing

@Suite("Exits")
struct ExitTests {
  /// Rule 10.0: usage errors are 2, with one line on stderr and nothing on stdout.
  @Test(
    "usage errors exit with 2",
    arguments: [
      "", "serve --listen localhost:99999", "serve --listen 0.0.0.0:0", "serve --listen :80", "serve --listen ::1:80",
      "serve --listen 8321", "serve --max-body 0", "load", "load --in-process --events 0",
      "load --in-process --digits 9",
      "load --in-process --batch 100001", "load --in-process --tokens none", "load --in-process --days 0",
      "load --in-process --duplicates often", "load --in-process --duplicates 101",
      "load --in-process --order sideways",
      "load --in-process --wallets 0", "load --in-process --readers 65", "load --write market.txt",
      "load --in-process --seed -1", "touch-memory 0",
      "rollback --data-dir d --chain 1 --block 2", "rollback --data-dir d --chain 1",
      "rollback --data-dir d --chain one --block 2 --yes",
      "retract --data-dir d --kind trade --chain 1 --block 2 --log-index 3",
      "ingest --durability perhaps data/sample.csv", "candles", "candles --data-dir d --input data/sample.csv",
      "candles --url localhost", "candles --data-dir d --url http://localhost",
      "candles --input data/sample.csv --nonsense",
      "candles stray --input data/sample.csv", "candles --input data/sample.csv --interval 2h",
      "candles --input data/sample.csv --limit 0", "candles --input data/sample.csv --limit many",
      "candles --input data/sample.csv --from yesterday", "candles --input data/sample.csv --to 2024-12-01",
      "candles --input data/sample.csv --fill zero", "candles --input data/sample.csv --format xml",
      "candles --input data/sample.csv --batch-size 0", "candles --input data/sample.csv --batch-size 100001",
      "candles --input data/sample.csv --retention raw=6d", "candles --input data/sample.csv --retention 1m=100d",
      "candles --input data/sample.csv --time-unit minutes", "candles --input data/sample.csv --map nonsense",
      "candles --input data/sample.csv --preset kraken", "candles --input data/sample.csv --future-tolerance soon",
      "stats --input data/sample.csv --window 2h", "stats --input data/sample.csv --as-of 10000-01-01T00:00:00Z",
      "top --input data/sample.csv --by fame", "top --input data/sample.csv --watch 0",
      "top --input data/sample.csv --watch --format csv", "top --input - --watch",
      "top --input data/sample.csv --limit 0",
      "top --input data/sample.csv --by market-cap --as-of 2024-12-01T10:30:00Z",
      "top --input data/sample.csv --by holders --as-of 2024-12-01T10:30:00Z",
      "holders --input data/sample.csv", "holders --input data/sample.csv --token ART --token BEAT",
      "explain --input data/sample.csv --token ART", "ingest data/sample.csv --input data/sample.csv",
      "explain --input data/sample.csv --token ART --bucket 2024-12-01T10:00:01Z",
    ])
  func usage(line: String) throws {
    let outcome = try Tool.run(line.split(separator: " ").map(String.init))
    #expect(outcome.status == 2)
    #expect(outcome.out == "")
    #expect(outcome.err.hasPrefix("continuo: usage: "))
    #expect(outcome.err.split(separator: "\n").count == 1, "\(outcome.err)")
  }

  /// Rule 10.8: one line with code and remedy, status 1, empty stdout; one unknown token of several refuses all.
  @Test(
    "failures exit with 1 and one line",
    arguments: [
      (
        "candles --input data/sample.csv --token ART --token art --quiet",
        "continuo: unknown_token: no event of token 'art'; the nearest names are 'ART', 'BEAT', "
          + "'Nuit \"bleue\", café'\n"
      ),
      (
        "explain --input data/sample.csv --token NONE --bucket 2024-12-01T10:00:00Z --quiet",
        "continuo: unknown_token: no event of token 'NONE'; the nearest names are 'ART', 'BEAT', "
          + "'Nuit \"bleue\", café'\n"
      ),
    ])
  func failures(line: String, expected: String) throws {
    let outcome = try Tool.run(line.split(separator: " ").map(String.init))
    #expect(outcome.status == 1)
    #expect(outcome.out == "")
    #expect(outcome.err == expected)
  }

  /// Rule 10.8: a file that is not there is `not_found`, one that does not fit is `bad_body`.
  @Test("a missing file, a directory and a file that does not fit")
  func files() throws {
    let missing = try Tool.run(["candles", "--input", "data/sample.csv", "no/such/file.csv", "--quiet"])
    #expect(missing.status == 1)
    #expect(missing.out == "")
    #expect(missing.err.hasPrefix("continuo: not_found: no/such/file.csv: "))
    for (path, code) in [("data", "not_found"), ("README.md", "bad_body")] {
      let outcome = try Tool.run(["ingest", path, "--input-format", "csv"])
      #expect(outcome.status == 1)
      #expect(outcome.out == "")
      #expect(outcome.err.hasPrefix("continuo: \(code): \(path)"), "\(outcome.err)")
      #expect(outcome.err.split(separator: "\n").count == 1)
    }
  }

  /// Rule 10.8: a token is found by its bytes; a range without candles is a header and 0.
  @Test("a known token and an empty range: the header")
  func emptyRange() throws {
    let outcome = try Tool.run(
      ["candles", "--input", "data/sample.csv", "--token", "ART", "--from", "2025-01-01T00:00:00Z", "--format", "csv"])
    #expect(outcome.status == 0)
    #expect(outcome.out.split(separator: "\n").count == 1)
    let composed = try Tool.run(["holders", "--input", "data/sample.csv", "--token", "Nuit \"bleue\", cafe\u{301}"])
    #expect(composed.status == 1, "another Unicode form is another token")
  }

  /// Rule 10.2: an empty file has no events.
  @Test("an empty file has no events")
  func emptyFile() throws {
    let outcome = try Tool.run(["stats", "--input", "-", "--format", "json"])
    #expect(outcome.status == 0)
    #expect(outcome.out == "[]\n")
    #expect(outcome.err == "")
  }

  /// Rule 10.8: nobody reads stdout any more, or it was closed from the start: silent, 0.
  @Test(
    "a closed stdout is silent",
    arguments: [
      "continuo candles --input data/ibm-2013-10.csv.gz --interval 1m --format csv",
      "continuo inspect --input data/sample.csv --quiet", "continuo --help",
    ])
  func closed(line: String) throws {
    let pipe = try Tool.shell("{ \(line); echo $? >&2; } | true")
    #expect(pipe.err == "0\n")
    let none = try Tool.shell("\(line) >&-")
    #expect(none.status == 0)
    #expect(none.err == "")
  }

  /// Rule 10.8: a result that cannot be written is a failure, never a short success.
  @Test("a full disk is a failure", .enabled(if: FileManager.default.fileExists(atPath: "/dev/full")))
  func fullDisk() throws {
    let outcome = try Tool.shell("continuo candles --input data/sample.csv --quiet >/dev/full")
    #expect(outcome.status == 1)
    #expect(outcome.err.hasPrefix("continuo: storage_failed: standard output: "))
  }

  /// Rule 10.7: bytes that could move a cursor or hide text are escaped wherever people read them.
  @Test("hostile text is escaped")
  func hostile() throws {
    let rows = """
      block,timestamp,token,amount_usd,price_usd
      1,2024-12-01T10:00:00Z,A\u{202E}B\u{200B},1,1
      2,2024-12-01T10:00:00Z,\u{1B}[2J,1,1

      """
    let outcome = try Tool.run(["top", "--input", "-"], input: rows)
    #expect(outcome.out.contains(#"A\u{202E}B\u{200B}"#))
    #expect(outcome.err.contains(#"-:3: bad_token: token '\u{1B}[2J'"#))
    #expect(!(outcome.out + outcome.err).unicodeScalars.contains("\u{1B}"))
    let csv = try Tool.run(["top", "--input", "-", "--format", "csv"], input: rows)
    #expect(csv.out.contains("1,A\u{202E}B\u{200B},1,1,"))
  }

  /// Rule 2.6: rows that all lie before 2000, or after now, are a likely slip of the unit.
  @Test(
    "odd times are remarked on",
    arguments: [("s", "1733047205"), ("ms", "1733047205000"), ("ns", "1733047205000000000")])
  func oddTimes(unit: String, time: String) throws {
    let rows = "block,timestamp,token,amount_usd,price_usd\n1,\(time),ART,1,1\n"
    let wrong = try Tool.run(["candles", "--input", "-", "--format", "csv"], input: rows)
    #expect(wrong.status == 0)
    #expect(wrong.err.contains("--time-unit"))
    let right = try Tool.run(["candles", "--input", "-", "--time-unit", unit, "--format", "csv"], input: rows)
    #expect(right.err == "")
    #expect(right.out.contains("ART,2024-12-01T10:00:00Z,"))
    let future = try Tool.run(
      ["candles", "--input", "-", "--allow-future", "--time-unit", "s", "--format", "csv"],
      input: "block,timestamp,token,amount_usd,price_usd\n1,99999999999,ART,1,1\n")
    #expect(future.err.contains("after now"))
    // One row in 1970, one after now: none lies where trades do. A time that is none tells nothing.
    let header = "block,timestamp,token,amount_usd,price_usd\n"
    let both = try Tool.run(
      ["candles", "--input", "-"], input: header + "1,\(time),ART,1,1\n2,2099-01-01T00:00:00Z,ART,1,1\n")
    #expect(both.err.contains("--time-unit"))
    let none = try Tool.run(["candles", "--input", "-"], input: header + "1,x,ART,1,1\n2,2099x,ART,1,1\n")
    #expect(!none.err.contains("--time-unit"))
  }

  /// Rule 10.8: what is repeated of the arguments cannot write to the terminal.
  @Test("usage errors escape what they repeat")
  func hostileArguments() throws {
    for arguments in [["candles", "--interval", "\u{1B}[31mred"], ["candles", "--x\u{1B}[31my"]] {
      let wrong = try Tool.run(arguments)
      #expect(wrong.status == 2 && wrong.out == "" && !wrong.err.utf8.contains(0x1B))
    }
  }

  /// Rule 10.0: help with an example that works, version, completions.
  @Test("help, version and completions")
  func help() throws {
    try Tool.withScratch { scratch in
      let directory = scratch.appending(path: "market").path
      for command in [
        "candles", "stats", "top", "holders", "explain", "ingest", "inspect", "load", "rollback", "retract",
      ] {
        try runExamples(of: command, in: directory)
      }
    }
    #expect(try Tool.run(["--version"]).out.split(separator: ".").count == 3)
    for shell in ["bash", "zsh", "fish"] {
      let script = try Tool.run(["--generate-completion-script", shell])
      #expect(script.status == 0)
      #expect(script.out.contains("interval"))
    }
  }

  /// Runs the examples of a command's help, whose data directory is `market`.
  private func runExamples(of command: String, in directory: String) throws {
    let help = try Tool.run([command, "--help"])
    #expect(help.status == 0)
    let examples = help.out.replacing("\\\n", with: " ").split(separator: "\n").filter { $0.hasPrefix("  continuo ") }
    #expect(!examples.isEmpty)
    for example in examples {
      let outcome = try Tool.shell(String(example).replacing("--data-dir market", with: "--data-dir '\(directory)'"))
      #expect(outcome.status == 0, "\(example): \(outcome.err)")
      #expect(outcome.out.split(separator: "\n").count > (example.contains("json") ? 0 : 1), "\(example)")
    }
  }
}
