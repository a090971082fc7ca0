// Segments in their files: events into columns and blocks, and out of them again with everything checked.
// Invariant: a file is written once, and is on the disk before anybody names it; events that are read ascend, lie in the
// segment's time, and are as many as its footer says.
// Not here: the bytes (SegmentFormat, SegmentColumns), which segments there are (Manifest).

package import Continuo
internal import ContinuoBytes

/// What the manifest says of a segment.
package struct SegmentEntry: Equatable {
  var number: UInt32
  /// The checksum of its footer: of another day's file it is another one.
  var checksum: UInt32
  var start: Timestamp
  var length: Int64
  /// How long the file is.
  package var bytes: Int64
}

/// The events of one segment.
package struct SegmentEvents: Equatable {
  package var swaps: [HeldSwap] = []
  package var transfers: [HeldTransfer] = []

  package init() {}
}

package enum SegmentWriter {
  /// Writes a segment's file and makes it durable, but not its name. O(n log n).
  package static func write(
    _ file: any DiskFile, _ header: SegmentHeader, _ events: consuming SegmentEvents, _ last: inout LastPrices
  ) throws(DiskFailure) -> SegmentEntry {
    events.swaps.sort { $0.key.precedes($1.key) }
    events.transfers.sort { $0.key.precedes($1.key) }
    var footer = SegmentFooter()
    footer.note(events.swaps.lazy.map(\.key), .swap)
    footer.note(events.transfers.lazy.map(\.key), .transfer)
    var writer = BlockWriter(file: file, header: header, bytes: header.encoded)
    var group = 0
    for start in stride(from: 0, to: events.swaps.count, by: GroupHead.eventsMax) {
      let swaps = events.swaps[start..<min(start + GroupHead.eventsMax, events.swaps.count)]
      try writer.append(GroupColumns(swaps, from: header.start, &last), .swap, group, &footer)
      group += 1
    }
    for start in stride(from: 0, to: events.transfers.count, by: GroupHead.eventsMax) {
      let transfers = events.transfers[start..<min(start + GroupHead.eventsMax, events.transfers.count)]
      try writer.append(GroupColumns(transfers, from: header.start), .transfer, group, &footer)
      group += 1
    }
    return try writer.finish(footer)
  }
}

private struct BlockWriter {
  let file: any DiskFile
  let header: SegmentHeader
  /// What is not written yet, and where it begins.
  var bytes: [UInt8]
  var start: Int64 = 0

  mutating func append(
    _ columns: GroupColumns, _ kind: EventKind, _ group: Int, _ footer: inout SegmentFooter
  ) throws(DiskFailure) {
    for column in GroupColumn.all(kind) {
      footer.blocks.append(UInt64(start) + UInt64(bytes.count))
      _ = SegmentBlock.append(
        kind: kind.rawValue, column: column.rawValue, group: group, columns.bytes[column] ?? [], to: &bytes,
        startingAt: start, of: header)
    }
    try flush()
  }

  private mutating func flush() throws(DiskFailure) {
    try file.write(bytes.span, at: start)
    start += Int64(bytes.count)
    bytes.removeAll(keepingCapacity: true)
  }

  mutating func finish(_ footer: SegmentFooter) throws(DiskFailure) -> SegmentEntry {
    let place = start + Int64(bytes.count)
    let checksum = SegmentBlock.append(
      kind: SegmentBlock.footerKind, column: 0, group: 0, footer.encoded, to: &bytes, startingAt: start, of: header)
    bytes.appendWord(place)
    bytes.appendWord(checksum)
    bytes.appendWord(SegmentFooter.trailerMagic)
    try flush()
    try file.sync()
    return SegmentEntry(
      number: header.number, checksum: checksum, start: header.start, length: header.length, bytes: start)
  }
}

