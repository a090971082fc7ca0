// Followers of candles: whatever happens, and however often they come back, they end with the engine's candles.
// Invariant: a follower changes what it has by what it is sent alone; where it is told to, it asks again.
// Not here: events on the wire (StreamTests of the server).

import Continuo
import ContinuoTestSupport
import Testing

@Suite("Following candles")
struct FollowingProperties {
  /// Rules 12.1: late events, rollbacks, retractions, clocks; followers that read late, go and come back with what they were told.
  @Test("Who applies what is sent has the engine's candles at the end", arguments: Seeds.thisRun(120))
  func followers(seed: UInt64) async throws {
    var random = SeededGenerator(seed: seed ^ 0xF0110)
    var shape = MarketShape.versions(using: &random)
    shape.operations = max(shape.operations, 20)
    let market = try RandomMarket(shape, using: &random)
    var engine = Engine(market.settings)
    var options = CandleFeed.Options()
    options.window = random.pick([.zero, .zero, .milliseconds(2)])
    let feed = CandleFeed(engine.publication(), options)
    if random.chance(80) { feed.begin() }
    let names = Array(Set(market.events.compactMap(\.tokenName)).sorted { $0.description < $1.description }.prefix(4))
    let pairs = (names + ["NEVER"]).flatMap { name in Interval.allCases.map { CandlePair(name, $0) } }
    var followers: [Follower] = []
    for index in market.operations.indices {
      if followers.count < 3, random.chance(20) {
        followers.append(Follower(feed, pairs.filter { _ in random.chance(60) }, engine))
      }
      market.perform(index, on: &engine, seed: seed)
      if random.chance(60) { feed.tell() }
      for place in followers.indices {
        if random.chance(50) { followers[place].read(engine) }
        if random.chance(10) { followers[place].comeBack(feed, engine, using: &random) }
      }
    }
    repeat { feed.tell() } while !feed.isQuiet
    for follower in followers {
      var follower = follower
      follower.read(engine)
      if let wrong = follower.difference(engine) {
        Issue.record("\(wrong)\n\(Seeds.replay(seed, "followers"))")
      }
    }
  }

  /// Rules 12.1, 3.8: who begins to follow while several batches are taken as one is told of all of them.
  @Test("A feed that begins in the midst of a step")
  func midst() throws {
    var engine = Engine()
    var options = CandleFeed.Options()
    options.window = .zero
    let feed = CandleFeed(engine.publication(), options)
    func trade(_ block: UInt64, _ price: Decimal18?) throws {
      var batch = EventBatch()
      batch.append(
        Swap(
          block: block, timestamp: Timestamp(microseconds: 60_000_000), token: "ART", amountUSD: price ?? .one,
          tokenAmount: Decimal18("1")))
      try engine.apply(batch, wallClock: nil)
    }
    try trade(1, Decimal18("1"))
    engine.holdVersions()
    try trade(2, Decimal18("2"))
    let subscription = feed.subscribe([CandlePair("ART", .oneMinute)])
    _ = subscription.waiting()
    try trade(3, Decimal18("3"))
    engine.showVersions()
    // Somebody else's step, and only then does the feed look.
    repeat { feed.tell() } while !feed.isQuiet
    let told = subscription.waiting().contains { update in
      switch update.change {
      case .candle(let bar): bar.close == Decimal18("3")
      case .reset: true
      default: false
      }
    }
    #expect(told)
  }

  /// Rules 12.1: an entry stands for what came since, to the minute.
  @Test("What is remembered of a token is the earliest change since any version", arguments: Seeds.thisRun(60))
  func changes(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var changes = TokenChanges()
    var notes: [(version: UInt64, earliest: Timestamp, isUndone: Bool)] = []
    var version: UInt64 = 0
    for step in 0..<Int.random(in: 1...900, using: &random) {
      version += UInt64.random(in: 1...3, using: &random)
      let late = random.chance(15) ? Int64.random(in: 0...7_200_000_000, using: &random) : 0
      let note = (version, Timestamp(microseconds: Int64(step) * 25_000_000 - late), random.chance(10))
      notes.append(note)
      changes.note(note.0, note.1, isUndone: note.2)
    }
    for since in 0...version {
      let later = notes.filter { $0.version > since }
      let earliest = later.map(\.earliest).min()
      switch changes.since(since) {
      case .none: #expect(earliest == nil, "\(Seeds.replay(seed, "changes"))")
      case .since(let instant, let isUndone):
        let minutes = (Interval.oneMinute.start(of: instant), earliest.map { Interval.oneMinute.start(of: $0) })
        #expect(minutes.0 == minutes.1, "\(Seeds.replay(seed, "changes"))")
        #expect(isUndone == later.contains { $0.isUndone }, "\(Seeds.replay(seed, "changes"))")
      case .unknown:
        let minutes = Set(later.map { Interval.oneMinute.start(of: $0.earliest) })
        #expect(minutes.count > TokenChanges.entriesMax, "\(Seeds.replay(seed, "changes"))")
      }
    }
  }

