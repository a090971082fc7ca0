// The application's summary columns that Continuo can keep, and the names of the tables that are Continuo's own.
// Invariant: a name of ours stands here and nowhere else.
// Not here: who may write them (Migration), what they hold (the writer).

/// A summary column of the table of tokens.
package enum SummaryColumn: String, CaseIterable, Sendable {
  case lastPrice = "last_price_usd"
  case marketCap = "market_cap_usd"
  case volume = "volume_24h_usd"
  case holders = "holders_count"
}

/// What is ours in the application's database.
package enum OwnTables {
  /// Candles of an hour.
  package static let candles = "hourly_price_candles"
  /// How fresh what is written is, and whose turn it is to write.
  package static let sync = "continuo_sync"
  /// Which versions of these tables were made.
  package static let migrations = "continuo_migrations"
  /// Which columns were taken.
  package static let owned = "continuo_owned"
  /// What they held before.
  package static let kept = "continuo_kept"

  /// What named deleted rows of the application's tables before that was altered.
  package static let identities = "continuo_identities"

  package static let all = [candles, sync, migrations, owned, kept, identities]

  /// How a comment on a table of ours begins: so it is told from a table of that name that is not.
  package static let mark = "continuo:"

  /// What publication and slot are named.
  package static func joinName(_ name: String) -> String { "continuo_\(name)" }
}
