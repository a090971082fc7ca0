// The groups of flags that several commands share, each beside the list of its settings.
// Invariant: a flag stands in `settings` of its group, so that environment and file can set it too.
// Not here: a command's own flags (Commands), how a value is found (Settings).

public import ArgumentParser
public import Continuo
public import ContinuoFormats
public import ContinuoStorage

extension Interval: ExpressibleByArgument {}
extension Fill: ExpressibleByArgument {}
extension WindowLength: ExpressibleByArgument {}
extension RankingKey: ExpressibleByArgument {}
extension TimeUnit: ExpressibleByArgument {}
extension PriceMode: ExpressibleByArgument {}
extension InputFormat: ExpressibleByArgument {}
extension Preset: ExpressibleByArgument {}
extension OutputFormat: ExpressibleByArgument {}
extension Durability: ExpressibleByArgument {}

extension EventKind: ExpressibleByArgument {
  /// The kind of a name. O(1).
  public init?(argument: String) {
    guard let kind = Self.allCases.first(where: { $0.name == argument }) else { return nil }
    self = kind
  }

  /// The names that there are.
  public static var allValueStrings: [String] { allCases.map(\.name) }
}

/// How much is said, and in which colours.
struct ConsoleOptions: ParsableArguments {
  static let settings: [Setting] = [.flag("quiet"), .flag("no-color"), .value("config")]

  @Flag(help: "Say nothing on stderr but errors.")
  var quiet = false

  @Flag(help: "Use no colours (NO_COLOR and TERM=dumb are honoured too).")
  var noColor = false

  @Option(
    help: ArgumentHelp("A JSON file with settings: {\"interval\": \"1d\"}.", valueName: "file"),
    completion: .file(extensions: ["json"]))
  var config: String?
}

/// How the result is written.
struct OutputOptions: ParsableArguments {
  static let settings: [Setting] = [.value("format")]

  @Option(help: "How the result is written.")
  var format: OutputFormat = .table
}

/// How files are read and their rows judged.
struct ReadingOptions: ParsableArguments {
  static let settings: [Setting] = [
    .value("input-format"), .value("time-unit"), .value("map"), .value("preset"), .flag("no-header"),
    .value("batch-size"), .value("price"), .flag("allow-future"), .value("future-tolerance"),
  ]

  @Option(help: ArgumentHelp("What the input is, where a file's name does not tell.", valueName: "format"))
  var inputFormat: InputFormat?

  @Option(help: ArgumentHelp("What an integer time counts since 1970; it is never guessed.", valueName: "unit"))
  var timeUnit: TimeUnit = .microseconds

  @Option(
    help: ArgumentHelp(
      "Where a stranger's file has the fields: 'price_usd=price,token:=ART,amount_usd=price*qty,block=#'.",
      valueName: "fields"))
  var map: String?

  @Option(help: ArgumentHelp("The fields of a known stranger's file.", valueName: "name"))
  var preset: Preset?

  @Flag(help: "The first line of a CSV file is a row already; --map names columns by position, from 1.")
  var noHeader = false

  @Option(help: ArgumentHelp("How many rows make a batch, 1 to 100000.", valueName: "rows"))
  var batchSize = 10_000

  @Option(
    help: ArgumentHelp(
      "What a price is: price_usd or the amounts' quotient (quoted), or amount_usd itself.", valueName: "mode"))
  var price: PriceMode = .quoted

  @Flag(help: "Take events however far past the wall clock they lie.")
  var allowFuture = false

  @Option(
    help: ArgumentHelp(
      "How far past the wall clock an event may lie: 30s, 5m, 2h, 1d. (default: 5m)", valueName: "length"),
    transform: { try Tolerance.microseconds($0) })
  var futureTolerance = Limits.futureToleranceMicroseconds

  mutating func validate() throws {
    guard (1...Limits.batchRowsMax).contains(batchSize) else {
      throw ValidationError("'\(batchSize)' for --batch-size is not within 1 to \(Limits.batchRowsMax)")
    }
    _ = try fieldMap()
  }

  /// What the file readers need to know.
  func inputOptions() throws -> InputOptions {
    var options = InputOptions()
    options.format = inputFormat
    options.timeUnit = timeUnit
    options.price = price
    options.map = try fieldMap()
    options.hasHeader = !noHeader
    options.batchRows = batchSize
    return options
  }

