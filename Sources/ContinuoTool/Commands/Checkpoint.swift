// `continuo checkpoint`: what has changed goes from the journal into kept files.
// Invariant: what the directory answers stays the same.
// Not here: checkpoints (ContinuoStorage).

internal import ArgumentParser
internal import Continuo
internal import ContinuoFormats
internal import ContinuoMachine
internal import ContinuoStorage

struct Checkpoint: ConsoleCommand {
  static let configuration = CommandConfiguration(
    abstract: "Put what has changed from the journal into kept files: a start is short then.",
    discussion: """
      It is done as the journal grows and when a command that writes ends; by hand it is needed before a copy is made of \
      the directory, or to see what it takes.

      Example:
        continuo checkpoint --data-dir market
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
    let ledger = try Writing.openThere(place.directory, console)
    let start = MachineHandle.nanoseconds
    let receipt = try Writing.reporting { try ledger.checkpoint() }
    let microseconds = Int64((MachineHandle.nanoseconds - start) / 1000)
    var result = ResultStream(.checkpoint, output, console)
    try result.write(CheckpointAnswer(sequence: receipt.sequence, bytes: receipt.bytes, microseconds: microseconds))
    try result.finish()
  }
}
