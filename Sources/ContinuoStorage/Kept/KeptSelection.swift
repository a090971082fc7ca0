// A part of the kept files: the swaps of some tokens in some time, and whatever may be the same event as one of the journal's.
// Invariant: an engine that is given a selection, and then the journal, has of these tokens in this time what the whole one has.
// Not here: which selection a question needs (CandleQuestion), all of the files (KeptRestore).

internal import Continuo
internal import ContinuoBytes

/// What of the kept files an engine is given that answers for some tokens in some time only.
struct KeptSelection: Sendable {
  /// The tokens; all others are left out.
  var tokens: [ByteString]
  /// Swaps from here on, and before `end`, in µs.
  var from: Int64
  var end: Int64
  /// The events of the journal behind: what is held of the same identity decides what becomes of them.
  var identities: JournalIdentities
  /// What was read already.
  var parts: KeptParts

  /// Whether a segment that begins at an instant, in µs, may have swaps of this time. O(1).
  func reaches(_ start: Int64) -> Bool {
    start < end && (start > .max - ChangedTimes.length || start + ChangedTimes.length > from)
  }
}

/// The identities of events that a journal holds, ascending, kind by kind. Times are not part of them.
struct JournalIdentities: Sendable {
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
    let first = own.firstIndex(notBefore: OrderKey(range, range.firstBlock))
    return first < own.count && own[first].chain == range.chain && own[first].block <= range.lastBlock
  }

  /// Whether any of them may be in a segment. O(ranges × log n).
  func mayReach(_ segment: KeptEntry) -> Bool {
    segment.ranges?.contains(where: reach) ?? !isEmpty
  }

  /// Says of each of some keys, ascending by identity, whether it is among them. O(keys + identities between them).
  func forEach(_ kind: EventKind, _ keys: some RandomAccessCollection<OrderKey>, _ body: (_ isHeld: Bool, Int) -> Void)
  {
    let own = self.keys[Int(kind.rawValue)]
    var next = keys.first.map(own.firstIndex(notBefore:)) ?? 0
    var place = 0
    for key in keys {
      while next < own.count, own[next].precedes(key) { next += 1 }
      body(next < own.count && !key.precedes(own[next]), place)
      place += 1
    }
  }
}

extension [OrderKey] {
  /// The place of the first identity that is not before one, of identities that ascend. O(log n).
  func firstIndex(notBefore key: OrderKey) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if self[middle].precedes(key) { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

extension OrderKey {
  /// The least identity of a block in a range.
  fileprivate init(_ range: SegmentFooter.Range, _ block: UInt64) {
    self.init(timestamp: Timestamp(microseconds: 0), chain: range.chain, block: block, logIndex: 0)
  }
}

extension KeptSelection {
  /// What is selected of a segment.
  struct Part: Sendable {
    /// Without their traders: no candle tells of them.
    var swaps: [HeldSwap] = []
    /// Whether a transfer of the journal is held here, of which no part can be taken.
    var hasTransfers = false
  }

  /// Reads what is selected of a segment. O(its events), and O(1) where it has no swap of ours.
  ///
  /// - Parameter wanted: the numbers of our tokens.
  fileprivate func part(
    of segment: KeptReader, _ wanted: [Int], _ last: inout LastPrices
  ) throws(StorageFailure) -> Part {
    let footer = try SegmentFile.footer(segment)
    let isInTime = reaches(segment.header.first) && wanted.contains(where: footer.hasSwaps)
    let mayBeSame = footer.ranges.contains { $0.kind == .swap && identities.reach($0) }
    var part = Part()
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
        part.swaps += try group.swaps(bytes, payload, &last, choose: choose)
      }
      for place in part.swaps.indices { part.swaps[place].trader = 0 }
    }
    if footer.ranges.contains(where: { $0.kind == .transfer && identities.reach($0) }) {
      try SegmentFile.forEachGroup(segment, .transfer) { (group, bytes, payload) throws(ColumnFault) in
        identities.forEach(.transfer, try group.keys(bytes, payload)) { isHeld, _ in
          if isHeld { part.hasTransfers = true }
        }
      }
    }
    return part
  }
}

/// How much may be read for a part; beyond that who asks needs the whole.
package struct PartBounds: Sendable {
  /// How many swaps may be selected: each takes some 100 bytes, and as much again in the engine.
  var swapsMax: Int
  /// Whether anybody still waits for it.
  var isWanted: @Sendable () -> Bool

  package init(swapsMax: Int = .max, isWanted: @escaping @Sendable () -> Bool = { true }) {
    (self.swapsMax, self.isWanted) = (swapsMax, isWanted)
  }
}

/// What was selected of segments, for questions that look further back step by step.
final class KeptParts: Sendable {
  /// The same segment has another part once it is in the time that is asked for.
  private struct Key: Hashable {
    var number: UInt32
    var isInTime: Bool
  }

  private struct State: Sendable {
    var parts: [Key: KeptSelection.Part] = [:]
    var waiting: [(key: Key, entry: KeptEntry)] = []
    var failure: StorageFailure?
    var swaps = 0
    /// Whether a bound was met.
    var isOver = false
    var goesOn: Bool { failure == nil && !isOver }
  }

  private let state = MonitorHandle(State())
  private let bounds: PartBounds

  init(_ bounds: PartBounds) { self.bounds = bounds }

  /// What is selected of some segments, in their order; two threads read those that were not read before. O(their events).
  ///
  /// - Parameter open: opens a segment.
  /// - Returns: nil beyond the bounds.
  func parts(
    of entries: [KeptEntry], _ selection: KeptSelection, _ wanted: [Int],
    _ open: @escaping @Sendable (KeptEntry) throws(StorageFailure) -> KeptReader
  ) throws(StorageFailure) -> [(entry: KeptEntry, part: KeptSelection.Part)]? {
    let keys = entries.map { Key(number: $0.header.number, isInTime: selection.reaches($0.header.first)) }
    state.locked { state in
      state.waiting = zip(keys, entries).filter { state.parts[$0.0] == nil }.map { (key: $0.0, entry: $0.1) }
    }
    let work = { @Sendable [state, bounds] in Self.work(state, bounds, selection, wanted, open) }
    let thread = ThreadHandle(work)
    work()
    thread?.join()
    let (parts, failure, isOver) = state.locked { ($0.parts, $0.failure, $0.isOver) }
    if let failure { throw failure }
    if isOver { return nil }
    return zip(keys, entries).map { ($1, parts[$0] ?? KeptSelection.Part()) }
  }

  private static func work(
    _ state: MonitorHandle<State>, _ bounds: PartBounds, _ selection: KeptSelection, _ wanted: [Int],
    _ open: (KeptEntry) throws(StorageFailure) -> KeptReader
  ) {
    var last = LastPrices()
    while let (key, entry) = state.locked({ $0.goesOn ? $0.waiting.popLast() : nil }) {
      do throws(StorageFailure) {
        let part = try selection.part(of: try open(entry), wanted, &last)
        let isWanted = bounds.isWanted()
        state.locked { state in
          state.parts[key] = part
          state.swaps += part.swaps.count
          if state.swaps > bounds.swapsMax || !isWanted { state.isOver = true }
        }
      } catch {
        state.locked { $0.failure = error }
      }
    }
  }
}
