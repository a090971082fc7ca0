// What of a connection a request's answer may depend on: who is at its other end.
// Invariant: an address is made into text only for who asks for it.
// Not here: what is done with it (RequestLog, Auditing).

#if Server
  internal import Hummingbird
  internal import NIOCore

  struct PeerContext: RequestContext, RemoteAddressRequestContext {
    var coreContext: CoreRequestContextStorage
    let remoteAddress: SocketAddress?

    init(source: ApplicationRequestContextSource) {
      coreContext = .init(source: source)
      remoteAddress = source.channel.remoteAddress
    }

    /// The address at the other end, without its port.
    var peer: String? { remoteAddress?.ipAddress }
  }
#endif
