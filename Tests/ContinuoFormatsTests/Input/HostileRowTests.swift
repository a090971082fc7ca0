// Hostile rows: each is wrong (or just right) in one way, in CSV and in NDJSON, and its fate is written beside it.
// Invariant: between two hostile rows stands a good one, so that nothing is swallowed and nothing stops.
// Not here: lines that cannot be split (CSVTests, NDJSONTests).

import Continuo
import ContinuoFormats
import Testing

/// A row that differs from a good one in some fields; nil leaves a field out.
struct HostileRow: CustomTestStringConvertible, Sendable {
  var fields: [(String, String?)]
  /// `reason field` where it is rejected, `ok` where not.
  var fate: String

  init(_ fate: String, _ fields: (String, String?)...) {
    self.fate = fate
    self.fields = fields
  }

  var testDescription: String { "\(fields) → \(fate)".prefix(100).description }

  private static let swap: [(String, String?)] = [
    ("block", "1"), ("timestamp", "2024-12-01T13:00:00Z"), ("token", "ART"), ("amount_usd", "10"),
    ("token_amount", "4"),
  ]
  private static let transfer: [(String, String?)] = [
    ("kind", "transfer"), ("block", "1"), ("timestamp", "2024-12-01T13:00:00Z"), ("token", "ART"), ("from", "a"),
    ("to", "b"), ("amount", "10"),
  ]

  private var complete: [(String, String)] {
    let isTransfer = fields.contains { $0 == "kind" && $1 == "transfer" }
    var row = isTransfer ? Self.transfer : Self.swap
    for (name, value) in fields {
      if let index = row.firstIndex(where: { $0.0 == name }) {
        row[index].1 = value
      } else {
        row.append((name, value))
      }
    }
    return row.compactMap { name, value in value.map { (name, $0) } }
  }

  private static let names = EventField.allCases.map(\.name)

  var csv: String {
    let row = complete
    return Self.names.map { name in
      guard let value = row.first(where: { $0.0 == name })?.1 else { return "" }
      return "\"\(value.replacing("\"", with: "\"\""))\""
    }.joined(separator: ",")
  }

  static var csvHeader: String { names.joined(separator: ",") }

  var ndjson: String {
    let members = complete.map { name, value in
      let text = value.unicodeScalars.map { scalar in
        switch scalar {
        case "\"": "\\\""
        case "\\": "\\\\"
        case _ where scalar.value < 0x20: "\\u00" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
        default: String(scalar)
        }
      }.joined()
      return "\"\(name)\":\"\(text)\""
    }
    return "{\(members.joined(separator: ","))}"
  }
}

