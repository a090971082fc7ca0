// Random markets sent in pieces over HTTP, random questions asked over HTTP: the answers are those of an engine that took the
// same text.
// Invariant: the seed decides market and questions.
// Not here: the engine itself against its model (ContinuoTests).

#if Server
  import Continuo
  import ContinuoFormats
  import ContinuoServer
  import ContinuoStorage
  import ContinuoTestSupport
  import Foundation
  import HTTPTypes
  import Testing

  @Suite("Answers over HTTP")
  struct AnswerProperties {
    /// Rules 1.1, 10.5, 11.2: byte for byte what an engine's rows are as CSV, and what is refused is refused.
    @Test("Any market, any question: the engine's answer", arguments: Seeds.thisRun(24))
    func answers(seed: UInt64) async throws {
      var random = SeededGenerator(seed: seed)
      let market = try RandomMarket(seed: seed)
      let lines = market.events.compactMap(Self.line)
      let clock =
        (market.events.map(\.timestamp).max() ?? Timestamp(microseconds: 0))
        + Int64.random(in: 0...90_000_000_000, using: &random)
      let batches = stride(from: 0, to: lines.count, by: 40).map { lines[$0..<min(lines.count, $0 + 40)].joined() }
      let questions = MarketQuestion.questions(of: market, using: &random)
      let settings = Engine.Settings(
        retention: market.settings.retention ?? .standard, futureToleranceMicroseconds: nil)
      var engine = Engine(settings)
      for text in batches {
        var rows = try BodyRows(.ndjson, InputOptions())
        try rows.append(Array(text.utf8).span)
        try engine.apply(try rows.finish(), wallClock: nil)
        // As the server does.
        engine.moveHorizon()
      }
      let wanted = questions.compactMap { Self.wanted($0, engine, clock) }
      let zip = random.chance(50)
      try await Served.run { options in
        options.ledger.engine = settings
        options.limits.rowsMax = 1_000_000
        options.limits.rowsUsual = 1_000_000
      } _: { served in
        served.clock.set(clock)
        for (index, text) in batches.enumerated() {
          // Texts of candles are kept from here on, and what comes behind changes some of them.
          if index == batches.count / 2 {
            for (target, _, _) in wanted { _ = try await served.get(target) }
          }
          let body = Array(text.utf8)
          let reply = try await served.post(
            "/v1/events", zip ? try await gzipped(body) : body, type: "application/x-ndjson",
            zip ? [.contentEncoding: "gzip"] : [:])
          #expect(reply.status == 200, "\(reply.text) SEED=\(seed)")
        }
        for (target, text, json) in wanted {
          if let json {
            for _ in 0..<2 {
              let reply = try await served.get(target)
              #expect(
                reply.status == 200 && reply.text.contains("\"candles\":\(json),\"next\":"),
                "\(target) SEED=\(seed)")
            }
          }
          let reply = try await served.csv(target)
          if let text {
            #expect(reply.status == 200 && reply.text == text, "\(target) SEED=\(seed)")
          } else {
            #expect(reply.status == 410 || reply.status == 404, "\(target) \(reply.status) SEED=\(seed)")
          }
        }
      }
    }

    /// A row as NDJSON; nil for what is no event with valid names.
    private static func line(_ row: MarketRow) -> String? {
      var object = JSONObject()
      switch row {
      case .swap(let swap):
        object.put("chain", count: UInt64(swap.chain))
        object.put("block", count: swap.block)
        object.put("log_index", count: UInt64(swap.logIndex))
        object.put("timestamp", time: swap.timestamp, as: .microseconds)
        object.put("token", swap.token)
        object.put("side", swap.side.map { ByteString($0.name) })
        object.put("amount_usd", decimal: swap.amountUSD)
        object.put("token_amount", decimal: swap.tokenAmount)
        object.put("price_usd", decimal: swap.priceUSD)
        object.put("wallet", swap.wallet)
      case .transfer(let transfer):
        object.put("kind", "transfer")
        object.put("chain", count: UInt64(transfer.chain))
        object.put("block", count: transfer.block)
        object.put("log_index", count: UInt64(transfer.logIndex))
        object.put("timestamp", time: transfer.timestamp, as: .microseconds)
        object.put("token", transfer.token)
        object.put("from", transfer.from)
        object.put("to", transfer.to)
        object.put("amount", decimal: transfer.amount)
      default: return nil
      }
      return String(decoding: object.finished(), as: UTF8.self)
    }

    private static func encoded(_ name: ByteString) -> String {
      name.bytes.map { "%" + (($0 < 16 ? "0" : "") + String($0, radix: 16)) }.joined()
    }

    private static func csv<Row>(_ table: ResultTable<Row>, _ rows: [Row]) -> String {
      var writer = ResultWriter(table, as: .csv)
      for row in rows { writer.write(row) }
      writer.finish()
      return String(decoding: writer.bytes, as: UTF8.self)
    }

    /// A question as a target, and what is to be answered; nil where it is refused.
    private static func wanted(
      _ question: MarketQuestion, _ engine: borrowing Engine, _ clock: Timestamp
    ) -> (target: String, csv: String?, candles: String?)? {
      func time(_ name: String, _ instant: Timestamp?) -> String {
        instant.map { "&\(name)=\($0.microseconds)" } ?? ""
      }
      guard question.instants.allSatisfy(\.isInRange) else { return nil }
      let now = max(clock, engine.clock ?? clock)
      switch question {
      case .candles(let name, let query):
        let target =
          "/v1/tokens/\(encoded(name))/candles?interval=\(query.interval.rawValue)&fill=\(query.fill.rawValue)"
          + time("from", query.from) + time("to", query.to) + (query.limit.map { "&limit=\($0)" } ?? "")
        // Months of filled minutes are left to the engine's own tests.
        guard query.fill == .none || query.limit != nil || query.interval.microseconds >= 3_600_000_000 else {
          return nil
        }
        guard let token = engine.token(name) else { return (target, nil, nil) }
        var rows: [CandleAnswer] = []
        engine.forEachBar(of: token, query, clock: now) { rows.append(CandleAnswer(token: name, row: $0)) }
        var writer = ResultWriter(ResultTable.candles(withToken: false), as: .json)
        for row in rows { writer.write(row) }
        writer.finish()
        let json = String(decoding: writer.bytes.dropLast(), as: UTF8.self)
        return (target, csv(.candles(withToken: false), rows), json)
      case .explain(let name, let interval, let bucket):
        let target = "/v1/tokens/\(encoded(name))/explain?interval=\(interval.rawValue)" + time("bucket", bucket)
        guard let token = engine.token(name), let rows = try? engine.explain(token, interval, bucket: bucket) else {
          return (target, nil, nil)
        }
        return (target, csv(ResultTable.explanations, rows), nil)
      case .window(let length, let name, let asOf), .traders(let length, let name, let asOf):
        let target = "/v1/tokens/\(encoded(name))?window=\(length.rawValue)" + time("as_of", asOf)
        guard let token = engine.token(name), let window = try? engine.window(length, of: token, asOf: asOf ?? now),
          let traders = try? engine.traders(length, of: token, asOf: asOf ?? now)
        else { return (target, nil, nil) }
        return (
          target, csv(.windows, [WindowAnswer(token: name, length: length, window: window, traders: traders)]), nil
        )
      case .statistics(let name, let asOf):
        let target = "/v1/tokens/\(encoded(name))?" + time("as_of", asOf).dropFirst()
        guard let token = engine.token(name), let statistics = try? engine.statistics(of: token, asOf: asOf ?? now)
        else {
          return (target, nil, nil)
        }
        return (target, csv(.statistics, [StatisticsAnswer(token: name, statistics: statistics)]), nil)
      case .ranking(let key, let limit, let asOf):
        guard asOf == nil || key == .volume || key == .change else { return nil }
        let target = "/v1/top?by=\(key.rawValue)&limit=\(max(1, limit))" + time("as_of", asOf)
        guard let ranking = try? engine.ranking(by: key, limit: max(1, limit), asOf: asOf ?? now) else {
          return (target, nil, nil)
        }
        let rows = ranking.enumerated().map {
          RankAnswer(rank: $0.offset + 1, token: engine.name(of: $0.element.token), statistics: $0.element)
        }
        return (target, csv(.ranking, rows), nil)
      case .holders(let name, let limit):
        guard limit != 0 else { return nil }
        let target = "/v1/tokens/\(encoded(name))/holders?" + (limit.map { "limit=\($0)" } ?? "")
        guard let token = engine.token(name) else { return (target, nil, nil) }
        let rows = engine.holders(of: token, limit: limit).enumerated().map {
          HolderAnswer(rank: $0.offset + 1, holder: $0.element)
        }
        return (target, csv(.holders, rows), nil)
      default: return nil
      }
    }
  }

  extension MarketQuestion {
    /// The instants that it names: one outside of the years 0001 to 9999 cannot be written.
    fileprivate var instants: [Timestamp] {
      switch self {
      case .candles(_, let query): [query.from, query.to].compactMap { $0 }
      case .explain(_, _, let bucket): [bucket]
      case .window(_, _, let asOf), .traders(_, _, let asOf), .statistics(_, let asOf), .ranking(_, _, let asOf):
        asOf.map { [$0] } ?? []
      default: []
      }
    }
  }

  extension AnswerProperties {
    /// Pieces of any size are the rows of the whole text, whatever its lines hold.
    @Test("A text in pieces", arguments: Seeds.thisRun(60))
    func pieces(seed: UInt64) throws {
      var random = SeededGenerator(seed: seed)
      let market = try RandomMarket(seed: seed)
      var lines = market.events.prefix(30).compactMap(Self.line)
      lines.append(contentsOf: ["\n", "no object\n", "{\"block\":\"\u{1F600}\"}\r\n"])
      if random.chance(30) { lines.append(String(repeating: "x", count: Limits.lineBytesMax + 9) + "\n") }
      var text = (random.chance(30) ? "\u{FEFF}" : "") + lines.shuffled(using: &random).joined()
      if random.chance(50) { text.removeLast() }
      let bytes = Array(text.utf8)
      func batch(_ longest: Int) throws -> EventBatch {
        var rows = try BodyRows(.ndjson, InputOptions())
        var position = 0
        while position < bytes.count {
          let end = min(bytes.count, position + Int.random(in: 1...longest, using: &random))
          try rows.append(Array(bytes[position..<end]).span)
          position = end
        }
        return try rows.finish()
      }
      let whole = try batch(1 << 30)
      let cut = try batch(random.pick([1, 7, 4096]))
      #expect(whole.offered == cut.offered && whole.rejections == cut.rejections, "SEED=\(seed)")
      var left = Engine()
      var right = Engine()
      let receipts = (try left.apply(whole, wallClock: nil), try right.apply(cut, wallClock: nil))
      #expect(receipts.0 == receipts.1, "SEED=\(seed)")
    }
  }
#endif
