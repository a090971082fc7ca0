// Open directories that are looked at while steps are taken.
// Invariant: a sound one is found sound at any moment, and damage where it is.
// Not here: directories that nobody writes (DirectoryDamageTests, ForgedDirectoryDamageTests).

import Continuo
import ContinuoStorage
import ContinuoTestSupport
import Foundation
import Testing

@Suite("Open directories that are verified")
struct RunningVerificationTests {
  private static var options: Ledger.Options {
    var options = GroupWorkload.options
    options.scrubBytesPerSecond = nil
    return options
  }

  /// Rule 7.6: steps, new journal files and checkpoints go on meanwhile, and none of them is taken for damage.
  @Test("Steps and checkpoints meanwhile", arguments: [Durability.sync, .none])
  func meanwhile(durability: Durability) throws {
    let disk = SimulatedDisk()
    var options = Self.options
    options.durability = durability
    let ledger = try Ledger(disk, path: "/data", options)
    let count = 150
    let taken = Threads.run(
      2,
      { thread in
        var done = 0
        for block in 0..<count {
          if thread == 1 {
            if (try? ledger.checkpoint()) != nil { done += 1 }
            usleep(500)
          } else if (try? ledger.take(.steady(block, rows: 9, every: 60_000_000), wallClock: nil)) != nil {
            done += 1
          }
        }
        return done
      },
      while: {
        var seen: Set<Int> = []
        for _ in 0..<40 {
          do {
            let found = try ledger.verify()
            #expect(found.isSound, "\(found.failures) \(found.differences)")
            // Whole steps.
            #expect(found.events % 9 == 0)
            seen.insert(found.events)
          } catch { Issue.record("\(error)") }
        }
        print("verified while open: \(durability): \(seen.count) moments, the last of \(seen.max() ?? 0) events")
      })
    #expect(taken == [count, count])
    let found = try ledger.verify()
    #expect(found.isSound && found.events == count * 9)
  }

  /// Rules 7.5, 7.6: damage of a kept file and of the journal is in the answer, and the ledger goes on.
  @Test("Bytes that decay under an open ledger", arguments: [".segment", ".names", ".journal"])
  func decay(suffix: String) throws {
    let disk = SimulatedDisk()
    let ledger = try Ledger(disk, path: "/data", Self.options)
    for block in 0..<20 { _ = try ledger.take(.steady(block, rows: 20, every: 1_800_000_000), wallClock: nil) }
    if suffix != ".journal" { _ = try ledger.checkpoint() }
    for block in 20..<23 { _ = try ledger.take(.steady(block, rows: 20, every: 1_800_000_000), wallClock: nil) }
    #expect(try ledger.verify().isSound)
    let path = try #require(disk.image.names.keys.filter { $0.hasSuffix(suffix) }.min())
    disk.decay(path, byte: suffix == ".journal" ? 4096 + 100 : 100)
    let found = try ledger.verify()
    #expect(!found.isSound)
    #expect(found.failures.contains { $0.what.contains(path) }, "\(found.failures)")
    _ = try ledger.take(.steady(40, rows: 20, every: 1_800_000_000), wallClock: nil)
    let again = try ledger.verify()
    #expect(again.failures == found.failures)
  }
}
