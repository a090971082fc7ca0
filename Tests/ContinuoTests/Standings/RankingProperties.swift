// Rankings where bounds decide who is looked at: ties, days' edges, what was undone, dropped, or is not in a version yet.
// Invariant: a ranking is all tokens' statistics, put in order; a failing seed is printed with what to type.
// Not here: what statistics are (EngineProperties, WindowProperties).

import Continuo
import ContinuoTestSupport
import Testing

@Suite("Rankings")
struct RankingProperties {
  /// Rule 5.5: against the model, behind every operation.
  @Test("Whatever was done, the first are the model's first", arguments: Seeds.thisRun(150))
  func firstAreTheModels(seed: UInt64) throws {
    var crowd = Crowd(seed: seed, tokens: 40)
    var trial = Trial(crowd.settings, seed: seed)
    do {
      for _ in 0..<6 {
        try trial.perform(crowd.operation(horizon: trial.engine.horizon))
        let model = ModelAnswers(trial.model)
        for question in crowd.questions() {
          let (ours, theirs) = (trial.engine.answer(question), model.answer(question))
          if ours != theirs { throw Difference("\(question)", engine: ours, model: theirs) }
        }
      }
      #expect(trial.engine.checkInvariants().isEmpty)
    } catch {
      Issue.record("\(error)\n\(Seeds.replay(seed, "firstAreTheModels"))")
    }
  }

  /// Rules 5.5, 8: thousands of tokens, so that pages and their tables grow; a version that is held meanwhile.
  @Test("Rankings of thousands of tokens, now and in a version held since", arguments: Seeds.thisRun(6))
  func thousandsOfTokens(seed: UInt64) throws {
    var crowd = Crowd(seed: seed, tokens: 6_000)
    var engine = Engine(crowd.settings)
    var reader = engine.publication().reader()
    for _ in 0..<4 { crowd.perform(on: &engine) }
    let wrong = try reader.read { version -> String? in
      let questions = crowd.questions()
      let before = questions.map { version.answer($0) }
      for question in questions {
        if let wrong = try version.difference(question) { return wrong }
      }
      for _ in 0..<4 {
        crowd.perform(on: &engine)
        for question in crowd.questions() {
          if let wrong = try engine.difference(question) { return wrong }
        }
        for (question, answer) in zip(questions, before) where version.answer(question) != answer {
          return "\(question): a version answers otherwise than before"
        }
      }
      return nil
    }
    if let wrong { Issue.record("\(wrong)\n\(Seeds.replay(seed, "thousandsOfTokens"))") }
    #expect(engine.checkInvariants().isEmpty)
  }

  /// Rule 5.5: sums past 128 bits are empty, and behind every figure, zero too.
  @Test("What does not fit comes last, behind those without a swap")
  func whatDoesNotFit() throws {
    var engine = Engine()
    var batch = EventBatch()
    let noon = Crowd.noon
    for (block, token) in [(1, "huge"), (2, "huge"), (3, "large"), (4, "small"), (5, "tied"), (6, "a tie")] {
      let amount: Decimal18? = block < 4 ? .max : Decimal18("0.000000000000000001")
      batch.append(
        Swap(block: UInt64(block), timestamp: noon, token: ByteString(token), amountUSD: amount, priceUSD: .one))
    }
    for (block, token) in ["none", "also none", "none!", "also none!"].enumerated() {
      batch.append(
        Transfer(
          block: UInt64(block), timestamp: noon, token: ByteString(token), from: "0x0", to: "0xa", amount: .one))
    }
    try engine.apply(batch, wallClock: nil)
    let order = ["large", "a tie", "small", "tied", "also none", "also none!", "none", "none!", "huge"]
    for limit in 0...12 {
      let first = try engine.ranking(by: .volume, limit: limit, asOf: noon).map { "\(engine.name(of: $0.token))" }
      #expect(first == Array(order.prefix(limit)))
    }
  }

  /// Rule 5.5: what bounds are made of is on the right side of the exact figures.
  @Test("Bounds in floating point")
  func boundsInFloatingPoint() {
    var random = SeededGenerator(seed: 5_5)
    for _ in 0..<20_000 {
      let count = Int.random(in: 1...4, using: &random)
      var (exact, bound) = (BigInteger.zero, 0.0)
      for _ in 0..<count {
        let bits = UInt128.random(in: 1...UInt128(Int128.max), using: &random)
        let units = max(1, Int128(bits >> UInt128.random(in: 0..<127, using: &random)))
        exact += BigInteger(units)
        bound = VolumeBound.sum(bound, VolumeBound.above(units))
        #expect(BigInteger(Int128(VolumeBound.below(units))) <= BigInteger(units))
      }
      // Bounds of four numbers stay under 2^130: two halves fit.
      let halved = BigInteger(Int128(bound / 8))
      #expect(exact < (halved + BigInteger(1)) * BigInteger(8))
      if let narrow = exact.int128, bound < 0x1p126 { #expect(Int128(bound) >= narrow) }
    }
  }
}

/// Many tokens with few swaps each, at the edges of days, with amounts that are often the same.
private struct Crowd {
  static let noon = Timestamp(microseconds: 1_733_054_400_000_000)
  private static let day: Int64 = 86_400_000_000

