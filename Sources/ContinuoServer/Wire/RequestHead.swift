// What of a head of HTTP/1 is lost where it becomes a request: its version, a second Host, a target that has a name of its own.
// Invariant: a request behind which the client waits for the end, or may, says 'Connection: close'; there is one Host, and it is
// the name that the request is sent to.
// Not here: the end itself (ConnectionWatch), which names are ours (Access).
// HTTP/1.0 ends each connection behind its answer. Who wants it kept asks for that, and would have to be told that it is; it is
// not, and a body whose length two readers of that age could see differently has nothing behind it.

#if Server
  internal import NIOCore
  internal import NIOHTTP1

  final class RequestHead: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      guard case .head(var head) = unwrapInboundIn(data) else { return context.fireChannelRead(data) }
      if head.version != .http1_1 || !head.isKeepAlive {
        head.headers.replaceOrAdd(name: "Connection", value: "close")
      }
      if !head.uri.hasPrefix("/") {
        head.headers.replaceOrAdd(name: "Host", value: Self.authority(head.uri))
      } else if head.headers["Host"].count > 1 {
        // No name of anybody.
        head.headers.replaceOrAdd(name: "Host", value: head.headers["Host"].joined(separator: ", "))
      }
      context.fireChannelRead(wrapInboundOut(.head(head)))
    }

    /// The name in a target like `http://name:80/path`; all of it where it is none.
    private static func authority(_ target: String) -> String {
      guard let scheme = target.firstRange(of: "://") else { return target }
      return String(target[scheme.upperBound...].prefix { $0 != "/" && $0 != "?" && $0 != "#" })
    }
  }
#endif
