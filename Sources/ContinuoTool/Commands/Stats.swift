// `continuo stats`: rolling figures of tokens at an instant.
// Invariant: every figure is as of one instant, the clock unless asked otherwise.
// Not here: windows, holders, market cap (Continuo), their columns (ContinuoFormats).

internal import ArgumentParser
internal import Continuo
internal import ContinuoFormats

struct Stats: ConsoleCommand {
  static let configuration = CommandConfiguration(
    abstract: "Statistics at an instant: last price, rolling 24 hours, holders, supply, market cap.",
    discussion: """
      With --window: volumes, trades, buys, sells and distinct traders of another length.

      Examples:
        continuo stats --input data/ibm-2013-10.csv.gz --format json
        continuo stats --input data/ibm-2013-10.csv.gz --window 5m \\
          --as-of 2013-10-09T15:00:00Z
      """)

  static let settings: [Setting] =
    SourceOptions.settings + OutputOptions.settings + ConsoleOptions.settings + [
      .list("token"), .value("as-of"), .value("window"),
    ]

  @Option(
    parsing: .unconditionalSingleValue,
    help: "A token, by the bytes of its name; may be given several times. (default: every token)")
  var token: [String] = []

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "The instant, exact to the microsecond: RFC 3339, or an integer of --time-unit. (default: the clock)",
      valueName: "time"))
  var asOf: String?

  @Option(help: ArgumentHelp("The figures of a rolling window of this length.", valueName: "length"))
  var window: WindowLength?

  @OptionGroup var source: SourceOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var consoleOptions: ConsoleOptions

  func run(_ console: Console) throws {
    let console = console.with(consoleOptions)
    let asked = try asOf.map { try source.reading.instant($0, flag: "as-of") }
    #if CONTINUO_SERVER
      if let server = try source.remote.server() { return try ask(server, asked, console) }
    #endif
    let replay = try Replay.of(source, console)
    let tokens = try TokenChoice.find(token, in: replay.engine)
    let instant = asked ?? replay.engine.clock
    if let window {
      try writeWindows(window, tokens, instant, replay.engine, console)
    } else {
      try writeStatistics(tokens, instant, replay.engine, console)
    }
  }

  private func writeStatistics(
    _ tokens: [TokenChoice.Named], _ instant: Timestamp?, _ engine: borrowing Engine, _ console: Console
  ) throws {
    var result = ResultStream(.statistics, output, console)
    if let instant {
      for (token, name) in tokens {
        let statistics: TokenStatistics
        do throws(Refusal) {
          statistics = try engine.statistics(of: token, asOf: instant)
        } catch {
          throw Failure(error)
        }
        try result.write(StatisticsAnswer(token: name, statistics: statistics))
        // Holders are of the present: an instant before the clock does not show them.
        if let clock = engine.clock, instant >= clock { Holders.noteIfIncomplete(token, name, engine, console) }
      }
    }
    try result.finish()
  }

  private func writeWindows(
    _ length: WindowLength, _ tokens: [TokenChoice.Named], _ instant: Timestamp?, _ engine: borrowing Engine,
    _ console: Console
  ) throws {
    var result = ResultStream(.windows, output, console)
    if let instant {
      for (token, name) in tokens {
        let answer: WindowAnswer
        do throws(Refusal) {
          answer = WindowAnswer(
            token: name, length: length, window: try engine.window(length, of: token, asOf: instant),
            traders: try engine.traders(length, of: token, asOf: instant))
        } catch {
          throw Failure(error)
        }
        try result.write(answer)
      }
    }
    try result.finish()
  }
}
