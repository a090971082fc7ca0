// Kept files read by somebody else: tools/read-kept, which was written from the pages of docs/format alone.
// Invariant: what it reads is what continuo answers, to the byte; a byte that is other than it was is told.
// Not here: what continuo does with damage (DirectorySourceTests and ContinuoStorageTests), answers without a checkpoint.

import Foundation
import Testing

@Suite("Kept files read by the pages alone")
struct KeptReaderTests {
  /// Two steps, weeks apart, each with a checkpoint behind it; the second has late rows and drops most of the first.
  private static let steps = [
    #"""
    kind,chain,block,log_index,timestamp,token,side,amount_usd,token_amount,price_usd,wallet,from,to,amount,token_id
    swap,1,10,0,2024-01-02T00:00:00Z,ART,buy,12.000000000000000001,5,,0xAA01,,,,
    swap,1,10,3,2024-01-02T00:00:00Z,ART,sell,0.000000000000000007,,2.4,,,,,
    swap,1,11,0,2024-01-02T03:59:59.999999Z,ART,,31.4159,10,3.14159,alice,,,,
    swap,8453,7,1,2024-01-02T04:00:00Z,"B,""eat""",sell,100000000000000000000,99999999999999999999.999999999999999999,,,,,,
    swap,8453,7,2,2024-01-07T23:59:59Z,"B,""eat""",buy,100000000000000000000,1,100000000000000000000,,,,,
    swap,8453,9,0,2024-01-08T00:00:00Z,ART,buy,5,2,2.5,0xaa01,,,,
    transfer,1,12,0,2024-01-03T00:00:00Z,ART,,,,,,,0xAA01,1000,
    transfer,1,13,0,2024-01-03T00:00:01Z,ÖL,,,,,,alice,bob,0.25,
    swap,1,20,0,2024-01-16T10:30:00Z,ART,buy,2,1,2,,,,,
    swap,1,21,0,2024-01-17T23:00:00Z,ÖL,sell,3,,1.5,,,,,

    """#,
    #"""
    kind,chain,block,log_index,timestamp,token,side,amount_usd,token_amount,price_usd,wallet,from,to,amount,token_id
    swap,1,40,2,2024-01-29T12:00:00.000001Z,ART,sell,0.3,0.1,3,0xbb02,,,,
    swap,1,40,0,2024-01-29T12:00:00.000001Z,ART,buy,0.7,0.3,,,,,,
    swap,137,18446744073709551615,4294967295,2024-01-29T13:00:00Z,CUT,,1,3,,0x0,,,,
    transfer,1,41,0,2024-01-29T12:30:00Z,ART,,,,,,0xaa01,0x00112233445566778899aabbccddeeff01234567,0.5,7
    transfer,1,41,1,2024-01-29T12:30:00Z,ART,,,,,,bob,,0,
    swap,1,22,0,2024-01-18T09:00:00Z,ART,buy,8,4,2,,,,,
    swap,1,23,0,2024-01-22T00:00:00Z,ÖL,buy,1.1,1,1.1,,,,,
    swap,1,24,0,2024-01-21T23:59:59Z,ÖL,sell,1.2,1,1.2,,,,,
    swap,8453,8,0,2024-01-07T12:00:00Z,"B,""eat""",buy,1,1,1,,,,,

    """#,
  ]

  /// What the second step leaves of the events: those from 2024-01-22 on.
  private static let events = """
    kind,chain,block,log_index,timestamp,token,side,amount,token_amount,price,wallet,from,to,token_id
    swap,1,23,0,1705881600000000,ÖL,buy,1.1,1,1.1,,,,
    swap,1,40,0,1706529600000001,ART,buy,0.7,0.3,2.333333333333333333,,,,
    swap,1,40,2,1706529600000001,ART,sell,0.3,0.1,3,0xbb02,,,
    swap,137,18446744073709551615,4294967295,1706533200000000,CUT,,1,3,0.333333333333333333,\
    0x0000000000000000000000000000000000000000,,,
    transfer,1,41,0,1706531400000000,ART,,0.5,,,,0xaa01,0x00112233445566778899aabbccddeeff01234567,7
    transfer,1,41,1,1706531400000000,ART,,0,,,,bob,0x0000000000000000000000000000000000000000,

    """

  /// Lends a directory that took in files, or text, each with a checkpoint behind it.
  private static func withKept(
    _ inputs: [(file: String, text: String)], _ arguments: [String] = [], _ body: (String) throws -> Void
  ) throws {
    try Tool.withScratch { scratch in
      let path = scratch.appending(path: "market").path
      for (file, text) in inputs {
        let taken = try Tool.run(["ingest", "--data-dir", path, file, "--quiet"] + arguments, input: text)
        try #require(taken.status == 0, "\(taken.err)")
        let kept = try Tool.run(["checkpoint", "--data-dir", path])
        try #require(kept.status == 0, "\(kept.err)")
      }
      try body(path)
    }
  }

  private static let policy = "raw=7d,1m=7d,5m=7d,15m=7d"

  private static func withSteps(_ policy: String = policy, _ body: (String) throws -> Void) throws {
    try withKept(steps.map { ("-", $0) }, ["--retention", policy], body)
  }

  /// Runs the tool with the python3 that whoever runs the tests has.
  private static func read(_ path: String, _ question: String) throws -> Outcome {
    try Tool.run(
      URL(filePath: "/usr/bin/env"),
      ["python3", "tools/read-kept", path] + question.split(separator: " ").map(String.init),
      input: Data(), environment: ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? ""])
  }

  private static func expectCandles(_ path: String, _ interval: String, atLeast rows: Int) throws {
    let found = try read(path, "candles \(interval)")
    let expected = try Tool.run(["candles", "--data-dir", path, "--interval", interval, "--format", "csv"])
    #expect(found.out == expected.out)
    #expect(found.err == "")
    #expect(found.status == 0)
    #expect(found.out.split(separator: "\n").count > rows)
  }

  /// Rules 4.2, 7.4: candles of kept events equal continuo's.
  @Test("Candles of kept events", arguments: ["1m", "1h", "1d", "1w"])
  func candles(interval: String) throws {
    for file in ["data/sample.csv", "data/ibm-2013-10.csv.gz"] {
      try Self.withKept([(file, "")]) { try Self.expectCandles($0, interval, atLeast: 1) }
    }
  }

  /// Rules 6.4, 6.6, 7.4: what is left of dropped events, and the events that are held, come to continuo's candles; also where
  /// shorter candles are let go of before longer ones.
  @Test("Candles across the horizon", arguments: [policy, policy + ",1h=12d,4h=12d,1d=14d"])
  func bases(policy: String) throws {
    try Self.withSteps(policy) { path in
      let names = try FileManager.default.contentsOfDirectory(atPath: path + "/kept")
      #expect(names.contains { $0.hasSuffix(".bases") })
      for (interval, rows) in [("1m", 2), ("15m", 2), ("1h", 6), ("4h", 6), ("1d", 6), ("1w", 8)] {
        try Self.expectCandles(path, interval, atLeast: rows)
      }
    }
  }

  /// Rules 2.1, 3.5, 7.4: every field of every event is there.
  @Test("Events, field by field")
  func fields() throws {
    try Self.withSteps { path in
      let found = try Self.read(path, "events")
      #expect(found.out == Self.events)
      #expect(found.err == "")
      #expect(found.status == 0)
    }
  }

  /// Rule 7.5: frames behind the kept ones are not read, and said.
  @Test("A journal that holds more")
  func behind() throws {
    try Self.withSteps { path in
      let more = "block,timestamp,token,amount_usd,price_usd\n1,2024-01-29T14:00:00Z,NEW,1,1\n"
      #expect(try Tool.run(["ingest", "--data-dir", path, "-", "--quiet"], input: more).status == 0)
      let found = try Self.read(path, "events")
      #expect(found.out == Self.events)
      #expect(found.err.contains("holds frames that are in no kept file yet"), "\(found.err)")
      #expect(found.status == 0)
    }
  }

  /// Rule 7.4: every byte counts, wherever it is.
  @Test("One byte of a file that is another")
  func damage() throws {
    try Self.withSteps { path in
      let names = try FileManager.default.contentsOfDirectory(atPath: path + "/kept").map { "kept/\($0)" }
      for name in names + ["manifest"] {
        let file = URL(filePath: "\(path)/\(name)")
        let whole = try Data(contentsOf: file)
        // A letter of a name makes another name that is as good: the checksum alone tells.
        let letter = whole.firstRange(of: Data("ART".utf8))?.lowerBound ?? 0
        #expect((letter > 0) == name.hasSuffix(".names"))
        for place in [0, letter, 50, whole.count / 2, whole.count - 1] {
          var bytes = whole
          bytes[place] ^= 1
          try bytes.write(to: file)
          let found = try Self.read(path, "events")
          #expect(found.status == 1, "\(name) \(place)")
          #expect(found.out == "")
          #expect(found.err.hasPrefix("tools/read-kept: \(path)/\(name): byte "), "\(found.err)")
          #expect(found.err.split(separator: "\n").count == 1)
        }
        try whole.write(to: file)
      }
      #expect(try Self.read(path, "events").status == 0)
    }
  }
}
