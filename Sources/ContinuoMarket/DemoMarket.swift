// The demo's market, step by step: who trades or gives what, when, and at which price.
// Invariant: a step is decided by the seed, its number, the time, and what is held; nobody gives what he does not have; every
// block is a second, and its events have log indexes of their own.
// Not here: the tokens (DemoTokens), their prices (DemoPrices), when steps are taken and where they go (ContinuoTool).

package import Continuo

/// What one step of the demo's market did.
package struct DemoStep: Sendable {
  enum Kind: Sendable { case buy, sell, gift, mint, burn }

  var kind: Kind
  /// How many steps were drawn before.
  package var number: UInt64
  package var timestamp: Timestamp
  /// The first of the log indexes that it takes.
  var logIndex: UInt32
  package var token: Int
  /// Who trades, or gives.
  var wallet: Int
  /// Who is given to.
  var taker: Int
  var amount: Decimal18
  var price = Decimal18.zero
  var money = Decimal18.zero
  /// How much later than it happened it is delivered; mostly 0.
  package var lateMicroseconds: Int64 = 0
  /// How many blocks are replaced behind this step; mostly 0.
  package var blocksReplaced: UInt64 = 0

  /// The block it is in.
  package var block: UInt64 { DemoMarket.block(at: timestamp) }
}

