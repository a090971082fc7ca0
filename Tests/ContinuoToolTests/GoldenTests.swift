// Every command's output on data/sample.csv, worked out by hand from the contract and kept in Tests/Fixtures/golden.
// Invariant: the expected files are written by people, never recorded from the program.
// Not here: real files (RealFileTests), failures (ExitTests).

import Foundation
import Testing

@Suite("Golden output")
struct GoldenTests {
  struct Question: CustomTestStringConvertible, Sendable {
    let name: String
    let arguments: [String]

    init(_ name: String, _ line: String) {
      self.name = name
      arguments = line.split(separator: " ").map(String.init)
    }

    var testDescription: String { name }
  }

  static let questions: [Question] = [
    Question("candles", "candles --input data/sample.csv"),
    Question(
      "candles-one-token",
      "candles --input data/sample.csv --token ART --token ART --interval 1m --to 2024-12-01T10:20:00Z"),
    Question(
      "candles-previous",
      "candles --input data/sample.csv --token ART --from 2024-12-01T10:00:00Z --to 2024-12-01T14:00:00Z "
        + "--fill previous --limit 3"),
    Question("candles-null", "candles --input data/sample.csv --token BEAT --interval 4h --fill null"),
    Question("stats", "stats --input data/sample.csv"),
    Question("stats-as-of", "stats --input data/sample.csv --as-of 2024-12-01T10:30:00Z"),
    Question("stats-window", "stats --input data/sample.csv --window 24h --as-of 1733049000000000"),
    Question("stats-quiet-window", "stats --input data/sample.csv --window 5m --token ART"),
    Question("top", "top --input data/sample.csv"),
    Question("top-change", "top --input data/sample.csv --by change-24h"),
    Question("top-market-cap", "top --input data/sample.csv --by market-cap --limit 2"),
    Question("top-holders", "top --input data/sample.csv --by holders"),
    Question("top-as-of", "top --input data/sample.csv --as-of 2024-12-01T10:30:00Z"),
    Question("holders", "holders --input data/sample.csv --token ART"),
    Question("holders-incomplete", "holders --input data/sample.csv --token BEAT"),
    Question("explain", "explain --input data/sample.csv --token ART --bucket 2024-12-01T10:00:00Z"),
    Question("explain-empty", "explain --input data/sample.csv --token ART --bucket 2024-12-01T11:00:00Z"),
    Question("ingest", "ingest data/sample.csv"),
    Question("inspect", "inspect --input data/sample.csv"),
  ]

  /// Rules 4.2, 4.4, 4.5, 5.1–5.6, 10.3–10.6: columns, order, rounding, fills, windows, rankings, as csv and as json.
  @Test("equals what was worked out by hand", arguments: questions, ["csv", "json"])
  func golden(question: Question, format: String) throws {
    let outcome = try Tool.run(question.arguments + ["--format", format])
    #expect(outcome.out == (try Tool.text("Tests/Fixtures/golden/\(question.name).\(format)")))
    #expect(outcome.status == 0)
  }

  /// Rule 1.1: batches of any size, and any order of the files' rows where nothing conflicts, give the same answers.
  @Test("does not depend on the size of batches", arguments: ["1", "7", "100000"])
  func batches(size: String) throws {
    for question in Self.questions {
      let outcome = try Tool.run(question.arguments + ["--format", "csv", "--batch-size", size])
      #expect(outcome.out == (try Tool.text("Tests/Fixtures/golden/\(question.name).csv")), "\(question.name)")
    }
  }

