// `continuo inspect`: what an engine holds, counted, and one number for all of its answers.
// Invariant: reads only.
// Not here: the counts (Continuo), the digest (ContinuoFormats).

internal import ArgumentParser
internal import Continuo
internal import ContinuoFormats

struct Inspect: ConsoleCommand {
  static let configuration = CommandConfiguration(
    abstract: "Counts of what is held: events, tokens, addresses, newest, clock, horizon.",
    discussion: """
      Of a data directory also how large it is. Equal digests mean equal candles, statistics and holders.

      Examples:
        continuo inspect --input data/ibm-2013-10.csv.gz --digest
        continuo inspect --data-dir market
      """)

  static let settings: [Setting] =
    SourceOptions.settings + OutputOptions.settings + ConsoleOptions.settings + [.flag("digest")]

  @Flag(help: "Add state_digest: SHA-256 over every candle, statistic and holder.")
  var digest = false

  @OptionGroup var source: SourceOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var consoleOptions: ConsoleOptions

  func run(_ console: Console) throws {
    let console = console.with(consoleOptions)
    #if CONTINUO_SERVER
      if let server = try source.remote.server() { return try ask(server, console) }
    #endif
    let replay = try Replay.of(source, console)
    var stateDigest: String?
    if digest {
      do throws(Refusal) {
        stateDigest = try StateDigest.hexadecimal(of: replay.engine)
      } catch {
        throw Failure(error)
      }
    }
    let answer = InspectionAnswer(
      inspection: replay.engine.inspection(), directory: replay.directory, stateDigest: stateDigest)
    var result = ResultStream(
      .inspection(ofDirectory: replay.directory != nil, withDigest: digest), output, console)
    try result.write(answer)
    try result.finish()
  }
}
