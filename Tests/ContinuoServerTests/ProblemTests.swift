// Everything that is refused, by its code: each says what was found, where, and what to do.
// Invariant: every code that a request can bring about is brought about here.
// Not here: limits (ClientLimitTests), access (AccessTests).

#if Server
  import Continuo
  import ContinuoServer
  import ContinuoStorage
  import Foundation
  import HTTPTypes
  import Testing

  @Suite("Problems")
  struct ProblemTests {
    private static func expect(
      _ reply: Reply, _ code: Problem.Code, _ word: String, _ place: SourceLocation = #_sourceLocation
    ) {
      #expect(reply.status == code.status && reply.code == code.rawValue, "\(reply.text)", sourceLocation: place)
      #expect(reply.headers[.contentType] == "application/problem+json", sourceLocation: place)
      #expect(Set(reply.object.keys) == ["type", "title", "status", "detail", "code", "remedy"], sourceLocation: place)
      #expect(reply.object["status"] as? Int == code.status, sourceLocation: place)
      let detail = reply.object["detail"] as? String ?? ""
      #expect(!detail.isEmpty && (word.isEmpty || detail.contains(word)), "\(reply.text)", sourceLocation: place)
      #expect((reply.object["remedy"] as? String)?.isEmpty == false, sourceLocation: place)
    }

    /// Rule 11.1: the value, the place and the remedy.
    @Test(
      "A parameter that cannot be read",
      arguments: [
        ("/v1/tokens?colour=red", "colour"), ("/v1/tokens/ART/candles?interval=2h", "2h"),
        ("/v1/tokens/ART/candles?limit=0", "'0' for limit"), ("/v1/tokens/ART/candles?limit=5001", "5001"),
        ("/v1/tokens/ART/candles?limit=99999999999999999999", "limit"), ("/v1/tokens/ART/candles?limit=-1", "limit"),
        ("/v1/tokens/ART/candles?from=yesterday", "yesterday"), ("/v1/tokens/ART/candles?fill=some", "some"),
        ("/v1/tokens/ART/candles?order=up", "up"), ("/v1/tokens/ART/candles?cursor=x", "cursor"),
        ("/v1/tokens/ART/candles?time=us", "us"), ("/v1/tokens/ART/candles?from=1&from=2", "from"),
        ("/v1/tokens/ART/candles?from=%zz", "%zz"), ("/v1/tokens/ART/candles?from=%ff", "%ff"),
        ("/v1/tokens/%C3%28", "%C3%28"), ("/v1/tokens/ART?window=2d", "2d"),
        ("/v1/tokens/ART/trades?cursor=1.2.3", "1.2.3"), ("/v1/tokens/ART/holders?cursor=-1", "-1"),
        ("/v1/tokens/ART/explain", "bucket"), ("/v1/tokens/ART/explain?bucket=2024-12-01T10:00:01Z", "10:00:01"),
        ("/v1/top?by=fame", "fame"), ("/v1/top?by=holders&as_of=2024-12-01T10:00:00Z", "holders"),
        ("/v1/inspect?digest=maybe", "maybe"), ("/healthz?x=1", "x"), ("/v1/tokens/ART/candles?=1", "''"),
      ])
    func parameters(_ target: String, _ word: String) async throws {
      try await Served.run { served in
        try await served.sample()
        Self.expect(try await served.get(target), .badParameter, word)
      }
    }

    @Test("A token that nobody knows, a path that leads nowhere, a method that is none")
    func unknown() async throws {
      try await Served.run { served in
        try await served.sample()
        Self.expect(try await served.get("/v1/tokens/art"), .unknownToken, "art")
        Self.expect(try await served.get("/v1/tokens/"), .unknownToken, "''")
        Self.expect(try await served.get("/v1/tokens?id=ART&id=NOPE"), .unknownToken, "NOPE")
        for path in [
          "/v1", "/v1/tokens/ART/", "/v1//tokens", "/v2/tokens", "/v1/tokens/ART/candles/1h", "/V1/tokens",
        ] {
          Self.expect(try await served.get(path), .notFound, path)
        }
        let method = try await served.post("/v1/tokens", "".utf8)
        Self.expect(method, .methodNotAllowed, "POST")
        #expect(method.headers[try #require(HTTPField.Name("Allow"))] == "GET, HEAD")
        Self.expect(try await served.get("/v1/events"), .methodNotAllowed, "GET")
      }
    }

    @Test(
      "A body that is not what the route takes",
      arguments: [
        ("/v1/chains/1/rollback", ""), ("/v1/chains/1/rollback", "{}"), ("/v1/chains/1/rollback", #"{"block":-1}"#),
        ("/v1/chains/1/rollback", #"{"block":1.5}"#), ("/v1/chains/1/rollback", #"{"block":18446744073709551616}"#),
        ("/v1/chains/1/rollback", #"{"block":1,"dry":true}"#), ("/v1/chains/1/rollback", "[1]"),
        ("/v1/chains/1/rollback", "{\"block\":\u{FFFD}"),
        ("/v1/events/retract", #"{"events":[{"kind":"swop","block":1}]}"#),
        ("/v1/events/retract", #"{"events":[{"kind":"swap","chain":4294967296,"block":1}]}"#),
        ("/v1/events/retract", #"{"events":[{"kind":"swap","block":1,"logIndex":2}]}"#),
        ("/v1/events/retract", #"{"events":[[[[[[[[[1]]]]]]]]]}"#), ("/v1/admin/backup", #"{"to":"../x"}"#),
        ("/v1/admin/backup", #"{"to":""}"#), ("/v1/admin/backup", #"{"to":".hidden"}"#),
        ("/v1/admin/backup", #"{"to":"a/b"}"#),
        ("/v1/admin/backup", #"{"to":"a\u0000b"}"#), ("/v1/admin/checkpoint", "now"),
      ])
    func bodies(_ target: String, _ body: String) async throws {
      try await Served.run { served in
        Self.expect(try await served.post(target, body.utf8), .badBody, "")
      }
    }

    @Test("Events that are no text, no gzip, or have no header; nothing of them is taken")
    func events() async throws {
      try await Served.run { served in
        let line =
          #"{"block":1,"timestamp":"2024-12-01T13:00:00Z","token":"ART","amount_usd":"1","price_usd":"1"}"# + "\n"
        let broken = Array(line.utf8) + [0x7B, 0xFF, 0xFE, 0x0A]
        Self.expect(try await served.post("/v1/events", broken, type: "application/x-ndjson"), .badBody, "UTF-8")
        let cut = Array(line.utf8) + Array("\"é".utf8).dropLast()
        Self.expect(try await served.post("/v1/events", cut, type: "application/x-ndjson"), .badBody, "UTF-8")
        Self.expect(
          try await served.post("/v1/events", line.utf8, type: "application/x-ndjson", [.contentEncoding: "gzip"]),
          .badBody,
          "gzip")
        Self.expect(
          try await served.post("/v1/events", [0x1F, 0x8B], type: "application/x-ndjson", [.contentEncoding: "gzip"]),
          .badBody, "gzip")
        Self.expect(
          try await served.post("/v1/events", "time,price\n1,2\n".utf8, type: "text/csv"), .badBody,
          "request body, line 1")
        Self.expect(try await served.post("/v1/events", line.utf8, type: nil), .unsupportedMediaType, "''")
        Self.expect(
          try await served.post("/v1/events", line.utf8, type: "text/plain"), .unsupportedMediaType, "text/plain")
        Self.expect(
          try await served.post("/v1/events", line.utf8, type: "text/csv", [.contentEncoding: "br"]),
          .unsupportedMediaType,
          "br")
        Self.expect(
          try await served.post("/v1/chains/1/rollback", "{}".utf8, type: "text/plain"), .unsupportedMediaType,
          "text/plain")
        Self.expect(
          try await served.post("/v1/chains/x/rollback", #"{"block":1}"#.utf8), .badParameter, "'x' for the chain")
        #expect(try await served.get("/v1/inspect").object["events"] as? Int == 0)
        // A line that is no object is a row that is rejected, and the rest is taken.
        let mixed = try await served.events("no object\n" + line)
        #expect(mixed.object["accepted"] as? Int == 1 && mixed.object["rejected"] as? Int == 1, "\(mixed.text)")
        #expect(
          mixed.text.contains(#""rejections":[{"line":1,"field":null,"value":"no object","reason":"malformed"}]"#))
      }
    }

    /// Rules 6.3, 6.4: below the horizon; and null where only a window of several needs it.
    @Test("What needs events that were dropped")
    func retention() async throws {
      try await Served.run { options in
        options.ledger.engine = Engine.Settings(retention: try? RetentionPolicy("raw=7d"))
      } _: { served in
        func swap(_ block: Int, _ time: String) -> String {
          #"{"block":\#(block),"timestamp":"\#(time)","token":"ART","amount_usd":"1","price_usd":"1"}"# + "\n"
        }
        _ = try await served.events(swap(1, "2024-12-01T13:00:00Z"))
        // The horizon moves behind the batch that makes it due.
        let second = try await served.events(swap(2, "2024-12-20T13:00:00Z"))
        #expect(second.status == 200)
        #expect(try await served.get("/v1/inspect").object["horizon"] as? String == "2024-12-13T00:00:00Z")
        Self.expect(try await served.post("/v1/chains/0/rollback", #"{"block":0}"#.utf8), .beyondRetention, "block 1")
        Self.expect(try await served.get("/v1/tokens/ART?as_of=2024-12-02T00:00:00Z"), .outsideRetention, "2024-12-13")
        Self.expect(
          try await served.get("/v1/tokens/ART/explain?bucket=2024-12-01T13:00:00Z"), .outsideRetention, "horizon")
        let windows = try await served.get("/v1/tokens/ART?as_of=2024-12-14T12:00:00Z&window=7d&window=1h")
        #expect(windows.status == 200)
        let answered = try #require(windows.object["windows"] as? [String: Any])
        #expect(
          answered["7d"] is NSNull && (answered["1h"] as? [String: Any])?["trades"] as? Int == 0, "\(windows.text)")
        let late = try await served.events(swap(3, "2024-12-01T13:00:00Z"))
        #expect(late.text.contains(#""rejected_by_reason":{"too_late":1}"#))
      }
    }

    /// Rule 7.2: what the disk refuses is no answer of success.
    @Test("Failures of the storage have their codes")
    func storage() {
      let damage = Problem(StorageFailure.damageFound(file: "a", byte: 7, found: "x", expected: "y"))
      #expect(damage.code == .damaged && damage.code.status == 500 && damage.detail.contains("byte 7"))
      let poisoned = Problem(StorageFailure.poisoned(by: "fsync"))
      #expect(poisoned.code == .storageFailed && poisoned.code.status == 503)
      #expect(Problem(StorageFailure.noRoom(path: "a", bytesLeft: 1, bytesNeeded: 2)).code == .storageFailed)
      #expect(Problem(Refusal.tooManyTokens).code == .tooLarge)
    }

    @Test("While the directory is read: healthy, not ready, and everything else told so")
    func restoring() throws {
      let server = Server(Server.Options(dataDirectory: "nowhere") { Timestamp(microseconds: 0) })
      func answer(_ target: String) -> Answer {
        var ask = Ask(method: "GET", target: target)
        ask.host = "localhost:1"
        return server.answer(ask)
      }
      #expect(answer("/healthz").status == 200 && answer("/metrics").status == 200)
      for target in ["/readyz", "/v1/tokens", "/v1/top", "/v1/tokens/ART/candles"] {
        let answer = answer(target)
        #expect(answer.status == 503, "\(target)")
        #expect(answer.headers.contains { $0.name == "Retry-After" && $0.value == "1" })
        #expect(String(decoding: answer.body, as: UTF8.self).contains("restoring"))
      }
      #expect(answer("/v1/nothing").status == 404)
    }
  }
#endif
