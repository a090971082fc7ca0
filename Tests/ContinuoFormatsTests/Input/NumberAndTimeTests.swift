// Numbers and times as they stand in files: the grammar's edges, what is rounded, what overflows.
// Invariant: each text's value, or its reason, is written beside it.
// Not here: arithmetic (the engine's own tests).

import Continuo
import ContinuoFormats
import Testing

/// Rules 2.2 and 2.6, by way of CSV and (where its own grammar allows) NDJSON.
@Suite("Numbers and times in files")
struct NumberAndTimeTests {
  /// The price that `text` gives in each format, or its reason.
  private func prices(_ text: String) -> [String] {
    let csv = Reading("block,timestamp,token,amount_usd,price_usd\n1,1,A,1,\(text)\n")
    let string = Reading(
      "{\"block\":1,\"timestamp\":1,\"token\":\"A\",\"amount_usd\":1,\"price_usd\":\"\(text)\"}", name: "a.ndjson")
    return [csv, string].map { reading in
      reading.rows.first.map { String($0.split(separator: " ")[10]) }
        ?? reading.rejections.first.map { String($0.split(separator: " ")[1]) } ?? "nothing"
    }
  }

  @Test(
    "Decimals",
    arguments: [
      ("1", "1"), ("+1.50", "1.5"), ("00012.3400", "12.34"), ("1e2", "100"), ("1E+2", "100"), ("125e-2", "1.25"),
      ("0.0000000000000000015", "0.000000000000000002"), ("0.0000000000000000025", "0.000000000000000002"),
      ("0.00000000000000000250000000001", "0.000000000000000003"), ("0.0000000000000000005", "non_positive_amount"),
      ("0.00000000000000000051", "0.000000000000000001"), ("0", "non_positive_amount"), ("-1", "non_positive_amount"),
      ("-0", "non_positive_amount"),
      ("170141183460469231731.687303715884105727", "170141183460469231731.687303715884105727"),
      ("170141183460469231731.6873037158841057274", "170141183460469231731.687303715884105727"),
      ("170141183460469231731.6873037158841057275", "overflow"),
      ("170141183460469231731.687303715884105728", "overflow"),
      ("-170141183460469231731.687303715884105728", "non_positive_amount"),
      ("-170141183460469231731.687303715884105729", "overflow"), ("1e21", "overflow"),
      ("1e999999999999999999999", "overflow"),
      ("1e-999999999999999999999", "non_positive_amount"), ("0e999999999999999999999", "non_positive_amount"),
      ("0.000001e6", "1"), ("1000000e-6", "1"), (".5", "bad_number"), ("5.", "bad_number"), ("1.e5", "bad_number"),
      ("1e", "bad_number"), ("1e+", "bad_number"), ("e5", "bad_number"), ("--1", "bad_number"), ("+-1", "bad_number"),
      ("1 ", "bad_number"), (" 1", "bad_number"), ("1_000", "bad_number"), ("0x10", "bad_number"),
      ("NaN", "bad_number"),
      ("inf", "bad_number"), ("1.2.3", "bad_number"), ("1e2.5", "bad_number"), ("１", "bad_number"),
      ("$5", "bad_number"),
      ("1e5x", "bad_number"), ("-", "bad_number"), ("+", "bad_number"), ("1e9999999999999999999999x", "bad_number"),
    ])
  func decimals(text: String, expected: String) {
    #expect(prices(text) == [expected, expected])
  }

  @Test("Digits and exponents of any length cost no more than their bytes")
  func longDecimals() {
    #expect(prices(String(repeating: "0", count: 60_000) + "7") == ["7", "7"])
    #expect(prices("7." + String(repeating: "0", count: 60_000)) == ["7", "7"])
    #expect(prices("0." + String(repeating: "0", count: 30_000) + "7e30001") == ["7", "7"])
    #expect(prices("1e" + String(repeating: "0", count: 60_000) + "2") == ["100", "100"])
    #expect(prices("1" + String(repeating: "0", count: 60_000) + "e-60000") == ["1", "1"])
    #expect(prices(String(repeating: "9", count: 60_000)) == ["overflow", "overflow"])
  }

  private func time(_ text: String, _ unit: TimeUnit = .microseconds) -> String {
    let reading = Reading("block,timestamp,token,amount_usd,price_usd\n1,\(text),A,1,1\n") { $0.timeUnit = unit }
    return reading.rows.first.map { String($0.split(separator: " ")[3]) }
      ?? reading.rejections.first.map { String($0.split(separator: " ")[1]) } ?? "nothing"
  }

