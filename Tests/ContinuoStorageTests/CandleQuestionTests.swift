// Candles from a part of a data directory: whatever is asked, the answer is that of all of it.
// Invariant: a part is read only where it answers as the whole does.
// Not here: what candles are (ContinuoTests), damage in what is read (DirectoryDamageTests).

import Continuo
import ContinuoStorage
import ContinuoTestSupport
import Testing

@Suite("Candles from a part of a directory")
struct CandleQuestionTests {
  private static let path = "/data"

  private static func rows(_ engine: borrowing Engine, _ question: CandleQuestion) -> [String: [CandleRow]?] {
    var answers: [String: [CandleRow]?] = [:]
    for name in question.tokens {
      guard let token = engine.token(name) else {
        answers[name.description] = .some(nil)
        continue
      }
      var rows: [CandleRow] = []
      // As many as anybody looks at: of years that are filled the first ones.
      struct Enough: Error {}
      _ = try? engine.forEachCandle(of: token, question.query) { row throws(Enough) in
        rows.append(row)
        if rows.count > 3000 { throw Enough() }
      }
      answers[name.description] = rows
    }
    return answers
  }

  private static func question(
    _ engine: borrowing Engine, _ names: [ByteString], _ random: inout SeededGenerator
  ) -> CandleQuestion {
    let first = engine.inspection().first ?? .first
    let last = engine.newest ?? first
    func instant(_ random: inout SeededGenerator) -> Timestamp? {
      guard random.chance(65) else { return nil }
      let margin: Int64 = 20_000_000_000
      return Timestamp(
        microseconds: Int64.random(
          in: first.microseconds - margin...max(last.microseconds, first.microseconds) + margin, using: &random))
    }
    let query = CandleQuery(
      random.pick(Interval.allCases), from: instant(&random), to: instant(&random), fill: random.pick(Fill.allCases),
      limit: random.chance(50) ? Int.random(in: 1...30, using: &random) : nil)
    return CandleQuestion((0..<Int.random(in: 1...2, using: &random)).map { _ in random.pick(names) }, query)
  }

  /// Rule 4.1: a candle is that of its events, whatever else was read.
  @Test("Any market, any question, before and behind checkpoints", arguments: Seeds.thisRun(60))
  func everyQuestion(seed: UInt64) throws {
    let workload = try LedgerWorkload(seed: seed, steps: 24)
    var random = SeededGenerator(seed: seed)
    let disk = SimulatedDisk()
    var options = workload.options
    options.checkpointBytes = nil
    let checkpoints = Set((0..<2).map { _ in Int.random(in: 4..<24, using: &random) })
    var (parts, asked) = (0, 0)
    let ledger = try Ledger(disk, path: Self.path, options)
    for step in workload.steps.indices {
      try workload.perform(step, on: ledger)
      if checkpoints.contains(step) { _ = try ledger.checkpoint() }
      guard step >= checkpoints.min() ?? 0, step % 3 == 0 else { continue }
      let image = disk.image
      let whole = try ReadDirectory(SimulatedDisk(image), path: Self.path, workload.settings)
      let names = whole.engine.tokens().map { whole.engine.name(of: $0) } + ["nobody"]
      for _ in 0..<12 {
        let question = Self.question(whole.engine, names, &random)
        let part = try ReadDirectory(SimulatedDisk(image), path: Self.path, workload.settings, for: question)
        asked += 1
        if part.isPart { parts += 1 }
        let (found, expected) = (Self.rows(part.engine, question), Self.rows(whole.engine, question))
        let isSame = found == expected
        #expect(isSame, "\(question), step \(step), \(Seeds.replay(seed, "CandleQuestionTests"))")
        #expect(part.restored.tornTailBytes == whole.restored.tornTailBytes)
      }
    }
    print("candles of a part: seed \(seed): \(parts) of \(asked) questions")
  }

