// The first handler of every connection, in front of TLS: it counts connections, and ends those that never begin or never end.
// Invariant: a connection on which nobody speaks HTTP yet, or on which HTTP/2 has no stream, has a moment at which it is over.
// Not here: how long a request may take (ConnectionWatch), idle connections of HTTP/1 (Hummingbird).
// Hummingbird ends an idle connection of HTTP/2 by a ping, and waits for the answer as long as it takes.

#if Server
  internal import NIOCore
  internal import Synchronization

  final class ConnectionDoor: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    enum Stage {
      /// Nobody knows yet what will be spoken.
      case handshake
      case http1
      case http2
    }

    /// How long who was told of the end may take to say that it heard.
    private static let lingering = TimeAmount.seconds(2)

    private let metrics: Metrics
    private let handshake: TimeAmount
    private let idle: TimeAmount
    private var stage: Stage
    /// Who watches each stream of HTTP/2.
    private var streams: [ObjectIdentifier: ConnectionWatch] = [:]
    private var isEnding = false
    /// Since when there is nothing to be answered.
    private var idleSince = NIODeadline.now()
    private var timer: Scheduled<Void>?
    private var context: ChannelHandlerContext?

    init(_ metrics: Metrics, _ limits: ServerLimits, _ stage: Stage) {
      self.metrics = metrics
      self.stage = stage
      handshake = .seconds(Int64(limits.handshakeSeconds))
      idle = .seconds(Int64(limits.idleSeconds))
    }

    func handlerAdded(context: ChannelHandlerContext) {
      self.context = context
      metrics.connections.add(1, ordering: .relaxed)
      watch()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
      self.context = nil
      metrics.connections.subtract(1, ordering: .relaxed)
      timer?.cancel()
      timer = nil
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
      if event is ChannelShouldQuiesceEvent {
        isEnding = true
        // Nothing was asked yet.
        if stage == .handshake { return context.close(promise: nil) }
        idleSince = .now()
        watchAnew()
        for stream in streams.values { stream.serverEnds() }
      }
      context.fireUserInboundEventTriggered(event)
    }

    /// It is known what is spoken.
    func speaks(_ stage: Stage) {
      self.stage = stage
      idleSince = .now()
      watchAnew()
    }

    func streamOpened(_ stream: ConnectionWatch) {
      streams[ObjectIdentifier(stream)] = stream
      if isEnding { stream.serverEnds() }
    }

    func streamClosed(_ stream: ConnectionWatch) {
      streams[ObjectIdentifier(stream)] = nil
      idleSince = .now()
      watch()
    }

    // MARK: the end

    /// When the connection is over; nil: there is something to be answered, or others know.
    private var end: NIODeadline? {
      switch stage {
      case .handshake: idleSince + handshake
      case .http1: nil
      case .http2: !streams.isEmpty ? nil : idleSince + (isEnding ? Self.lingering : idle + Self.lingering)
      }
    }

    private func watchAnew() {
      timer?.cancel()
      timer = nil
      watch()
    }

    private func watch() {
      guard timer == nil, let end, let context else { return }
      timer = context.eventLoop.assumeIsolated().scheduleTask(deadline: end) {
        self.timer = nil
        guard let end = self.end else { return }
        // In front of TLS: no farewell that somebody would have to answer.
        if end > .now() { self.watch() } else { self.context?.close(promise: nil) }
      }
    }
  }
#endif
