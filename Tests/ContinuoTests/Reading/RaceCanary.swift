// A race on purpose: the thread sanitizer must report it, or its silence about the other tests says nothing.
// Invariant: runs only where CONTINUO_RACE is set (tools/test), and then is expected to be reported.
// Not here: what must not race (ReadingProperties).

import Continuo
import ContinuoTestSupport
import Foundation
import Synchronization
import Testing

@Suite("A race on purpose", .enabled(if: ProcessInfo.processInfo.environment["CONTINUO_RACE"] != nil))
struct RaceCanary {
  /// What a version holds, kept past the call that lent it: the writer uses its memory again.
  @Test("A version that is read when its call is over is written under its reader")
  func raceOnPurpose() throws {
    let market = try RecordedMarket(MarketShape(style: .edges, retention: nil, events: 200, operations: 40), seed: 1)
    var engine = Engine(market.market.settings)
    let publication = engine.publication()
    var reader = publication.reader()
    let half = market.market.operations.count / 2
    for index in 0..<half { market.perform(index, on: &engine) }
    let kept = reader.read { Kept(contents: $0.contents) }
    let isOver = Flag()
    let counts = Threads.run(1) { _ in
      var sum = 0
      while !isOver.isSet.load(ordering: .relaxed) { sum &+= kept.inspection().swaps }
      return sum
    } while: {
      for index in half..<market.market.operations.count {
        market.perform(index, on: &engine)
        usleep(100)
      }
      isOver.isSet.store(true, ordering: .relaxed)
    }
    #expect(counts.count == 1)
  }
}

private final class Flag: Sendable {
  let isSet = Atomic<Bool>(false)
}

private struct Kept: MarketAnswers {
  let contents: EngineContents
}
