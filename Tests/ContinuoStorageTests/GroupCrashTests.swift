// Groups of steps in one frame, and frames of hundreds of blocks: crashes behind calls to the disk, and calls that fail once.
// Invariant: what comes back is a first part of the journal's order, with all that was acknowledged in it.
// Not here: one step at a time, and every way of recovery (CrashPointTests); calls that all fail from one on (DiskFaultTests).

import Continuo
import ContinuoFormats
import ContinuoStorage
import ContinuoTestSupport
import Foundation
import Synchronization
import Testing

@Suite("Groups and crashes")
struct GroupCrashTests {
  /// Rules 7.1, 7.5: a frame that holds several steps is there whole or not at all, wherever it is cut.
  @Test("Steps that wait for a slow disk are written together: a crash behind every call", arguments: Seeds.thisRun(3))
  func groups(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let workload = try GroupWorkload((0..<60).map { _ in Int.random(in: 1...40, using: &random) })
    let disk = SimulatedDisk()
    let acknowledged = try Self.run(workload, rounds: [1, 12, 30, 2, 15], disk)
    let frames = disk.operations.compactMap(\.frameBytes).count
    var tried = Tried()
    for point in 0...disk.operations.count {
      try tried.crash(disk, at: point, CrashVariant.some(40, &random), workload, acknowledged, &random, seed)
    }
    print("group crashes: seed \(seed): \(workload.batches.count) steps in \(frames) frames, \(tried)")
    #expect(frames < workload.batches.count / 3, "no groups were written: nothing is shown")
    #expect(tried.torn > 0)
  }

  /// The same of frames that are many blocks long: most of what a crash tears is in the middle of one.
  @Test("Batches of some 20,000 rows: crashes at every fifth call")
  func largeFrames() throws {
    var random = SeededGenerator(seed: 5)
    let workload = try GroupWorkload([300, 20_000, 7, 19_000, 21_000, 300, 5])
    let disk = SimulatedDisk()
    let acknowledged = try Self.run(workload, rounds: [1, 2, 3, 1], disk)
    let longest = disk.operations.compactMap(\.frameBytes).max() ?? 0
    var tried = Tried()
    // Behind each write of a frame, where it is on no disk yet, and now and then elsewhere.
    for point in 0...disk.operations.count {
      let isFrame = point > 0 && disk.operations[point - 1].frameBytes != nil
      guard isFrame || point % 5 == 0 else { continue }
      let fates = CrashVariant.some(isFrame ? 50 : 2, &random)
      try tried.crash(disk, at: point, fates, workload, acknowledged, &random, 5)
    }
    print("large frames: the longest \(longest) bytes, \(longest / 4096) blocks; \(tried)")
    #expect(longest > 64 * 4096)
    #expect(tried.torn > 0)
  }

  /// Rules 7.1, 7.2: one call fails, those behind it do not: nothing is acknowledged any more, and a crash loses nothing.
  @Test("Each call fails once, the disk goes on, then comes a crash", arguments: Seeds.thisRun(2))
  func failsOnce(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let workload = try GroupWorkload((0..<24).map { _ in Int.random(in: 1...60, using: &random) })
    var (faults, kept) = (0, 0)
    var tried = Tried()
    for calls in 0... {
      let disk = SimulatedDisk()
      disk.fail(after: calls, times: 1)
      let acknowledged: [Int]
      do {
        acknowledged = try Self.run(workload, rounds: [1, 8, 1, 10, 4], disk)
      } catch is StorageFailure {
        // Not even opened: nothing can have been acknowledged.
        acknowledged = []
      }
      guard disk.hasFailed else { break }
      faults += 1
      kept += acknowledged.count
      #expect(acknowledged.count < workload.batches.count, "something failed, and all was acknowledged")
      try tried.crash(
        disk, at: disk.operations.count, CrashVariant.some(20, &random), workload, acknowledged, &random, seed)
    }
    print(
      "one failure and a crash: seed \(seed): \(faults) calls that failed once, \(kept) steps acknowledged; \(tried)")
    #expect(faults > 20)
    #expect(kept > 20)
  }