  /// Rules 6.1, 6.6: with files the horizon stays, and a policy only decides which buckets are served.
  @Test("serves only what the retention policy keeps")
  func retention() throws {
    let line = ["candles", "--input", "data/sample.csv", "--interval", "1m", "--format", "csv"]
    let kept = try Tool.run(line + ["--retention", "raw=7d,1m=1d"])
    let buckets = kept.out.split(separator: "\n").dropFirst().compactMap { $0.split(separator: "Z,").first }
    #expect(
      buckets == [
        "ART,2024-12-01T13:00:00", "BEAT,2024-12-01T23:59:00", "BEAT,2024-12-02T00:00:00",
        #""Nuit ""bleue"", café",2024-12-02T12:00:00"#,
      ])
    let hourly = try Tool.run(
      ["candles", "--input", "data/sample.csv", "--format", "csv", "--retention", "raw=7d,1m=1d"])
    #expect(hourly.out == (try Tool.text("Tests/Fixtures/golden/candles.csv")))
  }

  /// Rule 10.1: `-` is standard input, and several files are one after the other.
  @Test("reads standard input and several files")
  func standardInput() throws {
    let expected = try Tool.text("Tests/Fixtures/golden/candles.csv")
    let lines = try Tool.text("data/sample.csv").split(separator: "\n").map { $0 + "\n" }
    let whole = try Tool.run(["candles", "--input", "-", "--format", "csv"], input: lines.joined())
    #expect(whole.out == expected)
    try Tool.withScratch { scratch in
      let half = scratch.appending(path: "half.csv")
      try Data(([lines[0]] + lines[20...]).joined().utf8).write(to: half)
      let halves = try Tool.run(
        ["candles", "--input", half.path, "-", "--format", "csv"], input: lines[..<20].joined())
      #expect(halves.out == expected)
    }
  }

  /// Rule 10.3: `table` aligns for people; times are text, numbers stand to the right, nothing trails a line.
  @Test("draws tables")
  func tables() throws {
    let holders = try Tool.run(["holders", "--input", "data/sample.csv", "--token", "ART"])
    #expect(
      holders.out == """
        rank  address  balance          share_percent
           1  0xaa01     749.5  74.987493746873436718
           2  0xbb02       250  25.012506253126563282

        """)
    let explained = try Tool.run(
      ["explain", "--input", "data/sample.csv", "--token", "ART", "--bucket", "2024-12-01T10:00:00Z"])
    #expect(
      explained.out == """
        role   price  kind  chain  block  log_index  timestamp
        open     2.5  swap      1    100          0  2024-12-01T10:00:05Z
        high     3.5  swap    137    900          0  2024-12-01T10:00:45.5Z
        low      2.4  swap      1    100          1  2024-12-01T10:00:05Z
        close    2.5  swap      1    102          3  2024-12-01T10:20:00Z

        """)
    let inspected = try Tool.run(["inspect", "--input", "data/sample.csv"])
    #expect(
      inspected.out == """
        field              value
        events             22
        swaps              12
        transfers          10
        first              2024-12-01T09:00:00Z
        tokens             3
        addresses          6
        newest             2024-12-02T12:30:00Z
        clock              2024-12-02T12:30:00Z
        horizon
        negative_balances  1
        incomplete_tokens  2

        """)
  }

  /// Rules 3.7, 10.8: what goes to stderr beside a result, and that `--quiet` keeps it back.
  @Test("says on stderr what is incomplete and what was rejected")
  func stderrLines() throws {
    let holders = try Tool.run(["holders", "--input", "data/sample.csv", "--token", "BEAT"])
    #expect(
      holders.err == """
        continuo: 13 of 36 rows rejected: malformed 2, missing_field 1, bad_token 1, bad_address 1, bad_time 1, \
        bad_number 1, overflow 2, non_positive_amount 1, no_price 1, in_future 1, conflict 1
          data/sample.csv:25: conflict: amount_usd '26'
          data/sample.csv:26: malformed: side 'long'
          data/sample.csv:27: malformed: 'swap,1,201,0,2024-12-01T10:30:00Z,ART,buy,1,1,1'
          data/sample.csv:28: missing_field: amount_usd
          data/sample.csv:29: bad_token: token 'ART-ART-ART-ART-ART-ART-ART-ART-ART-ART-ART-ART-ART-ART-ART-ART-A'
          … 'continuo ingest' lists the first 1000
        holders_incomplete: BEAT

        """)
    let stats = try Tool.run(["stats", "--input", "data/sample.csv"])
    let incomplete = stats.err.split(separator: "\n").filter { $0.hasPrefix("holders_incomplete") }
    #expect(incomplete == ["holders_incomplete: BEAT", #"holders_incomplete: Nuit "bleue", café"#])
    let past = try Tool.run(["stats", "--input", "data/sample.csv", "--as-of", "2024-12-01T10:30:00Z"])
    #expect(!past.err.contains("holders_incomplete"), "no holders are shown as of the past")
    let quiet = try Tool.run(["stats", "--input", "data/sample.csv", "--quiet"])
    #expect(quiet.err == "")
    #expect(quiet.out == stats.out)
  }

  /// Rules 3.6, 10.5: `ingest` lists every rejection, says that nothing was kept, and exits 1 only with `--strict`.
  @Test("lists every rejected row")
  func rejections() throws {
    let outcome = try Tool.run(["ingest", "data/sample.csv"])
    let lines = outcome.err.split(separator: "\n")
    #expect(lines.count == 15)
    #expect(lines.first == "data/sample.csv:25: conflict: amount_usd '26'")
    #expect(lines.last == "continuo: judged only: nothing was kept")
    let strict = try Tool.run(["ingest", "data/sample.csv", "--strict", "--quiet"])
    #expect(strict.status == 1)
    #expect(strict.out == outcome.out)
    #expect(
      strict.err == "continuo: rejected: 13 of 36 rows were rejected; correct them, or leave out --strict\n")
  }

  /// Rule 7.7: the digest is SHA-256 over the CSV of candles at every interval, stats, and holders of each token.
  @Test("digests the CSV of every answer")
  func digest() throws {
    try Tool.withScratch { scratch in
      var parts = ""
      for interval in ["1m", "5m", "15m", "1h", "4h", "1d", "1w"] {
        parts += try Tool.run(["candles", "--input", "data/sample.csv", "--interval", interval, "--format", "csv"]).out
      }
      parts += try Tool.text("Tests/Fixtures/golden/stats.csv")
      for token in ["ART", "BEAT", #"Nuit "bleue", café"#] {
        parts += try Tool.run(["holders", "--input", "data/sample.csv", "--token", token, "--format", "csv"]).out
      }
      let file = scratch.appending(path: "parts")
      try Data(parts.utf8).write(to: file)
      let sum = try Tool.shell("sha256sum '\(file.path)' || shasum -a 256 '\(file.path)'").out.prefix { $0 != " " }
      let inspected = try Tool.run(["inspect", "--input", "data/sample.csv", "--digest", "--format", "json"])
      #expect(inspected.out.contains("\"state_digest\":\"\(sum)\"}"))
      #expect(sum.count == 64)
    }
  }
}
