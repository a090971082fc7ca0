// A token as one version has it, left where it lies: an answer that needs little of it reads no more than that.
// Invariant: as long as it may be read, nothing in it changes.
// Not here: which version (EngineContents), what a token has (TokenView).

/// Where a token lies, in the engine's own state or in a version.
@safe struct TokenReference: BitwiseCopyable {
  // SAFETY: one of the two is there, and both are read only while the contents that they come from may be.
  private let state: UnsafePointer<TokenState>?
  private let version: UnsafePointer<TokenVersion>?

  // SAFETY: as above.
  @inline(__always)
  init(state: UnsafePointer<TokenState>) {
    unsafe self.state = state
    unsafe version = nil
  }

  // SAFETY: as above.
  @inline(__always)
  init(version: UnsafePointer<TokenVersion>) {
    unsafe state = nil
    unsafe self.version = version
  }

  @inline(__always)
  private func read<Value>(
    _ own: (borrowing TokenState) -> Value, _ published: (borrowing TokenVersion) -> Value
  ) -> Value {
    // SAFETY: as above.
    if let state = unsafe state { return unsafe own(state.pointee) }
    return unsafe published(version.unsafelyUnwrapped.pointee)
  }

  /// Everything of it. O(1).
  @inline(__always)
  var view: TokenView { read({ $0.view }, { $0.view }) }

  @inline(__always)
  var swaps: SeriesView<SwapRow> { read({ $0.swaps.view }, { $0.trades.swaps }) }

  @inline(__always)
  var hours: SeriesView<StoredCandle> { read({ $0.hours.view }, { $0.trades.hours }) }

  /// The start of the hour of the last held swap; nil without one.
  @inline(__always)
  var newestHourStart: Timestamp? {
    read(
      { $0.newestHour.candle.trades > 0 ? $0.newestHour.key : nil },
      { $0.trades.newestHour.candle.trades > 0 ? $0.trades.newestHour.key : nil })
  }

  /// How many swaps the hour of the last held one has.
  @inline(__always)
  var newestHourTrades: Int { read({ $0.newestHour.candle.trades }, { $0.trades.newestHour.candle.trades }) }

  /// Whether swaps of it were dropped below the horizon.
  @inline(__always)
  var hasDroppedSwaps: Bool { read({ $0.droppedSwaps > 0 }, { $0.trades.droppedSwaps > 0 }) }

  /// The candle of the last held swap's hour; without trades where none is held.
  @inline(__always)
  var newestHour: Candle { read({ $0.newestHour.candle }, { $0.trades.newestHour.candle }) }

  /// The place of the last held swap, of no meaning without one.
  @inline(__always)
  var newestTime: Timestamp {
    read({ $0.newestHour.candle.closeKey.timestamp }, { $0.trades.newestHour.candle.closeKey.timestamp })
  }

  @inline(__always)
  var lastBelowHorizon: LastSwap? { read({ $0.lastBelowHorizon }, { $0.rest.lastBelowHorizon }) }

  @inline(__always)
  var balances: BalancesView { read({ $0.balances.view }, { $0.rest.balances }) }

  @inline(__always)
  var hasTransfers: Bool { read({ $0.transfers.count + $0.droppedTransfers > 0 }, { $0.rest.hasTransfers }) }

  /// Whether any accepted event of the token stands.
  @inline(__always)
  var isKnown: Bool {
    read({ $0.swaps.count + $0.droppedSwaps > 0 }, { $0.trades.swaps.count + $0.trades.droppedSwaps > 0 })
      || hasTransfers
  }
}
