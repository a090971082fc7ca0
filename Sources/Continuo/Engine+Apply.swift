// Taking a batch in: judged row by row in its order, every summary updated on the way, shown whole.
// Invariant: a refused batch changes nothing; a rejected row changes nothing but the mark of rule 3.7.
// Not here: the checks (Judgement, Verdict), undoing (Retraction), moving the horizon (Eviction).
// Rules 3.7.

extension Engine {
  /// Takes in a batch: judges its rows in their order, and updates every summary. O(rows) amortised.
  ///
  /// - Parameters:
  ///   - batch: events and retractions.
  ///   - wallClock: what the wall clock says, for `in_future`; nil takes events of any time.
  /// - Returns: what became of each row.
  /// - Throws: ``Refusal``, with nothing applied: the batch is too large, or would pass a limit of names.
  @discardableResult
  public mutating func apply(_ batch: borrowing EventBatch, wallClock: Timestamp?) throws(Refusal) -> Receipt {
    try apply(batch, settings.bounds(wallClock))
  }

  /// The same, judged by bounds that may have been those of another engine: how a journal is replayed.
  @discardableResult
  package mutating func apply(_ batch: borrowing EventBatch, _ bounds: BatchBounds) throws(Refusal) -> Receipt {
    guard batch.offered <= Limits.batchRowsMax else { throw .batchTooLarge(rows: batch.offered) }
    let latest = bounds.latest
    try checkNames(batch, bounds)
    beginStep()
    var receipt = Receipt()
    receipt.rejections = batch.rejections
    var rejected: [Rejection] = []
    let rows = batch.rows.span
    var names = [24 of NameLookup](repeating: NameLookup())
    for start in stride(from: 0, to: rows.count, by: NameLookup.groupRows) {
      let group = rows.extracting(start..<min(start + NameLookup.groupRows, rows.count))
      lookUp(group, batch.text, into: &names)
      if areLate(group) { lookAhead(group, &names) }
      for index in 0..<group.count { take(group, index, names[index], batch, latest, &receipt, &rejected) }
    }
    undoRetracting(&receipt)
    publish()
    if !rejected.isEmpty {
      receipt.rejections += rejected
      receipt.rejections.sort { $0.line < $1.line }
    }
    return receipt
  }

  /// Takes in one row: judges it, and updates every summary. Its fields are read where they lie: a row is 128 bytes.
  @inline(__always)
  private mutating func take(
    _ rows: Span<BatchRow>, _ index: Int, _ names: NameLookup, _ batch: borrowing EventBatch, _ latest: Timestamp?,
    _ receipt: inout Receipt, _ rejected: inout [Rejection]
  ) {
    switch rows[index].operation {
    case .markIncomplete:
      let token = number(ofToken: rows[index].token, names, batch)
      willChange(token)
      tokenStates[token].isMarked = true
    case .retractSwap, .retractTransfer:
      retracting.append(Retracting(identity: rows[index].identity, row: retracting.count))
    case .swap, .transfer:
      if !retracting.isEmpty { undoRetracting(&receipt) }
      let key = rows[index].key
      let kind: EventKind = rows[index].operation == .swap ? .swap : .transfer
      // Written out, for a method that only reads is handed a copy of all of the engine's fields: 800 bytes an event.
      let verdict: Verdict
      var place = IdentityPlace.end
      if let fault = key.timestamp.fault(latest: latest, horizon: horizon) {
        verdict = .rejected(fault, .timestamp)
      } else if identities.mayHold(key, kind) {
        place = identities.locate(key, kind, near: names.place.identity)
        verdict = place.isHeld ? comparison(rows[index], batch, names, identities.entry(at: place)) : .accepted
      } else {
        verdict = .accepted
      }
      switch verdict {
      case .accepted:
        accept(rows, index, key, kind, place, names, batch)
        receipt.accepted += 1
      case .duplicate: receipt.duplicates += 1
      case .rejected(let reason, let field):
        rejected.append(
          Rejection(
            line: rows[index].line, field: field, value: value(field, of: rows[index], batch), reason: reason))
      }
    }
  }

