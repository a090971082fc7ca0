// What the engine answers about a token besides candles.
// Invariant: a figure that is undefined, or does not fit Decimal18 where it is a decimal, is nil.
// Not here: how figures are found (Windows, Standings, Holders), how they are printed (ContinuoFormats).

/// A token of one engine, as a dense number. Valid as long as the engine is.
public struct TokenID: Hashable, Sendable, BitwiseCopyable {
  package var index: Int
  package init(_ index: Int) { self.index = index }
}

/// How long a rolling window is.
public enum WindowLength: String, CaseIterable, Sendable {
  /// Five minutes.
  case fiveMinutes = "5m"
  /// One hour.
  case oneHour = "1h"
  /// Six hours.
  case sixHours = "6h"
  /// 24 hours.
  case oneDay = "24h"
  /// Seven days.
  case sevenDays = "7d"

  /// The window's length in microseconds.
  public var microseconds: Int64 {
    switch self {
    case .fiveMinutes: 300_000_000
    case .oneHour: 3_600_000_000
    case .sixHours: 21_600_000_000
    case .oneDay: 86_400_000_000
    case .sevenDays: 604_800_000_000
    }
  }
}

/// What a token did in (`asOf` − length, `asOf`], exact to the microsecond.
public struct WindowStatistics: Equatable, Sendable {
  /// The instant at which the window ends; a swap at it is in the window.
  public var asOf: Timestamp
  /// Σ `amount_usd`.
  public var volumeUSD = ExactSum.zero
  /// Σ of the `token_amount`s there are.
  public var volumeToken = ExactSum.zero
  /// Σ `amount_usd` of the buys.
  public var buyVolumeUSD = ExactSum.zero
  /// Σ `amount_usd` of the sells.
  public var sellVolumeUSD = ExactSum.zero
  /// How many swaps.
  public var trades = 0
  /// Price of the last swap at or before the window's start, else of the first one in it.
  public var open: Decimal18?
  /// The highest price; nil without a swap in the window.
  public var high: Decimal18?
  /// The lowest price; nil without a swap in the window.
  public var low: Decimal18?
  /// Price of the last swap at or before `asOf`.
  public var last: Decimal18?
  /// `last` − `open`.
  public var change: Decimal18?
  /// `change` × 100 ÷ `open`, half-even.
  public var changePercent: Decimal18?

  /// The statistics of a window without a swap in it or before it. O(1).
  public init(asOf: Timestamp) { self.asOf = asOf }
}

/// Who traded in a window: counted from raw events when read.
public struct WindowTraders: Equatable, Sendable {
  /// How many swaps were buys.
  public var buys = 0
  /// How many swaps were sells.
  public var sells = 0
  /// Distinct wallets.
  public var traders = 0
  /// Distinct wallets that bought.
  public var buyers = 0
  /// Distinct wallets that sold.
  public var sellers = 0

  /// The counts of a window without a swap. O(1).
  public init() {}
}

/// The statistics of one token.
public struct TokenStatistics: Equatable, Sendable {
  /// Whose statistics they are.
  public var token: TokenID
  /// The 24 hours up to `window.asOf`.
  public var window: WindowStatistics
  /// Addresses with a balance over zero; nil as of an instant before the clock.
  public var holders: Int?
  /// Minted − burned; nil while no accepted transfer stands, or as of an instant before the clock.
  public var supply: ExactSum?
  /// Last price × supply, half-even.
  public var marketCapUSD: Decimal18?
}

/// By what tokens are ranked.
public enum RankingKey: String, CaseIterable, Sendable {
  /// Volume in money over 24 hours.
  case volume = "volume-24h"
  /// Change in percent over 24 hours.
  case change = "change-24h"
  /// Market cap.
  case marketCap = "market-cap"
  /// How many addresses hold it.
  case holders = "holders"
}

/// One address that holds a token.
public struct Holder: Equatable, Sendable {
  /// The address, hexadecimal ones in lower case.
  public var address: ByteString
  /// What it holds, over zero.
  public var balance: ExactSum
  /// `balance` × 100 ÷ supply; nil if the supply is not over zero, or it does not fit.
  public var sharePercent: Decimal18?

  package init(address: ByteString, balance: ExactSum, sharePercent: Decimal18?) {
    self.address = address
    self.balance = balance
    self.sharePercent = sharePercent
  }
}

/// Which swap made one of a candle's four prices.
public struct Explanation: Equatable, Sendable {
  /// One of a candle's four prices.
  public enum Role: String, CaseIterable, Sendable {
    /// The first price.
    case open
    /// The highest price; of equal ones the first.
    case high
    /// The lowest price; of equal ones the first.
    case low
    /// The last price.
    case close
  }
  /// Which price it is.
  public var role: Role
  /// The price.
  public var price: Decimal18
  /// Where the swap stands that made it.
  public var key: OrderKey
}

/// What an engine holds, counted.
public struct Inspection: Equatable, Sendable {
  /// Held swaps.
  public var swaps = 0
  /// Held transfers.
  public var transfers = 0
  /// The smallest timestamp of what is held.
  public var first: Timestamp?
  /// Tokens with a held event.
  public var tokens = 0
  /// Distinct addresses with a balance other than zero in any token.
  public var addresses = 0
  /// The largest timestamp ever accepted.
  public var newest: Timestamp?
  /// What time it is for the engine.
  public var clock: Timestamp?
  /// Below it everything was dropped; nil until it first moves.
  public var horizon: Timestamp?
  /// Pairs of token and address whose balance is below zero.
  public var negativeBalances = 0
  /// Tokens whose holders are incomplete.
  public var incompleteTokens = 0
}

/// What became of a batch.
public struct Receipt: Equatable, Sendable {
  /// Events that were taken in.
  public var accepted = 0
  /// Events that stood already, with the same content.
  public var duplicates = 0
  /// Events that were undone by the batch's retractions.
  public var undone = 0
  /// Retractions of events that are not held.
  public var notFound: [EventIdentity] = []
  /// Every rejected row, by line.
  public var rejections: [Rejection] = []

  /// The receipt of an empty batch. O(1).
  public init() {}

  /// How many rows were rejected for each reason, in the order of ``RejectionReason``. O(rejections).
  public var rejectedByReason: [Int] {
    var counts = [Int](repeating: 0, count: RejectionReason.allCases.count)
    for rejection in rejections { counts[Int(rejection.reason.rawValue)] += 1 }
    return counts
  }
}

/// Why the engine refuses a whole call; nothing was changed.
public enum Refusal: Error, Equatable, Sendable {
  /// A batch of more than ``Limits/batchRowsMax`` rows.
  case batchTooLarge(rows: Int)
  /// A batch that would pass ``Limits/tokensMax``.
  case tooManyTokens
  /// A batch that would pass ``Limits/addressesMax``.
  case tooManyAddresses
  /// A rollback to below a block whose events were dropped already.
  case beyondRetention(chain: UInt32, block: UInt64, droppedBlock: UInt64)
  /// A batch whose source has come further already than its position says.
  case positionGoesBack(source: ByteString, offered: UInt128, applied: UInt128)
  /// A batch of one source more than ``Limits/sourcesMax``.
  case tooManySources
  /// An answer that would need events that were dropped already.
  case outsideRetention(asked: Timestamp, horizon: Timestamp)
}
