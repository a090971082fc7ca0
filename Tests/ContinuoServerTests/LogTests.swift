// What a server tells who runs it: lines on standard error.
// Invariant: every line can be read by a program, and no token is in any of them.
// Not here: what is printed to standard output (ServedKillTests).

#if Server
  import Continuo
  import ContinuoServer
  import Foundation
  import HTTPTypes
  import HummingbirdTesting
  import Logging
  import NIOCore
  import Synchronization
  import Testing

  /// The lines of a log that a test reads.
  final class TestLog: Sendable {
    private let lines = Mutex<[[UInt8]]>([])

    func logger(_ form: LogLines.Form = .json, _ level: Logger.Level = .debug) -> Logger {
      Logger(label: "test") { _ in
        LogLines(form, level: level, clock: { Timestamp(microseconds: 1_733_058_000_000_000) }) { line in
          self.lines.withLock { $0.append(line) }
        }
      }
    }

    var texts: [String] { lines.withLock { $0.map { String(decoding: $0, as: UTF8.self) } } }

    var objects: [[String: Any]] { TestLog.objects(texts) }

    static func objects(_ lines: [String]) -> [[String: Any]] {
      lines.compactMap { (try? JSONSerialization.jsonObject(with: Data($0.utf8))) as? [String: Any] }
    }
  }

  @Suite("The log")
  struct LogTests {
    /// Rule 14.2: hostile text neither ends a line nor is obeyed by a terminal.
    @Test("Hostile text", arguments: LogLines.Form.allCases)
    func hostile(form: LogLines.Form) throws {
      let log = TestLog()
      let text = "a\n{\"level\":\"error\"}\r\u{1B}[2J\u{202E}\u{0}\" b=c \\"
      log.logger(form).error("\(text)", metadata: ["target": "\(text)", "count": .stringConvertible(7)])
      log.logger(form, .error).notice("not told")
      let line = try #require(log.texts.first)
      #expect(log.texts.count == 1)
      #expect(line.hasSuffix("\n") && line.dropLast().unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value < 0x7F })
      guard form == .json else {
        #expect(line.hasPrefix("2024-12-01T13:00:00Z error a\\u{A}{") && line.contains(" count=7 target=\"a\\u{A}"))
        return
      }
      let object = try #require(log.objects.first)
      #expect(object["level"] as? String == "error" && object["time"] as? String == "2024-12-01T13:00:00Z")
      #expect(object["count"] as? Int == 7 && (object["target"] as? String)?.hasPrefix("a\\u{A}{") == true)
    }

    private final class Gate: Sendable {
      private let state = Mutex((isOpen: false, text: ""))
      var text: String { state.withLock { $0.text } }

      func open() { state.withLock { $0.isOpen = true } }

      func write(_ bytes: [UInt8]) {
        while !state.withLock({ $0.isOpen }) { usleep(1000) }
        state.withLock { $0.text += String(decoding: bytes, as: UTF8.self) }
      }
    }

    /// Who reads the log does not hold up who serves; what was too much is counted.
    @Test("A log that nobody reads")
    func unread() throws {
      let gate = Gate()
      let queue = LogQueue(.json, clock: { Timestamp(microseconds: 0) }, write: { gate.write($0) })
      let line = [UInt8](repeating: UInt8(ascii: "x"), count: 999) + [10]
      // Two at most are on their way: one batch that is being written, and what is kept behind it.
      for _ in 0..<5000 { queue.take(line) }
      #expect(gate.text.isEmpty)
      gate.open()
      queue.close()
      let lines = gate.text.split(separator: "\n")
      let told = TestLog.objects(lines.map(String.init))
      let lost = told.compactMap { $0["count"] as? Int }.reduce(0, +)
      #expect(lost > 2000 && lines.count - told.count + lost == 5000, "\(lost) lost, \(lines.count) lines")
      #expect(told.allSatisfy { $0["level"] as? String == "warning" })
    }

    private static let (reading, writing) = ("reader-of-the-market", "writer-of-the-market")

    /// Rule 14.1: a line for the start, for what was refused, for each request and for the end; tokens are redacted wherever they stand.
    @Test("The lines of a real server, and no token among them")
    func lines() async throws {
      let scratch = FileManager.default.temporaryDirectory.appending(path: "continuo-\(UUID().uuidString)")
      try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
      defer { try? FileManager.default.removeItem(at: scratch) }
      let file = scratch.appending(path: "log")
      try Data().write(to: file)
      let server = try await ServedProcess(
        scratch.appending(path: "market").path, ["--log-level", "debug"],
        environment: ["CONTINUO_READ_TOKEN": Self.reading, "CONTINUO_WRITE_TOKEN": Self.writing],
        errors: try FileHandle(forWritingTo: file))
      let asked: [(target: String, headers: HTTPFields)] = [
        ("/healthz", [:]), ("/v1/top", [:]), ("/v1/top", [.authorization: "Bearer \(Self.reading)"]),
        ("/v1/top?access_token=\(Self.writing)", [:]), ("/udf/config?access_token=\(Self.reading)&x=1", [:]),
        ("/udf/time?y=2&access%5Ftoken=\(Self.reading)", [:]), ("/no/such/thing", [:]),
      ]
      let port = server.port
      try await TestClient.withClient(host: "127.0.0.1", port: port) { client in
        for (target, headers) in asked {
          _ = try await client.execute(
            TestClient.Request(target, method: .get, authority: "localhost", headers: headers, body: nil))
        }
      }
      await server.endWell()
      let text = try String(contentsOf: file, encoding: .utf8)
      #expect(!text.contains(Self.reading) && !text.contains(Self.writing), "\(text)")
      let lines = text.split(separator: "\n").map(String.init)
      let objects = TestLog.objects(lines)
      #expect(objects.count == lines.count && objects.allSatisfy { $0["time"] is String && $0["level"] is String })
      let messages = objects.compactMap { $0["message"] as? String }
      #expect(messages.prefix(2) == ["starting", "ready"] && messages.last == "stopped", "\(text)")
      let requests = objects.filter { $0["message"] as? String == "request" }
      #expect(requests.compactMap { $0["status"] as? Int } == [200, 401, 200, 401, 200, 200, 401])
      #expect(requests[0]["route"] as? String == "/healthz" && requests[0]["method"] as? String == "GET")
      #expect(requests[0]["seconds"] is Double && requests[0]["peer"] as? String == "127.0.0.1")
      #expect(requests[4]["target"] as? String == "/udf/config?access_token=redacted&x=1")
      #expect(requests[5]["target"] as? String == "/udf/time?y=2&access%5Ftoken=redacted")
      let refused = objects.filter { $0["message"] as? String == "refused" }
      #expect(refused.count == 3 && refused.allSatisfy { $0["level"] as? String == "info" })
    }

    /// By default a line for what counts, and none for requests; with --quiet none at all.
    @Test("How much is told")
    func levels() async throws {
      let scratch = FileManager.default.temporaryDirectory.appending(path: "continuo-\(UUID().uuidString)")
      try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
      defer { try? FileManager.default.removeItem(at: scratch) }
      for (arguments, wanted) in [
        ([], ["notice ready", "notice stopped"]), (["--quiet"], []), (["--log-level", "error"], []),
        (["--log-level", "info"], ["info starting", "notice ready", "notice stopped"]),
      ] {
        let file = scratch.appending(path: "log")
        try Data().write(to: file)
        let server = try await ServedProcess(
          scratch.appending(path: "market").path, ["--log-format", "text"] + arguments,
          errors: try FileHandle(forWritingTo: file))
        let healthy = try await Program.run(["health", "--url", "http://127.0.0.1:\(server.port)"])
        #expect(healthy == "ok\n")
        await server.endWell()
        let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
        #expect(lines.map { $0.split(separator: " ").dropFirst().prefix(2).joined(separator: " ") } == wanted)
      }
    }
  }
#endif
