// How much anybody may ask of the server: every bound that it has of its own.
// Invariant: a bound stands here and nowhere else; what a batch may have stands in Limits.
// Not here: what happens at a bound (who keeps it: BodyIntake, ConnectionWatch, Query).
// Rules 14.3.

internal import Continuo

/// Every limit of the server.
public struct ServerLimits: Equatable, Sendable {
  /// The longest body as it comes, in bytes.
  public var bodyBytesMax = 32 << 20
  /// The longest body once it is inflated, in bytes; a batch has no more text than ``Continuo/Limits/batchBytesMax`` either.
  public var inflatedBytesMax = 256 << 20
  /// By how much a body may grow where it is inflated, once it is a mebibyte.
  public var inflateRatioMax = 100
  /// The longest body of a request that is no batch, in bytes.
  public var smallBodyBytesMax = 1 << 20
  /// How deep the JSON of such a body may be nested.
  public var jsonDepthMax = 8
  /// How many bytes of bodies are held at once, of all requests.
  public var heldBytesMax = 512 << 20
  /// The longest header, and all headers of a request, in bytes; and how many there may be.
  public var headerBytesMax = 16 << 10
  public var headersMax = 100
  /// How many connections are open at once; more wait to be accepted.
  public var connectionsMax = 1024
  /// How long a connection may do nothing between its requests, in seconds.
  public var idleSeconds = 60
  /// How long a handshake of TLS may take, in seconds.
  public var handshakeSeconds = 10
  /// How long a request may take from its first byte to the last one of its answer, in seconds.
  public var requestSeconds = 60
  /// How long a request waits for a directory that is still being read, in seconds.
  public var restoringSeconds = 10
  /// A directory of so many bytes is read in a moment: it is ready as soon as candles are answered, one that is longer when all is.
  public var earlyBytesMax: Int64 = 512 << 20
  /// How many rows an answer has, unless it is asked for more, and at most.
  public var rowsUsual = 500
  public var rowsMax = 5000
  /// How many candles an answer for TradingView has at most: the newest of those that were asked for.
  public var barsMax = 50_000
  /// How many bytes the texts of closed candles take that are kept.
  public var candleTextBytesMax = 256 << 20
  /// A stream tells of a candle once in so many milliseconds at most, and 0 does not hold anything back.
  public var streamMilliseconds = 250
  /// How many tokens a stream follows at most, each at every interval.
  public var streamTokensMax = 100
  /// How long a stream says nothing before it says that it is there, in seconds.
  public var streamQuietSeconds = 15
  /// How long who reads a stream may be behind, in seconds.
  public var streamBehindSeconds = 5
  /// How much memory the process has when it takes no more events, in bytes; nil: as much as there is.
  public var memoryBytesMax: Int?
  /// How many threads wait for the disk, and make long answers.
  public var threads = 4

  /// The limits that hold unless others are given. O(1).
  public init() {}

  /// Those that somebody may run into, as metrics have them.
  var figures: [(name: String, value: Int)] {
    [
      ("body_bytes", bodyBytesMax), ("inflated_bytes", inflatedBytesMax), ("inflate_ratio", inflateRatioMax),
      ("small_body_bytes", smallBodyBytesMax), ("held_body_bytes", heldBytesMax), ("json_depth", jsonDepthMax),
      ("header_bytes", headerBytesMax), ("headers", headersMax), ("connections", connectionsMax),
      ("idle_seconds", idleSeconds), ("request_seconds", requestSeconds),
      ("restoring_seconds", restoringSeconds), ("early_bytes", Int(earlyBytesMax)), ("batch_rows", Limits.batchRowsMax),
      ("batch_bytes", Limits.batchBytesMax), ("line_bytes", Limits.lineBytesMax), ("answer_rows", rowsMax),
      ("answer_candles", barsMax), ("handshake_seconds", handshakeSeconds), ("stream_milliseconds", streamMilliseconds),
      ("stream_tokens", streamTokensMax), ("stream_quiet_seconds", streamQuietSeconds),
      ("stream_behind_seconds", streamBehindSeconds),
    ] + (memoryBytesMax.map { [("memory_bytes", $0)] } ?? [])
  }
}
