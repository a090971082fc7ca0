// The same file in pieces of any size and in batches of any size gives the same rows.
// Invariant: everything is compared, rejections and line numbers too.
// Not here: what the rows should be (CSVTests, NDJSONTests).

import Continuo
import ContinuoFormats
import ContinuoTestSupport
import Testing

/// Rules 1.1 and 10.2: neither blocks nor batches change what a file says.
@Suite("Pieces and batches")
struct PieceTests {
  /// Random lines out of what has ever made a parser stumble.
  private static func hostile(_ random: inout SeededGenerator, isCSV: Bool, bytesMax: Int) -> String {
    let csv = [
      "1,5,A,1,1,w\n", "2,5,B,1,1,\r\n", "\n", "\r\n", "  \t\n", "3,5,\"C\",1,1,\"w\"\n", "4,5,\"C\nD\",1,1,\n", "\"",
      "\"\"",
      ",", "\r", "\n", "5,5,\"a\"\"b\",1,1,w\r\n", "6,5,A,1,1\n", "7,5,A,x,1,w\n", "8,5,A,1,1,\"open\n", "é", "\u{0}",
      "9,5,A,1,1,\"\"\"\"\n", "\"\r\n", "\",", "x,\"y\"z\n",
    ]
    let ndjson = [
      "{\"block\":1,\"timestamp\":5,\"token\":\"A\",\"amount_usd\":1,\"price_usd\":1}\n", "{}", "\n", "\r\n", " ", "{",
      "}",
      "\"", "\\", "\\u00e9",
      "{\"token\":\"\\ud83c\\udfb5\",\"block\":2,\"timestamp\":5,\"amount_usd\":1,\"price_usd\":1}\r\n",
      "{\"block\":1,\"block\":2}\n", "null", "1", "[", "{\"token\":true}\n", ":", ",", "é",
    ]
    var text = isCSV ? "block,timestamp,token,amount_usd,price_usd,wallet\n" : ""
    let pieces = isCSV ? csv : ndjson
    while text.utf8.count < bytesMax {
      if bytesMax > 100_000, random.chance(2) {
        // Lines and quoted cells about as long as a line may be.
        let length = Limits.lineBytesMax - Int.random(in: 0..<40, using: &random) + 20
        text += (random.chance(50) ? "\"" : "") + String(repeating: random.pick(["x", "y,", "z\n"]), count: length)
      }
      text += random.pick(pieces)
    }
    return text
  }

  @Test("Blocks of 1 byte to 64 KiB, batches of 1, 7 and 10,000", arguments: Seeds.thisRun(20))
  func smallFiles(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    for name in ["a.csv", "a.ndjson"] {
      let text = Self.hostile(&random, isCSV: name == "a.csv", bytesMax: 1_500)
      let whole = Reading(text, name: name, blockBytes: 1 << 20)
      #expect(whole.failure == nil && whole.offered > 10)
      for blockBytes in [1, 2, 3, 5, 8, 13, 64, 1_000, 65_536] {
        for batchRows in [1, 7, 10_000] {
          let pieces = Reading(text, name: name, blockBytes: blockBytes) { $0.batchRows = batchRows }
          #expect(
            pieces.difference(from: whole) == nil,
            "\(name), blocks of \(blockBytes); \(Seeds.replay(seed, "PieceTests"))")
          #expect(pieces.batches.dropLast().allSatisfy { $0 == batchRows })
        }
      }
    }
  }

  @Test("Lines about as long as a line may be", arguments: Seeds.thisRun(6))
  func longLines(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    for name in ["a.csv", "a.ndjson"] {
      let text = Self.hostile(&random, isCSV: name == "a.csv", bytesMax: 600_000)
      let whole = Reading(text, name: name, blockBytes: 1 << 21)
      #expect(whole.failure == nil)
      #expect(whole.rejections.contains { $0.contains(" limit ") } || whole.offered > 1_000)
      for blockBytes in [257, 4_096, 65_535, 65_536, 65_537, 65_538, 65_539, 200_000] {
        let pieces = Reading(text, name: name, blockBytes: blockBytes) { $0.batchRows = 50 }
        #expect(
          pieces.difference(from: whole) == nil, "\(name), blocks of \(blockBytes); \(Seeds.replay(seed, "PieceTests"))"
        )
      }
    }
  }

  @Test("A quoted cell that ends at any place around the limit", arguments: -6...6)
  func aroundTheLimit(offset: Int) {
    let start = "1,5,A,1,1,\""
    for ending in ["\"\n", "\"\r\n", "\"\"\n", "\"x\n", "\",\n", "\n"] {
      for filler in ["x", "\n"] {
        let length = Limits.lineBytesMax - start.utf8.count + offset
        let text =
          "block,timestamp,token,amount_usd,price_usd,wallet\n" + start + String(repeating: filler, count: length)
          + ending
          + "2,5,A,1,1,w\n"
        let whole = Reading(text, blockBytes: 1 << 20)
        for blockBytes in [1_000, 65_536, 65_537] {
          #expect(
            Reading(text, blockBytes: blockBytes).content == whole.content, "\(offset) \(ending.debugDescription)")
        }
        let after = whole.rows.last.map { String($0.split(separator: "/")[1]) }
        #expect(
          after == "2",
          "\(offset) \(ending.debugDescription) \(filler.debugDescription): \(whole.rejections.map { $0.prefix(20) })")
      }
    }
  }

  @Test("A batch ends early where its text passes 64 MiB, and blank lines cost no memory")
  func bigText() {
    let line = Array("1,1,A,1,1,\(String(repeating: "x", count: 60_000))\n".utf8)
    var bytes = Array("block,timestamp,token,amount_usd,price_usd,wallet\n".utf8)
    for _ in 0..<1_200 { bytes += line }
    let reading = Reading(bytes: bytes) { $0.batchRows = 100_000 }
    #expect(reading.offered == 1_200 && reading.batches.count == 2)
    #expect(reading.batches[0] == (Limits.batchBytesMax + line.count - 1 - 50) / line.count)
  }

  @Test("Batch sizes outside 1…100,000 are taken as the nearest")
  func batchSizes() {
    let text = "block,timestamp,token,amount_usd,price_usd\n" + String(repeating: "1,1,A,1,1\n", count: 5)
    #expect(Reading(text) { $0.batchRows = 0 }.batches == [1, 1, 1, 1, 1])
    #expect(Reading(text) { $0.batchRows = -7 }.batches == [1, 1, 1, 1, 1])
    #expect(Reading(text) { $0.batchRows = .max }.batches == [5])
    let many = text + String(repeating: "1,1,A,1,1\n", count: 100_000)
    #expect(Reading(many) { $0.batchRows = .max }.batches == [100_000, 5])
  }
}
