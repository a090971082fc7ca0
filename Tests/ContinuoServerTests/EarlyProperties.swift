// Whatever is asked of whatever market before the directory is read: the answer is that of afterwards.
// Invariant: the seed decides the market, how it came into the directory, and the questions.
// Not here: directed cases (EarlyTests), what answers are right (AnswerProperties).

#if Server
  import Continuo
  import ContinuoBytes
  import ContinuoServer
  import ContinuoStorage
  import ContinuoTestSupport
  import Foundation
  import HTTPTypes
  import Testing

  @Suite("Any answer before the directory is read")
  struct EarlyProperties {
    /// Rules 1.1, 11.2: whatever is asked, by many at once, before the directory is back and while it comes.
    @Test("Any market, any candles, asked by many while it opens")
    func everyQuestion() async throws {
      var early = 0
      let seeds = Seeds.thisRun(10)
      for seed in seeds {
        try await EarlyMarket.folder { path in early += try await Self.ask(seed, path) }
      }
      print("early answers: \(early) of \(40 * seeds.count), \(seeds.count) markets")
      #expect(early > 0)
    }

    /// How many of a market's questions were answered before it was back.
    private static func ask(_ seed: UInt64, _ path: URL) async throws -> Int {
      var random = SeededGenerator(seed: seed)
      let market = try RandomMarket(seed: seed)
      var options = EarlyMarket.options
      options.engine = market.settings
      options.price = market.shape.price
      try Self.fill(path, options, market, &random)
      let names = Array(Set(market.events.compactMap(\.token))).sorted() + ["nobody"]
      let times = market.events.map(\.timestamp.microseconds)
      let targets = (0..<40).map { _ in Self.target(names, times, &random) }
      let isCSV = (0..<40).map { _ in random.chance(50) }
      let isHeld = random.chance(70)
      let delay = Int.random(in: 0...60, using: &random)
      let clock = Int64.random(in: 0...random.pick([3_600_000_000, 90 * 86_400_000_000]), using: &random)
      let now = Timestamp(microseconds: (times.max() ?? 0) + clock)
      let count = MonitorHandle(0)
      try await EarlyMarket.held(path) { server in
        server.ledger = options
        server.ledger.price = nil
      } _: { served, held in
        served.clock.set(now)
        let answered = MonitorHandle(0)
        let replies = targets.indices.map { index in
          EarlyMarket.answer(served) { served in
            let reply =
              isCSV[index] ? try await served.csv(targets[index]) : try await served.get(targets[index])
            answered.locked { $0 += 1 }
            return reply
          }
        }
        if isHeld {
          // All that can be answered has been when the rest waits, and nothing changes any more.
          var last = -1
          for _ in 0..<500 {
            let now = answered.locked { $0 }
            let waits = try await served.get("/metrics").text.contains("continuo_waiting_requests \(40 - now)\n")
            if waits, now == last { break }
            last = now
            try await Task.sleep(for: .milliseconds(20))
          }
        } else {
          try await Task.sleep(for: .milliseconds(delay))
        }
        held.goOn()
        for (index, target) in targets.enumerated() {
          let reply = try await replies[index].value
          let tag = reply.headers[.eTag]
          let isEarly = tag?.contains("-early") ?? false
          if isEarly { count.locked { $0 += 1 } }
          // A tag of before says nothing afterwards.
          let known: HTTPFields = isEarly ? [.ifNoneMatch: tag ?? ""] : [:]
          let later = try await served.get(target, known.merging(isCSV[index] ? [.accept: "text/csv"] : [:]))
          #expect(
            reply.status == later.status && reply.bytes == later.bytes,
            "\(target)\n\(reply.text)\n\(later.text) \(Seeds.replay(seed, "EarlyProperties"))")
        }
      }
      return count.locked { $0 }
    }

    /// Takes a market's operations, with checkpoints between some.
    private static func fill(
      _ path: URL, _ options: Ledger.Options, _ market: RandomMarket, _ random: inout SeededGenerator
    ) throws {
      let ledger = try Ledger(path: path.path, options)
      var spelling: SeededGenerator?
      let isLeft = random.chance(30)
      for (index, operation) in market.operations.enumerated() {
        switch operation {
        case .apply(let rows, let wallClock, _):
          _ = try ledger.take(
            EventBatch(rows, price: market.shape.price, spelling: &spelling), wallClock: wallClock)
        case .retract(let identity): _ = try ledger.retract(identity)
        case .rollback(let chain, let block): _ = try? ledger.rollback(chain: chain, above: block)
        case .moveHorizon: _ = try ledger.moveHorizon()
        case .advanceClock: break
        }
        if random.chance(30) || index == 0 && !isLeft { _ = try ledger.checkpoint() }
      }
    }

    private static func target(_ names: [ByteString], _ times: [Int64], _ random: inout SeededGenerator) -> String {
      let name = random.pick(names).bytes.map { "%" + (($0 < 16 ? "0" : "") + String($0, radix: 16)) }.joined()
      let interval = random.pick(Interval.allCases)
      var target = "/v1/tokens/\(name)/candles?interval=\(interval.rawValue)&limit=\(random.pick([1, 2, 10, 400]))"
      if random.chance(15) {
        let (from, to) = (random.pick(times) / 1_000_000, random.pick(times) / 1_000_000)
        let resolution = random.pick(["1", "15", "60", "240", "1D", "1W"])
        return "/udf/history?symbol=\(name)&resolution=\(resolution)&from=\(from)&to=\(to)"
          + (random.chance(50) ? "&countback=\(random.pick([-1, 0, 1, 20]))" : "")
      }
      if random.chance(20) {
        let bucket = interval.start(of: Timestamp(microseconds: random.pick(times)))
        return "/v1/tokens/\(name)/explain?interval=\(interval.rawValue)&bucket=\(bucket.microseconds)"
      }
      if random.chance(40) { target += "&from=\(random.pick(times))" }
      if random.chance(40) { target += "&to=\(random.pick(times))" }
      if random.chance(20) { target += "&cursor=\(random.pick(times))" }
      if random.chance(20) { target += "&order=desc&time=ms" }
      if random.chance(30) { target += "&fill=\(random.pick(Fill.allCases).rawValue)" }
      return target
    }
  }

  extension HTTPFields {
    fileprivate func merging(_ more: HTTPFields) -> HTTPFields {
      var fields = self
      fields.append(contentsOf: more)
      return fields
    }
  }
#endif
