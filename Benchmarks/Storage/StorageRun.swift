// Runs of a data directory with checkpoints: what they take on the disk, what they cost beside ingest, and the way back.
// Invariant: every event is counted; directories are the caller's to remove.
// Not here: what is printed (main), what the figures are held to (tools/bench), the journal alone (Durable).

internal import Continuo
internal import ContinuoMachine
internal import ContinuoMarket
internal import ContinuoStorage
internal import Foundation

/// A market that goes into a data directory and comes back.
struct StorageRun {
  let path: String
  let market: Market
  let batches: [Range<Int>]

  init(_ path: String, _ market: Market) {
    (self.path, self.market, batches) = (path, market, market.batches(of: 10_000))
    try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  /// What an ingest took.
  struct Ingest {
    var perSecond = 0.0
    /// Of a batch, from its offer to its receipt, in milliseconds.
    var p999 = 0.0
    var longest = 0.0
  }

  private func options(_ checkpointBytes: Int64?) -> Ledger.Options {
    var options = Ledger.Options()
    options.checkpointBytes = checkpointBytes
    return options
  }

  /// Takes batches in, three on their way at a time.
  private func take(_ ranges: ArraySlice<Range<Int>>, into ledger: Ledger) throws -> Ingest {
    var free = (0..<3).map { _ in EventBatch() }
    var offered: [(answer: OfferedBatch, batch: EventBatch, start: Int64)] = []
    var latencies: [Int64] = []
    var (accepted, events) = (0, 0)
    func settle() throws {
      let first = offered.removeFirst()
      accepted += try first.answer.receipt().accepted
      latencies.append(MachineHandle.nanoseconds - first.start)
      free.append(first.batch)
    }
    let start = MachineHandle.nanoseconds
    for rows in ranges {
      if free.isEmpty { try settle() }
      var batch = free.removeLast()
      batch.removeAll()
      market.append(rows, to: &batch)
      events += rows.count
      offered.append((try ledger.offer(batch, wallClock: nil), batch, MachineHandle.nanoseconds))
    }
    while !offered.isEmpty { try settle() }
    precondition(accepted == events, "every event is accepted")
    latencies.sort()
    var ingest = Ingest()
    ingest.perSecond = Double(events) / (Double(MachineHandle.nanoseconds - start) / 1e9)
    guard let longest = latencies.last else { return ingest }
    // The nearest rank: of a thousand batches the second longest.
    ingest.p999 = Double(latencies[(latencies.count * 999 + 999) / 1000 - 1]) / 1e6
    ingest.longest = Double(longest) / 1e6
    return ingest
  }

  /// Takes the market in as `continuo` would, and says when nine tenths are acknowledged; it goes on until it is killed.
  func ingestUntilKilled() throws {
    let ledger = try Ledger(path: path + "/killed", Ledger.Options())
    let most = batches.count * 9 / 10
    _ = try take(batches.prefix(most), into: ledger)
    FileHandle.standardOutput.write(Data("\(batches.prefix(most).reduce(0) { $0 + $1.count })\n".utf8))
    _ = try take(batches.dropFirst(most), into: ledger)
    Thread.sleep(forTimeInterval: 600)
  }

  /// Takes the whole market in, with a checkpoint whenever the journal has grown by so many bytes.
  func ingest(_ name: String, checkpointBytes: Int64?) throws -> Ingest {
    let ledger = try Ledger(path: "\(path)/\(name)", options(checkpointBytes))
    return try take(batches[...], into: ledger)
  }

  /// A full checkpoint, and one behind 100,000 events more, or a third of fewer; then as many as make a journal of 15 MiB.
  func checkpoints() throws -> (full: (bytes: Int64, seconds: Double), more: (bytes: Int64, seconds: Double)) {
    let ledger = try Ledger(path: path + "/full", options(nil))
    let (tail, more) = (min(50, batches.count / 3), min(10, batches.count / 3))
    _ = try take(batches.dropLast(more + tail), into: ledger)
    func checkpoint() throws -> (bytes: Int64, seconds: Double) {
      let start = MachineHandle.nanoseconds
      let receipt = try ledger.checkpoint()
      return (receipt.bytes, Double(MachineHandle.nanoseconds - start) / 1e9)
    }
    let full = try checkpoint()
    _ = try take(batches.dropLast(tail).suffix(more), into: ledger)
    let behind = try checkpoint()
    _ = try take(batches.suffix(tail), into: ledger)
    return (full, behind)
  }

  /// What reading all kept files takes, each checked and taken apart, in seconds of one processor.
  func decode() throws -> Double {
    let busy = MachineHandle.processorNanoseconds
    let found = try Verification(keptFilesOf: path + "/full")
    precondition(found.isSound && found.files > 0, "\(found)")
    return Double(MachineHandle.processorNanoseconds - busy) / 1e9
  }

  /// Puts what is in the journal into kept files.
  func checkpoint() throws { _ = try Ledger(path: path + "/full", options(nil)).checkpoint() }

  /// What bringing a directory back takes.
  struct Restore {
    var seconds = 0.0
    /// Of all processors together.
    var busySeconds = 0.0
    var events = 0
    var rawBytes: Int64 = 0
    var stateBytes: Int64 = 0
  }

  /// Reads a directory whole.
  func restore() throws -> Restore {
    let (start, busy) = (MachineHandle.nanoseconds, MachineHandle.processorNanoseconds)
    let read = try ReadDirectory(path: path + "/full")
    let held = read.restored.keptEvents + read.restored.rows
    precondition(held == market.count && read.engine.inspection().swaps == held, "every event came back")
    return Restore(
      seconds: Double(MachineHandle.nanoseconds - start) / 1e9,
      busySeconds: Double(MachineHandle.processorNanoseconds - busy) / 1e9, events: held, rawBytes: read.rawBytes,
      stateBytes: read.stateBytes)
  }
}

/// What each column takes, in bits an event.
enum ColumnSizes {
  static func of(_ market: Market) throws -> [(column: GroupColumn, bits: Double)] {
    var engine = Engine()
    var batch = EventBatch()
    for rows in market.batches(of: 10_000) {
      batch.removeAll()
      market.append(rows, to: &batch)
      _ = try engine.apply(batch, wallClock: nil)
    }
    guard let first = engine.inspection().first, let newest = engine.newest else { return [] }
    var (columns, count, last): ([GroupColumn: Int], Int, LastPrices) = ([:], 0, LastPrices())
    for stretch in ChangedTimes.stretch(first)...ChangedTimes.stretch(newest) {
      let start = ChangedTimes.start(stretch)
      var swaps = engine.heldSwaps(from: start, before: ChangedTimes.start(stretch + 1))
      swaps.sort { ($0.key.chain, $0.key.block, $0.key.logIndex) < ($1.key.chain, $1.key.block, $1.key.logIndex) }
      for place in stride(from: 0, to: swaps.count, by: GroupHead.eventsMax) {
        let group = swaps[place..<min(place + GroupHead.eventsMax, swaps.count)]
        for (column, own) in GroupColumns(group, from: start, &last).bytes {
          columns[column, default: 0] += (own.count + 16 + 7) / 8 * 8
        }
        count += group.count
      }
    }
    return columns.sorted { $0.key.rawValue < $1.key.rawValue }.map { ($0.key, Double($0.value) * 8 / Double(count)) }
  }
}
