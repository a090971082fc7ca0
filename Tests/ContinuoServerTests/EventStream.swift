// A reader of server-sent events, on a connection of its own.
// Invariant: an event is read whole; what does not come within half a minute is a failure.
// Not here: what is expected (StreamTests).

#if Server
  import Foundation
  import NIOCore
  import NIOPosix
  import Synchronization
  import Testing

  /// One event.
  struct StreamEvent: Sendable, CustomStringConvertible {
    let id: UInt64?
    let event: String
    let data: String

    private var object: [String: Any] {
      ((try? JSONSerialization.jsonObject(with: Data(data.utf8))) as? [String: Any]) ?? [:]
    }
    private var candle: [String: Any]? { object["candle"] as? [String: Any] }
    var token: String? { object["token"] as? String }
    var interval: String? { object["interval"] as? String }
    var close: String? { candle?["close"] as? String }
    var isClosed: Bool { candle?["closed"] as? Bool ?? false }
    var isDeleted: Bool { object["deleted"] as? Bool ?? false }
    var bucket: String? { object["bucket"] as? String }
    var from: String? { object["from"] as? String }
    var description: String { "\(id.map { "\($0) " } ?? "")\(event) \(data)" }
  }

  final class EventStream: Sendable {
    private struct State {
      /// What has come and is not read yet: a head, then chunks.
      var raw: [UInt8] = []
      var head: String?
      /// What the chunks hold.
      var text = ""
      var isOver = false

      mutating func take(_ bytes: some Sequence<UInt8>) {
        raw += bytes
        if head == nil, let end = Self.end(of: "\r\n\r\n", in: raw) {
          head = String(decoding: raw[..<end], as: UTF8.self)
          raw.removeSubrange(..<end)
        }
        // A line with the length of a chunk in hexadecimal digits, the chunk, and a line's end.
        while head != nil, let start = Self.end(of: "\r\n", in: raw) {
          guard let count = Int(String(decoding: raw[..<(start - 2)], as: UTF8.self), radix: 16),
            raw.count >= start + count + 2
          else { return }
          text += String(decoding: raw[start..<start + count], as: UTF8.self)
          raw.removeSubrange(..<(start + count + 2))
        }
      }

      private static func end(of mark: String, in bytes: [UInt8]) -> Int? {
        let mark = Array(mark.utf8)
        guard bytes.count >= mark.count else { return nil }
        for start in 0...bytes.count - mark.count where bytes[start..<start + mark.count].elementsEqual(mark) {
          return start + mark.count
        }
        return nil
      }
    }

    private final class Collector: ChannelInboundHandler, Sendable {
      typealias InboundIn = ByteBuffer
      let state = Mutex(State())

      func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let piece = unwrapInboundIn(data)
        state.withLock { $0.take(piece.readableBytesView) }
      }

      func channelInactive(context: ChannelHandlerContext) { state.withLock { $0.isOver = true } }
      func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }

    private let channel: any Channel
    private let collector: Collector
    let head: String

    private init(_ channel: any Channel, _ collector: Collector, _ head: String) {
      (self.channel, self.collector, self.head) = (channel, collector, head)
    }

    /// Asks for a stream, and waits for the head of the answer.
    static func open(_ port: Int, _ target: String, _ headers: String = "") async throws -> EventStream {
      let collector = Collector()
      let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .channelInitializer { $0.pipeline.addHandler(collector) }
        .connect(host: "127.0.0.1", port: port).get()
      let request = "GET \(target) HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\(headers)\r\n"
      try await channel.writeAndFlush(ByteBuffer(string: request))
      let head = try await wait(collector, "a head") { $0.head }
      return EventStream(channel, collector, head)
    }

    private static func wait<Found: Sendable>(
      _ collector: Collector, _ what: String, _ look: @Sendable (inout State) -> Found?
    ) async throws -> Found {
      for _ in 0..<6000 {
        if let found = collector.state.withLock({ look(&$0) }) { return found }
        try await Task.sleep(for: .milliseconds(5))
      }
      Issue.record("\(what) did not come; there is: \(collector.state.withLock { $0.text })")
      throw CancellationError()
    }

    /// The next event; comments and what is no event are passed over.
    private func event() async throws -> StreamEvent {
      try await Self.wait(collector, "an event") { state in
        while let block = Self.block(&state.text) {
          var (id, event, data) = (UInt64?.none, "", "")
          for line in block.split(separator: "\n") {
            if line.hasPrefix("id: ") { id = UInt64(line.dropFirst(4)) }
            if line.hasPrefix("event: ") { event = String(line.dropFirst(7)) }
            if line.hasPrefix("data: ") { data = String(line.dropFirst(6)) }
          }
          if !event.isEmpty { return StreamEvent(id: id, event: event, data: data) }
        }
        return nil
      }
    }

    /// A block up to an empty line; nil where none is whole.
    private static func block(_ text: inout String) -> String? {
      guard let end = text.range(of: "\n\n") else { return nil }
      defer { text.removeSubrange(..<end.upperBound) }
      return String(text[..<end.lowerBound])
    }

    /// The next so many events.
    func next(_ count: Int) async throws -> [StreamEvent] {
      var events: [StreamEvent] = []
      while events.count < count { events.append(try await event()) }
      return events
    }

    /// All events up to one, with it.
    func until(_ isLast: (StreamEvent) -> Bool) async throws -> [StreamEvent] {
      var events: [StreamEvent] = []
      repeat { events.append(try await event()) } while !isLast(events[events.count - 1])
      return events
    }

    /// Waits for a comment.
    func untilPulse() async throws {
      try await Self.wait(collector, "a sign of life") { $0.text.contains("\n:\n\n") ? () : nil }
    }

    /// Everything that comes until the other side ends.
    func rest() async throws -> String {
      try await Self.wait(collector, "the end") { state in
        state.isOver ? state.text : nil
      }
    }

    func close() { channel.close(promise: nil) }
  }
#endif
