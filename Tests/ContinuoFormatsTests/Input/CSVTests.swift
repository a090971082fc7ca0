// CSV as people write it: quotes, line ends, blank lines, wrong columns, endless lines.
// Invariant: each expectation is written out in full, line numbers counted by hand.
// Not here: what a field may hold (HostileRowTests), pieces and batches (PieceTests).

import Continuo
import ContinuoFormats
import Testing

/// Rule 10.2: RFC 4180, physical line numbers, and rule 3.10: a line over 64 KiB is one rejected row.
@Suite("CSV")
struct CSVTests {
  private static let header = "block,timestamp,token,amount_usd,price_usd,wallet\n"

  /// The rejections of `body` under the header above, and how many rows were accepted.
  private func judge(_ body: String) -> (accepted: Int, rejections: [String]) {
    let reading = Reading(Self.header + body)
    #expect(reading.failure == nil)
    return (reading.rows.count, reading.rejections)
  }

  @Test("A plain row, columns in any order, every field in its place")
  func everyField() {
    let reading = Reading(
      """
      side,price_usd,token_amount,amount_usd,token,timestamp,log_index,block,chain,kind,wallet
      buy,2.5,4,10,ART,2024-12-01T13:00:00Z,7,99,8453,swap,0xABC

      """)
    #expect(
      reading.rows == ["2 swap 8453/99/7 2024-12-01T13:00:00Z 'ART' buy '0xabc' absent 10 4 2.5 -"])
    #expect(reading.rejections.isEmpty && reading.warnings.isEmpty && reading.failure == nil)
    let transfers = Reading(
      """
      kind,block,timestamp,token,from,to,amount,token_id
      transfer,1,5,NFT,,bob,,115792089237316195423570985008687907853269984665640564039457584007913129639935
      transfer,2,5,ART,alice,0x00,1.5,
      """)
    #expect(
      transfers.rows == [
        "2 transfer 0/1/0 1970-01-01T00:00:00.000005Z 'NFT' - zero 'bob' 1 0 0 "
          + "115792089237316195423570985008687907853269984665640564039457584007913129639935",
        "3 transfer 0/2/0 1970-01-01T00:00:00.000005Z 'ART' - 'alice' zero 1.5 0 0 -",
      ])
    #expect(transfers.rejections.isEmpty)
  }

  @Test("kind, chain and log_index have defaults, an empty cell is absent")
  func defaults() {
    let reading = Reading(
      "kind,chain,block,log_index,timestamp,token,side,amount_usd,token_amount,price_usd,wallet\n,,5,,6,A,,1,,2,\n")
    #expect(reading.rows == ["2 swap 0/5/0 1970-01-01T00:00:00.000006Z 'A' - absent absent 1 0 2 -"])
  }

  @Test("Quotes: commas, doubled quotes and line breaks inside; the line is the one the row starts in")
  func quotes() {
    let reading = Reading(
      Self.header + "1,1,\"A,B\",1,1,\"\"\n" + "2,1,\"say \"\"hi\"\"\",1,1,\"w\"\n"
        + "3,1,C,1,1,\"two\nlines\"\n" + "4,1,D,1,1,x\n" + "\"5\",\"1\",\"\"\"\",\"1\",\"1\",\"y\"\r\n"
        + "6,1,E,1,1,\"\"")
    #expect(
      reading.rows == [
        "2 swap 0/1/0 1970-01-01T00:00:00.000001Z 'A,B' - absent absent 1 0 1 -",
        "3 swap 0/2/0 1970-01-01T00:00:00.000001Z 'say \"hi\"' - 'w' absent 1 0 1 -",
        "6 swap 0/4/0 1970-01-01T00:00:00.000001Z 'D' - 'x' absent 1 0 1 -",
        "7 swap 0/5/0 1970-01-01T00:00:00.000001Z '\"' - 'y' absent 1 0 1 -",
        "8 swap 0/6/0 1970-01-01T00:00:00.000001Z 'E' - absent absent 1 0 1 -",
      ])
    // A line feed is a control character: no wallet, but one row, that of line 4.
    #expect(reading.rejections == ["4 bad_address wallet two\nlines"])
  }

  @Test("Broken quotes cost one row each, and nothing behind them is swallowed", arguments: ["\n", "\r\n"])
  func brokenQuotes(end: String) {
    let lines = ["1,1,A\"B,1,1,", "2,1,\"A\"B,1,1,", "3,1,A,1,1,w", "4,1,\"A,1,1,", "5,1,A,1,1,\"w\"", "6,1,\"A,1,1,w"]
    let result = judge(lines.map { $0 + end }.joined())
    #expect(
      result.rejections == [
        "2 malformed - 1,1,A\"B,1,1,", "3 malformed - 2,1,\"A\"B,1,1,", "5 malformed - 4,1,\"A,1,1,",
        "7 malformed - 6,1,\"A,1,1,w",
      ])
    #expect(result.accepted == 2)
  }

  @Test("A quote that is never closed costs one row, however much comes behind it")
  func openQuote() {
    let rows = (2...5_000).map { "\($0),1,A,1,1,\n" }.joined()
    let result = judge("1,1,\"A,1,1,\n" + rows)
    #expect(result.rejections == ["2 malformed - 1,1,\"A,1,1,"])
    #expect(result.accepted == 4_999)
  }

  @Test("More or fewer fields than the header")
  func wrongCount() {
    let result = judge("1,1,A,1,1\n2,1,A,1,1,,\n3,1,A,1,1,\n4\n,\n")
    #expect(
      result.rejections == [
        "2 malformed - 1,1,A,1,1", "3 malformed - 2,1,A,1,1,,", "5 malformed - 4", "6 malformed - ,",
      ])
    #expect(result.accepted == 1)
  }

  @Test("Blank lines are skipped and counted, BOM and CRLF are accepted, the last line needs no end")
  func blankLines() {
    let reading = Reading(
      "\u{FEFF}\r\n \t\r\nblock,timestamp,token,amount_usd,price_usd\r\n\r\n1,1,A,1,1\r\n   \n\t\n2,1,A,1,1\n\n3,1,A,1,1"
    )
    #expect(
      reading.rows == [
        "5 swap 0/1/0 1970-01-01T00:00:00.000001Z 'A' - absent absent 1 0 1 -",
        "8 swap 0/2/0 1970-01-01T00:00:00.000001Z 'A' - absent absent 1 0 1 -",
        "10 swap 0/3/0 1970-01-01T00:00:00.000001Z 'A' - absent absent 1 0 1 -",
      ])
    #expect(reading.rejections.isEmpty && reading.failure == nil)
  }

  @Test("A CR that ends no line is part of its cell")
  func strayCR() {
    #expect(judge("1,1,A\rB,1,1,\n").rejections == ["2 bad_token token A\rB"])
    #expect(judge("1,1,A,1,1,w\r").accepted == 1)
  }

  @Test("No events: nothing, blanks, a BOM, a header alone", arguments: ["", "\n\n", " ", "\u{FEFF}", "\r\n"])
  func empty(text: String) {
    #expect(Reading(text) == Reading(""))
    #expect(Reading(text).failure == nil && Reading(text).offered == 0)
    #expect(Reading(text + Self.header).failure == nil)
    #expect(Reading(text + Self.header).offered == 0)
  }

  /// Rule 3.10.
  @Test("A line of 64 KiB is a row, one byte more is a limit", arguments: ["\n", "\r\n", ""])
  func longestLine(end: String) {
    let start = "1,1,A,1,1,"
    let room = Limits.lineBytesMax - start.utf8.count
    let longest = judge("0,1,A,1,1,\n" + start + String(repeating: "x", count: room) + end)
    #expect(longest.rejections == ["3 bad_address wallet \(String(repeating: "x", count: 100))…"])
    #expect(longest.accepted == 1)
    let tooLong = judge("0,1,A,1,1,\n" + start + String(repeating: "x", count: room + 1) + end)
    #expect(tooLong.rejections == ["3 limit - \(start)\(String(repeating: "x", count: 90))…"])
    #expect(tooLong.accepted == 1)
  }

  /// Rule 3.10.
  @Test("An endless line is one rejected row, and the file goes on", arguments: [70_000, 1_000_000])
  func endlessLine(bytes: Int) {
    let middle = String(repeating: ",\"x", count: bytes / 3)
    let result = judge("1,1,A,1,1,\n" + middle + "\n3,1,A,1,1,\n" + middle)
    #expect(result.rejections.map { String($0.prefix(12)) } == ["3 limit - ,\"", "5 limit - ,\""])
    #expect(result.accepted == 2)
  }

  /// Rule 3.10.
  @Test("A blank line over 64 KiB is a limit, in whatever pieces it comes", arguments: [1_000, 65_536, 1 << 20])
  func longBlank(blockBytes: Int) {
    for (count, expected) in [(Limits.lineBytesMax, 0), (Limits.lineBytesMax + 1, 1), (200_000, 1)] {
      let text = Self.header + String(repeating: " ", count: count) + "\n1,1,A,1,1,\n"
      let reading = Reading(text, blockBytes: blockBytes)
      #expect(reading.rejections.count == expected && reading.rows.count == 1 && reading.rows[0].hasPrefix("3 "))
    }
  }

  /// Rule 3.10.
  @Test("A record of many lines in quotes that is longer than 64 KiB")
  func longRecord() {
    // Quotes in order, but over the limit outside of them: one limit row, on with the next physical line.
    let cell = "\"" + String(repeating: "line\n", count: 13_000) + "\""
    let tail = String(repeating: "y", count: 300_000)
    let result = judge("1,1,\(cell),1,1,\(tail)\n2,1,A,1,1,\n")
    #expect(result.rejections.count == 1 && result.rejections[0].hasPrefix("2 limit - 1,1,\"line\n"))
    #expect(result.accepted == 1)
    for batchRows in [1, 2, 100] {
      let text = Self.header + "0,1,A,1,1,\n1,1,\(cell),1,1,\(tail)\n2,1,A,1,1,\n"
      let reading = Reading(text, blockBytes: 65_700) { $0.batchRows = batchRows }
      #expect(reading.rejections.count == 1 && reading.rows.count == 2)
      #expect(reading.rows.last?.hasPrefix("13004 swap 0/2/0") ?? false)
    }
  }
}
