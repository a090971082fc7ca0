// Statements for a range of rows, of which the database may refuse some: those are found by halving, and hold up no other one.
// Invariant: what is refused is undone; everything else of the transaction stays.
// Not here: which rows (TokenUpdate, CandleUpdate), when a refused row is tried again (SummaryWriter).

#if Postgres
  /// Runs statements within a transaction.
  struct RefusedRows {
    private let server: Connection
    private let doing: String
    /// How many refusals more are looked into; of those that look as if they met every row, a right that is missing, fewer.
    private var searchesLeft: Int
    private var missingLeft = 20
    /// What was refused when no more was looked into: whether more than what was found is meant is not known.
    private(set) var unsearched: PostgresFailure?

    init(_ server: Connection, doing: String, searchesMax: Int = 200) {
      (self.server, self.doing, searchesLeft) = (server, doing, searchesMax)
    }

    /// Runs some statements; why, where the database refuses them: then nothing of them is left.
    ///
    /// - Throws: what is not about the rows.
    mutating func attempt(
      _ statements: () throws(PostgresFailure) -> Void
    ) throws(PostgresFailure) -> PostgresFailure? {
      let failure: PostgresFailure
      do throws(PostgresFailure) {
        try server.script("SAVEPOINT rows", doing: doing)
        try statements()
        try server.script("RELEASE SAVEPOINT rows", doing: doing)
        return nil
      } catch { failure = error }
      guard failure.isAboutContent, !server.isBroken else { throw failure }
      try server.script("ROLLBACK TO SAVEPOINT rows; RELEASE SAVEPOINT rows", doing: doing)
      searchesLeft -= 1
      if failure.sqlState?.hasPrefix("42") == true { missingLeft -= 1 }
      return failure
    }

    /// Runs a statement for a range of rows, and for its halves where it is refused. A statement where nothing is refused.
    ///
    /// - Parameters:
    ///   - known: why the whole range was refused a moment ago; nil: it was not tried.
    ///   - refuse: is told of rows that cannot be had, and why: one, or several where no more is looked into.
    mutating func run(
      _ rows: Range<Int>, refused known: PostgresFailure? = nil,
      _ statement: (Range<Int>) throws(PostgresFailure) -> Void, refuse: (Range<Int>, PostgresFailure) -> Void
    ) throws(PostgresFailure) {
      guard !rows.isEmpty else { return }
      var refused = known
      if refused == nil { refused = try attempt { () throws(PostgresFailure) in try statement(rows) } }
      guard let failure = refused else { return }
      guard rows.count > 1 else { return refuse(rows, failure) }
      guard searchesLeft > 0, missingLeft > 0 else {
        unsearched = unsearched ?? failure
        return refuse(rows, failure)
      }
      let middle = rows.lowerBound + rows.count / 2
      try run(rows.lowerBound..<middle, statement, refuse: refuse)
      try run(middle..<rows.upperBound, statement, refuse: refuse)
    }
  }
#endif
