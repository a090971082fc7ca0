// A connection that sends what a test wants, whether it is HTTP or not, and hears all that comes back.
// Invariant: it ends when the other side does, or after so long, which is a failure.
// Not here: well-behaved clients (Served).

#if Server
  import NIOCore
  import NIOPosix
  import Testing

  struct RawConnection {
    let channel: NIOAsyncChannel<ByteBuffer, ByteBuffer>

    /// Connects to a port of this machine.
    static func to(_ port: Int) async throws -> RawConnection {
      let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .channelOption(ChannelOptions.allowRemoteHalfClosure, value: true)
        .connect(host: "127.0.0.1", port: port) { channel in
          channel.eventLoop.makeCompletedFuture {
            try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
              wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
          }
        }
      return RawConnection(channel: channel)
    }

    /// Sends some pieces, then hears all that comes until the other side ends.
    ///
    /// - Parameter finishes: whether the server is told that no more comes.
    static func exchange(_ port: Int, _ pieces: [String], finishes: Bool = false) async throws -> String {
      try await to(port).exchange(pieces, finishes: finishes)
    }

    func exchange(_ pieces: [String], finishes: Bool = false) async throws -> String {
      let guardian = channel.channel.eventLoop.scheduleTask(in: .seconds(30)) { [channel] in
        Issue.record("nothing ended this connection")
        channel.channel.close(promise: nil)
      }
      defer { guardian.cancel() }
      return try await channel.executeThenClose { inbound, outbound in
        var text = ""
        do {
          for piece in pieces { try await outbound.write(ByteBuffer(string: piece)) }
          if finishes { outbound.finish() }
          for try await bytes in inbound { text += String(buffer: bytes) }
        } catch {
          // The other side may close while there is still something on its way to it.
        }
        return text
      }
    }
  }
#endif
