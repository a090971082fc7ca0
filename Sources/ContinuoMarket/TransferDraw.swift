// The values of a market's transfers, in the order in which they happen.
// Invariant: in that order nobody gives what he does not have; amounts are at least one count of 10^-8.
// Not here: when transfers happen (EventPlaces), in which order they are delivered (Delivery).

enum TransferDraw {
  /// Of how many recent takers of a token the next giver is one.
  private static let takersKept = 16
  /// One in so many transfers makes new tokens, one in so many destroys some.
  private static let mintEvery: UInt64 = 20
  private static let burnEvery: UInt64 = 100

  /// Someone who has at least so much of a token.
  private struct Holding {
    var wallet = MarketColumns.nobody
    var amount: Int64 = 0
  }

  static func fill(_ columns: inout MarketColumns, _ shape: MarketShape) {
    EventPlaces.fill(&columns, shape)
    SwapDraw.tokens(&columns, shape)
    var random = RandomSource(seed: shape.seed, for: .values)
    var wallets = RandomSource(seed: shape.seed, for: .wallets)
    let zeta = ZetaDistribution()
    let count = UInt64(shape.wallets)
    var holdings = [Holding](repeating: Holding(), count: shape.tokens * takersKept)
    for row in 0..<shape.events {
      let slots = Int(columns.tokens[row]) * takersKept
      let giver = slots + Int(random.below(UInt64(takersKept)))
      let taker = slots + Int(random.below(UInt64(takersKept)))
      let wallet = UInt32(truncatingIfNeeded: shape.isUniform ? wallets.below(count) : zeta.draw(&wallets) % count)
      let isMint = holdings[giver].amount < 2 || random.below(mintEvery) == 0
      let isBurn = !isMint && random.below(burnEvery) == 0
      let amount: Int64
      if isMint {
        amount = 1 + Int64(random.below(100_000_000_000_000))
        columns.wallets.append(MarketColumns.nobody)
      } else {
        amount = 1 + Int64(random.below(UInt64(holdings[giver].amount - 1)))
        columns.wallets.append(holdings[giver].wallet)
        holdings[giver].amount -= amount
      }
      columns.amounts.append(amount)
      columns.takers.append(isBurn ? MarketColumns.nobody : wallet)
      // Whoever held this place keeps what he has; he gives no more of it.
      if !isBurn { holdings[taker] = Holding(wallet: wallet, amount: amount) }
    }
    if shape.isWide {
      var digits = RandomSource(seed: shape.seed, for: .digits)
      columns.amountDigits = (0..<shape.events).map { _ in Int64(1 + digits.below(9_999_999_999)) }
    }
  }
}
