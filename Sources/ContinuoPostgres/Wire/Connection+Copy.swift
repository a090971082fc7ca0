// COPY: rows in, rows out, and both at once, which is how changes come.
// Invariant: a COPY that was begun is ended, or the connection is broken; memory is that of one piece.
// Not here: what a piece holds (Changes), other statements (Connection).

#if Postgres
  extension Connection {
    /// Runs `COPY … FROM STDIN` with what `next` makes, piece after piece, until it makes none. O(bytes) and the server's time.
    ///
    /// - Returns: how many rows the server took.
    package func copyIn(
      _ statement: String, doing: String, next piece: () -> [UInt8]?
    ) throws(PostgresFailure) -> Int {
      try startCopy(statement, .copyIn, doing)
      var end = deadline()
      while let bytes = piece() {
        while true {
          switch handle.put(bytes) {
          case true?:
            // What the server does not take yet waits with libpq: no more of it than one piece.
            try drain(end, doing)
          case nil:
            try drain(end, doing)
            continue
          case false?: throw lost(doing)
          }
          break
        }
        end = deadline()
      }
      try endCopy(nil, end, doing)
      return try answers(end, doing).last?.affected ?? 0
    }

    /// Runs `COPY … TO STDOUT` and hands on each piece: a row, or the head or foot of the binary format. O(bytes) and the
    /// server's time.
    ///
    /// - Throws: ``PostgresFailure``, or what `take` throws, which ends the connection.
    package func copyOut(
      _ statement: String, doing: String, take: ([UInt8]) throws -> Void
    ) throws {
      try startCopy(statement, .copyOut, doing)
      while true {
        switch handle.piece() {
        case .bytes(let bytes):
          do {
            try take(bytes)
          } catch {
            // What is on its way would have to be read to its end.
            handle.cancel()
            _ = breaks(.lost(place: place, doing: doing, message: "it was ended from here"))
            throw error
          }
        case .none: try waited(deadline(), doing)
        case .end:
          _ = try answers(deadline(), doing)
          return
        case .failed: throw lost(doing)
        }
      }
    }

    /// Begins a COPY in both directions.
    package func startCopyBoth(_ statement: String, doing: String) throws(PostgresFailure) {
      try startCopy(statement, .copyBoth, doing)
    }

    /// The next piece of a COPY in both directions; nil where none came within so long.
    package func receive(withinMicroseconds microseconds: Int64, doing: String) throws(PostgresFailure) -> [UInt8]? {
      let end = ContinuousClock.now.advanced(by: .microseconds(microseconds))
      while true {
        switch handle.piece() {
        case .bytes(let bytes): return bytes
        case .none:
          let sending = handle.flush()
          if sending == .failed { throw lost(doing) }
          switch wait(end, isSending: sending == .wantsWrite) {
          case .ready: if !handle.consume() { throw lost(doing) }
          case .interrupted: throw .interrupted
          case .tooLate: return nil
          }
        case .end: throw try ended(doing)
        case .failed: throw lost(doing)
        }
      }
    }

    /// Sends a piece of a COPY in both directions.
    package func send(_ bytes: [UInt8], doing: String) throws(PostgresFailure) {
      while true {
        switch handle.put(bytes) {
        case true?: return try drain(deadline(), doing)
        case nil: try drain(deadline(), doing)
        case false?: throw lost(doing)
        }
      }
    }

    /// Ends a COPY in both directions from this side, and waits for the server to end its own. Pieces that are on their way are
    /// passed over.
    package func endCopyBoth(doing: String) throws(PostgresFailure) {
      let end = deadline()
      try endCopy(nil, end, doing)
      while true {
        switch handle.piece() {
        case .bytes: continue
        case .none: try waited(end, doing)
        case .end:
          _ = try answers(end, doing)
          return
        case .failed: throw lost(doing)
        }
      }
    }

    // MARK: steps

    private func startCopy(
      _ statement: String, _ kind: ResultHandle.Kind, _ doing: String
    ) throws(PostgresFailure) {
      try begin(doing)
      guard handle.send(script: statement) else { throw lost(doing) }
      let end = deadline()
      guard let result = try next(end, doing) else {
        throw breaks(.unexpected(place: place, doing: doing, found: "no answer"))
      }
      if result.kind == kind { return }
      let failure =
        result.kind == .error
        ? refusal(result, doing) : .unexpected(place: place, doing: doing, found: "\(result.kind) in place of a COPY")
      while try next(end, doing) != nil {}
      throw failure
    }

    private func endCopy(_ error: String?, _ end: ContinuousClock.Instant, _ doing: String) throws(PostgresFailure) {
      while true {
        switch handle.end(error) {
        case true?: return try drain(end, doing)
        case nil: try drain(end, doing)
        case false?: throw lost(doing)
        }
      }
    }

    /// Waits until all is sent; what comes meanwhile is taken in, so that the server is not held up by it.
    private func drain(_ end: ContinuousClock.Instant, _ doing: String) throws(PostgresFailure) {
      while true {
        switch handle.flush() {
        case .done: return
        case .failed: throw lost(doing)
        default: try waited(end, isSending: true, doing)
        }
      }
    }

    private func waited(
      _ end: ContinuousClock.Instant, isSending: Bool = false, _ doing: String
    ) throws(PostgresFailure) {
      switch wait(end, isSending: isSending) {
      case .ready: if !handle.consume() { throw lost(doing) }
      case .interrupted:
        handle.cancel()
        throw breaks(.interrupted)
      case .tooLate: throw try cancelled(doing)
      }
    }

    /// Why the server ended a COPY in both directions.
    private func ended(_ doing: String) throws(PostgresFailure) -> PostgresFailure {
      _ = try answers(deadline(), doing)
      return breaks(.lost(place: place, doing: doing, message: "the server ended it"))
    }
  }
#endif
