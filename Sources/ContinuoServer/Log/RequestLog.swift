// What the log tells of requests: each one for who looks for something, and those that were refused.
// Invariant: no token is ever in it, wherever it stood in the request.
// Not here: how a line looks (LogLines), who is refused (Access).

#if Server
  internal import Continuo
  internal import ContinuoFormats
  internal import Logging

  struct RequestLog: Sendable {
    let logger: Logger

    /// Tells of a request that was answered.
    ///
    /// - Parameters:
    ///   - route: the route's name; nil where there is none.
    ///   - peer: where it came from.
    func note(_ ask: Ask, _ route: String?, _ status: Int, _ duration: Duration, peer: () -> String?) {
      let isRefused = status == 401 || status == 403
      guard logger.logLevel <= .debug || isRefused && logger.logLevel <= .info else { return }
      var values: Logger.Metadata = [
        "method": "\(Shown.value(ask.method))", "status": .stringConvertible(status),
        "target": "\(Self.shown(ask.target))", "peer": "\(peer() ?? "")",
      ]
      if isRefused { logger.info("refused", metadata: values) }
      values["route"] = "\(route ?? "")"
      values["seconds"] = .stringConvertible(duration.seconds)
      logger.debug("request", metadata: values)
    }

    /// More of a target is not shown, in characters.
    private static let targetCharactersMax = 1000

    /// Path and query without the token that may stand in the query. O(length).
    static func shown(_ target: String) -> String {
      let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
      var shown = String(parts.first ?? "")
      if parts.count > 1 {
        let pairs = parts[1].split(separator: "&", omittingEmptySubsequences: false).map { pair in
          let name = pair.prefix { $0 != "=" }
          let isToken = PercentText.decoded(name, plusIsSpace: true)?.description == Access.queryToken
          return isToken ? name + "=redacted" : pair
        }
        shown += "?" + pairs.joined(separator: "&")
      }
      return String(shown.prefix(targetCharactersMax))
    }
  }
#endif
