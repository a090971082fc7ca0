// What a record of the journal does to an engine.
// Invariant: the same live and in replay.
// Not here: the records' bytes (JournalRecord), when they are taken (LedgerStages, FrameReplay).

package import Continuo

extension Engine {
  /// Takes the step that a record is; what the engine refuses it refused then too.
  package mutating func replay(_ record: JournalRecord) { _ = take(record) }

  /// Takes steps that are one: all of them or none, and readers see all of them or none.
  mutating func take(whole records: [JournalRecord]) -> LedgerOutcome {
    if records.count == 1 { return take(records[0]) }
    guard case .input(_, let bounds, let position)? = records.last else { return .takenWhole([]) }
    do throws(Refusal) {
      if let refusal = inputs.refusal(of: position) { throw refusal }
      try checkNames(whole: records.compactMap(\.batch), bounds)
    } catch {
      return .refused(error)
    }
    holdVersions()
    defer { showVersions() }
    var receipts: [Receipt] = []
    for record in records {
      // Each is within the limits that all of them are within.
      guard case .taken(let receipt) = take(record) else { continue }
      receipts.append(receipt)
    }
    return .takenWhole(receipts)
  }

  /// Takes the step that a record is; a cut of the tail changes nothing.
  mutating func take(_ record: JournalRecord) -> LedgerOutcome {
    do throws(Refusal) {
      switch record {
      case .batch(let batch, let bounds): return .taken(try apply(batch, bounds))
      case .input(let batch, let bounds, let position), .part(let batch, let bounds, let position):
        return .taken(try apply(batch, bounds, at: position))
      case .rollback(let chain, let block): return .undone(try rollback(chain: chain, above: block))
      case .retract(let identity): return .undone(retract(identity) ? 1 : 0)
      case .moveHorizon(let policy): return .undone(moveHorizon(policy))
      case .cut: return .undone(0)
      }
    } catch {
      return .refused(error)
    }
  }
}
