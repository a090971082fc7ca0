// `continuo explain`: why a candle's prices are what they are.
// Invariant: names the one swap that made each of the four prices.
// Not here: finding the swaps (Continuo), the columns (ContinuoFormats).

internal import ArgumentParser
internal import Continuo
internal import ContinuoFormats

struct Explain: ConsoleCommand {
  static let configuration = CommandConfiguration(
    abstract: "The swaps that made a candle's open, high, low and close.",
    discussion: """
      Example:
        continuo explain --input data/ibm-2013-10.csv.gz --token IBM \\
          --interval 1d --bucket 2013-10-08T00:00:00Z
      """)

  static let settings: [Setting] =
    SourceOptions.settings + OutputOptions.settings + ConsoleOptions.settings + [
      .list("token"), .value("interval"), .value("bucket"),
    ]

  @Option(parsing: .unconditionalSingleValue, help: "The token, by the bytes of its name.")
  var token: [String]

  @Option(help: "How long the bucket is.")
  var interval: Interval = .oneHour

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "The start of the bucket: RFC 3339, or an integer of --time-unit.", valueName: "time"))
  var bucket: String

  @OptionGroup var source: SourceOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var consoleOptions: ConsoleOptions

  mutating func validate() throws { token = try TokenChoice.only(token) }

  func run(_ console: Console) throws {
    let console = console.with(consoleOptions)
    let instant = try source.reading.instant(bucket, flag: "bucket")
    guard interval.start(of: instant) == instant else {
      throw ValidationError(
        "'\(bucket)' for --bucket is no start of a \(interval.rawValue) bucket: it lies in the one of "
          + "\(interval.start(of: instant))")
    }
    #if CONTINUO_SERVER
      if let server = try source.remote.server() { return try ask(server, instant, console) }
    #endif
    let replay = try Replay.of(source, console)
    var result = ResultStream(.explanations, output, console)
    for (token, _) in try TokenChoice.find(token, in: replay.engine) {
      let explanations: [Explanation]
      do throws(Refusal) {
        explanations = try replay.engine.explain(token, interval, bucket: instant)
      } catch {
        throw Failure(error)
      }
      for explanation in explanations { try result.write(explanation) }
    }
    try result.finish()
  }
}
