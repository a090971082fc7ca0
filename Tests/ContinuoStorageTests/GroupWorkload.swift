// Batches of any size as steps of a ledger, crashes tried on what they leave, and what an engine says of the first n of them.
// Invariant: n steps make digest n, and in another order another one: each retracts an event of the one before.
// Not here: how the steps are offered, and where the crashes are (GroupCrashTests).

import Continuo
import ContinuoFormats
import ContinuoStorage
import ContinuoTestSupport
import Testing

/// Batches of so many swaps each, and the digests of an engine that took the first n of them.
struct GroupWorkload {
  static let noon = Timestamp(microseconds: 1_700_000_000_000_000)

  private(set) var batches: [EventBatch] = []
  private(set) var digests: [String] = []

  init(_ sizes: [Int]) throws {
    var engine = Engine()
    digests.append(try StateDigest.hexadecimal(of: engine))
    var number = 0
    for size in sizes {
      var batch = EventBatch()
      if number > 0 { batch.retract(Self.identity(number - 1)) }
      for _ in 0..<size {
        let identity = Self.identity(number)
        batch.append(
          Swap(
            block: identity.block, logIndex: identity.logIndex, timestamp: Self.noon + Int64(number) * 1_000_003,
            token: ByteString("T\(number % 3)"), side: number % 2 == 0 ? .buy : .sell,
            amountUSD: Decimal18(whole: Int64(number % 91 + 1)), priceUSD: Decimal18(whole: Int64(number % 89 + 1)),
            wallet: ByteString("wallet \(number % 997)")))
        number += 1
      }
      try engine.apply(batch, wallClock: nil)
      batches.append(batch)
      digests.append(try StateDigest.hexadecimal(of: engine))
    }
  }

  private static func identity(_ number: Int) -> EventIdentity {
    EventIdentity(kind: .swap, block: UInt64(number / 7), logIndex: UInt32(number % 7))
  }

  /// Small files, so that some are begun on the way.
  static var options: Ledger.Options {
    var options = Ledger.Options()
    options.journalFileBytes = 12 * 4096
    options.checkpointBytes = nil
    return options
  }
}

extension DiskOperation {
  /// How long the frame is that this writes; nil where it is no frame.
  var frameBytes: Int? {
    guard case .write(_, _, let bytes) = self, bytes.starts(with: Array("FRAM".utf8)) else { return nil }
    return bytes.count
  }
}

/// One way that a crash may go.
struct CrashVariant {
  let keepsNames: Bool
  let fates: [UnsyncedWrite]

  /// What becomes of an unsynced write, by its place among them.
  func fate(_ index: Int) -> UnsyncedWrite { fates[index % fates.count] }
  var isAstray: Bool { fates.contains(.elsewhere) }

  /// Some ways: nothing of what was not synced, a torn part of it, then anything.
  static func some(_ usual: Int, _ random: inout SeededGenerator) -> [CrashVariant] {
    #if DEBUG
      let count = min(usual, max(2, usual / 15))  // without optimisation
    #else
      let count = usual
    #endif
    return (0..<count).map { number in
      let fates =
        number < 2
        ? [[UnsyncedWrite.dropped, .torn][number]] : (0..<3).map { _ in random.pick(UnsyncedWrite.allCases) }
      return CrashVariant(keepsNames: number % 2 == 0, fates: fates)
    }
  }
}

/// The crashes that were tried.
struct Tried: CustomStringConvertible {
  private(set) var images = 0
  private(set) var torn = 0
  private(set) var refused = 0

  var description: String { "\(images) images, \(torn) torn tails, \(refused) refused" }

  /// A crash behind so many calls: everything acknowledged by then is there, and a first part of the rest.
  mutating func crash(
    _ disk: SimulatedDisk, at point: Int, _ variants: [CrashVariant], _ workload: GroupWorkload, _ acknowledged: [Int],
    _ random: inout SeededGenerator, _ seed: UInt64
  ) throws {
    let crash = CrashImages(disk.operations[..<point])
    let done = acknowledged.prefix { $0 <= point }.count
    for variant in variants {
      let image = crash.image(keepsNames: variant.keepsNames, using: &random, variant.fate)
      images += 1
      let context = "point \(point), \(variant), \(Seeds.replay(seed, "GroupCrashTests"))"
      do throws(StorageFailure) {
        let read = try ReadDirectory(SimulatedDisk(image), path: "/data", Engine.Settings())
        if read.restored.tornTailBytes > 0 { torn += 1 }
        #expect(read.restored.records >= done, "\(context)")
        let digest = try? StateDigest.hexadecimal(of: read.engine)
        #expect(digest == workload.digests[read.restored.records], "\(context)")
      } catch {
        switch error {
        // Only a write that went astray over what was acknowledged may be refused: nothing can bring that back.
        case .damaged where variant.isAstray: refused += 1
        // Cut off in its birth.
        case .missing where done == 0: continue
        default: Issue.record("\(error): \(context)")
        }
      }
    }
  }
}