/// A market of invented tokens that goes on for ever.
///
///     var market = DemoMarket(seed: 7, from: start)
///     for step in market.genesis() { market.append(step, to: &batch) }
///     while let step = market.next(before: now, perSecond: 4) { market.append(step, to: &batch) }
package struct DemoMarket: Sendable {
  /// The number that developers give to chains that are none.
  package static let chain: UInt32 = 31_337
  package static let blockMicroseconds: Int64 = 1_000_000
  /// 2024-01-01T00:00:00Z: block 0.
  private static let blocksFrom: Int64 = 1_704_067_200_000_000
  /// Swaps a second where the market is as lively as it gets: amounts are drawn for this.
  package static let liveStepsPerSecond = 4.0

  private static let wallets = 2500
  private static let pool = wallets
  private static let nobody = wallets + 1
  /// Which share of the supply the pool has at first, and among how many wallets the rest goes.
  private static let poolShare = 0.6
  private static let firstHolders = 40
  private static let medianMoney = 40.0

  package let seed: UInt64
  /// How many steps were drawn.
  package private(set) var stepCount: UInt64 = 0
  private let characters: [DemoTokens.Character]
  private var prices: DemoPrices
  private let names: [[UInt8]]
  private let numbers: [ByteString: Int]
  private let tokenPick = WeightedPick(
    count: DemoTokens.names.count, exponent: DemoTokens.popularityExponent)
  private let walletPick = WeightedPick(count: wallets, exponent: 0.8)
  /// What each has of each token; the pool is the last.
  private var balances: [[Int128]]
  /// When the last step was.
  package private(set) var now: Timestamp
  /// When the next step is; nil: not drawn yet.
  private var nextAt: Timestamp?
  private var lastBlock: UInt64 = 0
  private var logIndex: UInt32 = 0

  /// Begins a market in which nothing has happened. O(tokens × wallets).
  package init(seed: UInt64, from start: Timestamp) {
    self.seed = seed
    characters = DemoTokens.characters(seed: seed)
    prices = DemoPrices(seed: seed, characters, from: start)
    let pool = NamePool.addresses(Self.wallets + 1, seed: seed)
    names = (0...Self.wallets).map { Array(pool.bytes[pool.place(UInt32($0))]) } + [[]]
    numbers = Dictionary(
      names.prefix(Self.wallets + 1).enumerated().map { (ByteString($1), $0) }, uniquingKeysWith: { first, _ in first })
    balances = DemoTokens.names.map { _ in [Int128](repeating: 0, count: Self.wallets + 1) }
    now = start
  }

  /// The block of an instant.
  package static func block(at instant: Timestamp) -> UInt64 {
    UInt64(max(0, instant.microseconds - blocksFrom) / blockMicroseconds)
  }

  /// When a block begins.
  package static func start(ofBlock block: UInt64) -> Timestamp {
    Timestamp(microseconds: blocksFrom + Int64(block) * blockMicroseconds)
  }

  // MARK: going on from what is held

  /// Goes on behind so many steps, at the beginning of the block behind an instant. O(tokens).
  package mutating func proceed(step: UInt64, after instant: Timestamp) {
    stepCount = step
    let block = Self.block(at: instant) + 1
    now = Self.start(ofBlock: block)
    (nextAt, lastBlock, logIndex) = (nil, block, 0)
    for token in DemoTokens.names.indices { prices.wait(token, until: now) }
  }

  /// Takes over what is held of a token: its price, and who has how much. O(wallets).
  package mutating func restore(_ token: Int, price: Decimal18?, _ holders: [Holder]) {
    if let price { prices.set(token, price, at: now) }
    balances[token] = [Int128](repeating: 0, count: Self.wallets + 1)
    for holder in holders {
      // Others may have been given something by events that somebody sent.
      guard let number = numbers[holder.address], let balance = holder.balance.decimal else { continue }
      balances[token][number] = max(0, balance.units)
    }
  }

  // MARK: steps

  /// The steps that make what there is at first. O(tokens).
  package mutating func genesis() -> [DemoStep] {
    var steps: [DemoStep] = []
    for token in DemoTokens.names.indices {
      var random = RandomSource(seed: seed &+ UInt64(token), for: .values)
      let supply = Double(characters[token].supply.units) / 1e18
      steps.append(mint(token, Self.pool, supply * Self.poolShare))
      let shares = (0..<Self.firstHolders).map { _ in Curves.exp(1.3 * random.normals().0) }
      let sum = shares.reduce(0, +)
      for share in shares {
        let wallet = walletOf(token, &random)
        steps.append(mint(token, wallet, supply * (1 - Self.poolShare) * share / sum))
      }
    }
    return steps
  }

  private mutating func mint(_ token: Int, _ taker: Int, _ amount: Double) -> DemoStep {
    let amount = RoundedDecimal.nearest(amount, digits: 6)
    balances[token][taker] += amount.units
    return begin(.mint, token: token, wallet: Self.nobody, taker: taker, amount)
  }

  /// The next step, unless it happens at or after `end`. O(1).
  package mutating func next(before end: Timestamp, perSecond: Double) -> DemoStep? {
    var random = RandomSource(seed: seed &+ stepCount &* 0x9FB2_1C65_1E98_DF25, for: .demo)
    let gap = -Curves.ln(1 - random.unit()) / (perSecond * Self.rhythm(now)) * 1e6
    let at = nextAt ?? now + Int64(min(gap, 1e12))
    nextAt = at
    guard at < end else { return nil }
    (now, nextAt) = (at, nil)
    var step = drawn(&random, moneyFactor: Self.liveStepsPerSecond / perSecond)
    if step.kind == .buy, random.below(120) == 0 {
      // So long at the usual rate; sooner where there is more of everything.
      let late = 15_000_000 + Int64(random.below(60_000_000))
      step.lateMicroseconds = Int64(Double(late) * min(1, Self.liveStepsPerSecond / perSecond))
    }
    if random.below(700) == 0 { step.blocksReplaced = 2 + random.below(4) }
    stepCount += 1
    return step
  }

  /// How lively the hour is: nights are quiet.
  private static func rhythm(_ instant: Timestamp) -> Double {
    let day: Int64 = 86_400_000_000
    return 1 + 0.4 * Curves.circle(Double((instant.microseconds % day + day) % day) / Double(day)).sine
  }

  private func walletOf(_ token: Int, _ random: inout RandomSource) -> Int {
    (walletPick.draw(&random) + token * 37) % Self.wallets
  }

  private mutating func drawn(_ random: inout RandomSource, moneyFactor: Double) -> DemoStep {
    let token = tokenPick.draw(&random)
    let wallet = walletOf(token, &random)
    let (walk, size) = random.normals()
    let way = random.unit()
    let luck = random.unit()
    let jump = random.below(6000) == 0 ? random.normals().0 * 0.08 : 0
    let held = balances[token][wallet]
    let pull = prices.pull(token, at: now)
    if held > 0, way < 0.06 { return gift(token, wallet, way, luck, &random) }
    let side: Side = held > 0 && way > 0.56 + max(-0.08, min(0.08, 0.04 * pull)) ? .sell : .buy
    let middle = prices.move(token, to: now, normal: walk, jump: jump)
    let price = DemoPrices.quoted(middle, side, luck: luck)
    let money = Self.medianMoney * Curves.exp(1.25 * size) * moneyFactor * (1 + max(0, pull - 1))
    var amount = RoundedDecimal.nearest(money / middle, digits: 6).units
    // A pool sells no more than a part of what it has; a wallet that would keep crumbs sells all.
    if side == .buy { amount = max(1, min(amount, balances[token][Self.pool] / 40)) }
    if side == .sell, amount > held / 20 * 19 { amount = held }
    balances[token][Self.pool] += side == .buy ? -amount : amount
    balances[token][wallet] += side == .buy ? amount : -amount
    var step = begin(
      side == .buy ? .buy : .sell, token: token, wallet: wallet, taker: Self.pool, Decimal18(units: amount))
    step.price = price
    step.money = Self.money(step.amount, price)
    return step
  }

  /// What an amount costs, in millionths of a dollar as stablecoins count.
  private static func money(_ amount: Decimal18, _ price: Decimal18) -> Decimal18 {
    let exact = WideArithmetic.product(ExactSum(amount), price)?.units ?? 0
    let millionth = Decimal18.unitsPerWhole / 1_000_000
    return Decimal18(units: max(1, exact / millionth) * millionth)
  }

  /// Somebody gives a part of what he has to somebody, now and then to nobody.
  private mutating func gift(
    _ token: Int, _ giver: Int, _ way: Double, _ luck: Double, _ random: inout RandomSource
  ) -> DemoStep {
    let held = balances[token][giver]
    let wanted = RoundedDecimal.nearest(Double(held) / 1e18 * (0.02 + 0.4 * luck), digits: 5).units
    let amount = max(1, min(held, wanted))
    balances[token][giver] -= amount
    let isBurn = way < 0.001
    let drawnTaker = walletOf(token, &random)
    let taker = isBurn ? Self.nobody : drawnTaker == giver ? (giver + 1) % Self.wallets : drawnTaker
    if !isBurn { balances[token][taker] += amount }
    return begin(isBurn ? .burn : .gift, token: token, wallet: giver, taker: taker, Decimal18(units: amount))
  }

  private mutating func begin(
    _ kind: DemoStep.Kind, token: Int, wallet: Int, taker: Int, _ amount: Decimal18
  ) -> DemoStep {
    let block = Self.block(at: now)
    if block != lastBlock { (lastBlock, logIndex) = (block, 0) }
    defer { logIndex += 2 }
    return DemoStep(
      kind: kind, number: stepCount, timestamp: now, logIndex: logIndex, token: token, wallet: wallet, taker: taker,
      amount: amount)
  }

  // MARK: into a batch

  /// Adds what a step did: a trade and the transfer that goes with it, or a transfer alone. O(1).
  package func append(_ step: DemoStep, to batch: inout EventBatch) {
    let token = DemoTokens.names[step.token].bytes
    let (wallet, other) = (names[step.wallet], names[step.taker])
    let isTrade = step.kind == .buy || step.kind == .sell
    if isTrade {
      batch.appendSwap(
        chain: Self.chain, block: step.block, logIndex: step.logIndex, timestamp: step.timestamp, token: token.span,
        side: step.kind == .buy ? .buy : .sell, amountUSD: step.money, tokenAmount: step.amount, priceUSD: step.price,
        wallet: wallet.span)
    }
    let (from, to) = step.kind == .buy ? (other, wallet) : (wallet, other)
    batch.appendTransfer(
      chain: Self.chain, block: step.block, logIndex: step.logIndex + 1, timestamp: step.timestamp, token: token.span,
      from: from.span, to: to.span, amount: step.amount, tokenID: nil)
  }
}
