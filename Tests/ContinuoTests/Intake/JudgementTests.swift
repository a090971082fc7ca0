// Which reason a row is rejected for: alone, and where it has two faults.
// Invariant: the first reason in the order of rule 3.6 is the one reported, however the row came in.
// Not here: files and their lines (ContinuoFormats' tests), random rows (EngineProperties).

import Continuo
import ContinuoTestSupport
import Testing

/// A row of text by its fields, and one way to spoil it.
struct Spoiling: Sendable, CustomTestStringConvertible {
  var reason: RejectionReason
  /// What the faulty fields hold; nil takes the field away.
  var changes: [EventField: String?]

  init(_ reason: RejectionReason, _ changes: [EventField: String?]) {
    (self.reason, self.changes) = (reason, changes)
  }

  var testDescription: String {
    "\(reason.name) by "
      + changes.map { "\($0.key.name)=\(($0.value ?? "(none)").prefix(20))" }.sorted().joined(separator: ",")
  }
}

@Suite("Judgement")
struct JudgementTests {
  private static let swap: [EventField: String] = [
    .kind: "swap", .chain: "1", .block: "7", .logIndex: "0", .timestamp: "2024-12-01T13:00:00Z", .token: "ART",
    .side: "buy", .amountUSD: "10", .tokenAmount: "4", .wallet: "alice",
  ]
  private static let transfer: [EventField: String] = [
    .kind: "transfer", .chain: "1", .block: "7", .logIndex: "0", .timestamp: "2024-12-01T13:00:00Z", .token: "ART",
    .from: "0x0", .to: "alice", .amount: "4",
  ]
  private static let tooLong = String(repeating: "a", count: 129)
  private static let common: [Spoiling] = [
    Spoiling(.malformed, [.kind: "mint"]), Spoiling(.malformed, [.kind: ""]), Spoiling(.malformed, [.kind: "Swap"]),
    Spoiling(.malformed, [.chain: "4294967296"]), Spoiling(.malformed, [.chain: "-1"]),
    Spoiling(.malformed, [.chain: "+1"]),
    Spoiling(.malformed, [.chain: "1.0"]), Spoiling(.malformed, [.chain: ""]), Spoiling(.malformed, [.block: "x"]),
    Spoiling(.malformed, [.block: "18446744073709551616"]), Spoiling(.malformed, [.block: " 7"]),
    Spoiling(.malformed, [.logIndex: "4294967296"]), Spoiling(.malformed, [.logIndex: "99999999999999999999999"]),
    Spoiling(.missingField, [.block: nil]), Spoiling(.missingField, [.timestamp: nil]),
    Spoiling(.missingField, [.token: nil]),
    Spoiling(.badToken, [.token: ""]), Spoiling(.badToken, [.token: String(repeating: "t", count: 65)]),
    Spoiling(.badToken, [.token: "a\nb"]), Spoiling(.badToken, [.token: "a\u{9f}"]),
    Spoiling(.badToken, [.token: "\u{7f}"]),
    Spoiling(.badTime, [.timestamp: "yesterday"]), Spoiling(.badTime, [.timestamp: ""]),
    Spoiling(.badTime, [.timestamp: "2024-02-30T00:00:00Z"]), Spoiling(.badTime, [.timestamp: "253402300800000000"]),
  ]
  static let ofSwaps: [Spoiling] =
    common + [
      Spoiling(.malformed, [.side: "hold"]), Spoiling(.malformed, [.side: "Buy"]), Spoiling(.malformed, [.side: ""]),
      Spoiling(.missingField, [.amountUSD: nil]), Spoiling(.badAddress, [.wallet: tooLong]),
      Spoiling(.badAddress, [.wallet: "a\tb"]), Spoiling(.badNumber, [.amountUSD: "ten"]),
      Spoiling(.badNumber, [.amountUSD: ""]),
      Spoiling(.badNumber, [.tokenAmount: "1,5"]), Spoiling(.badNumber, [.priceUSD: ".5"]),
      Spoiling(.overflow, [.amountUSD: "1e21"]), Spoiling(.overflow, [.tokenAmount: "-1e99999999999999999999"]),
      Spoiling(.overflow, [.priceUSD: "170141183460469231731.6873037158841057275"]),
      Spoiling(.overflow, [.amountUSD: "100000000000000000000", .tokenAmount: "0.000001"]),
      Spoiling(.nonPositiveAmount, [.amountUSD: "0"]), Spoiling(.nonPositiveAmount, [.amountUSD: "-1"]),
      Spoiling(.nonPositiveAmount, [.tokenAmount: "0.0000000000000000004"]),
      Spoiling(.nonPositiveAmount, [.priceUSD: "-0.0"]),
      Spoiling(.noPrice, [.tokenAmount: nil, .priceUSD: nil]),
      Spoiling(.noPrice, [.amountUSD: "0.000000000000000001", .tokenAmount: "2"]),
    ]
  static let ofTransfers: [Spoiling] =
    common + [
      Spoiling(.malformed, [.tokenID: "-1"]), Spoiling(.malformed, [.tokenID: ""]),
      Spoiling(.malformed, [.tokenID: "0x1"]),
      Spoiling(
        .malformed, [.tokenID: "115792089237316195423570985008687907853269984665640564039457584007913129639936"]),
      Spoiling(.missingField, [.from: nil]), Spoiling(.missingField, [.to: nil]),
      Spoiling(.missingField, [.amount: nil]),
      Spoiling(.badAddress, [.from: tooLong]), Spoiling(.badAddress, [.to: "a\u{85}"]),
      Spoiling(.badAddress, [.to: "0X00"]),
      Spoiling(.badAddress, [.to: ""]), Spoiling(.badNumber, [.amount: "4e"]), Spoiling(.badNumber, [.amount: ""]),
      Spoiling(.overflow, [.amount: "170141183460469231732"]),
      Spoiling(.nonPositiveAmount, [.amount: "-0.000000000000000001"]),
    ]

