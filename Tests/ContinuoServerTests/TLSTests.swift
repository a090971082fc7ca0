// HTTPS as clients see it: the built program with certificates that openssl makes, asked by curl.
// Invariant: whoever does not speak TLS gets nothing, and keeps nobody from being served.
// Not here: what is answered (RouteTests).

#if Server
  import Foundation
  import Testing

  #if canImport(Glibc)
    import Glibc
  #else
    import Darwin
  #endif

  @Suite("TLS")
  struct TLSTests {
    /// A folder with two certificates, `one` and `two`, and the first of them as what is shown: `shown.pem`, `shown.key`.
    static func shell() async throws -> Shell {
      let shell = try Shell()
      for name in ["one", "two"] {
        let made = try await shell.run(
          """
          openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=\(name) \
          -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout \(name).key -out \(name).pem
          """)
        try #require(made.status == 0, "openssl")
      }
      try await show("one", shell)
      return shell
    }

    private static func show(_ name: String, _ shell: Shell) async throws {
      // As tools that renew certificates do: each file in one step.
      let shown = try await shell.run(
        "for e in pem key; do cp \(name).$e new.$e && mv new.$e shown.$e || exit 1; done")
      try #require(shown.status == 0)
    }

    static func serve(_ shell: Shell, _ arguments: [String] = []) async throws -> ServedProcess {
      let errors = shell.folder.appending(path: "errors")
      try Data().write(to: errors)
      return try await ServedProcess(
        shell.path("market"),
        ["--tls-certificate", shell.path("shown.pem"), "--tls-key", shell.path("shown.key")] + arguments,
        errors: try FileHandle(forWritingTo: errors))
    }

    private static func errors(_ shell: Shell) throws -> String {
      try String(contentsOf: shell.folder.appending(path: "errors"), encoding: .utf8)
    }

    /// What curl prints of an answer: the body, then the version and the status.
    static func ask(
      _ shell: Shell, _ server: ServedProcess, _ path: String, _ options: String = ""
    ) async throws -> String { try await ask(shell, server.port, path, options) }

    static func ask(_ shell: Shell, _ port: Int, _ path: String, _ options: String) async throws -> String {
      try await shell.run(
        "curl -s -m 60 --cacert one.pem --cacert shown.pem \(options) -w ' %{http_version} %{http_code}' "
          + "'https://localhost:\(port)\(path)'"
      ).text
    }

    private static func connections(_ shell: Shell, _ server: ServedProcess) async throws -> Int {
      let metrics = try await ask(shell, server, "/metrics")
      let line = metrics.split(separator: "\n").first { $0.hasPrefix("continuo_connections ") }
      return line.flatMap { Int($0.dropFirst("continuo_connections ".count)) } ?? -1
    }

    private static func subject(_ shell: Shell, _ server: ServedProcess) async throws -> String {
      try await shell.run(
        "openssl s_client -servername localhost -connect 127.0.0.1:\(server.port) </dev/null | openssl x509 -noout -subject"
      )
      .text
    }

    @Test("HTTP/2, HTTP/1.1 and HTTP/1.0, each as the client asks")
    func versions() async throws {
      let shell = try await Self.shell()
      let server = try await Self.serve(shell)
      #expect(server.lines[1] == "https://127.0.0.1:\(server.port)")
      for (option, version) in [("--http2", "2"), ("--http1.1", "1.1"), ("--http1.0", "1.1")] {
        let answer = try await Self.ask(shell, server, "/healthz", option)
        #expect(answer == "{\"status\":\"ok\"}\n \(version) 200")
      }
      let line = #"{"block":1,"timestamp":"2024-12-01T13:00:00Z","token":"ART","amount_usd":"1","price_usd":"1"}"#
      for (option, accepted) in [("--http2", 1), ("--http1.1", 0)] {
        let taken = try await Self.ask(
          shell, server, "/v1/events", "\(option) -H 'Content-Type: application/x-ndjson' --data '\(line)'")
        #expect(taken.hasPrefix("{\"accepted\":\(accepted),\"duplicates\":\(1 - accepted),"), "\(taken)")
      }
      // Another name, and a page of another origin, are refused as without TLS.
      let host = try await Self.ask(shell, server, "/healthz", "--http2 -H 'Host: evil.example'")
      #expect(host.hasSuffix("2 403"), "\(host)")
      let origin = try await Self.ask(shell, server, "/healthz", "--http2 -H 'Origin: https://evil.example'")
      #expect(origin.hasSuffix("2 403"), "\(origin)")
      await server.endWell()
    }

    @Test("A certificate that cannot be shown is an error at the start, with its file")
    func broken() async throws {
      let shell = try await Self.shell()
      let made = try await shell.run(
        "openssl ec -in one.key -aes256 -passout pass:secret -out locked.key && mkdir folder && echo nothing > none.pem"
      )
      try #require(made.status == 0)
      func start(_ certificate: String?, _ key: String?) async throws -> Program.Outcome {
        try await Program.outcome(
          ["serve", "--data-dir", shell.path("market"), "--listen", "127.0.0.1:0"]
            + (certificate.map { ["--tls-certificate", shell.path($0)] } ?? [])
            + (key.map { ["--tls-key", shell.path($0)] } ?? []))
      }
      for (certificate, key, code, words) in [
        ("missing.pem", "one.key", "not_found", "missing.pem cannot be read"),
        ("one.pem", "missing.key", "not_found", "missing.key cannot be read"),
        ("folder", "one.key", "not_found", "it is a directory"),
        ("none.pem", "one.key", "bad_parameter", "none.pem holds no certificate"),
        ("one.pem", "none.pem", "bad_parameter", "none.pem holds no private key"),
        ("one.pem", "locked.key", "bad_parameter", "locked.key holds no private key"),
        ("one.pem", "two.key", "bad_parameter", "two.key is not that of the first certificate in"),
      ] {
        let outcome = try await start(certificate, key)
        #expect(outcome.status == 1 && outcome.error.hasPrefix("continuo: \(code): "), "\(outcome)")
        #expect(outcome.error.contains(words) && outcome.error.contains("; "), "\(outcome.error)")
      }
      for (certificate, key, missing) in [("one.pem", nil, "--tls-key"), (nil, "one.key", "--tls-certificate")] {
        let outcome = try await start(certificate, key)
        #expect(outcome.status == 2 && outcome.error.contains("needs \(missing)"), "\(outcome.error)")
      }
      #expect(!FileManager.default.fileExists(atPath: shell.path("market")))
    }

    @Test("The command line believes those that it is told to, and no others")
    func authorities() async throws {
      let shell = try await Self.shell()
      let server = try await Self.serve(shell)
      let url = "https://localhost:\(server.port)"
      for command in [["health"], ["inspect", "--format", "csv"]] {
        let good = try await Program.outcome(command + ["--url", url, "--ca-file", shell.path("one.pem")])
        #expect(good.status == 0, "\(command) \(good.error)")
        for wrong in [[], ["--ca-file", shell.path("two.pem")]] {
          let refused = try await Program.outcome(command + ["--url", url] + wrong)
          #expect(refused.status == 1 && refused.error.contains("unreachable"), "\(command) \(refused)")
        }
        let none = try await Program.outcome(command + ["--url", url, "--ca-file", shell.path("one.key")])
        #expect(none.status == 1 && none.error.contains("one.key"), "\(command) \(none)")
      }
      await server.endWell()
    }

    @Test("Certificate and key in one file, with others and text around them")
    func together() async throws {
      let shell = try await Self.shell()
      let made = try await shell.run(
        "(echo of two; openssl ecparam -name prime256v1; cat two.key; openssl x509 -in two.pem -text) > shown.pem && cp shown.pem shown.key"
      )
      try #require(made.status == 0)
      let server = try await Self.serve(shell)
      let subject = try await Self.subject(shell, server)
      #expect(subject.contains("two"))
      await server.endWell()
    }

    @Test("Certificates are read again: when asked, and when the files change; a broken one is not shown")
    func reload() async throws {
      let shell = try await Self.shell()
      let server = try await Self.serve(shell)
      let first = try await Self.subject(shell, server)
      #expect(first.contains("one"))
      try await Self.show("two", shell)
      server.send(SIGHUP)
      try await shell.wait("the second certificate is shown") { try await Self.subject(shell, server).contains("two") }
      // Somebody writes half of the next one, and asks.
      try Data("-----BEGIN CERTIFICATE-----\nnothing\n".utf8).write(to: shell.folder.appending(path: "shown.pem"))
      server.send(SIGHUP)
      try await shell.wait("it says so") {
        let errors = try Self.errors(shell)
        return errors.contains("the certificate stays the one before: ") && errors.contains("holds no certificate")
      }
      let kept = try await Self.subject(shell, server)
      #expect(kept.contains("two"))
      // A key of another certificate is not shown either, however long it lies there; nobody asks.
      _ = try await shell.run("cp one.pem shown.pem")
      try await shell.wait("it says so by itself") { try Self.errors(shell).contains("is not that of the first") }
      let still = try await Self.subject(shell, server)
      #expect(still.contains("two"))
      try await Self.show("one", shell)
      try await shell.wait("the first one is shown again") { try await Self.subject(shell, server).contains("one") }
      let answer = try await Self.ask(shell, server, "/healthz", "--http2")
      #expect(answer.hasSuffix(" 2 200"))
      await server.endWell()
    }

    /// Rule 14.3: whoever begins and does not go on is let go; whoever speaks something else too.
    @Test("Plain HTTP, garbage, half a handshake, HTTP/2 without a stream: closed, and others are served")
    func strangers() async throws {
      let shell = try await Self.shell()
      let server = try await Self.serve(shell, ["--idle-timeout", "2"])
      let port = server.port
      let preface = #"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\000\000\000\004\000\000\000\000\000"#
      try await withThrowingTaskGroup(of: Void.self) { group in
        for bytes in [
          "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", "\u{0}\u{1}\u{2}garbage",
          "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}", "",
        ] {
          group.addTask {
            let heard = try await RawConnection.exchange(port, [bytes])
            #expect(!heard.contains("HTTP/"), "\(heard)")
          }
        }
        for speaks in ["true", "printf '\(preface)'", "echo nothing of HTTP/2, and more than a preface has"] {
          group.addTask {
            // Answers no ping, and would wait for long.
            _ = try await shell.run(
              "\(speaks) | openssl s_client -quiet -alpn h2 -servername localhost -connect 127.0.0.1:\(port)")
          }
        }
        for _ in 0..<5 {
          let answer = try await Self.ask(shell, server, "/healthz", "--http2")
          #expect(answer.hasSuffix(" 2 200"), "\(answer)")
        }
        try await shell.wait("all of them are gone") { try await Self.connections(shell, server) == 1 }
        try await group.waitForAll()
      }
      await server.endWell()
    }

    /// Rule 14.3: each stream has its time, also where its connection has others.
    @Test("A slow request of HTTP/2 ends with its time, one that is too large at once")
    func slow() async throws {
      let shell = try await Self.shell()
      let server = try await Self.serve(shell, ["--request-timeout", "2", "--max-body", "1"])
      let rows = (0..<20_000).map { "\($0),0,ART,1,1\n" }.joined()
      try Data(("block,timestamp,token,amount_usd,price_usd\n" + rows).utf8).write(
        to: shell.folder.appending(path: "rows.csv"))
      try Data(String(repeating: "1,0,A,1,1\n", count: 300_000).utf8).write(to: shell.folder.appending(path: "big.csv"))
      let post = "--http2 -H 'Content-Type: text/csv'"
      let slow = try await Self.ask(shell, server, "/v1/events", "\(post) --limit-rate 2k --data-binary @rows.csv")
      #expect(slow.contains("request_timeout") && slow.hasSuffix(" 2 408"), "\(slow)")
      let large = try await Self.ask(shell, server, "/v1/events", "\(post) --data-binary @big.csv")
      #expect(large.contains("too_large") && large.hasSuffix(" 2 413"), "\(large)")
      let held = try await Self.ask(shell, server, "/v1/inspect", "--http2")
      #expect(held.hasPrefix("{\"events\":0,"), "\(held)")
      try await shell.wait("nothing is held") {
        try await Self.ask(shell, server, "/metrics").contains("\ncontinuo_held_body_bytes 0\n")
      }
      await server.endWell()
    }

    /// Half a mebibyte of events.
    private static func rows(_ shell: Shell) throws {
      let rows = (0..<35_000).map { "\($0),0,ART,1,1\n" }.joined()
      try Data(("block,timestamp,token,amount_usd,price_usd\n" + rows).utf8).write(
        to: shell.folder.appending(path: "rows.csv"))
    }

    @Test("At the end what was asked is answered", arguments: ["--http2", "--http1.1"])
    func answered(_ version: String) async throws {
      let shell = try await Self.shell()
      let server = try await Self.serve(shell)
      try Self.rows(shell)
      let port = server.port
      async let sending = Self.ask(
        shell, port, "/v1/events", "\(version) -H 'Content-Type: text/csv' --limit-rate 50k --data-binary @rows.csv")
      try await shell.wait("it comes") {
        let metrics = try await Self.ask(shell, server, "/metrics")
        return !metrics.contains("\ncontinuo_held_body_bytes 0\n")
      }
      await server.endWell()
      let sent = try await sending
      #expect(sent.contains("\"accepted\":35000") && sent.hasSuffix(" 200"), "\(sent)")
    }

    @Test("A connection of HTTP/2 is not idle while it has a stream")
    func busy() async throws {
      let shell = try await Self.shell()
      let server = try await Self.serve(shell, ["--idle-timeout", "2"])
      try Self.rows(shell)
      // Seven seconds; an idle one is cut behind four.
      let sent = try await Self.ask(
        shell, server, "/v1/events", "--http2 -H 'Content-Type: text/csv' --limit-rate 70k --data-binary @rows.csv")
      #expect(sent.contains("\"accepted\":35000") && sent.hasSuffix(" 2 200"), "\(sent)")
      await server.endWell()
    }

    @Test("The end comes for those too who say nothing")
    func ends() async throws {
      let shell = try await Self.shell()
      let server = try await Self.serve(shell)
      let port = server.port
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { _ = try await RawConnection.exchange(port, [""]) }
        group.addTask {
          _ = try await shell.run("openssl s_client -quiet -alpn h2 -servername localhost -connect 127.0.0.1:\(port)")
        }
        group.addTask {
          _ = try await shell.run(
            "openssl s_client -quiet -alpn http/1.1 -servername localhost -connect 127.0.0.1:\(port)")
        }
        try await shell.wait("they are there") { try await Self.connections(shell, server) == 4 }
        await server.endWell()
        group.cancelAll()
      }
    }
  }
#endif
