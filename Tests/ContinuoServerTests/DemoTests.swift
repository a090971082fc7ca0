// `continuo serve --demo` as a process: its own tokens, alive, going on after a restart, and never beside other data.
// Invariant: what moves is waited for, however long that takes within a generous limit.
// Not here: what happens in the demo's market (DemoMarketTests), how the page looks (tools/page-test).

#if Server
  import Foundation
  import HTTPTypes
  import HummingbirdTesting
  import NIOCore
  import Testing

  #if canImport(Glibc)
    import Glibc
  #else
    import Darwin
  #endif

  @Suite("The demo")
  struct DemoTests {
    private static func ask(_ port: Int, _ target: String) async throws -> Reply {
      try await TestClient.withClient(host: "127.0.0.1", port: port) { client in
        let response = try await client.execute(
          TestClient.Request(target, method: .get, authority: "127.0.0.1", headers: [:], body: nil))
        return Reply(response.head, response.body)
      }
    }

    /// Asks until an answer is as it is wanted.
    private static func until(
      _ port: Int, _ target: String, _ isWanted: (Reply) -> Bool
    ) async throws -> Bool {
      let end = ContinuousClock.now + .seconds(120)
      while ContinuousClock.now < end {
        if isWanted(try await ask(port, target)) { return true }
        try await Task.sleep(for: .milliseconds(50))
      }
      return false
    }

    private static func counted(_ metrics: String, _ name: String) -> Double {
      let line = metrics.split(separator: "\n").first { $0.hasPrefix(name + " ") }
      return line.flatMap { Double($0.dropFirst(name.count + 1)) } ?? 0
    }

    private static func withScratch(_ body: (String) async throws -> Void) async throws {
      let scratch = FileManager.default.temporaryDirectory.appending(path: "continuo-\(UUID().uuidString)")
      defer { try? FileManager.default.removeItem(at: scratch) }
      try await body(scratch.path)
    }

    @Test("Invented tokens that say so, trades and reorgs as they come, and on from there after a restart")
    func alive() async throws {
      try await Self.withScratch { directory in
        let demo = ["--demo", "--demo-days", "1", "--demo-rate", "300"]
        let server = try await ServedProcess(directory, demo)
        #expect(server.lines[4].hasPrefix("demo: SYNTHETIC data, drawn from seed 7: "), "\(server.lines)")
        let tokens = try await Self.ask(server.port, "/v1/tokens").object["tokens"] as? [[String: Any]] ?? []
        #expect(tokens.count == 36)
        for token in tokens {
          #expect((token["token"] as? String)?.hasSuffix(".demo") == true)
          #expect(token["holders"] as? Int ?? 0 > 20)
        }
        let page = try await Self.ask(server.port, "/").text
        #expect(page.contains("<p id=\"notice\">Synthetic data"))
        let first = try await Self.ask(server.port, "/v1/top?limit=1").object["top"] as? [[String: Any]]
        let volume = try #require(first?.first?["volume_24h_usd"] as? String)
        let moves = try await Self.until(server.port, "/v1/top?limit=1") { reply in
          ((reply.object["top"] as? [[String: Any]])?.first?["volume_24h_usd"] as? String).map { $0 != volume } ?? false
        }
        #expect(moves)
        let undoes = try await Self.until(server.port, "/metrics") {
          Self.counted($0.text, "continuo_undone_total") > 0
        }
        #expect(undoes)
        let metrics = try await Self.ask(server.port, "/metrics").text
        #expect(!metrics.contains("continuo_events_rejected_total{reason=\"conflict\"} 1"))
        await server.endWell()

        let again = try await ServedProcess(directory, demo)
        #expect(again.lines[3].hasPrefix("restored ") && !again.lines[3].hasPrefix("restored 0 "))
        let held = Self.counted(try await Self.ask(again.port, "/metrics").text, "continuo_events_accepted_total")
        let goesOn = try await Self.until(again.port, "/metrics") {
          Self.counted($0.text, "continuo_events_accepted_total") > held + 10
        }
        #expect(goesOn)
        await again.endWell(SIGINT)

        let other = try await Program.outcome([
          "serve", "--data-dir", directory, "--listen", "127.0.0.1:0", "--demo", "--demo-seed", "8",
        ])
        #expect(
          other.status == 1 && other.error.contains("holds the demo of seed 7, not of 8; give --demo-seed 7"),
          "\(other.error)")
        let inspected = try await Program.run(["inspect", "--data-dir", directory, "--format", "csv", "--quiet"])
        #expect(inspected.contains("tokens") && !inspected.isEmpty)
      }
    }

    @Test("A directory with anything else in it stays as it is")
    func refuses() async throws {
      try await Self.withScratch { directory in
        _ = try await Program.run(["ingest", "--data-dir", directory, "data/sample.csv", "--quiet"])
        // Without its files' room, in which a file system counts what it has not sorted out yet.
        func inspected() async throws -> [Substring] {
          try await Program.run(["inspect", "--data-dir", directory, "--digest", "--quiet"]).split(separator: "\n")
            .filter { !$0.hasPrefix("journal_bytes") && !$0.hasPrefix("state_bytes") }
        }
        let before = try await inspected()
        let refused = try await Program.outcome(["serve", "--data-dir", directory, "--listen", "127.0.0.1:0", "--demo"])
        #expect(refused.status == 1, "\(refused.error)")
        #expect(
          refused.error.hasPrefix("continuo: bad_parameter: \(directory) holds events that are not the demo's"),
          "\(refused.error)")
        let after = try await inspected()
        #expect(after == before && after.contains { $0.hasPrefix("state_digest") })
      }
    }

    @Test("Numbers out of range are refused", arguments: [["--demo-days", "0"], ["--demo-rate", "1001"]])
    func ranges(option: [String]) async throws {
      let refused = try await Program.outcome(["serve", "--demo"] + option)
      #expect(refused.status == 2 && refused.error.contains("is not within 1 to "), "\(refused.error)")
    }
  }
#endif
