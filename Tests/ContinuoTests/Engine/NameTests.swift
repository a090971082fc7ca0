// Names of every length, alike but for one byte: none may be taken for another.
// Invariant: a name comes back byte for byte.
// Not here: which names are valid (JudgementTests), names that differ in Unicode form (RandomMarket).

import Continuo
import Testing

@Suite("Names")
struct NameTests {
  /// Rules 3.5, 5.3: tokens of 1 to 64 bytes and wallets of 1 to 128, each changed in its first, middle and last byte.
  @Test("Names that differ in one byte are different names")
  func everyLength() throws {
    var engine = Engine()
    let instant = Timestamp(microseconds: 1_700_000_000_000_000)
    let tokens = Self.names(upTo: Limits.tokenBytesMax)
    let wallets = Self.names(upTo: Limits.addressBytesMax)
    for round in 0..<2 {
      var batch = EventBatch()
      for (index, token) in tokens.enumerated() {
        batch.append(
          Swap(
            block: UInt64(round), logIndex: UInt32(index), timestamp: instant, token: token, amountUSD: .one,
            priceUSD: .one))
      }
      for (index, wallet) in wallets.enumerated() {
        batch.append(
          Swap(
            block: UInt64(10 + round), logIndex: UInt32(index), timestamp: instant, token: "a", amountUSD: .one,
            priceUSD: .one, wallet: wallet))
      }
      let receipt = try engine.apply(batch, wallClock: nil)
      #expect(receipt.accepted == tokens.count + wallets.count)
    }
    let known = engine.tokens().map { engine.name(of: $0) }
    #expect(known == (tokens + ["a"]).sorted())
    let found = engine.token("a")
    let a = try #require(found)
    let traders = try engine.traders(.oneHour, of: a, asOf: instant)
    #expect(traders.traders == wallets.count)
    for token in tokens {
      let same = engine.token(token).map { engine.name(of: $0) }
      #expect(same == token)
    }
  }

  private static func names(upTo longest: Int) -> [ByteString] {
    var names: Set<ByteString> = []
    for length in 1...longest {
      let plain = (0..<length).map { UInt8(ascii: "b") + UInt8($0 % 20) }
      for place in [0, length / 2, length - 1] {
        for byte in [UInt8(ascii: "Z"), UInt8(ascii: "z"), plain[place]] {
          var name = plain
          name[place] = byte
          names.insert(ByteString(name))
        }
      }
    }
    return names.sorted()
  }
}
