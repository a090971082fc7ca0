// `continuo candles`: what tokens did, bucket by bucket.
// Invariant: tokens by bytes, buckets ascending; the token column is left out where exactly one token was asked for.
// Not here: candles (Continuo), their columns (ContinuoFormats).

internal import ArgumentParser
internal import Continuo
internal import ContinuoFormats
internal import ContinuoStorage

struct Candles: ConsoleCommand {
  static let configuration = CommandConfiguration(
    abstract: "Candles: open, high, low, close, volumes, trades and vwap of each bucket of time.",
    discussion: """
      Example:
        continuo candles --input data/ibm-2013-10.csv.gz --interval 1d
        continuo candles --input data/ibm-2013-10.csv.gz --format chart
      """)

  static let settings: [Setting] =
    SourceOptions.settings + CandleOutputOptions.settings + ConsoleOptions.settings + [
      .list("token"), .value("interval"), .value("from"), .value("to"), .value("fill"), .value("limit"),
    ]

  @Option(
    parsing: .unconditionalSingleValue,
    help: "A token, by the bytes of its name; may be given several times. (default: every token)")
  var token: [String] = []

  @Option(help: "How long a bucket is (UTC, weeks from Monday).")
  var interval: Interval = .oneHour

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "The first bucket starts here or later: RFC 3339, or an integer of --time-unit.", valueName: "time"))
  var from: String?

  @Option(
    parsing: .unconditional, help: ArgumentHelp("The last bucket starts before this.", valueName: "time"))
  var to: String?

  @Option(help: "What stands for a bucket without a swap: nothing, nulls, or the close before.")
  var fill: Fill = .none

  @Option(help: ArgumentHelp("Only the newest N candles of each token, filled ones counted.", valueName: "n"))
  var limit: Int?

  @OptionGroup var source: SourceOptions
  @OptionGroup var output: CandleOutputOptions
  @OptionGroup var consoleOptions: ConsoleOptions

  mutating func validate() throws { try Limit.check(limit) }

  func run(_ console: Console) throws {
    let console = console.with(consoleOptions)
    let query = CandleQuery(
      interval,
      from: try from.map { try source.reading.instant($0, flag: "from") },
      to: try to.map { try source.reading.instant($0, flag: "to") },
      fill: fill, limit: limit)
    #if CONTINUO_SERVER
      if let server = try source.remote.server() { return try ask(server, query, console) }
    #endif
    // Of a data directory as much is read as the tokens that are named need.
    let question = token.isEmpty ? nil : CandleQuestion(TokenChoice.distinct(token), query)
    let replay = try Replay.of(source, console, for: question)
    let tokens = try TokenChoice.find(token, in: replay.engine)
    let hasOneToken = TokenChoice.distinct(token).count == 1
    let table = ResultTable.candles(withToken: !hasOneToken)
    if output.format == .csv, tokens.count > 1 {
      try Self.write(tokens, query, table, of: replay.engine)
      return
    }
    if output.format == .chart {
      try Self.draw(tokens, query, console, of: replay.engine)
      return
    }
    var result = ResultStream(table, output.rows, console)
    for (token, name) in tokens {
      try replay.engine.forEachBar(of: token, query) { row in
        try result.write(CandleAnswer(token: name, row: row))
      }
    }
    try result.finish()
  }

  private static func draw(
    _ tokens: [TokenChoice.Named], _ query: CandleQuery, _ console: Console, of engine: borrowing Engine
  ) throws {
    var chart = CandleChart(query.interval, console)
    for (token, name) in tokens {
      var bars: [Bar] = []
      engine.forEachBar(of: token, query) { bars.append($0) }
      try chart.write(name, bars)
    }
  }

  /// The candles of several tokens as CSV, made by two threads.
  private static func write(
    _ tokens: [TokenChoice.Named], _ query: CandleQuery, _ table: ResultTable<CandleAnswer>, of engine: borrowing Engine
  ) throws {
    let market = LentMarket(engine)
    let tokensAPiece = max(1, min(tokensAPieceMax, tokens.count / piecesMin))
    let pieces = (tokens.count + tokensAPiece - 1) / tokensAPiece
    try PieceStream.write(table, pieces: pieces) { piece, result in
      for (token, name) in tokens.dropFirst(piece * tokensAPiece).prefix(tokensAPiece) {
        try market.forEachBar(of: token, query) { row in
          try result.write(CandleAnswer(token: name, row: row))
        }
      }
    }
  }

  /// A piece has so many tokens at most, and fewer where there would not be so many pieces.
  private static let tokensAPieceMax = 8
  private static let piecesMin = 32
}

/// `--limit` of every command.
enum Limit {
  static func check(_ limit: Int?) throws {
    if let limit, limit < 1 { throw ValidationError("'\(limit)' for --limit is under 1") }
  }
}
