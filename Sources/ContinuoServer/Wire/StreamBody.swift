// A stream's body: updates as they come, a sign of life where none do, a last word at the end.
// Invariant: it ends when the client goes, and within moments when the server does.
// Not here: what an update says (StreamAnswer), clients that do not read (ConnectionWatch).

#if Server
  internal import Continuo
  internal import Hummingbird
  internal import NIOCore
  internal import ServiceLifecycle

  enum StreamBody {
    /// The body of an answer, for as long as its request's connection is there.
    static func body(_ stream: StreamAnswer, _ request: RequestBody) -> ResponseBody {
      ResponseBody { writer in
        try await request.consumeWithInboundCloseHandler { _ in
          try await withGracefulShutdownHandler {
            try await write(stream, &writer)
          } onGracefulShutdown: {
            stream.subscription.end()
          }
        } onInboundClosed: {
          stream.subscription.end()
        }
        try await writer.finish(nil)
      }
    }

    private static func write(_ stream: StreamAnswer, _ writer: inout any ResponseBodyWriter) async throws {
      let (subscription, seconds) = (stream.subscription, stream.quietSeconds)
      try await withThrowingDiscardingTaskGroup { group in
        group.addTask {
          while !Task.isCancelled {
            try? await Task.sleep(for: .seconds(seconds))
            subscription.wake()
          }
        }
        defer { group.cancelAll() }
        try await writer.write(ByteBuffer(bytes: StreamAnswer.opening))
        while let updates = await subscription.next() {
          try await writer.write(ByteBuffer(bytes: updates.isEmpty ? StreamAnswer.pulse : stream.text(updates)))
        }
        try await writer.write(ByteBuffer(bytes: StreamAnswer.bye))
      }
    }
  }
#endif
