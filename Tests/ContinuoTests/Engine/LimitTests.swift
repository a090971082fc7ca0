// What is refused whole: too many rows, tokens or addresses. Nothing of it is applied, and it may come again.
// Invariant: a refusal changes nothing, the mark of rule 3.7 included.
// Not here: single rejected rows (JudgementTests).

import Continuo
import ContinuoTestSupport
import Testing

@Suite("Limits")
struct LimitTests {
  private static func swap(
    _ block: UInt64, token: ByteString = "ART", wallet: ByteString? = nil, at microseconds: Int64 = 0
  ) -> Swap {
    Swap(
      block: block, timestamp: Timestamp(microseconds: microseconds), token: token, amountUSD: .one, priceUSD: .one,
      wallet: wallet)
  }

  private static func batch(_ swaps: some Sequence<Swap>) -> EventBatch {
    var batch = EventBatch()
    for swap in swaps { batch.append(swap) }
    return batch
  }

  /// Rule 3.10: 100,000 rows are a batch, 100,001 are refused whole.
  @Test("One row too many")
  func oneRowTooMany() throws {
    var engine = Engine()
    var batch = Self.batch((0..<100_001).map { Self.swap($0) })
    #expect(throws: Refusal.batchTooLarge(rows: 100_001)) { try engine.apply(batch, wallClock: nil) }
    #expect(engine.tokens().isEmpty && engine.newest == nil && engine.inspection() == Inspection(Engine()))
    batch = Self.batch((0..<100_000).map { Self.swap($0) })
    #expect(try engine.apply(batch, wallClock: nil).accepted == 100_000)
    #expect(engine.checkInvariants().isEmpty)
  }

  /// Rule 3.10: rejected rows and retractions are rows too.
  @Test("Every row counts")
  func everyRowCounts() throws {
    var engine = Engine()
    var batch = EventBatch()
    for block in 0..<UInt64(50_000) {
      batch.append(Self.swap(block, token: ""))
      batch.retract(EventIdentity(kind: .swap, block: block))
    }
    #expect(batch.offered == 100_000 && batch.rejections.count == 50_000)
    let receipt = try engine.apply(batch, wallClock: nil)
    #expect(receipt.notFound.count == 50_000 && receipt.rejections.count == 50_000)
    batch.append(Self.swap(1))
    #expect(throws: Refusal.batchTooLarge(rows: 100_001)) { try engine.apply(batch, wallClock: nil) }
    #expect(engine.tokens().isEmpty)
  }

  /// Rule 3.10: a batch that would pass the number of tokens is refused whole; what adds none still comes in.
  @Test("One token too many")
  func oneTokenTooMany() throws {
    var settings = Engine.Settings()
    settings.tokensMax = 3
    var engine = Engine(settings)
    try engine.apply(Self.batch([Self.swap(1, token: "a"), Self.swap(2, token: "b")]), wallClock: nil)
    let four = Self.batch([Self.swap(3, token: "a", at: 9), Self.swap(4, token: "c"), Self.swap(5, token: "d")])
    for _ in 0..<2 {
      #expect(throws: Refusal.tooManyTokens) { try engine.apply(four, wallClock: nil) }
      #expect(engine.tokens().count == 2 && engine.inspection().swaps == 2)
      #expect(engine.newest == Timestamp(microseconds: 0))
    }
    // A token of a rejected row, and one that comes twice, count for nothing and for one.
    let three = Self.batch([
      Self.swap(6, token: "c"), Self.swap(7, token: "c"), Self.swap(1, token: "d"), Self.swap(8, token: ""),
    ])
    let receipt = try engine.apply(three, wallClock: nil)
    #expect(receipt.accepted == 2 && receipt.rejections.map(\.reason) == [.conflict, .badToken])
    #expect(try engine.apply(Self.batch([Self.swap(9, token: "b")]), wallClock: nil).accepted == 1)
    #expect(throws: Refusal.tooManyTokens) {
      try engine.apply(Self.batch([Self.swap(10, token: "e")]), wallClock: nil)
    }
    #expect(engine.checkInvariants().isEmpty)
  }

  /// Rule 3.10: the same for addresses; the zero address is none, and a wallet counts as much as a giver or a taker.
  @Test("One address too many")
  func oneAddressTooMany() throws {
    var settings = Engine.Settings()
    settings.addressesMax = 2
    var engine = Engine(settings)
    func transfer(_ block: UInt64, _ from: ByteString, _ to: ByteString) -> EventBatch {
      var batch = EventBatch()
      batch.append(
        Transfer(
          block: block, timestamp: Timestamp(microseconds: 0), token: "ART", from: from, to: to, amount: .one))
      return batch
    }
    #expect(try engine.apply(transfer(1, "0x00", "0xA"), wallClock: nil).accepted == 1)
    #expect(throws: Refusal.tooManyAddresses) { try engine.apply(transfer(2, "bob", "carol"), wallClock: nil) }
    #expect(engine.inspection().transfers == 1)
    #expect(try engine.apply(Self.batch([Self.swap(1, wallet: "bob")]), wallClock: nil).accepted == 1)
    #expect(try engine.apply(Self.batch([Self.swap(2, wallet: "0x0")]), wallClock: nil).accepted == 1)
    #expect(try engine.apply(transfer(3, "0Xa", "bob"), wallClock: nil).accepted == 1)
    #expect(throws: Refusal.tooManyAddresses) {
      try engine.apply(Self.batch([Self.swap(3, wallet: "Bob")]), wallClock: nil)
    }
    #expect(engine.inspection().swaps == 2)
  }

  /// Rules 3.7, 3.10: a refused batch does not even leave the mark of a rejected transfer.
  @Test("A refused batch leaves no mark")
  func refusedBatchLeavesNoMark() throws {
    var settings = Engine.Settings()
    settings.tokensMax = 1
    var engine = Engine(settings)
    try engine.apply(Self.batch([Self.swap(1, token: "a")]), wallClock: nil)
    let mint = Transfer(
      block: 1, timestamp: Timestamp(microseconds: 0), token: "a", from: "", to: "x", amount: .one)
    var none: SeededGenerator?
    let rows: [MarketRow] = [.overflowing(mint), .swap(Self.swap(2, token: "b"))]
    let refused = EventBatch(rows, price: .quoted, spelling: &none)
    #expect(throws: Refusal.tooManyTokens) { try engine.apply(refused, wallClock: nil) }
    #expect(engine.inspection().incompleteTokens == 0)
    let marking = EventBatch([.overflowing(mint)], price: .quoted, spelling: &none)
    #expect(try engine.apply(marking, wallClock: nil).rejections.map(\.reason) == [.overflow])
    let found = engine.token("a")
    let token = try #require(found)
    #expect(engine.isIncomplete(token) && engine.inspection().incompleteTokens == 1)
    #expect(engine.holders(of: token).isEmpty)
  }
}

extension Inspection {
  fileprivate init(_ engine: consuming Engine) { self = engine.inspection() }
}
