// Everything that one version holds of one token: what answers are read from.
// Invariant: an hour's candle is in `hours`, or is `newestHour`, or the hour has one held swap, which is its candle; of
// dropped swaps all hours are stored, here or in the archives, which hold what has left a shorter interval's retention.
// Not here: changing it (TokenState), the answers (Candles, Windows, Standings, Holders).

/// One token, as one version has it.
struct TokenView: BitwiseCopyable {
  var swaps: SeriesView<SwapRow>
  var hours: SeriesView<StoredCandle>
  var transfers: SeriesView<TransferRow>
  var fourHours: SeriesView<StoredCandle>
  var days: SeriesView<StoredCandle>
  var weeks: SeriesView<StoredCandle>
  /// The candle of the last held swap's hour; without trades where none is held.
  var newestHour: StoredCandle
  var balances: BalancesView
  /// The greatest swap below the horizon, kept for last prices and windows.
  var lastBelowHorizon: LastSwap?
  /// Events that were dropped below the horizon: they still count.
  var droppedSwaps: Int
  var droppedTransfers: Int
  var isMarked: Bool

  /// Whether any accepted event of the token stands.
  var isKnown: Bool { swaps.count + transfers.count + droppedSwaps + droppedTransfers > 0 }

  var hasTransfers: Bool { transfers.count + droppedTransfers > 0 }

  var isIncomplete: Bool { isMarked || balances.negatives > 0 }
}

/// A swap of which only its place and its price are left.
struct LastSwap: Equatable, BitwiseCopyable {
  var key: OrderKey
  var price: Decimal18
}
