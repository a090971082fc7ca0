// Runs of a ledger: a market through it and back, and many writers of one event each.
// Invariant: every event is counted; directories are the caller's to remove.
// Not here: what is printed (main), what the figures are held to (tools/bench).

internal import Continuo
internal import ContinuoBytes
internal import ContinuoMachine
internal import ContinuoMarket
internal import ContinuoStorage
internal import Foundation

/// A data directory that a market goes into, and comes back from.
struct DurableRun {
  private let path: String
  private let market: Market
  private let batches: [Range<Int>]
  private var events: Int { market.count }

  init(_ path: String, _ market: Market) throws {
    (self.path, self.market, batches) = (path, market, market.batches(of: 10_000))
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  /// Events a second of an engine in memory.
  func inMemory() throws -> Double {
    var engine = Engine()
    var batch = EventBatch()
    let start = MachineHandle.nanoseconds
    var accepted = 0
    for rows in batches {
      batch.removeAll()
      market.append(rows, to: &batch)
      accepted += try engine.apply(batch, wallClock: nil).accepted
    }
    let seconds = Double(MachineHandle.nanoseconds - start) / 1e9
    precondition(accepted == events, "every event is accepted")
    return Double(events) / seconds
  }

  /// Events a second that are on the disk when they are counted, and how many bytes of the journal one takes.
  func ingest() throws -> (rate: Double, bytesPerEvent: Double) {
    // The journal alone: what checkpoints cost beside it `Storage` tells.
    var options = Ledger.Options()
    options.checkpointBytes = nil
    let ledger = try Ledger(path: path + "/data", options)
    // Three batches that take turns: one is made while those before it are written and applied.
    var free = (0..<3).map { _ in EventBatch() }
    var offered: [(answer: OfferedBatch, batch: EventBatch)] = []
    let start = MachineHandle.nanoseconds
    var accepted = 0
    for rows in batches {
      if free.isEmpty {
        let first = offered.removeFirst()
        accepted += try first.answer.receipt().accepted
        free.append(first.batch)
      }
      var batch = free.removeLast()
      batch.removeAll()
      market.append(rows, to: &batch)
      offered.append((try ledger.offer(batch, wallClock: nil), batch))
    }
    for last in offered { accepted += try last.answer.receipt().accepted }
    let seconds = Double(MachineHandle.nanoseconds - start) / 1e9
    precondition(accepted == events, "every event is accepted")
    let position = ledger.journalPosition
    let bytes = Int64(position.file - 1) * Ledger.Options().journalFileBytes + position.byte
    return (Double(events) / seconds, Double(bytes) / Double(events))
  }

  /// Events a second that are brought back.
  func restore() throws -> Double {
    let start = MachineHandle.nanoseconds
    let read = try ReadDirectory(path: path + "/data")
    let seconds = Double(MachineHandle.nanoseconds - start) / 1e9
    precondition(read.engine.inspection().swaps == events, "every event comes back")
    return Double(events) / seconds
  }
}

/// Many threads that each wait for one event at a time to be on the disk.
struct ManyWriters {
  let path: String
  let writers: Int
  let commits: Int

  init(_ path: String, writers: Int, commits: Int) throws {
    (self.path, self.writers, self.commits) = (path, writers, commits)
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  func run() throws -> (rate: Double, p99: Double, bare: Double) {
    let bare = try bareSyncs()
    let ledger = try Ledger(path: path + "/data")
    let each = max(1, commits / writers)
    let samples = Samples()
    let start = MachineHandle.nanoseconds
    var threads: [ThreadHandle] = []
    for writer in 0..<writers {
      let thread = ThreadHandle {
        var own: [Int64] = []
        var batch = EventBatch()
        for index in 0..<each {
          batch.removeAll()
          batch.append(
            Swap(
              block: UInt64(writer), logIndex: UInt32(index), timestamp: Timestamp(microseconds: 1), token: "ART",
              amountUSD: .one, priceUSD: .one))
          let start = MachineHandle.nanoseconds
          guard let receipt = try? ledger.take(batch, wallClock: nil), receipt.accepted == 1 else { continue }
          own.append(MachineHandle.nanoseconds - start)
        }
        samples.add(own)
      }
      if let thread { threads.append(thread) }
    }
    for thread in threads { thread.join() }
    let seconds = Double(MachineHandle.nanoseconds - start) / 1e9
    let sorted = samples.all.sorted()
    precondition(sorted.count == each * writers, "every commit is acknowledged")
    return (Double(sorted.count) / seconds, Double(sorted[sorted.count * 99 / 100]) / 1e3, bare)
  }

  /// Overwriting a block of a file that is all there, and syncing it: what a disk can do.
  private func bareSyncs() throws -> Double {
    let disk = RealDisk()
    let file = try disk.create(path + "/bare")
    let blocks = Int(Ledger.Options().journalFileBytes / 4096)
    let zeros = [UInt8](repeating: 0, count: blocks * 4096)
    try file.write(zeros.span, at: 0)
    try file.sync()
    let block = [UInt8](repeating: 7, count: 4096)
    let count = max(10, commits / 20)
    let start = MachineHandle.nanoseconds
    for index in 0..<count {
      try file.write(block.span, at: Int64(index % blocks) * 4096)
      try file.sync()
    }
    return Double(count) / (Double(MachineHandle.nanoseconds - start) / 1e9)
  }
}

/// Times that several threads took.
final class Samples: Sendable {
  private let times = MonitorHandle([Int64]())

  func add(_ own: [Int64]) { times.locked { $0 += own } }
  var all: [Int64] { times.locked { $0 } }
}
