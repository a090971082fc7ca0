// One connection of HTTP/1.1 that asks, and tells when it was answered.
// Invariant: all of it runs on one event loop; an answer is told when its last byte has come.
// Not here: when something is asked (PacedRun, PostRun), answers without an end (StreamReader).

#if Server
  internal import NIOCore
  internal import NIOPosix

  final class Connection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Whether bodies are wanted.
    var keepsBody = false
    /// Is told the status of each answer, and its body where that is wanted.
    var answered: (Int, ByteBuffer) -> Void = { _, _ in }
    private let ready: (Connection) -> Void
    private var context: ChannelHandlerContext?
    /// A head that is not whole.
    private var came = ByteBuffer()
    /// The status of the answer at hand, and how much of it is to come.
    private var answer: (status: Int, left: Int)?
    private var body = ByteBuffer()

    private init(_ ready: @escaping (Connection) -> Void) { self.ready = ready }

    /// Connects; to be called on the loop.
    static func open(_ loop: any EventLoop, port: Int, _ ready: @escaping (Connection) -> Void) {
      connect(loop, port: port) { Connection(ready) }
    }

    /// Connects with a handler; to be called on the loop. Ends the process where nobody answers.
    static func connect(_ loop: any EventLoop, port: Int, _ handler: @escaping () -> some ChannelHandler) {
      let bound = NIOLoopBound(handler, eventLoop: loop)
      ClientBootstrap(group: loop).channelOption(
        .recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 1 << 16)
      ).channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(bound.value()) }
      }.connect(host: "127.0.0.1", port: port).whenFailure { fatalError("no connection: \($0)") }
    }

    func channelActive(context: ChannelHandlerContext) {
      self.context = context
      ready(self)
    }

    func channelInactive(context: ChannelHandlerContext) { fatalError("the server closed a connection") }

    /// Sends a request.
    func send(_ request: ByteBuffer) { context?.writeAndFlush(wrapOutboundOut(request), promise: nil) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      var piece = unwrapInboundIn(data)
      guard answer == nil else { return take(&piece) }
      came.writeBuffer(&piece)
      guard let head = Self.head(came) else { return }
      answer = (head.status, head.length)
      came.moveReaderIndex(forwardBy: head.bytes)
      var rest = came
      came.clear()
      take(&rest)
    }

    /// Takes some of a body.
    private func take(_ piece: inout ByteBuffer) {
      guard let (status, left) = answer else { return }
      let more = left - piece.readableBytes
      precondition(more >= 0, "there is one answer to one request")
      if keepsBody { body.writeBuffer(&piece) }
      answer = (status, more)
      guard more == 0 else { return }
      answer = nil
      let whole = body
      body = ByteBuffer()
      answered(status, whole)
    }

    private static let length = Array("content-length: ".utf8)

    /// What the head says, and how long it is; nil while it is not whole.
    private static func head(_ came: ByteBuffer) -> (status: Int, length: Int, bytes: Int)? {
      let bytes = came.readableBytesView
      let first = bytes.startIndex
      var (matched, length, line) = (0, 0, 0)
      for (index, byte) in bytes.enumerated() {
        if byte == UInt8(ascii: "\n") {
          // Two line feeds with a carriage return between them.
          if index - line == 2 { return (status(bytes, first), length, index + 1) }
          (line, matched) = (index, 0)
        } else if matched == Self.length.count {
          if byte &- 48 < 10 { length = length * 10 + Int(byte - 48) }
        } else if matched == index - line - 1, byte | 0x20 == Self.length[matched] {
          matched += 1
        }
      }
      return nil
    }

    private static func status(_ bytes: ByteBufferView, _ first: Int) -> Int {
      // HTTP/1.1 200
      (9..<12).reduce(0) { $0 * 10 + Int(bytes[first + $1]) - 48 }
    }
  }
#endif
