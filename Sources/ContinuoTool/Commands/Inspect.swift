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
      Equal digests mean equal candles, statistics and holders.

      Example:
        continuo inspect --input data/ibm-2013-10.csv.gz --digest
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
    let replay = try Replay.of(source, console)
    var stateDigest: String?
    if digest {
      do throws(Refusal) {
        stateDigest = try StateDigest.hexadecimal(of: replay.engine)
      } catch {
        throw Failure(error)
      }
    }
    var result = ResultStream(.inspection(withDigest: digest), output, console)
    try result.write(InspectionAnswer(inspection: replay.engine.inspection(), stateDigest: stateDigest))
    try result.finish()
  }
}