  @Test(
    "RFC 3339",
    arguments: [
      ("2024-12-01T13:00:00Z", "2024-12-01T13:00:00Z"), ("2024-12-01t13:00:00Z", "2024-12-01T13:00:00Z"),
      ("2024-12-01 13:00:00Z", "2024-12-01T13:00:00Z"), ("2024-12-01T13:00:00+01:30", "2024-12-01T11:30:00Z"),
      ("2024-12-01T13:00:00-05", "2024-12-01T18:00:00Z"), ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z"),
      ("2023-02-29T00:00:00Z", "bad_time"), ("1900-02-29T00:00:00Z", "bad_time"),
      ("2000-02-29T00:00:00Z", "2000-02-29T00:00:00Z"),
      ("2024-12-01T13:00:00.123456789Z", "2024-12-01T13:00:00.123456Z"),
      ("1969-12-31T23:59:59.9999999Z", "1969-12-31T23:59:59.999999Z"), ("2024-12-01T13:00:00.Z", "bad_time"),
      ("2024-12-01T13:00:60Z", "bad_time"), ("2024-12-01T24:00:00Z", "bad_time"), ("2024-12-01T13:60:00Z", "bad_time"),
      ("2024-13-01T13:00:00Z", "bad_time"), ("2024-00-01T13:00:00Z", "bad_time"), ("2024-12-32T13:00:00Z", "bad_time"),
      ("2024-12-01T13:00:00", "bad_time"), ("2024-12-01", "bad_time"), ("2024-12-01  13:00:00Z", "bad_time"),
      ("2024-12-01T13:00:00+0130", "bad_time"), ("2024-12-01T13:00:00+24:00", "bad_time"),
      ("2024-12-01T13:00:00+1", "bad_time"),
      ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"), ("0000-12-31T23:59:59Z", "bad_time"),
      ("0001-01-01T00:00:00+00:01", "bad_time"), ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
      ("9999-12-31T23:59:59-00:01", "bad_time"), ("10000-01-01T00:00:00Z", "bad_time"),
      ("2024-12-01T13:00:00Zz", "bad_time"),
      ("2024-1-01T13:00:00Z", "bad_time"), ("now", "bad_time"), ("-", "bad_time"), ("1.5", "bad_time"),
      ("1e3", "bad_time"),
      ("2024-12-01T13:00:00−05:00", "bad_time"),
    ])
  func rfc3339(text: String, expected: String) {
    #expect(time(text) == expected)
  }

  @Test("Integers count the declared unit; finer than a microsecond is floored, also before 1970")
  func integers() {
    #expect(time("1733058000000000") == "2024-12-01T13:00:00Z")
    #expect(time("1733058000000", .milliseconds) == "2024-12-01T13:00:00Z")
    #expect(time("+1733058000", .seconds) == "2024-12-01T13:00:00Z")
    #expect(time("1733058000000000999", .nanoseconds) == "2024-12-01T13:00:00Z")
    #expect(time("-1", .nanoseconds) == "1969-12-31T23:59:59.999999Z")
    #expect(time("-1001", .nanoseconds) == "1969-12-31T23:59:59.999998Z")
    #expect(time("-62135596800", .seconds) == "0001-01-01T00:00:00Z")
    #expect(time("-62135596801", .seconds) == "bad_time")
    #expect(time("253402300799", .seconds) == "9999-12-31T23:59:59Z")
    #expect(time("253402300800", .seconds) == "bad_time")
    #expect(time("253402300799999999999", .nanoseconds) == "9999-12-31T23:59:59.999999Z")
    #expect(time("99999999999999999999999999999999999999999999999999", .nanoseconds) == "bad_time")
    #expect(time("-99999999999999999999999999999999999999999999999999", .seconds) == "bad_time")
    #expect(time("9223372036854775808") == "bad_time")
  }

  @Test("The first reason of rule 3.6 is the one that is told")
  func order() {
    let header = "block,timestamp,token,side,amount_usd,token_amount,price_usd,wallet\n"
    let long = String(repeating: "w", count: 129)
    let rows = [
      ("x,,,up,0,z,1e99,\(long)", "malformed block"), ("1,,,up,0,z,1e99,\(long)", "malformed side"),
      ("1,,,,0,z,1e99,\(long)", "missing_field timestamp"), ("1,x,\(long),,0,z,1e99,\(long)", "bad_token token"),
      ("1,x,A,,0,z,1e99,\(long)", "bad_address wallet"), ("1,x,A,,0,z,1e99,w", "bad_time timestamp"),
      ("1,1,A,,0,z,1e99,w", "bad_number token_amount"), ("1,1,A,,0,0,1e99,w", "overflow price_usd"),
      ("1,1,A,,0,,,w", "non_positive_amount amount_usd"), ("1,1,A,,1,,,w", "no_price price_usd"),
      ("1,1,A,,0.000000000000000001,100000000000000000000,,w", "no_price price_usd"),
      ("1,1,A,,100000000000000000000,0.000000000000000001,,w", "overflow price_usd"),
    ]
    let reading = Reading(header + rows.map { $0.0 + "\n" }.joined())
    #expect(reading.rejections.map { $0.split(separator: " ")[1...2].joined(separator: " ") } == rows.map(\.1))
  }

  @Test("--price amount-usd takes the amount as the price, the other two may be absent")
  func priceMode() {
    let reading = Reading("block,timestamp,token,amount_usd,price_usd\n1,1,A,5,\n2,1,A,6,7\n") { $0.price = .amountUSD }
    #expect(reading.rows.map { $0.split(separator: " ")[10] } == ["5", "6"])
  }
}
