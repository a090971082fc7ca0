// `continuo retract`: one event undone, as if it had never come.
// Invariant: an event that is not held is an error, and changes nothing.
// Not here: undoing (Continuo), keeping (ContinuoStorage).

internal import ArgumentParser
internal import Continuo
internal import ContinuoFormats
internal import ContinuoStorage

struct Retract: ConsoleCommand {
  static let configuration = CommandConfiguration(
    abstract: "Undo one event, as if it had never come.",
    discussion: """
      Example:
        continuo retract --data-dir market --kind swap \\
          --chain 4 --block 200 --log-index 0
      """)

  static let settings: [Setting] =
    PlaceOptions.settings + OutputOptions.settings + ConsoleOptions.settings + [
      .value("kind"), .value("chain"), .value("block"), .value("log-index"),
    ] + AuditOptions.settings

  @Option(help: "What the event is.")
  var kind: EventKind

  @Option(help: ArgumentHelp("Its chain.", valueName: "number"))
  var chain: UInt32

  @Option(help: ArgumentHelp("Its block.", valueName: "number"))
  var block: UInt64

  @Option(help: ArgumentHelp("Its place in the block.", valueName: "number"))
  var logIndex: UInt32

  @OptionGroup var place: PlaceOptions
  @OptionGroup var audit: AuditOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var consoleOptions: ConsoleOptions

  func run(_ console: Console) throws {
    let console = console.with(consoleOptions)
    let identity = EventIdentity(kind: kind, chain: chain, block: block, logIndex: logIndex)
    #if CONTINUO_SERVER
      if let server = try place.remote.server() { return try ask(server, identity, console) }
    #endif
    let ledger = try Writing.openThere(place.directory, console)
    try Writing.requireUnowned([chain], Writing.ownedChains(ledger, place.directory), place.directory)
    let isUndone = try Writing.reporting {
      let isUndone = try audit.recording(.retract([identity]), in: place.directory) {
        let isUndone = try ledger.retract(identity)
        try ledger.sync()
        return isUndone
      } figures: {
        ($0 ? 1 : 0, ledger.journalPosition.sequence)
      }
      Writing.finishCheckpoints(ledger, place.directory, console)
      return isUndone
    }
    guard isUndone else { throw notHeld }
    var result = ResultStream(.retract, output, console)
    try result.write(RetractAnswer(undone: 1))
    try result.finish()
  }

  /// The event was not there to be undone.
  var notHeld: Failure {
    Failure(
      .notFound, "no \(kind.name) of chain \(chain), block \(block), log index \(logIndex) is held",
      remedy: "it was never accepted, is undone already, or lies below the horizon")
  }
}
