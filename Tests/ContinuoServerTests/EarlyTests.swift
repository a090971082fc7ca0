// What a server answers before all of its directory is read.
// Invariant: an early answer is the one that is given afterwards; what cannot be answered early is answered then, and nothing is
// refused for having come too soon.
// Not here: parts of a directory (ContinuoStorageTests), how soon that is (tools/bench).

#if Server
  import Continuo
  import ContinuoBytes
  import ContinuoServer
  import ContinuoStorage
  import ContinuoTestSupport
  import Foundation
  import HTTPTypes
  import Logging
  import Synchronization
  import Testing

  @Suite("Answers before the directory is read")
  struct EarlyTests {
    private static func candles(_ token: String, _ query: String) -> String { "/v1/tokens/\(token)/candles?\(query)" }

    /// What a part of the directory is enough for.
    private static let early: [String] = {
      let day = EarlyMarket.start + 20 * 86_400_000_000
      let (old, later) = (EarlyMarket.start + 5 * 86_400_000_000, EarlyMarket.start + 6 * 86_400_000_000)
      let udf = "/udf/history?resolution=60&symbol=ART"
      return [
        candles("ART", "interval=1h&limit=24"), candles("BEE", "interval=1m&limit=5&order=desc"),
        candles("ART", "interval=1d"), candles("ART", "interval=15m&limit=7&fill=previous&time=ms"),
        candles("BEE", "interval=4h&from=\(old.microseconds)&to=\(later.microseconds)"),
        "/v1/tokens/ART/explain?interval=1d&bucket=\(day.microseconds)",
        udf + "&to=\(day.microseconds / 1_000_000)&countback=20",
        udf + "&from=\(old.microseconds / 1_000_000)&to=\(later.microseconds / 1_000_000)",
      ]
    }()

    /// What is not: it waits.
    private static let late = [
      "/v1/top", "/v1/tokens/ART", "/v1/tokens?q=A", "/v1/tokens/ART/trades?limit=3", "/v1/tokens/ART/holders",
      "/v1/inspect", "/udf/symbols?symbol=ART", candles("nobody", "interval=1h"),
      "/udf/history?resolution=1&symbol=ART&from=1000000000&to=1000000060",
      "/udf/history?resolution=60&symbol=Continuo:ART&to=1732233600&countback=3",
    ]

    /// Rules 7.5, 11.2: it is ready, early answers are those of afterwards, and what comes too soon is answered when it can be.
    @Test("Candles at once, all else in its time")
    func answers() async throws {
      try await EarlyMarket.market { path in
        try await EarlyMarket.held(path) { served, held in
          let ready = try await served.get("/readyz")
          #expect(ready.status == 200 && ready.text.contains("restoring: "), "\(ready.text)")
          #expect(try await served.get("/healthz").status == 200)
          let page = try await served.get("/metrics").text
          #expect(page.contains("continuo_ready 1\n") && !page.contains("continuo_tokens"), "\(page)")
          // Who is refused need not wait.
          #expect(try await served.get(Self.candles("ART", "interval=2h")).code == "bad_parameter")
          #expect(try await served.get("/v1/nothing").code == "not_found")
          var first: [(json: Reply, csv: Reply)] = []
          for target in Self.early {
            let pair = (json: try await served.get(target), csv: try await served.csv(target))
            #expect(pair.json.status == 200 && pair.csv.status == 200, "\(target) \(pair.json.text)")
            first.append(pair)
          }
          #expect(first[0].json.text.contains(#""close""#))
          // One after the other, none forgotten.
          let many = (0..<12).map { index in
            (index, EarlyMarket.answer(served) { try await $0.get(Self.early[index % Self.early.count]) })
          }
          for (index, task) in many {
            let reply = try await task.value
            #expect(reply.bytes == first[index % Self.early.count].json.bytes)
          }
          #expect(
            Set(first.compactMap { $0.json.headers[.eTag] }).count == first.count { $0.json.headers[.eTag] != nil })
          #expect(try await served.head(Self.early[0]).status == 200)
          let waiting = Self.late.map { target in EarlyMarket.answer(served) { try await $0.get(target) } }
          let event =
            #"{"block":9999,"timestamp":"2024-11-22T00:00:00Z","token":"ART","price_usd":"1","amount_usd":"2"}"#
          let posted = EarlyMarket.answer(served) { try await $0.events(event) }
          let answered = MonitorHandle(0)
          for task in waiting + [posted] {
            Task {
              _ = await task.result
              answered.locked { $0 += 1 }
            }
          }
          try await EarlyMarket.wait(served, for: waiting.count + 1)
          // Others are answered past those who wait.
          #expect(try await served.get(Self.early[0]).bytes == first[0].json.bytes)
          #expect(answered.locked { $0 } == 0)
          held.goOn()
          let receipt = try await posted.value
          #expect(receipt.status == 200 && receipt.text.hasPrefix(#"{"accepted":1,"#), "\(receipt.text)")
          for (target, task) in zip(Self.late, waiting) {
            let reply = try await task.value
            if target.contains("nobody") {
              #expect(reply.code == "unknown_token", "\(reply.text)")
            } else {
              #expect(reply.status == 200, "\(target) \(reply.text)")
            }
          }
          // The event is taken back, and all is as it was: but a tag of before says nothing any more.
          let back = #"{"events":[{"kind":"swap","block":9999}]}"#
          #expect(try await served.post("/v1/events/retract", back.utf8).object["undone"] as? Int == 1)
          for (target, early) in zip(Self.early, first) {
            let tag = early.json.headers[.eTag]
            let now = try await served.get(target, tag.map { [.ifNoneMatch: $0] } ?? [:])
            #expect(now.status == 200 && now.bytes == early.json.bytes, "\(target)\n\(early.json.text)\n\(now.text)")
            #expect(try await served.csv(target).bytes == early.csv.bytes, "\(target)")
          }
          let warm = try await served.get("/readyz")
          #expect(warm.text == "{\"ready\":true,\"reasons\":[]}\n", "\(warm.text)")
        }
      }
    }

    /// Nobody waits for ever, and a directory that takes long to read is not ready when only candles are answered.
    @Test("A directory that takes long")
    func long() async throws {
      try await EarlyMarket.market { path in
        try await EarlyMarket.held(path) { options in
          options.limits.restoringSeconds = 2
          options.limits.earlyBytesMax = 100
        } _: { served, _ in
          let ready = try await served.get("/readyz")
          #expect(ready.status == 503 && ready.text.contains(#"["restoring"]"#), "\(ready.text)")
          #expect(try await served.get(Self.early[0]).status == 200)
          // Once, though the second one waits for its turn and for the whole.
          for target in ["/v1/top", Self.candles("nobody", "interval=1h")] {
            let start = ContinuousClock.now
            let refused = try await served.get(target)
            #expect(refused.status == 503 && refused.code == "restoring", "\(refused.text)")
            #expect(refused.headers[.retryAfter] == "1")
            let waited = start.duration(to: .now)
            #expect(waited >= .milliseconds(1900) && waited < .milliseconds(3700), "\(waited)")
          }
          #expect(try await served.get(Self.early[1]).status == 200)
        }
      }
    }

    /// Rule 7.5: damage in a block fails the reads that touch it, stops ingestion, turns readiness red; other candles are right.
    @Test("A damaged block is found behind the first answers")
    func damage() async throws {
      try await EarlyMarket.market { path in
        let right = Mutex<[UInt8]>([])
        try await EarlyMarket.held(path) { served, _ in
          let reply = try await served.get(Self.early[0])
          right.withLock { $0 = reply.bytes }
        }
        let segments = try FileManager.default.contentsOfDirectory(atPath: path.path + "/kept")
          .filter { $0.hasSuffix(".segment") }.sorted()
        let spoiled = path.appending(path: "kept/" + segments[0])
        try Self.flip(spoiled, 100)
        let told = Mutex<[StorageFailure]>([])
        let log = TestLog()
        await #expect(throws: StorageFailure.self) {
          try await EarlyMarket.held(
            path, { $0.logger = log.logger(.json, .notice) },
            told: { if case .damaged(let failure) = $0 { told.withLock { $0.append(failure) } } }
          ) { served, held in
            held.goOn()
            var ready = try await served.get("/readyz")
            for _ in 0..<10_000 where ready.status == 200 {
              try await Task.sleep(for: .milliseconds(1))
              ready = try await served.get("/readyz")
            }
            let reasons = ready.object["reasons"] as? [String] ?? []
            #expect(ready.status == 503 && reasons.count == 1 && reasons[0].contains(segments[0]), "\(ready.text)")
            #expect(try await served.get("/metrics").text.contains("continuo_ready 0\n"))
            let many = (0..<8).map { _ in EarlyMarket.answer(served) { try await $0.get(Self.early[0]) } }
            for task in many {
              let reply = try await task.value
              #expect(reply.bytes == right.withLock { $0 })
            }
            #expect(try await served.get(Self.early[0]).bytes == right.withLock { $0 })
            let oldest = EarlyMarket.start + 86_400_000_000
            let touched = try await served.get(Self.candles("ART", "interval=1d&to=\(oldest.microseconds)"))
            #expect(touched.status == 500 && touched.code == "damaged" && touched.text.contains(segments[0]))
            for target in Self.late {
              let refused = try await served.get(target)
              #expect(refused.text.contains("damaged"), "\(target) \(refused.text)")
            }
            #expect(try await served.events("{}").code == "damaged")
            let failure = #expect(throws: StorageFailure.self) { try Ledger(path: path.path, EarlyMarket.options) }
            if case .locked = failure {} else { Issue.record("\(String(describing: failure))") }
          }
        }
        #expect(told.withLock { $0.count } == 1)
        #expect(log.objects.filter { $0["message"] as? String == "the directory is damaged" }.count == 1)
        // One that was not ready ends, as a start that is refused.
        await #expect(throws: StorageFailure.self) {
          try await EarlyMarket.held(
            path, { $0.limits.earlyBytesMax = 100 },
            told: { if case .damaged = $0 { told.withLock { $0 = [] } } }
          ) { _, held in held.goOn() }
        }
        #expect(told.withLock { $0.count } == 1)
        // What tells of the blocks is looked at first.
        try Self.flip(spoiled, 100)
        try Self.flip(spoiled, Int(try FileHandle(forReadingFrom: spoiled).seekToEnd()) - 20)
        await #expect(throws: StorageFailure.self) {
          try await EarlyMarket.held(path) { _, _ in Issue.record("it answers") }
        }
      }
    }

    /// Rule 7.1: who waits when the server is asked to end is answered, and what was answered is there.
    @Test("The end comes while some wait")
    func ending() async throws {
      try await EarlyMarket.market { path in
        try await EarlyMarket.held(path) { served, held in
          let read = EarlyMarket.answer(served) { try await $0.get("/v1/top") }
          let event =
            #"{"block":9999,"timestamp":"2024-11-22T00:00:00Z","token":"ART","price_usd":"1","amount_usd":"2"}"#
          let posted = EarlyMarket.answer(served) { try await $0.events(event) }
          try await EarlyMarket.wait(served, for: 2)
          await served.end()
          try await Task.sleep(for: .milliseconds(50))
          held.goOn()
          #expect(try await read.value.status == 200)
          #expect(try await posted.value.object["accepted"] as? Int == 1)
        }
        let kept = try ReadDirectory(path: path.path)
        let swaps = kept.engine.inspection().swaps
        #expect(swaps == 21 * 96 + 1)
      }
    }

    private struct Refused: Error {}

    /// Nobody waits for a directory that is not going to be served.
    @Test("A directory that is not accepted")
    func refused() async throws {
      try await EarlyMarket.market { path in
        let start = ContinuousClock.now
        await #expect(throws: Refused.self) {
          try await EarlyMarket.held(path) { options in
            options.feed = ServerFeed(accept: { _ in throw Refused() }, run: { _ in })
          } _: { served, held in
            let read = EarlyMarket.answer(served) { try await $0.get("/v1/top") }
            try await EarlyMarket.wait(served, for: 1)
            held.goOn()
            let reply = try? await read.value
            #expect(reply?.status ?? 503 == 503, "\(reply?.text ?? "")")
          }
        }
        #expect(start.duration(to: .now) < .seconds(50))
        // One that is to be accepted first is answered from behind that alone.
        let told = Mutex(0)
        await #expect(throws: (any Error).self) {
          try await Served.run(
            { options in
              (options.dataDirectory, options.ledger) = (path.path, EarlyMarket.options)
              options.feed = ServerFeed(answersEarly: false, accept: { _ in throw Refused() }, run: { _ in })
            }, told: { if case .answering = $0 { told.withLock { $0 += 1 } } }
          ) { _ in Issue.record("it answers") }
        }
        #expect(told.withLock { $0 } == 0)
      }
    }

    private static func flip(_ file: URL, _ place: Int) throws {
      var bytes = try Data(contentsOf: file)
      bytes[place] ^= 1
      try bytes.write(to: file)
    }
  }
#endif
