// `continuo load` as a user runs it: what it prints, what it writes, and that both are the same market.
// Invariant: markets are tiny; how fast anything is, is never checked here.
// Not here: the market's distributions (MarketTests), usage errors (ExitTests).

import Foundation
import Testing

@Suite("Load")
struct LoadTests {
  private static func report(_ line: String) throws -> [String: Any] {
    let outcome = try Tool.run(
      ["load", "--in-process", "--format", "json"] + (line.contains("--tokens") ? [] : ["--tokens", "50"])
        + line.split(separator: " ").map(String.init))
    #expect(outcome.status == 0, "\(outcome.err)")
    #expect(outcome.err == "timed part begins\ntimed part ends\n")
    return try #require(try JSONSerialization.jsonObject(with: Data(outcome.out.utf8)) as? [String: Any])
  }

  @Test(
    "reports every figure, whatever the market",
    arguments: [
      "", "--readers 2", "--cold", "--digits 18", "--duplicates 5%", "--order random --batch 7",
      "--transfers --addresses --uniform",
      "--seed 18446744073709551615 --days 1 --wallets 3",
    ])
  func report(line: String) throws {
    let report = try Self.report("--events 2000 " + line)
    for name in [
      "events", "seconds", "wall_seconds", "events_per_second", "cpu_seconds", "resident_bytes_per_event",
      "touch_ns_per_byte", "copy_events_per_second", "duplicates", "read_p50_us", "read_p99_us", "read_p999_us",
    ] {
      let figure = try #require(report[name] as? NSNumber, "\(name)").doubleValue
      #expect(figure > 0 || name == "duplicates" || name == "resident_bytes_per_event", "\(name)")
    }
    #expect(report["accepted"] as? Int == 2_000)
    #expect(report["rejected"] as? Int == 0)
    #expect((report["duplicates"] as? Int ?? 0 > 0) == line.contains("duplicates"))
    let candles = try #require(report["candles"] as? [String: Int])
    #expect(Set(candles.keys) == ["1m", "5m", "15m", "1h", "4h", "1d", "1w"])
    #expect((candles["1w"] ?? 0 > 0) != line.contains("transfers"))
  }

  /// Rules 1.1, 7.7: recorded before anything was made faster. Whatever is made faster, the answers are these, to the bit.
  @Test(
    "the answers about a market stay what they were",
    arguments: [
      ("", "6a7d556dd84ca7e89fc1b1b6dfcf3929d89999ddb7bf1282f6bc9edfb6145926"),
      ("--digits 18 --readers 1", "9b6186f3b8e380f45e5ac55b94a24bfaaa21c63353262b91fb1dca9fd8e27fde"),
      ("--transfers", "3b7f6e7b5c170f326c27a5bac0cb15003eab2b54c539ff93f0ce77f48046e635"),
      (
        "--duplicates 5% --order random --batch 777",
        "6a7d556dd84ca7e89fc1b1b6dfcf3929d89999ddb7bf1282f6bc9edfb6145926"
      ),
    ])
  func digest(line: String, expected: String) throws {
    let report = try Self.report("--events 100000 --tokens 10000 --digest " + line)
    #expect(report["state_digest"] as? String == expected)
  }

  @Test("serves the candles that the same market has as a file", arguments: ["csv", "ndjson"])
  func file(suffix: String) throws {
    let market = "--events 3000 --seed 5 --duplicates 0.02"
    let candles = try #require(try Self.report(market)["candles"] as? [String: Int])
    try Tool.withScratch { scratch in
      let file = scratch.appending(path: "market.\(suffix)").path
      let written = try Tool.run(
        ["load", "--write", file, "--tokens", "50"] + market.split(separator: " ").map(String.init))
      #expect(written.status == 0 && written.out == "" && written.err == "")
      for (interval, count) in candles {
        let listed = try Tool.run(["candles", "--input", file, "--interval", interval, "--format", "csv"])
        #expect(listed.out.split(separator: "\n").count - 1 == count, "\(interval)")
      }
    }
  }

  @Test("writes to standard output, and says where it cannot write")
  func write() throws {
    let csv = try Tool.run(["load", "--write", "-", "--events", "10", "--tokens", "3"])
    #expect(csv.status == 0)
    #expect(csv.out.split(separator: "\n").count == 11)
    #expect(
      csv.out.hasPrefix("kind,chain,block,log_index,timestamp,token,side,amount_usd,token_amount,price_usd,wallet\n"))
    let nowhere = try Tool.run(["load", "--write", "no/such/folder/x.csv", "--events", "10"])
    #expect(nowhere.status == 1 && nowhere.out == "")
    #expect(nowhere.err.hasPrefix("continuo: storage_failed: no/such/folder/x.csv "))
  }

  @Test("names a value that is out of range, and where it came from")
  func values() throws {
    let outcome = try Tool.run(["load", "--in-process"], environment: ["CONTINUO_EVENTS": "0"])
    #expect(outcome.status == 2)
    #expect(outcome.err.contains("'0' for --events"))
    #expect(outcome.err.contains("(from the environment variable CONTINUO_EVENTS)"))
  }

  @Test("the same figures in every format")
  func formats() throws {
    let line = ["load", "--in-process", "--events", "500", "--tokens", "5", "--quiet", "--cold", "--format"]
    let csv = try Tool.run(line + ["csv"])
    let table = try Tool.run(line + ["table"])
    #expect(csv.err == "" && table.err == "")
    let names = try #require(csv.out.split(separator: "\n").first).split(separator: ",")
    #expect(table.out.split(separator: "\n").map { $0.prefix { $0 != " " } } == names)
    #expect(names.contains("candles_1h"))
  }
}
