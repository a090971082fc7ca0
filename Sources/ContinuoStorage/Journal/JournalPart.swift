// So much of a journal as decides what becomes of the swaps of some tokens.
// Invariant: an engine that takes these records behind the kept files ends with the same swaps of these tokens as one that takes
// all of them, and with the same newest event if it ends with the one that is said.
// Not here: reading frames (JournalReader), which kept events matter (KeptSelection).

internal import Continuo

/// The records of a journal, without the rows that do not matter to some tokens.
///
/// What becomes of a swap depends on the events of its identity, on what undoes it, on its own time, and on how many names there
/// are. So what stays of a batch are the swaps of the tokens and retractions; and of all others the newest event, in its place,
/// for the time of that is all that they change besides.
struct JournalPart {
  /// Where the newest event stands that is of no wanted token.
  private struct Place {
    var mark: IdentityMark
    /// Which record has its batch, and which row it is there.
    var record: Int
    var row: Int
  }

  private(set) var records: [JournalRecord] = []
  /// The time of the newest event, if that is taken; nil where there is none.
  private(set) var newest: Timestamp?
  /// What was taken.
  private(set) var restored = Restored()
  /// The tokens of all batches: there are no more new ones than these.
  private(set) var tokens = PartTokens()
  /// The least bounds of names that a batch was judged by.
  private(set) var tokensMax = Limits.tokensMax
  private(set) var addressesMax = Limits.addressesMax
  /// Whether all records are needed: a swap that was left out has the identity of one that stays, or a step looks at everything.
  private(set) var needsAll = false

  private let wanted: Set<ByteString>
  private let packed: [PackedName]
  private let horizon: Timestamp?
  private var inputs: InputPositions
  /// The identities of events that stay, and of all others.
  private var own: [IdentityMark] = []
  private var others: [IdentityMark] = []
  private var place: Place?

  /// - Parameters:
  ///   - tokens: those whose swaps matter.
  ///   - marks: of what stands before the first record.
  init(_ tokens: [ByteString], behind marks: EngineMarks) {
    wanted = Set(tokens)
    packed = tokens.compactMap { PackedName($0.bytes.span) }
    (horizon, newest, inputs) = (marks.horizon, marks.newest, marks.inputs)
  }

  /// Nothing more is taken: all records are needed. O(1).
  mutating func giveUp() { needsAll = true }

  /// Takes the records of the next frame. O(rows).
  mutating func take(_ payload: Span<UInt8>) throws {
    try JournalRecord.forEachKind(in: payload) { kind, bytes in
      switch kind {
      case .batch, .input, .part:
        let (bounds, position, start) = try JournalRecord.batch(kind, bytes)
        try take(bytes.extracting(start...), bounds, position)
      case .rollback, .retract, .moveHorizon, .cut:
        let record = try JournalRecord(kind, bytes)
        restored.note(record)
        if kind == .moveHorizon { needsAll = true } else { records.append(record) }
      }
    }
  }

