// A token as one version has it, left where it lies: an answer that needs little of it reads no more than that.
// Invariant: as long as it may be read, nothing in it changes.
// Not here: which version (EngineContents), what a token has (TokenView).

/// Where a token lies, in the engine's own state or in a version.
@safe struct TokenReference: BitwiseCopyable {
  private let state: UnsafePointer<TokenState>?
  private let version: UnsafePointer<TokenView>?

  // SAFETY: one of the two is there, and both are read only while the contents that they come from may be.
  @inline(__always)
  init(state: UnsafePointer<TokenState>) {
    unsafe self.state = state
    unsafe version = nil
  }

  @inline(__always)
  init(version: UnsafePointer<TokenView>) {
    unsafe state = nil
    // SAFETY: one of the two is there, and is read only while its contents may be.
    unsafe self.version = version
  }

  @inline(__always)
  // SAFETY: one of the two is there, and is read only while its contents may be.
  private var held: UnsafePointer<TokenView> { unsafe version.unsafelyUnwrapped }

  /// Everything of it. O(1).
  @inline(__always)
  // SAFETY: one of the two is there, and is read only while its contents may be.
  var view: TokenView { if let state = unsafe state { unsafe state.pointee.view } else { unsafe held.pointee } }

  @inline(__always)
  var swaps: SeriesView<SwapRow> {
    // SAFETY: one of the two is there, and is read only while its contents may be.
    if let state = unsafe state { unsafe state.pointee.swaps.view } else { unsafe held.pointee.swaps }
  }

  @inline(__always)
  var hours: SeriesView<StoredCandle> {
    // SAFETY: one of the two is there, and is read only while its contents may be.
    if let state = unsafe state { unsafe state.pointee.hours.view } else { unsafe held.pointee.hours }
  }

  /// The candle of the last hour with a swap, if that starts at or after `from` and before `end`.
  @inline(__always)
  func newestHour(from: Timestamp, before end: Timestamp) -> Candle? {
    // SAFETY: one of the two is there, and is read only while its contents may be.
    let hour = if let state = unsafe state { unsafe state.pointee.newestHour } else { unsafe held.pointee.newestHour }
    return hour.candle.trades > 0 && hour.key >= from && hour.key < end ? hour.candle : nil
  }

  @inline(__always)
  var lastBelowHorizon: LastSwap? {
    // SAFETY: one of the two is there, and is read only while its contents may be.
    if let state = unsafe state { unsafe state.pointee.lastBelowHorizon } else { unsafe held.pointee.lastBelowHorizon }
  }

  @inline(__always)
  var balances: BalancesView {
    // SAFETY: one of the two is there, and is read only while its contents may be.
    if let state = unsafe state { unsafe state.pointee.balances.view } else { unsafe held.pointee.balances }
  }

  @inline(__always)
  var hasTransfers: Bool {
    // SAFETY: one of the two is there, and is read only while its contents may be.
    if let state = unsafe state {
      unsafe state.pointee.transfers.count + state.pointee.droppedTransfers > 0
    } else {
      unsafe held.pointee.hasTransfers
    }
  }

  /// Whether any accepted event of the token stands.
  @inline(__always)
  var isKnown: Bool {
    // SAFETY: one of the two is there, and is read only while its contents may be.
    guard let state = unsafe state else { return unsafe held.pointee.isKnown }
    return unsafe state.pointee.swaps.count + state.pointee.droppedSwaps > 0 || hasTransfers
  }
}
