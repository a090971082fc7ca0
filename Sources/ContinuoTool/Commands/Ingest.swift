// `continuo ingest`: rows judged, kept in a data directory, and a receipt of what became of them.
// Invariant: every rejected row is counted, the first thousand are listed; exit 0 says that all that was accepted is durable.
// Not here: judging (Continuo), keeping (ContinuoStorage), the receipt's form (ContinuoFormats).

internal import ArgumentParser
internal import Continuo
internal import ContinuoBytes
internal import ContinuoFormats
internal import ContinuoStorage

struct Ingest: ConsoleCommand {
  static let configuration = CommandConfiguration(
    abstract: "Take the rows of files in and print the receipt: accepted, duplicates, rejected by reason.",
    discussion: """
      With --data-dir what is accepted is kept there, in the order of the rows: exit 0 says that it is on the disk, and \
      after a crash a beginning of the rows is there. The same files again complete it: what is there already counts as \
      duplicates. Without --data-dir nothing is kept.

      The rejected rows are listed on stderr with file, line, reason, field and value.

      With --url the rows go to a server, a batch a request: what is answered is there.

      Examples:
        continuo ingest --data-dir market data/ibm-2013-10.csv.gz
        continuo ingest data/ibm-2013-10.csv.gz --format json
      """)

  static let settings: [Setting] =
    RemoteOptions.settings + ReadingOptions.settings + RetentionOptions.settings + OutputOptions.settings
    + ConsoleOptions.settings + [
      Setting(name: "data-dir", kind: .value, group: "source"), .value("durability"), .flag("verify-on-start"),
      .flag("ordered"), .flag("strict"),
    ]

  @Argument(
    help: ArgumentHelp("Files to take in; - (or none) is standard input.", valueName: "file"), completion: .file())
  var files: [String] = []

  @Option(
    help: ArgumentHelp("The data directory to keep the rows in; it is made where there is none.", valueName: "dir"),
    completion: .directory)
  var dataDir: String?

  @Option(
    help: ArgumentHelp(
      "How far a batch is when the next one is read: on the disk (sync), with the system (os), or nowhere yet (none).",
      valueName: "level"))
  var durability: Durability = .sync

  @Flag(help: "Before anything is written, compare every summary of the directory with its events, as verify does.")
  var verifyOnStart = false

  @Flag(
    help: "Let go of what --retention does not keep after each batch, not only at the end: rows come in their order.")
  var ordered = false

  @Flag(help: "Exit with 1 if a row was rejected.")
  var strict = false

  @OptionGroup var remote: RemoteOptions
  @OptionGroup var kept: RetentionOptions
  @OptionGroup var reading: ReadingOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var consoleOptions: ConsoleOptions

  mutating func validate() throws {
    try DirectoryOptions.check(dataDir)
    if dataDir != nil, remote.url != nil {
      throw ValidationError("--data-dir and --url are both given: the rows go to one of them")
    }
  }

  func run(_ console: Console) throws {
    let console = console.with(consoleOptions)
    let files = files.isEmpty ? ["-"] : files
    if files.contains("-"), DescriptorHandle.standardInput.isTerminal {
      let usage = Continuo.usageString(for: Self.self)
      throw ValidationError("\(usage): standard input is a terminal: name a FILE, or send one with '- < FILE'")
    }
    var feed = Feed(reading)
    #if CONTINUO_SERVER
      if let server = try remote.server() {
        try requireServersOwn()
        let last = try send(files, to: server, &feed, console)
        try write(feed, console)
        console.note(last)
        return try requireAccepted(feed)
      }
    #endif
    if let dataDir {
      let last = try keep(files, in: dataDir, &feed, console)
      try write(feed, console)
      console.note(last)
    } else {
      var engine = Engine(reading.engineSettings(kept.retention))
      try feed.run(files, reading, console) { batch in try engine.apply(batch, wallClock: Feed.wallClock) }
      feed.noteWarnings(newest: engine.newest, first: { engine.inspection().first }, console)
      try write(feed, console)
      console.note("continuo: judged only: nothing was kept")
    }
    try requireAccepted(feed)
  }

  /// Fails where a row was rejected and none may be.
  private func requireAccepted(_ feed: Feed) throws {
    if strict, feed.report.rejected > 0 {
      throw Failure(
        .rejected, "\(feed.report.rejected) of \(feed.report.rows) rows were rejected",
        remedy: "correct them, or leave out --strict")
    }
  }

  // MARK: the directory

  /// Takes the files into a data directory. All of it is durable when this returns.
  ///
  /// - Returns: what there is to say of how far the journal is.
  private func keep(_ files: [String], in path: String, _ feed: inout Feed, _ console: Console) throws -> String {
    var options = Ledger.Options(engine: reading.engineSettings(kept.retention), durability: durability)
    options.price = reading.price
    options.verifiesOnStart = verifyOnStart
    let ledger = try Writing.open(path, options, console)
    let owned = try Writing.ownedChains(ledger, path)
    do {
      try feed.run(files, reading, console) { batch in
        if !owned.isEmpty { try Writing.requireUnowned(batch.chains, owned, path) }
        let receipt = try ledger.take(batch, wallClock: Feed.wallClock)
        if ordered { _ = try ledger.moveHorizon() }
        return receipt
      }
    } catch {
      // A file that cannot be read takes nothing back: what came before it is kept, and as durable as all else.
      if let position = try? Writing.finish(ledger, path) {
        console.note("continuo: what was taken in before is kept: \(position)")
      }
      throw error
    }
    let position = try Writing.reporting {
      if !ordered { _ = try ledger.moveHorizon() }
      return try Writing.finish(ledger, path)
    }
    Writing.finishCheckpoints(ledger, path, console)
    feed.report.sequence = ledger.journalPosition.sequence
    var reader = ledger.publication().reader()
    reader.read { market in
      feed.noteWarnings(newest: market.newest, first: { market.inspection().first }, console)
    }
    let until =
      durability == .sync ? "" : "; until it was synced at the end, only as far as --durability \(durability.rawValue)"
    return "continuo: \(position)\(until)"
  }

  // MARK: the receipt

  private func write(_ feed: Feed, _ console: Console) throws {
    for entry in feed.report.rejections { console.note(Feed.line(entry)) }
    if feed.report.rejected > 0 { feed.noteCounts(console) }
    guard output.format != .json else { return try StandardOutput.write(feed.report.json()) }
    var result = ResultStream(.ingest, output, console)
    try result.write(feed.report)
    try result.finish()
  }
}
