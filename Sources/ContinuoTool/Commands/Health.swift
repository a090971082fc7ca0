// `continuo health`: whether a server is there, and whether it can be relied on, for who watches containers.
// Invariant: exit 0 says yes, exit 1 no, with one line why; it takes a few seconds at most.
// Not here: what makes a server ready (ContinuoServer).

#if CONTINUO_SERVER
  internal import ArgumentParser
  internal import AsyncHTTPClient
  internal import ContinuoBytes
  internal import ContinuoFormats
  internal import FoundationEssentials

  struct Health: ConsoleCommand {
    static let configuration = CommandConfiguration(
      abstract: "Ask a server whether it is there, or with --ready whether it answers and takes events.",
      discussion: """
        Example:
          continuo health --url http://127.0.0.1:8321 --ready
        """)

    static let settings: [Setting] = ConsoleOptions.settings + [.value("url"), .value("ca-file"), .flag("ready")]

    @Option(help: ArgumentHelp("Where the server is.", valueName: "url"))
    var url = "http://127.0.0.1:8321"

    @Option(
      help: ArgumentHelp(
        "The certificates (PEM) of those who signed the server's, where the system does not know them.",
        valueName: "file"),
      completion: .file())
    var caFile: String?

    @Flag(help: "Ask whether it is ready, and print what is wrong.")
    var ready = false

    @OptionGroup var consoleOptions: ConsoleOptions

    private static let secondsMax = 5
    private static let answerBytesMax = 1 << 16

    mutating func validate() throws {
      guard url.hasPrefix("http://") || url.hasPrefix("https://") else {
        throw ValidationError("'\(url)' for --url is no address of a server: write http://127.0.0.1:8321")
      }
      while url.hasSuffix("/") { url.removeLast() }
    }

    func run(_ console: Console) throws {
      let answer = try asked(url + (ready ? "/readyz" : "/healthz"))
      let state = ready ? try? JSONDecoder().decode(Readiness.self, from: Data(answer.body)) : nil
      let reasons = Visible.text((state?.reasons ?? []).joined(separator: "; "))
      guard answer.status == 200, !ready || state?.ready == true else {
        throw Failure(
          .notReady, "\(Visible.text(url)) answers \(answer.status)\(reasons.isEmpty ? "" : ": \(reasons)")",
          remedy: "wait where it looks at its directory; else docs/operations.md says what to do")
      }
      let line = (ready ? "ready" : "ok") + (reasons.isEmpty ? "" : ": \(reasons)")
      try StandardOutput.write(Array((line + "\n").utf8))
    }

    private struct Readiness: Decodable {
      let ready: Bool
      let reasons: [String]
    }

    private func asked(_ target: String) throws -> RemoteServer.Reply {
      let client = HTTPClient(
        eventLoopGroupProvider: .singleton, configuration: try RemoteAuthorities.configuration(file: caFile))
      defer { try? client.syncShutdown() }
      do {
        return try RemoteExchange(
          client: client, request: HTTPClientRequest(url: target), seconds: Self.secondsMax,
          bytesMax: Self.answerBytesMax
        ).answer()
      } catch {
        throw Failure(
          .unreachable, "\(Visible.text(target)): \(Visible.text(String(describing: error)))",
          remedy: "start a server there with 'continuo serve', or correct --url")
      }
    }
  }
#endif
