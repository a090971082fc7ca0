// What Hummingbird does not do for a connection: how long a request may take in all, an end behind an answer whose request is
// not read to its end, and word to go on to who asks for it before a body.
// Invariant: at no time is there a request without a moment at which it is over; a connection that is to end ends.
// Not here: idle connections, how many there are, how long headers may be (Hummingbird, ConnectionDoor), bodies (EventIntake).

#if Server
  internal import HTTPTypes
  internal import NIOCore
  internal import NIOHTTPTypes

  final class ConnectionWatch: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// How long who was answered before its body ended may take to read the answer.
    private static let lingering = TimeAmount.seconds(2)

    /// How long who reads an answer without an end has at the end of the server to read what waits for it.
    private static let farewell = TimeAmount.seconds(1)

    private let allowed: TimeAmount
    private let behindMax: TimeAmount
    /// Whether this is one stream of HTTP/2 among others, whose connection goes on.
    private let isStream: Bool
    private var door: ConnectionDoor?
    private var timer: Scheduled<Void>?
    /// When the request at hand is over; nil between requests, and for answers without an end.
    private var end: NIODeadline?
    /// How many requests have come, how many were answered to the end, and behind which one the client expects the end.
    private var asked = 0
    private var answered = 0
    private var last: Int?
    private var hasAnswer = false
    /// Whether the answer at hand has no end of its own, and when its reader is too far behind.
    private var isEndless = false
    private var behind: Scheduled<Void>?
    /// Whether the server ends.
    private var isEnding = false
    private var context: ChannelHandlerContext?
    private var closesBehindAnswer = false
    /// Behind the last answer: whatever comes is not looked at, whatever is written is not sent.
    private var isOver = false

    init(_ limits: ServerLimits, isStream: Bool) {
      self.isStream = isStream
      allowed = .seconds(Int64(limits.requestSeconds))
      behindMax = .seconds(Int64(limits.streamBehindSeconds))
    }

    func handlerAdded(context: ChannelHandlerContext) {
      self.context = context
      guard isStream else { return }
      door = try? context.channel.parent?.pipeline.syncOperations.handler(type: ConnectionDoor.self)
      door?.streamOpened(self)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
      if event is ChannelShouldQuiesceEvent { serverEnds() }
      context.fireUserInboundEventTriggered(event)
    }

    /// The server ends: it waits for those who read.
    func serverEnds() {
      guard !isEnding else { return }
      isEnding = true
      if isEndless { bidFarewell() }
    }

    private func bidFarewell() {
      context?.eventLoop.assumeIsolated().scheduleTask(in: Self.farewell) {
        if self.isEndless { self.context?.close(promise: nil) }
      }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
      self.context = nil
      door?.streamClosed(self)
      door = nil
      timer?.cancel()
      timer = nil
      behind?.cancel()
      behind = nil
    }

    /// Who reads an answer without an end too slowly is let go: there is no end that it would come to.
    func channelWritabilityChanged(context: ChannelHandlerContext) {
      behind?.cancel()
      behind = nil
      if isEndless, !context.channel.isWritable {
        behind = context.eventLoop.assumeIsolated().scheduleTask(in: behindMax) { context.close(promise: nil) }
      }
      context.fireChannelWritabilityChanged()
    }

    // MARK: in

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      guard !isOver else { return }
      if case .head(let head) = unwrapInboundIn(data) {
        asked += 1
        if end == nil { begin(context) }
        if !isStream, last == nil, head.headerFields[.connection] == "close" { last = asked }
        if head.headerFields[.expect]?.lowercased() == "100-continue" {
          context.writeAndFlush(wrapOutboundOut(.head(HTTPResponse(status: .continue))), promise: nil)
        }
      }
      context.fireChannelRead(data)
    }

    /// The next request is at hand.
    private func begin(_ context: ChannelHandlerContext) {
      end = .now() + allowed
      hasAnswer = false
      watch(context)
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
      if !isStream { head.headerFields[.connection] = "close" }
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
      case .head(var head):
        guard head.status.kind != .informational else { break }
        hasAnswer = true
        if head.headerFields[.contentType] == "text/event-stream" {
          (end, isEndless) = (nil, true)
          if isEnding { bidFarewell() }
        }
        if head.headerFields[.connection] == "close" || last == answered + 1 { closesBehindAnswer = true }
        guard closesBehindAnswer else { break }
        // A stream ends with its answer, and HTTP/2 has no word for the connection.
        head.headerFields[.connection] = isStream ? nil : "close"
        return context.write(wrapOutboundOut(.head(head)), promise: promise)
      case .body: break
      case .end:
        answered += 1
        guard !closesBehindAnswer else {
          isOver = true
          return finish(context, promise: promise)
        }
        (end, isEndless) = (nil, false)
        // Others came behind it at once.
        if asked > answered { begin(context) }
      }
      context.write(data, promise: promise)
    }

    /// Ends the answer and what is sent; what is received ends when the other side does, or soon.
    private func finish(_ context: ChannelHandlerContext, promise: EventLoopPromise<Void>?) {
      end = nil
      context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: promise)
      // Of a stream that would be the end of both sides; its own is in what was written.
      if !isStream { context.close(mode: .output, promise: nil) }
      context.eventLoop.assumeIsolated().scheduleTask(in: Self.lingering) { context.close(promise: nil) }
    }
  }
#endif
