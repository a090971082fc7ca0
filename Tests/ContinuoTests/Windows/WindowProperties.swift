// Windows of tokens with many chunks: rows, summaries and hours' candles have to add up to the same.
// Invariant: held against ContinuoModel; a failing seed is printed with what to type.
// Not here: small markets, and everything else (EngineProperties).

import Continuo
import ContinuoTestSupport
import Testing

@Suite("Windows")
struct WindowProperties {
  private static let hour: Int64 = 3_600_000_000
  private static let start = Timestamp(microseconds: 1_733_011_200_000_000)

  /// Rules 5.1–5.3: some hours are quiet, some have one swap; amounts of all widths, some past 64 bits, some past 128.
  @Test("A busy token's windows, with quiet hours and late events", arguments: Seeds.thisRun(40))
  func busyToken(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed ^ 0xB5)
    var trial = Trial(Engine.Settings(), seed: seed)
    let rows = Self.rows(using: &random)
    do {
      var rest = rows[...]
      while !rest.isEmpty {
        let count = Int.random(in: 1...1_200, using: &random)
        try trial.perform(.apply(Array(rest.prefix(count)), wallClock: nil, isText: false))
        rest = rest.dropFirst(count)
        if random.chance(20) {
          let gone = (0..<30).map { _ in random.pick(rows) }
          for row in gone { try trial.perform(.retract(row.identity)) }
        }
        try Self.compare(trial, rows, using: &random)
      }
      #expect(trial.engine.checkInvariants().isEmpty)
    } catch {
      Issue.record("\(error)\n\(Seeds.replay(seed, "busyToken"))")
    }
  }

  private static func rows(using random: inout SeededGenerator) -> [MarketRow] {
    let count = random.pick([800, 1_500, 2_600])
    let style = Int.random(in: 0..<4, using: &random)
    let hours = Int64.random(in: 6...72, using: &random)
    let quiet = Set(
      (0..<Int.random(in: 0...6, using: &random)).map { _ in Int64.random(in: 0..<hours, using: &random) })
    var rows: [MarketRow] = []
    for block in 0..<count {
      let hour = Int64.random(in: 0..<hours, using: &random)
      guard !quiet.contains(hour) || random.chance(2) else { continue }
      let time = start + hour * Self.hour + random.pick([0, 1, -1, Int64.random(in: 0..<Self.hour, using: &random)])
      rows.append(
        .swap(
          Swap(
            block: UInt64(block), timestamp: time, token: "ART", side: random.pick([.buy, .sell, nil]),
            amountUSD: amount(style, using: &random),
            tokenAmount: random.chance(80) ? amount(style, using: &random) : nil,
            priceUSD: amount(style, using: &random))))
    }
    // In order, but for some.
    rows.sort { $0.timestamp < $1.timestamp }
    for _ in 0..<random.pick([0, 10, count]) {
      rows.swapAt(Int.random(in: 0..<rows.count, using: &random), Int.random(in: 0..<rows.count, using: &random))
    }
    return rows
  }

  private static func amount(_ style: Int, using random: inout SeededGenerator) -> Decimal18 {
    switch style {
    case 0: Decimal18(units: Int128(Int64.random(in: 1...1_000_000_000, using: &random)) * 10_000_000_000)
    case 1: Decimal18(units: Int128(Int64.random(in: 1...Int64.max, using: &random)) * 1_003)
    case 2: Decimal18(units: Int128(UInt128.random(in: 1...UInt128(Int128.max), using: &random)))
    default: Decimal18(units: max(1, Int128.max >> Int128.random(in: 0...126, using: &random)))
    }
  }

  private static func compare(
    _ trial: borrowing Trial, _ rows: [MarketRow], using random: inout SeededGenerator
  ) throws {
    let model = ModelAnswers(trial.model)
    for _ in 0..<12 {
      let length = random.pick(WindowLength.allCases)
      var asOf = random.pick(rows).timestamp + random.pick([0, -1, 1, length.microseconds, length.microseconds - 1])
      if random.chance(40) { asOf = Interval.oneHour.start(of: asOf) + random.pick([-1, 0, 1]) }
      let question = MarketQuestion.window(length, "ART", asOf: random.chance(10) ? nil : asOf)
      let (ours, theirs) = (trial.engine.answer(question), model.answer(question))
      if ours != theirs { throw Difference("\(question)", engine: ours, model: theirs) }
    }
  }
}
