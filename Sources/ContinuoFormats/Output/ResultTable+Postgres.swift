// The columns of what is said of a PostgreSQL database: what a check came to, and which values would change.
// Invariant: as every table of results.
// Not here: the checks themselves (ContinuoPostgres).

public import Continuo

/// What one check of a database came to.
public struct CheckAnswer: Sendable {
  public var check: String
  /// `ok`, `warning` or `failed`.
  public var outcome: String
  public var what: String
  /// The statements that mend it; nil where there are none.
  public var sql: String?
  /// Who must run them.
  public var who: String?

  public init(check: String, outcome: String, what: String, sql: String?, who: String?) {
    (self.check, self.outcome, self.what, self.sql, self.who) = (check, outcome, what, sql, who)
  }
}

extension ResultTable where Row == CheckAnswer {
  /// `postgres check`.
  public static var postgresCheck: Self {
    Self { row, cells in
      cells.text("check", of: row) { ByteString($0.check) }
      cells.text("outcome", of: row) { ByteString($0.outcome) }
      cells.text("what", of: row) { ByteString($0.what) }
      cells.text("sql", of: row) { $0.sql.map { ByteString($0) } }
      cells.text("who", of: row) { $0.who.map { ByteString($0) } }
    }
  }
}

/// A summary that would change.
public struct SummaryChangeAnswer: Sendable {
  public var relation: String
  public var column: String
  /// Of the row.
  public var id: String
  public var old: Decimal18?
  public var new: Decimal18?

  public init(relation: String, column: String, id: String, old: Decimal18?, new: Decimal18?) {
    (self.relation, self.column, self.id, self.old, self.new) = (relation, column, id, old, new)
  }
}

extension ResultTable where Row == SummaryChangeAnswer {
  /// `sync --check`.
  public static var drift: Self {
    Self { row, cells in
      cells.text("relation", of: row) { ByteString($0.relation) }
      cells.text("column", of: row) { ByteString($0.column) }
      cells.text("id", of: row) { ByteString($0.id) }
      cells.decimal("found", of: row) { $0.old }
      cells.decimal("expected", of: row) { $0.new }
    }
  }

  /// `migrate`.
  public static var migrate: Self {
    Self { row, cells in
      cells.text("relation", of: row) { ByteString($0.relation) }
      cells.text("column", of: row) { ByteString($0.column) }
      cells.text("id", of: row) { ByteString($0.id) }
      cells.decimal("old", of: row) { $0.old }
      cells.decimal("new", of: row) { $0.new }
    }
  }
}