  private static func judge(_ fields: [EventField: String]) -> EventBatch {
    var rows = OfferedRows()
    rows.beginRow(line: 3)
    for (field, text) in fields { rows.set(field, rows.text.keep(Array(text.utf8))) }
    var batch = EventBatch()
    batch.judge(&rows)
    return batch
  }

  private static func spoil(_ fields: [EventField: String], _ spoilings: [Spoiling]) -> [EventField: String] {
    var fields = fields
    for (field, text) in spoilings.flatMap(\.changes) { fields[field] = text }
    return fields
  }

  /// Rules 3.3, 3.4, 3.6: each fault alone, with the field and what it held.
  @Test("One fault", arguments: ofSwaps.map { (false, $0) } + ofTransfers.map { (true, $0) })
  func oneFault(isTransfer: Bool, spoiling: Spoiling) throws {
    let batch = Self.judge(Self.spoil(isTransfer ? Self.transfer : Self.swap, [spoiling]))
    let rejection = try #require(batch.rejections.first)
    #expect(rejection.reason == spoiling.reason)
    #expect(rejection.line == 3)
    #expect(batch.offered == 1 && batch.rejections.count == 1)
    #expect(batch.rows.allSatisfy { $0.operation == .markIncomplete })
    if spoiling.changes.count == 1, let (field, text) = spoiling.changes.first, field != .kind || text != "" {
      #expect(rejection.field == field)
      if spoiling.reason != .nonPositiveAmount { #expect(rejection.value.bytes.count <= 129 * 4) }
      if let text, text.utf8.count <= 100, spoiling.reason != .nonPositiveAmount, spoiling.reason != .noPrice {
        #expect(rejection.value == ByteString(text))
      }
    }
  }

  /// Rule 3.6: of two faults the first in the order of the reasons.
  @Test("Two faults", arguments: [false, true])
  func twoFaults(isTransfer: Bool) throws {
    let spoilings = isTransfer ? Self.ofTransfers : Self.ofSwaps
    var pairs = 0
    for first in spoilings {
      for second in spoilings where first.reason.rawValue < second.reason.rawValue {
        guard Set(first.changes.keys).isDisjoint(with: second.changes.keys) else { continue }
        // A price is derived of positive numbers only; a price that is given needs no other.
        if first.reason == .overflow, first.changes.count == 2 { continue }
        if second.reason == .noPrice, first.changes.keys.contains(.priceUSD), first.reason != .malformed { continue }
        pairs += 1
        let batch = Self.judge(Self.spoil(isTransfer ? Self.transfer : Self.swap, [second, first]))
        #expect(
          batch.rejections.map(\.reason) == [first.reason],
          "\(first.testDescription) and \(second.testDescription)")
      }
    }
    #expect(pairs > 300)
  }

