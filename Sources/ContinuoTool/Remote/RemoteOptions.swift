// Which server a command asks in place of a data directory, with which token, and how long it waits.
// Invariant: a URL that is taken can be asked; where the client was not built in, none is taken.
// Not here: asking (RemoteServer), which token is for what (RemoteTokens).

internal import ArgumentParser

/// The server that is asked.
struct RemoteOptions: ParsableArguments {
  static let settings: [Setting] = [
    Setting(name: "url", kind: .value, group: "source"), .value("token-file"), .value("ca-file"),
    .value("request-timeout"),
  ]

  @Option(
    help: ArgumentHelp("The server to ask in place of a directory: http://127.0.0.1:8321.", valueName: "url"))
  var url: String?

  @Option(
    help: ArgumentHelp(
      "The token to send is in this file; else in CONTINUO_READ_TOKEN, CONTINUO_WRITE_TOKEN or CONTINUO_ADMIN_TOKEN.",
      valueName: "file"),
    completion: .file())
  var tokenFile: String?

  @Option(
    help: ArgumentHelp(
      "The certificates (PEM) of those who signed the server's, where the system does not know them.", valueName: "file"
    ),
    completion: .file())
  var caFile: String?

  @Option(help: ArgumentHelp("How long a request of --url may take with its answer.", valueName: "seconds"))
  var requestTimeout = 60

  mutating func validate() throws {
    guard (1...86_400).contains(requestTimeout) else {
      throw ValidationError("'\(requestTimeout)' for --request-timeout is not within 1 to 86400")
    }
    guard let url else { return }
    guard Self.isAddress(url) else {
      throw ValidationError("'\(url)' for --url is no address of a server: write http://127.0.0.1:8321")
    }
    #if !CONTINUO_SERVER
      #if CONTINUO_FRONT
        let why = "that takes 'continuo-server', which is not beside this program"
      #else
        let why = "this program was built without the server"
      #endif
      throw ValidationError(
        "--url cannot be asked: \(why); build it with "
          + "'swift build -c release --traits Server,Postgres --product continuo-server'")
    #endif
  }

  /// Whether a text is http:// or https:// with a host, and nothing behind a path.
  private static func isAddress(_ text: String) -> Bool {
    guard let scheme = ["http://", "https://"].first(where: { text.hasPrefix($0) }) else { return false }
    let rest = text.dropFirst(scheme.count)
    let host = rest.prefix { $0 != "/" }
    return !host.isEmpty && !host.hasPrefix(":")
      && rest.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"?#@\\\"<>^`{|}".utf8.contains($0) }
  }

  /// The address without a slash at its end.
  var base: String? {
    url.map { text in
      var text = Substring(text)
      while text.hasSuffix("/") { text.removeLast() }
      return String(text)
    }
  }
}

/// What a command works on that writes: a directory, or what a server serves.
struct PlaceOptions: ParsableArguments {
  static let settings: [Setting] =
    [Setting(name: "data-dir", kind: .value, group: "source")] + RemoteOptions.settings

  @Option(
    help: ArgumentHelp("The data directory.", valueName: "dir"), completion: .directory)
  var dataDir: String?

  @OptionGroup var remote: RemoteOptions

  mutating func validate() throws {
    try DirectoryOptions.check(dataDir)
    guard (dataDir == nil) != (remote.url == nil) else {
      throw ValidationError(
        dataDir == nil
          ? "there is nothing to work on: give --data-dir DIR or --url http://127.0.0.1:8321"
          : "--data-dir and --url are both given: this command works on one of them")
    }
  }

  /// The directory, where one was given.
  var directory: String { dataDir ?? "" }
}