/// Rules 2.2, 2.6, 3.3, 3.4, 3.5, 3.6: every reason that input can give, and the edges beside it.
@Suite("Hostile rows")
struct HostileRowTests {
  private func check(_ rows: [HostileRow]) {
    let good = HostileRow("ok")
    let all = rows.flatMap { [good, $0] } + [good]
    let inputs = [
      ("test.csv", HostileRow.csvHeader + "\n" + all.map(\.csv).joined(separator: "\n"), 2),
      ("test.ndjson", all.map(\.ndjson).joined(separator: "\n"), 1),
    ]
    for (name, text, firstLine) in inputs {
      let reading = Reading(text, name: name)
      #expect(reading.failure == nil)
      // Rejections by line; quoted line breaks would shift lines, so hostile values have none.
      var fates: [Int: String] = [:]
      for rejection in reading.rejections {
        let words = rejection.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false).map(String.init)
        fates[Int(words[0]) ?? -1] = "\(words[1]) \(words[2])"
      }
      for (index, row) in all.enumerated() {
        #expect(fates[firstLine + index] ?? "ok" == row.fate, "\(name): \(row.testDescription)")
      }
      #expect(reading.rows.count + reading.rejections.count == all.count)
    }
  }

  @Test("malformed: kind, side, and integers of 32, 64, 32 and 256 bits")
  func malformed() {
    let wide = "115792089237316195423570985008687907853269984665640564039457584007913129639935"
    check([
      HostileRow("malformed kind", ("kind", "Swap")), HostileRow("malformed kind", ("kind", "swap ")),
      HostileRow("malformed kind", ("kind", "mint")), HostileRow("malformed side", ("side", "BUY")),
      HostileRow("malformed side", ("side", "b")), HostileRow("ok", ("side", "buy")),
      HostileRow("ok", ("side", "sell")),
      HostileRow("ok", ("chain", "4294967295")), HostileRow("malformed chain", ("chain", "4294967296")),
      HostileRow("malformed chain", ("chain", "-1")), HostileRow("malformed chain", ("chain", "+1")),
      HostileRow("malformed chain", ("chain", "1.0")), HostileRow("malformed chain", ("chain", " 1")),
      HostileRow("ok", ("chain", "000000000000000000000000000001")),
      HostileRow("ok", ("block", "18446744073709551615")),
      HostileRow("malformed block", ("block", "18446744073709551616")),
      HostileRow("malformed block", ("block", "99999999999999999999999999999999999999999999")),
      HostileRow("malformed block", ("block", "0x10")), HostileRow("malformed block", ("block", "1e3")),
      HostileRow("malformed block", ("block", "١")), HostileRow("ok", ("log_index", "4294967295")),
      HostileRow("malformed log_index", ("log_index", "4294967296")),
      HostileRow("ok", ("kind", "transfer"), ("token_id", wide)),
      HostileRow("malformed token_id", ("kind", "transfer"), ("token_id", String(wide.dropLast()) + "6")),
      HostileRow("malformed token_id", ("kind", "transfer"), ("token_id", "-0")),
      HostileRow("ok", ("token_id", "nothing of a swap's")),
      HostileRow("ok", ("kind", "transfer"), ("side", "nothing of a transfer's")),
    ])
  }

  @Test("missing_field: every required one, of swaps and transfers")
  func missing() {
    check([
      HostileRow("missing_field block", ("block", nil)), HostileRow("missing_field timestamp", ("timestamp", nil)),
      HostileRow("missing_field token", ("token", nil)), HostileRow("missing_field amount_usd", ("amount_usd", nil)),
      HostileRow("missing_field amount", ("kind", "transfer"), ("amount", nil)),
      HostileRow("ok", ("kind", "transfer"), ("amount", nil), ("token_id", "7")),
      HostileRow("missing_field token", ("kind", "transfer"), ("token", nil)),
      HostileRow("no_price price_usd", ("token_amount", nil)),
      HostileRow("ok", ("token_amount", nil), ("price_usd", "1")),
    ])
  }

  @Test("bad_token: 1 to 64 bytes of UTF-8 without control characters; bytes decide, nothing is folded")
  func tokens() {
    check([
      HostileRow("ok", ("token", String(repeating: "x", count: 64))),
      HostileRow("bad_token token", ("token", String(repeating: "x", count: 65))),
      HostileRow("ok", ("token", String(repeating: "é", count: 32))),
      HostileRow("bad_token token", ("token", String(repeating: "é", count: 33))),
      HostileRow("bad_token token", ("token", "A\u{1}")), HostileRow("bad_token token", ("token", "A\tB")),
      HostileRow("bad_token token", ("token", "A\u{7F}")), HostileRow("bad_token token", ("token", "A\u{80}")),
      HostileRow("bad_token token", ("token", "A\u{9F}")), HostileRow("ok", ("token", "A\u{A0}")),
      HostileRow("ok", ("token", " ")), HostileRow("ok", ("token", "🎵,\"x\"")),
      HostileRow("ok", ("token", "\u{202E}A")),
    ])
    let reading = Reading(
      "block,timestamp,token,amount_usd,price_usd\n1,1,0xAb,1,1\n2,1,0xab,1,1\n3,1,caf\u{e9},1,1\n4,1,cafe\u{301},1,1\n"
    )
    let tokens = reading.rows.map { Array($0.split(separator: " ")[4].utf8) }
    #expect(Set(tokens).count == 4)
  }

  @Test(
    "Bytes that are no UTF-8: bad_token, bad_address",
    arguments: [[0x80], [0xC0, 0x80], [0xFF], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE2, 0x82]])
  func invalidUTF8(bytes: [UInt8]) {
    let start = Array("block,timestamp,token,amount_usd,price_usd,wallet\n1,1,A".utf8)
    let reading = Reading(bytes: start + bytes + Array(",1,1,w\n2,1,A,1,1,w".utf8) + bytes + Array("\n".utf8))
    #expect(
      reading.rejections.map { String($0.prefix(24)) }.sorted().map { $0.split(separator: " ")[1] } == [
        "bad_token", "bad_address",
      ])
    let json = Array("{\"block\":1,\"timestamp\":1,\"amount_usd\":1,\"price_usd\":1,\"token\":\"A".utf8) + bytes
    #expect(
      Reading(bytes: json + Array("\"}\n".utf8), name: "x.ndjson").rejections.map { $0.split(separator: " ")[1] }
        == ["bad_token"])
  }

  @Test("bad_address: up to 128 bytes; hexadecimal is folded, zero has many spellings, zero to zero is nothing")
  func addresses() {
    check([
      HostileRow("ok", ("wallet", String(repeating: "x", count: 128))),
      HostileRow("bad_address wallet", ("wallet", String(repeating: "x", count: 129))),
      HostileRow("bad_address wallet", ("wallet", "a\u{85}b")),
      HostileRow("bad_address from", ("kind", "transfer"), ("from", "a\u{0}")),
      HostileRow("bad_address to", ("kind", "transfer"), ("to", String(repeating: "0", count: 129))),
      HostileRow("ok", ("kind", "transfer"), ("from", "0x0")), HostileRow("ok", ("kind", "transfer"), ("to", "0X")),
      HostileRow("bad_address to", ("kind", "transfer"), ("from", "0x"), ("to", "0X00")),
      HostileRow("ok", ("kind", "transfer"), ("from", "0x0g"), ("to", "0x0")),
      HostileRow("ok", ("kind", "transfer"), ("from", "a"), ("to", "a")),
    ])
    let csv = Reading(
      "kind,block,timestamp,token,from,to,amount\ntransfer,1,1,A,,b,1\ntransfer,2,1,A,a,,1\ntransfer,3,1,A,,,1\n"
        + "transfer,4,1,A,0XAB,0xCDg,1\n")
    #expect(csv.rejections == ["4 bad_address to "])
    #expect(
      csv.rows.map { $0.split(separator: " ")[6...7].joined(separator: " ") }
        == ["zero 'b'", "'a' zero", "'0xab' '0xCDg'"])
    let without = Reading("kind,block,timestamp,token,from,amount\ntransfer,1,1,A,a,1\n")
    #expect(without.rejections == ["2 missing_field to "])
  }
}
