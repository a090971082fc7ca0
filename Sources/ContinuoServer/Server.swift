// The server: a directory that is opened, a port that is listened on from the first moment, and an end of both.
// Invariant: who connects before the directory is read is answered from a part of it, or waits; at the end no request is cut
// off, and the ledger is closed behind the last one.
// Not here: requests (Service, HTTPFront), signals and what is printed (the tool).

#if Server
  public import Continuo
  internal import ContinuoBytes
  public import ContinuoStorage
  package import Hummingbird
  internal import HummingbirdCore
  public import Logging
  internal import NIOCore
  internal import NIOPosix
  internal import ServiceLifecycle
  internal import UnixSignals

  /// The engine of a data directory over HTTP.
  ///
  ///     var options = Server.Options(dataDirectory: "market")
  ///     options.port = 8321
  ///     try await Server(options).run { event in print(event) }
  public struct Server: Sendable {
    /// How a server is set up.
    public struct Options: Sendable {
      /// The data directory; it is made where there is none.
      public var dataDirectory: String
      /// How it is opened.
      public var ledger = Ledger.Options()
      /// The address that is listened on.
      public var host = "127.0.0.1"
      /// The port; 0 takes any that is free.
      public var port = 8321
      /// Who may ask for what.
      public var access = Access()
      /// How much.
      public var limits = ServerLimits()
      /// The certificate for TLS; nil: what is sent can be read on its way.
      public var certificate: ServerCertificate?
      /// How often its files are looked at, in seconds.
      public var certificateSeconds = 10
      /// The folder for backups; nil: none are made.
      public var backupRoot: String?
      /// The folder that has the chart's code for the page, `lightweight-charts.js`; nil, or none there: the page shows tables.
      public var assets: String?
      /// Where it is written down who took something back; nil: in the data directory.
      public var auditLog: String?
      /// What is told of the server to who runs it; nothing unless it is given.
      public var logger = Logger(label: "continuo") { _ in SwiftLogNoOpLogHandler() }
      /// What the page says at its top, on every view; nil: nothing.
      public var notice: String?
      /// Who writes in this process, beside those who send requests; nil: nobody.
      public var feed: ServerFeed?
      /// What is to be told of it; nil: nothing.
      public var feedReport: (@Sendable () -> FeedReport)?
      /// The chains that nobody else may write: theirs is the only source. While it says nil, which they are is not known,
      /// and nobody else may write at all. nil: there are none.
      public var ownedChains: (@Sendable () -> Set<UInt32>?)?
      /// What people call a token, which is shown and found, and is never its identity; nil: nothing but its name.
      public var label: (@Sendable (ByteString) -> ByteString?)?
      /// What the wall clock says.
      public var wallClock: @Sendable () -> Timestamp

      /// A server on the loopback address, open to all who are on this machine. O(1).
      public init(dataDirectory: String, wallClock: @escaping @Sendable () -> Timestamp) {
        self.dataDirectory = dataDirectory
        self.wallClock = wallClock
        ledger.price = nil
      }
    }

    /// What a server tells of itself.
    public enum Event: Sendable {
      /// It listens on a port.
      case listening(port: Int)
      /// Candles are answered, from parts of a directory that is still being read; all else waits for the rest. Not where the
      /// directory is new, or all of it is looked at first.
      ///
      /// - Parameter isReady: whether it is ready with that (``ServerLimits/earlyBytesMax``, and who writes in this process).
      case answering(isReady: Bool, seconds: Double)
      /// What was read of the directory behind that is damaged, and it was ready: candles of sound parts go on being answered, nothing else is, and at its
      /// end ``Server/run(_:)`` throws it.
      case damaged(StorageFailure)
      /// It has its directory, after so long.
      case ready(Restored, Inspection, seconds: Double)
      /// It shows the certificate that its files have now; or still the one before, and why.
      case certificate(CertificateFailure?)
      /// It was asked to end, and will.
      case ending
    }

    private let options: Options
    private let market: LiveMarket
    private let page: PageFiles
    private let threads: NIOThreadPool
    private let log: MarketLog

    /// Sets a server up. O(1).
    public init(_ options: Options) {
      self.options = options
      page = PageFiles(assets: options.assets, notice: options.notice)
      let log = MarketLog(options.logger)
      self.log = log
      market = LiveMarket(
        wallClock: options.wallClock, options.limits, feedReport: options.feedReport, ownedChains: options.ownedChains,
        label: options.label
      ) { log.step($0) }
      threads = NIOThreadPool(numberOfThreads: options.limits.threads)
    }

    /// Serves until the process is asked to end (SIGTERM, SIGINT), then answers what was asked and closes the directory.
    ///
    /// - Throws: ``ContinuoStorage/StorageFailure`` where the directory cannot be opened; what the system says where the port cannot be had.
    public func run(_ tell: @escaping @Sendable (Event) -> Void) async throws {
      let application = application(tell)
      let group = ServiceGroup(
        configuration: ServiceGroupConfiguration(
          services: [application, EndNotice(tell: tell)], gracefulShutdownSignals: [.sigterm, .sigint],
          logger: Self.logger))
      try await group.run()
    }

    private var service: Service {
      Service(
        market: market, access: options.access, limits: options.limits, backupRoot: options.backupRoot, page: page)
    }

    /// Whether the page draws charts: the code for it is where it is looked for.
    public var hasChart: Bool { page.hasChart }

    /// What a request without a body is answered now, whether the server runs or not: for tests.
    package func answer(_ ask: Ask) -> Answer {
      switch service.step(ask) {
      case .answer(let answer): return service.completed(answer, ask)
      case .work(let route, let question):
        do {
          switch route.work {
          case .stream: throw Problem(.notFound, "a stream has no end", remedy: "ask a server that runs")
          case .quick(let work), .slow(let work): return service.completed(try work(question), ask)
          case .posted(let work): return service.completed(try work(question, []), ask)
          case .events: throw Problem(.badBody, "there is no body", remedy: "send one")
          }
        } catch { return service.completed(service.answer(Problem(error), to: ask, hasBody: false), ask) }
      }
    }

    private static var logger: Logger {
      var logger = Logger(label: "continuo") { StreamLogHandler.standardError(label: $0) }
      // What goes wrong with a connection is its client's, and what ends the server is thrown.
      logger.logLevel = .critical
      return logger
    }

    /// The application, for who runs it in a group of their own.
    package func application(_ tell: @escaping @Sendable (Event) -> Void = { _ in }) -> some ApplicationProtocol {
      let (limits, metrics) = (options.limits, market.metrics)
      let tls = options.certificate?.tls
      var services: [any ServiceLifecycle.Service] = [
        MarketService(market: market, threads: threads, options: options, log: log, tell: tell)
      ]
      if let certificate = options.certificate {
        services.append(CertificateWatch(certificate: certificate, seconds: options.certificateSeconds, tell: tell))
      }
      return Application(
        responder: HTTPFront(service: service, threads: threads, log: RequestLog(logger: options.logger)),
        server: HTTPServerBuilder { responder in
          guard let tls else { return PlainChannel(responder, metrics, limits) }
          return SecureChannel(tls, responder, metrics, limits)
        },
        configuration: ApplicationConfiguration(
          address: .hostname(options.host, port: options.port),
          availableConnectionsDelegate: MaximumAvailableConnections(limits.connectionsMax, logger: Self.logger)),
        services: services,
        onServerRunning: { channel in tell(.listening(port: channel.localAddress?.port ?? options.port)) },
        logger: Self.logger)
    }
  }

  /// Tells of the end when it begins.
  private struct EndNotice: ServiceLifecycle.Service {
    let tell: @Sendable (Server.Event) -> Void

    func run() async throws {
      try? await gracefulShutdown()
      tell(.ending)
    }
  }

  /// Opens the directory at the beginning, and closes it behind all requests.
  private struct MarketService: ServiceLifecycle.Service {
    let market: LiveMarket
    let threads: NIOThreadPool
    let options: Server.Options
    let log: MarketLog
    let tell: @Sendable (Server.Event) -> Void

    func run() async throws {
      threads.start()
      do {
        let start = ContinuousClock.now
        try await threads.runIfActive { try open(start) }
        let seconds = start.duration(to: .now).seconds
        let opened = try market.opened()
        var reader = opened.publication.reader()
        let inspection = reader.read { $0.inspection() }
        log.ready(opened.ledger.opening, inspection, seconds)
        tell(.ready(opened.ledger.opening, inspection, seconds: seconds))
      } catch {
        let damage = market.keepsAnswering(error)
        if let damage {
          log.damaged(damage)
          tell(.damaged(damage))
          try? await gracefulShutdown()
        }
        _ = market.close()
        try? await threads.shutdownGracefully()
        throw damage ?? error
      }
      let feeding = options.feed.map { RunningFeed($0, market) }
      // Whoever cancels does not wait, and still closes.
      try? await gracefulShutdown()
      await feeding?.end()
      try? await threads.runIfActive {
        guard let opened = market.close() else { return }
        try? opened.ledger.sync()
        opened.ledger.finishCheckpoints()
      }
      try? await threads.shutdownGracefully()
      log.stopped()
    }

    /// Opens the directory; as soon as parts of it can be read, they are answered from. O(its bytes).
    private func open(_ start: ContinuousClock.Instant) throws {
      let (market, log, tell) = (market, log, tell)
      let path = options.auditLog ?? AuditFile.path(in: options.dataDirectory)
      // What ends the start comes before anybody is told that it is ready.
      let audit = MonitorHandle<Result<AuditFile, any Error>?>(nil)
      var ledger = options.ledger
      ledger.onCheckpoint = { log.checkpoint($0) }
      if options.feed?.answersEarly ?? true {
        ledger.onChecked = { [own = options.ledger.onChecked] parts in
          let opened = Result<AuditFile, any Error> { try AuditFile(path: path) }
          audit.locked { $0 = opened }
          guard case .success = opened else { return }
          market.early.offer(parts)
          tell(.answering(isReady: market.reasons.isEmpty, seconds: start.duration(to: .now).seconds))
          own?(parts)
        }
      }
      let opened = try Ledger(path: options.dataDirectory, ledger)
      try options.feed?.accept(opened)
      let file = try audit.locked({ $0 })?.get() ?? AuditFile(path: path)
      market.open(opened, file, streamWindow: .milliseconds(options.limits.streamMilliseconds))
    }
  }
#endif
