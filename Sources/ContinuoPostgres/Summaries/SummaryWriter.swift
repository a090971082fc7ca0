// Keeps the summaries in the application's database as the engine has them: what changed goes out, a transaction a batch.
// Invariant: nothing here is ever waited for by who feeds the engine; an engine that was taken over writes no more.
// Not here: which columns are ours (Migration), statements (SummaryStatements), values (SummaryBatch).

#if Postgres
  package import Continuo
  internal import Synchronization

  /// Writes on the thread that runs it.
  package final class SummaryWriter: Sendable {
    package struct Options: Sendable {
      package var target: ConnectionTarget
      package var mapping = TableMapping()
      /// How often is looked whether figures changed by time alone.
      package var decayMicroseconds: Int64 = 5_000_000
      /// So long changes are gathered.
      package var gatherMicroseconds: Int64 = 20_000
      /// How often what was refused is tried again.
      package var refusedMicroseconds: Int64 = 30_000_000
      package var backoff = Backoff()

      package init(_ target: ConnectionTarget) { self.target = target }
    }

    /// How it goes.
    package struct Status: Equatable, Sendable {
      package enum Phase: String, Sendable { case connecting, writing, waiting, fenced, stopped }
      package var phase = Phase.connecting
      package var epoch: Int64 = 0
      package var transactions = 0
      package var candleRows = 0
      package var changedCandles = 0
      package var deletedCandles = 0
      package var changedTokens = 0
      package var retries = 0
      /// When the last transaction was committed, by the server's engine clock.
      package var asOf: Timestamp?
      /// Tokens of which the database refuses a value.
      package var refusedTokens = 0
      /// Which value, and why.
      package var refusal: String?
      /// When everything that was known then had been written.
      package var inStepAt: ContinuousClock.Instant?
      package var failure: String?

      package init() {}
    }

    /// What the engine says, and how far it is.
    package struct Source: Sendable {
      package var publication: Publication
      /// Read before a version is: it holds at least so much.
      package var sequence: @Sendable () -> UInt64
      /// What time it is for an engine whose own clock says so.
      package var clock: @Sendable (Timestamp?) -> Timestamp
      /// What the application says of a token's supply.
      package var supply: @Sendable (ByteString) -> Decimal18?

      package init(
        _ publication: Publication, sequence: @escaping @Sendable () -> UInt64,
        clock: @escaping @Sendable (Timestamp?) -> Timestamp, supply: @escaping @Sendable (ByteString) -> Decimal18?
      ) { (self.publication, self.sequence, self.clock, self.supply) = (publication, sequence, clock, supply) }
    }

    /// An engine with a later epoch writes.
    private struct Fenced: Error { let epoch: Int64 }

    private let options: Options
    private let source: Source
    private let interrupt: InterruptHandle
    private let unsent = Unsent()
    private let state = Mutex(Status())
    private let epoch = Atomic<Int64>(0)
    /// What was written last of each token whose volume is not nothing: time alone changes it.
    private let sent = Mutex<[UInt32: TokenSummary]>([:])
    /// What was refused of which tokens; tried again now and then.
    private let refused = Mutex<[UInt32: UnsentToken]>([:])
    /// Of hours before no row is left.
    private let cleared = Mutex<Timestamp>(.first)
    /// The columns that were ours the last time.
    private let known = Mutex<[SummaryColumn]>([])
    private static let tokensMax = 5_000
    /// The figures of a token alone, and all that there is of it: what the server has is not known.
    private static let (figures, everything) = (UnsentToken(), UnsentToken(since: .first, isUndone: true))

    package init(_ options: Options, _ source: Source, _ interrupt: InterruptHandle) {
      (self.options, self.source, self.interrupt) = (options, source, interrupt)
      source.publication.listen { [unsent] tokens, candles in unsent.note(tokens, candles) }
    }

    /// How it goes. O(1).
    package var status: Status { state.withLock { $0 } }
    /// How many tokens have something unsent. O(1).
    package var unsentTokens: Int { unsent.count }

    /// Says that the application changed rows of tokens: what depends on them is looked at again. O(ids).
    package func note(tokens ids: [ByteString]) {
      var reader = source.publication.reader()
      let known = reader.read { market in ids.compactMap { market.tokenNumber($0) } }
      unsent.add(Dictionary(known.map { ($0, UnsentToken()) }) { first, _ in first })
    }

    /// Ends the wait for changes; the interrupt that it was given ends everything else.
    package func end() { unsent.end() }

    /// Writes until it is interrupted, or an engine with a later epoch has taken over.
    package func run() {
      var backoff = options.backoff
      var random = SystemRandomNumberGenerator()
      noteAll(Self.everything)
      while !interrupt.isInterrupted {
        do {
          try write { backoff.succeed() }
        } catch PostgresFailure.interrupted {
          break
        } catch let fenced as Fenced {
          return state.withLock {
            ($0.phase, $0.failure) = (
              .fenced, "an engine of epoch \(fenced.epoch) has taken over: this one writes no more"
            )
          }
        } catch {
          let text = (error as? PostgresFailure)?.description ?? String(describing: error)
          state.withLock { ($0.phase, $0.failure, $0.retries) = (.waiting, text, $0.retries + 1) }
          if interrupt.sleep(microseconds: backoff.next(using: &random)) { break }
        }
      }
      state.withLock { $0.phase = .stopped }
    }

    /// So much of every token is unsent, of those too of which nothing stands any more: their rows may say otherwise.
    private func noteAll(_ some: UnsentToken) {
      var reader = source.publication.reader()
      let all = reader.read { market in market.tokenNumbers }
      unsent.add(Dictionary(uniqueKeysWithValues: all.map { ($0, some) }))
    }

    private func write(_ succeeded: () -> Void) throws {
      state.withLock { $0.phase = .connecting }
      let server = try Connection(options.target, application: "continuo summaries", interrupt)
      let statements = SummaryStatements(mapping: options.mapping)
      if epoch.load(ordering: .relaxed) == 0 {
        let own = try server.query(statements.takeTurn, doing: "taking the turn to write").first?.int(0) ?? 1
        epoch.store(own, ordering: .relaxed)
        state.withLock { $0.epoch = own }
      }
      try server.script(statements.temporary, doing: "preparing to write")
      state.withLock { ($0.phase, $0.failure) = (.writing, nil) }
      var (nextDecay, nextOwned, nextRefused) = (ContinuousClock.now, ContinuousClock.now, ContinuousClock.now)
      while true {
        if interrupt.isInterrupted { throw PostgresFailure.interrupted }
        let now = ContinuousClock.now
        if now >= nextDecay {
          try decay()
          nextDecay = now.advanced(by: .microseconds(options.decayMicroseconds))
        }
        if now >= nextOwned {
          // Where nothing trades, columns that were taken are found all the same.
          if try owned(server, statements) != known.withLock({ $0 }) { noteAll(Self.figures) }
          nextOwned = now.advanced(by: .seconds(5))
        }
        if now >= nextRefused {
          let again = refused.withLock { $0 }
          if !again.isEmpty { unsent.add(again) }
          nextRefused = now.advanced(by: .microseconds(options.refusedMicroseconds))
        }
        let some = unsent.take(atMost: Self.tokensMax, withinMicroseconds: min(options.decayMicroseconds, 250_000))
        guard !some.isEmpty else {
          state.withLock { $0.inStepAt = now }
          continue
        }
        let isMore: Bool
        do {
          isMore = try send(some, server, statements)
          succeeded()
          if !isMore, some.count < Self.tokensMax { state.withLock { $0.inStepAt = now } }
        } catch {
          unsent.add(some)
          if server.isInTransaction, !server.isBroken { _ = try? server.script("ROLLBACK") }
          throw error
        }
        // So that a token that trades all the time is written now and then, not with every trade.
        if !isMore, interrupt.sleep(microseconds: options.gatherMicroseconds) { throw PostgresFailure.interrupted }
      }
    }

    /// Sends a transaction; whether something did not fit.
    private func send(
      _ some: [UInt32: UnsentToken], _ server: Connection, _ statements: SummaryStatements
    ) throws -> Bool {
      let sequence = source.sequence()
      var reader = source.publication.reader()
      let batch = try reader.read { market in
        try SummaryBatch(some, market, at: source.clock(market.clock), supply: source.supply)
      }
      let doing = "writing summaries"
      // What the application defers to the end is looked at with each statement: what is refused there has a name then.
      try server.script("BEGIN; SET CONSTRAINTS ALL IMMEDIATE", doing: doing)
      let last = try server.query(statements.epoch, doing: doing).first?.int(0) ?? 0
      guard last <= epoch.load(ordering: .relaxed) else { throw Fenced(epoch: last) }
      // A lesser one, or none: the database is another than before, or was restored. The turn is taken again, and all is sent.
      guard last == epoch.load(ordering: .relaxed) else {
        epoch.store(0, ordering: .relaxed)
        cleared.withLock { $0 = .first }
        noteAll(Self.everything)
        throw PostgresFailure.lost(place: server.place, doing: doing, message: "it was restored from an older backup")
      }
      let owned = try owned(server, statements)
      if owned != known.withLock({ $0 }) {
        // What was taken since the last time is written from the first row on.
        known.withLock { $0 = owned }
        noteAll(Self.figures)
      }
      var pieces = [CopyRows.foot, batch.tokenRows, CopyRows.head]
      _ = try server.copyIn(SummaryStatements.copyTokens, doing: doing) { pieces.popLast() }
      var candles = CandleUpdate(server, statements, batch)
      if try !candles.insert() {
        // The server reads a piece while the next one is made.
        var next = 0
        _ = try server.copyIn(SummaryStatements.copyCandles, doing: doing) { batch.candlePiece(&next) }
        try candles.write()
      }
      let (ended, isCleared, whyKept) = try clear(before: batch.firstHour, server, statements)
      var tokens = TokenUpdate(server, statements, batch.tokens)
      try tokens.write(owned)
      _ = try server.query(statements.sync, [.int8(Int64(sequence)), .timestamp(batch.asOf)], doing: doing)
      try server.script("COMMIT", doing: doing)
      if isCleared { cleared.withLock { $0 = batch.firstHour } }
      unsent.add(batch.left)
      let (deleted, merged, updated) = (candles.deleted + ended, candles.merged, tokens.updated)
      let why = [candles.why, tokens.why, whyKept].compactMap(\.self).joined(separator: "; ")
      // Where the table itself refuses, or more rows than are looked for, all candles are tried again behind a wait.
      let refusedTokens = noteRefused(
        [candles.unsearched == nil ? candles.refused : [:], tokens.refused], batch)
      sent.withLock { sent in
        for token in batch.tokens { sent[token.number] = token.summary.volume == .zero ? nil : token.summary }
      }
      state.withLock {
        $0.transactions += 1
        $0.candleRows += batch.candleCount
        $0.changedCandles += merged
        $0.deletedCandles += deleted
        $0.changedTokens += updated
        $0.asOf = batch.asOf
        ($0.refusedTokens, $0.refusal) = (refusedTokens, refusedTokens == 0 ? nil : why.isEmpty ? $0.refusal : why)
      }
      if let failure = candles.unsearched { throw failure }
      return !batch.left.isEmpty
    }

    /// Takes out rows of hours that retention has ended, also those of tokens that nobody trades; how many, whether none is left, and
    /// why the database refuses that.
    private func clear(
      before hour: Timestamp, _ server: Connection, _ statements: SummaryStatements
    ) throws(PostgresFailure) -> (ended: Int, isCleared: Bool, why: String?) {
      guard hour > cleared.withLock({ $0 }) else { return (0, false, nil) }
      var (rows, ended) = (RefusedRows(server, doing: "deleting candles that have ended"), 0)
      let refused = try rows.attempt { () throws(PostgresFailure) in
        ended = try server.query(statements.deleteEnded, [.timestamp(hour)]).affected
      }
      // What is refused is tried again an hour later.
      if let refused { return (0, true, "candles before \(hour): \(refused.what)") }
      return (ended, ended < SummaryStatements.endedMax, nil)
    }

    /// Notes what was refused in a transaction, and forgets what it has written; how many tokens something is refused of.
    private func noteRefused(_ some: [[UInt32: UnsentToken]], _ batch: SummaryBatch) -> Int {
      refused.withLock { refused in
        for token in batch.tokens {
          // A candle that was refused before is written where all from its hour on were.
          if let hour = refused[token.number]?.since {
            guard let since = token.since, since <= hour else { continue }
            if let end = batch.ends[token.number] {
              // Up to there they are written; the rest of them follows.
              refused[token.number]?.since = max(hour, end)
              continue
            }
          }
          refused[token.number] = nil
        }
        for (token, unsent) in some.joined() { refused[token, default: UnsentToken()].add(unsent) }
        return refused.count
      }
    }

    /// The columns that are ours now.
    private func owned(_ server: Connection, _ statements: SummaryStatements) throws(PostgresFailure) -> [SummaryColumn]
    {
      let names = try server.query(
        statements.ownedColumns, [.text(options.mapping.tokens.quoted)], doing: "reading which columns are ours")
      return SummaryColumn.allCases.filter { column in names.all.contains { $0.text(0) == column.rawValue } }
    }

    /// Finds the tokens whose figures changed by time alone. O(tokens that trade × log n).
    private func decay() throws {
      let last = sent.withLock { $0 }
      var reader = source.publication.reader()
      var changed: [UInt32: UnsentToken] = [:]
      try reader.read { market in
        let now = source.clock(market.clock)
        for (number, summary) in last {
          let token = TokenID(Int(number))
          let present = try TokenSummary(market, token, supply: source.supply(market.name(of: token)), at: now)
          if present != summary { changed[number] = UnsentToken() }
        }
      }
      if !changed.isEmpty { unsent.add(changed) }
    }
  }
#endif
