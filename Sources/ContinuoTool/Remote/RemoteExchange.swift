// One request and its answer, while whoever asked waits.
// Invariant: it ends within its time; a server that still reads its directory is asked again until then.
// Not here: making requests, what an answer that is none means (RemoteServer).

#if CONTINUO_SERVER
  internal import AsyncHTTPClient
  internal import ContinuoBytes
  internal import FoundationEssentials
  internal import NIOCore
  internal import NIOHTTP1

  /// What came of a request.
  private struct RemoteOutcome: Sendable {
    var reply: RemoteServer.Reply?
    var failure: (any Error)?
  }

  /// What a server says that does not answer.
  struct RemoteProblem: Decodable {
    let code: String
    let detail: String
    let remedy: String

    init?(_ body: [UInt8]) {
      guard let problem = try? JSONDecoder().decode(RemoteProblem.self, from: Data(body)) else { return nil }
      self = problem
    }
  }

  /// A request on its way.
  struct RemoteExchange: Sendable {
    /// How long an answer may be, unless less is enough.
    static let bytesMax = 256 << 20
    /// How long to wait for a server that reads its directory.
    private static let pause = Duration.milliseconds(200)

    let client: HTTPClient
    let request: HTTPClientRequest
    let seconds: Int
    /// How long this answer may be.
    var bytesMax = Self.bytesMax

    /// Asks, and waits for the answer, whatever its status.
    func answer() throws -> RemoteServer.Reply {
      let outcome = MonitorHandle<RemoteOutcome?>(nil)
      Task { await run(outcome) }
      let come: RemoteOutcome? = outcome.locked(when: { $0 != nil }, { $0 })
      if let failure = come?.failure { throw failure }
      guard let reply = come?.reply else { throw CancellationError() }
      return reply
    }

    private func run(_ outcome: MonitorHandle<RemoteOutcome?>) async {
      var come = RemoteOutcome()
      do { come.reply = try await reply() } catch { come.failure = error }
      let told = come
      outcome.locked { $0 = told }
    }

    private func reply() async throws -> RemoteServer.Reply {
      let end = ContinuousClock.now + .seconds(seconds)
      while true {
        let left = Int64((end - ContinuousClock.now) / .nanoseconds(1))
        let response = try await client.execute(request, timeout: .nanoseconds(max(1, left)))
        let body = try await response.body.collect(upTo: bytesMax)
        let reply = RemoteServer.Reply(
          status: Int(response.status.code), type: response.headers.first(name: "Content-Type") ?? "",
          cursor: response.headers.first(name: "Link").flatMap(Self.cursor),
          isIncomplete: response.headers.first(name: "Continuo-Holders-Incomplete") == "true",
          body: Array(body.readableBytesView))
        guard reply.status == 503, RemoteProblem(reply.body)?.code == Failure.Code.restoring.rawValue,
          ContinuousClock.now + Self.pause < end
        else { return reply }
        try await Task.sleep(for: Self.pause)
      }
    }

    /// The cursor in the target of `Link`.
    private static func cursor(_ link: String) -> String? {
      guard let target = link.split(separator: ">").first, link.contains("rel=\"next\"") else { return nil }
      return target.split { $0 == "?" || $0 == "&" }.last { $0.hasPrefix("cursor=") }.map { String($0.dropFirst(7)) }
    }
  }
#endif
