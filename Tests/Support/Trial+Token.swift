// The questions about one token: candles of every kind, explanations, windows, holders.
// Invariant: the same question goes to the engine and to the model.
// Not here: operations and what spans tokens (Trial).

import Continuo

extension Trial {
  /// Every candle at every interval, and one random question with a range, a filling and a limit.
  func compareCandles(
    _ token: TokenID, _ answers: ModelAnswers, using random: inout SeededGenerator
  ) throws(Difference) {
    let name = engine.name(of: token)
    for interval in Interval.allCases {
      let all = answers.candles(name, CandleQuery(interval))
      try Self.same(
        "candles of \(name) at \(interval.rawValue)", list: engine.candleAnswers(token, CandleQuery(interval)), all)
      let query = Self.query(interval, answers, all, using: &random)
      let clock = random.chance(20) ? answers.model.clock.map { $0 + 7_200_000_000 } : nil
      try Self.same(
        "candles of \(name), \(query), clock \(clock.map(\.description) ?? "own")",
        list: engine.candleAnswers(token, query, clock: clock), answers.candles(name, query, clock: clock))
      try compareExplanation(token, interval, answers, using: &random)
    }
  }

  /// A question about some buckets: never more rows than a test can bear.
  private static func query(
    _ interval: Interval, _ answers: ModelAnswers, _ all: [ModelCandle], using random: inout SeededGenerator
  ) -> CandleQuery {
    var query = CandleQuery(interval, fill: random.pick([.none, .null, .null, .previous, .previous, .previous]))
    let length = ModelInterval.length(interval)
    let middle = all.isEmpty ? Timestamp(microseconds: 0) : random.pick(all).bucket
    let jitter = [0, 0, -1, 1, length / 2]
    switch Int.random(in: 0..<5, using: &random) {
    case 0:  // around some candle
      query.from = middle - length * Int64.random(in: 0...20, using: &random) + random.pick(jitter)
      query.to = middle + length * Int64.random(in: 0...20, using: &random) + random.pick(jitter)
    case 1:  // up to the clock and past it
      query.from = (answers.model.clock ?? middle) - length * Int64.random(in: 0...40, using: &random)
      if random.chance(50) { query.to = (answers.model.clock ?? middle) + length * 3 + random.pick(jitter) }
    case 2:  // the newest, from the beginning of time
      query.limit = Int.random(in: 1...30, using: &random)
      if random.chance(30) { query.from = Timestamp(microseconds: random.pick([.min, 0])) }
    case 3:  // the newest before some candle
      query.limit = Int.random(in: 1...8, using: &random)
      query.to = middle + random.pick(jitter)
    default:  // an empty range, or one that ends the world
      query.from = middle + random.pick(jitter)
      query.to = random.pick([middle, middle - 1, Timestamp(microseconds: .max), Timestamp(microseconds: .min)])
      query.limit = 5
    }
    return query
  }

  private func compareExplanation(
    _ token: TokenID, _ interval: Interval, _ answers: ModelAnswers, using random: inout SeededGenerator
  ) throws(Difference) {
    let name = engine.name(of: token)
    let starts = answers.buckets(name, interval).map(\.start)
    for _ in 0..<2 {
      let start = starts.isEmpty ? ModelInterval.start(interval, of: 0) : random.pick(starts)
      let bucket = Timestamp(microseconds: start + random.pick([0, 0, 0, ModelInterval.length(interval)]))
      let ours = Self.outcome { () throws(Refusal) in
        try engine.explain(token, interval, bucket: bucket).map { ModelExplanation($0) }
      }
      let theirs = Self.outcome { () throws(Refusal) in try answers.explain(name, interval, bucket: bucket) }
      try Self.same("explain \(name) \(interval.rawValue) \(bucket)", ours, theirs)
    }
  }

  /// Every window, its traders, and the statistics at an instant.
  func compareWindows(_ token: TokenID, _ asOf: Timestamp, _ answers: ModelAnswers) throws(Difference) {
    let name = engine.name(of: token)
    for length in WindowLength.allCases {
      let ours = Self.outcome { () throws(Refusal) in
        ModelWindow(try engine.window(length, of: token, asOf: asOf))
      }
      let theirs = Self.outcome { () throws(Refusal) in try answers.window(length, name, asOf: asOf) }
      try Self.same("window \(length.rawValue) of \(name) as of \(asOf.microseconds)", ours, theirs)
      let traders = Self.outcome { () throws(Refusal) in
        ModelTraders(try engine.traders(length, of: token, asOf: asOf))
      }
      let others = Self.outcome { () throws(Refusal) in try answers.traders(length, name, asOf: asOf) }
      try Self.same("traders \(length.rawValue) of \(name) as of \(asOf.microseconds)", traders, others)
    }
    let ours = Self.outcome { () throws(Refusal) in
      ModelStatistics(try engine.statistics(of: token, asOf: asOf), name: name)
    }
    let theirs = Self.outcome { () throws(Refusal) in try answers.statistics(name, asOf: asOf) }
    try Self.same("statistics of \(name) as of \(asOf.microseconds)", ours, theirs)
  }

  /// All holders, the first few, and the mark.
  func compareHolders(
    _ token: TokenID, _ answers: ModelAnswers, using random: inout SeededGenerator
  ) throws(Difference) {
    let name = engine.name(of: token)
    for limit in [nil, Int.random(in: 1...4, using: &random)] {
      try Self.same(
        "holders of \(name), limit \(limit.map { String($0) } ?? "none")",
        list: engine.holders(of: token, limit: limit).map { ModelHolder($0) }, answers.holders(name, limit: limit))
    }
    try Self.same("holders_incomplete of \(name)", engine.isIncomplete(token), answers.isIncomplete(name))
  }
}
