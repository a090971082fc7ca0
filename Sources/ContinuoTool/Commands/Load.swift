// `continuo load`: a market drawn from a seed into an engine, and what that took.
// Invariant: the market is drawn whole before the first batch and held to the end; drawing it is never timed.
// Not here: the market (ContinuoMarket), the timed part (LoadRun), the report's form (LoadReport).

internal import ArgumentParser
internal import Continuo
internal import ContinuoBytes
internal import ContinuoFormats
internal import ContinuoMachine
internal import ContinuoMarket

struct Load: ConsoleCommand {
  static let configuration = CommandConfiguration(
    abstract: "Synthetic swaps or transfers into an engine, and what it took: rate, memory, time of a read.",
    discussion: """
      The market is drawn from the seed before the clock starts: tokens by popularity (Zipf 1.1), 2 s blocks, prices that
      walk, 1 % of the events up to 10 minutes late. Timed are judging, applying, and a read of every token at the end.
      Unless --cold, a second process touches and frees as much memory as the run will need, so that the figure is the
      engine's and not the host's.

      Example:
        continuo load --in-process --events 100000 --format json
      """)

  static let settings: [Setting] =
    OutputOptions.settings + ConsoleOptions.settings
    + ["events", "tokens", "days", "seed", "batch", "duplicates", "digits", "order", "readers", "wallets", "write"].map
  {
    .value($0)
  } + ["in-process", "cold", "transfers", "uniform", "addresses", "digest"].map { .flag($0) }

  @Flag(help: "Into an engine in this process, in memory.")
  var inProcess = false

  @Option(help: ArgumentHelp("How many events happen.", valueName: "n"))
  var events = 10_000_000

  @Option(help: ArgumentHelp("How many tokens there are.", valueName: "n"))
  var tokens = 10_000

  @Option(help: ArgumentHelp("How many days they happen in.", valueName: "n"))
  var days = 30

  @Option(help: ArgumentHelp("What decides every value of the market.", valueName: "n"))
  var seed: UInt64 = 7

  @Option(help: ArgumentHelp("How many rows make a batch, 1 to 100000.", valueName: "rows"))
  var batch = 10_000

  @Option(
    help: ArgumentHelp("Which share of the events is delivered twice: 0.01 or 1%.", valueName: "share"),
    transform: { try Share($0).value })
  var duplicates = 0.0

  @Option(help: ArgumentHelp("Fractional digits of amounts: 8, or 18 and no price quoted.", valueName: "n"))
  var digits = 8

  @Option(help: "As they happen with some late, or in no order at all.")
  var order: DeliveryOrder = .arrival

  @Option(help: ArgumentHelp("How many wallets trade at most.", valueName: "n"))
  var wallets = 1_000_000

  @Option(help: ArgumentHelp("How many threads read candles all the while, as fast as they can.", valueName: "n"))
  var readers = 0

  @Flag(help: "Do not touch memory first: the host hands it over while the clock runs.")
  var cold = false

  @Flag(help: "Transfers instead of swaps.")
  var transfers = false

  @Flag(help: "Draw tokens and wallets uniformly, not by popularity.")
  var uniform = false

  @Flag(help: "Name wallets by addresses of 20 bytes, not by numbers.")
  var addresses = false

  @Flag(help: "Add state_digest: SHA-256 over every candle, statistic and holder.")
  var digest = false

  @Option(
    help: ArgumentHelp("Write the market to FILE (.csv, .ndjson; - is standard output) and stop.", valueName: "file"),
    completion: .file(extensions: ["csv", "ndjson"]))
  var write: String?

  @OptionGroup var output: OutputOptions
  @OptionGroup var consoleOptions: ConsoleOptions

  mutating func validate() throws {
    try Self.check(events, "events", 1...Self.eventsMax)
    try Self.check(tokens, "tokens", 1...Limits.tokensMax)
    try Self.check(days, "days", 1...Self.daysMax)
    try Self.check(batch, "batch", 1...Limits.batchRowsMax)
    try Self.check(readers, "readers", 0...Self.readersMax)
    try Self.check(wallets, "wallets", 1...Self.walletsMax)
    guard digits == 8 || digits == 18 else { throw ValidationError("'\(digits)' for --digits is neither 8 nor 18") }
    if let write, write != "-", !write.hasSuffix(".csv"), !write.hasSuffix(".ndjson") {
      throw ValidationError("'\(write)' for --write ends neither in .csv nor in .ndjson")
    }
    guard inProcess || write != nil else {
      throw ValidationError("load needs --in-process (or --write FILE): there is no server to send events to yet")
    }
  }

  private static let eventsMax = 1_000_000_000
  private static let daysMax = 3_650
  private static let readersMax = 64
  private static let walletsMax = 9_999_999