  /// Rules 7.1, 7.5: threads that offer at once: each one's steps are there in its order, and crashes leave first parts of one order.
  @Test("Several threads offer: what a crash leaves is a first part of one order", arguments: Seeds.thisRun(2))
  func threads(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let (threads, each) = (4, 24)
    let disk = SimulatedDisk()
    disk.setBeforeSync { usleep(300) }
    // What each thread knows to be acknowledged, and how far the disk was then at most.
    let known = Mutex([(thread: Int, count: Int, operations: Int)]())
    do {
      let ledger = try Ledger(disk, path: "/data", GroupWorkload.options)
      let done: [Bool] = Threads.run(threads) { thread in
        Self.offer(each, of: thread, to: ledger) { count in
          let operations = disk.operations.count
          known.withLock { $0.append((thread, count, operations)) }
        }
      } while: {
      }
      #expect(done.allSatisfy { $0 })
    }
    let frames = disk.operations.compactMap(\.frameBytes).count
    let acknowledged = known.withLock { $0 }
    var found: Set<[Int]> = []
    for point in 0...disk.operations.count {
      let crash = CrashImages(disk.operations[..<point])
      for variant in CrashVariant.some(20, &random) {
        let image = crash.image(keepsNames: variant.keepsNames, using: &random, variant.fate)
        // A write that went astray may leave damage, which is refused.
        if variant.isAstray { continue }
        let counts = try Self.counts(SimulatedDisk(image), threads)
        let context = "point \(point), \(Seeds.replay(seed, "GroupCrashTests"))"
        found.insert(counts)
        for one in acknowledged where one.operations <= point {
          #expect(counts[one.thread] >= one.count, "\(context)")
        }
      }
    }
    // First parts of one order hold each other.
    let sorted = found.sorted { $0.reduce(0, +) < $1.reduce(0, +) }
    for (before, after) in zip(sorted, sorted.dropFirst()) {
      #expect(zip(before, after).allSatisfy(<=), "\(before) and \(after): \(Seeds.replay(seed, "GroupCrashTests"))")
    }
    print("threads: seed \(seed): \(threads * each) steps in \(frames) frames, \(found.count) first parts seen")
    #expect(frames < threads * each)
    #expect(sorted.last == [Int](repeating: each, count: threads))
  }

  // MARK: steps

  /// Offers each round's steps before it waits for the first of them; how far the disk was when each was acknowledged.
  private static func run(_ workload: GroupWorkload, rounds: [Int], _ disk: SimulatedDisk) throws -> [Int] {
    let ledger = try Ledger(disk, path: "/data", GroupWorkload.options)
    let isOffered = Mutex(true)
    // The disk takes no step before all of a round are offered: those behind the first are one group.
    disk.setBeforeSync { while !isOffered.withLock({ $0 }) { usleep(50) } }
    defer { disk.setBeforeSync(nil) }
    var acknowledged: [Int] = []
    var next = 0
    var hasFailed = false
    for round in rounds {
      isOffered.withLock { $0 = false }
      let offered = workload.batches[next..<next + round].map { batch in try? ledger.offer(batch, wallClock: nil) }
      isOffered.withLock { $0 = true }
      for answer in offered {
        do {
          let receipt = try #require(answer).receipt()
          #expect(receipt.undone == (acknowledged.isEmpty ? 0 : 1), "taken in another order")
          #expect(!hasFailed, "acknowledged behind a failure")
          acknowledged.append(disk.operations.count)
        } catch is StorageFailure {
          hasFailed = true
        }
      }
      next += round
    }
    return acknowledged
  }

  /// A thread's steps, one swap each on a chain of its own, some ahead of those that are waited for.
  private static func offer(_ count: Int, of thread: Int, to ledger: Ledger, _ isTaken: (Int) -> Void) -> Bool {
    var waiting: [OfferedBatch] = []
    for number in 0..<count + 3 {
      if number < count {
        var batch = EventBatch()
        batch.append(
          Swap(
            chain: UInt32(thread), block: UInt64(number + 1), timestamp: GroupWorkload.noon, token: "ART",
            amountUSD: .one,
            priceUSD: .one))
        guard let offered = try? ledger.offer(batch, wallClock: nil) else { return false }
        waiting.append(offered)
      }
      guard waiting.count > 3 || number >= count else { continue }
      guard (try? waiting.removeFirst().receipt())?.accepted == 1 else { return false }
      isTaken(number - 2)
    }
    return true
  }

  /// How many steps of each thread are there: each one's blocks from 1 on, none missing.
  private static func counts(_ disk: SimulatedDisk, _ threads: Int) throws -> [Int] {
    let ledger = try Ledger(disk, path: "/data", GroupWorkload.options)
    return (0..<UInt32(threads)).map { thread in
      let count = ledger.eventCount(chain: thread, above: 0)
      #expect(ledger.eventCount(chain: thread, above: UInt64(count)) == 0, "a step is missing between two others")
      return count
    }
  }
}
