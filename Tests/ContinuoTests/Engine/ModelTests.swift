// The judge judged: the model's answers to markets small enough to compute by hand, and its big integers.
// Invariant: expectations are written down, not computed.
// Not here: the engine (EngineProperties).

import Continuo
import ContinuoTestSupport
import Testing

@Suite("The model itself")
struct ModelTests {
  private static let hour: Int64 = 3_600_000_000
  private static let noon = Timestamp(microseconds: 1_733_054_400_000_000)  // 2024-12-01T12:00:00Z, a Sunday

  private static func swap(
    _ block: UInt64, _ offset: Int64, _ price: String, _ amount: String, _ quantity: String? = nil, side: Side? = nil,
    wallet: ByteString? = nil
  ) -> MarketRow {
    .swap(
      Swap(
        chain: 1, block: block, timestamp: noon + offset, token: "ART", side: side, amountUSD: Decimal18(amount),
        tokenAmount: quantity.flatMap { Decimal18($0) }, priceUSD: Decimal18(price), wallet: wallet))
  }

  private static func transfer(
    _ block: UInt64, _ offset: Int64, _ from: ByteString, _ to: ByteString, _ amount: String
  ) -> MarketRow {
    .transfer(
      Transfer(
        chain: 1, block: block, timestamp: noon + offset, token: "ART", from: from, to: to, amount: Decimal18(amount)))
  }

  private static let market: [MarketRow] = [
    swap(3, 61_000_000, "5", "100", "20", side: .sell, wallet: "0xB"),
    swap(1, 0, "4", "10", "2.5", side: .buy, wallet: "0xa"), swap(2, 59_999_999, "3", "1", side: .buy, wallet: "0xA"),
    swap(9, 25 * hour, "8", "0.5", "1"), transfer(1, 0, "0x0", "alice", "10"), transfer(2, 1, "alice", "bob", "4"),
    transfer(3, 2, "carol", "bob", "1"), transfer(4, 3, "bob", "", "2"),
  ]

