// What a route is: a method, a path, who may ask, which names its query has, and what answers it.
// Invariant: a request that no route takes says why: 404 for its path, 405 with the methods that there are.
// Not here: which routes there are (RouteTable).

internal import Continuo
internal import ContinuoStorage

final class Route: Sendable {
  /// Which part of the machine does the work.
  enum Work: Sendable {
    /// Short, and without waiting: done where the request was read.
    case quick(@Sendable (Question) throws -> Answer)
    /// Long, or waiting for the disk: done by a thread that may wait.
    case slow(@Sendable (Question) throws -> Answer)
    /// The same, with a body of JSON that is read before.
    case posted(@Sendable (Question, [UInt8]) throws -> Answer)
    /// A batch of events.
    case events
    /// An answer without an end.
    case stream(@Sendable (Question) throws -> StreamAnswer)
  }

  let method: String
  /// The parts of the path; nil stands for a name.
  let path: [String?]
  /// What the route is called in metrics.
  let name: String
  let level: Access.Level
  /// The names of its query, with what each may be.
  let described: [Parameter]
  /// The names of its query, and those that may stand more than once.
  let parameters: [String]
  let repeated: [String]
  /// What it says of itself; nil: it is for browsers.
  let text: RouteText?
  let work: Work
  /// The candles that an answer is made of, where it is made of nothing else; nil: it needs the whole market.
  let part: (@Sendable (Question) throws -> CandleQuestion?)?
  /// Whether there is nothing to be answered before the market is there.
  var needsMarket: Bool { level != .open && name != "/metrics" && name != "/udf/config" }
  /// Whether it is asked by TradingView's clients: they add names of their own to queries, want errors with status 200, and cannot
  /// send headers, so that the token may stand in the query.
  var isTradingView: Bool { name.hasPrefix(Self.tradingViewPrefix) }
  /// Whether the token may stand in the query: these clients cannot send headers of their own.
  var takesQueryToken: Bool { isTradingView || parameters.contains(Access.queryToken) }
  static let tradingViewPrefix = "/udf/"

  /// Makes a route of a path like `/v1/tokens/{t}`.
  init(
    _ method: String, _ path: String, _ level: Access.Level, _ parameters: [Parameter] = [], text: RouteText? = nil,
    part: (@Sendable (Question) throws -> CandleQuestion?)? = nil, _ work: Work
  ) {
    self.part = part
    self.method = method
    self.path = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map {
      $0.hasPrefix("{") ? nil : String($0)
    }
    name = path
    self.level = level
    described = parameters
    self.parameters = parameters.map(\.name)
    repeated = parameters.filter(\.isRepeated).map(\.name)
    self.text = text
    self.work = work
  }

  /// What the names in the path are called.
  var pathNames: [String] {
    name.split(separator: "/").filter { $0.hasPrefix("{") }.map { String($0.dropFirst().dropLast()) }
  }

  /// What it answers to a question without a body; nil where it takes one, or has no end.
  func answer(_ question: Question) throws -> Answer? {
    switch work {
    case .quick(let work), .slow(let work): try work(question)
    case .posted, .events, .stream: nil
    }
  }

  /// The names in a path; nil where it is not this route's. O(parts).
  func names(_ parts: [Substring]) -> [Substring]? {
    guard parts.count == path.count else { return nil }
    var names: [Substring] = []
    for (part, wanted) in zip(parts, path) {
      guard let wanted else {
        names.append(part)
        continue
      }
      guard part == wanted else { return nil }
    }
    return names
  }
}

/// A request's path found among routes.
struct RouteMatch: Sendable {
  let route: Route
  let names: [ByteString]

  /// Finds the route. O(routes).
  ///
  /// - Parameter path: as it came, percent-encoded.
  init(_ method: String, _ path: Substring, among routes: [Route]) throws(Problem) {
    let parts = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
    let isHead = method == "HEAD"
    var allowed: [String] = []
    for route in routes {
      guard path.hasPrefix("/"), let texts = route.names(parts) else { continue }
      guard route.method == method || isHead && route.method == "GET" else {
        allowed.append(route.method)
        continue
      }
      var names: [ByteString] = []
      for text in texts {
        guard let name = PercentText.decoded(text, plusIsSpace: false) else {
          throw Problem(
            .badParameter, "'\(Shown.value(String(text)))' in the path is not percent-encoded UTF-8",
            remedy: "encode every byte outside of A-Z a-z 0-9 - . _ ~ as %XX, / too")
        }
        names.append(name)
      }
      (self.route, self.names) = (route, names)
      return
    }
    guard allowed.isEmpty else {
      var problem = Problem(
        .methodNotAllowed, "\(Shown.value(method)) is no method of '\(Shown.value(String(path)))'",
        remedy: "use \(allowed.joined(separator: " or "))")
      problem.allowed = allowed + (allowed.contains("GET") ? ["HEAD"] : [])
      throw problem
    }
    throw Problem(
      .notFound, "there is nothing at '\(Shown.value(String(path)))'",
      remedy: "docs/http.md lists the routes; a / in a token's name is %2F")
  }
}
