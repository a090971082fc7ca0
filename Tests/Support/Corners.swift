// The rare things that random markets must do now and then: a test of tests counts them.
// Invariant: counted from the model only.
// Not here: drawing markets (RandomMarket).

import Continuo

/// What a market did, counted.
package struct Corners: Sendable {
  package private(set) var counts: [String: Int] = [:]

  package init() {}

  /// The corners that every thorough run must have turned.
  package static let wanted: [String] =
    [
      "accepted", "duplicate", "undone by batch", "not found in batch", "retracted", "retracted none", "rolled back",
      "rolled back none", "rollback refused", "dropped", "horizon moved", "horizon stayed", "negative balance",
      "marked", "forgotten token", "volume past the range", "supply past the range", "supply below zero",
      "no market cap", "incomplete vwap", "ties over chunks", "before 1970", "week across the horizon",
      "identity came again after dropping", "newest fell behind nothing",
    ]
    + [
      RejectionReason.missingField, .badToken, .badAddress, .badTime, .overflow, .nonPositiveAmount, .noPrice,
      .inFuture, .tooLate, .conflict,
    ].map { "rejected \($0.name)" }

  package mutating func count(_ corner: String, _ times: Int = 1) {
    if times > 0 { counts[corner, default: 0] += times }
  }

  /// Runs a market through a model alone and counts.
  package mutating func visit(_ market: RandomMarket) {
    var model = ContinuoModel(market.settings, price: market.shape.price)
    for operation in market.operations {
      let before = Set(model.standing.map(\.content.token))
      visit(operation, &model)
      count("forgotten token", before.subtracting(model.standing.map(\.content.token)).isEmpty ? 0 : 1)
    }
    visit(ModelAnswers(model))
  }

  private mutating func visit(_ operation: MarketOperation, _ model: inout ContinuoModel) {
    switch operation {
    case .apply(let rows, let wallClock, _):
      let droppedBefore = Set(model.dropped.map(\.identity))
      let heldBefore = Set(model.held.keys)
      guard let receipt = try? model.apply(rows, wallClock: wallClock) else { return count("batch refused") }
      count("accepted", receipt.accepted)
      count("duplicate", receipt.duplicates)
      count("undone by batch", receipt.undone)
      count("not found in batch", receipt.notFound.count)
      for rejection in receipt.rejections { count("rejected \(rejection.reason.name)") }
      let fresh = Set(model.held.keys).subtracting(heldBefore)
      count("identity came again after dropping", fresh.intersection(droppedBefore).count)
    case .retract(let identity): count(model.retract(identity) ? "retracted" : "retracted none")
    case .rollback(let chain, let block):
      if let undone = try? model.rollback(chain: chain, above: block) {
        count(undone > 0 ? "rolled back" : "rolled back none")
        if let newest = model.newest, !model.held.values.contains(where: { $0.timestamp == newest }) {
          count("newest fell behind nothing")
        }
      } else {
        count("rollback refused")
      }
    case .moveHorizon:
      let before = model.horizon
      count("dropped", model.moveHorizon())
      count(model.horizon == before ? "horizon stayed" : "horizon moved")
    case .advanceClock(let wallClock): model.advanceClock(to: wallClock)
    }
  }

  private mutating func visit(_ answers: ModelAnswers) {
    count("marked", answers.model.marked.count)
    count("negative balance", answers.inspection.negativeBalances)
    let horizon = answers.model.horizon
    for token in answers.tokens {
      if let supply = answers.supply(token) {
        if ModelNumber.fitted(supply) == nil { count("supply past the range") }
        if supply.isNegative { count("supply below zero") }
        if let clock = answers.model.clock, let statistics = try? answers.statistics(token, asOf: clock),
          statistics.window.last != nil, statistics.marketCapUSD == nil, !supply.isNegative
        {
          count("no market cap")
        }
      }
      for candle in answers.candles(token, CandleQuery(.oneWeek)) {
        if ModelNumber.fitted(candle.volumeUSD) == nil { count("volume past the range") }
        if candle.vwap == nil { count("incomplete vwap") }
        if candle.bucket.microseconds < -604_800_000_000 { count("before 1970") }
        if let horizon, candle.bucket < horizon, horizon < candle.bucket + 604_800_000_000,
          let open = candle.openKey, let close = candle.closeKey, open.timestamp < horizon, horizon <= close.timestamp
        {
          count("week across the horizon")
        }
      }
      let times = (answers.swaps[token] ?? []).map(\.key.timestamp)
      if times.count > 1_100, Set(times).count < times.count / 20 { count("ties over chunks") }
    }
  }
}
