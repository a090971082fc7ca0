// The demo's market in a served directory: what is missing up to now at once, then live, with late events and reorgs.
// Invariant: a directory is written only if it is empty or was begun by a demo of the same seed; how far the demo is, is kept
// with each batch, so that a crash loses nothing of both.
// Not here: what happens in the market (ContinuoMarket).

#if CONTINUO_SERVER
  internal import Continuo
  internal import ContinuoFormats
  internal import ContinuoMarket
  internal import ContinuoServer
  internal import ContinuoStorage

  /// What the demo writes, and what it says of it.
  struct DemoFeed: Sendable {
    /// What a source of the demo is called, before its seed.
    private static let sourcePrefix = "demo "
    private static let batchStepsMax = 25_000
    private static let tickMicroseconds: Int64 = 200_000
    /// From which age on which rate of steps: history is coarser.
    private static let liveMicroseconds: Int64 = 60_000_000
    private static let fineMicroseconds: Int64 = 21_600_000_000
    private static let finePerSecond = 2.0
    private static let coarsePerSecond = 0.5

    let seed: UInt64
    let days: Int
    /// How many trades a second happen now.
    let perSecond: Double
    let dataDir: String
    let wallClock: @Sendable () -> Timestamp
    /// What there is to see now, once the history is there.
    let tell: @Sendable (ServerInlet, [String]) -> Void
    /// What went wrong.
    let fail: @Sendable (String) -> Void

    private var source: ByteString { ByteString(Self.sourcePrefix + String(seed)) }

    /// The server's feed.
    var feed: ServerFeed {
      ServerFeed(answersEarly: false, accept: { try accept($0) }, run: { run($0) })
    }

    /// Refuses a directory that holds what is not this demo's.
    private func accept(_ ledger: Ledger) throws {
      let demos = ledger.positions.map(\.source.description).filter { $0.hasPrefix(Self.sourcePrefix) }
      if let other = demos.first(where: { $0 != source.description }) {
        let found = Visible.text(String(other.dropFirst(Self.sourcePrefix.count)))
        throw Failure(
          .badParameter, "\(Visible.text(dataDir)) holds the demo of seed \(found), not of \(seed)",
          remedy: "give --demo-seed \(found), or another --data-dir")
      }
      var reader = ledger.publication().reader()
      guard demos.isEmpty, reader.read({ $0.newest }) != nil else { return }
      throw Failure(
        .badParameter, "\(Visible.text(dataDir)) holds events that are not the demo's, and nothing was mixed with them",
        remedy: "leave out --demo to serve them, or give --demo a --data-dir of its own")
    }

    // MARK: running

    private func run(_ inlet: ServerInlet) {
      do {
        let began = ContinuousClock.now
        var writer = try DemoWriter(inlet, source, seed, from: begin())
        try writer.takeGenesis()
        while !inlet.hasEnded, try writer.take(before: wallClock(), rate(at: writer.market.now), Self.batchStepsMax) {}
        try tell(inlet, lines(inlet, seconds: (ContinuousClock.now - began).seconds))
        while inlet.wait(microseconds: Self.tickMicroseconds) {
          try writer.takeLive(before: wallClock(), rate(at: writer.market.now))
        }
      } catch {
        fail(
          "the demo has ended: \((error as? StorageFailure)?.what ?? String(describing: error)); what was taken is served on"
        )
      }
    }

    private func begin() -> Timestamp { wallClock() - Int64(days) * 86_400_000_000 }

    private func rate(at instant: Timestamp) -> Double {
      let age = wallClock().microseconds - instant.microseconds
      if age < Self.liveMicroseconds { return perSecond }
      return age < Self.fineMicroseconds ? Self.finePerSecond : Self.coarsePerSecond
    }

    private func lines(_ inlet: ServerInlet, seconds: Double) throws -> [String] {
      let (events, tokens) = try inlet.read { market in
        let held = market.inspection()
        return (held.swaps + held.transfers, held.tokens)
      }
      let tenths = Int((seconds * 10).rounded())
      return [
        "demo: SYNTHETIC data, drawn from seed \(seed): \(events) events of \(tokens) invented tokens (…\(DemoTokens.suffix)) after "
          + "\(tenths / 10).\(tenths % 10) s, and about \(Int(perSecond)) trades a second from now on"
      ]
    }
  }

  /// The demo's market on its way into a directory.
  private struct DemoWriter {
    private struct Held {
      var due: Timestamp
      var step: DemoStep
    }

    private let inlet: ServerInlet
    private let source: ByteString
    private(set) var market: DemoMarket
    private var batch = EventBatch()
    private var held: [Held] = []
    private var replacedUpTo: UInt64 = 0
    private let isNew: Bool

    /// Goes on behind what is there, or begins; a demo that rested for longer than its history leaves a gap.
    init(_ inlet: ServerInlet, _ source: ByteString, _ seed: UInt64, from start: Timestamp) throws {
      (self.inlet, self.source) = (inlet, source)
      market = DemoMarket(seed: seed, from: start)
      let position = try inlet.position(of: source)
      isNew = position == nil
      guard let position else { return }
      let newest = try inlet.read { $0.newest } ?? start
      market.proceed(step: UInt64(truncatingIfNeeded: position), after: max(start, newest))
      try restore()
    }

    private mutating func restore() throws {
      let found = try inlet.read { snapshot in
        try DemoTokens.names.enumerated().compactMap { number, name -> (Int, Decimal18?, [Holder])? in
          guard let token = snapshot.token(name), let clock = snapshot.clock else { return nil }
          return (
            number, try snapshot.statistics(of: token, asOf: clock).window.last, snapshot.holders(of: token)
          )
        }
      }
      for (number, price, holders) in found { market.restore(number, price: price, holders) }
    }

    /// What there is at first, where nothing is yet.
    mutating func takeGenesis() throws {
      guard isNew else { return }
      for step in market.genesis() { market.append(step, to: &batch) }
      try send()
    }

    /// Takes up to so many steps that happen before `end`; whether there may be more.
    mutating func take(before end: Timestamp, _ perSecond: Double, _ stepsMax: Int) throws -> Bool {
      var count = 0
      while count < stepsMax, let step = market.next(before: end, perSecond: perSecond) {
        market.append(step, to: &batch)
        count += 1
      }
      try send()
      return count == stepsMax
    }

    /// Takes what happened before `end`: some of it is held back, and now and then the last blocks are replaced.
    mutating func takeLive(before end: Timestamp, _ perSecond: Double) throws {
      for late in held where late.due < end { market.append(late.step, to: &batch) }
      held.removeAll { $0.due < end }
      while batch.offered < Limits.batchRowsMax / 2, let step = market.next(before: end, perSecond: perSecond) {
        if step.lateMicroseconds > 0 {
          held.append(Held(due: step.timestamp + step.lateMicroseconds, step: step))
        } else {
          market.append(step, to: &batch)
        }
        // What stands in place of replaced blocks stays.
        if step.blocksReplaced > 0, step.block > replacedUpTo + step.blocksReplaced {
          try send()
          replacedUpTo = step.block
          try replaceBlocks(above: step.block - step.blocksReplaced)
        }
        if inlet.hasEnded { break }
      }
      try send()
    }

    /// A reorg: what was in the last blocks never happened, and other things happen in their place.
    private mutating func replaceBlocks(above block: UInt64) throws {
      _ = try inlet.rollback(chain: DemoMarket.chain, above: block)
      held.removeAll { $0.step.block > block }
      market.proceed(step: market.stepCount, after: DemoMarket.start(ofBlock: block))
      try restore()
    }

    private mutating func send() throws {
      guard batch.offered > 0, let position = InputPosition(source, UInt128(market.stepCount)) else { return }
      let receipt = try inlet.take(batch, at: position)
      batch.removeAll()
      guard let first = receipt.rejections.first else { return }
      throw Failure(
        .rejected, "row \(first.line) of the demo: \(first.reason.name) '\(Visible.text(first.value))'",
        remedy: "please report it with the seed")
    }
  }
#endif
