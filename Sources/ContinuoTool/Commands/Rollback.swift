// `continuo rollback`: every event of a chain above a block undone, as after a reorganisation of the chain.
// Invariant: nothing is undone unless somebody said yes; `--dry-run` writes nothing.
// Not here: undoing (Continuo), keeping (ContinuoStorage).

internal import ArgumentParser
internal import Continuo
internal import ContinuoBytes
internal import ContinuoFormats
internal import ContinuoStorage

struct Rollback: ConsoleCommand {
  static let configuration = CommandConfiguration(
    abstract: "Undo every event of a chain above a block, as if it had never come.",
    discussion: """
      Asks on a terminal, and wants --yes elsewhere. The same events can be ingested again.

      Example:
        continuo rollback --data-dir market --chain 4 --block 100000 --dry-run
      """)

  static let settings: [Setting] =
    PlaceOptions.settings + OutputOptions.settings + ConsoleOptions.settings + [
      .value("chain"), .value("block"), .flag("dry-run"), .flag("yes"),
    ] + AuditOptions.settings

  @Option(help: ArgumentHelp("The chain.", valueName: "number"))
  var chain: UInt32

  @Option(help: ArgumentHelp("The last block that stands.", valueName: "number"))
  var block: UInt64

  @Flag(help: "Say how many events would be undone, and write nothing.")
  var dryRun = false

  @Flag(help: "Do not ask.")
  var yes = false

  @OptionGroup var place: PlaceOptions
  @OptionGroup var audit: AuditOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var consoleOptions: ConsoleOptions

  func run(_ console: Console) throws {
    let console = console.with(consoleOptions)
    #if CONTINUO_SERVER
      if let server = try place.remote.server() { return try ask(server, console) }
    #endif
    let undone: Int
    if dryRun {
      // The copy in memory is rolled back: it also knows where that is refused.
      var replay = try Replay.of(directory: place.directory, nil, console)
      undone = try Writing.reporting { try replay.engine.rollback(chain: chain, above: block) }
      console.note("continuo: dry run: nothing was written")
    } else {
      undone = try undo(console)
    }
    var result = ResultStream(.rollback, output, console)
    try result.write(RollbackAnswer(chain: chain, block: block, undone: undone))
    try result.finish()
  }

  private func undo(_ console: Console) throws -> Int {
    if !yes { try Writing.requireTerminal(orSee: "what would be undone") }
    let ledger = try Writing.openThere(place.directory, console)
    try Writing.requireUnowned([chain], Writing.ownedChains(ledger, place.directory), place.directory)
    if !yes {
      let count = ledger.eventCount(chain: chain, above: block)
      try Writing.confirm(
        "undo \(count) events of chain \(chain) above block \(block) in \(Visible.text(place.directory))?",
        orSay: "nothing was undone")
    }
    return try Writing.reporting {
      let undone = try audit.recording(.rollback(chain: chain, block: block), in: place.directory) {
        let undone = try ledger.rollback(chain: chain, above: block)
        try ledger.sync()
        return undone
      } figures: { (undone: Int) in
        (undone, ledger.journalPosition.sequence)
      }
      Writing.finishCheckpoints(ledger, place.directory, console)
      return undone
    }
  }
}
