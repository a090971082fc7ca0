// Everything that one version holds of one token: what answers are read from.
// Invariant: an hour's candle is in `hours`, or is `newestHour`, or the hour has one held swap, which is its candle; of
// dropped swaps all hours are stored, here or in the archives, which hold what has left a shorter interval's retention.
// Not here: changing it (TokenState), how long it lives (TokenVersion), the answers (Candles, Windows, Standings, Holders).

/// One token, as one version has it.
struct TokenView: BitwiseCopyable {
  var trades: TokenTrades
  var rest: TokenRest

  var swaps: SeriesView<SwapRow> { trades.swaps }
  var hours: SeriesView<StoredCandle> { trades.hours }
  var newestHour: StoredCandle { trades.newestHour }
  var droppedSwaps: Int { trades.droppedSwaps }
  var transfers: SeriesView<TransferRow> { rest.transfers }
  var fourHours: SeriesView<StoredCandle> { rest.fourHours }
  var days: SeriesView<StoredCandle> { rest.days }
  var weeks: SeriesView<StoredCandle> { rest.weeks }
  var balances: BalancesView { rest.balances }
  var lastBelowHorizon: LastSwap? { rest.lastBelowHorizon }
  var droppedTransfers: Int { rest.droppedTransfers }

  var isIncomplete: Bool { rest.isMarked || balances.negatives > 0 }
}

/// What swaps change in a token.
struct TokenTrades: BitwiseCopyable {
  var swaps: SeriesView<SwapRow>
  var hours: SeriesView<StoredCandle>
  /// Swaps that were dropped below the horizon: they still count.
  var droppedSwaps: Int
  /// The candle of the last held swap's hour; without trades where none is held.
  var newestHour: StoredCandle
}

/// What transfers, and leaving the retention, change in a token: a swap leaves it as it is.
struct TokenRest: BitwiseCopyable {
  var transfers: SeriesView<TransferRow>
  var fourHours: SeriesView<StoredCandle>
  var days: SeriesView<StoredCandle>
  var weeks: SeriesView<StoredCandle>
  var balances: BalancesView
  /// The greatest swap below the horizon, kept for last prices and windows.
  var lastBelowHorizon: LastSwap?
  /// Transfers that were dropped below the horizon: they still count.
  var droppedTransfers: Int
  var isMarked: Bool

  var hasTransfers: Bool { transfers.count + droppedTransfers > 0 }
}

/// A swap of which only its place and its price are left.
struct LastSwap: Equatable, BitwiseCopyable {
  var key: OrderKey
  var price: Decimal18
}
