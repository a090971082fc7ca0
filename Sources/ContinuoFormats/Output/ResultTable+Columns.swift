// The columns of every result, once.
// Invariant: names and order are those of the contract; csv, json, table and the state digest all come from here.
// Not here: how the figures are found (Continuo), how they are spelled (CSVOutput, JSONOutput, TextOutput).
// Rules 10.4, 10.5, 10.6.

public import Continuo

/// One candle of one token.
public struct CandleAnswer: Sendable {
  public var token: ByteString
  public var row: Bar

  public init(token: ByteString, row: Bar) {
    self.token = token
    self.row = row
  }
}

extension ResultTable where Row == CandleAnswer {
  /// `candles`: with a leading token column unless exactly one token was asked for.
  public static func candles(withToken: Bool) -> Self {
    Self { row, cells in
      if withToken { cells.text("token", of: row) { $0.token } }
      cells.time("bucket", of: row) { $0.row.bucket }
      cells.decimal("open", of: row) { $0.row.hasPrices ? $0.row.open : nil }
      cells.decimal("high", of: row) { $0.row.hasPrices ? $0.row.high : nil }
      cells.decimal("low", of: row) { $0.row.hasPrices ? $0.row.low : nil }
      cells.decimal("close", of: row) { $0.row.hasPrices ? $0.row.close : nil }
      cells.sum("volume_usd", of: row) { $0.row.volumeUSD }
      cells.sum("volume_token", of: row) { $0.row.volumeToken }
      cells.sum("buy_volume_usd", of: row) { $0.row.buyVolumeUSD }
      cells.sum("sell_volume_usd", of: row) { $0.row.sellVolumeUSD }
      cells.count("trades", of: row) { $0.row.trades }
      cells.decimal("vwap", of: row) { $0.row.vwap }
      cells.flag("closed", of: row) { $0.row.isClosed }
    }
  }
}

/// The statistics of one token, with its name.
public struct StatisticsAnswer: Sendable {
  public var token: ByteString
  public var statistics: TokenStatistics
  /// What people call it, where somebody says.
  public var label: ByteString?

  public init(token: ByteString, statistics: TokenStatistics, label: ByteString? = nil) {
    (self.token, self.statistics, self.label) = (token, statistics, label)
  }
}

extension ResultTable where Row == StatisticsAnswer {
  /// `stats`.
  public static var statistics: Self {
    Self { row, cells in
      cells.text("token", of: row) { $0.token }
      cells.time("as_of", of: row) { $0.statistics.window.asOf }
      cells.decimal("last_price_usd", of: row) { $0.statistics.window.last }
      cells.sum("volume_24h_usd", of: row) { $0.statistics.window.volumeUSD }
      cells.sum("volume_24h_token", of: row) { $0.statistics.window.volumeToken }
      cells.count("trades_24h", of: row) { $0.statistics.window.trades }
      cells.decimal("open_24h", of: row) { $0.statistics.window.open }
      cells.decimal("high_24h", of: row) { $0.statistics.window.high }
      cells.decimal("low_24h", of: row) { $0.statistics.window.low }
      cells.decimal("change_24h", of: row) { $0.statistics.window.change }
      cells.decimal("change_24h_percent", of: row) { $0.statistics.window.changePercent }
      cells.count("holders", of: row) { $0.statistics.holders }
      cells.sum("supply", of: row) { $0.statistics.supply }
      cells.decimal("market_cap_usd", of: row) { $0.statistics.marketCapUSD }
    }
  }
}

/// One rolling window of one token.
public struct WindowAnswer: Sendable {
  public var token: ByteString
  public var length: WindowLength
  public var window: WindowStatistics
  public var traders: WindowTraders

  public init(token: ByteString, length: WindowLength, window: WindowStatistics, traders: WindowTraders) {
    self.token = token
    self.length = length
    self.window = window
    self.traders = traders
  }
}

