// The columns of every result, once.
// Invariant: names and order are those of the contract; csv, json, table and the state digest all come from here.
// Not here: how the figures are found (Continuo), how they are spelled (CSVOutput, JSONOutput, TextOutput).
// Rules 10.4, 10.5, 10.6.

public import Continuo

/// One candle of one token.
public struct CandleAnswer: Sendable {
  public var token: ByteString
  public var row: CandleRow

  public init(token: ByteString, row: CandleRow) {
    self.token = token
    self.row = row
  }
}

extension ResultTable where Row == CandleAnswer {
  /// `candles`: with a leading token column unless exactly one token was asked for.
  public static func candles(withToken: Bool) -> Self {
    let figures: [Column<Row>] = [
      .time("bucket") { $0.row.bucket },
      .decimal("open") { $0.row.candle?.open ?? $0.row.previousClose },
      .decimal("high") { $0.row.candle?.high ?? $0.row.previousClose },
      .decimal("low") { $0.row.candle?.low ?? $0.row.previousClose },
      .decimal("close") { $0.row.candle?.close ?? $0.row.previousClose },
      .sum("volume_usd") { $0.row.candle?.volumeUSD ?? .zero },
      .sum("volume_token") { $0.row.candle?.volumeToken ?? .zero },
      .sum("buy_volume_usd") { $0.row.candle?.buyVolumeUSD ?? .zero },
      .sum("sell_volume_usd") { $0.row.candle?.sellVolumeUSD ?? .zero },
      .count("trades") { $0.row.candle?.trades ?? 0 },
      .decimal("vwap") { $0.row.candle?.vwap },
      .flag("closed") { $0.row.isClosed },
    ]
    return Self(withToken ? [.text("token") { $0.token }] + figures : figures)
  }
}

/// The statistics of one token, with its name.
public struct StatisticsAnswer: Sendable {
  public var token: ByteString
  public var statistics: TokenStatistics

  public init(token: ByteString, statistics: TokenStatistics) {
    self.token = token
    self.statistics = statistics
  }
}

extension ResultTable where Row == StatisticsAnswer {
  /// `stats`.
  public static var statistics: Self {
    Self([
      .text("token") { $0.token },
      .time("as_of") { $0.statistics.window.asOf },
      .decimal("last_price_usd") { $0.statistics.window.last },
      .sum("volume_24h_usd") { $0.statistics.window.volumeUSD },
      .sum("volume_24h_token") { $0.statistics.window.volumeToken },
      .count("trades_24h") { $0.statistics.window.trades },
      .decimal("open_24h") { $0.statistics.window.open },
      .decimal("high_24h") { $0.statistics.window.high },
      .decimal("low_24h") { $0.statistics.window.low },
      .decimal("change_24h") { $0.statistics.window.change },
      .decimal("change_24h_percent") { $0.statistics.window.changePercent },
      .count("holders") { $0.statistics.holders },
      .sum("supply") { $0.statistics.supply },
      .decimal("market_cap_usd") { $0.statistics.marketCapUSD },
    ])
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
    Self([
      .text("token") { $0.token },
      .time("as_of") { $0.window.asOf },
      .text("window") { ByteString($0.length.rawValue) },
      .sum("volume_usd") { $0.window.volumeUSD },
      .sum("volume_token") { $0.window.volumeToken },
      .count("trades") { $0.window.trades },
      .count("buys") { $0.traders.buys },
      .count("sells") { $0.traders.sells },
      .sum("buy_volume_usd") { $0.window.buyVolumeUSD },
      .sum("sell_volume_usd") { $0.window.sellVolumeUSD },
      .count("traders") { $0.traders.traders },
      .count("buyers") { $0.traders.buyers },
      .count("sellers") { $0.traders.sellers },
      .decimal("open") { $0.window.open },
      .decimal("high") { $0.window.high },
      .decimal("low") { $0.window.low },
      .decimal("change") { $0.window.change },
      .decimal("change_percent") { $0.window.changePercent },
    ])
  }
}

