// Arrival plays no part: the same events in any order and any batches, with repeats, give the same answers.
// Invariant: both engines are held to the model, and the model's events are the same.
// Not here: undoing (UndoProperties).

import Continuo
import ContinuoTestSupport
import Testing

@Suite("Any order")
struct OrderProperties {
  /// Rules 1.1, 3.1, 3.2: held against ContinuoModel.
  @Test("The same events in any order and any batches give the same answers", arguments: Seeds.thisRun(150))
  func orderPlaysNoPart(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed &+ 0x0DE2)
    let market = try RandomMarket(Self.shape(using: &random), using: &random)
    do {
      var first = Trial(market.settings, price: market.shape.price, seed: seed)
      for rows in Self.batches(market.events, using: &random) {
        try first.perform(.apply(rows, wallClock: nil, isText: random.chance(50)))
      }
      var second = Trial(market.settings, price: market.shape.price, seed: seed)
      for rows in Self.batches(market.events.shuffled(using: &random), using: &random) {
        try second.perform(.apply(rows, wallClock: nil, isText: random.chance(50)))
        if random.chance(20) {
          try second.perform(.apply(Self.some(market.events, using: &random), wallClock: nil, isText: true))
        }
      }
      for row in Self.some(market.events, using: &random) {  // gone and back
        try second.perform(.retract(row.identity))
        try second.perform(.apply([row], wallClock: nil, isText: random.chance(50)))
      }
      try second.perform(.apply(market.events.shuffled(using: &random), wallClock: nil, isText: false))
      if market.settings.retention != nil {
        try first.perform(.moveHorizon)
        try second.perform(.moveHorizon)
      }
      #expect(first.model.held == second.model.held && first.model.held.count + first.model.dropped.count > 0)
      #expect(first.model.newest == second.model.newest && first.model.clock == second.model.clock)
      try first.compareAll()
      try second.compareAll()
      let digests = [try first.compareState(), try second.compareState()]
      #expect(digests[0] == digests[1])
    } catch {
      Issue.record("\(error)\n\(Seeds.replay(seed, "orderPlaysNoPart"))")
    }
  }

  /// A shape without anything that makes order matter: no conflicts, no faults, no wall clock.
  static func shape(using random: inout SeededGenerator) -> MarketShape {
    var shape = MarketShape(using: &random)
    shape.hasWallClock = false
    shape.faultsPercent = 0
    shape.conflictsPercent = 0
    shape.operations = 1
    return shape
  }

  static func some(_ events: [MarketRow], using random: inout SeededGenerator) -> [MarketRow] {
    Array(events.shuffled(using: &random).prefix(Int.random(in: 0...20, using: &random)))
  }

  static func batches(_ events: [MarketRow], using random: inout SeededGenerator) -> [[MarketRow]] {
    let largest = random.pick([1, 7, 60, 3000])
    var rest = events[...]
    var batches: [[MarketRow]] = []
    while !rest.isEmpty {
      let count = min(rest.count, Int.random(in: 1...largest, using: &random))
      batches.append(Array(rest.prefix(count)))
      rest = rest.dropFirst(count)
    }
    return batches
  }
}
