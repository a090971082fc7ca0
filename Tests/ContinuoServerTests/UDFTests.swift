// TradingView's data feed: what its clients ask, in the order in which they ask it.
// Invariant: bars are the candles of the other routes, as the nearest doubles.
// Not here: candles themselves (AnswerProperties), the page (tools/page-test).

#if Server
  import Continuo
  import ContinuoServer
  import Foundation
  import HTTPTypes
  import Testing

  @Suite("TradingView's data feed")
  struct UDFTests {
    /// A token that trades in three months, a year apart, and some prices that doubles cannot hold.
    private static func sparse(_ served: Served) async throws {
      var lines: [String] = []
      for (block, month) in ["2023-01", "2024-02", "2025-03"].enumerated() {
        for (place, day) in ["01", "02", "17"].enumerated() {
          lines.append(
            "{\"block\":\(100 * (block + 1) + place),\"log_index\":0,\"timestamp\":\"\(month)-\(day)T10:00:00Z\","
              + "\"token\":\"GAP\",\"amount_usd\":\"10.1\",\"price_usd\":\"0.00000012345\(block)\(place)\"}")
        }
      }
      let reply = try await served.post(
        "/v1/events", Array(lines.joined(separator: "\n").utf8), type: "application/x-ndjson")
      #expect(reply.status == 200 && reply.object["accepted"] as? Int == 9, "\(reply.text)")
    }

    private static func get(_ served: Served, _ target: String) async throws -> [String: Any] {
      let reply = try await served.get(target)
      #expect(reply.status == 200, "\(target) \(reply.text)")
      return reply.object
    }

    private static func times(_ answer: [String: Any]) -> [Int] { answer["t"] as? [Int] ?? [] }

    /// A chart that pages back from now finds every candle once, whatever lies between, and ends.
    @Test("Back to the first bar across months without one", arguments: [true, false])
    func back(byCount: Bool) async throws {
      try await Served.run { served in
        try await Self.sparse(served)
        var (end, found, asked) = (1_767_225_600, [Int](), 0)
        while asked < 40 {
          asked += 1
          let bounds = byCount ? "from=0&to=\(end)&countback=2" : "from=\(end - 30 * 86_400)&to=\(end)"
          let answer = try await Self.get(served, "/udf/history?symbol=GAP&resolution=1D&\(bounds)&unheard=of")
          if answer["s"] as? String == "ok" {
            let times = Self.times(answer)
            #expect(times == times.sorted() && times.allSatisfy { $0 < end })
            found = times + found
            end = times[0]
            continue
          }
          #expect(answer["s"] as? String == "no_data")
          // The next time is that of a bar: it is asked for with its end.
          guard let next = answer["nextTime"] as? Int else { break }
          #expect(!byCount && next < end - 30 * 86_400)
          end = next + 86_400
        }
        let days = try await served.get("/v1/tokens/GAP/candles?interval=1d&time=s")
        let buckets = (days.object["candles"] as? [[String: Any]] ?? []).compactMap { $0["bucket"] as? Int }
        #expect(buckets.count == 9 && found == buckets)
        #expect(byCount ? asked == 6 : asked < 12, "\(asked) requests")
      }
    }

    /// Bars are the nearest doubles, in columns of one length.
    @Test("Bars are the candles")
    func bars() async throws {
      try await Served.run { served in
        try await served.sample()
        let answer = try await Self.get(served, "/udf/history?symbol=Continuo:ART&resolution=60&from=0&to=1893456000")
        let candles = try await served.get("/v1/tokens/ART/candles?interval=1h&time=s")
        let rows = try #require(candles.object["candles"] as? [[String: Any]])
        #expect(!rows.isEmpty && Self.times(answer) == rows.compactMap { $0["bucket"] as? Int })
        for (column, name) in [("o", "open"), ("h", "high"), ("l", "low"), ("c", "close"), ("v", "volume_usd")] {
          let numbers = try #require(answer[column] as? [Double])
          #expect(numbers == rows.compactMap { ($0[name] as? String).flatMap(Double.init) }, "\(name)")
        }
      }
    }

    /// Five digits of the last price are shown.
    @Test(
      "A symbol's scale",
      arguments: [
        ("1000000000", 2), ("100", 2), ("99.9", 3), ("1", 4), ("0.5", 5), ("0.000000001", 13),
        ("0.000000000000000001", 18),
      ])
    func scale(price: String, places: Int) async throws {
      try await Served.run { served in
        let line =
          "{\"block\":1,\"log_index\":0,\"timestamp\":\"2025-12-31T10:00:00Z\",\"token\":\"A/B\",\"amount_usd\":\"1\","
          + "\"price_usd\":\"\(price)\"}"
        let taken = try await served.post("/v1/events", Array(line.utf8), type: "application/x-ndjson")
        #expect(taken.status == 200, "\(taken.text)")
        let symbol = try await Self.get(served, "/udf/symbols?symbol=A%2FB")
        #expect(symbol["pricescale"] as? Double == (0..<places).reduce(1.0) { scale, _ in scale * 10 })
        #expect(symbol["ticker"] as? String == "A/B" && symbol["minmov"] as? Int == 1)
      }
    }

    /// What there is, and what is wrong, always with status 200.
    @Test("Config, time, search and errors")
    func others() async throws {
      try await Served.run { served in
        try await served.sample()
        let config = try await Self.get(served, "/udf/config?v=1")
        #expect(config["supported_resolutions"] as? [String] == ["1", "5", "15", "60", "240", "1D", "1W"])
        let time = try await served.get("/udf/time")
        #expect(time.text == "1767225600" && time.headers[.contentType] == "text/plain; charset=utf-8")
        let search = try await served.get("/udf/search?query=ar&type=&exchange=&limit=30")
        let found = try JSONSerialization.jsonObject(with: Data(search.text.utf8)) as? [[String: Any]]
        #expect(found?.first?["symbol"] as? String == "ART" && found?.first?["full_name"] as? String == "Continuo:ART")
        let stocks = try await served.get("/udf/search?query=ar&type=stock")
        #expect(stocks.text == "[]\n")
        for (target, message) in [
          ("/udf/symbols?symbol=NOBODY", "unknown_symbol"),
          ("/udf/history?symbol=NOBODY&resolution=1&from=0&to=1", "unknown_symbol"),
          ("/udf/history?symbol=ART&resolution=7&from=0&to=1", "resolution must be one of"),
          ("/udf/history?symbol=ART&resolution=1D&from=0", "to must be"),
          ("/udf/history?symbol=ART&resolution=D&from=x&to=5", "from must be"),
          ("/udf/history?symbol=%FF", "bad_parameter"),
        ] {
          let answer = try await Self.get(served, target)
          #expect(answer["s"] as? String == "error", "\(target)")
          #expect((answer["errmsg"] as? String)?.hasPrefix(message) == true, "\(target) \(answer)")
        }
      }
    }

    /// Rule 14.1: a token in the query opens these routes and no other.
    @Test("A token in the query")
    func token() async throws {
      try await Served.run { options in
        options.access.read = Secret(Array("reader-of-the-market".utf8))
      } _: { served in
        for (target, status) in [
          ("/udf/config", 401), ("/udf/config?access_token=wrong", 401),
          ("/udf/config?access_token=reader-of-the-market", 200), ("/v1/tokens?access_token=reader-of-the-market", 401),
        ] {
          let reply = try await served.get(target)
          #expect(reply.status == status, "\(target) \(reply.text)")
        }
      }
    }
  }
#endif
