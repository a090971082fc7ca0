// Candles of several tokens as CSV, which two threads make: the same bytes as token by token, and the same ends.
// Invariant: what is expected comes from runs about one token, which one thread makes.
// Not here: what candles are (GoldenTests), statuses of other commands (ExitTests).

import Foundation
import Testing

@Suite("Results made by two threads")
struct PieceStreamTests {
  private static let header = "block,timestamp,token,amount_usd,token_amount\n"

  /// The CSV of `candles` about all tokens, from runs about one token each.
  private static func expected(_ tokens: [String], _ file: String, _ flags: String) throws -> String {
    var text = ""
    for token in tokens {
      let lines = try Tool.shell("continuo candles --input \(file) --quiet --format csv \(flags) --token \(token)").out
        .split(separator: "\n")
      if text.isEmpty { text = "token,\(try #require(lines.first, "no header about \(token)"))\n" }
      for line in lines.dropFirst() { text += "\(token),\(line)\n" }
    }
    return text
  }

  /// Rule 10.3: a token of several MiB waits for its turn, and comes out whole.
  @Test("long tokens come one behind the other")
  func long() throws {
    let rows = (0..<8).map { index in
      "\(index),2024-11-\(index < 4 ? "01" : "15")T00:00:00Z,T\(index % 4),\(index + 1).5,\(7 * index + 3)\n"
    }
    try Tool.withScratch { scratch in
      let file = scratch.appending(path: "long.csv").path
      try (Self.header + rows.joined()).write(toFile: file, atomically: true, encoding: .utf8)
      let flags = "--interval 1m --fill previous"
      let all = try Tool.shell("continuo candles --input \(file) --quiet --format csv \(flags)").out
      let expected = try Self.expected(["T0", "T1", "T2", "T3"], file, flags)
      #expect(all.utf8.count > 4 << 20)
      #expect(all == expected, "\(all.utf8.count) bytes, not \(expected.utf8.count)")
    }
  }

  /// Rule 10.5: tokens by bytes, each with its own candles, also where a piece holds several tokens.
  @Test("hundreds of short tokens come in order")
  func short() throws {
    let names = (0..<401).map { "T\(1000 + $0)" }
    var rows = ""
    for (index, name) in names.enumerated() {
      for hour in 0...index % 23 {
        rows +=
          "\(index * 23 + hour + 1),2024-11-01T\(hour < 10 ? "0" : "")\(hour):30:00Z,\(name),\(index + 1).25,\(hour + 3)\n"
      }
    }
    try Tool.withScratch { scratch in
      let file = scratch.appending(path: "short.csv").path
      try (Self.header + rows).write(toFile: file, atomically: true, encoding: .utf8)
      let all = try Tool.shell("continuo candles --input \(file) --quiet --format csv").out.split(separator: "\n")
      #expect(all.count == rows.split(separator: "\n").count + 1)
      let order = all.dropFirst().map { $0.split(separator: ",")[0] }
      #expect(order.map(String.init) == names.enumerated().flatMap { Array(repeating: $1, count: $0 % 23 + 1) })
      for name in [names[0], names[7], names[8], names[222], names[400]] {
        let lines = try Self.expected([name], file, "").split(separator: "\n").dropFirst()
        #expect(all.filter { $0.hasPrefix("\(name),") } == Array(lines))
      }
    }
  }

  /// Rule 10.8: nobody reads any more, or the disk is full, while both threads are at work.
  @Test("a result that is cut ends both threads")
  func cut() throws {
    try Tool.withScratch { scratch in
      let file = scratch.appending(path: "market.csv").path
      let wrote = try Tool.shell("continuo load --write \(file) --events 60000 --tokens 500")
      #expect(wrote.status == 0)
      let pipe = try Tool.shell(
        "{ continuo candles --input \(file) --interval 1m --quiet --format csv; echo $? >&2; } | head -c 70000 | wc -c")
      #expect(pipe.err == "0\n")
      #expect(pipe.out.trimmingCharacters(in: .whitespaces) == "70000\n")
      guard FileManager.default.fileExists(atPath: "/dev/full") else { return }
      let full = try Tool.shell("continuo candles --input \(file) --quiet --format csv >/dev/full")
      #expect(full.status == 1)
      #expect(full.err.hasPrefix("continuo: storage_failed: standard output: "))
    }
  }
}