  /// Rule 3.6: a row that its parser gave up (`limit`, `malformed`) is not read at all; the parser's first fault stands.
  @Test("Rows that could not be split")
  func rowsThatCouldNotBeSplit() {
    var rows = OfferedRows()
    for (line, reasons) in [(2, [RejectionReason.limit, .malformed]), (5, []), (9, [.malformed, .limit])] {
      rows.beginRow(line: line)
      for (field, text) in Self.swap { rows.set(field, rows.text.keep(Array(text.utf8))) }
      for reason in reasons {
        rows.reject(reason, value: rows.text.keep(Array(String(repeating: "é", count: 200).utf8)))
      }
    }
    var batch = EventBatch()
    batch.judge(&rows)
    #expect(batch.rejections.map(\.reason) == [.limit, .malformed])
    #expect(batch.rejections.map(\.line) == [2, 9])
    #expect(batch.rejections[0].value == ByteString(String(repeating: "é", count: 100) + "…"))
    #expect(batch.rows.count == 1 && batch.offered == 3 && rows.count == 0)
  }

  /// Rules 3.1, 3.6, 6.2: what depends on the state comes after everything else: in_future, too_late, conflict.
  @Test("The three checks on the state, in their order")
  func stateChecks() throws {
    var engine = Engine(Engine.Settings(retention: try RetentionPolicy("raw=7d")))
    let noon = try #require(Timestamp("2024-12-01T12:00:00Z"))
    let day: Int64 = 86_400_000_000
    func swap(_ block: UInt64, _ time: Timestamp, amount: Decimal18? = .one) -> EventBatch {
      var batch = EventBatch()
      batch.append(Swap(block: block, timestamp: time, token: "ART", amountUSD: amount, priceUSD: .one))
      return batch
    }
    try engine.apply(swap(1, noon), wallClock: nil)
    engine.moveHorizon()
    #expect(engine.horizon == noon.startOfDay - 7 * day)
    func verdict(_ batch: EventBatch, _ wall: Timestamp? = nil) throws -> RejectionReason? {
      try engine.apply(batch, wallClock: wall).rejections.first?.reason
    }
    let old = noon.startOfDay - 7 * day - 1
    #expect(try verdict(swap(1, old), old - 301_000_000) == .inFuture)  // and too late, and a conflict
    #expect(try verdict(swap(1, old)) == .tooLate)  // and a conflict
    #expect(try verdict(swap(1, noon + 1)) == .conflict)
    #expect(try verdict(swap(1, noon + 1, amount: .zero)) == .nonPositiveAmount)  // and a conflict
    #expect(try verdict(swap(1, noon), noon - 300_000_001) == .inFuture)  // and a duplicate
    #expect(try engine.apply(swap(1, noon), wallClock: noon - 300_000_000).duplicates == 1)
    #expect(try engine.apply(swap(2, old + 1), wallClock: nil).accepted == 1)  // at H
    #expect(engine.newest == noon && engine.clock == noon)
  }

  /// Rule 3.3: `--price amount-usd` takes the amount for the price, whatever else the row says.
  @Test("The other price mode")
  func priceModes() throws {
    for (mode, price) in [(PriceMode.quoted, "3"), (.amountUSD, "10")] {
      var engine = Engine()
      var batch = EventBatch(price: mode)
      batch.append(
        Swap(
          block: 1, timestamp: Timestamp(microseconds: 0), token: "ART", amountUSD: Decimal18("10"),
          tokenAmount: Decimal18("4"), priceUSD: Decimal18("3")))
      try engine.apply(batch, wallClock: nil)
      let found = engine.token("ART")
      let token = try #require(found)
      #expect(engine.candleAnswers(token, CandleQuery(.oneDay)).first?.prices.first == Decimal18(price))
    }
  }

  /// Rule 3.5: lengths, hexadecimal names, and the zero address in its spellings.
  @Test("Names at their bounds")
  func namesAtTheirBounds() throws {
    var batch = EventBatch()
    let time = Timestamp(microseconds: 0)
    let longest = String(repeating: "w", count: 128)
    let addresses: [(ByteString, ByteString)] = [
      ("", ByteString(longest)), ("0X000", "0xABc"), ("0x", "0xg"), ("0x0", "0XABC"), ("0xabC", "0xABC"),
      ("0xAg", "0xag"),
    ]
    for (index, (from, to)) in addresses.enumerated() {
      batch.append(
        Transfer(
          block: UInt64(index), timestamp: time, token: ByteString(String(repeating: "t", count: 64)), from: from,
          to: to,
          amount: .one))
    }
    #expect(batch.rejections.isEmpty)
    var engine = Engine()
    #expect(try engine.apply(batch, wallClock: nil).accepted == 6)
    let found = engine.token(ByteString(String(repeating: "t", count: 64)))
    let token = try #require(found)
    let holders = engine.holders(of: token).map { "\($0.address) \(ModelNumber.text(BigInteger($0.balance)))" }
    #expect(holders == ["0xabc 2", "0xag 1", "0xg 1", "\(longest) 1"])
    #expect(engine.inspection().negativeBalances == 1)
  }

