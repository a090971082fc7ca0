// What is left of a segment: its groups, and of those that are lost what can still be told of them.
// Invariant: a group is whole, or lost.
// Not here: the blocks (KeptRemains), a sound segment (SegmentFile), taking events in (KeptSalvage).

internal import Continuo

/// A group of events of a segment that may be damaged.
struct GroupRemains {
  var kind: EventKind
  var number: Int
  var blocks: Range<Int>
}

extension KeptRemains {
  /// The groups of a segment. O(groups), O(blocks) where the footer is not sound.
  var segmentGroups: [GroupRemains] {
    guard let reader else { return [] }
    var groups: [GroupRemains] = []
    func append(_ kind: EventKind) -> Bool {
      let start = groups.last?.blocks.upperBound ?? 0
      let width = GroupColumn.all(kind).count
      guard start + width <= blockCount else { return false }
      groups.append(GroupRemains(kind: kind, number: groups.count, blocks: start..<start + width))
      return true
    }
    if fault == nil {
      guard let footer = segmentFooter else { return [] }
      for (kind, events) in [(EventKind.swap, footer.swaps), (.transfer, footer.transfers)] {
        for _ in 0..<(Int(events) + GroupHead.eventsMax - 1) / GroupHead.eventsMax where !append(kind) { return groups }
      }
      return groups
    }
    while let last = groups.last.map(\.blocks.upperBound) ?? 0 as Int?, last < reader.blockCount,
      let kind = EventKind(rawValue: walkedBlock(last).kind)
    {
      if !append(kind) { break }
    }
    return groups
  }

  /// What a sound footer says of a segment; nil where there is none, or it says what cannot be. O(its tokens).
  var segmentFooter: SegmentFooter? {
    guard fault == nil, let footer = reader?.footer, let said = try? SegmentFooter(footer.span),
      said.swaps < 1 << 40, said.transfers < 1 << 40
    else { return nil }
    return said
  }

  /// The time that the manifest says of a segment.
  var stretch: ClosedRange<Timestamp> {
    let start = Timestamp(microseconds: entry.header.first)
    return start...start + (ChangedTimes.length - 1)
  }

  /// Adds what can be told of a group that is lost. O(its events).
  func note(_ group: GroupRemains, _ numbers: NameNumbers, in tally: inout LossTally) throws(StorageFailure) {
    guard let reader else { return }
    let first = group.blocks.lowerBound
    func read<Answer>(
      _ columns: Range<GroupColumn.RawValue>, _ body: (Span<UInt8>, [Range<Int>]) throws(ColumnFault) -> Answer
    ) throws(StorageFailure) -> Answer? {
      try Self.ifSound { () throws(StorageFailure) in
        try reader.withBlocks(
          first + Int(columns.lowerBound)..<first + Int(columns.upperBound),
          { (group.kind.rawValue, UInt8($0 - first), group.number) },
          { (bytes, payloads) throws(StorageFailure) in
            do throws(ColumnFault) { return try body(bytes, payloads) } catch {
              throw reader.damaged(first, error.what)
            }
          })
      }
    }
    let start = Timestamp(microseconds: entry.header.first)
    let head = try read(0..<1) { (bytes, payloads) throws(ColumnFault) in
      try GroupHead(bytes.extracting(payloads[0]))
    }
    guard let head else { return tally.note(events: nil, tokens: nil, within: times) }
    let keys = try read(0..<GroupColumn.token.rawValue) { (bytes, payloads) throws(ColumnFault) in
      try GroupReader(head, from: start).keys(bytes) { payloads[Int($0.rawValue)] }
    }
    let own = GroupColumn.token.rawValue
    let tokens = try read(own..<own + 1) { (bytes, payloads) throws(ColumnFault) in
      try ColumnCode.read(bytes.extracting(payloads[0]), count: head.events, as: UInt32.self)
    }
    if let keys, keys.count == head.events, keys.allSatisfy({ times.contains($0.timestamp) }) {
      for (index, key) in keys.enumerated() {
        tally.note(key, group.kind, token: tokens.flatMap { numbers.token($0[index]) })
      }
    } else {
      let names = tokens?.compactMap { numbers.token($0) }
      tally.note(events: head.events, tokens: names?.count == tokens?.count ? names : nil, within: times)
    }
  }

  /// Between which instants its events are.
  var times: ClosedRange<Timestamp> {
    guard let said = segmentFooter, said.earliest <= said.latest else { return stretch }
    return (said.earliest...said.latest).clamped(to: stretch)
  }
}
