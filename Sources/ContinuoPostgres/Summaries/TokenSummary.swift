// The summary columns of one token, as the engine has them.
// Invariant: full values, never increments; what is empty is null; holders are a count once there is a transfer.
// Not here: which columns are written (Migration says which are ours), writing (SummaryWriter).
// Rules 20.7.

package import Continuo

/// What a row of the table of tokens should say.
package struct TokenSummary: Equatable, Sendable {
  package var lastPrice: Decimal18?
  package var marketCap: Decimal18?
  package var volume = Decimal18.zero as Decimal18?
  package var holders: Decimal18?

  /// Of a token that was never heard of. O(1).
  package init() {}

  /// As of an instant, which is the engine's clock or later. O(log n + chunks of a day).
  ///
  /// - Parameter supply: what the row says of its supply; nil leaves it to the transfers.
  package init(
    _ market: borrowing some MarketAnswers & ~Copyable, _ token: TokenID, supply: Decimal18?, at clock: Timestamp
  ) throws(Refusal) {
    let statistics = try market.statistics(of: token, asOf: clock, clock: clock)
    lastPrice = statistics.window.last
    volume = statistics.window.volumeUSD.decimal
    holders = statistics.supply == nil ? nil : statistics.holders.map { Decimal18(whole: Int64($0)) }
    guard let supply else {
      marketCap = statistics.marketCapUSD
      return
    }
    marketCap = lastPrice.flatMap {
      supply.isPositive || supply == .zero ? WideArithmetic.product(ExactSum(supply), $0) : nil
    }
  }

  /// The value of a column. O(1).
  package func value(_ column: SummaryColumn) -> Decimal18? {
    switch column {
    case .lastPrice: lastPrice
    case .marketCap: marketCap
    case .volume: volume
    case .holders: holders
    }
  }
}
