// Rows as csv, json and table, at the edges that files of trades reach.
// Invariant: what is expected is written out, byte by byte.
// Not here: whole commands (ContinuoToolTests).

import Continuo
import ContinuoFormats
import Testing

@Suite("Results as text")
struct ResultWriterTests {
  private static func holder(_ address: String, _ balance: ExactSum, share: Decimal18? = nil) -> HolderAnswer {
    HolderAnswer(rank: 1, holder: Holder(address: ByteString(address), balance: balance, sharePercent: share))
  }

  private static func text(_ rows: [HolderAnswer], _ format: OutputFormat, isBold: Bool = false) -> String {
    var writer = ResultWriter(.holders, as: format, isBold: isBold)
    for row in rows { writer.write(row) }
    writer.finish()
    return String(decoding: writer.takeBytes(), as: UTF8.self)
  }

  /// Rule 10.3: RFC 4180, quotes only where needed.
  @Test(
    "csv quotes only what needs it",
    arguments: [
      ("plain", "plain"), ("two words", "two words"), ("a,b", "\"a,b\""), ("say \"so\"", "\"say \"\"so\"\"\""),
      ("\"", "\"\"\"\""), ("é", "é"), ("'", "'"), (" ", " "), ("a\nb", "\"a\nb\""), ("a\rb", "\"a\rb\""),
      ("=1+1", "=1+1"),
    ])
  func quotes(name: String, cell: String) {
    let text = Self.text([Self.holder(name, ExactSum(.one))], .csv)
    #expect(text.utf8.elementsEqual("rank,address,balance,share_percent\n1,\(cell),1,\n".utf8))
  }

  /// Rule 10.3: JSON strings are escaped, decimals are strings, counts numbers, nulls null.
  @Test("json is valid whatever a name holds")
  func escapes() {
    let name = "\"\\/\u{1}\n\r\t\u{7F}é\u{2028}😀"
    let text = Self.text([Self.holder(name, ExactSum(Decimal18(units: 1)))], .json)
    let escaped = "\\\"\\\\/\\u0001\\n\\r\\t\\u007fé\u{2028}😀"
    #expect(
      text == """
        [
        {"rank":1,"address":"\(escaped)","balance":"0.000000000000000001","share_percent":null}
        ]

        """)
    #expect(Self.text([], .json) == "[]\n")
    #expect(Self.text([], .csv) == "rank,address,balance,share_percent\n")
    let broken = HolderAnswer(
      rank: 1, holder: Holder(address: ByteString([0xFF, 0x41]), balance: .zero, sharePercent: nil))
    #expect(Self.text([broken], .json).contains("\"\u{FFFD}A\""))
  }

  /// Rule 2.5: a sum that does not fit is null where it is answered.
  @Test("a sum that does not fit is null")
  func sums() {
    var sum = ExactSum(.max)
    let fits = Self.holder("a", sum)
    sum += .one
    let tooLarge = Self.holder("b", sum)
    #expect(
      Self.text([fits, tooLarge], .csv)
        == "rank,address,balance,share_percent\n1,a,170141183460469231731.687303715884105727,\n1,b,,\n")
    #expect(Self.text([tooLarge], .json).contains("\"balance\":null"))
  }

  /// Rule 10.3: control, format and unassigned characters are escaped for people, and columns stay aligned.
  @Test("a table shows hostile text as what it is")
  func hostile() {
    let names = [
      "\u{1B}[31mred", "\u{202E}cba", "a\u{200B}b", "back\\slash", "\u{E000}", "\u{2028}", "\u{3164}", "\u{85}",
    ]
    let shown = [
      #"\u{1B}[31mred"#, #"\u{202E}cba"#, #"a\u{200B}b"#, #"back\\slash"#, #"\u{E000}"#, #"\u{2028}"#, #"\u{3164}"#,
      #"\u{85}"#,
    ]
    for (name, expected) in zip(names, shown) { #expect(Visible.text(name) == expected) }
    for name in ["plain", "é", "e\u{301}", "日本", "😀", "Ω≈"] { #expect(Visible.text(name) == name) }
    let one = ExactSum(.one)
    #expect(
      Self.text([Self.holder("日本", one), Self.holder("e\u{301}", one), Self.holder("abcdefgh", one)], .table) == """
        rank  address   balance  share_percent
           1  日本            1
           1  e\u{301}               1
           1  abcdefgh        1

        """)
  }

  /// Rule 10.7: bold only where it is allowed.
  @Test("the header is bold where a terminal takes it")
  func bold() {
    let text = Self.text([Self.holder("a", ExactSum(.one))], .table, isBold: true)
    #expect(text.hasPrefix("\u{1B}[1mrank  address  balance  share_percent\u{1B}[0m\n"))
    #expect(!Self.text([Self.holder("a", ExactSum(.one))], .csv, isBold: true).contains("\u{1B}"))
  }

  /// Rule 10.3: a long table is streamed: only its first rows are held to find the widths.
  @Test("a long table is streamed")
  func stream() {
    var writer = ResultWriter(.holders, as: .table)
    let row = Self.holder("a", ExactSum(.one))
    for _ in 0..<999 { writer.write(row) }
    #expect(writer.bytes.isEmpty)
    writer.write(row)
    #expect(!writer.bytes.isEmpty)
    var text = String(decoding: writer.takeBytes(), as: UTF8.self)
    writer.write(Self.holder("much wider than before", ExactSum(.one)))
    writer.finish()
    text += String(decoding: writer.takeBytes(), as: UTF8.self)
    let lines = text.split(separator: "\n")
    #expect(lines.count == 1_002)
    #expect(lines.last == "   1  much wider than before        1")
    #expect(lines[1_000] == "   1  a              1")
  }

  /// Rules 10.5: columns of what comes through the library only, so far.
  @Test("rollback and retract are one object")
  func undoing() {
    var rollback = ResultWriter(.rollback, as: .json)
    rollback.write(RollbackAnswer(chain: 1, block: .max, undone: 3))
    rollback.finish()
    #expect(
      String(decoding: rollback.takeBytes(), as: UTF8.self)
        == "{\"chain\":1,\"block\":18446744073709551615,\"undone\":3}\n")
    var retract = ResultWriter(.retract, as: .csv)
    retract.write(RetractAnswer(undone: 1))
    retract.finish()
    #expect(String(decoding: retract.takeBytes(), as: UTF8.self) == "undone\n1\n")
  }

  /// Rules 3.6, 10.5: all rejections are counted, the first thousand are listed.
  @Test("a report lists the first thousand rejections")
  func report() {
    var receipt = Receipt()
    receipt.rejections = (0..<700).map { Rejection(line: $0, field: nil, value: "x", reason: .malformed) }
    var report = IngestReport()
    report.add(receipt, file: "a")
    report.add(receipt, file: "b")
    #expect(report.rejected == 1_400)
    #expect(report.rejected(for: .malformed) == 1_400)
    #expect(report.rejections.count == 1_000)
    #expect(report.rejections.last?.file == "b")
    #expect(report.rejections.last?.rejection.line == 299)
  }
}
