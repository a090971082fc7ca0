// Servers that hold at the point where parts of their directory can be read, and who asks them there.
// Invariant: the directory is opened in the end, whatever a test does.
// Not here: what is expected of the answers (EarlyTests, EarlyProperties).

#if Server
  import Continuo
  import ContinuoServer
  import ContinuoStorage
  import Foundation
  import Synchronization
  import Testing

  enum EarlyMarket {
    static let start = Timestamp(microseconds: 1_730_419_200_000_000)

    /// A directory of its own: twenty days in kept files, and a day in the journal behind them.
    static func market(_ body: (URL) async throws -> Void) async throws {
      try await folder { path in
        try fill(path)
        try await body(path)
      }
    }

    /// A place for a directory that goes with the test.
    static func folder(_ body: (URL) async throws -> Void) async throws {
      let scratch = FileManager.default.temporaryDirectory.appending(path: "continuo-\(UUID().uuidString)")
      defer { try? FileManager.default.removeItem(at: scratch) }
      try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
      try await body(scratch.appending(path: "kept-market"))
    }

    private static func fill(_ path: URL) throws {
      let ledger = try Ledger(path: path.path, options)
      for day in 0...20 {
        var batch = EventBatch()
        for index in 0..<96 {
          let time = start + Int64(day) * 86_400_000_000 + Int64(index) * 900_000_000
          batch.append(
            Swap(
              block: UInt64(day * 96 + index), timestamp: time, token: index % 4 == 0 ? "ART" : "BEE",
              amountUSD: Decimal18(whole: Int64(index + 1)), priceUSD: Decimal18(whole: Int64(day + index % 7 + 1)),
              wallet: ByteString("w\(index % 5)")))
        }
        _ = try ledger.take(batch, wallClock: nil)
        if day == 19 { _ = try ledger.checkpoint() }
      }
    }

    static var options: Ledger.Options {
      var options = Ledger.Options()
      (options.durability, options.checkpointBytes, options.scrubBytesPerSecond) = (.none, nil, nil)
      return options
    }

    /// Lends a server on a directory that is not read further than it needs to be.
    static func held(
      _ path: URL, _ edit: (inout Server.Options) -> Void = { _ in },
      told: @escaping @Sendable (Server.Event) -> Void = { _ in },
      _ body: @Sendable (Served, HeldOpening) async throws -> Void
    ) async throws {
      let held = HeldOpening()
      try await Served.run(
        { options in
          options.dataDirectory = path.path
          options.ledger = Self.options
          options.limits.restoringSeconds = 60
          edit(&options)
        }, held: held, told: told,
        { served in
          served.clock.set(start + 21 * 86_400_000_000)
          try await body(served, held)
        })
    }

    /// The answer to a question on a connection of its own.
    static func answer(_ served: Served, _ ask: @escaping @Sendable (Served) async throws -> Reply) -> Task<
      Reply, any Error
    > {
      Task {
        let reply = Mutex<Reply?>(nil)
        try await served.again { served in
          let answer = try await ask(served)
          reply.withLock { $0 = answer }
        }
        return try #require(reply.withLock { $0 })
      }
    }

    /// Waits until so many requests wait for the directory.
    static func wait(_ served: Served, for count: Int) async throws {
      for _ in 0..<10_000 {
        let page = try await served.get("/metrics").text
        if page.contains("continuo_waiting_requests \(count)\n") { return }
        try await Task.sleep(for: .milliseconds(2))
      }
      Issue.record("\(count) do not wait")
    }
  }
#endif