  /// Rules 4.1–4.4, by hand.
  @Test("Candles by hand")
  func candlesByHand() throws {
    var model = ContinuoModel(Engine.Settings())
    #expect(try model.apply(Self.market, wallClock: nil).accepted == 8)
    let answers = ModelAnswers(model)
    let minutes = answers.candles("ART", CandleQuery(.oneMinute))
    #expect(
      minutes.map { $0.bucket.description } == ["2024-12-01T12:00:00Z", "2024-12-01T12:01:00Z", "2024-12-02T13:00:00Z"])
    #expect(minutes[0].prices.map(\.description) == ["4", "4", "3", "3"])
    #expect(minutes[0].vwap == nil && minutes[0].trades == 2 && minutes[0].isClosed)
    #expect(minutes[0].volumeUSD == BigInteger(11_000_000_000_000_000_000))
    #expect(!minutes[2].isClosed && minutes[2].vwap?.description == "0.5")
    let days = answers.candles("ART", CandleQuery(.oneDay))
    #expect(days.map { $0.prices.map(\.description) } == [["4", "5", "3", "5"], ["8", "8", "8", "8"]])
    let filled = answers.candles("ART", CandleQuery(.oneHour, fill: .previous))
    #expect(filled.count == 26 && filled[24].prices.map(\.description) == ["5", "5", "5", "5"])
    #expect(answers.candles("ART", CandleQuery(.oneHour, fill: .null, limit: 3)).map(\.trades) == [0, 0, 1])
    let weeks = answers.candles("ART", CandleQuery(.oneWeek)).map { $0.bucket.description }
    #expect(weeks == ["2024-11-25T00:00:00Z", "2024-12-02T00:00:00Z"])
  }

  /// Rules 5.1–5.3, by hand.
  @Test("Windows by hand")
  func windowsByHand() throws {
    var model = ContinuoModel(Engine.Settings())
    _ = try model.apply(Self.market, wallClock: nil)
    let answers = ModelAnswers(model)
    let atStart = try answers.window(.oneDay, "ART", asOf: Self.noon + 61_000_000)
    #expect(atStart.trades == 3 && atStart.open?.description == "4" && atStart.change?.description == "1")
    #expect(atStart.changePercent?.description == "25")
    // One microsecond before the second swap leaves the window, and when it has left.
    let exact = Self.noon + 59_999_999 + 24 * Self.hour
    #expect(try answers.window(.oneDay, "ART", asOf: exact - 1).trades == 2)
    let left = try answers.window(.oneDay, "ART", asOf: exact)
    #expect(left.trades == 1 && left.open?.description == "3" && left.high?.description == "5")
    let empty = try answers.window(.fiveMinutes, "ART", asOf: Self.noon + Self.hour)
    #expect(
      empty.trades == 0 && empty.open?.description == "5" && empty.change?.description == "0" && empty.high == nil)
    let nothing = try answers.window(.oneDay, "ART", asOf: Self.noon - 1)
    #expect(nothing.last == nil && nothing.open == nil && nothing.change == nil && nothing.trades == 0)
    let traders = try answers.traders(.oneHour, "ART", asOf: Self.noon + Self.hour - 1)
    #expect(traders.buys == 2 && traders.sells == 1)
    #expect([traders.traders, traders.buyers, traders.sellers] == [2, 1, 1])
  }

  /// Rules 3.7, 5.4, 10.6, by hand.
  @Test("Holders by hand")
  func holdersByHand() throws {
    var model = ContinuoModel(Engine.Settings())
    _ = try model.apply(Self.market, wallClock: nil)
    let answers = ModelAnswers(model)
    let holders = answers.holders("ART").map { "\($0.address) \($0.balance) \($0.sharePercent?.description ?? "")" }
    #expect(holders == ["alice 6000000000000000000 75", "bob 3000000000000000000 37.5"])
    #expect(
      answers.isIncomplete("ART") && answers.inspection.negativeBalances == 1 && answers.inspection.addresses == 3)
    let statistics = try answers.statistics("ART", asOf: Self.noon + 25 * Self.hour)
    #expect(statistics.holders == 2 && statistics.marketCapUSD?.description == "64")
    #expect(try answers.statistics("ART", asOf: Self.noon).holders == nil)
  }

  /// Rules 6.1–6.4, by hand.
  @Test("The horizon by hand")
  func horizonByHand() throws {
    var model = ContinuoModel(Engine.Settings(retention: try RetentionPolicy("raw=7d,1m=1d")))
    _ = try model.apply(Self.market, wallClock: nil)
    #expect(model.moveHorizon() == 0 && model.horizon?.description == "2024-11-25T00:00:00Z")
    _ = try model.apply([Self.swap(20, 8 * 24 * Self.hour, "6", "1")], wallClock: nil)
    #expect(model.moveHorizon() == 7 && model.horizon?.description == "2024-12-02T00:00:00Z")
    #expect(throws: Refusal.beyondRetention(chain: 1, block: 2, droppedBlock: 4)) {
      try model.rollback(chain: 1, above: 2)
    }
    #expect(try model.rollback(chain: 1, above: 4) == 2)
    let answers = ModelAnswers(model)
    #expect(answers.candles("ART", CandleQuery(.oneMinute)).isEmpty)
    #expect(answers.candles("ART", CandleQuery(.oneDay)).count == 1)
    let early = try #require(Timestamp("2024-12-02T00:04:59.999999Z"))
    #expect(throws: Refusal.self) { try answers.window(.fiveMinutes, "ART", asOf: early) }
    #expect(try answers.window(.fiveMinutes, "ART", asOf: early + 1).open?.description == "5")
    #expect(throws: Refusal.self) { try answers.explain("ART", .oneDay, bucket: Self.noon.startOfDay) }
    #expect(answers.supply("ART")?.description == "8000000000000000000")
  }

  /// Rule 7.7: the text that is hashed, by hand.
  @Test("CSV by hand")
  func csvByHand() throws {
    var model = ContinuoModel(Engine.Settings())
    _ = try model.apply([Self.swap(1, 500_000, "0.1", "10", "3"), Self.transfer(1, 0, "", "a,b", "1")], wallClock: nil)
    let lines = ModelAnswers(model).stateCSV().split(separator: "\n").map(String.init)
    #expect(lines.count == 7 * 2 + 2 + 2)
    #expect(lines[1] == "ART,2024-12-01T12:00:00Z,0.1,0.1,0.1,0.1,10,3,0,0,1,3.333333333333333333,false")
    #expect(lines[15] == "ART,2024-12-01T12:00:00.5Z,0.1,10,3,1,0.1,0.1,0.1,0,0,1,1,0.1")
    #expect(lines[17] == "1,\"a,b\",1,100")
  }

  /// Big integers against 128 bits, and against themselves where those end.
  @Test("Big integers")
  func bigIntegers() {
    var random = SeededGenerator(seed: 99)
    func any() -> Int128 {
      Int128(bitPattern: UInt128.random(in: 0...UInt128.max, using: &random))
        >> Int128.random(in: 0..<128, using: &random)
    }
    for _ in 0..<20_000 {
      let (left, right) = (any(), any())
      let (bigLeft, bigRight) = (BigInteger(left), BigInteger(right))
      #expect(bigLeft.int128 == left && bigLeft.description == String(left))
      #expect((bigLeft < bigRight) == (left < right))
      let (sum, overflow) = left.addingReportingOverflow(right)
      #expect((bigLeft + bigRight).int128 == (overflow ? nil : sum))
      let (product, tooLarge) = left.multipliedReportingOverflow(by: right)
      #expect((bigLeft * bigRight).int128 == (tooLarge ? nil : product))
      guard right != 0 else { continue }
      let numerator = bigLeft.magnitude * BigInteger(any()).magnitude * BigInteger(any()).magnitude
      let (quotient, remainder) = numerator.dividedTowardsZero(by: bigRight.magnitude)
      #expect(quotient * bigRight.magnitude + remainder == numerator && remainder < bigRight.magnitude)
    }
    #expect(BigInteger(high: -1, low: .max).description == "-1")
    #expect(BigInteger(high: 1, low: 0).description == "340282366920938463463374607431768211456")
    #expect(ModelNumber.halfEven(BigInteger(5), over: BigInteger(2)) == BigInteger(2))
    #expect(ModelNumber.halfEven(BigInteger(-7), over: BigInteger(2)) == BigInteger(-4))
    #expect(ModelNumber.halfEven(BigInteger(8), over: BigInteger(3)) == BigInteger(3))
  }
}
