// Strangers' files: maps, presets, files without a header, and what is proposed where nothing fits.
// Invariant: messages are compared whole where a user has to act on them.
// Not here: rows that are wrong (HostileRowTests).

import Continuo
import ContinuoFormats
import Testing

/// Rule 10.2: `--map`, `--no-header`, `--preset`, and the nearest map.
@Suite("Field maps")
struct FieldMapTests {
  private func map(_ text: String?, _ preset: Preset? = nil) -> FieldMap? { try? FieldMap(text, preset: preset) }

  private func read(
    _ text: String, _ map: String?, preset: Preset? = nil, hasHeader: Bool = true, name: String = "t.csv"
  )
    throws -> Reading
  {
    let map = try FieldMap(map, preset: preset)
    return Reading(text, name: name) {
      $0.map = map
      $0.hasHeader = hasHeader
    }
  }

  @Test("Other names, a constant, the row's number, a product; fields that are not named keep their own columns")
  func everyForm() throws {
    let reading = try read(
      "ts,symbol,price,qty,side\n5,XRP,0.5,4,buy\n\n6,XRP,2,3,sell\n",
      " timestamp = ts,token:=XRPETH,block=#,price_usd=price,token_amount=qty,amount_usd=price*qty , wallet=symbol")
    #expect(
      reading.rows == [
        "2 swap 0/1/0 1970-01-01T00:00:00.000005Z 'XRPETH' buy 'XRP' absent 2 4 0.5 -",
        "4 swap 0/2/0 1970-01-01T00:00:00.000006Z 'XRPETH' sell 'XRP' absent 6 3 2 -",
      ])
    #expect(reading.warnings.isEmpty && reading.failure == nil)
    let json = try read(
      "{\"ts\":5,\"symbol\":\"XRP\",\"price\":\"0.5\",\"qty\":4,\"side\":\"buy\"}\n",
      "timestamp=ts,token:=XRPETH,block=#,price_usd=price,token_amount=qty,amount_usd=price*qty", name: "t.ndjson")
    #expect(json.rows == ["1 swap 0/1/0 1970-01-01T00:00:00.000005Z 'XRPETH' buy absent absent 2 4 0.5 -"])
    #expect(json.warnings.count == 1)
  }

  @Test("The row's number counts rows of data, rejected ones too, whatever the batches")
  func rowNumbers() throws {
    let map = try FieldMap("block=#", preset: nil)
    let text = "timestamp,token,amount_usd,price_usd\n1,A,1,1\n\n1,A\n\"1,A,1,1\n1,A,1,1\n1,,1,1\n1,A,1,1\n"
    for batchRows in [1, 2, 100] {
      let reading = Reading(text) {
        $0.map = map
        $0.batchRows = batchRows
      }
      #expect(reading.rows.map { $0.split(separator: " ")[2] } == ["0/1/0", "0/4/0", "0/6/0"])
    }
  }

  @Test("One column may feed several fields; a token keeps its case where a wallet is folded")
  func sharedColumn() throws {
    let reading = try read("block,timestamp,x,amount_usd,price_usd\n1,1,0xAB,1,1\n", "token=x,wallet=x")
    #expect(reading.rows == ["2 swap 0/1/0 1970-01-01T00:00:00.000001Z '0xAB' - '0xab' absent 1 0 1 -"])
    let transfer = try read(
      "block,timestamp,token,a\n1,1,T,0xAB\n", "kind:=transfer,from=a,to:=,amount:=2,token_id=block")
    #expect(transfer.rows == ["2 transfer 0/1/0 1970-01-01T00:00:00.000001Z 'T' - '0xab' zero 2 0 0 1"])
  }

  @Test(
    "Products are exact and rounded half-even once",
    arguments: [
      ("0.1", "0.1", "0.01"), ("3", "7", "21"), ("1.000000001", "1.000000001", "1.000000002000000001"),
      ("0.000000001", "0.0000000005", "non_positive_amount amount_usd 0"),
      ("0.000000001", "0.0000000015", "0.000000000000000002"), ("0.000000001", "0.0000000025", "0.000000000000000002"),
      ("0.000000001", "0.00000000250000001", "0.000000000000000003"),
      ("13043817825.332782212", "13043817825.332782212", "170141183460469231722.567801800623612944"),
      ("1e11", "1e11", "overflow amount_usd 10000000000000000000000.000000000000000000000000000000000000"),
      (
        "-100000000000000000000", "100000000000000000000.000000000000000001",
        "overflow amount_usd -10000000000000000000000000000000000000100.000000000000000000000000000000000000"
      ),
      ("-1", "2", "non_positive_amount amount_usd -2"), ("-1", "-2", "2"),
      ("0", "1e20", "non_positive_amount amount_usd 0"),
      ("x", "2", "bad_number amount_usd x"), ("2", "y", "bad_number amount_usd y"),
      ("1e99", "2", "overflow amount_usd 1e99"),
      ("2", "1e99", "overflow amount_usd 1e99"), ("1e99", "y", "bad_number amount_usd y"),
      ("", "2", "missing_field amount_usd "), ("2", "", "missing_field amount_usd "),
      ("", "y", "missing_field amount_usd "),
    ])
  func products(left: String, right: String, expected: String) throws {
    let reading = try read("block,timestamp,token,p,q,price_usd\n1,1,A,\(left),\(right),1\n", "amount_usd=p*q")
    let got =
      reading.rows.first.map { String($0.split(separator: " ")[8]) }
      ?? reading.rejections.first.map { String($0.dropFirst(2)) }
    #expect(got == expected)
  }

  @Test("Positions, without a header")
  func positions() throws {
    let text = "7,1.5,2,1000\n8,2.5,2,1001\n9,1\n"
    let reading = try read(
      text, "block=1,price_usd=2,token_amount=3,amount_usd=2*3,timestamp=4,token:=T", hasHeader: false)
    #expect(
      reading.rows == [
        "1 swap 0/7/0 1970-01-01T00:00:00.001Z 'T' - absent absent 3 2 1.5 -",
        "2 swap 0/8/0 1970-01-01T00:00:00.001001Z 'T' - absent absent 5 2 2.5 -",
      ])
    #expect(reading.rejections == ["3 malformed - 9,1"])
    // A broken first line does not decide how many columns there are.
    let broken = try read(
      "\"x\"y,1\n" + text, "block=1,price_usd=2,amount_usd=3,timestamp=4,token:=T", hasHeader: false)
    #expect(broken.rejections == ["1 malformed - \"x\"y,1", "4 malformed - 9,1"] && broken.rows.count == 2)
  }

  @Test("Positions that do not fit, names without a header, positions with one")
  func wrongPositions() throws {
    let text = "7,1.5,2,1000\n"
    let past = try read(text, "block=1,timestamp=5,token:=T", hasHeader: false)
    #expect(
      past.failure?.description
        == "t.csv, line 1: 4 columns, but --map asks for column '5'; write positions from 1 to 4")
    let name = try read(text, "block=id,timestamp=4,token:=T", hasHeader: false)
    #expect(
      name.failure?.description
        == "t.csv: --map asks for the column 'id', but there is no header; write the column's position from 1 to 4")
    let none = try read(text, nil, hasHeader: false)
    #expect(none.failure?.what == "t.csv: --map gives no position for 'block' or 'timestamp' or 'token'")
    let header = try read("a,b\n1,2\n", "block=1,timestamp=b,token:=T")
    #expect(
      header.failure?.description
        == "t.csv, line 1: no column '1', which --map asks for, in the header: a, b; "
        + "positions need --no-header; name one of these columns in --map")
  }

  @Test("Binance's dumps of trades, with a header and without, six columns and seven")
  func binanceTrades() throws {
    let old =
      "900001,0.5,4,2.0,1569888000000,True\n900002,0.25,4,1,1569888000001,false\n900003,1,1,1,1569888000002,maybe\n"
    let new = "id,price,qty,quote_qty,time,is_buyer_maker,is_best_match\n900001,0.5,4,2.0,1569888000000,true,True\n"
    let map = try FieldMap("token:=XRPETH", preset: .binanceTrades)
    for text in [old, "id,price,qty,quoteQty,time,isBuyerMaker\n" + old] {
      let first = text == old ? 1 : 2
      let reading = Reading(text) {
        $0.map = map
        $0.timeUnit = .milliseconds
      }
      #expect(
        reading.rows == [
          "\(first) swap 0/900001/0 2019-10-01T00:00:00Z 'XRPETH' sell absent absent 2 4 0.5 -",
          "\(first + 1) swap 0/900002/0 2019-10-01T00:00:00.001Z 'XRPETH' buy absent absent 1 4 0.25 -",
        ])
      #expect(reading.rejections == ["\(first + 2) malformed side maybe"] && reading.warnings.isEmpty)
    }
    let seven = Reading(new) {
      $0.map = map
      $0.timeUnit = .milliseconds
    }
    #expect(seven.rows == ["2 swap 0/900001/0 2019-10-01T00:00:00Z 'XRPETH' sell absent absent 2 4 0.5 -"])
    let asRow = Reading(new) {
      $0.map = map
      $0.hasHeader = false
      $0.timeUnit = .milliseconds
    }
    #expect(asRow.rejections == ["1 malformed block id"] && asRow.rows.count == 1)
  }

  @Test("Binance's dumps of aggregate trades; entries of --map go before the preset's")
  func binanceAggregates() throws {
    let text = "5,0.5,4,1,2,1569888000000000,FALSE,True\n6,0.5,4,3,3,1569888000000000,TRUE,True\n"
    let reading = try read(
      text, "token:=X,log_index=first_trade_id,amount_usd=3,chain:=56", preset: .binanceAggregateTrades)
    #expect(
      reading.rows == [
        "1 swap 56/5/1 2019-10-01T00:00:00Z 'X' buy absent absent 4 4 0.5 -",
        "2 swap 56/6/3 2019-10-01T00:00:00Z 'X' sell absent absent 4 4 0.5 -",
      ])
    let json = try read(
      "{\"agg_trade_id\":1,\"price\":\"2\",\"quantity\":\"3\",\"transact_time\":5,\"is_buyer_maker\":true,\"token\":\"T\"}\n",
      nil, preset: .binanceAggregateTrades, name: "t.jsonl")
    #expect(json.rows == ["1 swap 0/1/0 1970-01-01T00:00:00.000005Z 'T' sell absent absent 6 3 2 -"])
  }

  @Test("A preset without the token, or for another file")
  func wrongPreset() throws {
    let text = "5,0.5,4,1,2,1569888000000000,FALSE,True\n"
    #expect(
      try read(text, nil, preset: .binanceAggregateTrades).failure?.description
        == "t.csv: the layout has no column for 'token'; add --map 'token:=SYMBOL' with the symbol that the file is of")
    #expect(
      try read(text, "token:=X", preset: .binanceTrades).failure?.description
        == "t.csv, line 1: 8 columns, but binance-trades has 6 or 7: "
        + "id, price, qty, quote_qty, time, is_buyer_maker, is_best_match; "
        + "leave --preset out, and describe the columns by --map")
  }

  @Test(
    "Maps that say nothing sensible",
    arguments: [
      ("price", "without '='"), ("pricee=px", "'pricee', which is none"), ("=px", "'', which is none"),
      ("token=", "without a column"), ("token:=", "empty constant"), ("amount_usd=a*", "without a column"),
      ("amount_usd=a*b*c", "more than two factors"), ("token=a*b", "is no decimal number"),
      ("token=a,token=b", "'token' twice"), ("token=a,", "without '='"), (",", "without '='"),
      ("Token=a", "'Token', which is none"),
    ])
  func invalid(text: String, expected: String) {
    do throws(InvalidFieldMap) {
      _ = try FieldMap(text, preset: nil)
      Issue.record("\(text) was accepted")
    } catch {
      #expect(error.description.hasPrefix("--map ") && error.description.contains(expected), "\(error)")
      // What was found, then what to write instead.
      #expect(error.description.contains("; "))
    }
  }

  @Test("An empty map is none")
  func emptyMap() throws {
    #expect(try read("block,timestamp,token,amount_usd,price_usd\n1,1,A,1,1\n", " ").rows.count == 1)
    #expect(map(nil) != nil && map("") != nil)
  }
}
