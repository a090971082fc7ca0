// An engine and its model side by side: the same operations for both, every answer compared.
// Invariant: after an operation that threw no Difference, both have seen the same.
// Not here: the questions about one token (Trial+Token), drawing operations (RandomMarket).

package import Continuo

/// Where the engine and the model part.
package struct Difference: Error, CustomStringConvertible {
  package let description: String

  package init<Answer>(_ question: String, engine: Answer, model: Answer) {
    description = "\(question)\n  engine: \(engine)\n  model:  \(model)"
  }
}

/// An engine and its model.
package struct Trial: ~Copyable {
  package var engine: Engine
  package var model: ContinuoModel
  private var random: SeededGenerator

  package init(_ settings: Engine.Settings, price: PriceMode = .quoted, seed: UInt64) {
    engine = Engine(settings)
    model = ContinuoModel(settings, price: price)
    random = SeededGenerator(seed: seed)
  }

  // MARK: operations

  /// Does an operation on both and compares what they say of it.
  package mutating func perform(_ operation: MarketOperation) throws(Difference) {
    switch operation {
    case .apply(let rows, let wallClock, let isText): try apply(rows, wallClock, isText)
    case .retract(let identity):
      try Self.same("retract \(identity)", engine.retract(identity), model.retract(identity))
    case .rollback(let chain, let block):
      let ours = Self.outcome { () throws(Refusal) in try engine.rollback(chain: chain, above: block) }
      let theirs = Self.outcome { () throws(Refusal) in try model.rollback(chain: chain, above: block) }
      try Self.same("rollback \(chain) above \(block)", ours, theirs)
    case .moveHorizon: try Self.same("moveHorizon", engine.moveHorizon(), model.moveHorizon())
    case .advanceClock(let wallClock):
      engine.advanceClock(to: wallClock)
      model.advanceClock(to: wallClock)
    }
    try Self.same("newest", engine.newest, model.newest)
    try Self.same("clock", engine.clock, model.clock)
    try Self.same("horizon", engine.horizon, model.horizon)
  }

  private mutating func apply(_ rows: [MarketRow], _ wallClock: Timestamp?, _ isText: Bool) throws(Difference) {
    var spelling = isText ? SeededGenerator(seed: random.next()) : nil
    let batch = EventBatch(rows, price: model.price, spelling: &spelling)
    let ours = Self.outcome { () throws(Refusal) in
      ModelReceipt(try engine.apply(batch, wallClock: wallClock))
    }
    let theirs = Self.outcome { () throws(Refusal) in try model.apply(rows, wallClock: wallClock) }
    try Self.same("receipt of \(rows.count) rows", ours, theirs)
  }

  // MARK: comparing

  static func same<Answer: Equatable>(_ question: String, _ ours: Answer, _ theirs: Answer) throws(Difference) {
    guard ours == theirs else { throw Difference(question, engine: ours, model: theirs) }
  }

  /// Compares two lists and names the first place where they part.
  static func same<Answer: Equatable>(
    _ question: String, list ours: [Answer], _ theirs: [Answer]
  ) throws(Difference) {
    guard ours != theirs else { return }
    for index in 0..<min(ours.count, theirs.count) where ours[index] != theirs[index] {
      throw Difference("\(question), row \(index)", engine: ours[index], model: theirs[index])
    }
    throw Difference("\(question), rows", engine: ours.count, model: theirs.count)
  }

  /// What a call answers: a value or a refusal.
  static func outcome<Answer: Equatable & Sendable>(_ call: () throws(Refusal) -> Answer) -> Outcome<Answer> {
    Outcome(call)
  }

  // MARK: everything

  /// Compares every answer there is: all candles, and the rest at random instants.
  package mutating func compareEverything() throws(Difference) {
    var random = SeededGenerator(seed: random.next())
    let answers = ModelAnswers(model)
    let wrong = engine.checkInvariants()
    try Self.same("invariants", wrong, [])
    let tokens = engine.tokens()
    try Self.same("tokens", list: tokens.map { engine.name(of: $0) }, answers.tokens)
    try Self.same("inspection", ModelInspection(engine.inspection()), answers.inspection)
    for token in tokens {
      try compareCandles(token, answers, using: &random)
      try compareHolders(token, answers, using: &random)
    }
    let instants = Self.instants(answers, using: &random)
    for asOf in instants {
      for token in tokens { try compareWindows(token, asOf, answers) }
    }
    for asOf in instants.prefix(3) + [model.clock, model.newest].compactMap({ $0 }) {
      let limit = Int.random(in: 1...tokens.count + 1, using: &random)
      for key in RankingKey.allCases { try compareRanking(key, limit, asOf, answers) }
    }
  }

  /// Instants at which windows are asked for: random ones, and the edges that events make.
  private static func instants(_ answers: ModelAnswers, using random: inout SeededGenerator) -> [Timestamp] {
    let times = answers.swaps.values.flatMap { $0.map(\.key.timestamp) }
    var instants: [Timestamp] = []
    guard let newest = answers.model.newest, let clock = answers.model.clock else {
      return [Timestamp(microseconds: 0)]
    }
    for _ in 0..<4 {
      var instant = times.isEmpty ? newest : random.pick(times)
      if random.chance(60) { instant = instant + ModelAnswers.microseconds(random.pick(WindowLength.allCases)) }
      if let horizon = answers.model.horizon, random.chance(30) {
        instant = horizon + ModelAnswers.microseconds(random.pick(WindowLength.allCases))
      }
      instants.append(
        instant + random.pick([-1, 0, 0, 1, Int64.random(in: -100_000_000...100_000_000, using: &random)]))
    }
    instants.append(random.pick([newest, clock, clock + 1, clock - 1, clock + 604_800_000_000]))
    if random.chance(10) { instants.append(Timestamp(microseconds: random.pick([.min, .max]))) }
    return instants
  }

  private func compareRanking(
    _ key: RankingKey, _ limit: Int, _ asOf: Timestamp, _ answers: ModelAnswers
  ) throws(Difference) {
    let ours = Self.outcome { () throws(Refusal) -> [ModelStatistics] in
      let ranking = try engine.ranking(by: key, limit: limit, asOf: asOf)
      return ranking.map { ModelStatistics($0, name: engine.name(of: $0.token)) }
    }
    let theirs = Self.outcome { () throws(Refusal) in try answers.ranking(by: key, limit: limit, asOf: asOf) }
    try Self.same("ranking by \(key.rawValue), limit \(limit), as of \(asOf)", ours, theirs)
  }
}

/// An answer, or why there is none.
package enum Outcome<Answer: Equatable & Sendable>: Equatable, Sendable {
  case answer(Answer)
  case refused(Refusal)

  /// What a call answers. Which instant a refusal names is not compared: it is for people.
  package init(_ call: () throws(Refusal) -> Answer) {
    do { self = .answer(try call()) } catch {
      switch error {
      case .outsideRetention(_, let horizon):
        self = .refused(.outsideRetention(asked: Timestamp(microseconds: 0), horizon: horizon))
      default: self = .refused(error)
      }
    }
  }
}
