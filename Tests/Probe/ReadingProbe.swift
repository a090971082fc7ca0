// A program that shows what a read costs besides time: no memory, no lock, and no waiting for a writer that stands still.
// Invariant: ends with status 0 and a line of figures, or with what was wrong. Needs glibc; elsewhere it says so, status 3.
// Not here: whether what is read is right (ReadingProperties). It stands in the way of the C library's own functions, so
// that tests run it (ReadingCostTests) and are not linked with it.

import CProbe
import Continuo
import ContinuoTestSupport
import Foundation
import Synchronization

@main
struct ReadingProbe: ~Copyable {
  fileprivate static let tokens = (0..<20).map { ByteString("token \($0)") }
  private static let start = Timestamp("2024-12-01T00:00:00Z") ?? .first

  private var engine = Engine()
  private var batches = 0

  static func main() throws {
    guard continuo_can_count() else { stop("this C library's calls cannot be counted", status: 3) }
    // Who waits for a writer that stands waits for ever.
    continuo_end_after(60)
    var probe = ReadingProbe()
    for _ in 0..<60 { try probe.apply(rows: 500, Progress()) }
    let publication = probe.engine.publication()
    Reading(publication).readAlone()
    try probe.writeAmidStops(publication)
  }

  /// Ends the program.
  fileprivate static func stop(_ what: String, status: Int32 = 1) -> Never {
    print(what)
    exit(status)
  }

  private mutating func apply(rows: Int, _ progress: Progress) throws {
    var batch = EventBatch()
    for row in 0..<rows { Self.add(row, block: batches * rows + row, to: &batch) }
    progress.isApplying.store(true, ordering: .sequentiallyConsistent)
    try engine.apply(batch, wallClock: nil)
    progress.isApplying.store(false, ordering: .sequentiallyConsistent)
    batches += 1
  }

  /// A swap or a transfer: some are late.
  private static func add(_ row: Int, block: Int, to batch: inout EventBatch) {
    let late = row % 9 == 0 ? Int64(row % 5) * 3_600_000_000 : 0
    let time = start + Int64(block) * 200_000_000 - late
    let token = tokens[(block * 7) % tokens.count]
    if row % 4 == 3 {
      batch.append(
        Transfer(
          block: UInt64(block), timestamp: time, token: token, from: ByteString("wallet \(block % 97)"),
          to: ByteString("wallet \(block % 89 + 5)"), amount: Decimal18(units: Int128(block + 1) << 40)))
    } else {
      batch.append(
        Swap(
          block: UInt64(block), timestamp: time, token: token, side: row % 2 == 0 ? .buy : .sell,
          amountUSD: Decimal18(units: Int128(row + 1) << 60),
          tokenAmount: Decimal18(units: Int128(block % 999 + 1) << 58),
          wallet: ByteString("wallet \(row)")))
    }
  }

  /// Writes on this thread, while another one stops it wherever it stands, with whatever it holds, and reads.
  private mutating func writeAmidStops(_ publication: Publication) throws {
    let progress = Progress()
    continuo_stoppable()
    let writer = pthread_self()
    var failure: (any Error)?
    let lines = Threads.run(1) { _ in
      var reading = Reading(publication)
      return reading.readAmidStops(of: writer, progress)
    } while: {
      while !progress.isOver.load(ordering: .relaxed), failure == nil {
        do {
          try apply(rows: 200, progress)
          // No more memory than a test may take, however slow the machine.
          if batches % 200 == 0 { _ = try engine.rollback(chain: 0, above: 30_000) }
        } catch { failure = error }
      }
    }
    if let failure { throw failure }
    print("\(lines[0]), \(batches) batches, 0 allocations, 0 locks")
  }
}

/// What the two threads tell each other.
private final class Progress: Sendable {
  let isApplying = Atomic<Bool>(false)
  let isOver = Atomic<Bool>(false)
}

/// A reader whose calls are counted.
private struct Reading: ~Copyable {
  private var reader: Reader
  /// So that nothing that is read can be left out.
  private var sum = 0

  init(_ publication: Publication) { reader = publication.reader() }

  /// What `body` asked of the C library.
  private static func counted(_ body: () -> Void) -> continuo_counts {
    continuo_count()
    body()
    return continuo_counted()
  }

  /// Reads all that a chart needs.
  private mutating func read(_ number: Int) {
    let name = ReadingProbe.tokens[number % ReadingProbe.tokens.count]
    reader.read { market in
      guard let token = market.token(name), let clock = market.clock else { ReadingProbe.stop("a token is missing") }
      for interval in Interval.allCases {
        market.forEachCandle(of: token, CandleQuery(interval, limit: 168)) { sum &+= $0.candle?.trades ?? 0 }
        market.forEachBar(of: token, CandleQuery(interval, limit: 168)) { sum &+= $0.trades }
        market.forEachCandle(of: token, CandleQuery(interval, fill: .previous, limit: 24)) {
          sum &+= $0.isClosed ? 1 : 0
        }
      }
      for days in 0..<Int64(2) {
        let asOf = clock - days * 86_400_000_000
        sum &+= (try? market.window(.oneDay, of: token, asOf: asOf).trades) ?? 0
        sum &+= (try? market.statistics(of: token, asOf: asOf).holders) ?? 0
      }
    }
  }

  /// Reads with nobody beside, and shows that what is counted can be seen.
  consuming func readAlone() {
    for number in 0..<20 { read(number) }
    guard Self.counted({ reader.read { _ = $0.tokens() } }).allocations > 0 else {
      ReadingProbe.stop("the memory of an array is not counted")
    }
    guard Self.counted(continuo_take_lock).locks == 1 else { ReadingProbe.stop("a lock is not counted") }
    let counts = Self.counted { for number in 0..<20 { read(number) } }
    Self.requireNone(counts, "alone")
  }

  private static func requireNone(_ counts: continuo_counts, _ when: String) {
    guard counts.allocations == 0, counts.locks == 0 else {
      ReadingProbe.stop("\(when), reading asked for memory \(counts.allocations) times and took \(counts.locks) locks")
    }
  }

  mutating func readAmidStops(of writer: pthread_t, _ progress: Progress) -> String {
    let rounds = 300
    var amid = 0
    var random = SeededGenerator(seed: 7)
    for round in 0..<rounds {
      usleep(UInt32.random(in: 0...400, using: &random))
      continuo_stop(writer)
      if progress.isApplying.load(ordering: .sequentiallyConsistent) { amid += 1 }
      let counts = Self.counted { read(round) }
      continuo_go_on()
      Self.requireNone(counts, "beside a writer")
    }
    progress.isOver.store(true, ordering: .relaxed)
    guard amid > rounds / 10 else { ReadingProbe.stop("only \(amid) of \(rounds) stops were amid a batch: too few") }
    return "\(rounds) stops, \(amid) of them amid a batch"
  }
}