extension ResultTable where Row == WindowAnswer {
  /// `stats --window`.
  public static var windows: Self {
    Self { row, cells in
      cells.text("token", of: row) { $0.token }
      cells.time("as_of", of: row) { $0.window.asOf }
      cells.text("window", of: row) { ByteString($0.length.rawValue) }
      cells.sum("volume_usd", of: row) { $0.window.volumeUSD }
      cells.sum("volume_token", of: row) { $0.window.volumeToken }
      cells.count("trades", of: row) { $0.window.trades }
      cells.count("buys", of: row) { $0.traders.buys }
      cells.count("sells", of: row) { $0.traders.sells }
      cells.sum("buy_volume_usd", of: row) { $0.window.buyVolumeUSD }
      cells.sum("sell_volume_usd", of: row) { $0.window.sellVolumeUSD }
      cells.count("traders", of: row) { $0.traders.traders }
      cells.count("buyers", of: row) { $0.traders.buyers }
      cells.count("sellers", of: row) { $0.traders.sellers }
      cells.decimal("open", of: row) { $0.window.open }
      cells.decimal("high", of: row) { $0.window.high }
      cells.decimal("low", of: row) { $0.window.low }
      cells.decimal("change", of: row) { $0.window.change }
      cells.decimal("change_percent", of: row) { $0.window.changePercent }
    }
  }
}

/// One place of a ranking.
public struct RankAnswer: Sendable {
  /// From 1.
  public var rank: Int
  public var token: ByteString
  public var statistics: TokenStatistics

  /// What people call it, where somebody says.
  public var label: ByteString?

  public init(rank: Int, token: ByteString, statistics: TokenStatistics, label: ByteString? = nil) {
    self.rank = rank
    self.token = token
    self.statistics = statistics
    self.label = label
  }
}

extension ResultTable where Row == RankAnswer {
  /// `top`.
  public static var ranking: Self {
    Self { row, cells in
      cells.count("rank", of: row) { $0.rank }
      cells.text("token", of: row) { $0.token }
      cells.sum("volume_24h_usd", of: row) { $0.statistics.window.volumeUSD }
      cells.decimal("last_price_usd", of: row) { $0.statistics.window.last }
      cells.decimal("change_24h_percent", of: row) { $0.statistics.window.changePercent }
      cells.decimal("market_cap_usd", of: row) { $0.statistics.marketCapUSD }
      cells.count("holders", of: row) { $0.statistics.holders }
    }
  }
}

/// One holder, with the place among the holders of the token.
public struct HolderAnswer: Sendable {
  /// From 1.
  public var rank: Int
  public var holder: Holder

  public init(rank: Int, holder: Holder) {
    self.rank = rank
    self.holder = holder
  }
}

extension ResultTable where Row == HolderAnswer {
  /// `holders`.
  public static var holders: Self {
    Self { row, cells in
      cells.count("rank", of: row) { $0.rank }
      cells.text("address", of: row) { $0.holder.address }
      cells.sum("balance", of: row) { $0.holder.balance }
      cells.decimal("share_percent", of: row) { $0.holder.sharePercent }
    }
  }
}

extension ResultTable where Row == Explanation {
  /// `explain`: only swaps make prices.
  public static var explanations: Self {
    Self { row, cells in
      cells.text("role", of: row) { ByteString($0.role.rawValue) }
      cells.decimal("price", of: row) { $0.price }
      cells.text("kind", of: row) { _ in ByteString(EventKind.swap.name) }
      cells.number("chain", of: row) { UInt64($0.key.chain) }
      cells.number("block", of: row) { $0.key.block }
      cells.number("log_index", of: row) { UInt64($0.key.logIndex) }
      cells.time("timestamp", of: row) { $0.key.timestamp }
    }
  }
}

extension ResultTable where Row == IngestReport {
  /// `ingest`; its JSON is the receipt that ``IngestReport/json()`` writes.
  public static var ingest: Self {
    Self(isSingle: true) { row, cells in
      cells.count("accepted", of: row) { $0.accepted }
      cells.count("duplicates", of: row) { $0.duplicates }
      cells.count("rejected", of: row) { $0.rejected }
      for reason in RejectionReason.allCases { cells.count(reason.name, of: row) { $0.rejected(for: reason) } }
    }
  }
}

