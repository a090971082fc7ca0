// What a frame holds: records, each a step that the engine takes.
// Invariant: taking the records of a journal in their order gives the same engine; bytes that are no record never trap.
// Not here: frames (JournalFormat), a batch's bytes (BatchPacker).
// Format: docs/format/journal.md, "Record".

package import Continuo
internal import ContinuoBytes

/// One step of the engine, as the journal keeps it.
package enum JournalRecord: Sendable {
  /// A batch, and what it was judged by.
  case batch(EventBatch, BatchBounds)
  /// The same, and how far its source is.
  case input(EventBatch, BatchBounds, InputPosition)
  /// The same, of a batch that is one with those behind it in its frame, up to the next ``input(_:_:_:)``, which has the same position.
  case part(EventBatch, BatchBounds, InputPosition)
  case rollback(chain: UInt32, block: UInt64)
  case retract(EventIdentity)
  case moveHorizon(RetentionPolicy)
  /// So many bytes of a torn tail were cut here.
  case cut(bytes: Int64)

  enum Kind: UInt8 {
    case batch = 1
    case rollback = 2
    case retract = 3
    case moveHorizon = 4
    case cut = 5
    case input = 6
    case part = 7
  }

  /// How long what stands before a record's bytes is: kind, three zeros, length.
  static let headBytes = 8

  // MARK: writing

  /// Adds the record to a frame's payload. O(rows).
  package func append(to payload: inout [UInt8], _ packer: inout BatchPacker) {
    switch self {
    case .batch(let batch, let bounds):
      let start = Self.begin(.batch, &payload)
      Self.append(batch, bounds, to: &payload, &packer)
      Self.end(start, &payload)
    case .input(let batch, let bounds, let position), .part(let batch, let bounds, let position):
      let start = Self.begin(isPart ? .part : .input, &payload)
      position.append(to: &payload)
      Self.append(batch, bounds, to: &payload, &packer)
      Self.end(start, &payload)
    case .rollback(let chain, let block):
      let start = Self.begin(.rollback, &payload)
      payload.appendWord(chain)
      payload.appendWord(block)
      Self.end(start, &payload)
    case .retract(let identity):
      let start = Self.begin(.retract, &payload)
      payload.append(identity.kind == .swap ? 0 : 1)
      payload.appendWord(identity.chain)
      payload.appendWord(identity.block)
      payload.appendWord(identity.logIndex)
      Self.end(start, &payload)
    case .moveHorizon(let policy):
      let start = Self.begin(.moveHorizon, &payload)
      for length in policy.lengths { payload.appendWord(length) }
      Self.end(start, &payload)
    case .cut(let bytes):
      let start = Self.begin(.cut, &payload)
      payload.appendWord(bytes)
      Self.end(start, &payload)
    }
  }

  private static func append(
    _ batch: EventBatch, _ bounds: BatchBounds, to payload: inout [UInt8], _ packer: inout BatchPacker
  ) {
    payload.appendWord(bounds.latest?.microseconds ?? .min)
    payload.appendWord(UInt32(clamping: bounds.tokensMax))
    payload.appendWord(UInt32(clamping: bounds.addressesMax))
    packer.pack(batch, into: &payload)
  }

  /// Whether what follows it is one with it.
  var isPart: Bool {
    if case .part = self { true } else { false }
  }

  /// The batch of a step that is one.
  var batch: EventBatch? {
    switch self {
    case .batch(let batch, _), .input(let batch, _, _), .part(let batch, _, _): batch
    case .rollback, .retract, .moveHorizon, .cut: nil
    }
  }

  /// How many rows a step has: 1 where it is no batch.
  var rows: Int { batch?.rows.count ?? 1 }

  /// What a step weighs while it waits: rows that were rejected already are held too.
  var weight: Int { max(1, batch?.offered ?? 1) }

  /// Begins a record; its length is still to be written.
  private static func begin(_ kind: Kind, _ payload: inout [UInt8]) -> Int {
    payload.append(contentsOf: [kind.rawValue, 0, 0, 0, 0, 0, 0, 0])
    return payload.count
  }

  private static func end(_ start: Int, _ payload: inout [UInt8]) {
    payload.put(UInt32(payload.count - start), at: start - 4)
  }

  // MARK: reading

  /// Lends the records of a payload, in order. O(bytes).
  ///
  /// - Throws: ``JournalRecordFault`` where bytes are no records, or what `body` throws.
  package static func forEach(in payload: Span<UInt8>, _ body: (JournalRecord) throws -> Void) throws {
    // What is one is whole: a frame ends behind it, and nothing stands between.
    var open: InputPosition?
    func isIn(_ record: JournalRecord) -> Bool {
      switch record {
      case .part(_, _, let position): open == nil || open == position
      case .input(_, _, let position): open == nil || open == position
      case .batch, .rollback, .retract, .moveHorizon, .cut: open == nil
      }
    }
    try forEachKind(in: payload) { kind, bytes in
      let record = try JournalRecord(kind, bytes)
      guard isIn(record) else { throw PackedBatchFault(what: "the other parts of a step") }
      if case .part(_, _, let position) = record { open = position } else { open = nil }
      try body(record)
    }
    if open != nil { throw JournalRecordFault(what: "the end of a step", place: payload.count) }
  }

  /// Lends the bytes of each record of a payload, in order. O(records).
  ///
  /// - Throws: ``JournalRecordFault`` where bytes are no records, also by a `PackedBatchFault` of `body`, or what else that
  ///   throws.
  static func forEachKind(in payload: Span<UInt8>, _ body: (Kind, Span<UInt8>) throws -> Void) throws {
    var place = 0
    while place < payload.count {
      guard payload.count - place >= headBytes, let kind = Kind(rawValue: payload[place]) else {
        throw JournalRecordFault(what: "the head of a record of a known kind", place: place)
      }
      let length = Int(payload.word(place + 4, UInt32.self))
      guard length <= payload.count - place - headBytes,
        payload[place + 1] | payload[place + 2] | payload[place + 3] == 0
      else { throw JournalRecordFault(what: "a record that ends within its frame", place: place) }
      let bytes = payload.extracting(place + headBytes..<place + headBytes + length)
      do { try body(kind, bytes) } catch let fault as PackedBatchFault {
        throw JournalRecordFault(what: fault.what, place: place)
      }
      place += headBytes + length
    }
  }

  /// What a batch was judged by, where its source is then, and where its packed rows begin.
  static func batch(
    _ kind: Kind, _ bytes: Span<UInt8>
  ) throws(PackedBatchFault) -> (bounds: BatchBounds, position: InputPosition?, rows: Int) {
    var (position, start): (InputPosition?, Int) = (nil, 0)
    if kind == .input || kind == .part {
      guard let own = InputPosition(bytes, at: 0) else {
        throw PackedBatchFault(what: "a source with a name, and its position")
      }
      (position, start) = (own, own.encodedBytes)
    }
    guard bytes.count >= start + 16 else { throw PackedBatchFault(what: "16 bytes of a record") }
    let latest = bytes.word(start, Int64.self)
    let bounds = BatchBounds(
      latest: latest == .min ? nil : Timestamp(microseconds: latest),
      tokensMax: Int(bytes.word(start + 8, UInt32.self)), addressesMax: Int(bytes.word(start + 12, UInt32.self)))
    return (bounds, position, start + 16)
  }

  init(_ kind: Kind, _ bytes: Span<UInt8>) throws(PackedBatchFault) {
    func expect(_ count: Int) throws(PackedBatchFault) {
      guard bytes.count == count else { throw PackedBatchFault(what: "\(count) bytes of a record") }
    }
    switch kind {
    case .batch, .input, .part:
      let (bounds, position, start) = try Self.batch(kind, bytes)
      let batch = try EventBatch.unpacked(bytes.extracting(start...))
      self =
        position.map { kind == .part ? .part(batch, bounds, $0) : .input(batch, bounds, $0) } ?? .batch(batch, bounds)
    case .rollback:
      try expect(12)
      self = .rollback(chain: bytes.word(0, UInt32.self), block: bytes.word(4, UInt64.self))
    case .retract:
      try expect(17)
      guard bytes[0] <= 1 else { throw PackedBatchFault(what: "a swap or a transfer") }
      self = .retract(
        EventIdentity(
          kind: bytes[0] == 0 ? .swap : .transfer, chain: bytes.word(1, UInt32.self), block: bytes.word(5, UInt64.self),
          logIndex: bytes.word(13, UInt32.self)))
    case .moveHorizon:
      try expect(64)
      let lengths = (0..<8).map { bytes.word($0 * 8, Int64.self) }
      guard let policy = RetentionPolicy(lengths: lengths) else { throw PackedBatchFault(what: "lengths over zero") }
      self = .moveHorizon(policy)
    case .cut:
      try expect(8)
      let count = bytes.word(0, Int64.self)
      // No file is longer than what a frame's length can say.
      guard count > 0, count <= Int64(UInt32.max) + 2 * Int64(JournalFormat.blockBytes) else {
        throw PackedBatchFault(what: "a number of bytes")
      }
      self = .cut(bytes: count)
    }
  }
}

/// Why a frame's payload is no list of records.
package struct JournalRecordFault: Error, Equatable {
  /// What was expected and not found.
  package var what: String
  /// Where in the payload.
  package var place: Int
}
