// Candles of a few tokens, answered from so much of a data directory as they need.
// Invariant: the engine that is brought back answers the question as the whole one would; where that cannot be told, the whole
// one is brought back.
// Not here: which events are taken from the kept files (KeptSelection), reading all of a directory (Restored).

public import Continuo

/// A question about candles, for whose answer a data directory need not be read whole.
public struct CandleQuestion: Sendable {
  /// The tokens that are asked about.
  public var tokens: [ByteString]
  /// What is asked of each of them.
  public var query: CandleQuery

  /// Asks about the candles of tokens. O(1).
  public init(_ tokens: [ByteString], _ query: CandleQuery) { (self.tokens, self.query) = (tokens, query) }

  /// From when on a first guess needs events; as all such, `.min` is "from the beginning".
  fileprivate func firstGuess(newest: Timestamp) -> Timestamp {
    let end = min(query.to ?? .last, newest)
    // A week more than it seems: the first bucket begins before its first event, and some have none.
    let span = query.limit.map { Int64(clamping: $0).multipliedReportingOverflow(by: query.interval.microseconds) }
    var guess = Timestamp.first
    if let span, !span.overflow, span.partialValue < end.microseconds - Timestamp.first.microseconds {
      guess = end - span.partialValue
    }
    guess = max(guess, query.from ?? .first)
    return query.interval.start(of: guess)
  }

  /// Where to look from if events from `loaded` on were not enough: as far back as there must be candles if they go on as
  /// they were, and half as far again at least.
  fileprivate func nextGuess(_ engine: borrowing Engine, behind loaded: Timestamp, newest: Timestamp) -> Timestamp {
    // An end of time as a bound is further from the newest event than numbers go.
    let span = max(Double(newest.microseconds) - Double(loaded.microseconds), Double(ChangedTimes.length))
    var factor = 1.5
    for name in tokens {
      guard let limit = query.limit, query.fill == .none, let token = engine.token(name) else {
        factor = max(factor, 4)
        continue
      }
      let found = rows(engine, token, from: loaded, before: query.to, limit: limit)
      if found < limit { factor = max(factor, min(16, 1.2 * Double(limit) / max(0.1, Double(found)))) }
    }
    guard let back = Int64(exactly: (span * factor).rounded()),
      back < newest.microseconds - Timestamp.first.microseconds
    else { return .first }
    return query.interval.start(of: newest - back)
  }

  /// Whether an engine that has all events of the tokens from `loaded` on answers as one that has all. O(rows).
  fileprivate func isAnswered(_ engine: borrowing Engine, from loaded: Timestamp) -> Bool {
    tokens.allSatisfy { name in
      guard let token = engine.token(name) else { return false }
      if query.fill != .none {
        // The first filled bucket follows on one with a swap, wherever that is.
        let first = firstFilled(engine)
        guard let first, loaded <= first else { return false }
        return rows(engine, token, from: loaded, before: first + 1, limit: 1) > 0
      }
      if let from = query.from, loaded <= from { return true }
      guard let limit = query.limit else { return false }
      return rows(engine, token, from: max(loaded, query.from ?? .first), before: query.to, limit: limit) >= limit
    }
  }

  /// The first bucket of a filled answer about a token that has long been there; nil where there is no bound.
  private func firstFilled(_ engine: borrowing Engine) -> Timestamp? {
    guard let clock = engine.clock else { return nil }
    let last = query.interval.start(of: min((query.to ?? .last) - 1, clock, .last))
    let limited = query.limit.flatMap { limit -> Timestamp? in
      let (span, isOver) = (Int64(clamping: limit) - 1).multipliedReportingOverflow(by: query.interval.microseconds)
      return isOver || span > last.microseconds - Timestamp.first.microseconds ? nil : last - span
    }
    guard let from = query.from else { return limited }
    return limited.map { max($0, from) } ?? from
  }

  private func rows(
    _ engine: borrowing Engine, _ token: TokenID, from: Timestamp, before end: Timestamp?, limit: Int
  ) -> Int {
    var rows = 0
    engine.forEachCandle(of: token, CandleQuery(query.interval, from: from, to: end, limit: limit)) { _ in rows += 1 }
    return rows
  }

  /// Brings back an engine that answers the question. O(events of its time), and O(journal).
  ///
  /// - Parameter bounds: how much may be read for it.
  /// - Returns: nil where the whole one is needed.
  func restore(
    _ disk: any Disk, _ directory: DataDirectory, _ manifest: Manifest, _ engine: inout Engine,
    within bounds: PartBounds = PartBounds()
  ) throws(StorageFailure) -> Restored? {
    let segments = manifest.kept.lazy.filter { $0.header.kind == .segment }
    guard let earliest = segments.map(\.header.first).min(), let newest = manifest.marks.newest else { return nil }
    var part = JournalPart(tokens, behind: manifest.marks)
    let end = try JournalReader(disk, directory, manifest, readsKept: false).take(into: &part, while: bounds.isWanted)
    var restored = part.restored
    restored.note(end, manifest)
    part.finish()
    let (names, addresses) = (
      Int(manifest.keptTokens) + part.tokens.count, Int(manifest.keptAddresses) + 2 * restored.rows
    )
    // Near a limit of names a part of them does not tell whether a batch was refused.
    guard !part.needsAll, names <= part.tokensMax, addresses <= part.addressesMax else { return nil }
    let identities = JournalIdentities(part.records)
    var from = firstGuess(newest: newest)
    let (settings, parts) = (engine.settings, KeptParts(bounds))
    while true {
      engine = Engine(settings)
      let isAll = from.microseconds <= earliest
      let selection = KeptSelection(
        tokens: tokens, from: isAll ? .min : from.microseconds, end: self.end, identities: identities, parts: parts)
      guard let events = try KeptRestore.restore(selection, disk, directory, manifest, &engine) else { return nil }
      for record in part.records { engine.replay(record) }
      guard engine.newest == part.newest else { return nil }
      restored.keptEvents = events
      if isAll || isAnswered(engine, from: from) {
        // Of a token whose swaps are all elsewhere, or that has transfers only, a part does not tell whether it is known.
        return tokens.allSatisfy { engine.token($0) != nil } ? restored : nil
      }
      from = nextGuess(engine, behind: from, newest: newest)
    }
  }

  /// Where the last bucket ends, in µs.
  private var end: Int64 {
    guard let to = query.to, to <= .last else { return .max }
    return query.interval.next(query.interval.start(of: to)).microseconds
  }
}
