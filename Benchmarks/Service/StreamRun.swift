// Many readers of one token's candles, and swaps of it one after another: how long from sending one to reading it.
// Invariant: all swaps are of one minute, in which nothing else is traded, so that a candle's trades say which of them it has; every
// reader reads the last one, or the process ends.
// Not here: the connection that sends (Connection).

#if Server
  internal import ContinuoMachine
  internal import NIOCore

  final class StreamRun {
    private let loop: any EventLoop
    private let promise: EventLoopPromise<String>
    private let port: Int
    private let token: String
    private let readers: Int
    private let events: Int
    private let milliseconds: Int
    private let second: Int
    private var ready = 0
    private var finished = 0
    private var updates = 0
    private var sentAt: [NIODeadline] = []
    private var samples: LatencySamples

    /// How long the last update may take.
    private static let patience = TimeAmount.seconds(20)

    init(
      _ loop: any EventLoop, _ promise: EventLoopPromise<String>, port: Int, _ token: String, readers: Int, events: Int,
      milliseconds: Int, second: Int
    ) {
      (self.loop, self.promise, self.port, self.token) = (loop, promise, port, token)
      (self.readers, self.events, self.milliseconds, self.second) = (readers, events, milliseconds, second)
      samples = LatencySamples(capacity: readers * events)
    }

    func begin() {
      for _ in 0..<readers { Connection.connect(loop, port: port) { StreamReader(self) } }
    }

    /// Where readers begin.
    var request: ByteBuffer {
      ByteBuffer(string: "GET /v1/stream?token=\(token)&interval=1m&time=s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    }

    /// What an update of the minute says.
    var minute: [UInt8] { Array("\"bucket\":\(second)".utf8) }

    func readerIsReady() {
      ready += 1
      guard ready == readers else { return }
      Connection.open(loop, port: port) { [self] connection in
        connection.keepsBody = true
        connection.answered = { status, body in
          precondition(status == 200, "\(status): \(String(buffer: body))")
        }
        send(connection, .now())
      }
    }

    private func send(_ connection: Connection, _ start: NIODeadline) {
      let number = sentAt.count
      let line =
        "{\"chain\":77,\"block\":\(second * 10 + number),\"timestamp\":\(second * 1_000_000 + number),"
        + "\"token\":\"\(token)\",\"side\":\"buy\",\"amount_usd\":\"1\",\"token_amount\":\"1\"}\n"
      sentAt.append(.now())
      connection.send(
        ByteBuffer(
          string: "POST /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-ndjson\r\n"
            + "Content-Length: \(line.utf8.count)\r\n\r\n\(line)"))
      guard number + 1 < events else {
        loop.assumeIsolated().scheduleTask(in: Self.patience) {
          fatalError("\(self.readers - self.finished) readers have not read the last swap")
        }
        return
      }
      let due = start + .milliseconds(Int64((number + 1) * self.milliseconds))
      loop.assumeIsolated().scheduleTask(deadline: due) { self.send(connection, start) }
    }

    /// A reader that had so many swaps of the minute has so many now.
    func reader(has trades: Int, had: Int) {
      updates += 1
      guard trades > had else { return }
      precondition(trades <= sentAt.count, "nothing else is traded in that minute")
      let now = NIODeadline.now()
      for number in had..<trades { samples.add((now - sentAt[number]).nanoseconds) }
      if trades == events { finished += 1 }
      guard finished == readers else { return }
      let times = samples.microseconds([0.5, 0.99, 1])
      promise.succeed(
        """
        {"readers":\(readers),"events":\(events),"updates":\(updates),"p50_ms":\(times[0] / 1e3),\
        "p99_ms":\(times[1] / 1e3),"longest_ms":\(times[2] / 1e3)}
        """)
    }
  }

  /// A connection that reads a stream.
  final class StreamReader: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private static let retry = Array("retry:".utf8)
    private static let trades = Array("\"trades\":".utf8)

    private let run: StreamRun
    private let minute: [UInt8]
    private var came = ByteBuffer()
    private var isReady = false
    private var trades = 0

    init(_ run: StreamRun) { (self.run, minute) = (run, run.minute) }

    func channelActive(context: ChannelHandlerContext) {
      context.writeAndFlush(wrapOutboundOut(run.request), promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) { fatalError("the server ended a stream") }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      var piece = unwrapInboundIn(data)
      came.writeBuffer(&piece)
      // Updates end with an empty line; what is shorter than a line of them is the rest of a head.
      while let end = Self.end(of: came) {
        let text = came.readBytes(length: end) ?? []
        if !isReady, Self.end(of: Self.retry, in: text) != nil {
          isReady = true
          run.readerIsReady()
        }
        guard let found = Self.end(of: Self.trades, in: text), Self.end(of: minute, in: text) != nil else { continue }
        let has = text[found...].prefix { $0 &- 48 < 10 }.reduce(0) { $0 * 10 + Int($1 - 48) }
        run.reader(has: has, had: trades)
        trades = max(trades, has)
      }
      came.discardReadBytes()
    }

    /// Behind the first place of a text in another one; nil where it is not there.
    private static func end(of part: [UInt8], in text: [UInt8]) -> Int? {
      guard text.count >= part.count else { return nil }
      for start in 0...(text.count - part.count) where text[start] == part[0] {
        var length = 1
        while length < part.count, text[start + length] == part[length] { length += 1 }
        if length == part.count { return start + length }
      }
      return nil
    }

    /// Behind the first empty line.
    private static func end(of buffer: ByteBuffer) -> Int? {
      let bytes = buffer.readableBytesView
      var previous: UInt8 = 0
      for (index, byte) in bytes.enumerated() {
        if byte == UInt8(ascii: "\n"), previous == byte { return index + 1 }
        if byte != UInt8(ascii: "\r") { previous = byte }
      }
      return nil
    }
  }
#endif