  private static func market(days: Int) throws -> SimulatedDisk {
    let disk = SimulatedDisk()
    var options = Ledger.Options()
    options.journalFileBytes = 64 * 4096
    options.checkpointBytes = nil
    let start = Timestamp(microseconds: 1_730_419_200_000_000)
    let ledger = try Ledger(disk, path: path, options)
    for day in 0..<days {
      var batch = EventBatch()
      for index in 0..<96 {
        let time = start + Int64(day) * 86_400_000_000 + Int64(index) * 900_000_000
        batch.append(
          Swap(
            block: UInt64(day * 96 + index), timestamp: time, token: index % 4 == 0 ? "ART" : "BEE",
            amountUSD: Decimal18(whole: Int64(index + 1)), priceUSD: Decimal18(whole: Int64(day + 1)), wallet: "w"))
      }
      if day == 0 {
        batch.append(
          Swap(block: 9_999_999, timestamp: start, token: "RARE", amountUSD: .one, priceUSD: .one))
      }
      _ = try ledger.take(batch, wallClock: nil)
    }
    _ = try ledger.checkpoint()
    // Behind it: one that is there already, one that says otherwise, one that is new, one of long ago that is not, one undone.
    var batch = EventBatch()
    let last = UInt64(days * 96 - 4)
    func swap(_ block: UInt64, minutes: Int64, _ amount: Int64, price: Int64) {
      batch.append(
        Swap(
          block: block, timestamp: start + minutes * 60_000_000, token: "ART", amountUSD: Decimal18(whole: amount),
          priceUSD: Decimal18(whole: price), wallet: "w"))
    }
    swap(last, minutes: Int64(days) * 1440 - 60, 93, price: Int64(days))
    swap(0, minutes: Int64(days) * 1440 - 30, 5, price: 5)
    swap(last + 100, minutes: Int64(days) * 1440 - 20, 7, price: 7)
    swap(4, minutes: 60, 5, price: 1)
    _ = try ledger.take(batch, wallClock: nil)
    _ = try ledger.retract(EventIdentity(kind: .swap, block: UInt64(days * 96 - 8)))
    return disk
  }

  @Test("The newest candles take the last stretches, and what the journal's events may be")
  func little() throws {
    let disk = try Self.market(days: 20)
    let whole = try ReadDirectory(SimulatedDisk(disk.image), path: Self.path, Engine.Settings())
    func read(_ name: ByteString, _ query: CandleQuery) throws -> (events: Int, rows: Int, isPart: Bool) {
      let question = CandleQuestion([name], query)
      let part = try ReadDirectory(SimulatedDisk(disk.image), path: Self.path, Engine.Settings(), for: question)
      let (found, expected) = (Self.rows(part.engine, question), Self.rows(whole.engine, question))
      let isSame = found == expected
      #expect(isSame, "\(query)")
      return (part.restored.keptEvents, found[name.description]??.count ?? -1, part.isPart)
    }
    let newest = try read("ART", CandleQuery(.oneHour, limit: 5))
    #expect(newest == (events: 10, rows: 5, isPart: true))
    let filled = try read("ART", CandleQuery(.fifteenMinutes, fill: .previous, limit: 4))
    #expect(filled.isPart && filled.rows == 4 && filled.events < 10)
    let all = try read("ART", CandleQuery(.oneDay))
    #expect(all == (events: 480, rows: 20, isPart: true))
    // Its one swap is far away: all stretches are looked through for it.
    let rare = try read("RARE", CandleQuery(.oneHour, limit: 1))
    #expect(rare.isPart && rare.rows == 1)
    let middle = try read(
      "ART",
      CandleQuery(
        .oneDay, from: Timestamp(microseconds: 1_730_419_200_000_000 + 5 * 86_400_000_000),
        to: Timestamp(microseconds: 1_730_419_200_000_000 + 7 * 86_400_000_000)))
    #expect(middle.rows == 2 && middle.events < 80)
    let (never, always) = (Timestamp(microseconds: .min), Timestamp(microseconds: .max))
    for fill in Fill.allCases {
      _ = try read("ART", CandleQuery(.oneDay, from: never, to: never, fill: fill, limit: 3))
      _ = try read("ART", CandleQuery(.oneWeek, from: always, to: always, fill: fill))
      _ = try read("ART", CandleQuery(.oneHour, from: never, to: always, limit: .max))
    }
    let nobody = try read("nobody", CandleQuery(.oneHour, limit: 1))
    #expect(nobody == (events: 20 * 96 + 1, rows: -1, isPart: false))
  }
}
