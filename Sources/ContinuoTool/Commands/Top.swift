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
      .value("by"), .value("limit"), .value("as-of"),
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

  @OptionGroup var source: SourceOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var consoleOptions: ConsoleOptions

  mutating func validate() throws {
    try Limit.check(limit)
    if asOf != nil, by == .marketCap || by == .holders {
      throw ValidationError(
        "--by \(by.rawValue) is of the present: leave out --as-of, or rank by volume-24h or change-24h")
    }
  }

  func run(_ console: Console) throws {
    let console = console.with(consoleOptions)
    let asked = try asOf.map { try source.reading.instant($0, flag: "as-of") }
    #if Server
      if let server = try source.remote.server() { return try ask(server, asked, console) }
    #endif
    let replay = try Replay.of(source, console)
    var result = ResultStream(.ranking, output, console)
    if let instant = asked ?? replay.engine.clock {
      let ranking: [TokenStatistics]
      do throws(Refusal) {
        ranking = try replay.engine.ranking(by: by, limit: limit, asOf: instant)
      } catch {
        throw Failure(error)
      }
      for (index, statistics) in ranking.enumerated() {
        let name = replay.engine.name(of: statistics.token)
        try result.write(RankAnswer(rank: index + 1, token: name, statistics: statistics))
      }
    }
    try result.finish()
  }
}
