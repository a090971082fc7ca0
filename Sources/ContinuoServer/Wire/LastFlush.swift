// Between TLS and HTTP/2: what was written is on its way before a connection is closed.
// Invariant: no answer is cut off by the end of the connection that it is on.
// Not here: when a connection is closed (Hummingbird, ConnectionDoor).
// At the end of the server a connection of HTTP/2 is closed as soon as its last stream is, which is while the end of that stream's
// answer is written; TLS drops what is not flushed.

#if Server
  internal import NIOCore

  final class LastFlush: ChannelOutboundHandler {
    typealias OutboundIn = IOData
    typealias OutboundOut = IOData

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
      context.flush()
      context.close(mode: mode, promise: promise)
    }
  }
#endif