/// A segment that is read.
package struct SegmentReader {
  let path: String
  let header: SegmentHeader
  let footer: SegmentFooter
  private let file: any DiskFile
  private let footerPlace: Int64

  /// Opens a segment and checks its length, header and footer. O(groups).
  package init(_ file: any DiskFile, path: String, _ expected: SegmentHeader, _ entry: SegmentEntry) throws(StorageFailure) {
    (self.file, self.path) = (file, path)
    func damaged(_ byte: Int64, _ found: String, _ expected: String) -> StorageFailure {
      .damaged(file: path, byte: byte, found: found, expected: expected)
    }
    let length = try onDisk { () throws(DiskFailure) in try file.bytes() }
    guard length == entry.bytes else {
      throw damaged(min(length, entry.bytes), "\(length) bytes", "\(entry.bytes), as the manifest says")
    }
    let head = try Self.bytes(file, 0, SegmentHeader.bytes)
    do throws(JournalFault) { header = try SegmentHeader(head.span) } catch {
      throw error.failure(path, expected: "the sound header of a segment")
    }
    guard header == expected else { throw damaged(0, "the header of another segment", "that of \(expected.number)") }
    let end = length - Int64(SegmentFooter.trailerBytes)
    let trailer = try Self.bytes(file, max(0, end), SegmentFooter.trailerBytes)
    footerPlace = trailer.span.word(0, Int64.self)
    guard trailer.span.word(12, UInt32.self) == SegmentFooter.trailerMagic, footerPlace >= SegmentHeader.bytes,
      footerPlace < end, trailer.span.word(8, UInt32.self) == entry.checksum
    else { throw damaged(end, "other bytes", "where the segment's footer is") }
    let bytes = try Self.bytes(file, footerPlace, Int(end - footerPlace))
    guard let block = SegmentBlock(bytes.span, at: 0, startingAt: footerPlace, of: header),
      block.kind == SegmentBlock.footerKind, block.column == 0, block.group == 0, block.checksum == entry.checksum,
      SegmentBlock.bytes(Int(block.payloadBytes)) == bytes.count,
      let footer = SegmentFooter(
        bytes.span.extracting(SegmentBlock.headBytes..<SegmentBlock.headBytes + Int(block.payloadBytes)))
    else { throw damaged(footerPlace, "other bytes", "the sound footer of a segment") }
    self.footer = footer
  }

  private static func bytes(_ file: any DiskFile, _ place: Int64, _ count: Int) throws(StorageFailure) -> [UInt8] {
    var bytes: [UInt8] = []
    try onDisk { () throws(DiskFailure) in try file.read(count, at: place, into: &bytes) }
    bytes.pad(to: count)
    return bytes
  }

  /// Reads all events, and checks every byte on the way. O(events).
  package func events(_ last: inout LastPrices) throws(StorageFailure) -> SegmentEvents {
    var events = SegmentEvents()
    events.swaps.reserveCapacity(Int(min(footer.swaps, 1 << 24)))
    let bytes = try Self.bytes(file, 0, Int(footerPlace))
    var (place, next, group) = (SegmentHeader.bytes, 0, 0)
    while place < bytes.count {
      try readGroup(bytes.span, &place, &next, group, &events, &last)
      group += 1
    }
    var found = SegmentFooter()
    found.note(events.swaps.lazy.map(\.key), .swap)
    found.note(events.transfers.lazy.map(\.key), .transfer)
    found.blocks = footer.blocks
    guard found == footer, next == footer.blocks.count else {
      throw damaged(Int(footerPlace), "a footer of other events", "that of the events that are there")
    }
    return events
  }

  private func damaged(_ byte: Int, _ found: String, _ expected: String) -> StorageFailure {
    .damaged(file: path, byte: Int64(byte), found: found, expected: expected)
  }

  private func readGroup(
    _ bytes: Span<UInt8>, _ place: inout Int, _ next: inout Int, _ group: Int, _ events: inout SegmentEvents,
    _ last: inout LastPrices
  ) throws(StorageFailure) {
    let start = place
    guard let kind = EventKind(rawValue: bytes[place]) else {
      throw damaged(place, "other bytes", "a column of swaps or transfers")
    }
    var payloads: [GroupColumn: Range<Int>] = [:]
    for column in GroupColumn.all(kind) {
      guard let block = SegmentBlock(bytes, at: place, startingAt: 0, of: header), block.kind == kind.rawValue,
        block.column == column.rawValue, Int(block.group) == group & 0xFFFF, next < footer.blocks.count,
        footer.blocks[next] == UInt64(place)
      else { throw damaged(place, "other bytes", "column \(column) of group \(group), sound") }
      payloads[column] =
        place + SegmentBlock.headBytes..<place + SegmentBlock.headBytes + Int(block.payloadBytes)
      place += SegmentBlock.bytes(Int(block.payloadBytes))
      next += 1
    }
    do throws(ColumnFault) {
      func payload(_ column: GroupColumn) -> Range<Int> { payloads[column] ?? 0..<0 }
      let reader = GroupReader(try GroupHead(bytes.extracting(payload(.head))), from: header.start)
      guard reader.head.kind == kind else { throw ColumnFault(what: "the head of such a group") }
      if kind == .swap {
        let swaps = try reader.swaps(bytes, payload, &last)
        try check(swaps.lazy.map(\.key), after: events.swaps.last?.key)
        events.swaps += swaps
      } else {
        let transfers = try reader.transfers(bytes, payload)
        try check(transfers.lazy.map(\.key), after: events.transfers.last?.key)
        events.transfers += transfers
      }
    } catch {
      throw damaged(start, "a group with right checksums", error.what)
    }
  }

  /// Refuses events that do not ascend, or lie in another time.
  private func check(_ keys: some Sequence<OrderKey>, after before: OrderKey?) throws(ColumnFault) {
    var last = before
    for key in keys {
      let offset = key.timestamp.microseconds.subtractingReportingOverflow(header.start.microseconds)
      guard last.map({ $0.precedes(key) }) ?? true, !offset.overflow, offset.partialValue >= 0,
        offset.partialValue < header.length
      else { throw ColumnFault(what: "events of its time, each behind the one before") }
      last = key
    }
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
