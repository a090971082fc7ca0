// Every route's answer for the sample of the project, held against what the engine and the command line say.
// Invariant: a row of an answer is a row of the command line's.
// Not here: random markets (AnswerProperties), what is refused (ProblemTests).

#if Server
  import Continuo
  import ContinuoBytes
  import ContinuoFormats
  import Foundation
  import HTTPTypes
  import Testing

  @Suite("Every route")
  struct RouteTests {
    /// The clock of the command line is the newest event's.
    private static let newest = "2024-12-02T12:30:00Z"

    private static func rows(_ reply: Reply, _ name: String) throws -> [[String: Any]] {
      try #require(reply.object[name] as? [[String: Any]], "\(reply.text)")
    }

    /// Rules 10.5, 11.2: what the command line prints, byte for byte, and the same rows as JSON.
    @Test(
      "CSV is the command line's",
      arguments: [
        ("/v1/tokens/ART/candles?interval=1h", "candles --token ART --interval 1h"),
        (
          "/v1/tokens/ART/candles?interval=1m&fill=previous&limit=7",
          "candles --token ART --interval 1m --fill previous --limit 7"
        ),
        (
          "/v1/tokens/BEAT/candles?interval=1d&fill=null&from=2024-11-30T00:00:00Z",
          "candles --token BEAT --interval 1d --fill null --from 2024-11-30T00:00:00Z"
        ),
        ("/v1/tokens", "stats"), ("/v1/tokens/ART", "stats --token ART"),
        ("/v1/tokens?id=BEAT&id=ART", "stats --token ART --token BEAT"),
        (
          "/v1/tokens/ART?window=24h&as_of=2024-12-01T13:00:00Z",
          "stats --token ART --window 24h --as-of 2024-12-01T13:00:00Z"
        ),
        ("/v1/top", "top"), ("/v1/top?by=change-24h&limit=2", "top --by change-24h --limit 2"),
        ("/v1/tokens/ART/holders", "holders --token ART"),
        ("/v1/tokens/ART/explain?bucket=2024-12-01T10:00:00Z", "explain --token ART --bucket 2024-12-01T10:00:00Z"),
      ])
    func commandLine(_ target: String, _ command: String) async throws {
      try await Served.run { served in
        try await served.sample()
        // What was taken is judged; what is answered now is answered as of the newest event.
        served.clock.set(Timestamp(microseconds: 0))
        let reply = try await served.csv(target)
        #expect(reply.status == 200 && reply.headers[.contentType] == "text/csv; charset=utf-8", "\(reply.text)")
        let printed = try await Program.run(
          command.split(separator: " ").map(String.init) + [
            "--input", "data/sample.csv", "--format", "csv", "--quiet",
          ])
        #expect(reply.text == printed)
        let json = try await served.get(target)
        #expect(json.headers[.contentType] == "application/json" && !json.object.isEmpty, "\(json.text)")
      }
    }

    /// Rule 4.4: pages go from the newest to the oldest, and `order` only sorts within one.
    @Test("Candles page by page are all candles")
    func pages() async throws {
      try await Served.run { served in
        try await served.sample()
        let all = try await served.csv("/v1/tokens/ART/candles?interval=1m&limit=5000")
        let wanted = all.text.split(separator: "\n").dropFirst()
        #expect(wanted.count == 4)
        for order in ["asc", "desc"] {
          var (found, cursor, pages): ([Substring], String?, Int) = ([], nil, 0)
          repeat {
            let more = cursor.map { "&cursor=\($0)" } ?? ""
            let target = "/v1/tokens/ART/candles?interval=1m&limit=2&order=\(order)\(more)"
            let page = try await served.csv(target).text
            let rows = page.split(separator: "\n").dropFirst()
            found = (order == "asc" ? Array(rows) : rows.reversed()) + found
            let reply = try await served.get(target)
            cursor = reply.object["next"] as? String
            let link = reply.headers[try #require(HTTPField.Name("Link"))]
            #expect((link == nil) == (cursor == nil))
            pages += 1
          } while cursor != nil && pages < 9
          #expect(found == Array(wanted) && pages == 2, "\(order)")
        }
      }
    }

    @Test("Trades: newest first, page by page, each swap that is held once")
    func trades() async throws {
      try await Served.run { served in
        try await served.sample()
        var (times, cursor): ([String], String?) = ([], nil)
        repeat {
          let reply = try await served.get("/v1/tokens/ART/trades?limit=3" + (cursor.map { "&cursor=\($0)" } ?? ""))
          times += try Self.rows(reply, "trades").map {
            "\($0["timestamp"] ?? "") \($0["chain"] ?? "") \($0["log_index"] ?? "")"
          }
          cursor = reply.object["next"] as? String
        } while cursor != nil && times.count < 20
        #expect(
          times == [
            "2024-12-01T13:00:00Z 1 0", "2024-12-01T10:20:00Z 1 3", "2024-12-01T10:00:45.5Z 137 0",
            "2024-12-01T10:00:45.5Z 1 0", "2024-12-01T10:00:05Z 1 1", "2024-12-01T10:00:05Z 1 0",
            "2024-12-01T09:59:59.999999Z 1 0",
          ])
        let csv = try await served.csv("/v1/tokens/ART/trades?limit=1&time=s").text
        #expect(
          csv == "chain,block,log_index,timestamp,side,wallet,amount_usd,token_amount,price_usd\n"
            + "1,110,0,1733058000,buy,0xbb02,9,3,3\n")
      }
    }

    @Test("A token has a label, windows that were asked for, and whether its holders can be trusted")
    func token() async throws {
      try await Served.run { served in
        try await served.sample()
        let reply = try await served.get("/v1/tokens/Nuit%20%22bleue%22%2C%20caf%C3%A9?window=1h&window=7d")
        #expect(reply.status == 200)
        #expect(reply.object["token"] as? String == "Nuit \"bleue\", café" && reply.object["label"] is NSNull)
        #expect(reply.object["holders_incomplete"] as? Bool == true, "its transfer of 1e40 was rejected")
        let windows = try #require(reply.object["windows"] as? [String: [String: Any]])
        #expect(windows.keys.sorted() == ["1h", "7d"] && windows["7d"]?["window"] as? String == "7d")
        let art = try await served.get("/v1/tokens/ART")
        #expect(art.object["holders_incomplete"] as? Bool == false && art.object["windows"] == nil)
      }
    }

    @Test("Tokens are found by a part of their name without capitals, and listed page by page")
    func search() async throws {
      try await Served.run { served in
        try await served.sample()
        func names(_ target: String) async throws -> [String] {
          try Self.rows(try await served.get(target), "tokens").compactMap { $0["token"] as? String }
        }
        #expect(try await names("/v1/tokens?q=CAF%C3%89") == ["Nuit \"bleue\", café"])
        #expect(try await names("/v1/tokens?q=eA") == ["BEAT"])
        #expect(try await names("/v1/tokens?q=nothing") == [])
        let first = try await served.get("/v1/tokens?limit=2")
        #expect(first.object["next"] as? String == "BEAT")
        #expect(try await names("/v1/tokens?limit=2&cursor=BEAT") == ["Nuit \"bleue\", café"])
      }
    }

    @Test("Why this number: the candle and its four swaps; of a bucket without swaps neither")
    func explain() async throws {
      try await Served.run { served in
        try await served.sample()
        let reply = try await served.get("/v1/tokens/ART/explain?interval=1h&bucket=2024-12-01T10:00:00Z")
        #expect((reply.object["candle"] as? [String: Any])?["trades"] as? Int == 5)
        #expect(try Self.rows(reply, "events").map { $0["role"] as? String } == ["open", "high", "low", "close"])
        let none = try await served.get("/v1/tokens/ART/explain?interval=1h&bucket=2024-12-01T11:00:00Z")
        let rows = try Self.rows(none, "events")
        #expect(none.object["candle"] is NSNull && rows.isEmpty)
      }
    }

    @Test("Times go in and out as integers of a declared unit")
    func times() async throws {
      try await Served.run { served in
        try await served.sample()
        let reply = try await served.get(
          "/v1/tokens/ART/candles?interval=1d&time=ms&from=1733011200000&to=1733097600000")
        #expect(try Self.rows(reply, "candles").map { $0["bucket"] as? Int } == [1_733_011_200_000])
        #expect(reply.object["clock"] as? Int == 1_767_225_600_000)
        let micro = try await served.get(
          "/v1/tokens/ART/candles?interval=1d&from=1733011200000000&to=2024-12-02T00:00:00+00:00")
        #expect(try Self.rows(micro, "candles").count == 1)
      }
    }

    /// Rules 3.8, 11.3: undoing over HTTP, whole requests, and a sequence that grows.
    @Test("Rollback and retraction undo, say what was not there, and can be repeated")
    func undo() async throws {
      try await Served.run { served in
        try await served.sample()
        let first = try await served.post("/v1/chains/137/rollback", #"{"block":901}"#.utf8)
        #expect(first.object["undone"] as? Int == 3 && first.object["block"] as? Int == 901, "\(first.text)")
        let second = try await served.post("/v1/chains/137/rollback", #"{"block":901}"#.utf8)
        #expect(second.object["undone"] as? Int == 0)
        let retracted = try await served.post(
          "/v1/events/retract",
          #"{"events":[{"kind":"swap","chain":1,"block":110,"log_index":0},{"kind":"transfer","block":18446744073709551615}]}"#
            .utf8)
        #expect(retracted.object["undone"] as? Int == 1, "\(retracted.text)")
        #expect(
          retracted.text.contains(
            #""not_found":[{"kind":"transfer","chain":0,"block":18446744073709551615,"log_index":0}]"#))
        let numbers = [first, second, retracted].compactMap { $0.object["sequence"] as? Int }
        #expect(numbers.count == 3 && numbers == numbers.sorted() && Set(numbers).count == 3)
        let trades = try await served.get("/v1/tokens/ART/trades?limit=1")
        #expect(try Self.rows(trades, "trades").first?["block"] as? Int == 102)
      }
    }

    @Test("A checkpoint, a backup that opens, and what is held")
    func operators() async throws {
      try await Served.run { served in
        try await served.sample()
        let checkpoint = try await served.post("/v1/admin/checkpoint", "".utf8)
        #expect(checkpoint.status == 200 && checkpoint.object["seconds"] is String, "\(checkpoint.text)")
        let backup = try await served.post("/v1/admin/backup", #"{"to":"one"}"#.utf8)
        #expect(backup.status == 200 && backup.object["sequence"] as? Int ?? 0 > 0, "\(backup.text)")
        let held = try await served.get("/v1/inspect?digest=true")
        let copy = served.directory.deletingLastPathComponent().appending(path: "backups/one").path
        let printed = try await Program.run(["inspect", "--data-dir", copy, "--digest", "--format", "json", "--quiet"])
        let digest = try #require(held.object["state_digest"] as? String)
        #expect(printed.contains(digest) && held.object["swaps"] as? Int == 12, "\(held.text)")
        #expect(held.object["unkept_frames"] as? Int == 0 && held.object["raw_bytes"] as? Int ?? 0 > 0)
        let again = try await served.post("/v1/admin/backup", #"{"to":"one"}"#.utf8)
        #expect(again.status == 400 && again.code == "bad_parameter", "\(again.text)")
      }
    }

    /// Rule 13.1: the text format, by its grammar; no name of a token or wallet in it.
    @Test("Health, readiness and metrics")
    func health() async throws {
      try await Served.run { served in
        try await served.sample()
        #expect(try await served.get("/healthz").status == 200)
        #expect(try await served.get("/readyz").text == "{\"ready\":true,\"reasons\":[]}\n")
        _ = try await served.get("/v1/tokens/nobody")
        let reply = try await served.get("/metrics")
        #expect(reply.headers[.contentType] == "text/plain; version=0.0.4; charset=utf-8")
        var described: Set<Substring> = []
        for line in reply.text.split(separator: "\n") {
          if line.hasPrefix("# HELP ") || line.hasPrefix("# TYPE ") {
            described.insert(line.dropFirst(7).prefix { $0 != " " })
            continue
          }
          let name = line.prefix { $0 != " " && $0 != "{" }
          let family = ["_bucket", "_sum", "_count"].reduce(name) { $0.hasSuffix($1) ? $0.dropLast($1.count) : $0 }
          #expect(described.contains(name) || described.contains(family), "\(line)")
          #expect(line.split(separator: " ").last.flatMap { Double($0) } != nil, "\(line)")
        }
        #expect(reply.text.contains("\ncontinuo_events_accepted_total 22\n"))
        #expect(reply.text.contains("\ncontinuo_events_rejected_total{reason=\"overflow\"} 2\n"))
        #expect(reply.text.contains("\ncontinuo_problems_total{code=\"unknown_token\"} 1\n"))
        #expect(!reply.text.contains("ART") && !reply.text.contains("0xaa01"))
      }
    }
  }
#endif
