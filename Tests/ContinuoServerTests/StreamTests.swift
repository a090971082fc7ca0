// The stream of candles on the wire: what a browser is sent, told to go on from, and how a stream ends.
// Invariant: what is waited for is waited for, whatever the machine does meanwhile.
// Not here: which updates there are (FollowingProperties of the engine's tests).

#if Server
  import Continuo
  import ContinuoServer
  import Foundation
  import Testing

  @Suite("The stream of candles")
  struct StreamTests {
    private static let first =
      #"{"block":1,"timestamp":"2026-01-01T00:00:00Z","token":"ART","side":"buy","amount_usd":"2","token_amount":"1"}"#

    private static func trade(_ block: Int, _ time: String, _ price: String, token: String = "ART") -> String {
      #"{"block":\#(block),"timestamp":"\#(time)","token":"\#(token)","side":"buy","amount_usd":"\#(price)","token_amount":"1"}"#
    }

    /// Rules 12.1: the newest candle at once, a trade, a late one, a rollback, a candle that ends.
    @Test("A stream tells of trades, late ones, rollbacks and ends of candles")
    func events() async throws {
      try await Served.run { served in
        _ = try await served.events(Self.first)
        let stream = try await EventStream.open(served.port, "/v1/stream?token=ART&token=NEW&interval=1m&interval=1h")
        #expect(stream.head.hasPrefix("HTTP/1.1 200"))
        #expect(stream.head.lowercased().contains("content-type: text/event-stream"))
        #expect(stream.head.lowercased().contains("x-accel-buffering: no"))
        let newest = try await stream.next(2)
        #expect(
          newest.map(\.interval) == ["1m", "1h"] && newest.allSatisfy { $0.close == "2" && $0.event == "candle" })
        let begun = try #require(newest.last?.id)
        #expect(newest[0].id == nil)
        _ = try await served.events(Self.trade(2, "2026-01-01T00:00:10Z", "3"))
        let traded = try await stream.next(2)
        #expect(traded.allSatisfy { $0.close == "3" && !$0.isClosed }, "\(traded)")
        #expect(try #require(traded.last?.id) > begun && traded[0].id == nil, "\(traded)")
        // A token that had never traded.
        _ = try await served.events(Self.trade(3, "2026-01-01T00:00:20Z", "9", token: "NEW"))
        let fresh = try await stream.next(2)
        #expect(fresh.allSatisfy { $0.token == "NEW" && $0.close == "9" }, "\(fresh)")
        // Late: of the minute another one, of the hour the one before.
        _ = try await served.events(Self.trade(4, "2025-12-31T23:59:00Z", "1"))
        let late = try await stream.next(4)
        #expect(
          Set(late.filter { $0.event == "reset" }.compactMap(\.from)) == [
            "2025-12-31T23:59:00Z", "2025-12-31T23:00:00Z",
          ],
          "\(late)")
        // The clock alone ends a minute, of both tokens.
        served.clock.set(try #require(Timestamp("2026-01-01T00:01:00Z")))
        _ = try await served.events(Self.trade(5, "2026-01-01T00:00:59Z", "5"))
        let ended = try await stream.until { $0.token == "NEW" && $0.interval == "1m" && $0.isClosed }
        #expect(ended.allSatisfy { $0.interval == "1h" || $0.isClosed }, "\(ended)")
        // Everything but the first trade and the late one goes.
        _ = try await served.post("/v1/chains/0/rollback", #"{"block":2}"#.utf8)
        let gone = try await stream.until { $0.token == "NEW" && $0.isDeleted && $0.interval == "1h" }
        #expect(gone.contains { $0.token == "NEW" && $0.isDeleted && $0.bucket == "2026-01-01T00:00:00Z" }, "\(gone)")
        stream.close()
      }
    }

    /// Rules 12.1: who was told an id gets what came since, and a reset where that is not known.
    @Test("Who comes back goes on from its last id")
    func comingBack() async throws {
      try await Served.run { served in
        _ = try await served.events(Self.first)
        let stream = try await EventStream.open(served.port, "/v1/stream?token=ART&interval=1m")
        let id = try #require(try await stream.next(1).last?.id)
        stream.close()
        _ = try await served.events(Self.trade(2, "2026-01-01T00:02:00Z", "3"))
        _ = try await served.events(Self.trade(3, "2026-01-01T00:03:00Z", "4"))
        let again = try await EventStream.open(
          served.port, "/v1/stream?token=ART&interval=1m", "Last-Event-ID: \(id)\r\n")
        let missed = try await again.next(3)
        #expect(missed.map(\.close) == ["2", "3", "4"] && missed.map(\.isClosed) == [true, true, false], "\(missed)")
        again.close()
        for unknown in ["99999", "x", "-1"] {
          let anew = try await EventStream.open(
            served.port, "/v1/stream?token=ART&interval=1m", "Last-Event-ID: \(unknown)\r\n")
          let begun = try await anew.next(2)
          #expect(
            begun.map(\.event) == ["reset", "candle"] && begun[0].from == nil && begun[1].close == "4", "\(begun)")
          anew.close()
        }
      }
    }

    /// Rules 11.1, 12.1: what is asked wrongly is told so, and 100 tokens are followed.
    @Test("A stream has its bounds")
    func bounds() async throws {
      try await Served.run { served in
        let many = (0..<101).map { "token=T\($0)" }.joined(separator: "&")
        for target in [
          "/v1/stream", "/v1/stream?token=ART&interval=2h", "/v1/stream?" + many, "/v1/stream?token=ART&from=1",
        ] {
          let reply = try await served.get(target)
          #expect(reply.status == 400 && reply.code == "bad_parameter", "\(target): \(reply.text)")
        }
        #expect(try await served.head("/v1/stream?token=ART").status == 200)
      }
    }

    /// Rules 12.1, 14.1: the token may stand in the query, and a stream that says nothing says that it is there.
    @Test("A browser may read with its token in the query; a quiet stream gives a sign")
    func access() async throws {
      try await Served.run { options in
        options.access.read = Secret(Array("a-token-for-readers".utf8))
        options.limits.streamQuietSeconds = 1
      } _: { served in
        let refused = try await served.get("/v1/stream?token=ART")
        #expect(refused.status == 401)
        let stream = try await EventStream.open(served.port, "/v1/stream?token=ART&access_token=a-token-for-readers")
        try await stream.untilPulse()
        stream.close()
      }
    }

    /// Rules 12.1: SIGTERM with many streams says so to each, and the process ends at once.
    @Test("A server with 1,000 streams ends within moments, and says so")
    func end() async throws {
      let scratch = FileManager.default.temporaryDirectory.appending(path: "continuo-\(UUID().uuidString)")
      defer { try? FileManager.default.removeItem(at: scratch) }
      let server = try await ServedProcess(scratch.path)
      var streams: [EventStream] = []
      for index in 0..<1000 {
        streams.append(try await EventStream.open(server.port, "/v1/stream?token=T\(index % 50)"))
      }
      let start = ContinuousClock.now
      await server.endWell()
      let took = ContinuousClock.now - start
      print("1,000 streams ended in \(took)")
      for stream in streams {
        let said = try await stream.rest()
        #expect(said.hasSuffix("event: bye\ndata: {}\n\n"), "\(said.suffix(80))")
      }
    }

    /// Who follows much and reads nothing, while it changes; `posted` is there once more waits than any buffer holds.
    private static let stuck = """
      import json, socket, sys, time, urllib.request
      port, tokens = int(sys.argv[1]), ["T%d" % number for number in range(100)]
      reader = socket.socket()
      reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
      reader.connect(("127.0.0.1", port))
      wanted = "&".join("token=" + token for token in tokens) + "".join("&interval=" + i for i in "1m 5m 15m 1h 4h 1d 1w".split())
      reader.sendall(("GET /v1/stream?" + wanted + " HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n").encode())
      reader.recv(16)
      for step in range(150):
          rows = [json.dumps({"block": step * 100 + place + 1, "timestamp": "2024-12-01T10:00:00Z", "token": token,
                              "amount_usd": "1", "token_amount": "1"}) for place, token in enumerate(tokens)]
          urllib.request.urlopen(urllib.request.Request("http://127.0.0.1:%d/v1/events" % port, "\\n".join(rows).encode(),
                                                        {"Content-Type": "application/x-ndjson"})).read()
      open("posted", "w").close()
      time.sleep(4)
      text = b""
      try:
          while piece := reader.recv(1 << 16):
              text += piece
      except OSError:
          pass
      print("bye" if b"event: bye" in text else "cut off behind", len(text))
      """

    /// Rule 12.1: one who does not read keeps no server from its end.
    @Test("A reader that is stuck does not hold the end up")
    func stuckReader() async throws {
      let shell = try Shell()
      let server = try await ServedProcess(shell.path("market"), ["--stream-window", "0"])
      try Data(Self.stuck.utf8).write(to: shell.folder.appending(path: "stuck.py"))
      let port = server.port
      async let reading = shell.run("python3 stuck.py \(port)")
      try await shell.wait("it has much to read") {
        FileManager.default.fileExists(atPath: shell.path("posted"))
      }
      let start = ContinuousClock.now
      await server.endWell()
      let took = ContinuousClock.now - start
      let read = try await reading
      #expect(read.text.hasPrefix("cut off behind"), "it read to the end, so it was not stuck: \(read)")
      #expect(took < .seconds(3), "\(took)")
    }
  }
#endif
