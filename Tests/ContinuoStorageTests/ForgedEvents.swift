// Events, and what is left of dropped ones, changed into what no engine would have let through.
// Invariant: what is drawn depends on the seed alone.
// Not here: the files that they are written to (ForgedDirectoryDamageTests).

import Continuo
import ContinuoStorage
import ContinuoTestSupport

/// Draws values at the edges of what there is, and beyond.
enum Forged {
  static let numbers: [Int64] = [0, 1, -1, 2, 255, .max, .min, .max - 1, 1 << 32, -62_135_596_800_000_001, 1 << 60]
  static let wide: [Int128] = [0, 1, -1, .max, .min, -1_000_000_000_000_000_000, 1 << 126, -(1 << 126)]

  static func amount(_ random: inout SeededGenerator) -> Decimal18 { Decimal18(units: random.pick(wide)) }
  static func small(_ random: inout SeededGenerator) -> UInt32 {
    random.pick([0, 1, 2, 3, 21, 22, 23, 24, 50, 999_999, 1_000_000, .max - 1, .max])
  }
  static func sum(_ random: inout SeededGenerator) -> ExactSum {
    ExactSum(
      low: random.pick([0, 1, .max]), middle: random.pick([0, 1, .max, 1 << 63]),
      high: random.pick([0, 0, 1, -1, .max, .min, 1 << 40]))
  }

  // MARK: events

  /// Changes a swap; `others` are those whose place it may take.
  static func change(_ swap: inout HeldSwap, _ others: [OrderKey], _ random: inout SeededGenerator) {
    switch Int.random(in: 0..<9, using: &random) {
    case 0: swap.amountUSD = amount(&random)
    case 1: swap.tokenAmount = amount(&random)
    case 2: swap.price = amount(&random)
    // The code that writes has room for as many tokens as there may be.
    case 3: swap.token = min(1_000_000, small(&random))
    case 4: swap.trader = small(&random)
    case 5: swap.side = random.pick([nil, .buy, .sell])
    default: change(&swap.key, others, &random)
    }
  }

  static func change(_ transfer: inout HeldTransfer, _ others: [OrderKey], _ random: inout SeededGenerator) {
    switch Int.random(in: 0..<8, using: &random) {
    case 0: transfer.amount = amount(&random)
    case 1: transfer.from = small(&random)
    case 2: transfer.to = small(&random)
    case 3: transfer.token = small(&random)
    case 4: (transfer.from, transfer.to) = (0, 0)
    case 5: transfer.tokenID = random.pick([nil, WideID(high: .max, low: .max)])
    default: change(&transfer.key, others, &random)
    }
  }

  private static func change(_ key: inout OrderKey, _ others: [OrderKey], _ random: inout SeededGenerator) {
    let other = random.pick(others)
    switch Int.random(in: 0..<6, using: &random) {
    case 0: key.timestamp.microseconds &+= random.pick(numbers)
    case 1: key.block = random.pick([0, 1, .max, .max - 1])
    case 2: key.chain = random.pick([0, .max, 1, 8453])
    case 3: key.logIndex = random.pick([0, .max])
    default: (key.chain, key.block, key.logIndex) = (other.chain, other.block, other.logIndex)
    }
  }

  // MARK: what is left of dropped events

  static func change(_ base: inout TokenBase, _ random: inout SeededGenerator) {
    let counts = [0, 1, 2, .max, .max - 1, 1 << 48]
    switch Int.random(in: 0..<9, using: &random) {
    case 0: base.token = small(&random)
    case 1: base.droppedSwaps = random.pick(counts)
    case 2: base.droppedTransfers = random.pick(counts)
    case 3:
      base.lastKey?.timestamp.microseconds = random.pick(numbers)
      if random.chance(30) { base.lastKey = nil }
    case 4: base.lastPrice = amount(&random)
    case 5: base.supply = sum(&random)
    case 6:
      guard !base.balances.isEmpty else { return }
      let place = Int.random(in: base.balances.indices, using: &random)
      if random.chance(50) { base.balances[place].address = small(&random) }
      base.balances[place].sum = sum(&random)
    default:
      guard !base.candles.isEmpty else { return }
      let place = Int.random(in: base.candles.indices, using: &random)
      change(&base.candles[place], &random)
    }
  }

  private static func change(_ archived: inout TokenBase.Archived, _ random: inout SeededGenerator) {
    if random.chance(15) {
      let hours = random.pick([1, -1, 24, 1 << 40, -(1 << 40)] as [Int64])
      archived.start.microseconds &+= hours &* 3_600_000_000
    }
    if random.chance(15) { archived.interval = random.pick([.oneHour, .fourHours, .oneDay, .oneWeek]) }
    let candle = archived.candle
    func price(_ old: Decimal18) -> Decimal18 { random.chance(15) ? amount(&random) : old }
    func total(_ old: ExactSum) -> ExactSum { random.chance(15) ? sum(&random) : old }
    func key(_ old: OrderKey) -> OrderKey {
      var key = old
      if random.chance(15) { key.timestamp.microseconds &+= random.pick(numbers) }
      if random.chance(10) { key.block = random.pick([0, .max]) }
      return key
    }
    archived.candle = Candle(
      open: price(candle.open), high: price(candle.high), low: price(candle.low), close: price(candle.close),
      openKey: key(candle.openKey), closeKey: key(candle.closeKey), volumeUSD: total(candle.volumeUSD),
      volumeToken: total(candle.volumeToken), buyVolumeUSD: total(candle.buyVolumeUSD),
      sellVolumeUSD: total(candle.sellVolumeUSD),
      trades: random.chance(15) ? random.pick([1, 2, .max, .max - 3]) : candle.trades,
      tradesWithoutTokenAmount: random.chance(15) ? random.pick([0, 7, .max]) : candle.tradesWithoutTokenAmount)
  }
}
