// The built program as a server: killed while events come in, asked to end, in the way of another one.
// Invariant: only processes that were started here are killed.
// Not here: what a directory is after a crash (ContinuoStorageTests, ContinuoToolTests).

#if Server
  import Foundation
  import HTTPTypes
  import HummingbirdTesting
  import NIOCore
  import Synchronization
  import Testing

  @Suite("The program as a server")
  struct ServedKillTests {
    private static func scratch() throws -> URL {
      let scratch = FileManager.default.temporaryDirectory.appending(path: "continuo-\(UUID().uuidString)")
      try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
      return scratch
    }

    private static func ask(
      _ port: Int, _ target: String, _ method: HTTPRequest.Method = .get, _ body: String? = nil
    ) async throws -> Reply {
      try await TestClient.withClient(host: "127.0.0.1", port: port) { client in
        let headers: HTTPFields = body == nil ? [:] : [.contentType: "application/x-ndjson"]
        let response = try await client.execute(
          TestClient.Request(
            target, method: method, authority: "localhost", headers: headers, body: body.map { ByteBuffer(string: $0) })
        )
        return Reply(response.head, response.body)
      }
    }

    /// How many batches were answered with 200, one after the other.
    private final class Answered: Sendable {
      let batches = Atomic<Int>(0)
    }

    private static let rows = 50

    /// Sends batches until the connection breaks; tells of each that was answered.
    private static func send(_ port: Int, sender: Int, from first: Int, _ answered: Answered) async {
      _ = try? await TestClient.withClient(host: "127.0.0.1", port: port) { client in
        for batch in first... {
          let text = (0..<rows).map {
            #"{"chain":\#(sender),"block":\#(batch * rows + $0),"timestamp":1733058000000000,"token":"T\#(sender)","amount_usd":"1","price_usd":"1"}"#
              + "\n"
          }.joined()
          let response = try await client.execute(
            TestClient.Request(
              "/v1/events", method: .post, authority: "localhost", headers: [.contentType: "application/x-ndjson"],
              body: ByteBuffer(string: text)))
          guard response.status == .ok else { return }
          answered.batches.store(batch + 1, ordering: .relaxed)
        }
      }
    }

    /// Rules 7.1, 7.5: what was answered is there, whole, after any number of kills; of what was not, whole batches.
    @Test("Killed while events come in: what was answered 200 is there")
    func killed() async throws {
      let scratch = try Self.scratch()
      defer { try? FileManager.default.removeItem(at: scratch) }
      let directory = scratch.appending(path: "market").path
      let answered = (0..<3).map { _ in Answered() }
      var held = [0, 0, 0]
      for round in 0..<5 {
        let server = try await ServedProcess(directory)
        let before = answered.reduce(0) { $0 + $1.batches.load(ordering: .relaxed) }
        await withTaskGroup(of: Void.self) { group in
          for (sender, answered) in answered.enumerated() {
            let (port, first) = (server.port, held[sender] / Self.rows)
            group.addTask { await Self.send(port, sender: sender, from: first, answered) }
          }
          // Under load: some batches are answered, others on their way.
          while answered.reduce(0, { $0 + $1.batches.load(ordering: .relaxed) }) < before + 10 + 7 * round {
            await Task.yield()
          }
          await server.kill()
        }
        let again = try await ServedProcess(directory)
        for (sender, answered) in answered.enumerated() {
          let reply = try await Self.ask(again.port, "/v1/tokens/T\(sender)/candles?interval=1d")
          let candles = reply.object["candles"] as? [[String: Any]]
          held[sender] = candles?.first?["trades"] as? Int ?? 0
          #expect(held[sender] >= answered.batches.load(ordering: .relaxed) * Self.rows, "round \(round): lost")
          #expect(held[sender] % Self.rows == 0, "round \(round): a part of a batch")
        }
        await again.endWell()
      }
      print("killed 5 times, \(held) events held")
    }

    /// Rules 7.8, 10.8: five lines, an end with 0, everything kept; a port or a directory that is taken says so.
    @Test("Five lines, a graceful end, and places that are taken")
    func ends() async throws {
      let scratch = try Self.scratch()
      defer { try? FileManager.default.removeItem(at: scratch) }
      let directory = scratch.appending(path: "market").path
      let server = try await ServedProcess(directory)
      #expect(server.lines.count == 5 && server.lines[0].hasPrefix("continuo ") && server.lines[2] == directory)
      #expect(server.lines[1] == "http://127.0.0.1:\(server.port)")
      #expect(server.lines[3].hasPrefix("restored 0 events of 0 tokens in "))
      // What is to be tried is tried.
      let shown = try #require(server.lines[4].split(separator: "'").last { $0.hasPrefix("{") })
      let taken = try await Self.ask(server.port, "/v1/events", .post, String(shown))
      #expect(taken.object["accepted"] as? Int == 1, "\(taken.text)")

      let locked = try await Program.outcome(["serve", "--data-dir", directory, "--listen", "127.0.0.1:0"])
      #expect(locked.status == 1 && locked.error.hasPrefix("continuo: locked: "), "\(locked.error)")
      let other = scratch.appending(path: "other").path
      let port = try await Program.outcome(["serve", "--data-dir", other, "--listen", "127.0.0.1:\(server.port)"])
      // The directory may have been read, and the log have said so, before the port was asked for.
      let said = port.error.split(separator: "\n").last ?? ""
      #expect(port.status == 1 && said.hasPrefix("continuo: cannot_listen: 127.0.0.1:"), "\(port.error)")
      await server.endWell()

      let second = try await ServedProcess(directory)
      #expect(second.lines[3].hasPrefix("restored 1 events of 1 tokens in ") && second.lines[4].hasSuffix("/v1/top'"))
      await second.endWell(SIGINT)
    }

    /// Rule 14.1: other machines are let in by nobody's oversight.
    @Test("An address of other machines needs a token, or a word")
    func addresses() async throws {
      let scratch = try Self.scratch()
      defer { try? FileManager.default.removeItem(at: scratch) }
      let serve = ["serve", "--data-dir", scratch.appending(path: "market").path]
      for listen in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0", "127.0.0.1.example:0"] {
        let refused = try await Program.outcome(serve + ["--listen", listen])
        #expect(refused.status == 2 && refused.error.contains("--write-token-file"), "\(refused.error)")
      }
      let token = scratch.appending(path: "token")
      try Data("too short\n".utf8).write(to: token)
      let short = try await Program.outcome(serve + ["--write-token-file", token.path])
      #expect(short.status == 1 && short.error.contains("holds no token"), "\(short.error)")
      let missing = try await Program.outcome(serve + ["--read-token-file", token.path + "-not"])
      #expect(missing.status == 1 && missing.error.hasPrefix("continuo: not_found: "), "\(missing.error)")
    }

    /// Rule 14.1: a token may stand in the environment; a file is closer.
    @Test("Tokens of the environment")
    func environment() async throws {
      let scratch = try Self.scratch()
      defer { try? FileManager.default.removeItem(at: scratch) }
      let directory = scratch.appending(path: "market").path
      let variables = ["CONTINUO_READ_TOKEN": "reader-of-the-market", "CONTINUO_WRITE_TOKEN": "writer-of-the-market"]
      let server = try await ServedProcess(directory, environment: variables)
      for (token, status) in [
        ("nobody-at-all-here", 401), ("reader-of-the-market", 200), ("writer-of-the-market", 200),
      ] {
        let reply = try await Self.ask(server.port, "/udf/config?access_token=\(token)")
        #expect(reply.status == status, "\(token): \(reply.text)")
      }
      await server.endWell()
      let file = scratch.appending(path: "token")
      try Data("another-reader-comes\n".utf8).write(to: file)
      let second = try await ServedProcess(directory, ["--read-token-file", file.path], environment: variables)
      for (token, status) in [("reader-of-the-market", 401), ("another-reader-comes", 200)] {
        let reply = try await Self.ask(second.port, "/udf/config?access_token=\(token)")
        #expect(reply.status == status, "\(token): \(reply.text)")
      }
      await second.endWell()
      let short = try await Program.outcome(["serve", "--data-dir", directory], ["CONTINUO_ADMIN_TOKEN": "short"])
      #expect(short.status == 1 && short.error.contains("CONTINUO_ADMIN_TOKEN holds no token"), "\(short.error)")
      #expect(!short.error.contains("short"), "\(short.error)")
    }
  }
#endif
