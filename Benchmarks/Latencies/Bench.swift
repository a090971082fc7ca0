// An engine that holds a whole market, the same market as plain arrays, and the questions asked of both.
// Invariant: between two rounds the engine holds the same events.
// Not here: which rows there are (LatencyRow), the plain arrays' answers (Floors).

internal import Continuo
internal import ContinuoMachine
internal import ContinuoMarket

struct Bench: ~Copyable {
  static let batchRows = 10_000

  let market: Market
  var engine = Engine(Engine.Settings(retention: .standard))
  let floors: Floors
  /// Every token that has an event, by rank; and how the market picks them.
  let tokens: [TokenID?]
  private let popularity: WeightedPick
  /// Everything that was read, mixed.
  var seen: UInt64 = 0

  init(_ market: Market) throws {
    self.market = market
    popularity = market.popularity()
    var batch = EventBatch()
    for rows in market.batches(of: Self.batchRows) {
      batch.removeAll()
      market.append(rows, to: &batch)
      try engine.apply(batch, wallClock: nil)
    }
    var tokens: [TokenID?] = []
    for rank in 0..<market.shape.tokens { tokens.append(engine.token(market.tokenName(rank))) }
    self.tokens = tokens
    floors = Floors(market)
  }

  // MARK: what is asked about

  /// How tokens are picked.
  enum Pick { case byPopularity, uniformly, busiest }

  /// The rank of a token that has events.
  func rank(_ pick: Pick, _ random: inout RandomSource) -> Int {
    while true {
      let rank =
        switch pick {
        case .byPopularity: popularity.draw(&random)
        case .uniformly: Int(random.below(UInt64(tokens.count)))
        case .busiest: 0
        }
      if tokens[rank] != nil { return rank }
    }
  }

  /// An instant between the first event and the clock.
  func instant(_ random: inout RandomSource) -> Timestamp {
    let clock = engine.clock ?? Market.start
    return Market.start + Int64(random.below(UInt64(clock.microseconds - Market.start.microseconds + 1)))
  }

  // MARK: what is answered

  mutating func readCandles(of rank: Int, _ query: CandleQuery) {
    guard let token = tokens[rank] else { return }
    var mixed: UInt64 = 0
    engine.forEachBar(of: token, query) { candle in
      mixed &+= Self.low(candle.open) ^ Self.low(candle.high) ^ Self.low(candle.low) ^ Self.low(candle.close)
      mixed &+= candle.volumeUSD.low ^ candle.volumeToken.low ^ candle.buyVolumeUSD.low ^ candle.sellVolumeUSD.low
      mixed &+= UInt64(truncatingIfNeeded: candle.trades)
    }
    seen &+= mixed
  }

  mutating func readStatistics(of rank: Int, asOf instant: Timestamp) throws {
    guard let token = tokens[rank] else { return }
    let window = try engine.statistics(of: token, asOf: instant).window
    seen &+= window.volumeUSD.low ^ window.volumeToken.low &+ UInt64(truncatingIfNeeded: window.trades)
    for price in [window.open, window.high, window.low, window.last] { seen ^= price.map(Self.low) ?? 1 }
  }

  mutating func readRanking(asOf instant: Timestamp) throws {
    for place in try engine.ranking(by: .volume, limit: 100, asOf: instant) { seen &+= place.window.volumeUSD.low }
  }

  private static func low(_ value: Decimal18) -> UInt64 { UInt64(truncatingIfNeeded: value.units) }

  // MARK: what is undone

  /// The rows of the events with the greatest blocks, about `count` of them, and the block that a rollback goes to.
  func lastRows(_ count: Int) -> (rows: [Int], block: UInt64) {
    let rows = (0..<market.count).suffix(count * 4 + 100_000)
    var blocks = rows.map { market.block($0) }
    blocks.sort(by: >)
    let block = blocks[min(count, blocks.count) - 1] - 1
    return (rows.filter { market.block($0) > block }, block)
  }

  /// Rows of the busiest token, spread over its last seven days.
  func busiestRows(_ count: Int, _ random: inout RandomSource) -> [Int] {
    let week = Market.start + Int64(max(0, market.shape.days - 7)) * 86_400_000_000
    var rows = (0..<market.count).filter { market.token($0) == 0 && market.timestamp($0) >= week }
    rows.shuffle(using: &random)
    return Array(rows.prefix(count))
  }

  /// Gives rows back to the engine.
  mutating func deliver(_ rows: [Int]) throws {
    var batch = EventBatch()
    for row in rows { market.append(row..<row + 1, to: &batch) }
    try engine.apply(batch, wallClock: nil)
  }
}
