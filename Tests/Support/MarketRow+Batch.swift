// How rows of a test become a batch of the engine: as values, or as the text that a parser would offer.
// Invariant: both ways mean the same events, and line numbers are the rows' places from 0.
// Not here: what is drawn (RandomMarket), what it means (ContinuoModel).

package import Continuo

extension EventBatch {
  /// A batch of rows; with `spelling`, the leading rows go in as text, spelled at random.
  package init(_ rows: [MarketRow], price: PriceMode, spelling: inout SeededGenerator?) {
    self.init(price: price)
    var asText = 0
    while asText < rows.count, rows[asText].mayBeText, spelling != nil || rows[asText].isOverflowing { asText += 1 }
    if asText > 0 {
      var offered = OfferedRows()
      var random = spelling ?? SeededGenerator(seed: 0)
      for (line, row) in rows[..<asText].enumerated() {
        offered.beginRow(line: line)
        row.write(into: &offered, using: &random)
      }
      judge(&offered)
      if spelling != nil { spelling = random }
    }
    for row in rows[asText...] {
      switch row {
      case .swap(let swap): append(swap)
      case .transfer(let transfer): append(transfer)
      case .retract(let identity): retract(identity)
      case .overflowing: preconditionFailure("an overflow can be told by text only: put it before what is not text")
      }
    }
  }
}

extension MarketRow {
  package var isOverflowing: Bool { if case .overflowing = self { true } else { false } }

  fileprivate var mayBeText: Bool { if case .retract = self { false } else { true } }

  fileprivate func write(into rows: inout OfferedRows, using random: inout SeededGenerator) {
    func set(_ field: EventField, _ bytes: [UInt8]) { rows.set(field, rows.text.keep(bytes)) }
    func set(_ field: EventField, _ text: String) { set(field, Array(text.utf8)) }
    func set(_ field: EventField, _ value: Decimal18?) {
      if let value { set(field, Spelling.number(value, using: &random)) }
    }
    switch self {
    case .swap(let swap):
      if random.chance(50) { set(.kind, "swap") }
      if swap.chain != 0 || random.chance(50) { set(.chain, String(swap.chain)) }
      set(.block, String(swap.block))
      set(.logIndex, String(swap.logIndex))
      set(.timestamp, Spelling.time(swap.timestamp, using: &random))
      set(.token, swap.token.bytes)
      if let side = swap.side { set(.side, side == .buy ? "buy" : "sell") }
      set(.amountUSD, swap.amountUSD)
      set(.tokenAmount, swap.tokenAmount)
      set(.priceUSD, swap.priceUSD)
      if let wallet = swap.wallet { set(.wallet, wallet.bytes) }
    case .transfer(let transfer), .overflowing(let transfer):
      set(.kind, "transfer")
      set(.chain, String(transfer.chain))
      set(.block, String(transfer.block))
      set(.logIndex, String(transfer.logIndex))
      set(.timestamp, Spelling.time(transfer.timestamp, using: &random))
      set(.token, transfer.token.bytes)
      set(.from, transfer.from.bytes)
      set(.to, transfer.to.bytes)
      if isOverflowing { set(.amount, random.pick(["170141183460469231732", "1e21", "9e999999999"])) }
      if !isOverflowing { set(.amount, transfer.amount) }
      if let tokenID = transfer.tokenID { set(.tokenID, Spelling.wide(tokenID)) }
    case .retract: preconditionFailure("a retraction is no row of text")
    }
  }
}

/// The many ways to write one value.
enum Spelling {
  static func number(_ value: Decimal18, using random: inout SeededGenerator) -> String {
    let text = ModelNumber.text(value)
    let isNegative = text.hasPrefix("-")
    let digits = isNegative ? String(text.dropFirst()) : text
    let sign = isNegative ? "-" : random.chance(10) ? "+" : ""
    switch Int.random(in: 0..<8, using: &random) {
    case 0: return sign + "000" + digits
    case 1: return sign + (digits.contains(".") ? digits + "000" : digits + ".0")
    case 2: return sign + digits + "e0"
    case 3: return sign + BigInteger(value.units).magnitude.description + "E-18"
    case 4: return sign + (digits.contains(".") ? digits + "0000000000000000000" : digits + ".000") + "e+00"
    default: return sign + digits
    }
  }

  static func time(_ instant: Timestamp, using random: inout SeededGenerator) -> String {
    guard random.chance(50), Timestamp.first <= instant, instant <= Timestamp.last else {
      return String(instant.microseconds)
    }
    let text = ModelCalendar.text(instant)
    switch Int.random(in: 0..<4, using: &random) {
    case 0: return text.replacing("T", with: " ")
    case 1: return text.replacing("T", with: "t")
    case 2: return text.replacing("Z", with: "+00:00")
    default: return text
    }
  }

  static func wide(_ value: WideID) -> String {
    let half = BigInteger(Int128(1) << 64)
    func integer(_ value: UInt128) -> BigInteger { BigInteger(high: 0, low: value) }
    return (integer(value.high) * half * half + integer(value.low)).description
  }
}
