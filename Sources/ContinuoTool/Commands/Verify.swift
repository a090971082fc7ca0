// `continuo verify`: whether a data directory is what it should be.
// Invariant: nothing is written; exit 1 if anything is wrong.
// Not here: the checks (ContinuoStorage).

internal import ArgumentParser
internal import Continuo
internal import ContinuoFormats
internal import ContinuoStorage

struct Verify: ConsoleCommand {
  static let configuration = CommandConfiguration(
    abstract: "Read all of a data directory: every checksum, every file, every summary against its events.",
    discussion: """
      What is wrong is listed on stderr with file and byte, and exit 1 says that something is. What lies below the horizon \
      is proved by its checksums alone.

      Example:
        continuo verify --data-dir market
      """)

  static let settings: [Setting] = PlaceOptions.settings + OutputOptions.settings + ConsoleOptions.settings

  @OptionGroup var place: PlaceOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var consoleOptions: ConsoleOptions

  func run(_ console: Console) throws {
    let console = console.with(consoleOptions)
    #if CONTINUO_SERVER
      if let server = try place.remote.server() { return try ask(server, console) }
    #endif
    let path = place.directory
    var progress = Progress(console)
    progress.say("reading \(Visible.text(path))")
    defer { progress.finish() }
    let found = try Writing.reporting { try Verification(path: path) }
    progress.finish()
    for failure in found.failures { console.note("continuo: \(Visible.text(failure.what))") }
    for difference in found.differences { console.note("continuo: \(Visible.text(difference))") }
    guard found.isSound else {
      throw Failure(
        .damaged,
        "\(Visible.text(path)): \(found.failures.count) files are damaged, \(found.differences.count) summaries "
          + "differ, \(found.files) files are sound",
        remedy:
          "keep a copy of the directory; 'continuo repair --dry-run' says what can be brought back without a backup")
    }
    var result = ResultStream(.verify, output, console)
    try result.write(VerifyAnswer(files: found.files, bytes: found.bytes, events: found.events))
    try result.finish()
  }
}
