// From a request's head to what is to be done for it, and from what came of that to an answer that can be sent.
// Invariant: access is looked at first, then path and method, then the body's type, then the query; a problem anywhere is an
// answer.
// Not here: reading bodies and sending answers (HTTPFront), the answers themselves (Routes).

internal import Continuo
internal import ContinuoFormats

/// What answers requests.
struct Service: Sendable {
  let market: LiveMarket
  let access: Access
  let limits: ServerLimits
  let backupRoot: String?
  let page: PageFiles

  /// What is to be done for a request.
  enum Step {
    case answer(Answer)
    case work(Route, Question)
  }

  /// Looks at the head of a request. O(length).
  func step(_ ask: Ask) -> Step {
    do throws(Problem) {
      return try judged(ask)
    } catch {
      return .answer(answer(error, to: ask, hasBody: ask.mayHaveLongBody))
    }
  }

  private func judged(_ ask: Ask) throws(Problem) -> Step {
    let parts = ask.target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    let path = parts.first ?? ""
    if ask.method == "OPTIONS", ask.preflightMethod != nil {
      if let refusal = access.refusal(of: ask, for: .open) { throw refusal }
      return .answer(Self.preflight)
    }
    let match: RouteMatch
    do throws(Problem) {
      match = try RouteMatch(ask.method, path, among: RouteTable.all)
    } catch {
      // Who may not read is not told what there is.
      if let refusal = access.refusal(of: ask, for: .read) { throw refusal }
      throw error
    }
    let query = parts.count > 1 ? parts[1] : ""
    var ask = ask
    if match.route.takesQueryToken, ask.authorization == nil {
      let token = try Query(query, known: [Access.queryToken], repeated: [], isLenient: true).text(Access.queryToken)
      ask.authorization = token.map { "Bearer " + $0 }
    }
    if let refusal = access.refusal(of: ask, for: match.route.level) { throw refusal }
    if case .posted = match.route.work, ask.bodyType != "application/json" {
      throw Problem(
        .unsupportedMediaType, "'\(Shown.value(ask.contentType ?? ""))' is no type that this route takes",
        remedy: "send Content-Type: application/json")
    }
    let values = try Query(
      query, known: match.route.parameters, repeated: match.route.repeated, isLenient: match.route.isTradingView)
    return .work(
      match.route,
      Question(
        ask: ask, names: match.names, query: values, market: market, limits: limits, backupRoot: backupRoot, page: page,
        access: access, times: try Self.times(values),
        who: match.route.level == .admin ? access.holder(ask) : ""))
  }

  /// What `time` says that times count.
  private static func times(_ query: Query) throws(Problem) -> TimeUnit? {
    switch query.text("time") {
    case nil: return nil
    case "s": return .seconds
    case "ms": return .milliseconds
    case let text?: throw Query.bad(text, "time", "ms or s")
    }
  }

  private static var preflight: Answer {
    var answer = Answer(status: 204, type: nil, [])
    answer.headers = [
      ("Access-Control-Allow-Methods", "GET, HEAD, POST"),
      ("Access-Control-Allow-Headers", "Authorization, Content-Type, Content-Encoding, If-None-Match"),
      ("Access-Control-Max-Age", "600"),
    ]
    return answer
  }

  /// The answer that a problem is.
  ///
  /// - Parameter hasBody: whether a body may be on its way that nobody reads.
  func answer(_ problem: Problem, to ask: Ask, hasBody: Bool) -> Answer {
    market.metrics.count(problem.code)
    if ask.target.hasPrefix(Route.tradingViewPrefix), problem.code.isOfQuestion {
      return UDFRoutes.error(problem.code.rawValue)
    }
    var problem = problem
    problem.leavesBody = hasBody
    return problem.answer
  }

  /// What an answer has besides what stands in every one (``always``); compressed where that is wanted. O(bytes).
  func completed(_ answer: Answer, _ ask: Ask) -> Answer {
    var answer = answer
    if answer.status == 200, ask.takesGzip { answer.compress() }
    answer.headers += access.crossOriginHeaders(ask)
    return answer
  }

  /// What stands in every answer.
  static let always = [
    ("Cache-Control", "no-cache"), ("Vary", "Accept, Accept-Encoding, Origin"), ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", "default-src 'self'"),
  ]
}
