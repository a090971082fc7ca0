// Who is let in: tokens, names of the server, origins.
// Invariant: what is not allowed is not done.
// Not here: limits (ClientLimitTests).

#if Server
  import Continuo
  import ContinuoServer
  import Foundation
  import HTTPTypes
  import HummingbirdTesting
  import NIOCore
  import Synchronization
  import Testing

  @Suite("Access")
  struct AccessTests {
    private static let (reading, writing, ruling) = ("reading-token-0001", "writing-token-0001", "ruling-token-00001")
    private static let line =
      #"{"block":1,"timestamp":"2024-12-01T13:00:00Z","token":"ART","amount_usd":"1","price_usd":"1"}"#

    private static func bearer(_ token: String) -> HTTPFields { [.authorization: "Bearer \(token)"] }

    /// Rule 14.1: each token opens its routes and those below.
    @Test("Read, write and admin tokens")
    func tokens() async throws {
      try await Served.run { options in
        options.access.read = Secret(Array(Self.reading.utf8))
        options.access.write = Secret(Array(Self.writing.utf8))
        options.access.admin = Secret(Array(Self.ruling.utf8))
      } _: { served in
        func statuses(_ headers: HTTPFields) async throws -> [Int] {
          [
            try await served.get("/healthz", headers).status, try await served.get("/v1/top", headers).status,
            try await served.get("/metrics", headers).status, try await served.get("/v1/nothing", headers).status,
            try await served.post("/v1/events", Self.line.utf8, type: "application/x-ndjson", headers).status,
            try await served.post("/v1/chains/9/rollback", #"{"block":1}"#.utf8, headers).status,
            try await served.post("/v1/events/retract", #"{"events":[]}"#.utf8, headers).status,
            try await served.post("/v1/admin/checkpoint", "".utf8, headers).status,
          ]
        }
        #expect(try await statuses([:]) == [200, 401, 401, 401, 401, 401, 401, 401])
        #expect(try await statuses(Self.bearer("something-else-0001")) == [200, 401, 401, 401, 401, 401, 401, 401])
        #expect(try await statuses(Self.bearer(Self.reading)) == [200, 200, 200, 404, 403, 403, 403, 403])
        #expect(try await statuses(Self.bearer(Self.writing)) == [200, 200, 200, 404, 200, 403, 403, 403])
        #expect(try await statuses(Self.bearer(Self.ruling)) == [200, 200, 200, 404, 200, 200, 200, 200])
        let refused = try await served.get("/v1/top", Self.bearer(Self.reading + "x"))
        #expect(refused.code == "unauthorized" && refused.headers[.wwwAuthenticate] == "Bearer realm=\"continuo\"")
        #expect(try await served.get("/v1/top", [.authorization: "Basic \(Self.reading)"]).status == 401)
        #expect(try await served.get("/v1/top?access_token=\(Self.reading)").status == 401)
      }
    }

    /// Rule 14.1: every byte of a token counts, and so does its length.
    @Test("A token is compared whole")
    func secrets() throws {
      let token = "0123456789abcdef"
      let secret = try #require(Secret(Array(token.utf8)))
      #expect(Secret(Array("0123456789abcde".utf8)) == nil && Secret(Array("0123456789 abcdef".utf8)) == nil)
      let access = {
        var access = Access()
        access.read = secret
        return access
      }()
      var options = Server.Options(dataDirectory: "nowhere") { Timestamp(microseconds: 0) }
      options.access = access
      let server = Server(options)
      func status(_ token: String) -> Int {
        var ask = Ask(method: "GET", target: "/v1/top")
        (ask.host, ask.authorization) = ("localhost", "bearer \(token)")
        return server.answer(ask).status
      }
      #expect(status(token) == 503, "let in, and told that the directory is not read yet")
      for index in token.indices {
        #expect(status(token.replacingCharacters(in: index...index, with: "~")) == 401)
      }
      for other in ["", "0", String(token.dropLast()), token + "0", token + "\u{0}", token.uppercased()] {
        #expect(status(other) == 401, "\(other)")
      }
    }

    /// Rule 14.2: names that lead to this machine, but are not its own, and pages of others.
    @Test("Host and Origin")
    func browsers() async throws {
      try await Served.run { options in
        options.access.hosts.insert("charts.example")
        options.access.origins.insert("https://app.example")
      } _: { served in
        let port = served.port
        func ask(_ host: String?, _ origin: String?, method: String = "GET", _ more: String = "") async throws -> String
        {
          try await RawConnection.exchange(
            port,
            [
              "\(method) /v1/top HTTP/1.1\r\n" + (host.map { "Host: \($0)\r\n" } ?? "")
                + (origin.map { "Origin: \($0)\r\n" } ?? "") + more + "Connection: close\r\n\r\n"
            ])
        }
        func status(_ host: String?, _ origin: String? = nil) async throws -> String {
          String(try await ask(host, origin).dropFirst(9).prefix(3))
        }
        for host in ["localhost", "LOCALHOST:8080", "127.0.0.1:1", "[::1]:80", "charts.example", "charts.example.:443"]
        {
          #expect(try await status(host) == "200", "\(host)")
        }
        for host in [
          "evil.example", "localhost.evil.example", "charts.example.evil", "", "127.0.0.1.nip.io", "0.0.0.0",
        ] {
          #expect(try await status(host) == "403", "\(host)")
        }
        #expect(try await ["400", "403"].contains(status(nil)))
        for origin in ["http://localhost:8080", "https://app.example", "https://LOCALHOST:8080"] {
          #expect(try await status("localhost:8080", origin) == "200", "\(origin)")
        }
        for origin in [
          "null", "http://evil.example", "https://app.example.evil", "http://localhost", "http://localhost:8081",
          "app.example",
        ] {
          #expect(try await ask("localhost:8080", origin).contains("forbidden_origin"), "\(origin)")
        }
        let allowed = try await ask("localhost", "https://app.example").lowercased()
        #expect(allowed.contains("access-control-allow-origin: https://app.example\r\n"))
        #expect(!(try await ask("localhost", "http://localhost")).lowercased().contains("access-control-allow-origin"))
        let preflight = try await ask(
          "localhost", "https://app.example", method: "OPTIONS", "Access-Control-Request-Method: POST\r\n")
        #expect(
          preflight.hasPrefix("HTTP/1.1 204") && preflight.contains("Access-Control-Allow-Methods: GET, HEAD, POST\r\n")
        )
        let foreign = try await ask(
          "localhost", "https://evil.example", method: "OPTIONS", "Access-Control-Request-Method: POST\r\n")
        #expect(foreign.hasPrefix("HTTP/1.1 403"))
      }
    }

    /// Rule 11.2: what a token is called is no part of any version, and part of the answer.
    @Test("A label that changes makes another answer")
    func labels() async throws {
      final class Called: Sendable { let label = Mutex<ByteString>("Dawn") }
      let called = Called()
      func edit(_ options: inout Server.Options) {
        options.label = { name in name == "ART" ? called.label.withLock { $0 } : nil }
      }
      try await Served.run(edit) { served in
        try await served.sample()
        for (target, label) in [("/v1/tokens/ART?as_of=2024-12-01T12:00:00Z", "Noon"), ("/v1/tokens", "Dusk")] {
          let reply = try await served.get(target)
          let tag = try #require(reply.headers[.eTag], "\(target)")
          #expect(try await served.get(target, [.ifNoneMatch: tag]).status == 304, "\(target)")
          called.label.withLock { $0 = ByteString(label) }
          let later = try await served.get(target, [.ifNoneMatch: tag])
          let text = String(decoding: later.bytes, as: UTF8.self)
          #expect(later.status == 200 && text.contains("\"\(label)\""), "\(text)")
        }
      }
    }

    /// Rule 11.2: what is known is not sent again, and what changed is.
    @Test("Tags, gzip and heads")
    func caching() async throws {
      try await Served.run { served in
        try await served.sample()
        for target in [
          "/v1/tokens/ART/candles", "/v1/tokens/ART/trades", "/v1/tokens/ART/holders",
          "/v1/tokens/ART?as_of=2024-12-01T12:00:00Z", "/v1/tokens", "/v1/top",
        ] {
          let reply = try await served.get(target)
          let tag = try #require(reply.headers[.eTag], "\(target)")
          #expect(reply.headers[.cacheControl] == "no-cache")
          let same = try await served.get(target, [.ifNoneMatch: "\"x\", \(tag)"])
          #expect(same.status == 304 && same.bytes.isEmpty && same.headers[.eTag] == tag, "\(target)")
          #expect(try await served.get(target, [.ifNoneMatch: "\"x\""]).status == 200)
          #expect(try await served.get(target, [.ifNoneMatch: tag, .accept: "text/csv"]).status == 200)
        }
        let before = try #require(try await served.get("/v1/tokens/ART/candles").headers[.eTag])
        served.clock.set(served.clock.now + 3_600_000_000)
        let later = try #require(try await served.get("/v1/tokens/ART/candles").headers[.eTag])
        #expect(before != later, "a bucket has ended")
        _ = try await served.events(Self.line.replacing("\"block\":1", with: "\"block\":777"))
        #expect(try await served.get("/v1/tokens/ART/candles", [.ifNoneMatch: later]).status == 200)

        let plain = try await served.get("/v1/tokens/ART/candles?interval=1m&fill=null&limit=40")
        let packed = try await served.get(
          "/v1/tokens/ART/candles?interval=1m&fill=null&limit=40", [.acceptEncoding: "br, gzip;q=0.5"])
        #expect(packed.headers[.contentEncoding] == "gzip" && packed.bytes.count < plain.bytes.count)
        #expect(try await gunzipped(packed.bytes) == plain.bytes)
        #expect(
          try await served.get("/v1/tokens/ART/candles?interval=1m&fill=null&limit=40", [.acceptEncoding: "gzip;q=0"])
            .headers[
              .contentEncoding] == nil)
        let head = try await served.head("/v1/tokens/ART/candles?interval=1m&fill=null&limit=40")
        #expect(
          head.status == 200 && head.bytes.isEmpty && head.headers[.contentLength] == "\(plain.bytes.count)")
      }
    }
  }
#endif
