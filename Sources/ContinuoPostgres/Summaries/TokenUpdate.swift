// The rows of tokens of one transaction of summaries.
// Invariant: what is refused is named; everything else is written.
// Not here: the statements (SummaryStatements), finding what is refused (RefusedRows), when it is tried again (SummaryWriter).

#if Postgres
  internal import Continuo

  /// Writes the columns of tokens that are ours.
  struct TokenUpdate {
    private let server: Connection
    private let statements: SummaryStatements
    /// In the order in which the server has them.
    private let tokens: [SentToken]
    private var rows: RefusedRows
    /// How many values were written.
    private(set) var updated = 0
    /// The tokens of which something was refused.
    private(set) var refused: [UInt32: UnsentToken] = [:]
    /// Why, the first time.
    private(set) var why: String?

    private static let doing = "writing summaries"

    init(_ server: Connection, _ statements: SummaryStatements, _ tokens: [SentToken]) {
      (self.server, self.statements) = (server, statements)
      self.tokens = tokens.sorted { $0.id < $1.id }
      rows = RefusedRows(server, doing: Self.doing)
    }

    /// Writes some columns, within a transaction. A statement where nothing is refused.
    mutating func write(_ columns: [SummaryColumn]) throws(PostgresFailure) {
      guard !columns.isEmpty, !tokens.isEmpty else { return }
      var (written, found, cause) = (0, refused, why)
      let (server, statements, tokens) = (server, statements, tokens)
      func update(_ columns: [SummaryColumn], _ range: Range<Int>) throws(PostgresFailure) {
        written += try server.query(
          statements.updateTokens(columns),
          [.uuid(tokens[range.lowerBound].id), .uuid(tokens[range.upperBound - 1].id)], doing: Self.doing
        ).affected
      }
      let all = tokens.indices
      let isRefused = try rows.attempt({ () throws(PostgresFailure) in try update(columns, all) }) != nil
      if isRefused { written = 0 }
      // Each column alone: of a token whose volume is refused the price is written all the same.
      for column in columns where isRefused {
        try rows.run(all) { (range) throws(PostgresFailure) in
          try update([column], range)
        } refuse: { range, failure in
          for token in tokens[range] { found[token.number] = UnsentToken() }
          cause = cause ?? "\(column.rawValue) of \(tokens[range.lowerBound].id): \(failure.what)"
        }
      }
      (updated, refused, why) = (updated + written, found, cause)
    }
  }
#endif
