// A segment: the events of a stretch of time in a kept file.
// Invariant: events that are read ascend, lie in the segment's time, and are as many as its footer says.
// Not here: the columns (SegmentColumns), the file (KeptFiles), which segments there are (Manifest).
// Format: docs/format/segment.md.

package import Continuo
internal import ContinuoBytes

/// What a segment says of itself.
struct SegmentFooter: Equatable {
  /// The events of one kind on one chain.
  struct Range: Equatable {
    var kind: EventKind
    var chain: UInt32
    var firstBlock: UInt64
    var lastBlock: UInt64

    static let bytes = 24

    init(kind: EventKind, chain: UInt32, firstBlock: UInt64, lastBlock: UInt64) {
      (self.kind, self.chain, self.firstBlock, self.lastBlock) = (kind, chain, firstBlock, lastBlock)
    }

    /// Reads the bytes of one. O(1).
    init(_ bytes: Span<UInt8>, at place: Int) {
      self.init(
        kind: bytes.word(place + 4, UInt32.self) == 0 ? .swap : .transfer, chain: bytes.word(place, UInt32.self),
        firstBlock: bytes.word(place + 8, UInt64.self), lastBlock: bytes.word(place + 16, UInt64.self))
    }

    func append(to bytes: inout [UInt8]) {
      bytes.appendWord(chain)
      bytes.appendWord(UInt32(kind.rawValue))
      bytes.appendWord(firstBlock)
      bytes.appendWord(lastBlock)
    }
  }

  var swaps: UInt64 = 0
  var transfers: UInt64 = 0
  var earliest = Timestamp(microseconds: .max)
  var latest = Timestamp(microseconds: .min)
  var ranges: [Range] = []
  /// The tokens of swaps, a bit each.
  private var tokens: [UInt64] = []

  /// How long what stands before the ranges is.
  static let headBytes = 40

  init() {}

  /// Notes a group's events.
  mutating func note(_ group: SegmentGroup) {
    note(group.keys, .swap)
    note(group.transfers.lazy.map(\.key), .transfer)
    note(tokens: group.tokens)
  }

  @inline(__always)
  private mutating func insert(_ token: Int) {
    if token / 64 >= tokens.count {
      tokens.append(contentsOf: repeatElement(0, count: token / 64 + 1 - tokens.count))
    }
    tokens[token / 64] |= 1 << UInt64(token % 64)
  }

  /// Notes where events of a kind stand, in the order of a segment.
  mutating func note(_ keys: some Collection<OrderKey>, _ kind: EventKind) {
    guard let first = keys.first else { return }
    var (least, greatest, block) = (first.timestamp, first.timestamp, first.block)
    var own = Range(kind: kind, chain: first.chain, firstBlock: first.block, lastBlock: first.block)
    if let last = ranges.last, last.kind == kind, last.chain == first.chain { own = ranges.removeLast() }
    for key in keys {
      least = min(least, key.timestamp)
      greatest = max(greatest, key.timestamp)
      if key.chain != own.chain {
        own.lastBlock = block
        ranges.append(own)
        own = Range(kind: kind, chain: key.chain, firstBlock: key.block, lastBlock: key.block)
      }
      block = key.block
    }
    own.lastBlock = block
    ranges.append(own)
    (earliest, latest) = (min(earliest, least), max(latest, greatest))
    if kind == .swap { swaps += UInt64(keys.count) } else { transfers += UInt64(keys.count) }
  }

  /// Notes that tokens have swaps.
  mutating func note(tokens: some Sequence<UInt32>) {
    for token in tokens { insert(Int(token)) }
  }

  var encoded: [UInt8] {
    var steps: [UInt32] = []
    var next: UInt32 = 0
    for (index, word) in tokens.enumerated() where word != 0 {
      for bit in 0..<64 where word >> UInt64(bit) & 1 == 1 {
        let token = UInt32(64 * index + bit)
        steps.append(token - next)
        next = token + 1
      }
    }
    var bytes: [UInt8] = []
    bytes.appendWord(swaps)
    bytes.appendWord(transfers)
    bytes.appendWord(earliest.microseconds)
    bytes.appendWord(latest.microseconds)
    bytes.appendWord(UInt32(ranges.count))
    bytes.appendWord(UInt32(steps.count))
    for range in ranges { range.append(to: &bytes) }
    ColumnCode.append(steps, to: &bytes)
    return bytes
  }