  private mutating func take(
    _ packed: Span<UInt8>, _ bounds: BatchBounds, _ position: InputPosition?
  ) throws(PackedBatchFault) {
    // Of a batch that is refused for its position nothing is taken.
    let isRefused = position.map { inputs.refusal(of: $0) != nil } ?? false
    if let position, !isRefused { inputs.advance(to: position) }
    var chosen: [Int] = []
    var newestHere: (before: Int, index: Int, mark: IdentityMark)?
    var isPlaceOver = false
    // Not by a method: that would hold a copy of all of this, and what is added to next would be copied.
    let (wanted, short) = (wanted, self.packed)
    var tokens = PartTokens()
    swap(&tokens, &self.tokens)
    func isWanted(_ name: PackedName, _ batch: borrowing EventBatch) -> Bool {
      tokens.note(name)
      return name.isLong ? wanted.contains(batch.bytes(of: name)) : short.contains(name)
    }
    let count = try EventBatch.forEachBrief(packed, isWanted: isWanted) { index, row, isWanted in
      guard !isRefused else { return }
      switch row.operation {
      case .retractSwap, .retractTransfer: chosen.append(index)
      case .markIncomplete: break
      case .swap, .transfer:
        let isOwn = isWanted && row.operation == .swap
        let time = row.key.timestamp
        let mark = IdentityMark(row.key, row.operation == .swap ? .swap : .transfer)
        if newest.map({ $0 < time }) ?? true, time.fault(latest: bounds.latest, horizon: horizon) == nil {
          newest = time
          newestHere = isOwn ? nil : (chosen.count, index, mark)
          isPlaceOver = true
        }
        if isOwn {
          chosen.append(index)
          own.append(mark)
        } else {
          others.append(mark)
        }
      }
    }
    swap(&tokens, &self.tokens)
    restored.note(rows: count)
    guard !isRefused else { return }
    tokensMax = min(tokensMax, bounds.tokensMax)
    addressesMax = min(addressesMax, bounds.addressesMax)
    if isPlaceOver, let over = place {
      if case .batch(var batch, let bounds) = records[over.record] {
        batch.rows.remove(at: over.row)
        records[over.record] = .batch(batch, bounds)
      }
      place = nil
    }
    if let newestHere {
      chosen.insert(newestHere.index, at: newestHere.before)
      place = Place(mark: newestHere.mark, record: records.count, row: newestHere.before)
    }
    if !chosen.isEmpty { records.append(.batch(try EventBatch.unpacked(packed, chosen), bounds)) }
  }

  /// Ends the journal. O(rows).
  mutating func finish() {
    if IdentityMark.haveCommon(own, others) { needsAll = true }
    // Of two with the identity of the newest one that may be the one that is rejected.
    if let place, others.count(where: { $0 == place.mark }) > 1 { needsAll = true }
    others = []
  }
}

/// How many tokens some batches have: short names once, long ones once a batch.
struct PartTokens {
  private struct Short: Hashable {
    let first, second, third: UInt64
  }

  private var short: Set<Short> = []
  private var long = 0

  var count: Int { short.count + long }

  /// Notes a token of a batch. O(1).
  mutating func note(_ name: PackedName) {
    if name.isLong {
      long += 1
    } else {
      short.insert(Short(first: name.first, second: name.second, third: name.third))
    }
  }
}

/// What two events with the same identity have in common, and hardly any others: where others have, more is read than needs be.
private struct IdentityMark: Hashable {
  private let word: UInt64

  /// Source of the mixing: S. Vigna, SplitMix64 (public domain), twice.
  @inline(__always)
  init(_ key: OrderKey, _ kind: EventKind) {
    let place = UInt64(key.chain) << 32 | UInt64(key.logIndex)
    word = Self.mixed(Self.mixed(place &+ UInt64(kind.rawValue) &* 0x9E37_79B9_7F4A_7C15) ^ key.block)
  }

  @inline(__always)
  private static func mixed(_ word: UInt64) -> UInt64 {
    let first = (word ^ word &>> 30) &* 0xBF58_476D_1CE4_E5B9
    let second = (first ^ first &>> 27) &* 0x94D0_49BB_1331_11EB
    return second ^ second &>> 31
  }

  /// Whether any mark is among both. O(marks).
  static func haveCommon(_ few: [IdentityMark], _ many: [IdentityMark]) -> Bool {
    guard !few.isEmpty, !many.isEmpty else { return false }
    // A bit for each of the few: nearly all others are told by it alone.
    var bits = [UInt64](repeating: 0, count: 1 << 14)
    for mark in few { bits[mark.place] |= mark.bit }
    let own = Set(few)
    for mark in many where bits[mark.place] & mark.bit != 0 {
      if own.contains(mark) { return true }
    }
    return false
  }

  @inline(__always)
  private var place: Int { Int(truncatingIfNeeded: word &>> 6) & (1 << 14 - 1) }
  @inline(__always)
  private var bit: UInt64 { 1 &<< (word & 63) }
}