  /// Rule 3.5: a name of any length with one strange byte anywhere, as a value and as text that lies among other text.
  @Test("Names with one strange byte", arguments: [UInt8(0x00), 0x1F, 0x20, 0x7E, 0x7F, 0x80, 0x9F, 0xC3, 0xFF])
  func oneStrangeByte(strange: UInt8) {
    let isPlain = strange >= 0x20 && strange < 0x7F
    for length in 1...40 {
      for place in 0..<length {
        var name = [UInt8](repeating: UInt8(ascii: "n"), count: length)
        name[place] = strange
        var typed = EventBatch()
        typed.append(
          Swap(
            block: 1, timestamp: Timestamp(microseconds: 0), token: ByteString(name), amountUSD: .one, priceUSD: .one,
            wallet: ByteString(name)))
        #expect(typed.rejections.first?.reason == (isPlain ? nil : .badToken), "\(length) bytes, \(place)")
        for padding in [0, 40] {
          var rows = OfferedRows()
          rows.text.bytes = [UInt8](repeating: 0, count: 3) + name + [UInt8](repeating: 0, count: padding)
          rows.beginRow(line: 1)
          for (field, text) in Self.swap { rows.set(field, rows.text.keep(Array(text.utf8))) }
          rows.set(.wallet, TextCell(offset: 3, length: length))
          var batch = EventBatch()
          batch.judge(&rows)
          #expect(batch.rejections.first?.reason == (isPlain ? nil : .badAddress), "\(length) bytes, \(place)")
        }
      }
    }
  }

  /// Rules 2.2, 2.6: a number is read the same whatever digits lie around it.
  @Test("Numbers among digits", arguments: Seeds.thisRun(4))
  func numbersAmongDigits(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    for _ in 0..<3_000 {
      let whole = String((0..<Int.random(in: 1...19, using: &random)).map { _ in random.pick(Array("0123456789")) })
      let places = Int.random(in: 0...20, using: &random)
      let fraction = String((0..<places).map { _ in random.pick(Array("0123456789")) })
      let text = places == 0 ? whole : "\(whole).\(fraction)"
      var rows = OfferedRows()
      let before = Int.random(in: 0...20, using: &random)
      rows.text.bytes = Array((String(repeating: "7", count: before) + text).utf8)
      rows.text.bytes += Array(String(repeating: "3", count: Int.random(in: 0...20, using: &random)).utf8)
      rows.beginRow(line: 1)
      for (field, text) in Self.swap { rows.set(field, rows.text.keep(Array(text.utf8))) }
      rows.set(.amountUSD, TextCell(offset: before, length: text.utf8.count))
      rows.set(.block, TextCell(offset: before, length: whole.utf8.count))
      rows.set(.timestamp, TextCell(offset: before, length: min(whole.utf8.count, 17)))
      var batch = EventBatch()
      batch.judge(&rows)
      let expected = try #require(Decimal18(text))
      guard expected.isPositive, let block = UInt64(whole) else { continue }
      #expect(batch.rows.first?.amount == expected, "\(text); \(Seeds.replay(seed, "JudgementTests"))")
      #expect(batch.rows.first?.key.block == block, "\(text)")
      #expect(batch.rows.first?.timestamp.microseconds == Int64(whole.prefix(17)), "\(text)")
    }
  }

  /// Rule 3.5: of `0x` and hexadecimal digits the lower-case ones are the name, whatever their number.
  @Test("Hexadecimal names of every length")
  func hexadecimalNames() {
    for digits in 0...44 {
      for (text, expected) in [
        ("0X" + String(repeating: "aF9", count: digits), "0x" + String(repeating: "af9", count: digits)),
        ("0x" + String(repeating: "0", count: digits), nil),
        ("0x" + String(repeating: "0", count: digits) + "G", "0x" + String(repeating: "0", count: digits) + "G"),
        ("0x" + String(repeating: "0", count: digits) + "A", "0x" + String(repeating: "0", count: digits) + "a"),
        ("0x1" + String(repeating: "0", count: digits), "0x1" + String(repeating: "0", count: digits)),
      ] as [(String, String?)] where text.utf8.count <= 128 {
        var batch = EventBatch()
        batch.append(
          Swap(
            block: 1, timestamp: Timestamp(microseconds: 0), token: "T", amountUSD: .one, priceUSD: .one,
            wallet: ByteString(text)))
        let wallet = batch.bytes(of: batch.rows[0].wallet)
        #expect(wallet.description == (text == "0X" ? "" : expected ?? ""), "\(text)")
      }
    }
  }
}
