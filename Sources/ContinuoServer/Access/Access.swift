// Who may ask for what: tokens against strangers, Host and Origin against browsers that strangers lead here.
// Invariant: what a route needs is asked before anything else of the request is looked at.
// Not here: how tokens are compared (Secret), limits (ServerLimits).
// Rules 14.1, 14.2.

/// What opens which routes, and which names the server goes by.
public struct Access: Sendable {
  /// What a route needs.
  enum Level: Int {
    case open, read, write, admin
  }

  /// The name of a token in a query, for clients that send no headers of their own.
  static let queryToken = "access_token"

  /// What reads need; nil: nothing.
  public var read: Secret?
  /// What writes need; nil: nothing.
  public var write: Secret?
  /// What undoing and all that is for operators need; nil: what writes need.
  public var admin: Secret?
  /// The names in `Host` that are ours, in lower case, without a port.
  public var hosts: Set<String> = ["localhost", "127.0.0.1", "[::1]"]
  /// The origins besides our own whose pages may ask, as browsers send them.
  public var origins: Set<String> = []

  /// Everything is open to who comes by a name of this machine. O(1).
  public init() {}

  /// Why a request is not answered; nil: it may be. O(length).
  func refusal(of ask: Ask, for level: Level) -> Problem? {
    if let problem = foreign(ask) { return problem }
    switch level {
    case .open: return nil
    case .read: return refusal(ask, opening: [read, write, admin], needed: read)
    case .write: return refusal(ask, opening: [write, admin], needed: write)
    case .admin: return refusal(ask, opening: admin == nil ? [write] : [admin], needed: admin ?? write)
    }
  }

  private func refusal(_ ask: Ask, opening: [Secret?], needed: Secret?) -> Problem? {
    guard needed != nil else { return nil }
    let token = Self.bearer(ask.authorization)
    guard let token else {
      return Problem(
        .unauthorized, "this route needs a token", remedy: "send the header 'Authorization: Bearer TOKEN'")
    }
    // Every one is compared, so that time does not tell which was nearly right.
    let isOpened = opening.reduce(false) { found, secret in secret?.matches(token) ?? false || found }
    let isKnown = [read, write, admin].reduce(false) { found, secret in secret?.matches(token) ?? false || found }
    if isOpened { return nil }
    return isKnown
      ? Problem(.forbidden, "this token does not open this route", remedy: "send the token that does")
      : Problem(
        .unauthorized, "the token is not the right one", remedy: "send the one that the server was started with")
  }

  /// Whose token a request has, for the audit log. O(length).
  func holder(_ ask: Ask) -> String {
    guard let token = Self.bearer(ask.authorization) else { return "no token" }
    let names = [("admin token", admin), ("write token", write), ("read token", read)]
    return names.first { $0.1?.matches(token) ?? false }?.0 ?? "no token that is known"
  }

  private static func bearer(_ header: String?) -> String? {
    guard let header, header.count > 7, header.prefix(7).lowercased() == "bearer " else { return nil }
    return header.dropFirst(7).trimmed
  }

  // MARK: browsers

  private func foreign(_ ask: Ask) -> Problem? {
    guard let host = ask.host, hosts.contains(Self.name(host)) else {
      return Problem(
        .forbidden, "'\(Shown.value(ask.host ?? ""))' is no name of this server",
        remedy: "ask by a name that it knows, or start it with --allow-host NAME")
    }
    guard let origin = ask.origin, !isAllowed(origin: origin, host: host) else { return nil }
    return Problem(
      .forbiddenOrigin, "pages of '\(Shown.value(origin))' may not ask here",
      remedy: "start the server with --allow-origin ORIGIN where they are to")
  }

  /// Whether pages of an origin may ask: our own, and those that were named.
  private func isAllowed(origin: String, host: String) -> Bool {
    origins.contains(origin) || origin.lowercased() == "http://" + host.lowercased()
      || origin.lowercased() == "https://" + host.lowercased()
  }

  /// The headers that let a page of another origin read the answer.
  func crossOriginHeaders(_ ask: Ask) -> [(name: String, value: String)] {
    guard let origin = ask.origin, origins.contains(origin) else { return [] }
    return [
      ("Access-Control-Allow-Origin", origin), ("Access-Control-Expose-Headers", "ETag, Link, Retry-After"),
    ]
  }

  /// A host without its port, in lower case.
  private static func name(_ host: String) -> String {
    var name = host.lowercased()
    // A port is digits: what else stands behind a colon belongs to a name that nobody has.
    if let colon = name.lastIndex(of: ":"), name[colon...].dropFirst().allSatisfy({ ("0"..."9").contains($0) }) {
      name = String(name[..<colon])
    }
    if name.hasSuffix(".") { name.removeLast() }
    return name
  }
}
