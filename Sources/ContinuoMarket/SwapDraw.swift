// The values of a market's swaps, in the order in which they happen.
// Invariant: money is round(price × amount) at eight digits, and at least one count of 10^-8, as are price and amount.
// Not here: when swaps happen (EventPlaces), in which order they are delivered (Delivery).

enum SwapDraw {
  /// A token's weight is its rank to the minus this.
  static let popularityExponent = 1.1
  /// The deviation of one step of a token's price, as a share.
  private static let step = 0.002
  private static let countsPerUnit = 1e8
  /// No price or amount counts more: their product by a hundred million stays within 64 bits.
  private static let countMax = 1e15
  private static let productMax = 9e26

  static func fill(_ columns: inout MarketColumns, _ shape: MarketShape) {
    EventPlaces.fill(&columns, shape)
    tokens(&columns, shape)
    wallets(&columns, shape)
    values(&columns, shape)
    if shape.isWide { digits(&columns, shape) }
  }

  static func tokens(_ columns: inout MarketColumns, _ shape: MarketShape) {
    var random = RandomSource(seed: shape.seed, for: .tokens)
    let pick = WeightedPick(count: shape.tokens, exponent: shape.isUniform ? 0 : popularityExponent)
    columns.tokens = (0..<shape.events).map { _ in UInt32(pick.draw(&random)) }
  }

  private static func wallets(_ columns: inout MarketColumns, _ shape: MarketShape) {
    var random = RandomSource(seed: shape.seed, for: .wallets)
    let zeta = ZetaDistribution()
    let count = UInt64(shape.wallets)
    columns.wallets = (0..<shape.events).map { _ in
      UInt32(truncatingIfNeeded: shape.isUniform ? random.below(count) : zeta.draw(&random) % count)
    }
  }

  /// Prices walk, token by token; amounts are lognormal, the smaller the dearer the token.
  private static func values(_ columns: inout MarketColumns, _ shape: MarketShape) {
    var random = RandomSource(seed: shape.seed, for: .values)
    // The logarithm of each token's price, and what an amount of it is divided by.
    var logarithms: [Double] = []
    var divisors: [Double] = []
    for _ in 0..<shape.tokens {
      let logarithm = (random.unit() * 7 - 4) * 2.302_585_092_994_046
      logarithms.append(logarithm)
      divisors.append(Curves.exp(logarithm / 2))
    }
    columns.prices.reserveCapacity(shape.events)
    columns.amounts.reserveCapacity(shape.events)
    columns.money.reserveCapacity(shape.events)
    columns.sides.reserveCapacity(shape.events)
    for row in 0..<shape.events {
      let token = Int(columns.tokens[row])
      let (walk, size) = random.normals()
      logarithms[token] += step * walk
      let price = counted(Curves.exp(logarithms[token]))
      var amount = counted(Curves.exp(3 + 1.5 * size) / divisors[token])
      if Double(price) * Double(amount) > productMax { amount = max(1, Int64(productMax / Double(price))) }
      columns.prices.append(price)
      columns.amounts.append(amount)
      columns.money.append(product(price, amount))
      columns.sides.append(UInt8(truncatingIfNeeded: random.next() >> 63))
    }
  }

  private static func counted(_ value: Double) -> Int64 {
    Int64(max(1, min(countMax, (value * countsPerUnit).rounded(.toNearestOrEven))))
  }

  /// price × amount at eight digits, half-even, at least one count. Both count at most 10^15, their product 9 × 10^26.
  static func product(_ price: Int64, _ amount: Int64) -> Int64 {
    let scale: UInt64 = 100_000_000
    let (quotient, rest) = scale.dividingFullWidth(UInt64(price).multipliedFullWidth(by: UInt64(amount)))
    let isUp = rest > scale / 2 || rest == scale / 2 && quotient & 1 == 1
    return max(1, Int64(quotient) + (isUp ? 1 : 0))
  }

  private static func digits(_ columns: inout MarketColumns, _ shape: MarketShape) {
    var random = RandomSource(seed: shape.seed, for: .digits)
    columns.moneyDigits.reserveCapacity(shape.events)
    columns.amountDigits.reserveCapacity(shape.events)
    for _ in 0..<shape.events {
      columns.moneyDigits.append(Int64(1 + random.below(9_999_999_999)))
      columns.amountDigits.append(Int64(1 + random.below(9_999_999_999)))
    }
  }
}
