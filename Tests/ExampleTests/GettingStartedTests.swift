// The code of the getting-started article, compiled and run: tools/tidy holds the article to these very lines.
// Not here: the README's examples.

import Continuo
import Testing

/// Rules 3.8, 5.1: what the article says of a candle, a window and a rollback is so.
@Test("From import to a candle, a window and a rollback")
func gettingStarted() throws {
  var engine = Engine()

  let noon = Timestamp("2024-12-01T12:00:00Z")!
  var batch = EventBatch()
  batch.append(
    Swap(
      chain: 1, block: 100, timestamp: noon, token: "ART", side: .buy,
      amountUSD: Decimal18("181.52"), tokenAmount: Decimal18("10")))
  batch.append(
    Swap(
      chain: 1, block: 101, timestamp: noon + 1_500_000, token: "ART", side: .sell,
      amountUSD: Decimal18("36.6"), tokenAmount: Decimal18("2"), wallet: "0xAb01"))
  let receipt = try engine.apply(batch, wallClock: nil)
  print(receipt.accepted, receipt.duplicates, receipt.rejections.count)  // 2 0 0

  let art = engine.token("ART")!
  engine.forEachCandle(of: art, CandleQuery(.oneHour, from: noon)) { row in
    guard let candle = row.candle else { return }
    print(row.bucket, candle.open, candle.close, candle.trades)  // 2024-12-01T12:00:00Z 18.152 18.3 2
  }

  let day = try engine.window(.oneDay, of: art, asOf: noon + 1_500_000)
  print(day.volumeUSD.decimal!, day.changePercent!)  // 218.12 0.815337152930806523

  let undone = try engine.rollback(chain: 1, above: 100)
  print(undone, engine.tokens().count)  // 1 1

  #expect(
    receipt
      == { () -> Receipt in
        var expected = Receipt()
        expected.accepted = 2
        return expected
      }())
  #expect(day.volumeUSD.decimal == Decimal18("218.12"))
  #expect(day.changePercent == Decimal18("0.815337152930806523"))
  #expect(undone == 1)
  var closes: [Decimal18?] = []
  engine.forEachCandle(of: art, CandleQuery(.oneHour)) { closes.append($0.candle?.close) }
  #expect(closes == [Decimal18("18.152")])
}
