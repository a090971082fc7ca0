// Events with one fault or two, for every reason that typed values can have.
// Invariant: none; what a spoiled event is rejected for is the model's to say.
// Not here: valid events (MarketValues).

import Continuo

extension MarketValues {
  private static let badNames: [ByteString] = [
    ByteString([UInt8](repeating: 0x7A, count: 129)), ByteString([0x61, 0xFF]), ByteString([0x61, 0x00]),
    ByteString([0xC0, 0x80]), ByteString([0xED, 0xA0, 0x80]), ByteString([0xF4, 0x90, 0x80, 0x80]), "a\u{85}", "\u{7F}",
    ByteString([0xE2, 0x82]), "tab\there",
  ]

  /// An event with a fault, now and then with two.
  func spoiled(_ row: MarketRow, using random: inout SeededGenerator) -> MarketRow {
    var row = row
    for _ in 0..<(random.chance(25) ? 2 : 1) {
      switch row {
      case .swap(let swap): row = .swap(spoiled(swap, using: &random))
      case .transfer(let transfer): row = spoiled(transfer, using: &random)
      case .retract, .overflowing: break
      }
    }
    return row
  }

  private func spoiled(_ swap: Swap, using random: inout SeededGenerator) -> Swap {
    var swap = swap
    switch Int.random(in: 0..<9, using: &random) {
    case 0: swap.amountUSD = nil
    case 1: swap.token = random.pick(Self.badNames + ["", ByteString([UInt8](repeating: 0x7A, count: 65))])
    case 2: swap.wallet = random.pick(Self.badNames)
    case 3: swap.timestamp = random.pick([Timestamp.first - 1, Timestamp.last + 1, Timestamp(microseconds: .min)])
    case 4: swap.amountUSD = Decimal18(units: random.pick([0, -1, .min]))
    case 5: swap.tokenAmount = Decimal18(units: random.pick([0, -5, .min]))
    case 6: swap.priceUSD = Decimal18(units: random.pick([0, -1]))
    case 7:  // overflow, or no_price
      swap.priceUSD = nil
      (swap.amountUSD, swap.tokenAmount) = random.pick([
        (Decimal18.max, Decimal18(units: 1)), (Decimal18(units: 1), Decimal18.max),
        (Decimal18(units: 1), Decimal18(units: 2_000_000_000_000_000_000)),
        (Decimal18(units: 3), Decimal18(units: 2_000_000_000_000_000_000)),
      ])
    default: (swap.priceUSD, swap.tokenAmount) = (nil, nil)
    }
    return swap
  }

  private func spoiled(_ transfer: Transfer, using random: inout SeededGenerator) -> MarketRow {
    var transfer = transfer
    switch Int.random(in: 0..<7, using: &random) {
    case 0: (transfer.amount, transfer.tokenID) = (nil, nil)
    case 1: transfer.token = random.pick(Self.badNames + ["", ByteString([UInt8](repeating: 0x7A, count: 65))])
    case 2: transfer.from = random.pick(Self.badNames)
    case 3: (transfer.from, transfer.to) = ("0x00", random.pick(["", "0x0"]))
    case 4: transfer.timestamp = random.pick([Timestamp.first - 1, Timestamp.last + 1])
    case 5: transfer.amount = Decimal18(units: random.pick([-1, .min]))
    default: return .overflowing(transfer)
    }
    return .transfer(transfer)
  }
}
