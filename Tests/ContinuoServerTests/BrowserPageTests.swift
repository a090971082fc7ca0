// The files of the page as a browser gets them: types, tags, what they may do, and that every one that is named is there.
// Invariant: nothing of the page needs a token, and nothing of the market is in it.
// Not here: what the page does with them (tools/page-test, in a browser).

#if Server
  import ContinuoServer
  import Foundation
  import HTTPTypes
  import Testing

  @Suite("The page's files")
  struct BrowserPageTests {
    private static let chart = "/page/lightweight-charts.js"

    private static func policy(_ reply: Reply) throws -> String {
      try #require(reply.headers[.contentSecurityPolicy])
    }

    /// Rules 11.2, 14.2: the page, wherever its URL leads, may run its own scripts and no text of anybody's.
    @Test("Pages, with or without a token to read")
    func pages() async throws {
      try await Served.run { options in
        options.access.read = Secret(Array("reading-token-0001".utf8))
      } _: { served in
        let page = try await served.get("/")
        #expect(page.status == 200 && page.headers[.contentType] == "text/html; charset=utf-8")
        for target in ["/?q=a&by=holders", "/tokens/a%2Fb?interval=1m&scale=log&embed=1", "/tokens/%3Cimg%20src=x%3E"] {
          let other = try await served.get(target)
          #expect(other.status == 200 && other.text == page.text, "\(target)")
        }
        let policy = try Self.policy(page)
        #expect(policy.hasPrefix("default-src 'self'; style-src 'self' 'sha256-") && !policy.contains("unsafe"))
        #expect(!page.text.contains("style=") && !page.text.contains("<style") && !page.text.contains("onclick"))
        #expect(page.text.components(separatedBy: "<script").count == 2 && page.text.contains("src=\"/page/app.js\""))
        #expect(try Self.policy(try await served.get("/healthz")) == "default-src 'self'")
        #expect(try await served.get("/v1/top").status == 401)
        for target in ["/?utm=1", "/page/app.js?x=1"] {
          #expect(try await served.get(target).status == 400, "\(target)")
        }
        // Who may not read is not told what there is.
        #expect(try await served.get("/index.html").status == 401)
        let licenses = try await served.get("/licenses")
        #expect(licenses.text.contains("TradingView Lightweight Charts") && licenses.text.contains("Apache License"))
      }
    }

    /// Rule 11.2: what a file names is served, with a type and a tag.
    @Test("Every file that is named")
    func files() async throws {
      try await Served.run { served in
        for target in ["/page/", "/page/none.js", "/page/..%2Findex.html", "/page/%2e%2e", "/tokens", "/index.html"] {
          #expect(try await served.get(target).status == 404, "\(target)")
        }
        #expect(try await served.post("/", "".utf8).status == 405)
        var (waiting, seen) = (["/"], Set<String>())
        while let target = waiting.popLast() {
          guard seen.insert(target).inserted, target != Self.chart else { continue }
          let reply = try await served.get(target)
          #expect(reply.status == 200, "\(target)")
          let tag = try #require(reply.headers[.eTag], "\(target)")
          let same = try await served.get(target, [.ifNoneMatch: tag])
          #expect(same.status == 304 && same.bytes.isEmpty, "\(target)")
          waiting += reply.text.matches(of: /"(\/page\/[\w.-]+)"/).map { String($0.1) }
          waiting += reply.text.matches(of: /from "\.\/([\w.-]+)"/).map { "/page/" + $0.1 }
          if target.hasSuffix(".js") { #expect(reply.headers[.contentType] == "text/javascript; charset=utf-8") }
        }
        #expect(seen.count > 12 && seen.contains(Self.chart))
      }
    }

    /// The chart's code is served from where it is, and only that file.
    @Test("The chart's code")
    func chart() async throws {
      let folder = FileManager.default.temporaryDirectory.appending(path: "continuo-\(UUID().uuidString)")
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      defer { try? FileManager.default.removeItem(at: folder) }
      try await Served.run {
        $0.assets = folder.path
      } _: { served in
        let reply = try await served.get(Self.chart)
        #expect(reply.status == 404 && reply.text.contains("--assets"), "\(reply.text)")
      }
      let code = "// a chart\n"
      try code.write(to: folder.appending(path: "lightweight-charts.js"), atomically: true, encoding: .utf8)
      try "secret".write(to: folder.appending(path: "other.js"), atomically: true, encoding: .utf8)
      try await Served.run {
        $0.assets = folder.path
      } _: { served in
        let reply = try await served.get(Self.chart)
        #expect(reply.text == code)
        #expect(try await served.get("/page/other.js").status == 404)
      }
    }
  }
#endif
