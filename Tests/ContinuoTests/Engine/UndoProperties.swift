// Undoing leaves no trace, and delivering again restores every bit.
// Invariant: held against ContinuoModel after every step.
// Not here: operations of all kinds mixed (EngineProperties).

import Continuo
import ContinuoTestSupport
import Testing

@Suite("Undoing")
struct UndoProperties {
  /// Rules 3.8, 1.1: roll back anywhere, deliver again.
  @Test("A rollback leaves no trace, and what comes again restores every bit", arguments: Seeds.thisRun(150))
  func rollbackAndDeliverAgain(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed &+ 0x20BACC)
    let market = try RandomMarket(OrderProperties.shape(using: &random), using: &random)
    do {
      var trial = Trial(market.settings, price: market.shape.price, seed: seed)
      for rows in OrderProperties.batches(market.events.shuffled(using: &random), using: &random) {
        try trial.perform(.apply(rows, wallClock: nil, isText: false))
      }
      let before = trial.model.held
      let digest = try trial.compareState()
      for _ in 0..<3 {
        let place = random.pick(market.events).identity
        let block = random.pick([place.block, place.block &- 1, place.block / 2, 0])
        try trial.perform(.rollback(chain: place.chain, block: block))
        #expect(trial.model.held.keys.allSatisfy { $0.chain != place.chain || $0.block <= block })
        try trial.compareAll()
        let missing = market.events.filter { $0.identity.chain == place.chain && $0.identity.block > block }
        for rows in OrderProperties.batches(missing.shuffled(using: &random), using: &random) {
          try trial.perform(.apply(rows, wallClock: nil, isText: random.chance(50)))
        }
        #expect(trial.model.held == before)
        try trial.compareAll()
        let restored = try trial.compareState()
        #expect(restored == digest)
      }
    } catch {
      Issue.record("\(error)\n\(Seeds.replay(seed, "rollbackAndDeliverAgain"))")
    }
  }

  /// Rules 3.1, 3.8: an undone event may come again with another content, in the same batch too.
  @Test("Retract and deliver again, changed or not", arguments: Seeds.thisRun(100))
  func retractAndDeliverAgain(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed &+ 0x2E72AC7)
    let market = try RandomMarket(OrderProperties.shape(using: &random), using: &random)
    do {
      var trial = Trial(market.settings, price: market.shape.price, seed: seed)
      try trial.perform(.apply(market.events, wallClock: nil, isText: false))
      let before = trial.model.held
      let chosen = OrderProperties.some(market.events, using: &random)
      // Taken out, replaced by something else, and put back: one batch.
      let rows = chosen.flatMap { row -> [MarketRow] in
        [.retract(row.identity), Self.renamed(row), .retract(row.identity), .retract(row.identity), row]
      }
      try trial.perform(.apply(rows, wallClock: nil, isText: false))
      #expect(trial.model.held == before)
      try trial.compareAll()
      try trial.perform(
        .apply(chosen.flatMap { [.retract($0.identity), Self.renamed($0)] }, wallClock: nil, isText: false))
      try trial.compareAll()
      try trial.perform(.apply(chosen, wallClock: nil, isText: false))  // conflicts, each of them
      for row in chosen.shuffled(using: &random) { try trial.perform(.retract(row.identity)) }
      try trial.perform(.apply(chosen.shuffled(using: &random), wallClock: nil, isText: true))
      #expect(trial.model.held == before)
      try trial.compareAll()
      for row in market.events.shuffled(using: &random) { try trial.perform(.retract(row.identity)) }
      try trial.compareAll()
      #expect(trial.engine.tokens().isEmpty && trial.engine.inspection().addresses == 0)
    } catch {
      Issue.record("\(error)\n\(Seeds.replay(seed, "retractAndDeliverAgain"))")
    }
  }

  /// The same event under another token.
  private static func renamed(_ row: MarketRow) -> MarketRow {
    switch row {
    case .swap(var swap):
      swap.token = "other"
      return .swap(swap)
    case .transfer(var transfer):
      transfer.token = "other"
      return .transfer(transfer)
    case .retract, .overflowing: return row
    }
  }
}
