// A data directory copied for a command, with what is to be seen of it meanwhile.
// Invariant: a result is written of a copy alone that was read back and is what was copied.
// Not here: copying (ContinuoStorage), which directory is which (Backup, Restore).

internal import ArgumentParser
internal import Continuo
internal import ContinuoFormats
internal import ContinuoMachine
internal import ContinuoStorage

/// What `backup` and `restore` can be asked for.
struct CopyOptions: ParsableArguments {
  static let settings: [Setting] = [.flag("digest")] + OutputOptions.settings + ConsoleOptions.settings

  @Flag(help: "Compare, and add, state_digest: SHA-256 over every candle, statistic and holder.")
  var digest = false

  @OptionGroup var output: OutputOptions
  @OptionGroup var consoleOptions: ConsoleOptions
}

enum Copying {
  static func copy(from path: String, to target: String, _ options: CopyOptions, _ console: Console) throws {
    let console = console.with(options.consoleOptions)
    let start = MachineHandle.nanoseconds
    var progress = Progress(console)
    defer { progress.finish() }
    let copy = try Writing.reporting {
      try DirectoryCopy(
        from: path, to: target, digest: { options.digest ? try? StateDigest.hexadecimal(of: $0) : nil },
        progress: { step in
          switch step.phase {
          case .reading: progress.say("reading \(Visible.text(path))")
          case .copying: progress.show("copying", bytes: step.bytes, total: step.total)
          case .verifying: progress.say("reading \(Visible.text(target))")
          }
        })
    }
    progress.finish()
    let microseconds = Int64((MachineHandle.nanoseconds - start) / 1000)
    var result = ResultStream(.copy(withDigest: options.digest), options.output, console)
    try result.write(
      CopyAnswer(
        files: copy.files, bytes: copy.bytes, events: copy.events, sequence: copy.sequence, microseconds: microseconds,
        stateDigest: copy.digest))
    try result.finish()
  }
}
