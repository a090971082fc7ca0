// `continuo ingest`: rows judged, and a receipt of what became of them.
// Invariant: every rejected row is counted, the first thousand are listed; without a directory nothing is kept.
// Not here: judging (Continuo), the receipt's form (ContinuoFormats).

internal import ArgumentParser
internal import Continuo
internal import ContinuoBytes
internal import ContinuoFormats

struct Ingest: ConsoleCommand {
  static let configuration = CommandConfiguration(
    abstract: "Judge the rows of files and print the receipt: accepted, duplicates, rejected by reason.",
    discussion: """
      The rejected rows are listed on stderr with file, line, reason, field and value. Nothing is kept.

      Example:
        continuo ingest data/ibm-2013-10.csv.gz --format json
      """)

  static let settings: [Setting] =
    ReadingOptions.settings + OutputOptions.settings + ConsoleOptions.settings + [.flag("strict")]

  @Argument(
    help: ArgumentHelp("Files to judge; - (or none) is standard input.", valueName: "file"), completion: .file())
  var files: [String] = []

  @Flag(help: "Exit with 1 if a row was rejected.")
  var strict = false

  @OptionGroup var reading: ReadingOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var consoleOptions: ConsoleOptions

  func run(_ console: Console) throws {
    let console = console.with(consoleOptions)
    let files = files.isEmpty ? ["-"] : files
    if files.contains("-"), DescriptorHandle.standardInput.isTerminal {
      let usage = Continuo.usageString(for: Self.self)
      throw ValidationError("\(usage): standard input is a terminal: name a FILE, or send one with '- < FILE'")
    }
    let replay = try Replay.of(files, reading, nil, console)
    replay.noteWarnings(console)
    for entry in replay.report.rejections { console.note(Replay.line(entry)) }
    if replay.report.rejected > 0 { replay.noteCounts(console) }
    if output.format == .json {
      try StandardOutput.write(replay.report.json())
    } else {
      var result = ResultStream(.ingest, output, console)
      try result.write(replay.report)
      try result.finish()
    }
    console.note("continuo: judged only: nothing was kept")
    if strict, replay.report.rejected > 0 {
      throw Failure(
        .rejected, "\(replay.report.rejected) of \(replay.report.rows) rows were rejected",
        remedy: "correct them, or leave out --strict")
    }
  }
}
