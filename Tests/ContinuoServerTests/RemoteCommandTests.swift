// The commands of the command line, asked of a server: what they print is what they print of a directory with the same state.
// Invariant: the server is asked by the built program, through a socket; its clock stands still, so that its state does.
// Not here: routes (RouteTests), what commands print of files (GoldenTests of the tool).

#if Server
  import Continuo
  import ContinuoServer
  import Foundation
  import HTTPTypes
  import Testing

  /// What can be asked of a market, one of each kind.
  private enum Questions {
    static let all = [
      "candles", "candles --interval 1d --token ART", "candles --token BEAT --token ART --fill previous --interval 4h",
      "candles --interval 1m --fill null --limit 3",
      "candles --token ART --from 2024-12-01T10:00:00Z --to 1733065200000000",
      "candles --token ART --from 2025-01-01T00:00:00Z", "stats", "stats --token ART --token BEAT",
      "stats --as-of 2024-12-01T13:00:00Z", "stats --window 7d",
      "stats --token ART --window 1h --as-of 2024-12-01T13:00:00Z",
      "top", "top --by change-24h --limit 2", "top --by holders", "top --as-of 2024-12-01T13:00:00Z",
      "holders --token ART",
      "holders --token ART --limit 1", "explain --token ART --bucket 2024-12-01T10:00:00Z",
      "explain --token ART --interval 1d --bucket 2024-12-02T00:00:00Z",
    ]
  }

  @Suite("Commands with --url", .serialized)
  struct RemoteCommandTests {
    private static func run(
      _ line: String, _ more: [String] = [], environment: [String: String] = [:]
    ) async throws -> Program.Outcome {
      try await Program.outcome(line.split(separator: " ").map(String.init) + more, environment)
    }

    /// A server with the sample whose clock is the newest event's, as that of a command.
    private static func sampled(_ body: @Sendable @escaping (Served, String) async throws -> Void) async throws {
      try await Served.run { served in
        try await served.sample()
        served.clock.set(Timestamp(microseconds: 0))
        try await body(served, "http://127.0.0.1:\(served.port)")
      }
    }

    /// Rules 7.8, 10.1: the same bytes as of a directory, in each format, and the same notes.
    @Test("Every question, in every format", arguments: Questions.all)
    func questions(line: String) async throws {
      try await Self.sampled { served, url in
        let backup = try await served.post("/v1/admin/backup", #"{"to":"one"}"#.utf8)
        #expect(backup.status == 200, "\(backup.text)")
        let copy = served.directory.deletingLastPathComponent().appending(path: "backups/one").path
        for format in ["table", "csv", "json"] + (line.hasPrefix("candles") ? ["chart"] : []) {
          let local = try await Self.run(line, ["--data-dir", copy, "--format", format])
          let remote = try await Self.run(line, ["--url", url, "--format", format])
          #expect(local.status == 0 && !local.out.isEmpty, "\(local.error)")
          #expect(remote.status == 0 && remote.out == local.out, "\(format): \(remote.error)\(remote.out)")
          #expect(remote.error == local.error)
        }
      }
    }

    /// Rule 7.8: of the figures of a directory those that a copy has too; all are what the server answers.
    @Test("inspect, with its digest")
    func inspect() async throws {
      try await Self.sampled { served, url in
        let answer = try await served.get("/v1/inspect?digest=true")
        let json = try await Self.run("inspect --digest --format json", ["--url", url])
        #expect(json.status == 0 && json.out == answer.text, "\(json.error)")
        _ = try await served.post("/v1/admin/backup", #"{"to":"one"}"#.utf8)
        let copy = served.directory.deletingLastPathComponent().appending(path: "backups/one").path
        func shown(_ place: String, _ path: String) async throws -> [Substring] {
          try await Self.run("inspect --digest", [place, path]).out.split(separator: "\n").filter {
            !$0.contains("_bytes") && !$0.contains("unkept_")
          }
        }
        let (remote, local) = (try await shown("--url", url), try await shown("--data-dir", copy))
        #expect(remote == local && remote.count > 10)
      }
    }

    /// Rules 7.8, 10.2: the receipt with the lines of the file, byte for byte; and what was sent is what a directory holds.
    @Test(
      "ingest: the same receipt and the same state",
      arguments: ["", "--batch-size 3", "--batch-size 1"])
    func ingest(options: String) async throws {
      try await Served.run { served in
        let url = "http://127.0.0.1:\(served.port)"
        let arguments = "ingest \(options) data/sample.csv".split(separator: " ").map(String.init)
        try await Self.compare(arguments, served)
        let again = try await Self.run("ingest data/sample.csv --format csv --quiet", ["--url", url])
        #expect(again.out.split(separator: "\n").last?.hasPrefix("0,23,13,") == true, "\(again.out)")
      }
    }

    /// Rule 10.2: hostile rows are judged there as here.
    @Test("ingest: rows that cannot be sent as they are")
    func hostile() async throws {
      try await Served.run { served in
        let folder = served.directory.deletingLastPathComponent()
        var text = Data("block,timestamp,token,side,amount_usd,token_amount,wallet\n".utf8)
        text.append(Data("1,2024-12-01T10:00:00Z,\"a,\"\"b\\\",buy,1,2,\n2,x,A,buy,1,1,\n3,2024-12-01T10:00:00Z,".utf8))
        text.append(Data([0xC3, 0x28]))
        text.append(
          Data(",buy,1,1,\n4,2024-12-01T10:00:00Z,A,buy,1,1\n5,2024-12-01T10:00:01Z,A\u{1}é,,1e-3,2,w\n".utf8))
        text.append(
          Data("6,2024-12-01T10:00:01Z,A,,1e-3,2,\(String(repeating: "9", count: 70000))\n7,1,A,,1,1,\n".utf8))
        let file = folder.appending(path: "hostile.csv")
        try text.write(to: file)
        try await Self.compare(["ingest", file.path, "--time-unit", "s"], served)
      }
    }

    /// Rule 10.2: a compressed file of real trades, in several requests.
    @Test("ingest: a file of many rows, and its candles")
    func many() async throws {
      try await Served.run { served in
        let own = try await Self.compare(["ingest", "data/ibm-2013-10.csv.gz", "--batch-size", "50000"], served)
        let line = "candles --token IBM --interval 1m --format csv"
        let local = try await Self.run(line, ["--data-dir", own])
        let remote = try await Self.run(line, ["--url", "http://127.0.0.1:\(served.port)"])
        // The last may be closed by the server's clock alone.
        let (left, right) = (Self.lines(local.out).dropLast(), Self.lines(remote.out).dropLast())
        #expect(left == right && left.count > 1000)
      }
    }

    /// Rule 10.2: a stranger's file is read by its map here, and judged there.
    @Test("ingest: a map")
    func map() async throws {
      try await Served.run { served in
        let folder = served.directory.deletingLastPathComponent()
        let file = folder.appending(path: "stranger.csv")
        try Data("when,sym,px,qty\n1733047205,ART,2.5,10\n1733047265,ART,2.6,5\n,ART,1,1\n".utf8).write(to: file)
        try await Self.compare(
          [
            "ingest", file.path, "--time-unit", "s", "--map",
            "timestamp=when,token=sym,price_usd=px,token_amount=qty,amount_usd=px*qty,block=#",
          ], served)
      }
    }

    /// Ingests into a directory and into a server; both say the same, and hold the same afterwards.
    ///
    /// - Returns: the directory.
    @discardableResult
    private static func compare(_ arguments: [String], _ served: Served) async throws -> String {
      let url = "http://127.0.0.1:\(served.port)"
      let own = served.directory.deletingLastPathComponent().appending(path: "own").path
      let local = try await Program.outcome(arguments + ["--format", "json", "--data-dir", own])
      let remote = try await Program.outcome(arguments + ["--format", "json", "--url", url])
      #expect(local.status == 0 && remote.status == 0, "\(remote.error)")
      #expect(withoutSequence(remote.out) == withoutSequence(local.out))
      // The last line says where it is now; before it stand warnings and rejected rows.
      #expect(lines(remote.error).dropLast() == lines(local.error).dropLast())
      let held = try await run("inspect --digest --format json", ["--url", url])
      let kept = try await run("inspect --digest --format json", ["--data-dir", own])
      for name in ["state_digest", "incomplete_tokens", "swaps"] {
        let (there, here) = (field(name, of: held.out), field(name, of: kept.out))
        #expect(there == here && here != nil, "\(name)")
      }
      return own
    }

    /// Rule 4.4: what has more rows than a page comes whole, in order.
    @Test("candles over several pages")
    func pages() async throws {
      try await Self.sampled { served, url in
        let line = "candles --token ART --interval 1m --fill previous --to 2024-12-08T00:00:00Z --format csv"
        served.clock.set(try #require(Timestamp("2024-12-08T00:00:00Z")))
        let all = try await Self.run(line, ["--url", url])
        let buckets = Self.lines(all.out).dropFirst().map { $0.prefix(20) }
        #expect(buckets.count > 9000 && buckets == buckets.sorted() && Set(buckets).count == buckets.count)
        let newest = try await Self.run(line, ["--url", url, "--limit", "6000"])
        #expect(Self.lines(newest.out).dropFirst() == Self.lines(all.out).suffix(6000))
      }
    }

    /// Rules 3.8, 7.8: what is undone over HTTP is undone, and the commands say what they say of a directory.
    @Test("rollback, retract, checkpoint and backup")
    func writes() async throws {
      try await Self.sampled { served, url in
        let rollback = try await Self.run("rollback --chain 137 --block 901 --yes --format json", ["--url", url])
        #expect(rollback.out == "{\"chain\":137,\"block\":901,\"undone\":3}\n", "\(rollback.error)")
        let retract = try await Self.run(
          "retract --kind swap --chain 1 --block 110 --log-index 0 --format csv", ["--url", url])
        #expect(retract.out == "undone\n1\n", "\(retract.error)")
        let again = try await Self.run("retract --kind swap --chain 1 --block 110 --log-index 0", ["--url", url])
        #expect(again.status == 1 && again.out.isEmpty)
        #expect(
          again.error
            == "continuo: not_found: no swap of chain 1, block 110, log index 0 is held; it was never accepted, is undone already, "
            + "or lies below the horizon\n")
        let checkpoint = try await Self.run("checkpoint --format csv", ["--url", url])
        #expect(checkpoint.out.hasPrefix("sequence,bytes,seconds\n"), "\(checkpoint.error)")
        let backup = try await Self.run("backup --to two --format csv", ["--url", url])
        #expect(backup.out.hasPrefix("files,bytes,events,sequence,seconds\n"), "\(backup.error)")
        let copy = served.directory.deletingLastPathComponent().appending(path: "backups/two").path
        for format in ["csv", "json", "table"] {
          let there = try await Self.run("verify --format \(format)", ["--url", url])
          let here = try await Self.run("verify --format \(format)", ["--data-dir", copy])
          #expect(there.status == 0 && here.status == 0, "\(there.error)\(here.error)")
          // The copy has the same events in other files.
          let (left, right) = (Self.words(there.out), Self.words(here.out))
          #expect(left.count == right.count && left.last == right.last, "\(there.out)\(here.out)")
        }
        let held = try await Self.run("stats --format csv", ["--url", url])
        let copied = try await Self.run("stats --format csv", ["--data-dir", copy])
        #expect(held.out == copied.out && !held.out.isEmpty)
        for line in [
          "rollback --chain 1 --block 1 --dry-run", "rollback --chain 1 --block 1", "backup --to x --digest",
        ] {
          let refused = try await Self.run(line, ["--url", url])
          #expect(refused.status == 2 && refused.out.isEmpty, "\(refused.error)")
        }
      }
    }

    /// Rule 10.3: what is watched is asked of the server again, and what moved is marked.
    @Test("top --watch")
    func watch() async throws {
      try await Self.sampled { served, url in
        let shell = try Shell()
        let program = try Program.path()
        func shown() -> String {
          (try? String(contentsOf: shell.folder.appending(path: "out"), encoding: .utf8)) ?? ""
        }
        // A thread of a test may hold signals back, and its children then do too.
        let plain =
          "import os, signal, sys; signal.pthread_sigmask(signal.SIG_SETMASK, []); "
          + "signal.signal(signal.SIGINT, signal.SIG_DFL); os.execvp(sys.argv[1], sys.argv[1:])"
        let command = "python3 -c '\(plain)' timeout 120 '\(program)' top --watch --url \(url)"
        async let end = shell.run("echo $$ >pid; exec \(command) >out 2>&1")
        try await shell.wait("the ranking") { shown().contains("ART") }
        served.clock.set(try #require(Timestamp("2024-12-08T00:00:00Z")))
        let event =
          #"{"block":9000,"timestamp":"2024-12-01T13:00:00Z","token":"NEWER","amount_usd":"1","price_usd":"1"}"#
        let sent = try await served.events(event)
        #expect(sent.object["accepted"] as? Int == 1, "\(sent.text)")
        try await shell.wait("a new token") { shown().contains("• ") }
        #expect(shown().contains("NEWER") && shown().contains("as of 2024-12-"), "\(shown())")
        _ = try await shell.run("kill -INT $(cat pid)")
        let status = try await end.status
        #expect(status == 0, "\(shown())")
      }
    }

    /// Rules 10.8, 11.1: a problem of the server is the command's own error: its code, status 1, an empty stdout.
    @Test("Problems are the command's own errors")
    func problems() async throws {
      try await Self.sampled { _, url in
        for line in [
          "candles --token NONE", "candles --token ART --token NONE", "stats --token ART --token NONE",
          "holders --token NONE",
          "explain --token NONE --bucket 2024-12-01T10:00:00Z", "stats --window 1h --token ART --token NONE",
        ] {
          let outcome = try await Self.run(line, ["--url", url])
          #expect(outcome.status == 1 && outcome.out.isEmpty)
          #expect(outcome.error.hasPrefix("continuo: unknown_token: no event of token 'NONE'; "), "\(outcome.error)")
          #expect(Self.lines(outcome.error).count == 1)
        }
        for line in [
          "candles --data-dir d", "top --input data/sample.csv", "top --retention raw=90d", "checkpoint --data-dir d",
        ] {
          let outcome = try await Self.run(line, ["--url", url])
          #expect(outcome.status == 2 && outcome.out.isEmpty, "\(line): \(outcome.error)")
        }
        let owned = try await Self.run("ingest data/sample.csv --durability none", ["--url", url])
        #expect(owned.status == 2 && owned.error.contains("--durability"), "\(owned.error)")
      }
    }

    /// Rule 10.8: nobody there, or somebody else: one line that names the address and what to do.
    @Test("No server there")
    func nobody() async throws {
      let outcome = try await Self.run("top --url http://127.0.0.1:1 --request-timeout 30")
      #expect(outcome.status == 1 && outcome.out.isEmpty)
      #expect(
        outcome.error.hasPrefix("continuo: unreachable: no server answers at http://127.0.0.1:1"), "\(outcome.error)")
      #expect(outcome.error.contains("continuo serve") && Self.lines(outcome.error).count == 1)
      for text in [
        "127.0.0.1:8321", "ftp://127.0.0.1", "http://", "http://:80", "http://a b", "http://a/?b", "http://u@a",
      ] {
        let refused = try await Program.outcome(["top", "--url", text])
        #expect(refused.status == 2 && refused.error.contains("for --url is no address"), "\(text): \(refused.error)")
      }
    }

    /// Rule 14.1: tokens come from a file, or from the variables that the server reads.
    @Test("Tokens")
    func tokens() async throws {
      let (read, write, admin) = ("a-token-that-reads", "a-token-that-writes", "a-token-of-admins")
      try await Served.run {
        $0.access.read = Secret(Array(read.utf8))
        $0.access.write = Secret(Array(write.utf8))
        $0.access.admin = Secret(Array(admin.utf8))
      } _: { served in
        let url = "http://127.0.0.1:\(served.port)"
        let none = try await Self.run("top", ["--url", url])
        #expect(none.status == 1 && none.error.hasPrefix("continuo: unauthorized: "), "\(none.error)")
        #expect(none.error.contains("--token-file"))
        let variables = ["CONTINUO_READ_TOKEN": read, "CONTINUO_WRITE_TOKEN": write, "CONTINUO_ADMIN_TOKEN": admin]
        for line in ["ingest data/sample.csv", "top", "checkpoint", "rollback --chain 7 --block 1 --yes"] {
          let outcome = try await Self.run(line, ["--url", url, "--quiet"], environment: variables)
          #expect(outcome.status == 0, "\(line): \(outcome.error)")
        }
        let file = served.directory.deletingLastPathComponent().appending(path: "token")
        try (write + "\n").write(to: file, atomically: true, encoding: .utf8)
        let named = try await Self.run("top", ["--url", url, "--token-file", file.path])
        #expect(named.status == 0, "\(named.error)")
        let refused = try await Self.run("checkpoint", ["--url", url, "--token-file", file.path])
        #expect(refused.status == 1 && refused.error.hasPrefix("continuo: forbidden: "), "\(refused.error)")
      }
    }

    // MARK: texts

    private static func lines(_ text: String) -> [Substring] { text.split(separator: "\n") }

    /// What stands between commas, colons and spaces.
    private static func words(_ text: String) -> [Substring] { text.split { ",: \n".contains($0) } }

    /// A receipt's text without the position of a journal, which is each directory's own.
    private static func withoutSequence(_ text: String) -> String {
      text.replacing(/"sequence":\d+/, with: "")
    }

    private static func field(_ name: String, of json: String) -> Substring? {
      json.split(separator: ",").first { $0.contains("\"\(name)\":") }
    }
  }
#endif
