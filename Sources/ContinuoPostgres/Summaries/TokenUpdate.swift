// The rows of tokens of one transaction of summaries, so that a value that the database refuses holds up no other one.
// Invariant: what is refused is undone and named; everything else of the transaction stays.
// Not here: the statements (SummaryStatements), when a refused row is tried again (SummaryWriter).

#if Postgres
  internal import Continuo

  /// Writes the columns of tokens that are ours.
  struct TokenUpdate {
    /// So many rows are found one by one; where more are refused all that are left are taken for refused.
    private static let searchesMax = 200

    private let server: Connection
    private let statements: SummaryStatements
    /// In the order in which the server has them.
    private let tokens: [SentToken]
    private var searches = 0
    /// How many values were written.
    private(set) var updated = 0
    /// The tokens of which something was refused.
    private(set) var refused: Set<UInt32> = []
    /// Why, the first time.
    private(set) var why: String?

    static let doing = "writing summaries"

    init(_ server: Connection, _ statements: SummaryStatements, _ tokens: [SentToken]) {
      (self.server, self.statements) = (server, statements)
      self.tokens = tokens.sorted { $0.id.bytes.lexicographicallyPrecedes($1.id.bytes) }
    }

    /// Writes some columns, within a transaction. A statement where nothing is refused.
    mutating func write(_ columns: [SummaryColumn]) throws(PostgresFailure) {
      guard !columns.isEmpty, !tokens.isEmpty else { return }
      try write(columns, tokens.indices)
    }

    private mutating func write(_ columns: [SummaryColumn], _ range: Range<Int>) throws(PostgresFailure) {
      let failure: PostgresFailure
      do throws(PostgresFailure) {
        try server.script("SAVEPOINT tokens", doing: Self.doing)
        updated += try server.query(
          statements.updateTokens(columns),
          [.uuid(tokens[range.lowerBound].id), .uuid(tokens[range.upperBound - 1].id)],
          doing: Self.doing
        ).affected
        try server.script("RELEASE SAVEPOINT tokens", doing: Self.doing)
        return
      } catch { failure = error }
      guard failure.isAboutContent, !server.isBroken else { throw failure }
      try server.script("ROLLBACK TO SAVEPOINT tokens; RELEASE SAVEPOINT tokens", doing: Self.doing)
      searches += 1
      if columns.count > 1 {
        for column in columns { try write([column], range) }
      } else if range.count > 1, searches < Self.searchesMax, failure.sqlState?.hasPrefix("42") != true {
        let middle = range.lowerBound + range.count / 2
        try write(columns, range.lowerBound..<middle)
        try write(columns, middle..<range.upperBound)
      } else {
        refused.formUnion(tokens[range].map(\.number))
        why = why ?? "\(columns[0].rawValue) of \(tokens[range.lowerBound].id): \(failure.what)"
      }
    }
  }
#endif
