// A market whose answers are known behind every operation, so that what readers see can be held to one whole batch.
// Invariant: `answers[n]` are those behind the first n operations.
// Not here: the questions (MarketQuestion), who reads (ReadingProperties).

package import Continuo

/// A market, questions to it, and what each state of it answers.
package struct RecordedMarket: Sendable {
  package let market: RandomMarket
  package let questions: [MarketQuestion]
  package private(set) var answers: [[MarketAnswer]] = []
  private let seed: UInt64

  /// Asks the model behind every operation.
  ///
  /// - Parameter isLarge: takes an engine that nobody else reads for the model, where the model would take too long;
  ///   the two are the same by EngineProperties.
  package init(_ shape: MarketShape, seed: UInt64, isLarge: Bool = false) throws {
    var random = SeededGenerator(seed: seed ^ 0xBEAD)
    market = try RandomMarket(shape, using: &random)
    questions = MarketQuestion.questions(of: market, using: &random)
    self.seed = seed
    var trial = Trial(market.settings, price: shape.price, seed: seed)
    var alone = Engine(market.settings)
    for index in 0...market.operations.count {
      if isLarge {
        answers.append(questions.map { alone.answer($0) })
        if index < market.operations.count { perform(index, on: &alone) }
      } else {
        let model = ModelAnswers(trial.model)
        answers.append(questions.map { model.answer($0) })
        if index < market.operations.count { try trial.perform(market.operations[index]) }
      }
    }
  }

  /// Does one of the operations on an engine.
  package func perform(_ index: Int, on engine: inout Engine) {
    market.perform(index, on: &engine, seed: seed)
  }

  /// Where what a version answers differs from the answers behind `index` operations; nil where it does not.
  package func difference(_ found: [MarketAnswer], behind index: Int) -> String? {
    for (question, (one, other)) in zip(questions, zip(found, answers[index])) where one != other {
      return "\(question)\n  read:     \(one)\n  expected: \(other)"
    }
    return nil
  }
}

extension MarketShape {
  /// A shape whose every operation is small, so that there are many versions to see.
  package static func versions(using random: inout SeededGenerator) -> MarketShape {
    var shape = MarketShape(using: &random)
    if shape.events <= 160 {
      shape.events = Int.random(in: 60...240, using: &random)
      shape.operations = 40
    }
    return shape
  }
}

extension RandomMarket {
  /// Does one of the operations on an engine; what it refuses is left.
  package func perform(_ index: Int, on engine: inout Engine, seed: UInt64) {
    switch operations[index] {
    case .apply(let rows, let wallClock, let isText):
      var spelling = isText ? SeededGenerator(seed: seed &+ UInt64(index)) : nil
      let batch = EventBatch(rows, price: shape.price, spelling: &spelling)
      _ = try? engine.apply(batch, wallClock: wallClock)
    case .retract(let identity): _ = engine.retract(identity)
    case .rollback(let chain, let block): _ = try? engine.rollback(chain: chain, above: block)
    case .moveHorizon: engine.moveHorizon()
    case .advanceClock(let wallClock): engine.advanceClock(to: wallClock)
    }
  }
}