/// What a checkpoint did.
public struct CheckpointAnswer: Sendable {
  /// The journal's frame up to which everything is in kept files.
  public var sequence: UInt64
  /// How many bytes were written.
  public var bytes: Int64
  /// How long it took.
  public var microseconds: Int64

  public init(sequence: UInt64, bytes: Int64, microseconds: Int64) {
    self.sequence = sequence
    self.bytes = bytes
    self.microseconds = microseconds
  }
}

extension ResultTable where Row == CheckpointAnswer {
  /// `checkpoint`.
  public static var checkpoint: Self {
    Self(isSingle: true) { row, cells in
      cells.count("sequence", of: row) { Int($0.sequence) }
      cells.count("bytes", of: row) { Int($0.bytes) }
      cells.decimal("seconds", of: row) { Decimal18(units: Int128($0.microseconds) * 1_000_000_000_000) }
    }
  }
}

/// What was read and found sound.
public struct VerifyAnswer: Sendable {
  /// How many files, and how many bytes they have.
  public var files: Int
  public var bytes: Int64
  /// How many events are held.
  public var events: Int

  public init(files: Int, bytes: Int64, events: Int) {
    self.files = files
    self.bytes = bytes
    self.events = events
  }
}

extension ResultTable where Row == VerifyAnswer {
  /// `verify`.
  public static var verify: Self {
    Self(isSingle: true) { row, cells in
      cells.count("files", of: row) { $0.files }
      cells.count("bytes", of: row) { Int($0.bytes) }
      cells.count("events", of: row) { $0.events }
    }
  }
}

/// What was copied, read back, and found to be what it was copied from.
public struct CopyAnswer: Sendable {
  /// How many kept and journal files, and how many bytes they have.
  public var files: Int
  public var bytes: Int64
  /// How many events are held.
  public var events: Int
  /// The journal's last frame; nil where there is none.
  public var sequence: UInt64?
  /// How long it took.
  public var microseconds: Int64
  /// In hexadecimal.
  public var stateDigest: String?

  public init(
    files: Int, bytes: Int64, events: Int, sequence: UInt64?, microseconds: Int64, stateDigest: String?
  ) {
    (self.files, self.bytes, self.events, self.sequence) = (files, bytes, events, sequence)
    (self.microseconds, self.stateDigest) = (microseconds, stateDigest)
  }
}

extension ResultTable where Row == CopyAnswer {
  /// `backup` and `restore`.
  public static func copy(withDigest: Bool) -> Self {
    Self(isSingle: true) { row, cells in
      cells.count("files", of: row) { $0.files }
      cells.count("bytes", of: row) { Int($0.bytes) }
      cells.count("events", of: row) { $0.events }
      cells.count("sequence", of: row) { $0.sequence.map { Int($0) } }
      cells.decimal("seconds", of: row) { Decimal18(units: Int128($0.microseconds) * 1_000_000_000_000) }
      if withDigest { cells.text("state_digest", of: row) { ByteString($0.stateDigest ?? "") } }
    }
  }
}

/// What a rollback undid.
public struct RollbackAnswer: Sendable {
  public var chain: UInt32
  /// The last block that stands.
  public var block: UInt64
  /// How many events were undone.
  public var undone: Int

  public init(chain: UInt32, block: UInt64, undone: Int) {
    self.chain = chain
    self.block = block
    self.undone = undone
  }
}

extension ResultTable where Row == RollbackAnswer {
  /// `rollback`.
  public static var rollback: Self {
    Self(isSingle: true) { row, cells in
      cells.number("chain", of: row) { UInt64($0.chain) }
      cells.number("block", of: row) { $0.block }
      cells.count("undone", of: row) { $0.undone }
    }
  }
}

/// How many events a retraction undid: 1, or it was refused.
public struct RetractAnswer: Sendable {
  public var undone: Int

  public init(undone: Int) { self.undone = undone }
}

extension ResultTable where Row == RetractAnswer {
  /// `retract`.
  public static var retract: Self {
    Self(isSingle: true) { row, cells in cells.count("undone", of: row) { $0.undone } }
  }
}
