// The library in ten lines: what stands in README.md, from the import on.
// Invariant: the same text in both places, and this output below it there; both are tested.
// Not here: error handling, which an example would hide its point behind.

import Continuo

var engine = Engine()
var batch = EventBatch()
let noon = Timestamp("2024-12-01T12:00:00Z")!
batch.append(Swap(block: 1, timestamp: noon, token: "ART", amountUSD: Decimal18("25"), tokenAmount: Decimal18("10")))
batch.append(
  Swap(block: 2, timestamp: noon + 90_000_000, token: "ART", amountUSD: Decimal18("10"), tokenAmount: Decimal18("3")))
let receipt = try engine.apply(batch, wallClock: nil)
let art = engine.token("ART")!
engine.forEachCandle(of: art, CandleQuery(.oneMinute)) { print($0.bucket, $0.candle!.close) }
print(receipt.accepted, try engine.statistics(of: art, asOf: engine.clock!).window.changePercent!)
