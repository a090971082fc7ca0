// The model: what an engine must hold, as the plain events that stand. Slow and obvious; it is the judge.
// Invariant: `held` lie at or above the horizon, `dropped` below it; together they are the events that stand.
// Not here: answers (ModelAnswers), judging content (ModelJudgement), CSV (ModelAnswers+CSV).

package import Continuo

/// An event that stands.
package struct StandingEvent: Equatable, Sendable {
  package var identity: EventIdentity
  package var content: StoredContent
}

/// One step of a batch, as a test writes it.
package enum MarketRow: Equatable, Sendable {
  case swap(Swap)
  case transfer(Transfer)
  case retract(EventIdentity)
  /// A transfer whose amount is a text past the range: rejected as `overflow`, if nothing comes before that.
  case overflowing(Transfer)
}

/// A rejected row, as far as the model knows: where and why.
package struct ModelRejection: Equatable, Sendable {
  package var line: Int
  package var reason: RejectionReason
}

/// What became of a batch.
package struct ModelReceipt: Equatable, Sendable {
  package var accepted = 0
  package var duplicates = 0
  package var undone = 0
  package var notFound: [EventIdentity] = []
  package var rejections: [ModelRejection] = []
}

/// The model of an engine.
package struct ContinuoModel: Sendable {
  package let settings: Engine.Settings
  package let price: PriceMode
  /// The events at or above the horizon: each can be undone, and its identity is taken.
  package private(set) var held: [EventIdentity: StoredContent] = [:]
  /// The events that the horizon passed (rule 6.2): final, but they stand.
  package private(set) var dropped: [StandingEvent] = []
  package private(set) var marked: Set<ByteString> = []
  package private(set) var newest: Timestamp?
  package private(set) var horizon: Timestamp?
  package private(set) var clock: Timestamp?

  package init(_ settings: Engine.Settings, price: PriceMode = .quoted) {
    self.settings = settings
    self.price = price
  }

  /// Every event that stands, in no order.
  package var standing: [StandingEvent] {
    dropped + held.map { StandingEvent(identity: $0.key, content: $0.value) }
  }

  // MARK: writing

  package mutating func apply(_ rows: [MarketRow], wallClock: Timestamp?) throws(Refusal) -> ModelReceipt {
    guard rows.count <= 100_000 else { throw Refusal.batchTooLarge(rows: rows.count) }
    var receipt = ModelReceipt()
    for (line, row) in rows.enumerated() {
      if case .retract(let identity) = row {
        if retract(identity) { receipt.undone += 1 } else { receipt.notFound.append(identity) }
        continue
      }
      do throws(ModelFault) {
        if try take(row, wallClock) { receipt.accepted += 1 } else { receipt.duplicates += 1 }
      } catch {
        receipt.rejections.append(ModelRejection(line: line, reason: error.reason))
      }
    }
    return receipt
  }

  /// Whether the event was held.
  package mutating func retract(_ identity: EventIdentity) -> Bool {
    held.removeValue(forKey: identity) != nil
  }

  /// How many events were undone (rules 3.8, 6.3).
  package mutating func rollback(chain: UInt32, above block: UInt64) throws(Refusal) -> Int {
    let blocks = dropped.filter { $0.identity.chain == chain && $0.identity.block > block }.map(\.identity.block)
    if let greatest = blocks.max() {
      throw Refusal.beyondRetention(chain: chain, block: block, droppedBlock: greatest)
    }
    let undone = held.keys.filter { $0.chain == chain && $0.block > block }
    for identity in undone { held[identity] = nil }
    return undone.count
  }

  /// How many events were dropped (rules 6.1, 6.2).
  package mutating func moveHorizon() -> Int {
    guard let newest, let raw = settings.retention?.rawMicroseconds, raw != .max else { return 0 }
    let day: Int64 = 86_400_000_000
    // Below the year 0001 there is nothing to drop: the horizon has not moved yet.
    guard ModelCalendar.days(year: 1, month: 1, day: 1) * day <= newest.microseconds - raw else { return 0 }
    let candidate = Timestamp(microseconds: ModelInterval.floored(newest.microseconds - raw, by: day) * day)
    let moved = horizon.map { max($0, candidate) } ?? candidate
    horizon = moved
    let passed = held.filter { $0.value.timestamp < moved }
    for (identity, content) in passed {
      held[identity] = nil
      dropped.append(StandingEvent(identity: identity, content: content))
    }
    return passed.count
  }

  package mutating func advanceClock(to wallClock: Timestamp) {
    clock = clock.map { max($0, wallClock) } ?? wallClock
  }

  // MARK: one event

  /// true: accepted; false: a duplicate.
  private mutating func take(_ row: MarketRow, _ wallClock: Timestamp?) throws(ModelFault) -> Bool {
    let event = try judged(row)
    let timestamp = event.content.timestamp
    if let wallClock, let tolerance = settings.futureToleranceMicroseconds {
      let latest = Int128(wallClock.microseconds) + Int128(tolerance)
      if latest < Int128(timestamp.microseconds) { throw ModelFault(reason: .inFuture) }
    }
    if let horizon, timestamp < horizon { throw ModelFault(reason: .tooLate) }
    if let first = held[event.identity] {
      guard first == event.content else { throw ModelFault(reason: .conflict) }
      return false
    }
    held[event.identity] = event.content
    newest = newest.map { max($0, timestamp) } ?? timestamp
    clock = clock.map { max($0, timestamp) } ?? timestamp
    return true
  }

  private mutating func judged(_ row: MarketRow) throws(ModelFault) -> StandingEvent {
    switch row {
    case .swap(let swap):
      return StandingEvent(identity: swap.identity, content: .swap(try ModelJudgement.judge(swap, price)))
    case .transfer(let transfer):
      return StandingEvent(identity: transfer.identity, content: .transfer(try ModelJudgement.judge(transfer)))
    case .overflowing(let transfer):
      var fitting = transfer
      fitting.amount = Decimal18(units: 1)
      _ = try ModelJudgement.judge(fitting)
      marked.insert(transfer.token)
      throw ModelFault(reason: .overflow)
    case .retract: preconditionFailure("a retraction is no event")
    }
  }
}

extension Swap {
  package var identity: EventIdentity {
    EventIdentity(kind: .swap, chain: chain, block: block, logIndex: logIndex)
  }
}

extension Transfer {
  package var identity: EventIdentity {
    EventIdentity(kind: .transfer, chain: chain, block: block, logIndex: logIndex)
  }
}