  private var random: SeededGenerator
  private let tokens: Int
  private var block: UInt64 = 0
  private var sent: [MarketRow] = []
  let settings: Engine.Settings

  init(seed: UInt64, tokens: Int) {
    random = SeededGenerator(seed: seed ^ 0x7055)
    self.tokens = tokens
    settings = Engine.Settings(retention: try? RetentionPolicy("raw=7d"))
  }

  /// Around midnights, and anywhere.
  private mutating func instant() -> Timestamp {
    let days = Int64.random(in: random.chance(20) ? -12...12 : -1...2, using: &random)
    let midnight = Self.noon.startOfDay + days * Self.day
    let jitter = random.pick([
      -1, 0, 1, Int64.random(in: -1_000_000...1_000_000, using: &random),
      Int64.random(in: 0..<Self.day, using: &random),
    ])
    return midnight + jitter
  }

  private mutating func amount() -> Decimal18 {
    switch Int.random(in: 0..<20, using: &random) {
    case 0: .max
    case 1: Decimal18(units: Int128(random.pick([1, 2, 3])))
    case 2...12: Decimal18(whole: random.pick([1, 2, 5]))
    default: Decimal18(units: Int128(Int64.random(in: 1...Int64.max, using: &random)) * 1_000_000)
    }
  }

  private mutating func row() -> MarketRow {
    block += 1
    // The first tokens are busy, and most of the others are seldom seen.
    let token = random.chance(40) ? Int.random(in: 0..<8, using: &random) : Int.random(in: 0..<tokens, using: &random)
    let name = ByteString("\(random.chance(3) ? "a name of more than fifteen bytes " : "t")\(token)")
    if random.chance(10) {
      return .transfer(
        Transfer(block: block, timestamp: instant(), token: name, from: "", to: "0xa", amount: amount()))
    }
    return .swap(Swap(block: block, timestamp: instant(), token: name, amountUSD: amount(), priceUSD: amount()))
  }

  mutating func operation(horizon: Timestamp?) -> MarketOperation {
    switch Int.random(in: 0..<10, using: &random) {
    case 0 where block > 0: return .rollback(chain: 0, block: UInt64.random(in: 0...block, using: &random))
    case 1 where !sent.isEmpty:
      return .apply(sent.shuffled(using: &random), wallClock: nil, isText: false)
    case 2 where !sent.isEmpty:
      // Taken back, and brought again: what a bound was raised by stays in it.
      let some = (0..<20).map { _ in random.pick(sent) }
      return .apply(some.flatMap { [.retract($0.identity), $0] }, wallClock: nil, isText: false)
    case 3: return .moveHorizon
    case 4: return .advanceClock(instant())
    default:
      let rows = (0..<Int.random(in: 1...max(100, tokens / 2), using: &random)).map { _ in row() }
      sent = rows + sent.prefix(2_000)
      return .apply(rows, wallClock: nil, isText: false)
    }
  }

  mutating func perform(on engine: inout Engine) {
    switch operation(horizon: engine.horizon) {
    case .apply(let rows, let wallClock, _):
      var spelling: SeededGenerator?
      _ = try? engine.apply(EventBatch(rows, price: .quoted, spelling: &spelling), wallClock: wallClock)
    case .retract(let identity): _ = engine.retract(identity)
    case .rollback(let chain, let block): _ = try? engine.rollback(chain: chain, above: block)
    case .moveHorizon: engine.moveHorizon()
    case .advanceClock(let instant): engine.advanceClock(to: instant)
    }
  }

  /// By every figure, at the edges of days; all tokens, and some.
  mutating func questions() -> [MarketQuestion] {
    var questions: [MarketQuestion] = []
    for key in RankingKey.allCases + [.volume, .volume, .volume] {
      let limit = random.pick([1, 3, 10, 37, tokens / 2, tokens + 1])
      questions.append(.ranking(key, limit: limit, asOf: random.chance(25) ? nil : instant()))
    }
    return questions
  }
}

extension MarketAnswers where Self: ~Copyable {
  /// Where a ranking is not all tokens' statistics, put in order; nil where it is.
  fileprivate func difference(_ question: MarketQuestion) throws -> String? {
    guard case .ranking(let key, let limit, let asOf?) = question else { return nil }
    // Every token, by name: the sort is stable.
    var all: [TokenStatistics] = []
    do {
      for token in tokens() { all.append(try statistics(of: token, asOf: asOf)) }
    } catch {
      do {
        _ = try ranking(by: key, limit: limit, asOf: asOf)
        return "\(question): statistics are refused, the ranking is not"
      } catch { return nil }
    }
    func figure(_ statistics: TokenStatistics) -> Int128? {
      switch key {
      case .volume: statistics.window.volumeUSD.decimal?.units
      case .change: statistics.window.changePercent?.units
      case .marketCap: statistics.marketCapUSD?.units
      case .holders: statistics.holders.map { Int128($0) }
      }
    }
    let expected = all.sorted { left, right in
      guard let one = figure(left) else { return false }
      return figure(right).map { one > $0 } ?? true
    }
    let found = try ranking(by: key, limit: limit, asOf: asOf)
    guard found != Array(expected.prefix(limit)) else { return nil }
    let place = zip(found, expected).enumerated().first { $1.0 != $1.1 }
    return "\(question): \(found.count) of \(all.count); first difference: \(String(describing: place))"
  }
}
