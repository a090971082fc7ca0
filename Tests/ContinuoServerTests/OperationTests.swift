// What who runs a server asks it, and is told: health, metrics, checkpoints that fail, verification, memory.
// Invariant: what is wrong in one place stops nothing in another.
// Not here: what the log looks like (LogTests), who took something back (AuditTests).

#if Server
  import Continuo
  import ContinuoServer
  import ContinuoStorage
  import Foundation
  import HTTPTypes
  import HummingbirdTesting
  import Logging
  import NIOCore
  import Testing

  @Suite("Operations")
  struct OperationTests {
    private static func value(_ name: String, _ page: String) -> Double? {
      page.split(separator: "\n").first { $0.hasPrefix(name + " ") }.flatMap { Double($0.dropFirst(name.count + 1)) }
    }

    private static func event(_ block: Int) -> String {
      #"{"block":\#(block),"timestamp":"2024-12-01T13:00:00Z","token":"ART","amount_usd":"1","price_usd":"1"}"#
    }

    /// Rule 13.1: a checkpoint that fails is told in every place, and that they work again too; events are taken meanwhile.
    @Test("A checkpoint that fails, and one that works again")
    func checkpoint() async throws {
      let log = TestLog()
      try await Served.run { options in
        options.logger = log.logger()
      } _: { served in
        try await served.sample()
        let (kept, away) = (served.directory.appending(path: "kept"), served.directory.appending(path: "away"))
        try FileManager.default.moveItem(at: kept, to: away)
        try Data("in the way".utf8).write(to: kept)
        let failed = try await served.post("/v1/admin/checkpoint", "".utf8)
        #expect(failed.status == 503 && failed.code == "storage_failed", "\(failed.text)")
        let taken = try await served.events(Self.event(9001))
        #expect(taken.object["accepted"] as? Int == 1)
        let ready = try await served.get("/readyz")
        #expect(ready.status == 200 && ready.object["ready"] as? Bool == true)
        let reasons = try #require(ready.object["reasons"] as? [String])
        #expect(reasons.count == 1 && reasons[0].hasPrefix("checkpoint_failed: "), "\(reasons)")
        let told = try await Program.outcome(["health", "--ready", "--url", "http://127.0.0.1:\(served.port)/"])
        #expect(told.status == 0 && told.out.hasPrefix("ready: checkpoint_failed: "), "\(told)")
        var page = try await served.get("/metrics").text
        #expect(Self.value("continuo_checkpoint_failed", page) == 1)
        let age = try #require(Self.value("continuo_checkpoint_age_seconds", page))

        try FileManager.default.removeItem(at: kept)
        try FileManager.default.moveItem(at: away, to: kept)
        let before = ContinuousClock.now
        #expect(try await served.post("/v1/admin/checkpoint", "".utf8).status == 200)
        page = try await served.get("/metrics").text
        let passed = (ContinuousClock.now - before) / .seconds(1)
        let since = try #require(Self.value("continuo_checkpoint_age_seconds", page))
        #expect(Self.value("continuo_checkpoint_failed", page) == 0 && age > 0 && since <= passed + 0.001)
        let well = try await served.get("/readyz")
        #expect(well.object["reasons"] as? [String] == [])
      }
      let lines = log.objects.filter { ($0["message"] as? String)?.hasPrefix("checkpoint") == true }
      #expect(lines.compactMap { $0["message"] as? String } == ["checkpoint failed", "checkpoints work again"])
      #expect(lines[0]["level"] as? String == "error" && (lines[0]["remedy"] as? String)?.isEmpty == false)
    }

    /// Rules 7.5, 13.1: damage under an open directory ends ingestion: said once in the log, by readiness, and by `health`.
    @Test("Damage that is found while the server runs")
    func damage() async throws {
      let log = TestLog()
      try await Served.run { options in
        options.logger = log.logger(.json, .notice)
        options.ledger.scrubBytesPerSecond = 1 << 40
        options.ledger.scrubRestMicroseconds = 1000
      } _: { served in
        try await served.sample()
        #expect(try await served.post("/v1/admin/checkpoint", "".utf8).status == 200)
        let segment = try Self.spoil(served)
        var ready = try await served.get("/readyz")
        for _ in 0..<30_000 where ready.status == 200 {
          try await Task.sleep(for: .milliseconds(1))
          ready = try await served.get("/readyz")
        }
        #expect(ready.status == 503 && ready.text.contains(segment), "\(ready.text)")
        for block in 0..<3 {
          let refused = try await served.events(Self.event(block))
          #expect(refused.code == "damaged", "\(refused.text)")
        }
        #expect(try await served.get("/v1/top").status == 200)
        let told = try await Program.outcome(["health", "--ready", "--url", "http://127.0.0.1:\(served.port)"])
        #expect(told.status == 1 && told.error.hasPrefix("continuo: not_ready: "), "\(told.error)")
        #expect(told.error.contains(segment) && told.error.split(separator: "\n").count == 1, "\(told.error)")
        let alive = try await Program.outcome(["health", "--url", "http://127.0.0.1:\(served.port)"])
        #expect(alive.out == "ok\n")
      }
      let stopped = log.objects.filter { $0["message"] as? String == "ingestion has stopped" }
      #expect(stopped.count == 1 && stopped.first?["level"] as? String == "error", "\(log.texts)")
    }

    /// Changes a byte of a kept file under an open directory; the file's name.
    private static func spoil(_ served: Served) throws -> String {
      let kept = served.directory.appending(path: "kept")
      let files = try FileManager.default.contentsOfDirectory(atPath: kept.path)
      let segment = try #require(files.filter { $0.hasSuffix(".segment") }.min())
      let file = try FileHandle(forUpdating: kept.appending(path: segment))
      try file.seek(toOffset: 100)
      let byte = try #require(try file.read(upToCount: 1)?.first)
      try file.seek(toOffset: 100)
      try file.write(contentsOf: Data([byte ^ 1]))
      try file.close()
      return segment
    }

    /// Rules 7.6, 13.1: a sound directory has no differences while events come in; a byte that decays is named.
    @Test("POST /v1/admin/verify while events come in")
    func verify() async throws {
      try await Served.run { served in
        try await served.sample()
        #expect(try await served.post("/v1/admin/checkpoint", "".utf8).status == 200)
        try await served.again { other in
          async let sent: Void = {
            for block in 0..<200 { _ = try await served.events(Self.event(10_000 + block)) }
          }()
          for _ in 0..<10 {
            let found = try await other.post("/v1/admin/verify", "{}".utf8)
            #expect(found.object["differences"] as? [String] == [], "\(found.text)")
            #expect((found.object["seconds"] as? String).flatMap { Double($0) } ?? -1 >= 0)
          }
          try await sent
        }
        let segment = try Self.spoil(served)
        let found = try await served.post("/v1/admin/verify", "".utf8)
        let differences = try #require(found.object["differences"] as? [String])
        #expect(found.status == 200 && differences.contains { $0.contains(segment) }, "\(differences)")
        let still = try await served.events(Self.event(20_000))
        #expect(still.object["accepted"] as? Int == 1)
        #expect(try await served.post("/v1/admin/verify", #"{"x":1}"#.utf8).code == "bad_body")
      }
    }

    /// Rules 13.1, 14.3: Prometheus' own tool finds nothing to complain of; every limit is there.
    @Test("The metrics of a live server, by promtool")
    func metrics() async throws {
      try await Served.run { options in
        options.limits.memoryBytesMax = 1 << 40
      } _: { served in
        try await served.sample()
        _ = try await served.get("/v1/tokens/ART/candles")
        _ = try await served.get("/v1/tokens/NOBODY")
        #expect(try await served.post("/v1/admin/checkpoint", "".utf8).status == 200)
        let page = try await served.get("/metrics").text
        let shell = try Shell()
        try Data(page.utf8).write(to: shell.folder.appending(path: "page"))
        let said = try await shell.run("promtool check metrics < page 2>&1")
        #expect(said.status == 0 && said.text.isEmpty, "\(said)")
        let limits = ServerLimits()
        #expect(Self.value("continuo_limit{of=\"body_bytes\"}", page) == Double(limits.bodyBytesMax))
        #expect(Self.value("continuo_limit{of=\"idle_seconds\"}", page) == Double(limits.idleSeconds))
        #expect(Self.value("continuo_limit{of=\"memory_bytes\"}", page) == Double(1 << 40))
        #expect(Self.value("continuo_limit{of=\"line_bytes\"}", page) == Double(Limits.lineBytesMax))
        #expect(Self.value("continuo_limit{of=\"handshake_seconds\"}", page) == Double(limits.handshakeSeconds))
        #expect(Self.value("continuo_limit{of=\"stream_milliseconds\"}", page) == Double(limits.streamMilliseconds))
        #expect(Self.value("continuo_limit{of=\"stream_tokens\"}", page) == Double(limits.streamTokensMax))
        #expect(Self.value("continuo_limit{of=\"stream_behind_seconds\"}", page) == Double(limits.streamBehindSeconds))
        #expect(Self.value("continuo_memory_limit_reached", page) == 0)
        #expect(Self.value("continuo_problems_total{code=\"unknown_token\"}", page) == 1)
      }
    }

    /// Rule 11.1: at the limit events are refused, and told when to come again; all else goes on.
    @Test("A process with too little memory")
    func memory() async throws {
      let scratch = FileManager.default.temporaryDirectory.appending(path: "continuo-\(UUID().uuidString)")
      try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
      defer { try? FileManager.default.removeItem(at: scratch) }
      let directory = scratch.appending(path: "market").path
      func ask(_ server: ServedProcess, _ target: String, _ body: String? = nil, _ type: String = "application/json")
        async throws -> Reply
      {
        try await TestClient.withClient(host: "127.0.0.1", port: server.port) { client in
          let headers: HTTPFields = body == nil ? [:] : [.contentType: type]
          let response = try await client.execute(
            TestClient.Request(
              target, method: body == nil ? .get : .post, authority: "localhost", headers: headers,
              body: body.map { ByteBuffer(string: $0) }))
          return Reply(response.head, response.body)
        }
      }
      let lines = (1...3).map(Self.event).joined(separator: "\n")
      let wide = try await ServedProcess(directory, ["--memory-limit", "1000000"])
      let first = try await ask(wide, "/v1/events", lines, "application/x-ndjson")
      #expect(first.object["accepted"] as? Int == 3, "\(first.text)")
      await wide.endWell()

      let narrow = try await ServedProcess(directory, ["--memory-limit", "1"])
      let refused = try await ask(narrow, "/v1/events", Self.event(4), "application/x-ndjson")
      #expect(refused.status == 503 && refused.code == "memory_limit", "\(refused.text)")
      #expect(refused.headers[.retryAfter] == "1")
      let retracted = try await ask(narrow, "/v1/events/retract", #"{"events":[{"kind":"swap","block":3}]}"#)
      #expect(retracted.object["undone"] as? Int == 1, "\(retracted.text)")
      let rolled = try await ask(narrow, "/v1/chains/0/rollback", #"{"block":1}"#)
      #expect(rolled.object["undone"] as? Int == 1, "\(rolled.text)")
      let read = try await ask(narrow, "/v1/tokens/ART/trades")
      #expect((read.object["trades"] as? [Any])?.count == 1, "\(read.text)")
      let ready = try await ask(narrow, "/readyz")
      #expect(ready.status == 200 && ready.text.contains("memory_limit"), "\(ready.text)")
      let page = try await ask(narrow, "/metrics").text
      #expect(Self.value("continuo_memory_limit_reached", page) == 1)
      #expect(Self.value("continuo_limit{of=\"memory_bytes\"}", page) == Double(1 << 20))
      #expect(Self.value("continuo_memory_bytes", page) ?? 0 > Double(1 << 20))
      await narrow.endWell()
      let bad = try await Program.outcome(["serve", "--data-dir", directory, "--memory-limit", "0"])
      #expect(bad.status == 2 && bad.error.contains("'0' for --memory-limit"), "\(bad.error)")
    }

    /// Rule 13.1: who is not there is not healthy, and says so in one line.
    @Test("continuo health where nobody listens")
    func health() async throws {
      for arguments in [[], ["--ready"]] {
        let nobody = try await Program.outcome(["health", "--url", "http://127.0.0.1:1"] + arguments)
        #expect(nobody.status == 1 && nobody.error.hasPrefix("continuo: unreachable: http://127.0.0.1:1/"))
        #expect(nobody.error.split(separator: "\n").count == 1, "\(nobody.error)")
      }
      let bad = try await Program.outcome(["health", "--url", "localhost:8321"])
      #expect(bad.status == 2 && bad.error.contains("'localhost:8321' for --url"), "\(bad.error)")
    }
  }
#endif
