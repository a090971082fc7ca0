// `continuo top`: tokens ranked by one figure.
// Invariant: largest first, empties last, ties by the bytes of the name.
// Not here: the ranking (Continuo), its columns (ContinuoFormats).

internal import ArgumentParser
internal import Continuo
internal import ContinuoFormats

struct Top: ConsoleCommand {
  static let configuration = CommandConfiguration(
    abstract: "Tokens ranked by 24 h volume, 24 h change, market cap or holders.",
    discussion: """
      Example:
        continuo top --input data/ibm-2013-10.csv.gz --by change-24h --limit 5
      """)

  static let settings: [Setting] =
    SourceOptions.settings + OutputOptions.settings + ConsoleOptions.settings + [
      .value("by"), .value("limit"), .value("as-of"), .value("watch"),
    ]

  @Option(help: ArgumentHelp("The figure that ranks.", valueName: "figure"))
  var by: RankingKey = .volume

  @Option(help: ArgumentHelp("How many places.", valueName: "n"))
  var limit = 20

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "The instant (volume-24h, change-24h): RFC 3339, or an integer of --time-unit. (default: the clock)",
      valueName: "time"))
  var asOf: String?

  @Option(
    defaultAsFlag: 1,
    help: ArgumentHelp(
      "Ask again every so many seconds, 1 unless given, until Ctrl-C; what became dearer or cheaper is marked.",
      valueName: "seconds"))
  var watch: Int?

  @OptionGroup var source: SourceOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var consoleOptions: ConsoleOptions

  mutating func validate() throws {
    try Limit.check(limit)
    if asOf != nil, by == .marketCap || by == .holders {
      throw ValidationError(
        "--by \(by.rawValue) is of the present: leave out --as-of, or rank by volume-24h or change-24h")
    }
    guard let watch else { return }
    guard (1...86_400).contains(watch) else { throw ValidationError("'\(watch)' for --watch is not within 1 to 86400") }
    guard asOf == nil, output.format == .table, !source.input.contains("-") else {
      throw ValidationError(
        "--watch shows a table of the present, again and again: leave out --as-of, --format, and standard input")
    }
  }

  func run(_ console: Console) throws {
    let console = console.with(consoleOptions)
    if let watch {
      #if CONTINUO_SERVER
        // The client has threads of its own.
        if source.remote.url != nil { EndWishHandle.hold() }
        if let server = try source.remote.server() {
          var screen = WatchScreen(console)
          return try screen.run(seconds: watch) { try watched(server) }
        }
      #endif
      // What is to be said of the source would be said each time.
      var quiet = console
      quiet.isQuiet = true
      var screen = WatchScreen(console)
      return try screen.run(seconds: watch) { try watched(quiet) }
    }
    #if CONTINUO_SERVER
      let asked = try asOf.map { try source.reading.instant($0, flag: "as-of") }
      if let server = try source.remote.server() { return try ask(server, asked, console) }
    #endif
    var result = ResultStream(.ranking, output, console)
    try forEachPlace(console) { try result.write($0) }
    try result.finish()
  }

  /// The places, first to last; when they were so.
  @discardableResult
  private func forEachPlace(_ console: Console, _ body: (RankAnswer) throws -> Void) throws -> Timestamp? {
    let asked = try asOf.map { try source.reading.instant($0, flag: "as-of") }
    let replay = try Replay.of(source, console)
    guard let instant = asked ?? replay.engine.clock else { return nil }
    let ranking: [TokenStatistics]
    do throws(Refusal) {
      ranking = try replay.engine.ranking(by: by, limit: limit, asOf: instant)
    } catch {
      throw Failure(error)
    }
    for (index, statistics) in ranking.enumerated() {
      let name = replay.engine.name(of: statistics.token)
      try body(RankAnswer(rank: index + 1, token: name, statistics: statistics))
    }
    return instant
  }

  /// The places as they are now, from the source read anew. A directory that another process has open cannot be read: its
  /// server is asked in its place.
  private func watched(_ console: Console) throws -> WatchedRanking {
    var writer = ResultWriter(ResultTable<RankAnswer>.ranking, as: .table)
    var prices: [(token: ByteString, price: Decimal18?)] = []
    let instant = try forEachPlace(console) { place in
      writer.write(place)
      prices.append((place.token, place.statistics.window.last))
    }
    writer.finish()
    return watched(writer.bytes, prices, at: instant)
  }

  /// What is looked at, of the text of a table.
  func watched(
    _ table: [UInt8], _ prices: [(token: ByteString, price: Decimal18?)], at instant: Timestamp?
  ) -> WatchedRanking {
    WatchedRanking(
      title: "top by \(by.rawValue), \(instant.map { "as of \($0)" } ?? "nothing yet"); Ctrl-C ends",
      lines: String(decoding: table, as: UTF8.self).split(separator: "\n").map(String.init), prices: prices)
  }
}
