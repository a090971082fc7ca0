// A connection under TLS: HTTP/2 or HTTP/1.1, whichever its client asks for in the handshake.
// Invariant: nothing is read as HTTP before the handshake is done, and the handshake has its time.
// Not here: certificates (ServerCertificate), HTTP/1 without TLS (PlainChannel).

#if Server
  internal import HummingbirdCore
  internal import HummingbirdHTTP2
  internal import Logging
  internal import NIOCore
  internal import NIOSSL
  internal import NIOTLS

  struct SecureChannel: ServerChildChannel {
    /// What is spoken on a connection.
    enum Spoken: Sendable {
      case http1(HTTP1Channel.Value)
      case http2(HTTP2Channel.Value)
    }

    struct Value: ServerChildChannelValue {
      let spoken: EventLoopFuture<Spoken>
      let channel: any Channel
    }

    private let tls: NIOSSLContext
    private let http1: HTTP1Channel
    private let http2: HTTP2Channel
    private let metrics: Metrics
    private let limits: ServerLimits

    init(
      _ tls: NIOSSLContext, _ responder: @escaping HTTPChannelHandler.Responder, _ metrics: Metrics,
      _ limits: ServerLimits
    ) {
      (self.tls, self.metrics, self.limits) = (tls, metrics, limits)
      http1 = HTTP1Channel(responder: responder, configuration: limits.http1)
      http2 = HTTP2Channel(responder: responder, configuration: limits.http2)
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
      channel.eventLoop.makeCompletedFuture {
        let door = ConnectionDoor(metrics, limits, .handshake)
        let negotiation = NIOTypedApplicationProtocolNegotiationHandler<Spoken> { result in
          guard case .negotiated("h2") = result else {
            // Who names no protocol speaks HTTP/1.1.
            door.speaks(.http1)
            return http1.setupWithHeads(channel, logger).map { .http1($0) }
          }
          door.speaks(.http2)
          do {
            try channel.pipeline.syncOperations.addHandler(LastFlush())
          } catch {
            return channel.eventLoop.makeFailedFuture(error)
          }
          return http2.setup(channel: channel, logger: logger).map { .http2($0) }
        }
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(door)
        try pipeline.addHandler(NIOSSLServerHandler(context: tls))
        try pipeline.addHandler(negotiation)
        return Value(spoken: negotiation.protocolNegotiationResult, channel: channel)
      }
    }

    func handle(value: Value, logger: Logger) async {
      await withTaskExecutorPreference(LoopExecutor(value.channel.eventLoop)) {
        do {
          switch try await value.spoken.get() {
          case .http1(let connection): await http1.handle(value: connection, logger: logger)
          case .http2(let connection): await http2.handle(value: connection, logger: logger)
          }
        } catch {
          // No handshake: the connection has ended.
        }
      }
    }
  }

  extension ServerLimits {
    /// How a connection of HTTP/2 and its streams are watched.
    fileprivate var http2: HTTP2ChannelConfiguration {
      let limits = self
      return HTTP2ChannelConfiguration(
        idleTimeout: .seconds(idleSeconds), gracefulCloseTimeout: .seconds(requestSeconds),
        streamConfiguration: HTTP1Channel.Configuration(
          additionalChannelHandlers: [ConnectionWatch(limits, isStream: true)],
          idleTimeout: .seconds(Int64(idleSeconds))))
    }
  }
#endif
