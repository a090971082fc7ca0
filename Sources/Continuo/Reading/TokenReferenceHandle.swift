// A token as one version has it, left where it lies: an answer that needs little of it reads no more than that.
// Invariant: as long as it may be read, nothing in it changes.
// Not here: which version (EngineContents), what a token has (TokenView).

/// Where a token lies, in the engine's own state or in a version.
@safe struct TokenReference: BitwiseCopyable {
  // SAFETY: one of the two is there, and both are read only while the contents that they come from may be.
  private let state: UnsafePointer<TokenState>?
  private let version: UnsafePointer<TokenView>?

  // SAFETY: as above.
  @inline(__always)
  init(state: UnsafePointer<TokenState>) {
    unsafe self.state = state
    unsafe version = nil
  }

  // SAFETY: as above.
  @inline(__always)
  init(version: UnsafePointer<TokenView>) {
    unsafe state = nil
    unsafe self.version = version
  }

  @inline(__always)
  private func read<Value>(
    _ own: (borrowing TokenState) -> Value, _ published: (borrowing TokenView) -> Value
  ) -> Value {
    // SAFETY: as above.
    if let state = unsafe state { return unsafe own(state.pointee) }
    return unsafe published(version.unsafelyUnwrapped.pointee)
  }

  /// Everything of it. O(1).
  @inline(__always)
  var view: TokenView { read({ $0.view }, { copy $0 }) }

  @inline(__always)
  var swaps: SeriesView<SwapRow> { read({ $0.swaps.view }, { $0.swaps }) }

  @inline(__always)
  var hours: SeriesView<StoredCandle> { read({ $0.hours.view }, { $0.hours }) }

  /// The start of the hour of the last held swap; nil without one.
  @inline(__always)
  var newestHourStart: Timestamp? {
    let hour = newestHour
    return hour.trades > 0 ? hour.start : nil
  }

  /// Whether swaps of it were dropped below the horizon.
  @inline(__always)
  var hasDroppedSwaps: Bool { read({ $0.droppedSwaps > 0 }, { $0.droppedSwaps > 0 }) }

  /// The hour of the last held swap.
  @inline(__always)
  var newestHour: NewestHour { read({ $0.newestHour }, { $0.newestHour }) }

  @inline(__always)
  var lastBelowHorizon: LastSwap? { read({ $0.lastBelowHorizon }, { $0.lastBelowHorizon }) }

  @inline(__always)
  var balances: BalancesView { read({ $0.balances.view }, { $0.balances }) }

  @inline(__always)
  var hasTransfers: Bool { read({ $0.transfers.count + $0.droppedTransfers > 0 }, { $0.hasTransfers }) }

  /// Whether any accepted event of the token stands.
  @inline(__always)
  var isKnown: Bool { read({ $0.swaps.count + $0.droppedSwaps > 0 }, { $0.isKnown }) || hasTransfers }
}
