// What becomes of a well-formed event: the three checks of rule 3.6 that need the engine's state, in their order, and
// the comparison that tells a duplicate from a conflict.
// Invariant: a verdict changes nothing.
// Not here: the checks on an event's own content (Judgement), taking the event in (Engine+Apply).

/// What an engine says of an event.
enum Verdict {
  case accepted
  case duplicate
  /// Rejected, and the field that is at fault.
  case rejected(RejectionReason, EventField)
}

extension Timestamp {
  /// `in_future`, `too_late`: what the time of an event says of it. O(1).
  ///
  /// - Parameters:
  ///   - latest: the latest time that is not in the future.
  ///   - horizon: below it everything was dropped.
  @inline(__always)
  package func fault(latest: Timestamp?, horizon: Timestamp?) -> RejectionReason? {
    if let latest, latest < self { return .inFuture }
    if let horizon, self < horizon { return .tooLate }
    return nil
  }
}

extension Engine {
  /// Judges an event against the state. O(log n).
  ///
  /// - Parameters:
  ///   - row: the event.
  ///   - batch: what it is of.
  ///   - token: the number of its token, nil where that has none yet.
  ///   - latest: the latest time that is not in the future.
  func verdict(_ row: BatchRow, _ batch: borrowing EventBatch, token: Int?, latest: Timestamp?) -> Verdict {
    if let fault = row.timestamp.fault(latest: latest, horizon: horizon) { return .rejected(fault, .timestamp) }
    guard let held = identities.find(row.key, row.operation == .swap ? .swap : .transfer) else { return .accepted }
    return comparison(row, batch, token: token, held)
  }

  /// Tells a duplicate from a conflict: an event whose identity is held. O(log n).
  func comparison(_ row: BatchRow, _ batch: borrowing EventBatch, token: Int?, _ held: IdentityEntry) -> Verdict {
    if held.token != token.map(UInt32.init(truncatingIfNeeded:)) { return .rejected(.conflict, .token) }
    if held.timestamp != row.timestamp { return .rejected(.conflict, .timestamp) }
    let difference =
      row.operation == .swap ? swapDifference(row, batch, held) : transferDifference(row, batch, held)
    return difference.map { .rejected(.conflict, $0) } ?? .duplicate
  }

  /// The first field in which a swap differs from the one held under its identity, nil if it is the same.
  private func swapDifference(_ row: BatchRow, _ batch: borrowing EventBatch, _ held: IdentityEntry)
    -> EventField?
  {
    guard let old = tokenStates[Int(held.token)].swap(row.key) else { return .block }
    if old.side != row.side { return .side }
    if old.amountUSD != row.amount { return .amountUSD }
    if old.tokenAmount != row.tokenAmount { return .tokenAmount }
    if old.price != row.price { return .priceUSD }
    let isSameWallet =
      row.wallet == .absent
      ? old.wallet == SwapRow.absentWallet
      : old.wallet == number(ofAddress: row.wallet, batch)
    return isSameWallet ? nil : .wallet
  }

  /// The first field in which a transfer differs from the one held under its identity, nil if it is the same.
  private func transferDifference(_ row: BatchRow, _ batch: borrowing EventBatch, _ held: IdentityEntry)
    -> EventField?
  {
    guard let old = tokenStates[Int(held.token)].transfer(row.key) else { return .block }
    if old.from != number(ofAddress: row.wallet, batch) { return .from }
    if old.to != number(ofAddress: row.to, batch) { return .to }
    if old.amount != row.amount { return .amount }
    return old.tokenID == batch.tokenID(row.tokenID) ? nil : .tokenID
  }

  /// The number of an address or wallet, nil if it has none.
  private func number(ofAddress name: PackedName, _ batch: borrowing EventBatch) -> UInt32? {
    if name == .zeroAddress { return TransferRow.zeroAddress }
    return addressNames.find(name, batch.text).map(UInt32.init(truncatingIfNeeded:))
  }
}

extension EventBatch {
  /// The 256-bit identifier that a row has kept, nil without one.
  @inline(__always)
  package func tokenID(_ place: Int32) -> WideID? { place < 0 ? nil : tokenIDs[Int(place)] }
}
