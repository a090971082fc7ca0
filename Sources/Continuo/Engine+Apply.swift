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
    guard batch.offered <= Limits.batchRowsMax else { throw .batchTooLarge(rows: batch.offered) }
    let latest = latestAccepted(wallClock)
    try checkNames(batch, latest)
    var receipt = Receipt()
    receipt.rejections = batch.rejections
    var rejected: [Rejection] = []
    let rows = batch.rows.span
    var names = ColumnHandle<NameLookup>(arena)
    swap(&names, &lookups)
    for start in stride(from: 0, to: rows.count, by: NameLookup.groupRows) {
      let group = rows.extracting(start..<min(start + NameLookup.groupRows, rows.count))
      lookUp(group, batch.text, into: &names)
      if areLate(group) { lookAhead(group, names) }
      for index in 0..<group.count { take(group[index], names[index], batch, latest, &receipt, &rejected) }
    }
    swap(&names, &lookups)
    undoRetracting(&receipt)
    publish()
    if !rejected.isEmpty {
      receipt.rejections += rejected
      receipt.rejections.sort { $0.line < $1.line }
    }
    return receipt
  }

  /// Takes in one row: judges it, and updates every summary.
  @inline(__always)
  private mutating func take(
    _ row: BatchRow, _ names: NameLookup, _ batch: borrowing EventBatch, _ latest: Timestamp?,
    _ receipt: inout Receipt, _ rejected: inout [Rejection]
  ) {
    switch row.operation {
    case .markIncomplete:
      let token = number(ofToken: row, names, batch)
      willChange(token)
      tokenStates[token].isMarked = true
    case .retractSwap, .retractTransfer:
      retracting.append(Retracting(identity: row.identity, row: retracting.count))
    case .swap, .transfer:
      if !retracting.isEmpty { undoRetracting(&receipt) }
      // Written out, for a method that only reads is handed a copy of all of the engine's fields: 800 bytes an event.
      let verdict: Verdict
      if let fault = row.fault(latest: latest, horizon: horizon) {
        verdict = .rejected(fault, .timestamp)
      } else if let held = identities.find(row.identity) {
        // A row before this one may have brought the token in.
        let token = names.token ?? tokenNames.find(names.tokenKey, batch.text.text(row.token))
        verdict = comparison(row, batch, token: token, held)
      } else {
        verdict = .accepted
      }
      switch verdict {
      case .accepted:
        accept(row, names, batch)
        receipt.accepted += 1
      case .duplicate: receipt.duplicates += 1
      case .rejected(let reason, let field):
        rejected.append(
          Rejection(line: row.line, field: field, value: value(field, of: row, batch), reason: reason))
      }
    }
  }

  /// The latest time that is not in the future; nil where any time is taken.
  private func latestAccepted(_ wallClock: Timestamp?) -> Timestamp? {
    guard let wallClock, let tolerance = settings.futureToleranceMicroseconds else { return nil }
    return wallClock + tolerance
  }

  @inline(__always)
  private mutating func accept(_ row: BatchRow, _ names: NameLookup, _ batch: borrowing EventBatch) {
    let token = number(ofToken: row, names, batch)
    willChange(token)
    if row.operation == .swap {
      let wallet =
        row.wallet == .absent ? SwapRow.absentWallet : number(ofAddress: row.wallet, names.walletKey, batch)
      tokenStates[token].accept(
        SwapRow(
          key: row.key, amountUSD: row.amount, tokenAmount: row.tokenAmount, price: row.price, wallet: wallet,
          side: row.side))
      dayVolumes.add(row.amount, to: token, at: row.timestamp)
    } else {
      let transfer = TransferRow(
        key: row.key, from: names.wallet ?? number(ofAddress: row.wallet, names.walletKey, batch),
        to: names.to ?? number(ofAddress: row.to, names.toKey, batch), amount: row.amount,
        tokenID: batch.tokenID(of: row))
      tokenStates[token].transfers.insert(transfer)
      applyBalances(transfer, token, undo: false)
    }
    identities.insert(
      IdentityEntry(
        key: IdentityEntry.Key(block: row.block, logIndex: row.logIndex), token: UInt32(truncatingIfNeeded: token),
        timestamp: row.timestamp),
      row.operation == .swap ? .swap : .transfer, chain: row.chain)
    engineClock.accept(row.timestamp)
  }

  /// Applies a transfer to the balances of its token, or takes it back, and counts who holds anything at all.
  mutating func applyBalances(_ row: TransferRow, _ token: Int, undo: Bool) {
    // At most two addresses change.
    var changes: [2 of Balances.Change?] = .init(repeating: nil)
    var count = 0
    let isPublishing = arena.isPublishing
    tokenStates[token].balances.apply(row, undo: undo) { change in
      changes[count] = change
      count += 1
      guard isPublishing else { return }
      balanceLog.append(
        BalanceLog.Entry(token: UInt32(truncatingIfNeeded: token), address: change.address, before: change.before))
    }
    for index in 0..<count {
      guard let change = changes[index], change.before.isZero != change.after.isZero else { continue }
      let address = Int(change.address)
      let held = balancesByAddress[address]
      balancesByAddress[address] = change.before.isZero ? held + 1 : held - 1
      if change.before.isZero, held == 0 { addressesWithBalance += 1 }
      if change.after.isZero, held == 1 { addressesWithBalance -= 1 }
    }
  }

  // MARK: names

  /// The number of a row's token, a new one if it has none.
  @inline(__always)
  private mutating func number(ofToken row: BatchRow, _ names: NameLookup, _ batch: borrowing EventBatch) -> Int {
    if let token = names.token { return token }
    let number = tokenNames.intern(names.tokenKey, batch.text.text(row.token))
    if number == tokenStates.count { tokenStates.append(TokenState(arena)) }
    return number
  }

  @inline(__always)
  private mutating func number(ofAddress cell: TextCell, _ key: NameKey, _ batch: borrowing EventBatch) -> UInt32 {
    if cell == .zeroAddress { return TransferRow.zeroAddress }
    let number = addressNames.intern(key, batch.text.text(cell))
    if number == balancesByAddress.count { balancesByAddress.append(0) }
    return UInt32(truncatingIfNeeded: number)
  }

  /// Refuses a batch that would pass a limit of names. O(1) far from the limits, O(rows × log n) near them.
  private func checkNames(_ batch: borrowing EventBatch, _ latest: Timestamp?) throws(Refusal) {
    let rows = batch.rows.count
    // Number 0 is ours: it is not one of the addresses that are counted.
    let addresses = addressNames.count - 1
    guard tokenNames.count + rows > settings.tokensMax || addresses + 2 * rows > settings.addressesMax else { return }
    var freshTokens: Set<ByteString> = []
    var freshAddresses: Set<ByteString> = []
    for row in batch.rows where row.token != .absent {
      let token = tokenNames.find(batch.text.text(row.token))
      if row.operation != .markIncomplete, case .rejected = verdict(row, batch, token: token, latest: latest) {
        continue
      }
      if token == nil { freshTokens.insert(batch.text.byteString(row.token)) }
      for cell in [row.wallet, row.to] where cell != .absent && cell != .zeroAddress {
        if addressNames.find(batch.text.text(cell)) == nil { freshAddresses.insert(batch.text.byteString(cell)) }
      }
    }
    guard tokenNames.count + freshTokens.count <= settings.tokensMax else { throw .tooManyTokens }
    guard addresses + freshAddresses.count <= settings.addressesMax else { throw .tooManyAddresses }
  }

  /// What a rejected row held in the field at fault, as text.
  private func value(_ field: EventField, of row: BatchRow, _ batch: borrowing EventBatch) -> ByteString {
    func name(_ cell: TextCell) -> ByteString {
      cell == .zeroAddress ? "0x0" : Rejection.cut(batch.text.text(cell))
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
    case .tokenID: return ByteString(batch.tokenID(of: row)?.description ?? "")
    case .kind, .chain, .block, .logIndex: return ByteString(String(row.block))
    }
  }
}

extension TextPool {
  /// The bytes of a cell as a value. O(length).
  func byteString(_ cell: TextCell) -> ByteString {
    let text = text(cell)
    var bytes: [UInt8] = []
    for index in 0..<text.count { bytes.append(text[index]) }
    return ByteString(bytes)
  }
}
