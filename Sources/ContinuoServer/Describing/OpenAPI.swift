// The document that describes every route but the page's: OpenAPI 3.1, for programs that make clients and tests of it.
// Invariant: paths and names of queries are those of the table of routes; what a server asks a token for is what it says.
// Not here: what a route says of itself (RouteTable, RouteText), what values may be (Schema).
// Source: OpenAPI Specification 3.1.0.

internal import Continuo
internal import ContinuoFormats

package enum OpenAPI {
  static let route = Route(
    "GET", "/openapi.json", .open, text: .tagged("This document", .map(.anything)), .slow(answer))

  /// Every method with its path that is answered, the page's too: for tests.
  package static var answered: [(method: String, path: String)] { RouteTable.all.map { ($0.method, $0.name) } }

  private static func answer(_ question: Question) -> Answer {
    let body = document(RouteTable.all, question.access)
    let file = PageFiles.File("application/json", body)
    guard !question.has(file.tag) else { return .notModified(file.tag) }
    return .json(file.body, tag: file.tag)
  }

  /// The document. O(routes).
  static func document(_ routes: [Route], _ access: Access) -> [UInt8] {
    let described = routes.filter { $0.text != nil }
    var document = JSONObject()
    document.put("openapi", "3.1.0")
    document.nest("info") { info in
      info.put("title", "Continuo")
      info.put("version", "1")
      info.put(
        "description",
        """
        Candles, statistics, rankings, trades and holders of tokens, exact to the last digit: decimals are strings. A GET may be a \
        HEAD. docs/http.md has an example of each.
        """)
      info.nest("license") { $0.put("name", "Apache 2.0") }
    }
    document.put("servers", list: [Schema { $0.put("url", "/") }.trimmed])
    document.nest("paths") { paths in
      var names: [String] = []
      for route in described where !names.contains(route.name) { names.append(route.name) }
      for name in names {
        paths.nest(name) { path in
          for route in described where route.name == name {
            path.nest(route.method.lowercased()) { put(route, access, into: &$0) }
          }
        }
      }
    }
    document.nest("components") { components in
      components.nest("schemas") { schemas in
        for name in Schema.Name.allCases { schemas.put(name.rawValue, json: name.schema.json) }
      }
      components.nest("securitySchemes") { schemes in
        schemes.nest(bearer) { scheme in
          scheme.put("type", "http")
          scheme.put("scheme", "bearer")
        }
      }
    }
    return document.finished()
  }

  private static let bearer = "token"

  // MARK: one route

  private static func put(_ route: Route, _ access: Access, into operation: inout JSONObject) {
    guard let text = route.text else { return }
    operation.put("operationId", ByteString(identifier(route)))
    operation.put("summary", ByteString(text.summary))
    if access.asks(route.level) {
      operation.put("security", list: [Schema { $0.put(bearer, list: []) }.trimmed])
    }
    let parameters = route.pathNames.map(parameter) + route.described.map(parameter)
    if !parameters.isEmpty { operation.put("parameters", list: parameters) }
    if !text.takes.isEmpty {
      operation.nest("requestBody") { body in
        body.put("required", flag: true)
        put(text.takes, into: &body)
      }
    }
    operation.nest("responses") { responses in
      responses.nest("200") { answer in
        answer.put("description", "The answer")
        put(text.answers, into: &answer)
      }
      if let status = text.otherStatus {
        responses.nest(String(status)) { answer in
          answer.put("description", "The same, where it is not so")
          put(text.answers, into: &answer)
        }
      }
      if text.isTagged {
        responses.nest("304") { $0.put("description", "What If-None-Match has is what there is") }
      }
      putProblems(of: route, into: &responses)
    }
  }

  private static func putProblems(of route: Route, into responses: inout JSONObject) {
    let codes = route.codes
    for status in Set(codes.map(\.status)).sorted() where status != route.text?.otherStatus {
      let names = codes.filter { $0.status == status }.map(\.rawValue).joined(separator: ", ")
      responses.nest(String(status)) { answer in
        answer.put("description", ByteString(names))
        put(
          [RouteText.Content(type: "application/problem+json", schema: .named(.problem))], into: &answer)
      }
    }
  }

  private static func put(_ contents: [RouteText.Content], into object: inout JSONObject) {
    object.nest("content") { types in
      for content in contents { types.nest(content.type) { $0.put("schema", json: content.schema.json) } }
    }
  }

  /// A name in a query.
  private static func parameter(_ parameter: Parameter) -> [UInt8] {
    Schema { object in
      object.put("name", ByteString(parameter.name))
      object.put("in", "query")
      if !parameter.says.isEmpty { object.put("description", ByteString(parameter.says)) }
      object.put("required", flag: parameter.isRequired)
      object.put("schema", json: (parameter.isRepeated ? .list(parameter.schema) : parameter.schema).json)
    }
    .trimmed
  }

  /// A name in a path.
  private static func parameter(_ name: String) -> [UInt8] {
    Schema { object in
      object.put("name", ByteString(name))
      object.put("in", "path")
      object.put("required", flag: true)
      object.put(
        "description",
        ByteString(name == "c" ? "A chain." : "A token, percent-encoded, / too; names count byte by byte."))
      object.put("schema", json: (name == "c" ? Schema.count(0...UInt64(UInt32.max)) : .text).json)
    }
    .trimmed
  }

  /// What a client may call it: get_v1_tokens_t_candles.
  private static func identifier(_ route: Route) -> String {
    let words = route.name.split { !$0.isLetter && !$0.isNumber }
    return ([route.method.lowercased()] + words.map(String.init)).joined(separator: "_")
  }

  // MARK: the stream

  /// What `/v1/stream` says of itself.
  static let streamText = RouteText("Candles as they change: server-sent events", type: "text/event-stream")
}

extension Access {
  /// Whether a level needs a token of this server.
  func asks(_ level: Level) -> Bool {
    switch level {
    case .open: false
    case .read: read != nil
    case .write: write != nil
    case .admin: (admin ?? write) != nil
    }
  }
}

extension JSONObject {
  /// Adds an object that `fill` fills. O(length).
  fileprivate mutating func nest(_ name: String, _ fill: (inout JSONObject) -> Void) {
    var object = JSONObject()
    fill(&object)
    put(name, json: object.finished())
  }
}
