// Whether the random markets go where it hurts at all.
// Invariant: a corner that a run never turned fails the run.
// Not here: what must hold there (EngineProperties).

import ContinuoTestSupport
import Testing

@Suite("Random markets")
struct CornerTests {
  /// Proves nothing about the engine: it proves that the property tests could have found something.
  @Test("The first 400 markets turn every corner")
  func marketsTurnEveryCorner() throws {
    var corners = Corners()
    for seed in UInt64(1)...400 { corners.visit(try RandomMarket(seed: seed)) }
    for corner in Corners.wanted {
      #expect(corners.counts[corner, default: 0] > 0, "no market ever did this: \(corner)")
    }
    if Seeds.showsCorners { print(corners.counts.sorted { $0.key < $1.key }) }
  }
}
