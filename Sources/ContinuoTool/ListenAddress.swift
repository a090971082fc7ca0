// Where a server listens, as one word: an address and a port.
// Invariant: what is read is written back the same.
// Not here: who may come there (Serve), listening (ContinuoServer).

internal import ArgumentParser

/// An address and a port, like 127.0.0.1:8321 or [::1]:0.
struct ListenAddress: ExpressibleByArgument, CustomStringConvertible {
  let host: String
  /// 0 takes one that is free.
  let port: UInt16

  static let usual = ListenAddress(host: "127.0.0.1", port: 8321)

  init(host: String, port: UInt16) { (self.host, self.port) = (host, port) }

  init?(argument: String) {
    guard let colon = argument.lastIndex(of: ":"), let port = UInt16(argument[argument.index(after: colon)...]) else {
      return nil
    }
    var host = argument[..<colon]
    if host.hasPrefix("["), host.hasSuffix("]") {
      host = host.dropFirst().dropLast()
    } else if host.contains(":") {
      return nil
    }
    guard !host.isEmpty, !host.contains("[") else { return nil }
    self.init(host: String(host), port: port)
  }

  /// The host as it stands in a URL.
  var name: String { host.contains(":") ? "[\(host)]" : host }

  var description: String { "\(name):\(port)" }
  var defaultValueDescription: String { description }

  /// Whether it is this machine's alone.
  var isLoopback: Bool {
    if host == "localhost" || host == "::1" { return true }
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
  }
}
