// How far sources are, as the program and tools/read-kept show it of a directory that a program of somebody's wrote.
// Invariant: both show the same.
// Not here: what becomes of positions (InputPositionTests).

import Continuo
import ContinuoStorage
import Foundation
import Testing

@Suite("Positions of sources that are shown")
struct SourceToolTests {
  /// Rules 7.3, 10.6: `inspect` has the sources of a directory, and who reads the pages alone finds them in its manifest.
  @Test("inspect, and the reader by the pages")
  func shown() throws {
    try Tool.withScratch { scratch in
      let path = scratch.appending(path: "market").path
      do {
        let ledger = try Ledger(path: path)
        for (source, position) in [("pg 1", 0x16_B374_D848 as UInt128), ("löss", .max)] {
          var batch = EventBatch()
          let time = Timestamp(microseconds: 1_700_000_000_000_000)
          batch.append(Swap(block: 1, timestamp: time, token: "ART", amountUSD: .one, priceUSD: .one))
          let place = try #require(InputPosition(ByteString(source), position))
          _ = try ledger.take(batch, at: place, wallClock: nil)
        }
        _ = try ledger.checkpoint()
      }
      let all = "löss=340282366920938463463374607431768211455; pg 1=97500059720"
      let read = try Tool.run(["inspect", "--data-dir", path, "--format", "json"])
      #expect(read.out.contains("\"sources\":\"\(all)\""), "\(read.out)")
      let pages = try Tool.shell("tools/read-kept '\(path)' sources")
      #expect(
        pages.out == "source,position\nlöss,340282366920938463463374607431768211455\npg 1,97500059720\n", "\(pages.err)"
      )
    }
  }
}
