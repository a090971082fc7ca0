// The single values of a random market: times, names, numbers, and events made, respelled, changed and spoiled.
// Invariant: `event` is valid on its own content; `respelled` has the same content, `changed` another one.
// Not here: batches and operations (RandomMarket).

package import Continuo

/// Draws values that lie where it hurts.
package struct MarketValues: Sendable {
  private let style: MarketShape.Style
  private let base: Int64
  private let span: Int64
  private let tokens: [ByteString]
  private let wallets: [ByteString]
  private let chains: [UInt32]
  private var times: [Int64] = []
  private var wall: Int64

  private static let day: Int64 = 86_400_000_000
  /// Byte strings that are told apart only by their bytes.
  private static let tokenPool: [ByteString] = [
    "ART", "ARTS", "AR", "0xAb", "0xab", "0x0", "caf\u{e9}", "cafe\u{301}", "a,b\"c", "日本", " ", "\u{1F3B5}",
    ByteString([UInt8](repeating: 0x78, count: 64)), "Ω", "Ω",
  ]
  private static let walletPool: [ByteString] = [
    "0xAB12", "0xab12", "0xAb12", "0XAB12", "0x0", "0x000", "0X00", "0x", "", "alice", "Alice", "0xg", "caf\u{e9}",
    "cafe\u{301}", "a,b\"c", "0x1", "0x01", ByteString([UInt8](repeating: 0x79, count: 128)), "b", "bb",
  ]

  init(_ style: MarketShape.Style, using random: inout SeededGenerator) {
    self.style = style
    let bases = [
      "2024-12-01T23:00:00Z", "2024-12-31T12:00:00Z", "2024-02-28T22:00:00Z", "1969-12-28T20:00:00Z",
      "1970-01-01T00:00:00Z", "1905-06-04T23:59:00Z", "0001-01-01T00:00:00Z", "9999-12-20T00:00:00Z",
    ]
    var base = Timestamp(random.chance(40) ? bases[0] : random.pick(bases))?.microseconds ?? 0
    let spans: [Int64]
    switch style {
    case .crowd: spans = [2, 40, 3_000_000, 90_000_000]
    case .many: spans = [3_600_000_000, Self.day, 20 * Self.day]
    case .horizon: spans = [12 * Self.day, 30 * Self.day, 100 * Self.day]
    case .edges, .extremes: spans = [30_000_000, 7_200_000_000, Self.day, 3 * Self.day, 15 * Self.day]
    }
    span = random.pick(spans)
    if style == .crowd { base += random.pick([-1, 0, 3_599_999_999]) }
    self.base = base
    wall = base
    var pool = Self.tokenPool.shuffled(using: &random)
    if random.chance(50) { pool = [random.pick(["0xAb", "caf\u{e9}"]), "0xab", "cafe\u{301}"] + pool }
    let isMany = style == .many
    if isMany { pool += (0..<30).map { ByteString("token \($0)") } }
    tokens = Array(pool.prefix(Int.random(in: 1...(style == .crowd ? 2 : isMany ? 30 : 5), using: &random)))
    var addresses = Self.walletPool.shuffled(using: &random)
    if isMany { addresses += (0..<700).map { ByteString("wallet \($0)") } }
    wallets = Array(addresses.prefix(Int.random(in: 1...(isMany ? addresses.count : 8), using: &random)))
    chains = Array([1, 0, 137, UInt32.max].prefix(Int.random(in: 1...(isMany ? 2 : 4), using: &random)))
  }

  // MARK: times

  /// An instant that likes edges and company.
  private mutating func time(using random: inout SeededGenerator) -> Timestamp {
    if random.chance(style == .crowd ? 60 : 25), !times.isEmpty { return Timestamp(microseconds: random.pick(times)) }
    var instant = base + Int64.random(in: 0...span, using: &random)
    if style != .crowd, random.chance(60) {
      instant = ModelInterval.start(random.pick(Interval.allCases), of: instant)
      instant += random.pick([-1, 0, 0, 0, 1, 1_000_000])
    }
    instant = min(max(instant, Timestamp.first.microseconds), Timestamp.last.microseconds)
    times.append(instant)
    return Timestamp(microseconds: instant)
  }

  /// How long after its time an event arrives.
  func delay(using random: inout SeededGenerator) -> Int64 {
    guard span > 10, random.chance(40) else { return 0 }
    return Int64.random(in: 0...span / (random.chance(20) ? 1 : 10), using: &random)
  }

  /// A wall clock that mostly moves on.
  mutating func wallClock(using random: inout SeededGenerator) -> Timestamp {
    wall += Int64.random(in: 0...max(1, span / 4), using: &random)
    return Timestamp(microseconds: random.chance(10) ? base : wall)
  }

  // MARK: numbers

  /// A decimal over zero.
  private func positive(using random: inout SeededGenerator) -> Decimal18 {
    let edges: [Int128] = [
      1, 2, 3, .max, .max - 1, .max / 2, .max / 3, 1_000_000_000_000_000_000, 1 << 64, (1 << 64) - 1,
    ]
    if random.chance(style == .extremes ? 50 : 3) { return Decimal18(units: random.pick(edges)) }
    if random.chance(style == .extremes ? 30 : 5) {
      let bits = Int.random(in: 0...126, using: &random)
      return Decimal18(
        units: max(
          1, Int128(truncatingIfNeeded: UInt128.random(in: 0...UInt128.max, using: &random) >> (128 - bits - 1)) & .max)
      )
    }
    let scale: Int128 = random.pick([10_000_000_000_000_000, 1_000_000_000_000, 1_000_000_000_000_000_000])
    return Decimal18(units: Int128(Int.random(in: 1...99_999, using: &random)) * scale)
  }

  // MARK: events

  private var isLarge: Bool { style == .crowd || style == .many }

  private mutating func key(using random: inout SeededGenerator) -> OrderKey {
    let timestamp = time(using: &random)
    let chain = random.pick(chains)
    let near = UInt64(max(0, (timestamp.microseconds - base) / max(1, span / 40)))
    let block: UInt64 = random.chance(80) ? near : random.pick([0, 1, 3, 1 << 32, .max - 1, .max])
    let log: UInt32 = random.chance(95) ? UInt32.random(in: 0..<(isLarge ? 400 : 40), using: &random) : .max
    return OrderKey(timestamp: timestamp, chain: chain, block: block, logIndex: log)
  }

  /// A valid event.
  package mutating func event(_ mode: PriceMode, using random: inout SeededGenerator) -> MarketRow {
    let key = key(using: &random)
    let token = style == .crowd && random.chance(90) ? tokens[0] : random.pick(tokens)
    guard random.chance(style == .crowd ? 95 : 60) else {
      return .transfer(transfer(key, token, using: &random))
    }
    var swap = Swap(
      chain: key.chain, block: key.block, logIndex: key.logIndex, timestamp: key.timestamp, token: token,
      side: random.pick([.buy, .sell, nil]), amountUSD: positive(using: &random),
      tokenAmount: random.chance(75) ? positive(using: &random) : nil,
      wallet: random.chance(70) ? random.pick(wallets) : nil)
    let needsPrice =
      swap.tokenAmount == nil && mode == .quoted || (try? ModelJudgement.judge(swap, mode)) == nil
    if needsPrice || random.chance(40) { swap.priceUSD = positive(using: &random) }
    return .swap(swap)
  }

  private func transfer(_ key: OrderKey, _ token: ByteString, using random: inout SeededGenerator) -> Transfer {
    let zero: ByteString = random.pick(["", "0x0", "0X000", "0x"])
    var from = random.pick(wallets)
    var to = random.pick(wallets)
    switch Int.random(in: 0..<10, using: &random) {
    case 0..<4: from = zero
    case 4: to = zero
    case 5: to = from
    default: break
    }
    if ModelJudgement.folded(from) == nil, ModelJudgement.folded(to) == nil { to = "carol" }
    let hasID = random.chance(15)
    let id = WideID(high: random.pick([0, 1, .max]), low: random.pick([0, 7, .max]))
    let amount = random.chance(15) ? Decimal18(units: 0) : positive(using: &random)
    return Transfer(
      chain: key.chain, block: key.block, logIndex: key.logIndex, timestamp: key.timestamp, token: token, from: from,
      to: to, amount: hasID && random.chance(50) ? nil : amount, tokenID: hasID ? id : nil)
  }

  /// The same content in other words.
  func respelled(_ row: MarketRow, using random: inout SeededGenerator) -> MarketRow {
    func name(_ name: ByteString) -> ByteString {
      guard let folded = ModelJudgement.folded(name) else { return random.pick(["0x", "0x0", "0X00"]) }
      return random.chance(50) || folded == name ? folded : name
    }
    switch row {
    case .swap(var swap):
      if let wallet = swap.wallet, !wallet.bytes.isEmpty { swap.wallet = name(wallet) }
      if swap.wallet?.bytes.isEmpty == true { swap.wallet = nil }
      return .swap(swap)
    case .transfer(var transfer):
      transfer.from = name(transfer.from)
      transfer.to = name(transfer.to)
      if transfer.amount == nil { transfer.amount = Decimal18(units: 1_000_000_000_000_000_000) }
      return .transfer(transfer)
    case .retract, .overflowing: return row
    }
  }

  /// The same identity with another content (mostly: some changes change nothing that is stored).
  mutating func changed(_ row: MarketRow, using random: inout SeededGenerator) -> MarketRow {
    switch row {
    case .swap(var swap):
      switch Int.random(in: 0..<7, using: &random) {
      case 0: swap.timestamp = time(using: &random)
      case 1: swap.token = random.pick(tokens)
      case 2: swap.side = random.pick([.buy, .sell, nil])
      case 3: swap.amountUSD = positive(using: &random)
      case 4: if swap.tokenAmount != nil { swap.tokenAmount = positive(using: &random) }
      case 5: swap.priceUSD = positive(using: &random)
      default: swap.wallet = random.pick(wallets)
      }
      return .swap(swap)
    case .transfer(var transfer):
      switch Int.random(in: 0..<6, using: &random) {
      case 0: transfer.timestamp = time(using: &random)
      case 1: transfer.token = random.pick(tokens)
      case 2: transfer.from = "dave"
      case 3: transfer.to = random.pick(["erin", "frank"])
      case 4: transfer.amount = positive(using: &random)
      default: transfer.tokenID = WideID(high: 1, low: random.pick([1, 2]))
      }
      return .transfer(transfer)
    case .retract, .overflowing: return row
    }
  }
}
