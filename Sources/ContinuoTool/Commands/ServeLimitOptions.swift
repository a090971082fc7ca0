// The flags of `continuo serve` that say how much may be asked of it.
// Invariant: what is not given is what ServerLimits says.
// Not here: the limits themselves (ContinuoServer), other flags (Serve).

#if CONTINUO_SERVER
  internal import ArgumentParser
  internal import ContinuoServer

  /// How much may be asked of a server.
  struct ServeLimitOptions: ParsableArguments {
    static let settings: [Setting] = [
      .value("max-body"), .value("max-inflated"), .value("max-header"), .value("max-connections"),
      .value("idle-timeout"), .value("request-timeout"), .value("stream-window"),
    ]

    @Option(help: ArgumentHelp("The longest body as it comes, in MiB.", valueName: "mebibytes"))
    var maxBody = 32

    @Option(help: ArgumentHelp("The longest body once it is inflated, in MiB.", valueName: "mebibytes"))
    var maxInflated = 256

    @Option(help: ArgumentHelp("The longest headers of a request, in KiB.", valueName: "kibibytes"))
    var maxHeader = 16

    @Option(help: ArgumentHelp("How many connections are open at once; more wait.", valueName: "n"))
    var maxConnections = 1024

    @Option(help: ArgumentHelp("How long a connection may do nothing between requests.", valueName: "seconds"))
    var idleTimeout = 60

    @Option(help: ArgumentHelp("How long a request may take with its answer.", valueName: "seconds"))
    var requestTimeout = 60

    @Option(
      help: ArgumentHelp(
        "A stream tells of a candle once in so long at most; 0 holds nothing back.", valueName: "milliseconds"))
    var streamWindow = 250

    mutating func validate() throws {
      guard (0...60_000).contains(streamWindow) else {
        throw ValidationError("'\(streamWindow)' for --stream-window is not within 0 to 60000")
      }
      let bounds = [
        ("max-body", maxBody, 1024), ("max-inflated", maxInflated, 1024), ("max-header", maxHeader, 1024),
        ("max-connections", maxConnections, 1_000_000), ("idle-timeout", idleTimeout, 86_400),
        ("request-timeout", requestTimeout, 86_400),
      ]
      for (name, value, most) in bounds where !(1...most).contains(value) {
        throw ValidationError("'\(value)' for --\(name) is not within 1 to \(most)")
      }
    }

    var limits: ServerLimits {
      var limits = ServerLimits()
      (limits.bodyBytesMax, limits.inflatedBytesMax) = (maxBody << 20, maxInflated << 20)
      limits.heldBytesMax = max(limits.heldBytesMax, maxInflated << 20)
      (limits.headerBytesMax, limits.connectionsMax) = (maxHeader << 10, maxConnections)
      (limits.idleSeconds, limits.requestSeconds) = (idleTimeout, requestTimeout)
      limits.streamMilliseconds = streamWindow
      return limits
    }
  }
#endif
