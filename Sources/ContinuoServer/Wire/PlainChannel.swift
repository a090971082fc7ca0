// A connection as it comes: HTTP/1.1 without TLS.
// Invariant: every connection has a door, and every request a watch.
// Not here: TLS (SecureChannel).

#if Server
  internal import HummingbirdCore
  internal import Logging
  internal import NIOCore
  internal import NIOHTTP1

  struct PlainChannel: ServerChildChannel {
    let http1: HTTP1Channel
    let metrics: Metrics
    let limits: ServerLimits

    init(_ responder: @escaping HTTPChannelHandler.Responder, _ metrics: Metrics, _ limits: ServerLimits) {
      (self.metrics, self.limits) = (metrics, limits)
      http1 = HTTP1Channel(responder: responder, configuration: limits.http1)
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP1Channel.Value> {
      do {
        try channel.pipeline.syncOperations.addHandler(ConnectionDoor(metrics, limits, .http1))
      } catch {
        return channel.eventLoop.makeFailedFuture(error)
      }
      return http1.setupWithHeads(channel, logger)
    }

    func handle(value: HTTP1Channel.Value, logger: Logger) async {
      await withTaskExecutorPreference(LoopExecutor(value.channel.eventLoop)) {
        await http1.handle(value: value, logger: logger)
      }
    }
  }

  extension HTTP1Channel {
    /// Sets a connection up whose requests say all of what was sent.
    func setupWithHeads(_ channel: any Channel, _ logger: Logger) -> EventLoopFuture<Value> {
      setup(channel: channel, logger: logger).flatMapThrowing { value in
        let pipeline = channel.pipeline.syncOperations
        let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
        try pipeline.addHandler(RequestHead(), position: .after(decoder))
        return value
      }
    }
  }

  extension ServerLimits {
    /// How a connection of HTTP/1 is watched.
    var http1: HTTP1Channel.Configuration {
      let limits = self
      return HTTP1Channel.Configuration(
        additionalChannelHandlers: [ConnectionWatch(limits, isStream: false)],
        idleTimeout: .seconds(Int64(idleSeconds)),
        httpDecoderConfiguration: .init(
          maxHeaderFieldSize: headerBytesMax, maxHeaderListSize: headerBytesMax, maxHeaderFieldCount: headersMax))
    }
  }
#endif
