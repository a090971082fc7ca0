// A part of a packed batch: what each of its rows is, and some of them as they were.
// Invariant: a row that is unpacked alone is the one that it is among all; what is not looked at is not checked.
// Not here: all of a batch (BatchPacker), which rows matter (ContinuoStorage).
// Format: docs/format/journal.md, "Batch".

/// What a row of a packed batch is, without its amounts and wallets.
package struct PackedRowBrief {
  package var operation: BatchRow.Operation
  package var key: OrderKey
  /// Which of the batch's tokens it is of.
  package var token: Int
}

extension EventBatch {
  /// Lends what each row of a packed batch is, in order. O(rows + bytes of tokens).
  ///
  /// - Parameters:
  ///   - isWanted: is asked once for each token of the batch.
  ///   - body: is told too whether the row's token is wanted.
  /// - Returns: how many rows there are.
  /// - Throws: ``PackedBatchFault`` where the bytes are no such batch.
  package static func forEachBrief(
    _ bytes: Span<UInt8>, isWanted: (PackedName, borrowing EventBatch) -> Bool,
    _ body: (Int, PackedRowBrief, Bool) -> Void
  ) throws(PackedBatchFault) -> Int {
    var source = PackedBatchBytes(bytes)
    let (batch, head) = try source.batchHead()
    let wanted = head.tokens.map { isWanted($0, batch) }
    for start in stride(from: 0, to: head.rows, by: BatchPacker.blockRows) {
      let rows = min(BatchPacker.blockRows, head.rows - start)
      let columns = try source.columns(rows)
      try source.skipNames(rows, longest: Limits.addressBytesMax)
      if head.hasTakers { try source.skipNames(rows, longest: Limits.addressBytesMax) }
      for row in 0..<rows {
        let brief = try columns.brief(row, tokens: wanted.count)
        body(start + row, brief, wanted[brief.token])
      }
    }
    guard source.isAtEnd else { throw PackedBatchFault(what: "the end of the batch") }
    return head.rows
  }

  /// Makes a batch of some rows of a packed one. O(rows + bytes of tokens, and of the blocks that have some of them).
  ///
  /// - Parameter chosen: which rows, ascending.
  /// - Throws: ``PackedBatchFault`` where the bytes are no such batch.
  package static func unpacked(_ bytes: Span<UInt8>, _ chosen: [Int]) throws(PackedBatchFault) -> EventBatch {
    var source = PackedBatchBytes(bytes)
    var (batch, head) = try source.batchHead()
    var next = 0
    var (wallets, takers): ([PackedName], [PackedName]) = ([], [])
    for start in stride(from: 0, to: head.rows, by: BatchPacker.blockRows) where next < chosen.count {
      let rows = min(BatchPacker.blockRows, head.rows - start)
      let columns = try source.columns(rows)
      guard chosen[next] < start + rows else {
        try source.skipNames(rows, longest: Limits.addressBytesMax)
        if head.hasTakers { try source.skipNames(rows, longest: Limits.addressBytesMax) }
        continue
      }
      wallets.removeAll(keepingCapacity: true)
      takers.removeAll(keepingCapacity: true)
      try source.names(rows, longest: Limits.addressBytesMax, &batch.text, &wallets)
      if head.hasTakers { try source.names(rows, longest: Limits.addressBytesMax, &batch.text, &takers) }
      while next < chosen.count, chosen[next] < start + rows {
        let row = chosen[next] - start
        try batch.append(
          columns, row, head.tokens, wallet: wallets[row], to: head.hasTakers ? takers[row] : .absent)
        next += 1
      }
    }
    batch.offered = batch.rows.count
    return batch
  }
}
