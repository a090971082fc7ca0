// What lies in data/deploy beside a real server: its metrics, its command lines, and word to who started it.
// Invariant: nothing there names what the program does not have.
// Not here: whether rules, unit and image are sound by themselves (tools/deploy-test).

#if Server
  import ContinuoServer
  import Foundation
  import Testing

  @Suite("Deployment")
  struct DeployTests {
    private static let folder = Served.root.appending(path: "data/deploy")

    private static func text(_ name: String) throws -> String {
      try String(contentsOf: folder.appending(path: name), encoding: .utf8)
    }

    /// Rule 13.1: a dashboard without its metric shows nothing, and an alert without one never comes.
    @Test(
      "Every metric that dashboards and alerts name is one that the server has",
      arguments: [
        "grafana/market.json", "grafana/service.json", "prometheus/alerts.yaml", "prometheus/alerts.test.yaml",
      ])
    func metrics(_ file: String) async throws {
      let text = try Self.text(file)
      try await Served.run { served in
        try await served.sample()
        _ = try await served.get("/v1/top")
        let page = try await served.get("/metrics").text
        let known = Set(
          page.split(separator: "\n").filter { !$0.hasPrefix("#") }.map { line in
            String(line.prefix { $0 != "{" && $0 != " " })
          })
        let named = Set(text.matches(of: /continuo_[a-z_]+/).map { String($0.0) })
        #expect(named.count > 5 && named.isSubset(of: known), "\(named.subtracting(known))")
        // Labels and their values too.
        for label in Set(text.matches(of: /\bby \(([a-z, ]+)\)/).flatMap { $0.1.split(separator: ", ") }) {
          #expect(label == "instance" || page.contains("\(label)=\""), "\(label)")
        }
        for value in text.matches(of: /code=~?\\?"([a-z_|]+)/).flatMap({ $0.1.split(separator: "|") }) {
          #expect(page.contains("{code=\"\(value)\"}"), "\(value)")
        }
      }
    }

    /// What stands behind `serve` in a command line, without the directory and the address that are this machine's.
    private static func options(_ words: [String]) throws -> [String] {
      var options: [String] = []
      var rest = words[...]
      while let word = rest.popFirst() {
        guard ["--data-dir", "--listen", "--backup-root"].contains(word) else {
          options.append(word)
          continue
        }
        let next = rest.popFirst()
        let value = try #require(next, "\(word)")
        #expect(word == "--listen" ? value.hasSuffix(":8321") : value.hasPrefix("/"), "\(word) \(value)")
      }
      return options
    }

    @Test("The unit and the image start what there is")
    func commands() async throws {
      let shell = try Shell()
      let unit = try Self.text("continuo.service").split(separator: "\n").first { $0.hasPrefix("ExecStart=") }
      let words = try #require(unit).split(separator: " ").map(String.init)
      try #require(words.count > 2 && words[1] == "serve")
      let image = try Self.text("Dockerfile")
      let list = try #require(image.matches(of: /(?m)^CMD (\[.*\])$/).last).1
      let arguments = try #require(try JSONSerialization.jsonObject(with: Data(list.utf8)) as? [String])
      for options in [try Self.options(Array(words[2...])), try Self.options(arguments)] {
        let server = try await ServedProcess(shell.path("market"), options)
        await server.endWell()
      }
    }

    /// The protocol of systemd: a datagram when requests are answered, and one when they will not be any more.
    @Test("Who started the server is told when it is ready and when it ends", arguments: ["/", "@"])
    func notices(_ kind: String) async throws {
      let shell = try Shell()
      let name = kind == "@" ? "continuo-\(UUID().uuidString)" : shell.path("notices")
      let script = """
        import socket, sys
        heard = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        heard.bind(("\\0" if sys.argv[1] == "@" else "") + sys.argv[2])
        heard.settimeout(120)
        print("bound", flush=True)
        for _ in range(2):
            print(heard.recv(1000).decode(), flush=True)
        """
      try Data(script.utf8).write(to: shell.folder.appending(path: "hear.py"))
      func heard() throws -> String {
        (try? String(contentsOf: shell.folder.appending(path: "heard"), encoding: .utf8)) ?? ""
      }
      async let listening = shell.run("python3 hear.py '\(kind)' '\(name)' > heard")
      try await shell.wait("somebody listens") { try heard() == "bound\n" }
      let environment = ["NOTIFY_SOCKET": kind == "@" ? "@" + name : name]
      let server = try await ServedProcess(shell.path("market"), environment: environment)
      try await shell.wait("it is ready") { try heard() == "bound\nREADY=1\n" }
      let ready = try await shell.run("curl -s -m 60 http://localhost:\(server.port)/readyz")
      #expect(ready.text.hasPrefix("{\"ready\":true"), "\(ready.text)")
      let status = await server.end()
      #expect(status == 0)
      let ended = try await listening.status
      #expect(ended == 0)
      #expect(try heard() == "bound\nREADY=1\nSTOPPING=1\n")
      // Nobody listens any more: it serves all the same.
      let alone = try await ServedProcess(shell.path("market"), environment: environment)
      await alone.endWell()
    }
  }
#endif