  /// Tells a duplicate from a conflict: a row whose identity is held.
  private func comparison(
    _ row: BatchRow, _ batch: borrowing EventBatch, _ names: NameLookup, _ held: IdentityEntry
  ) -> Verdict {
    // A row before this one may have brought the token in.
    let token =
      names.token == NameLookup.unknown ? tokenNames.find(row.token, names.tokenHash, batch.text) : Int(names.token)
    return comparison(row, batch, token: token, held)
  }

  @inline(__always)
  private mutating func accept(
    _ rows: Span<BatchRow>, _ index: Int, _ key: OrderKey, _ kind: EventKind, _ place: IdentityPlace,
    _ names: NameLookup, _ batch: borrowing EventBatch
  ) {
    let token = number(ofToken: rows[index].token, names, batch)
    willChange(token, onlyTrades: kind == .swap)
    let amount = rows[index].amount
    if kind == .swap {
      let wallet = rows[index].wallet
      let trader = wallet == .absent ? SwapRow.absentWallet : number(ofAddress: wallet, names.walletHash, batch)
      tokenStates[token].accept(
        SwapRow(
          key: key, amountUSD: amount, tokenAmount: rows[index].tokenAmount, price: rows[index].price, wallet: trader,
          side: rows[index].side), near: names.place)
      dayVolumes.add(amount, to: token, at: key.timestamp)
      stepChanges.note(token, key.timestamp)
    } else {
      let (from, to) = (rows[index].wallet, rows[index].to)
      let transfer = TransferRow(
        key: key,
        from: names.wallet != NameLookup.unknown ? names.wallet : number(ofAddress: from, names.walletHash, batch),
        to: names.to != NameLookup.unknown ? names.to : number(ofAddress: to, names.toHash, batch), amount: amount,
        tokenID: batch.tokenID(rows[index].tokenID))
      // In this order: a row that was just put together waits for its own bytes when it is copied at once.
      applyBalances(transfer, token, undo: false)
      tokenStates[token].transfers.insert(transfer, near: names.place.event)
    }
    let identity = IdentityEntry(
      key: IdentityEntry.Key(block: key.block, logIndex: key.logIndex), token: UInt32(truncatingIfNeeded: token),
      timestamp: key.timestamp)
    if place.isEnd {
      identities.insert(identity, kind, chain: key.chain)
    } else {
      identities.insert(identity, at: place)
    }
    engineClock.accept(key.timestamp)
    changes.note(key.timestamp)
  }

  /// Applies a transfer to the balances of its token, or takes it back, and counts who holds anything at all. O(1)
  /// amortised.
  mutating func applyBalances(_ row: TransferRow, _ token: Int, undo: Bool) {
    guard row.amount != .zero, row.from != row.to else { return }
    let amount = undo ? -ExactSum(row.amount) : ExactSum(row.amount)
    addBalance(-amount, to: row.from, token)
    addBalance(amount, to: row.to, token)
  }

  @inline(__always)
  mutating func addBalance(_ amount: ExactSum, to address: UInt32, _ token: Int) {
    if address == TransferRow.zeroAddress { return tokenStates[token].balances.mint(-amount) }
    let change = tokenStates[token].balances.add(
      amount, to: address, token: UInt32(truncatingIfNeeded: token), &balanceLog)
    let held = Int(balancesByAddress[Int(address)])
    balancesByAddress[Int(address)] = UInt32(truncatingIfNeeded: held &+ change)
    addressesWithBalance &+= (held &+ change > 0 ? 1 : 0) &- (held > 0 ? 1 : 0)
  }

  // MARK: names

  /// The number of a row's token, a new one if it has none.
  @inline(__always)
  private mutating func number(ofToken name: PackedName, _ names: NameLookup, _ batch: borrowing EventBatch) -> Int {
    if names.token != NameLookup.unknown { return Int(names.token) }
    let number = tokenNames.intern(name, names.tokenHash, batch.text)
    if number == tokenStates.count { tokenStates.append(TokenState(arena)) }
    return number
  }

