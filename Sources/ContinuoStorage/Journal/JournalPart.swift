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
  /// Where an event stood among the records.
  private struct Place {
    var event: EventBatch
    var bounds: BatchBounds
    /// Which record has its batch, and before which row of what is left of that; nil where nothing is left.
    var record: Int
    var row: Int?
  }

  private(set) var records: [JournalRecord] = []
  /// The time of the newest event, if that is taken; nil where there is none.
  private(set) var newest: Timestamp?
  private(set) var rows = 0
  /// The least bounds of names that a batch was judged by.
  private(set) var tokensMax = Limits.tokensMax
  private(set) var addressesMax = Limits.addressesMax
  /// Whether all records are needed: a swap that was left out has the identity of one that stays, or a step looks at everything.
  private(set) var needsAll = false

  private let wanted: Set<ByteString>
  private let packed: [PackedName]
  private let horizon: Timestamp?
  private var inputs: InputPositions
  private var own: [OrderKey] = []
  private var others: [[OrderKey]] = [[], []]
  private var place: Place?

  /// - Parameters:
  ///   - tokens: those whose swaps matter.
  ///   - marks: of what stands before the first record.
  init(_ tokens: [ByteString], behind marks: EngineMarks) {
    wanted = Set(tokens)
    packed = tokens.compactMap { PackedName($0.bytes.span) }
    (horizon, newest, inputs) = (marks.horizon, marks.newest, marks.inputs)
  }

  /// Takes the next record. O(rows).
  mutating func take(_ record: JournalRecord) {
    rows += record.rows
    // Of a batch that is refused for its position nothing is taken.
    if case .input(_, _, let position) = record {
      if inputs.refusal(of: position) != nil { return }
      inputs.advance(to: position)
    }
    switch record {
    case .batch(let batch, let bounds), .input(let batch, let bounds, _):
      tokensMax = min(tokensMax, bounds.tokensMax)
      addressesMax = min(addressesMax, bounds.addressesMax)
      let part = part(of: batch, bounds)
      if !part.rows.isEmpty { records.append(.batch(part, bounds)) }
    case .rollback, .retract, .cut: records.append(record)
    case .moveHorizon: needsAll = true
    }
  }

  private mutating func part(of batch: EventBatch, _ bounds: BatchBounds) -> EventBatch {
    var part = EventBatch(price: batch.price)
    var newestHere: (index: Int, before: Int)?
    for index in batch.rows.indices {
      let operation = batch.rows[index].operation
      switch operation {
      case .retractSwap, .retractTransfer: part.rows.append(batch.rows[index])
      case .markIncomplete: break
      case .swap, .transfer:
        let isWanted = operation == .swap && isWanted(batch.rows[index].token, batch)
        let time = batch.rows[index].timestamp
        if newest.map({ $0 < time }) ?? true, time.fault(latest: bounds.latest, horizon: horizon) == nil {
          newest = time
          newestHere = isWanted ? nil : (index, part.rows.count)
          place = nil
        }
        if isWanted {
          part.rows.append(batch.rows[index])
          own.append(batch.rows[index].key)
        } else {
          others[operation == .swap ? 0 : 1].append(batch.rows[index].key)
        }
      }
    }
    (part.text, part.tokenIDs) = (batch.text, batch.tokenIDs)
    if let newestHere {
      var event = EventBatch(price: batch.price)
      (event.text, event.tokenIDs, event.rows) = (batch.text, batch.tokenIDs, [batch.rows[newestHere.index]])
      place = Place(
        event: event, bounds: bounds, record: records.count, row: part.rows.isEmpty ? nil : newestHere.before)
    }
    return part
  }

  private func isWanted(_ name: PackedName, _ batch: borrowing EventBatch) -> Bool {
    name.isLong ? wanted.contains(batch.bytes(of: name)) : packed.contains(name)
  }

  /// Ends the journal. O(rows × log n).
  mutating func finish() {
    own.sort { $0.precedes($1) }
    if others[0].contains(where: own.containsIdentity) { needsAll = true }
    if let place {
      // Of two with its identity it may be the one that is rejected.
      let event = place.event.rows[0]
      let same = others[event.operation == .swap ? 0 : 1].filter { [event.key].containsIdentity($0) }
      if same.count > 1 { needsAll = true }
      if let row = place.row, case .batch(var batch, let bounds) = records[place.record] {
        batch.rows.insert(event, at: row)
        records[place.record] = .batch(batch, bounds)
      } else {
        records.insert(.batch(place.event, place.bounds), at: place.record)
      }
    }
    others = [[], []]
  }
}

extension [OrderKey] {
  /// Whether an identity is among some that ascend. O(log n).
  fileprivate func containsIdentity(_ key: OrderKey) -> Bool {
    let index = firstIndex(notBefore: key)
    return index < count && !key.precedes(self[index])
  }
}