/// One place of a ranking.
public struct RankAnswer: Sendable {
  /// From 1.
  public var rank: Int
  public var token: ByteString
  public var statistics: TokenStatistics

  public init(rank: Int, token: ByteString, statistics: TokenStatistics) {
    self.rank = rank
    self.token = token
    self.statistics = statistics
  }
}

extension ResultTable where Row == RankAnswer {
  /// `top`.
  public static var ranking: Self {
    Self([
      .count("rank") { $0.rank },
      .text("token") { $0.token },
      .sum("volume_24h_usd") { $0.statistics.window.volumeUSD },
      .decimal("last_price_usd") { $0.statistics.window.last },
      .decimal("change_24h_percent") { $0.statistics.window.changePercent },
      .decimal("market_cap_usd") { $0.statistics.marketCapUSD },
      .count("holders") { $0.statistics.holders },
    ])
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
    Self([
      .count("rank") { $0.rank },
      .text("address") { $0.holder.address },
      .sum("balance") { $0.holder.balance },
      .decimal("share_percent") { $0.holder.sharePercent },
    ])
  }
}

extension ResultTable where Row == Explanation {
  /// `explain`: only swaps make prices.
  public static var explanations: Self {
    Self([
      .text("role") { ByteString($0.role.rawValue) },
      .decimal("price") { $0.price },
      .text("kind") { _ in ByteString(EventKind.swap.name) },
      .number("chain") { UInt64($0.key.chain) },
      .number("block") { $0.key.block },
      .number("log_index") { UInt64($0.key.logIndex) },
      .time("timestamp") { $0.key.timestamp },
    ])
  }
}

extension ResultTable where Row == IngestReport {
  /// `ingest`; its JSON is the receipt that ``IngestReport/json()`` writes.
  public static var ingest: Self {
    let totals: [Column<Row>] = [
      .count("accepted") { $0.accepted },
      .count("duplicates") { $0.duplicates },
      .count("rejected") { $0.rejected },
    ]
    return Self(
      isSingle: true,
      totals + RejectionReason.allCases.map { reason in .count(reason.name) { $0.rejected(for: reason) } })
  }
}

/// What an engine holds, with the digest of its answers where it was asked for.
public struct InspectionAnswer: Sendable {
  public var inspection: Inspection
  /// In hexadecimal.
  public var stateDigest: String?

  public init(inspection: Inspection, stateDigest: String?) {
    self.inspection = inspection
    self.stateDigest = stateDigest
  }
}

extension ResultTable where Row == InspectionAnswer {
  /// `inspect`.
  public static func inspection(withDigest: Bool) -> Self {
    let counts: [Column<Row>] = [
      .count("events") { $0.inspection.swaps + $0.inspection.transfers },
      .count("swaps") { $0.inspection.swaps },
      .count("transfers") { $0.inspection.transfers },
      .time("first") { $0.inspection.first },
      .count("tokens") { $0.inspection.tokens },
      .count("addresses") { $0.inspection.addresses },
      .time("newest") { $0.inspection.newest },
      .time("clock") { $0.inspection.clock },
      .time("horizon") { $0.inspection.horizon },
      .count("negative_balances") { $0.inspection.negativeBalances },
      .count("incomplete_tokens") { $0.inspection.incompleteTokens },
    ]
    let digest: [Column<Row>] = [.text("state_digest") { ByteString($0.stateDigest ?? "") }]
    return Self(isSingle: true, withDigest ? counts + digest : counts)
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
    Self(
      isSingle: true,
      [
        .number("chain") { UInt64($0.chain) },
        .number("block") { $0.block },
        .count("undone") { $0.undone },
      ])
  }
}

/// How many events a retraction undid: 1, or it was refused.
public struct RetractAnswer: Sendable {
  public var undone: Int

  public init(undone: Int) { self.undone = undone }
}

extension ResultTable where Row == RetractAnswer {
  /// `retract`.
  public static var retract: Self { Self(isSingle: true, [.count("undone") { $0.undone }]) }
}
