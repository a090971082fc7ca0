// A server that a command asks: requests out, answers in, and whatever goes wrong as the command's one line.
// Invariant: a request ends within its time, whatever the server does; a problem that the server tells keeps its code.
// Not here: which requests a command makes (RemoteReads, RemoteWrites, RemoteIngest), what answers hold (RemoteRows).

#if CONTINUO_SERVER
  internal import AsyncHTTPClient
  internal import ContinuoBytes
  internal import ContinuoFormats
  internal import ContinuoServer
  internal import FoundationEssentials
  internal import NIOCore
  internal import NIOHTTP1

  final class RemoteServer {
    /// An answer that is none of a problem.
    struct Reply: Sendable {
      let status: Int
      let type: String
      /// What leads to the next page, percent-encoded; nil on the last one.
      let cursor: String?
      let isIncomplete: Bool
      let body: [UInt8]
    }

    /// A name in a query with its value.
    typealias Parameter = (name: String, value: String)

    /// How long a connection may take to come about.
    private static let connectSecondsMax = 10

    /// The address, as it is shown.
    let base: String
    private let client: HTTPClient
    private let tokens: RemoteTokens
    private let seconds: Int

    /// Makes ready to ask; nothing is sent. O(1).
    init(_ base: String, _ options: RemoteOptions) throws {
      self.base = base
      seconds = options.requestTimeout
      tokens = try RemoteTokens(file: options.tokenFile, ProcessInfo.processInfo.environment)
      var configuration = try RemoteAuthorities.configuration(file: options.caFile)
      configuration.redirectConfiguration = .disallow
      configuration.timeout.connect = .seconds(Int64(min(Self.connectSecondsMax, seconds)))
      configuration.httpVersion = .http1Only
      // Who asks wants to know at once that nobody is there.
      configuration.connectionPool.retryConnectionEstablishment = false
      client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    deinit { try? client.syncShutdown() }

    // MARK: requests

    /// Asks for something. O(answer).
    ///
    /// - Parameter path: its parts, not encoded.
    func get(_ path: [String], _ query: [Parameter] = [], cursor: String? = nil, csv: Bool = false) throws -> Reply {
      var request = try request(.GET, path, query, cursor: cursor, .read)
      request.headers.add(name: "Accept", value: csv ? "text/csv" : "application/json")
      return try send(request)
    }

    /// Sends something. O(body, answer).
    func post(
      _ path: [String], query: [Parameter] = [], _ level: RemoteTokens.Level, type: String = "application/json",
      _ body: [UInt8]
    ) throws -> Reply {
      var request = try request(.POST, path, query, cursor: nil, level)
      request.headers.add(name: "Content-Type", value: type)
      request.body = .bytes(body, length: .known(Int64(body.count)))
      return try send(request)
    }

    private func request(
      _ method: HTTPMethod, _ path: [String], _ query: [Parameter], cursor: String?, _ level: RemoteTokens.Level
    ) throws -> HTTPClientRequest {
      var pairs = query.map { "\($0.name)=\(PercentText.encoded($0.value))" }
      if let cursor { pairs.append("cursor=\(cursor)") }
      let target = "/" + path.map(PercentText.encoded).joined(separator: "/")
      var request = HTTPClientRequest(url: base + target + (pairs.isEmpty ? "" : "?" + pairs.joined(separator: "&")))
      request.method = method
      if let token = try tokens.token(for: level) {
        request.headers.add(name: "Authorization", value: "Bearer " + token)
      }
      return request
    }

    private func send(_ request: HTTPClientRequest) throws -> Reply {
      let reply: Reply
      do {
        reply = try RemoteExchange(client: client, request: request, seconds: seconds).answer()
      } catch { throw failure(error) }
      guard reply.status == 200 else { throw failure(of: reply) }
      return reply
    }

    // MARK: what goes wrong

    private func failure(of reply: Reply) -> Failure {
      guard let problem = RemoteProblem(reply.body), let code = Failure.Code(rawValue: problem.code) else {
        return badAnswer("status \(reply.status) of type '\(Visible.text(reply.type))'")
      }
      let remedy: String
      if code == .unauthorized || code == .forbidden && problem.detail.contains("token") {
        remedy = "give the server's token by --token-file FILE, or by the environment (CONTINUO_READ_TOKEN, …)"
      } else {
        remedy = Visible.text(problem.remedy)
      }
      return Failure(code, Visible.text(problem.detail), remedy: remedy)
    }

    /// An answer that no server of this kind gives.
    func badAnswer(_ what: String) -> Failure {
      Failure(
        .badAnswer, "\(Visible.text(base)) answered with \(what)",
        remedy: "see whether a Continuo server of this version listens there, and correct --url")
    }

    private func failure(_ failure: any Error) -> any Error {
      switch failure {
      case let failure as Failure: return failure
      case is NIOTooManyBytesError: return badAnswer("more than \(RemoteExchange.bytesMax >> 20) MiB")
      case let failure as HTTPClientError where failure == .deadlineExceeded || failure == .readTimeout:
        return Failure(
          .requestTimeout, "\(Visible.text(base)) did not answer within \(seconds) s",
          remedy: "see whether it is busy or gone, or give a longer --request-timeout")
      default:
        let why = Visible.text(String(String(describing: failure).prefix(200)))
        return Failure(
          .unreachable, "no server answers at \(Visible.text(base)): \(why)",
          remedy: "start one with 'continuo serve', or correct --url")
      }
    }
  }

  extension RemoteOptions {
    /// The server that is to be asked; nil where a directory is.
    func server() throws -> RemoteServer? { try base.map { try RemoteServer($0, self) } }
  }
#endif
