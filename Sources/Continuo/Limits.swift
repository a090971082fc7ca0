// Every bound there is, in one place.
// Invariant: a bound stands here and nowhere else; LimitTests hold them to the contract and to each other.
// Not here: what happens at a bound (Judgement for rows, Engine for batches).
// Rules 3.10.

/// Every limit of the engine and its formats.
public enum Limits {
  /// The longest line of an input file in bytes; a longer one is one rejected row.
  public static let lineBytesMax = 64 * 1024
  /// The most rows in one batch; a larger batch is refused whole.
  public static let batchRowsMax = 100_000
  /// How many bytes of text one batch of an input file gathers before it ends early.
  public static let batchBytesMax = 64 * 1024 * 1024
  /// The most rows of several batches that are taken as one.
  public static let wholeRowsMax = 2_000_000
  /// The most bytes of text of several batches that are taken as one.
  public static let wholeBytesMax = 1 << 30
  /// How much of an input file is read at once, in bytes.
  public static let inputBlockBytes = 256 * 1024
  /// How many unknown columns or keys of an input file are warned of, each once.
  public static let unknownNamesListedMax = 100
  /// The most tokens an engine holds.
  public static let tokensMax = 1_000_000
  /// The most addresses and wallets an engine holds.
  public static let addressesMax = 50_000_000
  /// The longest token in bytes.
  public static let tokenBytesMax = 64
  /// The longest wallet or address in bytes.
  public static let addressBytesMax = 128
  /// The most sources whose positions an engine holds.
  public static let sourcesMax = 16
  /// The longest name of a source in bytes.
  public static let sourceBytesMax = 64
  /// How much of a rejected value is repeated, in characters.
  public static let rejectedValueCharactersMax = 100
  /// How many rejections a receipt lists; all are counted.
  public static let rejectionsListedMax = 1_000
  /// How far past the wall clock an event may lie, in microseconds, unless configured otherwise.
  public static let futureToleranceMicroseconds: Int64 = 300_000_000
  /// The shortest raw retention in microseconds: 7 d, so that every window can be answered at the clock.
  public static let rawRetentionMicrosecondsMin: Int64 = 604_800_000_000
  /// How many swaps, transfers, identities and stored candles one packed chunk is made of.
  package static let swapChunkRows = 64
  package static let swapChunkRowsMax = 256
  /// From how many swaps of a token on its chunks are the longer ones.
  package static let swapChunkRowsFrom = 4096
  package static let transferChunkRows = 64
  package static let identityChunkRows = 128
  package static let candleChunkRows = 32
  /// How many identities of a chain stay unpacked.
  package static let identityTailRowsMax = 512
}
