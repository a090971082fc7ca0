// What a client may not do: too much, too slowly, too deep; and the server goes on with others meanwhile.
// Invariant: nothing of a request that is refused is taken.
// Not here: what an engine may hold (ContinuoTests).

#if Server
  import Continuo
  import ContinuoServer
  import Foundation
  import HTTPTypes
  import NIOCore
  import Testing

  @Suite("Limits on clients")
  struct ClientLimitTests {
    private static let line =
      #"{"block":1,"timestamp":"2024-12-01T13:00:00Z","token":"ART","amount_usd":"1","price_usd":"1"}"# + "\n"

    private static func lines(_ count: Int) -> String {
      (1...count).map { line.replacing("\"block\":1", with: "\"block\":\($0)") }.joined()
    }

    /// Rules 3.10, 14.3: longer, inflated longer, growing too much, of too many rows: 413, and nothing taken.
    @Test("Bodies that are too large")
    func bodies() async throws {
      try await Served.run { options in
        options.limits.bodyBytesMax = 200_000
        options.limits.inflatedBytesMax = 3 << 20
        options.limits.smallBodyBytesMax = 1000
      } _: { served in
        func post(_ body: [UInt8], _ headers: HTTPFields = [:]) async throws -> Reply {
          try await served.post("/v1/events", body, type: "application/x-ndjson", headers)
        }
        let long = try await post(Array(Self.lines(3000).utf8))
        #expect(long.status == 413 && long.code == "too_large" && long.headers[.connection] == "close", "\(long.text)")
        // The connection has ended: what comes now comes on others.
        try await served.again { served in
          let bomb = try await gzipped([UInt8](repeating: UInt8(ascii: " "), count: 8 << 20))
          let grown = try await served.post(
            "/v1/events", bomb, type: "application/x-ndjson", [.contentEncoding: "gzip"])
          #expect(grown.status == 413 && grown.text.contains("grows by more than 100"), "\(grown.text)")
        }
        try await served.again { served in
          let inflated = try await gzipped(Array(Self.lines(40_000).utf8))
          try #require(inflated.count < 200_000, "\(inflated.count)")
          let reply = try await served.post(
            "/v1/events", inflated, type: "application/x-ndjson", [.contentEncoding: "gzip"])
          #expect(reply.status == 413 && reply.text.contains("3 MiB inflated"), "\(reply.text)")
        }
        try await served.again { served in
          let small = try await served.post("/v1/events/retract", Array(repeating: UInt8(ascii: " "), count: 1001))
          #expect(small.status == 413, "\(small.text)")
        }
        try await served.again { served in
          #expect(try await served.get("/v1/inspect").object["events"] as? Int == 0)
          let two = try await gzipped(Array(Self.lines(7).utf8)) + gzipped(Array(Self.lines(9).utf8))
          let taken = try await served.post(
            "/v1/events", two, type: "application/x-ndjson", [.contentEncoding: "gzip"])
          #expect(taken.object["accepted"] as? Int == 9 && taken.object["duplicates"] as? Int == 7, "\(taken.text)")
        }
      }
    }

    @Test("One row more than a batch may have")
    func rows() async throws {
      try await Served.run { served in
        let header = "block,timestamp,token,amount_usd,price_usd\n"
        let rows = String(repeating: "1,0,A,1,1\n", count: Limits.batchRowsMax)
        let full = try await served.events(header + rows, type: "text/csv")
        #expect(full.object["duplicates"] as? Int == Limits.batchRowsMax - 1, "\(full.text.prefix(300))")
        let over = try await served.events(header + rows + "2,0,A,1,1\n", type: "text/csv")
        #expect(over.status == 413 && over.code == "too_large", "\(over.text.prefix(300))")
      }
    }

    @Test("The bodies of all requests together have a bound, and it is free again behind them")
    func held() async throws {
      try await Served.run { options in
        options.limits.heldBytesMax = 1000
      } _: { served in
        let reply = try await served.events(Self.lines(30))
        #expect(reply.status == 503 && reply.code == "memory_limit")
        #expect(reply.headers[try #require(HTTPField.Name("Retry-After"))] == "1")
        try await served.again { served in
          let metrics = try await served.get("/metrics").text
          #expect(metrics.contains("\ncontinuo_held_body_bytes 0\n"))
          let taken = try await served.events(Self.lines(3))
          #expect(taken.object["accepted"] as? Int == 3)
          // Other bodies count as well.
          let other = try await served.post("/v1/events/retract", Array(repeating: UInt8(ascii: " "), count: 1001))
          #expect(other.status == 503 && other.code == "memory_limit", "\(other.text)")
        }
      }
    }

    /// Rule 14.3.
    @Test("Headers that are too long, and what is no HTTP at all")
    func headers() async throws {
      try await Served.run { options in
        options.limits.headerBytesMax = 4096
        options.limits.headersMax = 20
      } _: { served in
        let port = served.port
        let start = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
        let end = "Connection: close\r\n\r\n"
        #expect(try await RawConnection.exchange(port, [start + end]).hasPrefix("HTTP/1.1 200"))
        let long = start + "X-Long: " + String(repeating: "x", count: 5000) + "\r\n" + end
        #expect(try await RawConnection.exchange(port, [long]).hasPrefix("HTTP/1.1 400"))
        let many = start + (1...40).map { "X-\($0): 1\r\n" }.joined() + end
        #expect(try await RawConnection.exchange(port, [many]).hasPrefix("HTTP/1.1 400"))
        for nonsense in ["\u{16}\u{3}\u{1}\u{2}\u{0}", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "\r\n\r\n\u{0}"] {
          let heard = try await RawConnection.exchange(port, [nonsense])
          #expect(heard.isEmpty || heard.hasPrefix("HTTP/1.1 400"), "\(heard.prefix(100))")
        }
        for path in ["/../../etc/passwd", "/v1/tokens/..%2f..%2fetc", "/%2e%2e/", "//evil.example/", "/v1/tokens/%00"] {
          let heard = try await RawConnection.exchange(port, ["GET \(path) HTTP/1.1\r\nHost: localhost\r\n" + end])
          #expect(heard.hasPrefix("HTTP/1.1 404"), "\(path): \(heard.prefix(100))")
        }
        #expect(try await served.get("/healthz").status == 200)
      }
    }

    /// Rule 14.3: a body that trickles in ends with its time, also where every byte comes in time for an idle connection; one
    /// that waits for its headers too.
    @Test("Slow bodies and slow headers")
    func slow() async throws {
      // Far enough from each other that a machine with much to do does not mistake one for the other.
      try await Served.run { options in
        options.limits.requestSeconds = 1
        options.limits.idleSeconds = 25
      } _: { served in
        let port = served.port
        let heard = try await RawConnection.exchange(
          port,
          [
            "POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/csv\r\nContent-Length: 1000000\r\n\r\n",
            "block,timestamp,token\n",
          ])
        #expect(heard.hasPrefix("HTTP/1.1 408") && heard.contains("request_timeout"), "\(heard.prefix(200))")
        try await served.again { served in
          let held = try await served.get("/v1/inspect")
          #expect(held.object["events"] as? Int == 0)
        }
      }
      try await Served.run { options in
        options.limits.idleSeconds = 2
      } _: { served in
        let headers = try await RawConnection.exchange(served.port, ["GET /healthz HTTP/1.1\r\nHost: localh"])
        #expect(headers.isEmpty, "\(headers.prefix(200))")
        try await served.again { served in
          let health = try await served.get("/healthz")
          #expect(health.status == 200)
        }
      }
    }

    @Test("Who asks whether to go on is told so before the body")
    func goOn() async throws {
      try await Served.run { served in
        let heard = try await RawConnection.exchange(
          served.port,
          [
            "POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\nExpect: 100-continue\r\n"
              + "Content-Length: \(Self.line.utf8.count)\r\nConnection: close\r\n\r\n", Self.line,
          ])
        #expect(heard.hasPrefix("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200"), "\(heard.prefix(300))")
        #expect(heard.contains("\"accepted\":1"))
      }
    }

    @Test("Half a request and then nothing: the server goes on")
    func halves() async throws {
      try await Served.run { served in
        let port = served.port
        for _ in 0..<20 {
          let connection = try await RawConnection.to(port)
          try await connection.channel.executeThenClose { _, outbound in
            try await outbound.write(
              .init(
                string:
                  "POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/csv\r\nContent-Length: 99\r\n\r\nblock"
              ))
          }
        }
        #expect(try await served.get("/healthz").status == 200)
        #expect(try await served.get("/v1/inspect").object["events"] as? Int == 0)
      }
    }
  }
#endif
