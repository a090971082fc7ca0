// A server that a test asks: in this process on a port of its own, with a clock that the test sets, and a client to it.
// Invariant: the body runs when the directory is open, or held before that; everything is gone afterwards. Nobody is asked what an address is: a name
// service that is slow would hold up every connection of the run.
// Not here: what is expected of it (the tests), the built program (ServedProcess).

#if Server
  import Continuo
  import ContinuoBytes
  import ContinuoServer
  import ContinuoStorage
  import Foundation
  import HTTPTypes
  import HummingbirdTesting
  import Logging
  import NIOCore
  import ServiceLifecycle
  import Synchronization
  import Testing

  /// What the wall clock of a test says.
  final class TestClock: Sendable {
    private let microseconds: Atomic<Int64>

    init(_ text: String) { microseconds = Atomic(Timestamp(text)?.microseconds ?? 0) }

    func set(_ instant: Timestamp) { microseconds.store(instant.microseconds, ordering: .relaxed) }

    var now: Timestamp { Timestamp(microseconds: microseconds.load(ordering: .relaxed)) }
  }

  /// An opening of a directory that goes on when it is told to.
  final class HeldOpening: Sendable {
    private let gate = MonitorHandle(false)

    func wait() { gate.locked(when: { $0 }, { _ in }) }

    func goOn() { gate.locked { $0 = true } }
  }

  struct Served: Sendable {
    typealias Send = @Sendable (String, HTTPRequest.Method, HTTPFields, ByteBuffer?) async throws -> Reply

    let port: Int
    let clock: TestClock
    /// Where the directory is, in a folder that is the test's.
    let directory: URL
    /// Asks the server to end, as SIGTERM does.
    let end: @Sendable () async -> Void
    private let send: Send

    init(
      port: Int, clock: TestClock, directory: URL, end: @escaping @Sendable () async -> Void, _ send: @escaping Send
    ) {
      (self.port, self.clock, self.directory, self.end, self.send) = (port, clock, directory, end, send)
    }

    /// The project's root.
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()

    /// Lends a server.
    ///
    /// - Parameters:
    ///   - held: nil: it is lent when its directory is open; else as soon as candles are answered, with all else held back.
    ///   - told: is told what the server tells of itself.
    static func run(
      _ edit: (inout Server.Options) -> Void = { _ in }, held: HeldOpening? = nil,
      told report: @escaping @Sendable (Server.Event) -> Void = { _ in },
      _ body: @Sendable (Served) async throws -> Void
    ) async throws {
      // Whatever goes wrong, the directory is opened in the end.
      defer { held?.goOn() }
      let scratch = FileManager.default.temporaryDirectory.appending(path: "continuo-\(UUID().uuidString)")
      try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
      defer { try? FileManager.default.removeItem(at: scratch) }
      let clock = TestClock("2026-01-01T00:00:00Z")
      let directory = scratch.appending(path: "market")
      var options = Server.Options(dataDirectory: directory.path) { clock.now }
      options.ledger.durability = .none
      options.backupRoot = scratch.appending(path: "backups").path
      try FileManager.default.createDirectory(
        at: scratch.appending(path: "backups"), withIntermediateDirectories: true)
      options.port = 0
      edit(&options)
      if let held { options.ledger.onChecked = { _ in held.wait() } }
      let (events, told) = AsyncStream<Server.Event>.makeStream()
      let server = Server(options).application { event in
        report(event)
        told.yield(event)
      }
      let services = ServiceGroup(
        configuration: ServiceGroupConfiguration(
          services: [server],
          logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }))
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
          defer { told.finish() }
          try await services.run()
        }
        guard let port = await Self.port(events, isHeld: held != nil) else {
          try await group.waitForAll()
          throw ServerEnded()
        }
        do {
          try await Self.lend(port, clock, directory, { await services.triggerGracefulShutdown() }, body)
          held?.goOn()
        } catch {
          held?.goOn()
          await services.triggerGracefulShutdown()
          throw error
        }
        await services.triggerGracefulShutdown()
        try await group.waitForAll()
      }
    }

    /// It ended before it was ready, and did not say why.
    private struct ServerEnded: Error {}

    /// The port of a server that is ready; nil where it ends before.
    private static func port(_ events: AsyncStream<Server.Event>, isHeld: Bool) async -> Int? {
      var (port, isReady): (Int?, Bool) = (nil, false)
      for await event in events {
        switch event {
        case .listening(let number): port = number
        case .ready: isReady = true
        case .answering: if isHeld { isReady = true }
        case .damaged, .certificate, .ending: break
        }
        if isReady, let port { return port }
      }
      return nil
    }

    /// Lends a server that is there, on a connection of its own.
    private static func lend(
      _ port: Int, _ clock: TestClock, _ directory: URL, _ end: @escaping @Sendable () async -> Void,
      _ body: @Sendable (Served) async throws -> Void
    ) async throws {
      let client = TestClient(host: "127.0.0.1", port: port, configuration: .init(timeout: .seconds(20)))
      client.connect()
      let served = Served(port: port, clock: clock, directory: directory, end: end) { target, method, headers, body in
        let response = try await client.execute(
          TestClient.Request(target, method: method, authority: "localhost", headers: headers, body: body))
        return Reply(response.head, response.body)
      }
      let outcome: Result<Void, any Error>
      do { outcome = .success(try await body(served)) } catch { outcome = .failure(error) }
      try? await client.shutdown()
      try outcome.get()
    }

    /// Lends the same server on another connection.
    func again(_ body: @Sendable (Served) async throws -> Void) async throws {
      try await Self.lend(port, clock, directory, end, body)
    }

    // MARK: requests

    func get(_ target: String, _ headers: HTTPFields = [:]) async throws -> Reply {
      try await send(target, .get, headers, nil)
    }

    func head(_ target: String) async throws -> Reply { try await send(target, .head, [:], nil) }

    func csv(_ target: String) async throws -> Reply { try await get(target, [.accept: "text/csv"]) }

    func post(
      _ target: String, _ body: some Sequence<UInt8>, type: String? = "application/json", _ headers: HTTPFields = [:]
    ) async throws -> Reply {
      var headers = headers
      if let type { headers[.contentType] = type }
      return try await send(target, .post, headers, ByteBuffer(bytes: body))
    }

    /// Sends a text of events.
    func events(_ text: String, type: String = "application/x-ndjson") async throws -> Reply {
      try await post("/v1/events", text.utf8, type: type)
    }

    /// Sends the sample of the project.
    func sample() async throws {
      let text = try String(contentsOf: Self.root.appending(path: "data/sample.csv"), encoding: .utf8)
      let reply = try await events(text, type: "text/csv")
      try #require(reply.status == 200 && reply.text.hasPrefix(#"{"accepted":22,"duplicates":1,"#), "\(reply.text)")
    }
  }

  /// What came back.
  struct Reply: Sendable {
    let status: Int
    let headers: HTTPFields
    let bytes: [UInt8]

    init(_ head: HTTPResponse, _ body: ByteBuffer?) {
      status = head.status.code
      headers = head.headerFields
      bytes = body.map { Array($0.readableBytesView) } ?? []
    }

    var text: String { String(decoding: bytes, as: UTF8.self) }

    /// The body as JSON.
    var object: [String: Any] {
      ((try? JSONSerialization.jsonObject(with: Data(bytes))) as? [String: Any]) ?? [:]
    }

    /// The code of a problem.
    var code: String? { object["code"] as? String }
  }
#endif
