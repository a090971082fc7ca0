// What who runs a server sets: what the log tells, where undoing is written down, how much memory there is.
// Invariant: none of it changes an answer.
// Not here: how a line looks (ContinuoServer), limits of requests (ServeLimitOptions).

#if CONTINUO_SERVER
  internal import ArgumentParser
  internal import ContinuoBytes
  internal import ContinuoServer
  internal import Logging

  /// How much the log tells.
  enum LogLevel: String, CaseIterable, ExpressibleByArgument {
    case debug, info, notice, warning, error

    var level: Logger.Level {
      switch self {
      case .debug: .debug
      case .info: .info
      case .notice: .notice
      case .warning: .warning
      case .error: .error
      }
    }
  }

  /// How its lines look.
  enum LogFormat: String, CaseIterable, ExpressibleByArgument {
    case text, json, auto

    var form: LogLines.Form {
      switch self {
      case .text: .text
      case .json: .json
      case .auto: DescriptorHandle.standardError.isTerminal ? .text : .json
      }
    }
  }

  struct ServeOperationOptions: ParsableArguments {
    static let settings: [Setting] =
      AuditOptions.settings + [.value("log-level"), .value("log-format"), .value("memory-limit")]

    @Option(
      help:
        "What the log on stderr tells at least: every request (debug), those that were refused (info), what counts (notice)."
    )
    var logLevel: LogLevel = .notice

    @Option(help: "How its lines look; auto is text on a terminal, JSON elsewhere.")
    var logFormat: LogFormat = .auto

    @Option(
      help: ArgumentHelp(
        "At so much memory of the process no more events are taken; all else goes on.", valueName: "mebibytes"))
    var memoryLimit: Int?

    @OptionGroup var audit: AuditOptions

    private static let memoryMebibytesMax = 1 << 24

    mutating func validate() throws {
      guard let memoryLimit, !(1...Self.memoryMebibytesMax).contains(memoryLimit) else { return }
      throw ValidationError(
        "'\(memoryLimit)' for --memory-limit is not within 1 to \(Self.memoryMebibytesMax)")
    }

    /// Puts it into a server's options, and tells the log that it begins. The log is to be closed at the end.
    func apply(to options: inout Server.Options, _ console: Console) -> LogQueue {
      options.limits.memoryBytesMax = memoryLimit.map { $0 << 20 }
      options.auditLog = audit.auditLog
      let level = console.isQuiet ? max(logLevel.level, .error) : logLevel.level
      let form = logFormat.form
      let log = LogQueue(form) { Feed.wallClock }
      options.logger = Logger(label: "continuo") { _ in
        LogLines(form, level: level, clock: { Feed.wallClock }, write: { log.take($0) })
      }
      options.logger.info(
        "starting",
        metadata: [
          "version": "\(Version.text)", "data_dir": "\(options.dataDirectory)",
          "listen": "\(options.host):\(options.port)",
        ])
      return log
    }
  }
#endif
