// NDJSON: exactly the JSON that RFC 8259 has, flat, one object a line.
// Invariant: each line's fate is written beside it.
// Not here: what a field may hold (HostileRowTests), pieces and batches (PieceTests).

import Continuo
import ContinuoFormats
import Testing

/// Rule 10.2: any value may be a string or a number, null is absent; rule 3.6: `malformed` is what is not one flat object.
@Suite("NDJSON")
struct NDJSONTests {
  private func judge(_ text: String) -> Reading {
    let reading = Reading(text, name: "test.ndjson")
    #expect(reading.failure == nil)
    return reading
  }

  @Test("Strings and numbers alike, any order, blanks and CRLF")
  func values() {
    let reading = judge(
      "\u{FEFF}{\"kind\":\"swap\",\"chain\":\"8453\",\"block\":99,\"log_index\":\"7\",\"timestamp\":\"2024-12-01T13:00:00Z\","
        + "\"token\":12,\"side\":\"sell\",\"amount_usd\":1e1,\"token_amount\":\"4\",\"price_usd\":2.50,\"wallet\":\"0xAB\"}\r\n"
        + "\r\n \t { \"token\" : \"A\" , \"block\" : 1 ,\t\"timestamp\" : 2 , \"amount_usd\" : 3, \"price_usd\":4 } \r\n"
        + "{\"kind\":null,\"chain\":null,\"log_index\":null,\"side\":null,\"wallet\":null,\"token_amount\":null,"
        + "\"block\":1,\"timestamp\":2,\"token\":\"A\",\"amount_usd\":3,\"price_usd\":4}")
    #expect(
      reading.rows == [
        "1 swap 8453/99/7 2024-12-01T13:00:00Z '12' sell '0xab' absent 10 4 2.5 -",
        "3 swap 0/1/0 1970-01-01T00:00:00.000002Z 'A' - absent absent 3 0 4 -",
        "4 swap 0/1/0 1970-01-01T00:00:00.000002Z 'A' - absent absent 3 0 4 -",
      ])
    #expect(reading.rejections.isEmpty && reading.warnings.isEmpty)
  }

  @Test("Numbers are their digits, never doubles")
  func digits() {
    let reading = judge(
      "{\"block\":1,\"timestamp\":1,\"token\":\"A\",\"amount_usd\":123456789012345678901.123456789012345678,"
        + "\"price_usd\":0.000000000000000001}")
    #expect(
      reading.rows.first?.hasSuffix("123456789012345678901.123456789012345678 0 0.000000000000000001 -") ?? false)
  }

  /// Lines that are no flat object. The valid line around them is accepted, so that nothing is swallowed.
  @Test(
    "Whatever is not one flat JSON object is malformed",
    arguments: [
      "1", "\"x\"", "null", "[]", "[{}]", "{", "}", "{}{}", "{} x", "{},", "{\"a\"}", "{\"a\":}", "{\"a\" 1}",
      "{\"a\":1,}", "{,\"a\":1}", "{\"a\":1 \"b\":2}", "{\"a\":1;}", "{a:1}", "{'a':1}", "{\"a\":'x'}", "{\"a\":{}}",
      "{\"a\":[]}", "{\"a\":[1]}", "{\"token\":{}}", "{\"a\":01}", "{\"a\":+1}", "{\"a\":.5}", "{\"a\":1.}",
      "{\"a\":1.e5}", "{\"a\":1e}", "{\"a\":1e+}", "{\"a\":-}", "{\"a\":--1}", "{\"a\":0x10}", "{\"a\":1_000}",
      "{\"a\":NaN}", "{\"a\":Infinity}", "{\"a\":nul}", "{\"a\":nulll}", "{\"a\":True}", "{\"a\":tru}",
      "{\"a\":falsey}",
      "{\"a\":\"x}", "{\"a\":\"\\x\"}", "{\"a\":\"\\u12\"}", "{\"a\":\"\\u12G4\"}", "{\"a\":\"\\\"}", "{\"a\":\"\t\"}",
      "{\"a\":\"\u{1}\"}", "{\"\t\":1}", "{\"block\":1,\"block\":1}", "{\"block\":null,\"block\":1}",
      "{\"bl\\u006fck\":1,\"block\":1}", "{\"a\":1}}", "{\"a\":1}]", "{\"a\":1} //x", "{\"a\":1}\u{0}", "\u{FEFF}{}",
    ])
  func malformed(line: String) {
    let valid = "{\"block\":1,\"timestamp\":1,\"token\":\"A\",\"amount_usd\":1,\"price_usd\":1}"
    let reading = judge("\(valid)\n\(line)\n\(valid)\n")
    #expect(reading.rejections == ["2 malformed - \(line)"])
    #expect(reading.rows.count == 2)
  }

  @Test("What JSON allows is no reason: empty objects, literals and duplicates under unknown keys, DEL, long numbers")
  func allowed() {
    let fields = "\"block\":1,\"timestamp\":1,\"token\":\"A\",\"amount_usd\":1,\"price_usd\":1"
    for extra in [
      "\"x\":true", "\"x\":false", "\"x\":null", "\"x\":1,\"x\":2", "\"\":\"\"", "\"x\":\"\u{7F}\"", "\"x\":-0",
      "\"x\":0e0",
      "\"x\":-1.5E-300", "\"x\":\"\\/\\b\\f\\n\\r\\t\\\\\\\"\\u0000\"",
    ] {
      #expect(judge("{\(extra),\(fields)}").rows.count == 1, "\(extra)")
      #expect(judge("{\(fields),\(extra)}").rows.count == 1, "\(extra)")
    }
    #expect(judge("{}").rejections == ["1 missing_field block "])
  }

  @Test("true and false under a known field are malformed, with the field")
  func literals() {
    let reading = judge("{\"block\":1,\"token\":true}\n{\"block\":false}\n{\"amount_usd\":true,\"x\":[]}\n")
    #expect(
      reading.rejections == [
        "1 malformed token true", "2 malformed block false", "3 malformed - {\"amount_usd\":true,\"x\":[]}",
      ])
  }

  @Test("Escapes: named ones, \\u, pairs of surrogates; in keys too")
  func escapes() {
    let reading = judge(
      "{\"bl\\u006Fck\":1,\"timestamp\":1,\"token\":\"\\u00e9\\ud83c\\udfb5\\\"\\\\\\/A\",\"amount_usd\":\"\\u0031\","
        + "\"price_usd\":1}")
    #expect(reading.rows == ["1 swap 0/1/0 1970-01-01T00:00:00.000001Z 'é🎵\"\\/A' - absent absent 1 0 1 -"])
  }

  @Test(
    "A surrogate alone, or an escaped control character, is no token",
    arguments: [
      "\\ud83c", "\\udfb5", "\\udfb5\\ud83c", "\\ud83cx", "\\ud83c\\u0041", "\\ud83c\\ud83c", "\\u0000", "\\n",
      "\\u007f",
      "\\u0085",
    ])
  func noToken(escape: String) {
    let reading = judge("{\"block\":1,\"timestamp\":1,\"token\":\"A\(escape)\",\"amount_usd\":1,\"price_usd\":1}")
    #expect(reading.rejections.count == 1 && reading.rejections[0].hasPrefix("1 bad_token token A"))
  }

  @Test("An empty string is there, and wrong; null and a missing key are absent")
  func emptyStrings() {
    let reading = judge(
      """
      {"block":"","timestamp":1,"token":"A","amount_usd":1,"price_usd":1}
      {"block":1,"timestamp":1,"token":"","amount_usd":1,"price_usd":1}
      {"block":1,"timestamp":"","token":"A","amount_usd":1,"price_usd":1}
      {"block":1,"timestamp":1,"token":"A","amount_usd":"","price_usd":1}
      {"block":1,"timestamp":1,"token":"A","amount_usd":1,"price_usd":1,"side":""}
      {"block":1,"timestamp":1,"token":"A","amount_usd":1,"price_usd":1,"wallet":""}
      {"block":1,"timestamp":1,"token":null,"amount_usd":1,"price_usd":1}
      {"kind":"transfer","block":1,"timestamp":1,"token":"A","from":"","to":"b","amount":1}
      {"kind":"transfer","block":1,"timestamp":1,"token":"A","from":null,"to":"b","amount":1}
      {"kind":"transfer","block":1,"timestamp":1,"token":"A","from":"a","amount":1}
      {"kind":"","block":1,"timestamp":1,"token":"A","amount_usd":1,"price_usd":1}
      """)
    #expect(
      reading.rejections == [
        "1 malformed block ", "2 bad_token token ", "3 bad_time timestamp ", "4 bad_number amount_usd ",
        "5 malformed side ",
        "7 missing_field token ", "9 missing_field from ", "10 missing_field to ", "11 malformed kind ",
      ])
    #expect(
      reading.rows.map { String($0.split(separator: " ", maxSplits: 1)[0]) } == ["6", "8"])
  }

  @Test("Unknown keys are warned of once each, a hundred of them, with a hint")
  func unknownKeys() {
    let fields = "\"block\":1,\"timestamp\":1,\"token\":\"A\",\"amount_usd\":1,\"price_usd\":1"
    let reading = judge("{\"qty\":1,\(fields)}\n{\"qty\":1,\"hue\":2,\(fields)}\n")
    #expect(
      reading.warnings == [
        "test.ndjson: the key 'qty' is unknown and not read; if it is the token_amount, add --map 'token_amount=qty'",
        "test.ndjson: the key 'hue' is unknown and not read",
      ])
    let mapped = Reading("{\"qty\":1,\(fields)}\n", name: "test.ndjson") {
      $0.map = try? FieldMap("token_amount=qty,block=#", preset: nil)
    }
    #expect(mapped.warnings == ["test.ndjson: the key 'block' is unknown and not read"])
    let many = judge((0..<300).map { "{\"k\($0 % 150)\":1,\(fields)}\n" }.joined())
    #expect(many.warnings.count == 101)
    #expect(many.warnings.last == "test.ndjson: further unknown keys are not listed")
    #expect(many.rows.count == 300)
  }

  /// Rule 3.10.
  @Test("A line over 64 KiB is one rejected row")
  func longLine() {
    let valid = "{\"block\":1,\"timestamp\":1,\"token\":\"A\",\"amount_usd\":1,\"price_usd\":1"
    func padded(_ bytes: Int) -> String {
      valid + ",\"x\":\"" + String(repeating: "x", count: bytes - valid.utf8.count - 8) + "\"}"
    }
    #expect(padded(Limits.lineBytesMax).utf8.count == Limits.lineBytesMax)
    let reading = judge([65_536, 65_537, 400_000, 80].map(padded).joined(separator: "\n"))
    #expect(reading.rows.count == 2)
    #expect(reading.rejections.map { String($0.prefix(10)) } == ["2 limit - ", "3 limit - "])
  }
}