  /// Rules 12.1: in process, as a service would.
  @Test("A sequence of updates begins with the newest candle, tells of a trade, and ends with its task")
  func sequence() async throws {
    var engine = Engine()
    let updates = engine.publication().updates(of: "ART", interval: .oneMinute)
    let reading = Task {
      var prices: [Decimal18] = []
      for await update in updates {
        guard case .candle(let bar) = update.change else { continue }
        prices.append(bar.close)
        // Closed candles come once more.
        if bar.close == Decimal18("3") { break }
      }
      return prices
    }
    for (index, price) in ["1", "2", "3"].enumerated() {
      var batch = EventBatch()
      let start = Timestamp(microseconds: Int64(index) * 60_000_000)
      batch.append(
        Swap(
          block: UInt64(index), timestamp: start, token: "ART", amountUSD: Decimal18(price),
          tokenAmount: Decimal18("1")))
      try engine.apply(batch, wallClock: nil)
      // Told once in a window, candle by candle.
      try await Task.sleep(for: .milliseconds(20))
    }
    let prices = await reading.value
    #expect(prices.last == Decimal18("3"))
    #expect(Set(prices) == [Decimal18("1"), Decimal18("2"), Decimal18("3")])
    let waiting = Task { for await _ in engine.publication().updates(of: "ART", interval: .oneWeek) {} }
    waiting.cancel()
    await waiting.value
  }
}

/// What one follower has.
private struct Follower {
  private let pairs: [CandlePair]
  private var subscription: CandleSubscription
  private var candles: [CandlePair: [Timestamp: Bar]] = [:]
  private var told: UInt64?

  init(_ feed: CandleFeed, _ pairs: [CandlePair], _ engine: borrowing Engine) {
    self.pairs = pairs
    subscription = feed.subscribe(pairs)
    for pair in pairs { ask(pair, from: nil, engine) }
  }

  private mutating func ask(_ pair: CandlePair, from: Timestamp?, _ engine: borrowing Engine) {
    candles[pair] = (candles[pair] ?? [:]).filter { bucket, _ in from.map { bucket < $0 } ?? false }
    for bar in bars(pair, from: from, engine) { candles[pair]?[bar.bucket] = bar }
  }

  private func bars(_ pair: CandlePair, from: Timestamp?, _ engine: borrowing Engine) -> [Bar] {
    guard let token = engine.token(pair.token) else { return [] }
    var bars: [Bar] = []
    engine.forEachBar(of: token, CandleQuery(pair.interval, from: from)) { bars.append($0) }
    return bars
  }

  mutating func read(_ engine: borrowing Engine) { for update in subscription.waiting() { take(update, engine) } }

  /// Reads a part of what waits, is cut off, and comes back.
  mutating func comeBack(_ feed: CandleFeed, _ engine: borrowing Engine, using random: inout SeededGenerator) {
    let waiting = subscription.waiting()
    for update in waiting.prefix(Int.random(in: 0...waiting.count, using: &random)) { take(update, engine) }
    guard told != nil else {
      for update in waiting { take(update, engine) }
      return
    }
    subscription = feed.subscribe(pairs, after: told)
  }

  private mutating func take(_ update: CandleUpdate, _ engine: borrowing Engine) {
    let pair = CandlePair(update.token, update.interval)
    switch update.change {
    case .candle(let bar): candles[pair, default: [:]][bar.bucket] = bar
    case .deleted(let bucket): candles[pair]?[bucket] = nil
    case .reset(let from): ask(pair, from: from, engine)
    }
    if let sequence = update.sequence { told = sequence }
  }

  /// Where it has something else than the engine; nil if nowhere. What has left the retention it may still have.
  func difference(_ engine: borrowing Engine) -> String? {
    for pair in pairs {
      let wanted = bars(pair, from: nil, engine)
      let oldest = wanted.first?.bucket
      let found = (candles[pair] ?? [:]).values.filter { bar in oldest.map { bar.bucket >= $0 } ?? false }
        .sorted { $0.bucket < $1.bucket }
      guard found != wanted else { continue }
      for (one, other) in zip(found, wanted) where one != other {
        return "\(pair)\n  has:    \(one)\n  engine: \(other)"
      }
      return "\(pair): has \(found.count) candles, the engine \(wanted.count)"
    }
    return nil
  }
}

extension MarketRow {
  fileprivate var tokenName: ByteString? {
    switch self {
    case .swap(let swap): swap.token
    case .transfer, .overflowing, .retract: nil
    }
  }
}
