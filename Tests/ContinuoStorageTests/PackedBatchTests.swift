// Batches as bytes and back.
// Invariant: rows come back as they were but for their lines; no bytes trap.
// Not here: frames (JournalTests), what a ledger does with them (LedgerProperties).

import Continuo
import ContinuoTestSupport
import Testing

@Suite("Packed batches")
struct PackedBatchTests {
  @Test("Batches of any market come back row by row", arguments: Seeds.thisRun(200))
  func roundTrip(seed: UInt64) throws {
    let market = try RandomMarket(seed: seed)
    var random = SeededGenerator(seed: seed)
    var packer = BatchPacker()
    for case .apply(let rows, _, let isText) in market.operations {
      var spelling = isText ? SeededGenerator(seed: random.next()) : nil
      let batch = EventBatch(rows, price: market.shape.price, spelling: &spelling)
      var bytes: [UInt8] = []
      packer.pack(batch, into: &bytes)
      let found = try EventBatch.unpacked(bytes.span)
      #expect(found.rows.count == batch.rows.count)
      for (one, other) in zip(batch.rows, found.rows) {
        let isSame =
          one.key == other.key && one.operation == other.operation && one.side == other.side
          && one.amount == other.amount && one.tokenAmount == other.tokenAmount && one.price == other.price
          && batch.tokenID(one.tokenID) == found.tokenID(other.tokenID)
          && [one.token, one.wallet, one.to].map(batch.bytes) == [other.token, other.wallet, other.to].map(found.bytes)
          && [one.token, one.wallet, one.to].map { $0.isText }
            == [other.token, other.wallet, other.to].map { $0.isText }
        #expect(isSame, "\(Seeds.replay(seed, "PackedBatchTests"))")
      }
      try Self.spoil(bytes, &random)
    }
  }

  /// Bytes that are cut or changed are another batch or none, and never trap.
  private static func spoil(_ bytes: [UInt8], _ random: inout SeededGenerator) throws {
    for _ in 0..<20 {
      var spoiled = bytes
      if random.chance(30) { spoiled.removeLast(Int.random(in: 0...spoiled.count, using: &random)) }
      for _ in 0..<Int.random(in: 0...3, using: &random) where !spoiled.isEmpty {
        let place = Int.random(in: 0..<min(spoiled.count, random.chance(50) ? 64 : .max), using: &random)
        spoiled[place] = random.pick([0, 1, 127, 128, 255, UInt8.random(in: 0...255, using: &random)])
      }
      do throws(PackedBatchFault) {
        let batch = try EventBatch.unpacked(spoiled.span)
        var engine = Engine()
        _ = try? engine.apply(batch, wallClock: nil)
        if engine.checkInvariants() != [] { Issue.record("invariants") }
      } catch {}
    }
  }

  @Test("Long names, addresses, zero addresses, identifiers, 1,100 rows at once")
  func everything() throws {
    var batch = EventBatch()
    let address = "0x00112233445566778899aabbccddeeff01234567"
    for row in 0..<1100 {
      let long = ByteString(String(repeating: "t", count: 17 + row % 48))
      batch.append(
        Swap(
          chain: UInt32(row % 3), block: UInt64(row) << 50, logIndex: .max, timestamp: .first + Int64(row), token: long,
          side: [.buy, .sell, nil][row % 3], amountUSD: .max, tokenAmount: row % 2 == 0 ? .one : nil,
          priceUSD: Decimal18(units: Int128(row) + 1),
          wallet: [nil, ByteString(String(repeating: "w", count: 128)), "0x0", ByteString(address)][row % 4]))
      batch.append(
        Transfer(
          block: .max, logIndex: UInt32(row), timestamp: .last, token: ByteString(address), from: "0x000",
          to: ByteString(String(repeating: "é", count: 30)), amount: nil,
          tokenID: WideID(high: .max, low: UInt128(row))))
      batch.retract(EventIdentity(kind: .transfer, chain: 7, block: UInt64(row)))
    }
    #expect(batch.rejections.isEmpty)
    var bytes: [UInt8] = []
    var packer = BatchPacker()
    packer.pack(batch, into: &bytes)
    let found = try EventBatch.unpacked(bytes.span)
    #expect(found.rows.count == 3300)
    for (one, other) in zip(batch.rows, found.rows) {
      let isSame =
        one.key == other.key && one.side == other.side && one.amount == other.amount && one.price == other.price
        && one.tokenAmount == other.tokenAmount && batch.tokenID(one.tokenID) == found.tokenID(other.tokenID)
        && [one.token, one.wallet, one.to].map(batch.bytes) == [other.token, other.wallet, other.to].map(found.bytes)
      #expect(isSame)
    }
  }
}
