// Threads that read candles as fast as they can, for as long as a load is timed.
// Invariant: a reader only reads; what it keeps was made before the clock started.
// Not here: the writer (LoadRun), how versions are read (Continuo/Reading).

internal import Continuo
internal import ContinuoBytes
internal import ContinuoMachine
internal import ContinuoMarket
internal import Synchronization

/// The readers of a load.
struct LoadReaders {
  static let candlesRead = 168
  /// The newest so many are kept, of each reader.
  private static let samplesKept = 4_000_000

  /// What the threads share: whether they may stop, and what they saw.
  private final class Board: Sendable {
    let isOver = Atomic<Bool>(false)
    let ready = Atomic<Int>(0)
    let seen = Mutex<[Seen]>([])
  }

  /// What one reader saw.
  struct Seen: Sendable {
    /// The reads that had as many candles as were asked for, and those that had fewer.
    var full: LatencySamples
    var short: LatencySamples
    var trades = 0
  }

  private let board = Board()
  private var threads: [ThreadHandle] = []

  /// Starts so many readers, and waits until each is at work.
  init(_ count: Int, _ publication: Publication, _ market: Market) throws {
    let board = board
    let names = (0..<market.shape.tokens).map { market.tokenName($0) }
    for number in 0..<count {
      let thread = ThreadHandle {
        let seen = Self.read(publication, market, names, number, board)
        board.seen.withLock { $0.append(seen) }
      }
      guard let thread else {
        board.isOver.store(true, ordering: .releasing)
        throw Failure(.storageFailed, "reader \(number + 1) of \(count) has no thread", remedy: "lower --readers")
      }
      threads.append(thread)
    }
    while board.ready.load(ordering: .acquiring) < count {}
  }

  /// Stops all readers; what they saw.
  func finish() -> [Seen] {
    board.isOver.store(true, ordering: .releasing)
    for thread in threads { thread.join() }
    return board.seen.withLock { $0 }
  }

  private static func read(
    _ publication: Publication, _ market: Market, _ names: [ByteString], _ number: Int, _ board: Board
  ) -> Seen {
    var seen = Seen(full: LatencySamples(capacity: samplesKept), short: LatencySamples(capacity: samplesKept))
    var random = RandomSource(seed: market.shape.seed &+ UInt64(number), for: .questions)
    let popularity = market.popularity()
    var tokens = [TokenID?](repeating: nil, count: names.count)
    let query = CandleQuery(.oneHour, limit: candlesRead)
    var reader = publication.reader()
    board.ready.add(1, ordering: .acquiringAndReleasing)
    while !board.isOver.load(ordering: .relaxed) {
      let rank = popularity.draw(&random)
      var count = 0
      let start = MachineHandle.nanoseconds
      reader.read { market in
        if tokens[rank] == nil { tokens[rank] = market.token(names[rank]) }
        guard let token = tokens[rank] else { return }
        market.forEachBar(of: token, query) { row in
          count += 1
          seen.trades &+= row.trades
        }
      }
      let spent = MachineHandle.nanoseconds - start
      if count == candlesRead { seen.full.add(spent) } else if count > 0 { seen.short.add(spent) }
    }
    return seen
  }
}