  /// How an engine is set up that takes the files in.
  func engineSettings(_ retention: RetentionPolicy?) -> Engine.Settings {
    Engine.Settings(
      retention: retention, futureToleranceMicroseconds: allowFuture ? nil : futureTolerance)
  }

  private func fieldMap() throws -> FieldMap? {
    guard map != nil || preset != nil else { return nil }
    do throws(InvalidFieldMap) {
      return try FieldMap(map, preset: preset)
    } catch {
      throw ValidationError("\(error)")
    }
  }

  /// Reads a time that a flag gives. O(length).
  func instant(_ text: String, flag: String) throws -> Timestamp {
    guard let instant = Timestamp(text, unit: timeUnit) else {
      throw ValidationError(
        "'\(text)' for --\(flag) is no time: write 2024-12-01T13:00:00Z, or an integer of --time-unit "
          + "\(timeUnit.rawValue)")
    }
    return instant
  }
}

/// How long events and candles are kept and served.
struct RetentionOptions: ParsableArguments {
  static let settings: [Setting] = [.value("retention")]

  @Option(
    help: ArgumentHelp(
      "How long raw events and candles are kept: raw=90d,1m=30d,1h=forever. A data directory keeps what it was given last, "
        + "these three at first; with --input all is kept unless this is given.",
      valueName: "policy"),
    transform: { try RetentionPolicy($0) })
  var retention: RetentionPolicy?
}

/// The directory that a command writes in.
struct DirectoryOptions: ParsableArguments {
  static let settings: [Setting] = [.value("data-dir")]

  @Option(
    help: ArgumentHelp("The data directory.", valueName: "dir"), completion: .directory)
  var dataDir: String

  mutating func validate() throws { try Self.check(dataDir) }

  static func check(_ path: String?) throws {
    if path == "" { throw ValidationError("'' for --data-dir names no directory") }
  }
}

/// What a read command answers from: a data directory, files, or a server.
struct SourceOptions: ParsableArguments {
  static let settings: [Setting] =
    [
      Setting(name: "input", kind: .list, group: "source"), Setting(name: "data-dir", kind: .value, group: "source"),
    ] + RemoteOptions.settings + RetentionOptions.settings + ReadingOptions.settings

  @Option(
    help: ArgumentHelp("The data directory to answer from. Nothing is written.", valueName: "dir"),
    completion: .directory)
  var dataDir: String?

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Files to replay: .csv .ndjson .jsonl, with .gz or .lz4 too; - is standard input. Nothing is written.",
      valueName: "file"),
    completion: .file())
  var input: [String] = []

  @OptionGroup var remote: RemoteOptions
  @OptionGroup var kept: RetentionOptions
  @OptionGroup var reading: ReadingOptions

  mutating func validate() throws {
    try DirectoryOptions.check(dataDir)
    let given = [("--input", !input.isEmpty), ("--data-dir", dataDir != nil), ("--url", remote.url != nil)]
      .filter(\.1).map(\.0)
    guard !given.isEmpty else {
      throw ValidationError(
        "there is nothing to answer from: give --input FILE..., --data-dir DIR or --url http://127.0.0.1:8321")
    }
    guard given.count == 1 else {
      throw ValidationError("\(given.joined(separator: " and ")) are both given: this command answers from one of them")
    }
    if remote.url != nil, kept.retention != nil {
      throw ValidationError(
        "--retention and --url are both given: the server serves by the retention that it was started with")
    }
  }
}

/// Lengths of time on the command line.
enum Tolerance {
  private static let units: [(suffix: String, microseconds: Int64)] = [
    ("s", 1_000_000), ("m", 60_000_000), ("h", 3_600_000_000), ("d", 86_400_000_000),
  ]

  static func microseconds(_ text: String) throws -> Int64 {
    for (suffix, microseconds) in units where text.hasSuffix(suffix) {
      let digits = text.dropLast(suffix.count)
      guard digits.utf8.allSatisfy({ $0 &- 48 < 10 }), let count = Int64(digits) else { break }
      let (length, overflow) = count.multipliedReportingOverflow(by: microseconds)
      if !overflow { return length }
    }
    throw ValidationError("write a whole number and its unit: 30s, 5m, 2h, 1d")
  }
}
