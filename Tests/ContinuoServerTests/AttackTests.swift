// What strangers try: requests inside requests, names that are not ours, clients that stop in the middle, a thousand that say
// nothing.
// Invariant: each is answered properly or closed, nothing stays behind, and others are served meanwhile.
// Not here: sizes and times (ClientLimitTests), tokens (AccessTests), TLS (TLSTests).

#if Server
  import ContinuoServer
  import Foundation
  import HTTPTypes
  import NIOCore
  import NIOPosix
  import Testing

  @Suite("Attacks")
  struct AttackTests {
    private static let line =
      #"{"block":1,"timestamp":"2024-12-01T13:00:00Z","token":"ART","amount_usd":"1","price_usd":"1"}"# + "\n"

    private static func answers(_ text: String) -> Int { text.components(separatedBy: "HTTP/1.1 ").count - 1 }

    /// Waits until nobody is connected but who asks, and nothing of a body is held; then that nothing was taken.
    private static func isClean(_ served: Served, events: Int = 0, _ place: SourceLocation = #_sourceLocation)
      async throws
    {
      let end = ContinuousClock.now + .seconds(60)
      while true {
        let text = try await served.get("/metrics").text
        if text.contains("\ncontinuo_connections 1\n"), text.contains("\ncontinuo_held_body_bytes 0\n") { break }
        try #require(ContinuousClock.now < end, "connections or bodies stay behind", sourceLocation: place)
        try await Task.sleep(for: .milliseconds(50))
      }
      let held = try await served.get("/v1/inspect")
      #expect(held.object["events"] as? Int == events, sourceLocation: place)
    }

    /// Rule 14.3: two readers of such a request could see its end at different places.
    @Test(
      "Requests whose end is not clear are not answered as if it were",
      arguments: [
        "Content-Length: 4\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nContent-Length: 4",
        "Content-Length: 4\r\nContent-Length: 60", "Content-Length: 4, 60", "Content-Length: +4", "Content-Length: 0x4",
        "Content-Length: -1", "Content-Length: 99999999999999999999", "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunked, identity", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        "Transfer-Encoding : chunked", "Content-Length : 4", "X: 1\r\n Content-Length: 4", "X: 1\rContent-Length: 4",
        "Transfer-Encoding:\u{b}chunked",
      ])
    func smuggling(_ headers: String) async throws {
      try await Served.run { served in
        let inner = "GET /v1/tokens?q=smuggled HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        let heard = try await RawConnection.exchange(
          served.port,
          [
            "POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\n\(headers)\r\n\r\n"
              + "0\r\n\r\n" + inner
          ], finishes: true)
        #expect(Self.answers(heard) <= 1 && !heard.contains("HTTP/1.1 200"), "\(heard)")
        #expect(!heard.contains("smuggled") && !heard.contains("\"tokens\""), "\(heard)")
        try await Self.isClean(served)
      }
    }

    @Test("Bodies in parts that are marked wrongly, or end in the middle")
    func parts() async throws {
      try await Served.run { served in
        let start = "POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\n"
        let length = String(Self.line.utf8.count, radix: 16)
        for body in [
          "Transfer-Encoding: chunked\r\n\r\nzz\r\n", "Transfer-Encoding: chunked\r\n\r\n-1\r\nx\r\n0\r\n\r\n",
          "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
          "Transfer-Encoding: chunked\r\n\r\n\(length)\r\n\(Self.line)x\r\n0\r\n\r\n",
          "Transfer-Encoding: chunked\r\n\r\n\(length)\r\n\(Self.line)\r\n",
          "Content-Length: \(Self.line.utf8.count + 1)\r\n\r\n\(Self.line)",
        ] {
          let heard = try await RawConnection.exchange(served.port, [start + body], finishes: true)
          #expect(heard.isEmpty || heard.hasPrefix("HTTP/1.1 400"), "\(body): \(heard)")
        }
        try await Self.isClean(served)
        let whole = "Transfer-Encoding: chunked\r\n\r\n\(length)\r\n\(Self.line)\r\n0\r\n\r\n"
        let taken = try await RawConnection.exchange(served.port, [start + "Connection: close\r\n" + whole])
        #expect(taken.contains("\"accepted\":1"), "\(taken)")
      }
    }

    @Test("HTTP/1.0: the connection ends behind the answer, whatever was asked for")
    func older() async throws {
      try await Served.run { served in
        for more in ["", "Connection: keep-alive\r\n", "Connection: close\r\n"] {
          let heard = try await RawConnection.exchange(
            served.port, ["GET /healthz HTTP/1.0\r\nHost: localhost\r\n\(more)\r\n"])
          #expect(heard.hasPrefix("HTTP/1.1 200") && heard.contains("\r\nConnection: close\r\n"), "\(heard)")
          #expect(heard.hasSuffix("{\"status\":\"ok\"}\n"), "\(heard)")
        }
        let events = try await RawConnection.exchange(
          served.port,
          [
            "POST /v1/events HTTP/1.0\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\nConnection: keep-alive\r\n"
              + "Content-Length: \(Self.line.utf8.count)\r\n\r\n", Self.line,
          ])
        #expect(events.contains("\"accepted\":1"), "\(events)")
        let nameless = try await RawConnection.exchange(served.port, ["GET /healthz HTTP/1.0\r\n\r\n"])
        #expect(nameless.hasPrefix("HTTP/1.1 403"), "\(nameless)")
        try await Self.isClean(served, events: 1)
      }
    }

    @Test("Many requests at once are answered in order; the last one says that it is")
    func pipelined() async throws {
      try await Served.run { served in
        let start = "HTTP/1.1\r\nHost: localhost\r\n"
        let heard = try await RawConnection.exchange(
          served.port,
          [
            "GET /healthz \(start)\r\nPOST /v1/events \(start)Content-Type: application/x-ndjson\r\nContent-Length: "
              + "\(Self.line.utf8.count)\r\n\r\n\(Self.line)GET /v1/tokens \(start)Connection: close\r\n\r\n"
              + "GET /readyz \(start)\r\n"
          ])
        #expect(Self.answers(heard) == 3 && !heard.contains("\"ready\""), "\(heard)")
        let places = ["\"status\":\"ok\"", "\"accepted\":1", "\"tokens\":["].map { heard.range(of: $0)?.lowerBound }
        try #require(!places.contains(nil), "\(heard)")
        #expect(places.compactMap { $0 }.sorted() == places.compactMap { $0 })
        try await Self.isClean(served, events: 1)
      }
    }

    /// Rule 14.3: the time of a request that came at once with the one before begins when that one is answered.
    @Test("A slow body behind another request has its time as well")
    func slowSecond() async throws {
      try await Served.run { options in
        options.limits.requestSeconds = 1
      } _: { served in
        let heard = try await RawConnection.exchange(
          served.port,
          [
            "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\nPOST /v1/events HTTP/1.1\r\nHost: localhost\r\n"
              + "Content-Type: text/csv\r\nContent-Length: 1000000\r\n\r\nblock,timestamp,token"
          ])
        #expect(Self.answers(heard) == 2 && heard.contains("HTTP/1.1 408"), "\(heard)")
        try await Self.isClean(served)
      }
    }

    @Test("Who says that no more comes still hears the answer")
    func halfClosed() async throws {
      try await Served.run { served in
        let heard = try await RawConnection.exchange(
          served.port,
          [
            "POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\nContent-Length: "
              + "\(Self.line.utf8.count)\r\n\r\n\(Self.line)"
          ], finishes: true)
        #expect(heard.contains("\"accepted\":1"), "\(heard)")
        let nothing = try await RawConnection.exchange(served.port, [], finishes: true)
        #expect(nothing.isEmpty)
        try await Self.isClean(served, events: 1)
      }
    }

    /// Rule 14.2: what is asked is what the first line and Host say; no other header changes it.
    @Test("Names that are not ours, by every way to say them")
    func names() async throws {
      try await Served.run { served in
        func ask(_ headers: String, _ first: String = "GET /v1/tokens") async throws -> String {
          try await RawConnection.exchange(
            served.port, ["\(first) HTTP/1.1\r\n\(headers)\r\nConnection: close\r\n\r\n"])
        }
        for host in [
          "Host: evil.example", "Host: localhost.evil.example", "Host: localhost@evil.example",
          "Host: evil.example#localhost",
          "Host: localhost:80@evil.example", "Host: ", "Host: evil.example\r\nX-Forwarded-Host: localhost",
          "Host: evil.example\r\nForwarded: host=localhost", "Host: evil.example\r\nHost: localhost",
          "Host: localhost\r\nHost: evil.example", "Host: localhost\r\nHost: localhost", "X: 1",
          "Host: [::1]evil.example", "Host: localhost/", "Host: 127.0.0.1.evil.example",
        ] {
          let heard = try await ask(host)
          #expect(heard.hasPrefix("HTTP/1.1 403") || heard.hasPrefix("HTTP/1.1 400"), "\(host): \(heard)")
        }
        for header in [
          "X-Forwarded-Host: evil.example", "X-HTTP-Method-Override: POST", "X-HTTP-Method: DELETE",
          "X-Original-URL: /v1/admin/backup", "X-Rewrite-URL: /metrics", "X-Forwarded-For: 127.0.0.1",
          "X-Forwarded-Proto: https",
        ] {
          let heard = try await ask("Host: localhost\r\n\(header)")
          #expect(heard.hasPrefix("HTTP/1.1 200") && heard.contains("\"tokens\":["), "\(header): \(heard)")
          #expect(!heard.contains("evil"), "\(header): \(heard)")
        }
        for target in [
          "GET http://evil.example/v1/tokens", "GET evil:/v1/tokens", "GET *", "CONNECT evil.example:443",
          "GET //localhost/v1/tokens",
        ] {
          let heard = try await ask("Host: localhost", target)
          #expect(!heard.hasPrefix("HTTP/1.1 200"), "\(target): \(heard)")
        }
        // A client of a proxy names the server in its target, and that name counts.
        let named = try await ask("Host: evil.example", "GET http://localhost:80/v1/tokens")
        #expect(named.hasPrefix("HTTP/1.1 200"), "\(named)")
        try await Self.isClean(served)
      }
    }

    /// Rule 14.2: what a page elsewhere can make a browser send changes nothing here.
    @Test("Requests that pages of others can send without asking")
    func pages() async throws {
      try await Served.run { served in
        for origin in [
          "https://evil.example", "null", "http://localhost.evil.example", "http://localhost:1", "file://", "",
        ] {
          let heard = try await RawConnection.exchange(
            served.port,
            [
              "POST /v1/events HTTP/1.1\r\nHost: localhost:\(served.port)\r\nOrigin: \(origin)\r\nConnection: close\r\n"
                + "Content-Type: application/x-ndjson\r\nContent-Length: \(Self.line.utf8.count)\r\n\r\n\(Self.line)"
            ])
          #expect(heard.hasPrefix("HTTP/1.1 403") && heard.contains("forbidden_origin"), "\(origin): \(heard)")
        }
        for type in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"] {
          for target in ["/v1/events", "/v1/events/retract", "/v1/chains/1/rollback", "/v1/admin/checkpoint"] {
            let reply = try await served.post(target, Self.line.utf8, type: type)
            #expect(reply.status == 415, "\(type) \(target): \(reply.text)")
          }
        }
        try await Self.isClean(served)
      }
    }

    @Test("Paths that lead out of where they begin")
    func paths() async throws {
      try await Served.run { served in
        let start = "HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        for path in [
          "/..%2f", "/page/..%2f..%2fServer.swift", "/page/%2e%2e", "/page/../v1/tokens", "/page//app.js",
          "/page/app.js%00",
          "/page/.", "/v1/./tokens", "/v1/tokens/../inspect", "/v1%2ftokens", "//v1/tokens", "/\\v1\\tokens",
          "/v1/tokens;x=1",
          "/v1/tokens/%00/candles", "/v1/tokens/..%00", "/v1/tokens/%c0%ae%c0%ae/trades", "/v1/tokens/%/holders", "/%",
          "/v1/tokens/%ed%a0%80/trades", "/page/\(String(repeating: "a", count: 9000))", "/?q=%00%0d%0aX:1",
          "/v1/top%0d%0aX:1",
        ] {
          let heard = try await RawConnection.exchange(served.port, ["GET \(path) \(start)"])
          let isRefused = heard.hasPrefix("HTTP/1.1 404") || heard.hasPrefix("HTTP/1.1 400")
          #expect(
            isRefused || path.hasPrefix("/?q=") && heard.hasPrefix("HTTP/1.1 200"), "\(path): \(heard.prefix(200))")
          #expect(!heard.contains("\r\nX:1"), "\(path): \(heard)")
        }
        try await Self.isClean(served)
      }
    }

    /// Rule 14.3: others are served beside them, and nothing is left when they go.
    @Test("A thousand connections that say nothing, or half of something")
    func thousand() async throws {
      let shell = try Shell()
      let server = try await ServedProcess(shell.path("market"))
      let port = server.port
      let start =
        "POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/csv\r\nContent-Length: 99\r\n\r\nblock"
      let beginnings = ["", "GET /hea", start, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: "]
      var channels: [any Channel] = []
      for index in 0..<1000 {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
          .connect(host: "127.0.0.1", port: port).get()
        channels.append(channel)
        let bytes = beginnings[index % beginnings.count]
        if !bytes.isEmpty { try await channel.writeAndFlush(ByteBuffer(string: bytes)) }
      }
      func ask(_ path: String) async throws -> String {
        try await shell.run("curl -s -m 60 http://localhost:\(port)\(path)").text
      }
      let health = try await ask("/healthz")
      #expect(health == "{\"status\":\"ok\"}\n")
      let sent = try await shell.run(
        "curl -s -m 60 -H 'Content-Type: application/x-ndjson' --data '\(Self.line.dropLast())' http://localhost:\(port)/v1/events"
      )
      #expect(sent.text.contains("\"accepted\":1"), "\(sent.text)")
      let metrics = try await ask("/metrics")
      #expect(metrics.contains("\ncontinuo_connections 1001\n"), "\(metrics)")
      for channel in channels { channel.close(promise: nil) }
      try await shell.wait("all of them are gone") {
        let metrics = try await ask("/metrics")
        return metrics.contains("\ncontinuo_connections 1\n") && metrics.contains("\ncontinuo_held_body_bytes 0\n")
      }
      await server.endWell()
    }
  }
#endif
