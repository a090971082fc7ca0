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

  /// Rules 3.5, 5.5: addresses of twenty bytes, and names that only look like one: tokens differ in every byte, wallets
  /// not in capitals; ties of a ranking stand in the order of the bytes, whatever a name is packed as.
  @Test("Addresses of twenty bytes, and what looks like them")
  func addresses() throws {
    let digits = "00112233445566778899aAbBcCdDeEfF01234567"
    let lower = "0x" + digits.lowercased()
    let tokens: [ByteString] = [
      ByteString(lower), ByteString("0x" + digits), ByteString("0X" + digits.lowercased()),
      ByteString("0x" + digits.lowercased().dropLast() + "g"), ByteString(lower + "0"), ByteString(lower.dropLast()),
      ByteString("1x" + digits.lowercased()), ByteString("0x" + String(repeating: "0", count: 40)),
      ByteString("0x" + digits.lowercased().dropLast() + "8"), "0x", "0x0011", "0", "0123456789abcdef",
      "0x0123456789abcdef",
      ByteString("0x" + String(repeating: "f", count: 40)),
    ]
    var engine = Engine()
    let instant = Timestamp(microseconds: 1_700_000_000_000_000)
    var batch = EventBatch()
    for (index, token) in tokens.enumerated() {
      for side in 0..<2 {
        batch.append(
          Swap(
            block: UInt64(index), logIndex: UInt32(side), timestamp: instant, token: token, amountUSD: .one,
            priceUSD: .one, wallet: side == 0 ? ByteString("0X" + digits) : ByteString(lower)))
      }
    }
    #expect(batch.rows.map { batch.bytes(of: $0.token) } == tokens.flatMap { [$0, $0] })
    #expect(Set(batch.rows.map { batch.bytes(of: $0.wallet) }) == [ByteString(lower)])
    let receipt = try engine.apply(batch, wallClock: nil)
    #expect(receipt.accepted == 2 * tokens.count)
    let ranked = try engine.ranking(by: .volume, limit: tokens.count, asOf: instant).map { engine.name(of: $0.token) }
    #expect(ranked == tokens.sorted())
    for token in tokens {
      let found = engine.token(token)
      let number = try #require(found)
      #expect(engine.name(of: number) == token)
      let traders = try engine.traders(.oneHour, of: number, asOf: instant)
      #expect(traders.traders == 1, "\(token)")
    }
  }

  /// Rule 3.5: every byte that a text may have, at every place behind `0x` of forty: digits in lower case, all else as it is.
  @Test("Every byte at every place of an address of twenty bytes")
  func everyByteOfAnAddress() {
    let zeros = [UInt8](repeating: UInt8(ascii: "0"), count: 40)
    for place in 0..<40 {
      var batch = EventBatch()
      var expected: [ByteString] = []
      func add(_ digits: [UInt8], _ name: [UInt8]) {
        batch.append(
          Swap(
            block: 1, timestamp: Timestamp(microseconds: 1), token: "a", amountUSD: .one, priceUSD: .one,
            wallet: ByteString(Array("0x".utf8) + digits)))
        expected.append(ByteString(name))
      }
      for byte in UInt8(0x20)..<0x7F {
        var digits = zeros
        digits[place] = byte
        let isDigit = Character(Unicode.Scalar(byte)).isHexDigit
        let folded =
          isDigit ? String(decoding: digits, as: UTF8.self).lowercased() : String(decoding: digits, as: UTF8.self)
        // Nothing but zeros is the zero address, which has no bytes.
        add(digits, byte == UInt8(ascii: "0") ? [] : Array("0x".utf8) + Array(folded.utf8))
      }
      if place < 39 {
        var digits = zeros
        digits.replaceSubrange(place..<place + 2, with: "é".utf8)
        add(digits, Array("0x".utf8) + digits)
      }
      #expect(batch.rejections.isEmpty)
      #expect(batch.rows.map { batch.bytes(of: $0.wallet) } == expected, "place \(place)")
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
