// The columns of what is asked over HTTP alone.
// Invariant: where the command line has the same columns, they come from there.
// Not here: what both have (ResultTable+Columns), the objects around the rows (JSONObject).

public import Continuo

extension ResultTable where Row == StatisticsAnswer {
  /// A token as lists show it: its statistics, and what people call it, where somebody says.
  public static var labelledStatistics: Self {
    Self { row, cells in
      Self.statistics.visit(row, &cells)
      cells.text("label", of: row) { $0.label }
    }
  }
}

extension ResultTable where Row == RankAnswer {
  /// A place as the page shows it, with what people call its token.
  public static var labelledRanking: Self {
    Self { row, cells in
      Self.ranking.visit(row, &cells)
      cells.text("label", of: row) { $0.label }
    }
  }
}

extension ResultTable where Row == Trade {
  /// Held swaps.
  public static var trades: Self {
    Self { row, cells in
      cells.number("chain", of: row) { UInt64($0.key.chain) }
      cells.number("block", of: row) { $0.key.block }
      cells.number("log_index", of: row) { UInt64($0.key.logIndex) }
      cells.time("timestamp", of: row) { $0.key.timestamp }
      cells.text("side", of: row) { $0.side.map { ByteString($0.name) } }
      cells.text("wallet", of: row) { $0.wallet }
      cells.decimal("amount_usd", of: row) { $0.amountUSD }
      cells.decimal("token_amount", of: row) { $0.tokenAmount }
      cells.decimal("price_usd", of: row) { $0.priceUSD }
    }
  }
}

extension ResultTable where Row == EventIdentity {
  /// What tells an event from all others.
  public static var identities: Self {
    Self { row, cells in
      cells.text("kind", of: row) { ByteString($0.kind.name) }
      cells.number("chain", of: row) { UInt64($0.chain) }
      cells.number("block", of: row) { $0.block }
      cells.number("log_index", of: row) { UInt64($0.logIndex) }
    }
  }
}
