// What a record of the journal does to an engine.
// Invariant: the same live and in replay.
// Not here: the records' bytes (JournalRecord), when they are taken (LedgerStages, Restored).

package import Continuo

extension Engine {
  /// Takes the step that a record is; what the engine refuses it refused then too.
  package mutating func replay(_ record: JournalRecord) { _ = take(record) }

  /// Takes steps that are one: readers see all of them or none. Each by itself changes what it changes in replay too.
  mutating func take(whole records: [JournalRecord]) -> LedgerOutcome {
    if records.count == 1 { return take(records[0]) }
    holdVersions()
    defer { showVersions() }
    var (receipts, other): ([Receipt], LedgerOutcome?) = ([], nil)
    for record in records {
      switch take(record) {
      case .taken(let receipt): receipts.append(receipt)
      case let outcome: other = other ?? outcome
      }
    }
    return other ?? .takenWhole(receipts)
  }

  /// Takes the step that a record is; a cut of the tail changes nothing. The same live and in replay.
  mutating func take(_ record: JournalRecord) -> LedgerOutcome {
    do throws(Refusal) {
      switch record {
      case .batch(let batch, let bounds): return .taken(try apply(batch, bounds))
      case .input(let batch, let bounds, let position): return .taken(try apply(batch, bounds, at: position))
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
