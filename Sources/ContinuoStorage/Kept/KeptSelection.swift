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
  /// - Parameter wanted: of each token's number whether it is one of ours.
  /// - Returns: how many swaps; nil where a transfer of the journal is held here, of which no part can be taken.
  func take(
    _ segment: KeptReader, _ wanted: [Bool], _ scratch: inout SegmentScratch, into engine: inout Engine
  ) throws(StorageFailure) -> Int? {
    let ranges = try SegmentFile.ranges(segment)
    let isInTime = reaches(segment.header.first)
    let mayBeSame = ranges.contains { $0.kind == .swap && identities.reach($0) }
    var (count, isWhole) = (0, true)
    if isInTime || mayBeSame {
      var chosen: [HeldSwap] = []
      let isEnough = { (token: UInt32) in mayBeSame || wanted.isTrue(token) }
      try SegmentFile.forEachGroup(segment, .swap, &scratch, where: isEnough) { (swaps, _) throws(StorageFailure) in
        chosen.removeAll(keepingCapacity: true)
        func choose(_ isHeld: Bool, _ place: Int) {
          var swap = swaps[place]
          guard isHeld || isInTime && wanted.isTrue(swap.token) else { return }
          swap.trader = 0
          chosen.append(swap)
        }
        if mayBeSame {
          identities.forEach(.swap, swaps.lazy.map(\.key), choose)
        } else {
          for place in swaps.indices { choose(false, place) }
        }
        do throws(PackedBatchFault) { try engine.adopt(chosen.span) } catch { throw segment.damaged(0, error.what) }
        count += chosen.count
      }
    }
    if ranges.contains(where: { $0.kind == .transfer && identities.reach($0) }) {
      let isAny = { (_: UInt32) in true }
      try SegmentFile.forEachGroup(segment, .transfer, &scratch, where: isAny) {
        (_, transfers) throws(StorageFailure) in
        identities.forEach(.transfer, transfers.lazy.map(\.key)) { isHeld, _ in if isHeld { isWhole = false } }
      }
    }
    return isWhole ? count : nil
  }
}

extension [Bool] {
  /// Whether it is there, and true. O(1).
  @inline(__always)
  func isTrue(_ number: UInt32) -> Bool { number < count && self[Int(number)] }
}
