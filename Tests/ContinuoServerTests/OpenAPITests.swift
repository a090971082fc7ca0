// The document of the routes: complete, true of what is asked for tokens, and the same until the server is another one.
// Invariant: what is compared comes from the table that answers requests.
// Not here: whether answers are as it says (tools/api-test).

#if Server
  import ContinuoServer
  import Foundation
  import HTTPTypes
  import Testing

  @Suite("The document of the routes")
  struct OpenAPITests {
    /// What a browser asks for its page, and no program.
    private static let page: Set = ["/", "/tokens/{t}", "/page/{f}", "/licenses", "/favicon.ico"]

    private static func operations(_ reply: Reply) throws -> [String: [String: Any]] {
      let paths = try #require(reply.object["paths"] as? [String: [String: [String: Any]]], "\(reply.text)")
      var operations: [String: [String: Any]] = [:]
      for (path, methods) in paths {
        for (method, operation) in methods { operations["\(method.uppercased()) \(path)"] = operation }
      }
      return operations
    }

    /// Rule 13.1: the document has each route that programs may ask, and no other.
    @Test("Every route is in it, and the other way round")
    func complete() async throws {
      try await Served.run { served in
        let reply = try await served.get("/openapi.json")
        #expect(reply.status == 200 && reply.object["openapi"] as? String == "3.1.0")
        let described = try Self.operations(reply)
        let answered = OpenAPI.answered.filter { !Self.page.contains($0.path) }.map { "\($0.method) \($0.path)" }
        #expect(Set(answered) == Set(described.keys))
        #expect(
          answered.count > 15 && answered.contains("GET /v1/stream") && answered.contains("POST /v1/admin/verify"))
        let names = described.values.compactMap { $0["operationId"] as? String }
        #expect(Set(names).count == described.count, "each has a name of its own")
        for (route, operation) in described {
          let responses = try #require(operation["responses"] as? [String: Any], "\(route)")
          #expect(responses["200"] != nil && responses["403"] != nil, "\(route)")
        }
      }
    }

    /// Rule 11.2: it has a tag, and need not be sent again.
    @Test("It is open to all, and has a tag")
    func tagged() async throws {
      try await Served.run {
        $0.access.read = Secret(Array("a-read-token-for-tests".utf8))
      } _: { served in
        let reply = try await served.get("/openapi.json")
        let tag = try #require(reply.headers[.eTag])
        #expect(reply.status == 200 && reply.headers[.contentType] == "application/json")
        let again = try await served.get("/openapi.json", [.ifNoneMatch: tag])
        #expect(again.status == 304 && again.bytes.isEmpty)
        let refused = try await served.get("/v1/top")
        #expect(refused.status == 401)
      }
    }

    /// Rule 14.1: what needs a token of this server says so, and nothing else.
    @Test("It tells what needs a token")
    func security() async throws {
      try await Served.run { served in
        let open = try Self.operations(try await served.get("/openapi.json"))
        #expect(open.values.allSatisfy { $0["security"] == nil })
      }
      try await Served.run {
        $0.access.write = Secret(Array("a-write-token-for-tests".utf8))
      } _: { served in
        let operations = try Self.operations(try await served.get("/openapi.json"))
        let guarded = operations.filter { $0.value["security"] != nil }.keys.sorted()
        #expect(guarded == operations.keys.filter { $0.hasPrefix("POST ") }.sorted())
      }
    }
  }
#endif
