// Questions that a version of a market, an engine and the model all answer, in the model's words.
// Invariant: the same question goes to all of them; a question never asks for more rows than a test can bear.
// Not here: how often they are put, and to which version (ReadingProperties), random questions to one state (Trial).

package import Continuo

/// One question about a market; as of nil is as of its clock.
package enum MarketQuestion: Sendable {
  case tokens
  case times
  case inspection
  case candles(ByteString, CandleQuery)
  case explain(ByteString, Interval, bucket: Timestamp)
  case window(WindowLength, ByteString, asOf: Timestamp?)
  case traders(WindowLength, ByteString, asOf: Timestamp?)
  case statistics(ByteString, asOf: Timestamp?)
  case ranking(RankingKey, limit: Int, asOf: Timestamp?)
  case holders(ByteString, limit: Int?)
}

/// What was answered; `unknown` where the token, or the clock, is not known yet.
package enum MarketAnswer: Equatable, Sendable {
  case unknown
  case tokens([ByteString])
  case times([Timestamp?])
  case inspection(ModelInspection)
  case candles([ModelCandle])
  case explanation(Outcome<[ModelExplanation]>)
  case window(Outcome<ModelWindow>)
  case traders(Outcome<ModelTraders>)
  case statistics(Outcome<ModelStatistics>)
  case ranking(Outcome<[ModelStatistics]>)
  case holders([ModelHolder], isIncomplete: Bool)
}

extension MarketQuestion {
  /// Questions of every kind about a market.
  package static func questions(of market: RandomMarket, using random: inout SeededGenerator) -> [MarketQuestion] {
    let tokens = Array(Set(market.events.compactMap(\.token))).sorted().shuffled(using: &random).prefix(3)
    let times = market.events.map(\.timestamp)
    func instant() -> Timestamp? {
      random.chance(30) ? nil : random.pick(times) + random.pick([-1, 0, 1, 3_600_000_000, 86_400_000_000])
    }
    var questions: [MarketQuestion] = [.tokens, .times, .inspection]
    for token in tokens {
      for interval in Interval.allCases.shuffled(using: &random).prefix(3) {
        var query = CandleQuery(interval, fill: random.pick([.none, .null, .previous]))
        if random.chance(50) { query.limit = Int.random(in: 1...12, using: &random) }
        if query.limit == nil || random.chance(30) {
          query.from = random.pick(times) - interval.microseconds * Int64.random(in: 0...6, using: &random)
          query.to = query.from.map { $0 + interval.microseconds * Int64.random(in: 1...12, using: &random) }
        }
        questions.append(.candles(token, query))
        questions.append(.candles(token, CandleQuery(interval, limit: 40)))
      }
      let interval = random.pick(Interval.allCases)
      questions.append(.explain(token, interval, bucket: interval.start(of: random.pick(times))))
      questions.append(.window(random.pick(WindowLength.allCases), token, asOf: instant()))
      questions.append(.traders(random.pick(WindowLength.allCases), token, asOf: instant()))
      questions.append(.statistics(token, asOf: nil))
      questions.append(.statistics(token, asOf: instant()))
      questions.append(.holders(token, limit: random.chance(50) ? nil : 3))
    }
    questions.append(.ranking(random.pick(RankingKey.allCases), limit: 5, asOf: nil))
    questions.append(.ranking(.volume, limit: 100, asOf: instant()))
    return questions.shuffled(using: &random)
  }
}

extension MarketAnswers where Self: ~Copyable {
  /// What this market, or version of one, answers.
  package func answer(_ question: MarketQuestion) -> MarketAnswer {
    func with(_ name: ByteString, _ body: (TokenID) -> MarketAnswer) -> MarketAnswer {
      token(name).map(body) ?? .unknown
    }
    func with(_ name: ByteString, _ asOf: Timestamp?, _ body: (TokenID, Timestamp) -> MarketAnswer) -> MarketAnswer {
      guard let token = token(name), let asOf = asOf ?? clock else { return .unknown }
      return body(token, asOf)
    }
    switch question {
    case .tokens: return .tokens(tokens().map { name(of: $0) })
    case .times: return .times([newest, clock, horizon])
    case .inspection: return .inspection(ModelInspection(inspection()))
    case .candles(let name, let query): return with(name) { .candles(candleAnswers($0, query)) }
    case .explain(let name, let interval, let bucket):
      return with(name) { token in
        .explanation(
          Outcome { () throws(Refusal) in try explain(token, interval, bucket: bucket).map { ModelExplanation($0) } })
      }
    case .window(let length, let name, let asOf):
      return with(name, asOf) { token, asOf in
        .window(Outcome { () throws(Refusal) in ModelWindow(try window(length, of: token, asOf: asOf)) })
      }
    case .traders(let length, let name, let asOf):
      return with(name, asOf) { token, asOf in
        .traders(Outcome { () throws(Refusal) in ModelTraders(try traders(length, of: token, asOf: asOf)) })
      }
    case .statistics(let name, let asOf):
      return with(name, asOf) { token, asOf in
        .statistics(
          Outcome { () throws(Refusal) in ModelStatistics(try statistics(of: token, asOf: asOf), name: name) })
      }
    case .ranking(let key, let limit, let asOf):
      guard let asOf = asOf ?? clock else { return .unknown }
      return .ranking(
        Outcome { () throws(Refusal) in
          try ranking(by: key, limit: limit, asOf: asOf).map { ModelStatistics($0, name: name(of: $0.token)) }
        })
    case .holders(let name, let limit):
      return with(name) { token in
        .holders(
          holders(of: token, limit: limit).map { ModelHolder($0) }, isIncomplete: isIncomplete(token))
      }
    }
  }
}

extension ModelAnswers {
  /// What the model answers.
  package func answer(_ question: MarketQuestion) -> MarketAnswer {
    func isKnown(_ name: ByteString) -> Bool { tokens.contains(name) }
    switch question {
    case .tokens: return .tokens(tokens)
    case .times: return .times([model.newest, model.clock, model.horizon])
    case .inspection: return .inspection(inspection)
    case .candles(let name, let query): return isKnown(name) ? .candles(candles(name, query)) : .unknown
    case .explain(let name, let interval, let bucket):
      guard isKnown(name) else { return .unknown }
      return .explanation(Outcome { () throws(Refusal) in try explain(name, interval, bucket: bucket) })
    case .window(let length, let name, let asOf):
      guard isKnown(name), let asOf = asOf ?? model.clock else { return .unknown }
      return .window(Outcome { () throws(Refusal) in try window(length, name, asOf: asOf) })
    case .traders(let length, let name, let asOf):
      guard isKnown(name), let asOf = asOf ?? model.clock else { return .unknown }
      return .traders(Outcome { () throws(Refusal) in try traders(length, name, asOf: asOf) })
    case .statistics(let name, let asOf):
      guard isKnown(name), let asOf = asOf ?? model.clock else { return .unknown }
      return .statistics(Outcome { () throws(Refusal) in try statistics(name, asOf: asOf) })
    case .ranking(let key, let limit, let asOf):
      guard let asOf = asOf ?? model.clock else { return .unknown }
      return .ranking(Outcome { () throws(Refusal) in try ranking(by: key, limit: limit, asOf: asOf) })
    case .holders(let name, let limit):
      return isKnown(name) ? .holders(holders(name, limit: limit), isIncomplete: isIncomplete(name)) : .unknown
    }
  }
}
