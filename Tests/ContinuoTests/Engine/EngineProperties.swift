// Random markets against the model: whatever was done, every answer is the model's, to the bit.
// Invariant: a failing seed is printed with what to type to see it again.
// Not here: the model (Tests/Support), order and undoing on their own (OrderProperties, UndoProperties).

import Continuo
import ContinuoTestSupport
import Testing

@Suite("The engine against the model")
struct EngineProperties {
  /// Rules 1.1, 2.4, 2.5, 3.1–3.9, 4.1–4.5, 5.1–5.6, 6.1–6.6, 10.6: held against ContinuoModel.
  @Test("Any operations in any order: every answer is the model's", arguments: Seeds.thisRun(800))
  func everyAnswerIsTheModels(seed: UInt64) throws {
    let market = try RandomMarket(seed: seed)
    var random = SeededGenerator(seed: seed ^ 0x5EED)
    var trial = Trial(market.settings, price: market.shape.price, seed: seed)
    do {
      try trial.compareAll()
      for (index, operation) in market.operations.enumerated() {
        try trial.perform(operation)
        if index == market.operations.count - 1 || random.chance(150 / market.operations.count) {
          try trial.compareAll()
        }
      }
    } catch {
      Issue.record("\(error)\n\(Seeds.replay(seed, "everyAnswerIsTheModels"))")
    }
  }
}
