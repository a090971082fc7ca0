// `continuo holders`: who holds a token, largest first.
// Invariant: only balances over zero; a token whose history has gaps is named on stderr.
// Not here: balances (Continuo), their columns (ContinuoFormats).

internal import ArgumentParser
internal import Continuo
internal import ContinuoFormats

struct Holders: ConsoleCommand {
  static let configuration = CommandConfiguration(
    abstract: "The holders of a token, largest first, with their share of the supply.",
    discussion: """
      Example:
        continuo holders --input data/sample.csv --token ART --limit 10
      """)

  static let settings: [Setting] =
    SourceOptions.settings + OutputOptions.settings + ConsoleOptions.settings + [.list("token"), .value("limit")]

  @Option(parsing: .unconditionalSingleValue, help: "The token, by the bytes of its name.")
  var token: [String]

  @Option(help: ArgumentHelp("Only the N largest.", valueName: "n"))
  var limit: Int?

  @OptionGroup var source: SourceOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var consoleOptions: ConsoleOptions

  mutating func validate() throws {
    try Limit.check(limit)
    token = try TokenChoice.only(token)
  }

  func run(_ console: Console) throws {
    let console = console.with(consoleOptions)
    #if CONTINUO_SERVER
      if let server = try source.remote.server() { return try ask(server, console) }
    #endif
    let replay = try Replay.of(source, console)
    var result = ResultStream(.holders, output, console)
    for (token, name) in try TokenChoice.find(token, in: replay.engine) {
      Self.noteIfIncomplete(token, name, replay.engine, console)
      for (index, holder) in replay.engine.holders(of: token, limit: limit).enumerated() {
        try result.write(HolderAnswer(rank: index + 1, holder: holder))
      }
    }
    try result.finish()
  }

  /// Says that a token's holders cannot be trusted: a transfer was rejected, or history is missing.
  static func noteIfIncomplete(_ token: TokenID, _ name: ByteString, _ engine: borrowing Engine, _ console: Console) {
    if engine.isIncomplete(token) { console.note("holders_incomplete: \(Visible.text(name))") }
  }
}