  /// Reads what a segment says of itself; what it says of its earliest and latest time and of the bits of its tokens is left to
  /// who reads its events.
  ///
  /// - Throws: ``ColumnFault`` where the bytes are none.
  init(_ bytes: Span<UInt8>) throws(ColumnFault) {
    guard bytes.count >= Self.headBytes else { throw ColumnFault(what: "the footer of a segment") }
    (swaps, transfers) = (bytes.word(0, UInt64.self), bytes.word(8, UInt64.self))
    let (rangeCount, tokenCount) = (Int(bytes.word(32, UInt32.self)), Int(bytes.word(36, UInt32.self)))
    let start = Self.headBytes + Range.bytes * rangeCount
    guard rangeCount <= (bytes.count - Self.headBytes) / Range.bytes, tokenCount <= Limits.tokensMax else {
      throw ColumnFault(what: "the footer of a segment")
    }
    ranges = stride(from: Self.headBytes, to: start, by: Range.bytes).map { Range(bytes, at: $0) }
    var next = 0
    for step in try ColumnCode.read(bytes.extracting(start...), count: tokenCount, as: UInt32.self) {
      next += Int(step)
      guard next < Limits.tokensMax else { throw ColumnFault(what: "tokens' numbers") }
      insert(next)
      next += 1
    }
  }

  /// Whether a token has swaps here. O(1).
  func hasSwaps(of token: Int) -> Bool {
    token / 64 < tokens.count && tokens[token / 64] >> UInt64(token % 64) & 1 == 1
  }
}

/// The events of a group as they are read.
package struct SegmentGroup: Sendable {
  /// One token after the other, by their numbers, each in the order of its chain.
  package var swaps: [HeldSwap] = []
  /// Their tokens, in the same order: they are read before their swaps are.
  package var swapTokens: [UInt32] = []
  /// Where the swaps stand, and their tokens, in the order of their chain.
  package var keys: [OrderKey] = []
  package var tokens: [UInt32] = []
  package var transfers: [HeldTransfer] = []

  package init() {}

  fileprivate mutating func removeSwaps() {
    swaps.removeAll(keepingCapacity: true)
    swapTokens.removeAll(keepingCapacity: true)
    keys.removeAll(keepingCapacity: true)
    tokens.removeAll(keepingCapacity: true)
  }
}

/// What writing and reading segments needs from one to the next.
package struct SegmentScratch {
  var last = LastPrices()
  fileprivate var order = SegmentOrder()
  fileprivate var byToken = RadixOrder()
  fileprivate var group = SegmentGroup()
  fileprivate var places: [Int] = []
  fileprivate var transfers: [HeldTransfer] = []

  package init() {}
}

