// What is unsent, gathered as the engine tells it, against a dictionary.
// Invariant: nothing that was noted is missing from what is taken.
// Not here: what becomes of it (WriterTests).

import Continuo
import ContinuoPostgres
import ContinuoTestSupport
import Testing

@Suite("What the server does not have yet")
struct UnsentTests {
  /// Rule 20.14.
  @Test("Whatever is noted, in any order, is taken once, with the earliest instant", arguments: Seeds.thisRun(40))
  func gathering(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let unsent = Unsent()
    var model: [UInt32: UnsentToken] = [:]
    for _ in 0..<200 {
      let tokens = (0..<Int.random(in: 0...12, using: &random)).map { _ in UInt32.random(in: 0...40, using: &random) }
      let distinct = Set(tokens).sorted()
      // As the engine tells it: of some of the tokens, in their order; now and then in no order.
      var changes = distinct.filter { _ in random.chance(70) }.map {
        StepChange(
          token: $0, earliest: Timestamp(microseconds: Int64.random(in: 0...99, using: &random)),
          isUndone: random.chance(20))
      }
      if random.chance(20) { changes.shuffle(using: &random) }
      unsent.note(distinct, changes)
      for token in distinct { model[token, default: UnsentToken()].add(UnsentToken()) }
      for change in changes {
        model[change.token]?.add(UnsentToken(since: change.earliest, isUndone: change.isUndone))
      }
      if random.chance(15) {
        let taken = unsent.take(atMost: Int.random(in: 0...30, using: &random), withinMicroseconds: 0)
        for (token, some) in taken {
          #expect(model.removeValue(forKey: token) == some, "\(Seeds.replay(seed, "unsent"))")
        }
      }
      #expect(unsent.count == model.count, "\(Seeds.replay(seed, "unsent"))")
    }
    #expect(unsent.take(atMost: .max, withinMicroseconds: 0) == model, "\(Seeds.replay(seed, "unsent"))")
  }
}
