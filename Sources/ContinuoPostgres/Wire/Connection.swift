// One conversation with a PostgreSQL server: statements in, rows out, each within its time.
// Invariant: every wait has an end and can be interrupted; after a failure that is not the server's own answer the connection is
// broken, and every later call says so; waiting is on the calling thread, which is nobody else's.
// Not here: libpq's calls (ConnectionHandle), COPY (Connection+Copy), connecting again (Backoff and who uses it).

#if Postgres
  internal import Continuo

  /// A connection, for one thread.
  ///
  ///     let server = try Connection(target, application: "continuo check", interrupt)
  ///     let rows = try server.query("select relname from pg_class where relkind = $1", [.text("r")])
  package final class Connection {
    /// Where it leads, for messages.
    package let place: String
    /// How long a statement may take, in microseconds.
    package var statementMicroseconds: Int64
    let handle: ConnectionHandle
    let interrupt: InterruptHandle
    private var broken: PostgresFailure?
    /// How long the server has to end a statement that was cancelled.
    private static let cancelMicroseconds: Int64 = 2_000_000
    /// Behind so many results of a script that no command could have, something else speaks.
    private static let scriptResultsMax = 100_000

    /// Connects. Takes as long as `connect_timeout` says, ten seconds else.
    package init(
      _ target: ConnectionTarget, application: String, isReplication: Bool = false,
      _ interrupt: InterruptHandle = InterruptHandle()
    ) throws(PostgresFailure) {
      place = target.place
      statementMicroseconds = target.statementMicroseconds
      self.interrupt = interrupt
      var options = [
        ("fallback_application_name", application), ("client_encoding", "UTF8"), ("dbname", target.text),
      ]
      // Behind what was given, so that it stands.
      if isReplication { options.append(("replication", "database")) }
      guard let handle = ConnectionHandle(options) else {
        throw .unreachable(place: target.place, message: "out of memory")
      }
      self.handle = handle
      let end = ContinuousClock.now.advanced(by: .microseconds(target.connectMicroseconds))
      var progress = handle.isBad ? ConnectionHandle.Progress.failed : .wantsWrite
      while true {
        switch progress {
        case .done: return
        case .failed: throw .unreachable(place: place, message: handle.message)
        case .wantsRead, .wantsWrite:
          let isRead = progress == .wantsRead
          switch InterruptHandle.Poll.wait(
            handle.socket, reads: isRead, writes: !isRead, interrupt, microseconds: Self.left(end))
          {
          case .ready: progress = handle.advance()
          case .interrupted: throw .interrupted
          case .tooLate:
            throw .timeout(
              place: place, doing: "connecting", milliseconds: Int(target.connectMicroseconds / 1000))
          }
        }
      }
    }

    /// The server's version: 150_004 is 15.4.
    package var version: Int { handle.version }
    /// Whether it is encrypted.
    package var isTLS: Bool { handle.isTLS }
    /// Whether a transaction is open.
    package var isInTransaction: Bool { handle.isInTransaction }
    /// Whether every call fails from now on.
    package var isBroken: Bool { broken != nil || handle.isBad }

    // MARK: statements

    /// Runs one statement. O(bytes) and the server's time.
    ///
    /// - Parameter doing: what it is for, in messages; the statement where there is none.
    package func query(
      _ statement: String, _ parameters: [PostgresValue] = [], doing: String? = nil
    ) throws(PostgresFailure) -> Rows {
      let doing = doing ?? Self.shown(statement)
      try begin(doing)
      guard handle.send(statement, parameters) else {
        throw breaks(.lost(place: place, doing: doing, message: handle.message))
      }
      return try answers(deadline(), doing).last ?? Rows()
    }

    /// Runs statements that have no parameters, or are commands of replication; the rows of the last one, as texts.
    @discardableResult
    package func script(_ statements: String, doing: String? = nil) throws(PostgresFailure) -> Rows {
      let doing = doing ?? Self.shown(statements)
      try begin(doing)
      guard handle.send(script: statements) else {
        throw breaks(.lost(place: place, doing: doing, message: handle.message))
      }
      return try answers(deadline(), doing).last ?? Rows()
    }

    /// Runs statements that are sent without waiting for each other's answers. Outside of a transaction they are one.
    /// What they send is held in memory until the server takes it.
    ///
    /// - Throws: the first failure; of statements behind it none was run.
    package func pipeline(
      _ statements: [(text: String, parameters: [PostgresValue])], doing: String
    ) throws(PostgresFailure) -> [Rows] {
      guard !statements.isEmpty else { return [] }
      try begin(doing)
      guard handle.enterPipeline() else {
        throw breaks(.unexpected(place: place, doing: doing, found: handle.message))
      }
      for statement in statements {
        guard handle.send(statement.text, statement.parameters) else { throw lost(doing) }
      }
      guard handle.syncPipeline() else { throw lost(doing) }
      let end = deadline()
      var (answers, failure): ([Rows], PostgresFailure?) = ([], nil)
      while true {
        // Nothing ends the results of one statement.
        guard let result = try next(end, doing) else { continue }
        switch result.kind {
        case .pipelineEnd:
          guard handle.exitPipeline() else {
            throw breaks(.unexpected(place: place, doing: doing, found: handle.message))
          }
          if let failure { throw failure }
          return answers
        case .command, .rows: answers.append(result.rows)
        case .pipelineAborted: continue
        case .error:
          failure = failure ?? refusal(result, doing)
          if handle.isBad { throw breaks(failure ?? lost(doing)) }
        default: throw breaks(.unexpected(place: place, doing: doing, found: "\(result.kind) in a pipeline"))
        }
      }
    }

    // MARK: waiting

    /// All results of what was sent.
    func answers(_ end: ContinuousClock.Instant, _ doing: String) throws(PostgresFailure) -> [Rows] {
      var (answers, failure): ([Rows], PostgresFailure?) = ([], nil)
      while let result = try next(end, doing) {
        switch result.kind {
        case .command, .rows: answers.append(result.rows)
        case .error: failure = failure ?? refusal(result, doing)
        default: throw breaks(.unexpected(place: place, doing: doing, found: "\(result.kind) where rows are expected"))
        }
        if answers.count > Self.scriptResultsMax {
          throw breaks(.unexpected(place: place, doing: doing, found: "no end"))
        }
      }
      if let failure { throw failure }
      return answers
    }

    /// The next result once it is there; nil behind the last one.
    func next(_ end: ContinuousClock.Instant, _ doing: String) throws(PostgresFailure) -> ResultHandle? {
      while true {
        let sending = handle.flush()
        if sending == .failed { throw lost(doing) }
        if !handle.isBusy { return handle.result() }
        switch wait(end, isSending: sending == .wantsWrite) {
        case .ready: if !handle.consume() { throw lost(doing) }
        case .interrupted:
          handle.cancel()
          throw breaks(.interrupted)
        case .tooLate: throw try cancelled(doing)
        }
      }
    }

    func wait(_ end: ContinuousClock.Instant, isSending: Bool) -> InterruptHandle.Outcome {
      InterruptHandle.Poll.wait(
        handle.socket, reads: true, writes: isSending, interrupt, microseconds: Self.left(end))
    }

    /// A statement that takes too long is cancelled; where the server does not say so soon, the connection is given up.
    func cancelled(_ doing: String) throws(PostgresFailure) -> PostgresFailure {
      let failure = PostgresFailure.timeout(
        place: place, doing: doing, milliseconds: Int(statementMicroseconds / 1000))
      handle.cancel()
      let end = ContinuousClock.now.advanced(by: .microseconds(Self.cancelMicroseconds))
      while ContinuousClock.now < end {
        if handle.flush() == .failed { throw breaks(failure) }
        if !handle.isBusy {
          guard let result = handle.result() else { return failure }
          if [.copyIn, .copyOut, .copyBoth, .pipelineEnd, .pipelineAborted].contains(result.kind) { break }
          continue
        }
        guard wait(end, isSending: false) == .ready, handle.consume() else { break }
      }
      throw breaks(failure)
    }

    // MARK: failing

    /// Before anything is sent.
    func begin(_ doing: String) throws(PostgresFailure) {
      if let broken { throw broken }
      if handle.isBad { throw lost(doing) }
      if interrupt.isInterrupted { throw .interrupted }
    }

    func deadline() -> ContinuousClock.Instant {
      ContinuousClock.now.advanced(by: .microseconds(statementMicroseconds))
    }

    /// Ends the use of the connection.
    func breaks(_ failure: PostgresFailure) -> PostgresFailure {
      broken = broken ?? failure
      return failure
    }

    func lost(_ doing: String) -> PostgresFailure { breaks(.lost(place: place, doing: doing, message: handle.message)) }

    func refusal(_ result: ResultHandle, _ doing: String) -> PostgresFailure {
      let error = result.error
      guard !error.sqlState.isEmpty else { return .lost(place: place, doing: doing, message: error.message) }
      return .refused(place: place, doing: doing, error)
    }

    private static func left(_ end: ContinuousClock.Instant) -> Int64 {
      ContinuousClock.now.duration(to: end).microseconds
    }

    /// A statement as a message shows it: in one line, and not all of a long one.
    private static func shown(_ statement: String) -> String {
      let words = statement.split(whereSeparator: \.isWhitespace).joined(separator: " ")
      return words.count > 80 ? "\(words.prefix(80))…" : words
    }
  }
#endif