  @inline(__always)
  private mutating func number(ofAddress name: PackedName, _ hash: UInt32, _ batch: borrowing EventBatch) -> UInt32 {
    if name == .zeroAddress { return TransferRow.zeroAddress }
    let number = addressNames.intern(name, hash, batch.text)
    if number == balancesByAddress.count { balancesByAddress.append(0) }
    return UInt32(truncatingIfNeeded: number)
  }

  /// Refuses batches that are one, where their names might pass a limit if all of their rows were taken: then none of them is refused
  /// by itself. O(batches) far from the limits, O(rows) near them.
  package func checkNames(whole batches: [EventBatch], _ bounds: BatchBounds) throws(Refusal) {
    let (rows, addresses) = (batches.reduce(0) { $0 + $1.rows.count }, addressNames.count - 1)
    guard tokenNames.count + rows > bounds.tokensMax || addresses + 2 * rows > bounds.addressesMax else { return }
    var (freshTokens, freshAddresses): (Set<ByteString>, Set<ByteString>) = ([], [])
    for batch in batches {
      for row in batch.rows where row.token != .absent {
        if tokenNames.find(row.token, batch.text) == nil { freshTokens.insert(batch.bytes(of: row.token)) }
        for name in [row.wallet, row.to] where name.isText {
          if addressNames.find(name, batch.text) == nil { freshAddresses.insert(batch.bytes(of: name)) }
        }
      }
    }
    guard tokenNames.count + freshTokens.count <= bounds.tokensMax else { throw .tooManyTokens }
    guard addresses + freshAddresses.count <= bounds.addressesMax else { throw .tooManyAddresses }
  }

  /// Refuses a batch that would pass a limit of names. O(1) far from the limits, O(rows × log n) near them.
  private func checkNames(_ batch: borrowing EventBatch, _ bounds: BatchBounds) throws(Refusal) {
    let rows = batch.rows.count
    // Number 0 is ours: it is not one of the addresses that are counted.
    let addresses = addressNames.count - 1
    guard tokenNames.count + rows > bounds.tokensMax || addresses + 2 * rows > bounds.addressesMax else { return }
    var freshTokens: Set<ByteString> = []
    var freshAddresses: Set<ByteString> = []
    for row in batch.rows where row.token != .absent {
      let token = tokenNames.find(row.token, batch.text)
      if row.operation != .markIncomplete, case .rejected = verdict(row, batch, token: token, latest: bounds.latest) {
        continue
      }
      if token == nil { freshTokens.insert(batch.bytes(of: row.token)) }
      for name in [row.wallet, row.to] where name.isText {
        if addressNames.find(name, batch.text) == nil { freshAddresses.insert(batch.bytes(of: name)) }
      }
    }
    guard tokenNames.count + freshTokens.count <= bounds.tokensMax else { throw .tooManyTokens }
    guard addresses + freshAddresses.count <= bounds.addressesMax else { throw .tooManyAddresses }
  }

  /// What a rejected row held in the field at fault, as text.
  private func value(_ field: EventField, of row: BatchRow, _ batch: borrowing EventBatch) -> ByteString {
    func name(_ name: PackedName) -> ByteString {
      name == .zeroAddress ? "0x0" : Rejection.cut(batch.bytes(of: name).bytes.span)
    }
    switch field {
    case .timestamp: return ByteString(row.timestamp.description)
    case .token: return name(row.token)
    case .wallet, .from: return name(row.wallet)
    case .to: return name(row.to)
    case .side: return ByteString(row.side?.name ?? "")
    case .amountUSD, .amount: return ByteString(row.amount.description)
    case .tokenAmount: return ByteString(row.tokenAmount == .zero ? "" : row.tokenAmount.description)
    case .priceUSD: return ByteString(row.price.description)
    case .tokenID: return ByteString(batch.tokenID(row.tokenID)?.description ?? "")
    case .kind, .chain, .block, .logIndex: return ByteString(String(row.key.block))
    }
  }
}
