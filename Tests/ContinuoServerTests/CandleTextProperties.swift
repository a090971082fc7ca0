// Texts of candles that are kept, under everything that changes a candle: they are never other than what is made anew.
// Invariant: the seed decides market, steps and questions.
// Not here: that what is made anew is the engine's answer (AnswerProperties).

#if Server
  import Continuo
  import ContinuoServer
  import ContinuoStorage
  import ContinuoTestSupport
  import Foundation
  import Testing

  @Suite("Texts of candles that are kept")
  struct CandleTextProperties {
    /// Rule 11.2: an ascending list may come from texts that are kept; a descending one is always made.
    @Test("Late events, rollbacks, retractions, gaps, clocks: no old text", arguments: Seeds.thisRun(40))
    func kept(seed: UInt64) async throws {
      var random = SeededGenerator(seed: seed)
      // With little room pages go all the time.
      let room = random.pick([6_000, 60_000, 1 << 24])
      let seed = seed
      try await Served.run { options in
        options.limits.candleTextBytesMax = room
        options.limits.rowsMax = 4000
        options.ledger.engine = Engine.Settings(retention: .standard, futureToleranceMicroseconds: nil)
      } _: { served in
        var course = Course(seed: seed)
        for _ in 0..<60 {
          try await course.step(served)
          for _ in 0..<4 { try await course.ask(served) }
        }
        #expect(course.rows > 100, "SEED=\(seed)")
      }
    }

    /// Rule 11.2: what a page that is put in front of a kept one says of the gap between its candles is what is known of it.
    @Test("A late event in a gap, then the page before it: nothing is missing")
    func gap() async throws {
      try await Served.run { options in
        options.ledger.engine = Engine.Settings(retention: .standard, futureToleranceMicroseconds: nil)
      } _: { served in
        let start = Timestamp("2025-03-01T00:00:00Z")!
        func post(block: Int, hour: Int64) async throws {
          let time = (start + (hour * 60 + 1) * 60_000_000).microseconds
          let text =
            "{\"block\":\(block),\"timestamp\":\(time),\"token\":\"ART\",\"amount_usd\":\"1\",\"token_amount\":\"1\"}\n"
          let reply = try await served.post("/v1/events", Array(text.utf8), type: "application/x-ndjson")
          #expect(reply.status == 200 && reply.object["accepted"] as? Int == 1, "\(reply.text)")
        }
        func candles(_ rest: String) async throws -> (count: Int, next: String?) {
          let reply = try await served.get("/v1/tokens/ART/candles?interval=1h\(rest)")
          return ((reply.object["candles"] as? [Any])?.count ?? -1, reply.object["next"] as? String)
        }
        served.clock.set(start + 12 * 3_600_000_000)
        for (block, hour) in [(1, 1), (2, 2), (3, 10)] { try await post(block: block, hour: Int64(hour)) }
        let newest = try await candles("&limit=2")
        #expect(newest.count == 2)
        try await post(block: 4, hour: 5)
        let older = try await candles("&limit=2&cursor=\(try #require(newest.next))")
        #expect(older.count == 1)
        let all = try await candles("")
        #expect(all.count == 4)
      }
    }
  }

  /// A market that goes on, and what is asked of it.
  private struct Course {
    private static let tokens = ["ART", "BEAT", "SONG"]
    private static let minute: Int64 = 60_000_000

    private let seed: UInt64
    private var random: SeededGenerator
    private var now = Timestamp("2025-03-01T00:00:00Z")!
    private var clock = Timestamp("2025-03-01T00:00:00Z")!
    private var block: UInt64 = 100
    private var blocks: [UInt64] = []
    /// How many rows were compared.
    private(set) var rows = 0

    init(seed: UInt64) { (self.seed, random) = (seed, SeededGenerator(seed: seed &+ 1)) }

    // MARK: what happens

    mutating func step(_ served: Served) async throws {
      switch Int.random(in: 0..<12, using: &random) {
      case 0: try await rollback(served)
      case 1, 2: try await retract(served)
      case 3: now = now + Int64.random(in: 1...40 * 1440, using: &random) * Self.minute
      case 4: break
      default: try await trade(served)
      }
      clock = max(clock, now + random.pick([0, 0, 7 * Self.minute, 3 * 60 * Self.minute]))
      served.clock.set(clock)
    }

    private mutating func trade(_ served: Served) async throws {
      var text = ""
      // Most steps are a moment of the market, some are days.
      let pace = random.pick([1, 20, 90]) * Self.minute
      for _ in 0..<random.pick([1, 3, 40, 200]) {
        now = now + Int64.random(in: 0...pace, using: &random)
        let late = random.chance(8) ? Int64.random(in: 0...600, using: &random) * Self.minute : 0
        block += 1
        blocks.append(block)
        text +=
          "{\"block\":\(block),\"timestamp\":\((now - late).microseconds),\"token\":\"\(random.pick(Self.tokens))\","
        text +=
          "\"side\":\"buy\",\"amount_usd\":\"\(Int.random(in: 1...99, using: &random))\",\"token_amount\":\"3\"}\n"
      }
      let reply = try await served.post("/v1/events", Array(text.utf8), type: "application/x-ndjson")
      #expect(reply.status == 200 && reply.object["rejected"] as? Int == 0, "\(reply.text) SEED=\(seed)")
    }

    private mutating func rollback(_ served: Served) async throws {
      let kept = max(0, blocks.count - random.pick([1, 5, 60]))
      guard kept > 0 else { return }
      let reply = try await served.post(
        "/v1/chains/1/rollback", Array("{\"block\":\(blocks[kept - 1])}".utf8), type: "application/json")
      // Beyond what is held it is refused, and changes nothing.
      #expect(reply.status == 200 || reply.status == 409, "\(reply.text) SEED=\(seed)")
      if reply.status == 200 { blocks.removeSubrange(kept...) }
    }

    private mutating func retract(_ served: Served) async throws {
      guard !blocks.isEmpty else { return }
      let index = Int.random(in: max(0, blocks.count - random.pick([3, 400]))..<blocks.count, using: &random)
      let reply = try await served.post(
        "/v1/events/retract", Array("{\"events\":[{\"kind\":\"swap\",\"block\":\(blocks[index])}]}".utf8),
        type: "application/json")
      #expect(reply.status == 200, "\(reply.text) SEED=\(seed)")
      blocks.remove(at: index)
    }

    // MARK: what is asked

    /// One question both ways, and some pages behind it.
    mutating func ask(_ served: Served) async throws {
      let interval = random.pick(["1m", "5m", "1h", "1h", "4h", "1d"])
      var target = "/v1/tokens/\(random.pick(Self.tokens))/candles?interval=\(interval)"
      target += "&limit=\(random.pick([1, 2, 7, 24, 168, 3000]))"
      if random.chance(20) { target += "&from=\(instant)" }
      if random.chance(20) { target += "&to=\(instant)" }
      var cursor: String?
      for _ in 0..<random.pick([1, 1, 3]) {
        let page = target + (cursor.map { "&cursor=\($0)" } ?? "")
        let (kept, made) = (try await served.get(page), try await served.get(page + "&order=desc"))
        guard kept.status == 200, made.status == 200 else {
          #expect(kept.status == 404 && made.status == 404, "\(page) \(kept.text) SEED=\(seed)")
          return
        }
        let (one, other) = (try #require(Self.parts(kept.text)), try #require(Self.parts(made.text)))
        #expect(one.rows == other.rows.reversed() && one.rest == other.rest, "\(page) SEED=\(seed)")
        rows += one.rows.count
        cursor = kept.object["next"] as? String
        if cursor == nil { return }
      }
    }

    private var instant: Int64 {
      mutating get { (now - Int64.random(in: -10...4000, using: &random) * Self.minute).microseconds }
    }

    /// The rows of an answer, and what stands around them.
    private static func parts(_ text: String) -> (rows: [Substring], rest: [Substring])? {
      let lines = text.split(separator: "\n")
      guard let first = lines.first, first.contains("\"candles\":[") else { return nil }
      if lines.count == 1 { return ([], [first]) }
      let rows = lines[1..<(lines.count - 1)].map { $0.hasSuffix(",") ? $0.dropLast() : $0 }
      return (rows, [first, lines[lines.count - 1]])
    }
  }
#endif