package enum SegmentFile {
  /// Writes a segment's file and makes it durable, but not its name. O(events), O(n log n) of several chains.
  ///
  /// - Parameters:
  ///   - swaps: in any order.
  ///   - transfers: in any order.
  package static func write(
    _ file: any DiskFile, _ header: KeptHeader, _ swaps: ArraySlice<HeldSwap>, _ transfers: ArraySlice<HeldTransfer>,
    _ scratch: inout SegmentScratch
  ) throws(DiskFailure) -> KeptEntry {
    scratch.places.removeAll(keepingCapacity: true)
    scratch.order.places(swaps.lazy.map(\.row.key)) { scratch.places.append(swaps.startIndex + $0) }
    scratch.transfers.removeAll(keepingCapacity: true)
    scratch.order.places(transfers.lazy.map(\.key)) {
      scratch.transfers.append(transfers[transfers.startIndex + $0])
    }
    var footer = SegmentFooter()
    var writer = KeptWriter(file, header)
    let origin = Timestamp(microseconds: header.first)
    var group = 0
    func append(_ columns: GroupColumns, _ kind: EventKind) throws(DiskFailure) {
      for column in GroupColumn.all(kind) {
        try writer.append(
          kind: kind.rawValue, column: column.rawValue, group: group, columns.bytes[column] ?? [])
      }
      group += 1
    }
    for start in stride(from: 0, to: swaps.count, by: GroupHead.eventsMax) {
      let own = SwapsApart(swaps, scratch.places[start..<min(start + GroupHead.eventsMax, swaps.count)])
      footer.note(own.keys, .swap)
      footer.note(tokens: own.tokens)
      try append(GroupColumns(own, from: origin, &scratch.last), .swap)
    }
    footer.note(scratch.transfers.lazy.map(\.key), .transfer)
    for start in stride(from: 0, to: scratch.transfers.count, by: GroupHead.eventsMax) {
      let own = scratch.transfers[start..<min(start + GroupHead.eventsMax, scratch.transfers.count)]
      try append(GroupColumns(own, from: origin), .transfer)
    }
    var contents = ContentSum()
    contents.add(swaps, transfers)
    var entry = try writer.finish(footer.encoded)
    (entry.ranges, entry.contents) = (footer.ranges, contents.value)
    return entry
  }

  /// What all events add up to; every byte is checked on the way. O(events).
  static func contents(_ reader: KeptReader, _ scratch: inout SegmentScratch) throws(StorageFailure) -> UInt32 {
    var contents = ContentSum()
    try forEachGroup(reader, &scratch) { (group) in contents.add(group.swaps[...], group.transfers[...]) }
    return contents.value
  }

  /// Lends all events, group by group, with their memory, and checks every byte on the way: that they are all the last check tells, so what
  /// was lent is of no use where this throws. O(events).
  package static func forEachGroup(
    _ reader: KeptReader, _ scratch: inout SegmentScratch,
    _ body: (inout SegmentGroup) throws(StorageFailure) -> Void
  ) throws(StorageFailure) {
    let header = reader.header
    guard header.second == ChangedTimes.length, header.first % ChangedTimes.length == 0,
      Timestamp(microseconds: header.first).isInRange
    else { throw .damaged(file: reader.path, byte: 24, found: "another time", expected: "four hours of our time") }
    let widths = [GroupColumn.all(.swap).count, GroupColumn.all(.transfer).count]
    let swapGroups = try groups(reader, 0, .swap)
    let transferGroups = try groups(reader, 8, .transfer)
    guard reader.blockCount == swapGroups * widths[0] + transferGroups * widths[1] else {
      throw reader.damaged(reader.blockCount, "as many blocks as \(swapGroups) and \(transferGroups) groups have")
    }
    var (block, found) = (0, SegmentFooter())
    var before: OrderKey?
    for group in 0..<swapGroups + transferGroups {
      let kind: EventKind = group < swapGroups ? .swap : .transfer
      if group == swapGroups { before = nil }
      let first = block
      block += widths[Int(kind.rawValue)]
      try reader.withBlocks(
        first..<block, { (kind.rawValue, UInt8($0 - first), group) },
        { (bytes, payloads) throws(StorageFailure) in
          do throws(ColumnFault) {
            try read(bytes, payloads, kind, reader.header, &before, &scratch)
          } catch { throw reader.damaged(first, error.what) }
        })
      found.note(scratch.group)
      try body(&scratch.group)
    }
    guard found.encoded == reader.footer else {
      throw reader.damaged(reader.blockCount, "the footer of the events that are there")
    }
    try checkRanges(found, reader)
  }

  /// What a segment says of itself. O(chains + tokens).
  static func footer(_ reader: KeptReader) throws(StorageFailure) -> SegmentFooter {
    let footer: SegmentFooter
    do throws(ColumnFault) { footer = try SegmentFooter(reader.footer.span) } catch {
      throw reader.damaged(reader.blockCount, error.what)
    }
    try checkRanges(footer, reader)
    return footer
  }

  /// Refuses a segment of which the manifest says other blocks.
  private static func checkRanges(_ footer: SegmentFooter, _ reader: KeptReader) throws(StorageFailure) {
    guard reader.ranges.map({ $0 == footer.ranges }) ?? true else {
      throw reader.damaged(reader.blockCount, "the blocks that the manifest says")
    }
  }

  /// Lends the groups of one kind, and checks every byte of these. O(their bytes).
  static func forEachGroup(
    _ reader: KeptReader, _ kind: EventKind,
    _ body: (GroupReader, Span<UInt8>, (GroupColumn) -> Range<Int>) throws(ColumnFault) -> Void
  ) throws(StorageFailure) {
    let (swapWidth, width) = (GroupColumn.all(.swap).count, GroupColumn.all(kind).count)
    let before = kind == .swap ? 0 : try groups(reader, 0, .swap)
    let count = try groups(reader, kind == .swap ? 0 : 8, kind)
    guard before * swapWidth + count * width <= reader.blockCount else {
      throw reader.damaged(reader.blockCount, "as many blocks as \(count) groups have")
    }
    for group in before..<before + count {
      let first = before * swapWidth + (group - before) * width
      try reader.withBlocks(
        first..<first + width, { (kind.rawValue, UInt8($0 - first), group) },
        { (bytes, payloads) throws(StorageFailure) in
          do throws(ColumnFault) {
            let group = try GroupReader(bytes, payloads, kind, reader.header)
            try body(group, bytes) { payloads[Int($0.rawValue)] }
          } catch { throw reader.damaged(first, error.what) }
        })
    }
  }

  /// How many groups a kind has, by the footer's count of its events.
  private static func groups(_ reader: KeptReader, _ place: Int, _ kind: EventKind) throws(StorageFailure) -> Int {
    guard reader.footer.count >= SegmentFooter.headBytes else {
      throw reader.damaged(reader.blockCount, "the footer of a segment")
    }
    let count = reader.footer.span.word(place, UInt64.self)
    return Int(min(count / UInt64(GroupHead.eventsMax), 1 << 40)) + (count % UInt64(GroupHead.eventsMax) > 0 ? 1 : 0)
  }

  private static func read(
    _ bytes: Span<UInt8>, _ payloads: [Range<Int>], _ kind: EventKind, _ header: KeptHeader,
    _ before: inout OrderKey?, _ scratch: inout SegmentScratch
  ) throws(ColumnFault) {
    func payload(_ column: GroupColumn) -> Range<Int> { payloads[Int(column.rawValue)] }
    let group = try GroupReader(bytes, payloads, kind, header)
    scratch.group.transfers.removeAll(keepingCapacity: true)
    if kind == .swap {
      try group.swaps(bytes, payload, &scratch.byToken, into: &scratch.group)
      try check(scratch.group.keys, after: before, header)
      before = scratch.group.keys.last
    } else {
      scratch.group.removeSwaps()
      try group.transfers(bytes, payload, into: &scratch.group.transfers)
      try check(scratch.group.transfers.lazy.map(\.key), after: before, header)
      before = scratch.group.transfers.last?.key
    }
  }

  /// The events of one group alone: for what is left of a damaged file. O(events).
  ///
  /// - Parameter before: the last event before them of their kind, then the last one of them.
  static func events(
    _ reader: KeptReader, _ blocks: Range<Int>, _ kind: EventKind, group: Int, after before: inout OrderKey?,
    _ scratch: inout SegmentScratch
  ) throws(StorageFailure) -> SegmentGroup {
    var last = before
    try reader.withBlocks(
      blocks, { (kind.rawValue, UInt8($0 - blocks.lowerBound), group) },
      { (bytes, payloads) throws(StorageFailure) in
        do throws(ColumnFault) {
          try read(bytes, payloads, kind, reader.header, &last, &scratch)
        } catch { throw reader.damaged(blocks.lowerBound, error.what) }
      })
    before = last
    return scratch.group
  }

  /// Refuses events that do not ascend, or lie in another time.
  private static func check(
    _ keys: some Sequence<OrderKey>, after before: OrderKey?, _ header: KeptHeader
  ) throws(ColumnFault) {
    var last = before
    for key in keys {
      let (offset, isPast) = key.timestamp.microseconds.subtractingReportingOverflow(header.first)
      guard last.map({ $0.precedes(key) }) ?? true, !isPast, offset >= 0, offset < header.second else {
        throw ColumnFault(what: "events of its time, each behind the one before")
      }
      last = key
    }
  }
}

extension GroupReader {
  /// Reads a group's head.
  fileprivate init(
    _ bytes: Span<UInt8>, _ payloads: [Range<Int>], _ kind: EventKind, _ header: KeptHeader
  ) throws(ColumnFault) {
    self.init(
      try GroupHead(bytes.extracting(payloads[Int(GroupColumn.head.rawValue)])),
      from: Timestamp(microseconds: header.first))
    guard head.kind == kind else { throw ColumnFault(what: "the head of such a group") }
  }
}

extension OrderKey {
  /// The order of events in a segment: by chain, block and log index.
  @inline(__always)
  func precedes(_ other: OrderKey) -> Bool {
    if chain != other.chain { return chain < other.chain }
    return block != other.block ? block < other.block : logIndex < other.logIndex
  }
}
