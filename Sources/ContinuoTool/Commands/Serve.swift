// `continuo serve`: a data directory over HTTP.
// Invariant: what is open to other machines needs a token, or somebody who says that it does not.
// Not here: requests and answers (ContinuoServer).

#if CONTINUO_SERVER
  internal import ArgumentParser
  internal import Continuo
  internal import ContinuoBytes
  internal import ContinuoFormats
  internal import ContinuoServer
  internal import ContinuoStorage
  internal import FoundationEssentials

  struct Serve: ConsoleCommand {
    static let configuration = CommandConfiguration(
      abstract: "Serve a data directory over HTTP: candles, statistics, rankings, and events that come in.",
      discussion: """
        Listens at once, answers candles as soon as the directory is looked at (GET /readyz), and all else as soon as it is read. \
        SIGTERM and SIGINT end it: requests are answered, the directory is closed. The routes: docs/http.md.

        Other machines are let in with --listen 0.0.0.0:8321 --write-token-file FILE --allow-host NAME. A token is a line of 16 to \
        1024 visible characters, sent as 'Authorization: Bearer TOKEN'. Where no file is named it may also stand in the \
        environment: CONTINUO_WRITE_TOKEN, CONTINUO_READ_TOKEN, CONTINUO_ADMIN_TOKEN.

        Example:
          continuo serve --data-dir market --listen 127.0.0.1:9000
        """)

    static let settings: [Setting] =
      RetentionOptions.settings + ConsoleOptions.settings + ServeLimitOptions.settings + ServeTLSOptions.settings
      + ServeOperationOptions.settings + ServeDemoOptions.settings + besideSettings + [
        .value("data-dir"), .value("listen"), .value("durability"), .flag("verify-on-start"),
        .value("write-token-file"), .value("read-token-file"), .value("admin-token-file"), .flag("insecure"),
        .value("backup-root"), .list("allow-host"), .list("allow-origin"),
        .value("assets"),
      ]

    @Option(
      help: ArgumentHelp(
        "The data directory; it is made where there is none. (default: \(usualDirectory))", valueName: "dir"),
      completion: .directory)
    var dataDir: String?

    @Option(
      help: ArgumentHelp("The address and port to listen on; port 0 takes one that is free.", valueName: "address:port")
    )
    var listen = ListenAddress.usual

    @Option(
      help: ArgumentHelp(
        "How far a batch is when it is answered: on the disk (sync), with the system (os), or nowhere yet (none).",
        valueName: "level"))
    var durability: Durability = .sync

    @Flag(help: "Before anything is written, compare every summary of the directory with its events, as verify does.")
    var verifyOnStart = false

    @Option(
      help: ArgumentHelp("Events are taken from who sends the token in this file.", valueName: "file"),
      completion: .file())
    var writeTokenFile: String?

    @Option(
      help: ArgumentHelp("Answers are given to who sends the token in this file.", valueName: "file"),
      completion: .file())
    var readTokenFile: String?

    @Option(
      help: ArgumentHelp(
        "Rollbacks, retractions and /v1/admin are for who sends the token in this file.", valueName: "file"),
      completion: .file())
    var adminTokenFile: String?

    @Flag(help: "Listen on an address of other machines without --write-token-file: everybody may send events.")
    var insecure = false

    @Option(
      help: ArgumentHelp("The folder for backups; without one none are made.", valueName: "dir"),
      completion: .directory)
    var backupRoot: String?

    @Option(
      parsing: .unconditionalSingleValue,
      help: ArgumentHelp("A name that the server goes by; may be given several times.", valueName: "name"))
    var allowHost: [String] = []

    @Option(
      parsing: .unconditionalSingleValue,
      help: ArgumentHelp(
        "An origin whose pages may ask, like https://charts.example; may be given several times.", valueName: "origin"))
    var allowOrigin: [String] = []

    @Option(
      help: ArgumentHelp(
        "The folder with the chart's code for the page (tools/run gets it); by default 'assets' beside the program.",
        valueName: "dir"),
      completion: .directory)
    var assets: String?

    @OptionGroup var kept: RetentionOptions
    @OptionGroup var limits: ServeLimitOptions
    @OptionGroup var tls: ServeTLSOptions
    @OptionGroup var operation: ServeOperationOptions
    @OptionGroup var demo: ServeDemoOptions
    #if CONTINUO_POSTGRES
      @OptionGroup var beside: ServePostgresOptions
    #endif
    @OptionGroup var consoleOptions: ConsoleOptions

    mutating func validate() throws {
      try DirectoryOptions.check(dataDir)
      if backupRoot == "" { throw ValidationError("'' for --backup-root names no directory") }
      #if CONTINUO_POSTGRES
        if beside.database.postgres != nil {
          guard durability == .sync else {
            throw ValidationError("--postgres needs --durability sync: the database forgets what it was told is taken")
          }
          guard !demo.demo else { throw ValidationError("--demo and --postgres are both given: one of them writes") }
        }
      #endif
      guard listen.isLoopback || writeTokenFile != nil || Self.environmentToken("write") != nil || insecure else {
        throw ValidationError(
          "'\(listen)' for --listen lets other machines in, and everybody there could send events: give --write-token-file "
            + "FILE, or --insecure if they may")
      }
    }

    private static var besideSettings: [Setting] {
      #if CONTINUO_POSTGRES
        ServePostgresOptions.settings
      #else
        []
      #endif
    }

    func run(_ console: Console) throws {
      let console = console.with(consoleOptions)
      let dataDir = dataDir ?? (demo.demo ? ServeDemoOptions.directory : Self.usualDirectory)
      var options = Server.Options(dataDirectory: dataDir) { Feed.wallClock }
      options.ledger.engine = Engine.Settings(retention: kept.retention)
      options.ledger.durability = durability
      options.ledger.verifiesOnStart = verifyOnStart
      (options.host, options.port, options.backupRoot) = (listen.host, Int(listen.port), backupRoot)
      options.limits = limits.limits
      options.limits.handshakeSeconds = tls.handshakeTimeout
      options.access = try access()
      options.certificate = try tls.serverCertificate()
      options.assets = assets ?? Self.assetsBesideProgram
      OpenFilesHandle.allowMost()
      let log = operation.apply(to: &options, console)
      defer { log.close() }
      let lines = MonitorHandle(
        Lines(scheme: tls.scheme, host: listen.name, dataDir: dataDir, isDemo: demo.demo))
      if demo.demo { options.setUp(demo, lines, console) }
      #if CONTINUO_POSTGRES
        try beside.feed(console)?.join(&options)
      #endif
      if options.feed == nil { Writing.leaveOwned(&options) }
      let server = Server(options)
      if let assets, !server.hasChart {
        console.note("continuo: \(Visible.text(assets)) has no lightweight-charts.js; the page shows tables")
      }
      let outcome = MonitorHandle<Outcome?>(nil)
      let supervisor = ServiceNoticeHandle(environment: ProcessInfo.processInfo.environment)
      Task {
        var failure: (any Error)?
        do {
          try await server.run { event in Self.tell(event, lines, console, supervisor) }
        } catch { failure = error }
        outcome.locked { [failure] in $0 = Outcome(failure: failure) }
      }
      guard let failure = outcome.locked(when: { $0 != nil }, { $0?.failure }) else { return }
      throw Self.failure(failure, listen)
    }

    private static let usualDirectory = "./continuo-data"

    /// The folder `assets` beside the program.
    private static var assetsBesideProgram: String? {
      guard let program = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"),
        let end = program.lastIndex(of: "/")
      else { return nil }
      return program[..<end] + "/assets"
    }

    private struct Outcome: Sendable {
      let failure: (any Error)?
    }

    private func access() throws -> Access {
      var access = Access()
      access.read = try Self.secret("read", readTokenFile)
      access.write = try Self.secret("write", writeTokenFile)
      access.admin = try Self.secret("admin", adminTokenFile)
      access.hosts.formUnion(([listen.name] + allowHost).map { $0.lowercased() })
      for origin in allowOrigin {
        guard origin.hasPrefix("http://") || origin.hasPrefix("https://"), !origin.hasSuffix("/") else {
          throw ValidationError(
            "'\(origin)' for --allow-origin is no origin: write https://charts.example, without a path")
        }
        access.origins.insert(origin)
      }
      return access
    }

    /// Where each token comes from; nil for one that there is not.
    func tokens() throws -> [(name: String, source: String?)] {
      let files = [("read", readTokenFile), ("write", writeTokenFile), ("admin", adminTokenFile)]
      return try files.map { name, file in
        let source = file.map { "file \($0)" } ?? Self.environmentToken(name).map { "environment \($0.variable)" }
        return (name + "-token", try Self.secret(name, file) == nil ? nil : source)
      }
    }

    /// The environment's variable for a token, and what it says; nil where it says nothing.
    private static func environmentToken(_ name: String) -> (variable: String, text: String)? {
      let variable = "CONTINUO_\(name.uppercased())_TOKEN"
      guard let text = ProcessInfo.processInfo.environment[variable], !text.isEmpty else { return nil }
      return (variable, text)
    }

    /// The token of a file, else of the environment; nil where neither has one.
    private static func secret(_ name: String, _ file: String?) throws -> Secret? {
      if let file { return try secret(file, flag: name + "-token-file") }
      guard let (variable, text) = environmentToken(name) else { return nil }
      guard let secret = Secret(Array(text.utf8)) else {
        throw Failure(
          .badParameter, "the environment variable \(variable) holds no token",
          remedy: "give it \(Secret.bytesMin) to 1024 visible characters")
      }
      return secret
    }

    private static func secret(_ path: String, flag: String) throws -> Secret {
      let secret: Secret?
      do throws(DescriptorFailure) {
        secret = try Secret(file: path)
      } catch {
        throw Failure(
          .notFound, "\(Visible.text(path)) cannot be read: \(error)", remedy: "correct --\(flag)")
      }
      guard let secret else {
        throw Failure(
          .badParameter, "\(Visible.text(path)) holds no token",
          remedy: "write one line of \(Secret.bytesMin) to 1024 visible characters into it")
      }
      return secret
    }

    private static func failure(_ failure: any Error, _ listen: ListenAddress) -> any Error {
      switch failure {
      case let failure as StorageFailure: Failure(failure)
      case let failure as Failure: failure
      default:
        Failure(
          .cannotListen, "\(Visible.text(listen.description)): \(Visible.text(String(describing: failure)))",
          remedy: "end who listens there, or give another --listen (port 0 takes one that is free)")
      }
    }

    // MARK: what is printed

    /// What is to be printed, each once it is known and in this order.
    struct Lines: Sendable {
      let scheme: String
      let host: String
      let dataDir: String
      /// Whether the demo says what to try.
      let isDemo: Bool
      /// Whether all were taken.
      private(set) var isComplete = false
      /// Whether it is ready already, with the rest still to come.
      private var isEarly = false
      private var port: Int?
      private var restored: (line: String, hasEvents: Bool)?

      init(scheme: String, host: String, dataDir: String, isDemo: Bool) {
        (self.scheme, self.host, self.dataDir, self.isDemo) = (scheme, host, dataDir, isDemo)
      }

      var url: String { "\(scheme)://\(host):\(port ?? 0)" }

      /// Whether it can be asked.
      var isReady: Bool { isComplete || isEarly && port != nil }

      /// The lines that can be printed now.
      mutating func take(_ event: Server.Event) -> [String] {
        var lines: [String] = []
        switch event {
        case .listening(let port):
          self.port = port
          lines = ["continuo \(Version.text)", url, Visible.text(dataDir)]
        case .ready(let restored, let held, let seconds):
          let events = held.swaps + held.transfers
          let milliseconds = Int((seconds * 1000).rounded())
          self.restored = (
            "restored \(events) events of \(held.tokens) tokens in \(milliseconds) ms, \(restored.records) steps of them from the "
              + "journal", events > 0
          )
        case .answering(let isReady, _): isEarly = isReady
        case .damaged: isEarly = false
        case .certificate, .ending: break
        }
        // A small directory is read before the port is had.
        if port != nil, let restored {
          lines.append(restored.line)
          if !isDemo { lines.append(restored.hasEvents ? "try: curl '\(url)/v1/top'" : Serve.firstEvent(url)) }
          self.restored = nil
          isComplete = true
        }
        return lines
      }
    }

    private static func tell(
      _ event: Server.Event, _ lines: MonitorHandle<Lines>, _ console: Console, _ supervisor: ServiceNoticeHandle
    ) {
      let becomesReady = lines.locked { lines in
        let wasReady = lines.isReady
        print(lines.take(event))
        return lines.isReady && !wasReady
      }
      if becomesReady { supervisor.send("READY=1") }
      switch event {
      case .ready(let restored, _, _) where restored.tornTailBytes > 0:
        console.note(
          "continuo: the journal ended with \(restored.tornTailBytes) bytes of a write that a crash cut off; nobody was told "
            + "that it was done, and they were cut")
      case .damaged(let failure):
        // It ends with what it is and what to do; the log has it now.
        console.note(
          "continuo: \(Visible.text(failure.what)); candles of the files that are sound are answered, and nothing else, until it is ended"
        )
      case .certificate(nil): console.note("continuo: the certificate was read again; new connections are shown it")
      case .certificate(let failure?): Console.error(ServeTLSOptions.line(failure))
      case .ending: supervisor.send("STOPPING=1")
      default: break
      }
    }

    fileprivate static func firstEvent(_ url: String) -> String {
      let event =
        #"{"block":1,"timestamp":"\#(Feed.wallClock)","token":"ART","side":"buy","amount_usd":"12.5","token_amount":"5"}"#
      return "try: curl -H 'Content-Type: application/x-ndjson' --data '\(event)' \(url)/v1/events"
    }

    static func print(_ lines: [String]) {
      guard !lines.isEmpty else { return }
      do {
        try DescriptorHandle.standardOutput.write(Array((lines.joined(separator: "\n") + "\n").utf8))
      } catch {
        // Nobody reads what was printed: the server serves all the same.
      }
    }
  }
#endif