  private static func check(_ value: Int, _ flag: String, _ range: ClosedRange<Int>) throws {
    guard !range.contains(value) else { return }
    throw ValidationError("'\(value)' for --\(flag) is not within \(range.lowerBound) to \(range.upperBound)")
  }

  private var shape: MarketShape {
    var shape = MarketShape(events: events)
    shape.kind = transfers ? .transfers : .swaps
    shape.tokens = tokens
    shape.days = days
    shape.seed = seed
    shape.duplicates = duplicates
    shape.isWide = digits == 18
    shape.order = order.order
    shape.isUniform = uniform
    shape.wallets = wallets
    shape.names = addresses ? .addresses : .numbers
    return shape
  }

  func run(_ console: Console) throws {
    let console = console.with(consoleOptions)
    let start = MachineHandle.nanoseconds
    var progress = Progress(console)
    progress.say("drawing \(events) events")
    let market = Market(shape)
    progress.finish()
    if let write { return try Self.write(market, to: write) }
    let touchCost = cold ? MachineHandle.touch(bytes: Self.sampleBytes) : try touchFirst()
    var report = try LoadRun.report(market, batchRows: batch, readers: readers, hasDigest: digest, console)
    report.touchNanosecondsPerByte = touchCost
    report.wallNanoseconds = MachineHandle.nanoseconds - start
    try StandardOutput.write(Array(report.text(output.format).utf8))
    withExtendedLifetime(market) {}
  }

  private static let rowsWrittenAtOnce = 10_000

  private static func write(_ market: Market, to path: String) throws {
    let format: MarketTextFormat = path.hasSuffix(".ndjson") ? .ndjson : .csv
    let output = path == "-" ? DescriptorHandle.standardOutput : MachineHandle.create(path)
    guard let output else {
      throw Failure(
        .storageFailed, "\(Visible.text(path)) cannot be written", remedy: "name a file in a folder that is there")
    }
    var text = market.header(format)
    do {
      for rows in market.batches(of: rowsWrittenAtOnce) {
        market.append(rows, as: format, to: &text)
        try output.write(text)
        text.removeAll(keepingCapacity: true)
      }
    } catch DescriptorFailure.closed {
      throw DescriptorFailure.closed
    } catch {
      throw Failure(
        .storageFailed, "\(Visible.text(path)): \(error)", remedy: "see whether the disk is full, then ask again")
    }
  }

  /// As much as an event may take of memory while it is taken in, in bytes: rather too much than too little.
  private static let bytesPerEvent = 160
  private static let bytesPerWideEvent = 224
  private static let bytesAlways = 256 << 20
  /// A piece that is small beside what the run needs, and large beside what a clock can tell.
  private static let sampleBytes = 32 << 20

  /// Lets another process touch and free what the run will need; then what touching costs now, in nanoseconds a byte.
  private func touchFirst() throws -> Double {
    let bytes = events * (digits == 18 ? Self.bytesPerWideEvent : Self.bytesPerEvent) + Self.bytesAlways
    guard MachineHandle.runAgain([TouchMemory._commandName, String(bytes)]) else {
      throw Failure(
        .storageFailed, "\(bytes >> 20) MiB of memory could not be touched ahead",
        remedy: "lower --events, or leave the host its memory with --cold")
    }
    return MachineHandle.touch(bytes: Self.sampleBytes)
  }
}

/// `--order`.
enum DeliveryOrder: String, CaseIterable, ExpressibleByArgument {
  case arrival, random

  var order: MarketShape.Order { self == .arrival ? .arrival : .random }
}

/// A share of a whole: `0.01`, `1%`; a number from 1 up without the sign counts percent too.
private struct Share {
  let value: Double

  init(_ text: String) throws {
    let isPercent = text.hasSuffix("%")
    guard let number = Double(isPercent ? String(text.dropLast()) : text), number >= 0, number <= 100 else {
      throw ValidationError("write a share of the events: 0.01 or 1%, at most 100%")
    }
    value = isPercent || number >= 1 ? number / 100 : number
  }
}

/// What a load starts as a process of its own: memory that is touched and given back.
struct TouchMemory: ConsoleCommand {
  static let configuration = CommandConfiguration(
    commandName: "touch-memory",
    abstract: "Touch so many bytes of memory and free them: what 'load' does in a second process.", shouldDisplay: false
  )

  static let settings: [Setting] = []

  @Argument(help: ArgumentHelp("How much memory is touched.", valueName: "bytes"))
  var bytes: Int

  mutating func validate() throws {
    guard bytes > 0 else { throw ValidationError("'\(bytes)' is no number of bytes to touch") }
  }

  func run(_ console: Console) throws { _ = MachineHandle.touch(bytes: bytes) }
}
