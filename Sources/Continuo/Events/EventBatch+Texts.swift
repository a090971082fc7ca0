// A row of a batch in words, as a file has it.
// Invariant: nothing of a row is left out but what is absent.
// Not here: reading them (Judgement), rows that were rejected when they were read.

extension EventBatch {
  /// The fields of one of its rows as text, for who has to see why it was rejected. O(length).
  package func texts(_ row: BatchRow) -> [(name: String, value: [UInt8])] {
    func text(_ value: some CustomStringConvertible) -> [UInt8] { Array(value.description.utf8) }
    let isSwap = row.operation == .swap
    var texts: [(name: String, value: [UInt8])] = [
      ("chain", text(row.key.chain)), ("block", text(row.key.block)), ("log_index", text(row.key.logIndex)),
      ("timestamp", text(row.timestamp)), ("token", bytes(of: row.token).bytes),
    ]
    if let side = row.side { texts.append(("side", text(side.name))) }
    texts.append((isSwap ? "amount_usd" : "amount", text(row.amount)))
    if isSwap {
      if row.tokenAmount != .zero { texts.append(("token_amount", text(row.tokenAmount))) }
      texts.append(("price_usd", text(row.price)))
    }
    for (name, value) in [(isSwap ? "wallet" : "from", row.wallet), ("to", row.to)] where value != .absent {
      texts.append((name, value == .zeroAddress ? Array("0x0".utf8) : bytes(of: value).bytes))
    }
    if let id = tokenID(row.tokenID) { texts.append(("token_id", text(id))) }
    return texts
  }
}
