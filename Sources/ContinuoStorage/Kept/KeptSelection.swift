// A part of the kept files: the swaps of some tokens in some time, and whatever may be the same event as one of the journal's.
// Invariant: an engine that is given a selection, and then the journal, has of these tokens in this time what the whole one has.
// Not here: which selection a question needs (CandleQuestion), all of the files (KeptRestore).

internal import Continuo

/// What of the kept files an engine is given that answers for some tokens in some time only.
struct KeptSelection {
  /// The tokens; all others are left out.
  var tokens: [ByteString]
  /// Swaps from here on, and before `end`, in µs.
  var from: Int64
  var end: Int64
  /// The events of the journal behind: what is held of the same identity decides what becomes of them.
  var identities: JournalIdentities

  /// Whether a segment that begins at an instant, in µs, may have swaps of this time. O(1).
  func reaches(_ start: Int64) -> Bool {
    start < end && (start > .max - ChangedTimes.length || start + ChangedTimes.length > from)
  }
}

/// The identities of events that a journal holds, ascending, kind by kind. Times are not part of them.
struct JournalIdentities {
  private var keys: [[OrderKey]] = [[], []]

  /// O(n log n) of events out of order, else O(n).
  init(_ records: [JournalRecord]) {
    for case .batch(let batch, _) in records {
      for row in batch.rows {
        switch row.operation {
        case .swap: keys[0].append(row.key)
        case .transfer: keys[1].append(row.key)
        case .retractSwap, .retractTransfer, .markIncomplete: break
        }
      }
    }
    for kind in keys.indices {
      let own = keys[kind]
      let isSorted = zip(own, own.dropFirst()).allSatisfy { $0.precedes($1) }
      if !isSorted { keys[kind].sort { $0.precedes($1) } }
    }
  }

  var isEmpty: Bool { keys.allSatisfy(\.isEmpty) }

  /// Whether any of them may be among a segment's events. O(log n).
  func reach(_ range: SegmentFooter.Range) -> Bool {
    let own = keys[Int(range.kind.rawValue)]
    let first = index(of: OrderKey(range, range.firstBlock), range.kind)
    return first < own.count && own[first].chain == range.chain && own[first].block <= range.lastBlock
  }

  /// The place of the first identity that is not before one. O(log n).
  private func index(of key: OrderKey, _ kind: EventKind) -> Int {
    let own = keys[Int(kind.rawValue)]
    var (low, high) = (0, own.count)
    while low < high {
      let middle = (low + high) / 2
      if own[middle].precedes(key) { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// Says of each of some keys, ascending by identity, whether it is among them. O(keys + identities between them).
  func forEach(_ kind: EventKind, _ keys: some RandomAccessCollection<OrderKey>, _ body: (_ isHeld: Bool, Int) -> Void)
  {
    let own = self.keys[Int(kind.rawValue)]
    var next = keys.first.map { index(of: $0, kind) } ?? 0
    var place = 0
    for key in keys {
      while next < own.count, own[next].precedes(key) { next += 1 }
      body(next < own.count && !key.precedes(own[next]), place)
      place += 1
    }
  }
}

extension OrderKey {
  /// The least identity of a block in a range.
  fileprivate init(_ range: SegmentFooter.Range, _ block: UInt64) {
    self.init(timestamp: Timestamp(microseconds: 0), chain: range.chain, block: block, logIndex: 0)
  }
}

extension KeptSelection {
  /// Gives an engine the selected swaps of a segment. Their traders are left out: no candle tells of them.
  ///
  /// - Parameter wanted: the numbers of our tokens.
  /// - Returns: how many swaps; nil where a transfer of the journal is held here, of which no part can be taken.
  func take(
    _ segment: KeptReader, _ wanted: [Int], _ scratch: inout SegmentScratch, into engine: inout Engine
  ) throws(StorageFailure) -> Int? {
    let footer = try SegmentFile.footer(segment)
    let isInTime = reaches(segment.header.first) && wanted.contains(where: footer.hasSwaps)
    let mayBeSame = footer.ranges.contains { $0.kind == .swap && identities.reach($0) }
    var (count, isWhole) = (0, true)
    func choose(_ keys: [OrderKey], _ tokens: [UInt32]) -> [Int] {
      var chosen: [Int] = []
      if mayBeSame {
        identities.forEach(.swap, keys) { isHeld, place in
          if isHeld || isInTime && wanted.contains(Int(tokens[place])) { chosen.append(place) }
        }
      } else {
        for place in tokens.indices where wanted.contains(Int(tokens[place])) { chosen.append(place) }
      }
      return chosen
    }
    if isInTime || mayBeSame {
      try SegmentFile.forEachGroup(segment, .swap) { (group, bytes, payload) throws(ColumnFault) in
        var swaps: [HeldSwap] = []
        try group.swaps(bytes, payload, &scratch.last, choose: choose, into: &swaps)
        for place in swaps.indices { swaps[place].trader = 0 }
        do throws(PackedBatchFault) { try engine.adopt(swaps.span) } catch { throw ColumnFault(what: error.what) }
        count += swaps.count
      }
    }
    if footer.ranges.contains(where: { $0.kind == .transfer && identities.reach($0) }) {
      try SegmentFile.forEachGroup(segment, .transfer) { (group, bytes, payload) throws(ColumnFault) in
        identities.forEach(.transfer, try group.keys(bytes, payload)) { isHeld, _ in if isHeld { isWhole = false } }
      }
    }
    return isWhole ? count : nil
  }
}
