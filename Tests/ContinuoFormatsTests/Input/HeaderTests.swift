// Headers that do not fit: what is told, and that what is proposed works.
// Invariant: a proposed map, given as it stands, is accepted for the same file.
// Not here: maps that do fit (FieldMapTests).

import Continuo
import ContinuoFormats
import Testing

/// Rule 10.2: a column twice, or no `block`, `timestamp` or `token`, with the header and the nearest map.
@Suite("Headers")
struct HeaderTests {
  private func failure(_ header: String, _ rest: String = "1,2,3\n") -> String {
    Reading(header + "\n" + rest).failure?.description ?? "none"
  }

  @Test("A column twice, whether it is read or not; columns without a name are nobody's")
  func twice() {
    for header in ["block,timestamp,token,price_usd,price_usd", "block,timestamp,token,x,x"] {
      let name = header.hasSuffix("x") ? "x" : "price_usd"
      #expect(
        failure(header)
          == "test.csv, line 1: the header names the column '\(name)' 2 times; rename all but one of them: "
          + header.split(separator: ",").joined(separator: ", ")
          + "; if the first line is no header, give --no-header and positions in --map")
    }
    let reading = Reading("block,timestamp,token,amount_usd,price_usd,,\n1,1,A,1,1,,\n")
    #expect(reading.failure == nil && reading.rows.count == 1)
  }

  @Test(
    "The nearest map is proposed, and works",
    arguments: [
      (
        "ts,symbol,price,qty,taker_side", "5,A,1,2,buy",
        "block=#,timestamp=ts,token=symbol,price_usd=price,token_amount=qty,amount_usd=price*qty,side=taker_side"
      ),
      (
        "trade_id,date,ticker,px,size,notional,trader", "5,6,A,1,2,3,w",
        "block=trade_id,timestamp=date,token=ticker,price_usd=px,token_amount=size,amount_usd=notional,wallet=trader"
      ),
      ("Block,Timestamp,TOKEN,amount_usd,price_usd", "5,6,A,1,2", "block=Block,timestamp=Timestamp,token=TOKEN"),
      ("block,timestamp,amount_usd,price_usd", "5,6,1,2", "token:=NAME"),
      ("kind,time,coin,from,to,amount", "transfer,6,A,a,b,2", "block=#,timestamp=time,token=coin"),
      (
        " block number , time-stamp,Pair,usd,price", "5,6,A,1,2",
        "block=block number,timestamp=time-stamp,token=Pair,price_usd=price,amount_usd=usd"
      ),
    ])
  func nearest(header: String, row: String, expected: String) throws {
    let failure = try #require(Reading(header + "\n" + row + "\n").failure)
    #expect(failure.remedy == "try --map '\(expected)'" && failure.line == 1)
    let map = try FieldMap(expected, preset: nil)
    let reading = Reading(header + "\n" + row + "\n") { $0.map = map }
    #expect(reading.rows.count == 1 && reading.failure == nil, "\(reading)")
  }

  @Test("Nothing fits")
  func nothing() {
    #expect(
      failure("a,b") == "test.csv, line 1: no column 'block' or 'timestamp' or 'token' in the header: a, b; "
        + "try --map 'block=#,timestamp=COLUMN,token:=NAME'")
  }

  @Test("What the user gave stays in the proposal")
  func keepsEntries() throws {
    let map = try FieldMap("token:=XRP", preset: nil)
    let reading = Reading("ts,price,amount_usd\n5,1,1\n") { $0.map = map }
    #expect(reading.failure?.remedy == "try --map 'token:=XRP,block=#,timestamp=ts,price_usd=price'")
  }

  @Test("Files of Binance, and files without a header, are recognised")
  func recognised() {
    #expect(
      failure("id,price,qty,quoteQty,time,isBuyerMaker,isBestMatch").hasSuffix(
        "; try --preset binance-trades --map 'token:=SYMBOL'"))
    #expect(
      failure("agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker").hasSuffix(
        "; try --preset binance-aggtrades --map 'token:=SYMBOL'"))
    #expect(
      failure("900001,0.5,4,2.0,1569888000000,True").hasSuffix(
        "; if the first line is a row already, try --preset binance-trades --map 'token:=SYMBOL'"))
    #expect(
      failure("5,0.5,4,1,2,1569888000000000,FALSE").hasSuffix(
        "; if the first line is a row already, try --preset binance-aggtrades --map 'token:=SYMBOL'"))
    #expect(
      failure("1569888000,XRP,0.5,7").contains("try --no-header --map 'block=#,timestamp=1,token=2,price_usd=3"))
  }

  @Test("Headers that cannot be split, and names that would upset a terminal")
  func unreadable() {
    #expect(failure("block,\"time\"stamp").hasPrefix("test.csv, line 1: the header's quotes do not match; "))
    #expect(
      failure(String(repeating: "x", count: 70_000)).hasPrefix("test.csv, line 1: the header is longer than 64 KiB; "))
    #expect(failure("\u{1B}[2Jblock,b").contains("in the header: \u{FFFD}[2Jblock, b;"))
    #expect(failure(String(repeating: "abc,", count: 5_000)).utf8.count < 500)
    let quoted = Reading("\"block\",\"time\n\"\"stamp\",timestamp,token,amount_usd,price_usd\n1,,1,A,1,1\n")
    #expect(quoted.rows.count == 1 && quoted.rows[0].hasPrefix("3 swap"))
    #expect(quoted.warnings == ["test.csv: the column 'time\u{FFFD}\"stamp' is unknown and not read"])
  }

  @Test("Unknown columns: one warning each, a hundred at most, with a hint where a field is unfilled")
  func unknown() {
    let header = "block,timestamp,token,amount_usd,price,qty,price_usd,hue\n"
    #expect(
      Reading(header).warnings == [
        "test.csv: the column 'price' is unknown and not read",
        "test.csv: the column 'qty' is unknown and not read; if it is the token_amount, add --map 'token_amount=qty'",
        "test.csv: the column 'hue' is unknown and not read",
      ])
    let many = Reading("block,timestamp,token," + (0..<500).map { "c\($0)" }.joined(separator: ",") + "\n")
    #expect(many.warnings.count == 100)
  }

  @Test(
    "Suffixes",
    arguments: [
      ("a.csv", true), ("a.CSV", true), ("dir.x/a.csv", true), ("a.json", false), ("a.txt", false), ("a", false),
      ("a.gz", false),
      (".csv", true), ("a.csv.zst", false), ("a.csv.zip", false),
    ])
  func suffixes(name: String, isKnown: Bool) {
    let text = "block,timestamp,token,amount_usd,price_usd\n1,1,A,1,1\n"
    let reading = Reading(text, name: name)
    #expect((reading.failure == nil) == isKnown)
    if !isKnown { #expect(reading.failure?.remedy.contains("--input-format") ?? false) }
    if !name.hasSuffix(".gz") { #expect(Reading(text, name: name) { $0.format = .csv }.rows.count == 1) }
  }

  @Test("Standard input tells its format by its first byte that is not blank")
  func sniffed() {
    let csv = "block,timestamp,token,amount_usd,price_usd\n1,1,A,1,1\n"
    let ndjson = "{\"block\":1,\"timestamp\":1,\"token\":\"A\",\"amount_usd\":1,\"price_usd\":1}\n"
    for start in ["", "\n \t\r\n", "\u{FEFF}", "\u{FEFF}\n\n", String(repeating: "\n", count: 60_000)] {
      for blockBytes in [1, 1_000] {
        #expect(Reading(start + csv, name: "-", blockBytes: blockBytes).rows.count == 1)
        #expect(Reading(start + ndjson, name: "-", blockBytes: blockBytes).rows.count == 1)
      }
    }
    #expect(Reading(" \n\n", name: "-").failure == nil)
    #expect(Reading("x\n", name: "-").failure?.description.hasPrefix("standard input, line 1: no column") ?? false)
  }
}
