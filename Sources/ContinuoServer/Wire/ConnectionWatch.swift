// What Hummingbird does not do for a connection: how long a request may take in all, an end behind an answer whose request is
// not read to its end, and word to go on to who asks for it before a body.
// Invariant: at no time is there a request without a moment at which it is over; a connection that is to end ends.
// Not here: idle connections, how many there are, how long headers may be (Hummingbird), bodies (EventIntake).

#if Server
  internal import HTTPTypes
  internal import NIOCore
  internal import NIOHTTPTypes
  internal import Synchronization

  final class ConnectionWatch: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// How long who was answered before its body ended may take to read the answer.
    private static let lingering = TimeAmount.seconds(2)

    private let metrics: Metrics
    private let allowed: TimeAmount
    private let behindMax: TimeAmount
    private var timer: Scheduled<Void>?
    /// When the request at hand is over; nil between requests, and for answers without an end.
    private var end: NIODeadline?
    private var hasAnswer = false
    private var isStream = false
    private var behind: Scheduled<Void>?
    private var closesBehindAnswer = false
    /// Behind the last answer: whatever comes is not looked at, whatever is written is not sent.
    private var isOver = false

    init(_ metrics: Metrics, _ limits: ServerLimits) {
      self.metrics = metrics
      allowed = .seconds(Int64(limits.requestSeconds))
      behindMax = .seconds(Int64(limits.streamBehindSeconds))
    }

    func handlerAdded(context: ChannelHandlerContext) { metrics.connections.add(1, ordering: .relaxed) }

    func handlerRemoved(context: ChannelHandlerContext) {
      metrics.connections.subtract(1, ordering: .relaxed)
      timer?.cancel()
      timer = nil
      behind?.cancel()
      behind = nil
    }

    /// Who reads a stream too slowly is let go: there is no end that it would come to.
    func channelWritabilityChanged(context: ChannelHandlerContext) {
      behind?.cancel()
      behind = nil
      if isStream, !context.channel.isWritable {
        behind = context.eventLoop.assumeIsolated().scheduleTask(in: behindMax) { context.close(promise: nil) }
      }
      context.fireChannelWritabilityChanged()
    }

    // MARK: in

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      guard !isOver else { return }
      if case .head(let head) = unwrapInboundIn(data) {
        if end == nil {
          end = .now() + allowed
          hasAnswer = false
          watch(context)
        }
        if head.headerFields[.expect]?.lowercased() == "100-continue" {
          context.writeAndFlush(wrapOutboundOut(.head(HTTPResponse(status: .continue))), promise: nil)
        }
      }
      context.fireChannelRead(data)
    }

    private func watch(_ context: ChannelHandlerContext) {
      guard timer == nil, let end else { return }
      timer = context.eventLoop.assumeIsolated().scheduleTask(deadline: end) {
        self.timer = nil
        guard let end = self.end else { return }
        if end > .now() { self.watch(context) } else { self.giveUp(context) }
      }
    }

    /// The request has taken too long.
    private func giveUp(_ context: ChannelHandlerContext) {
      let isAnswered = hasAnswer
      isOver = true
      guard !isAnswered else { return context.close(promise: nil) }
      let body = Problem(
        .requestTimeout, "the request took longer than \(allowed.nanoseconds / 1_000_000_000) s",
        remedy: "send it in parts, or faster"
      ).answer.body
      var head = HTTPResponse(status: .requestTimeout)
      head.headerFields[.contentType] = "application/problem+json"
      head.headerFields[.contentLength] = String(body.count)
      head.headerFields[.connection] = "close"
      context.write(wrapOutboundOut(.head(head)), promise: nil)
      context.write(wrapOutboundOut(.body(ByteBuffer(bytes: body))), promise: nil)
      finish(context, promise: nil)
    }

    // MARK: out

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
      guard !isOver else {
        promise?.fail(ChannelError.ioOnClosedChannel)
        return
      }
      switch unwrapOutboundIn(data) {
      case .head(let head):
        guard head.status.kind != .informational else { break }
        hasAnswer = true
        if head.headerFields[.contentType] == "text/event-stream" {
          end = nil
          isStream = true
        }
        if head.headerFields[.connection] == "close" { closesBehindAnswer = true }
      case .body: break
      case .end:
        guard closesBehindAnswer else {
          end = nil
          break
        }
        isOver = true
        return finish(context, promise: promise)
      }
      context.write(data, promise: promise)
    }

    /// Ends the answer and what is sent; what is received ends when the other side does, or soon.
    private func finish(_ context: ChannelHandlerContext, promise: EventLoopPromise<Void>?) {
      end = nil
      context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: promise)
      context.close(mode: .output, promise: nil)
      context.eventLoop.assumeIsolated().scheduleTask(in: Self.lingering) { context.close(promise: nil) }
    }
  }
#endif
