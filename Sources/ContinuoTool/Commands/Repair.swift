// `continuo repair`: a damaged data directory made sound again, and what that costs.
// Invariant: nothing that was acknowledged is given up unless somebody said so; `--dry-run` writes nothing.
// Not here: what can be brought back (ContinuoStorage).

internal import ArgumentParser
internal import Continuo
internal import ContinuoBytes
internal import ContinuoFormats
internal import ContinuoStorage

struct Repair: ConsoleCommand {
  static let configuration = CommandConfiguration(
    abstract: "Make a damaged data directory sound again, of what is sound in it.",
    discussion: """
      What cannot be brought back is listed, file by file; without --accept-loss nothing is written where there is any. \
      Files that are replaced are kept in damaged/ of the directory. Exit 1 says that something would be lost.

      Examples:
        continuo repair --data-dir market --dry-run
        continuo repair --data-dir market --accept-loss
      """)

  static let settings: [Setting] =
    DirectoryOptions.settings + OutputOptions.settings + ConsoleOptions.settings + [
      .flag("dry-run"), .flag("accept-loss"), .flag("yes"),
    ] + AuditOptions.settings

  @Flag(help: "List what would be lost, and write nothing.")
  var dryRun = false

  @Flag(help: "Repair also where something is lost, and do not ask.")
  var acceptLoss = false

  @Flag(help: "Do not ask.")
  var yes = false

  @OptionGroup var directory: DirectoryOptions
  @OptionGroup var audit: AuditOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var consoleOptions: ConsoleOptions

  func run(_ console: Console) throws {
    let console = console.with(consoleOptions)
    let path = Visible.text(directory.dataDir)
    var repair = try open(console)
    if case .damaged(let file, let byte, let found, let expected) = repair.damage {
      console.note("continuo: \(Visible.text("\(file), byte \(byte): found \(found), expected \(expected)"))")
    }
    if repair.tornTailBytes > 0 {
      console.note(
        "continuo: \(path): the journal ends with \(repair.tornTailBytes) bytes of a write that a crash cut off; nobody was "
          + "told that it was done")
    }
    let losses = repair.losses
    if repair.isNeeded, !dryRun, losses.isEmpty || acceptLoss {
      try ask(losses.count)
      var progress = Progress(console)
      progress.say("writing \(path)")
      defer { progress.finish() }
      let receipt = try Writing.reporting {
        try audit.recording(.repair(losses: losses.count), in: directory.dataDir) {
          try repair.write()
        } figures: { _ in
          (nil, nil)
        }
      }
      progress.finish()
      console.note(
        "continuo: \(path) is repaired, and holds \(receipt.events) events; the \(receipt.files) files that were replaced "
          + "are in \(Visible.text(receipt.damaged))")
    }
    var result = ResultStream(.repair, output, console)
    for loss in losses { try result.write(RepairAnswer(loss)) }
    try result.finish()
    if losses.isEmpty {
      console.note(
        "continuo: \(dryRun ? "dry run: nothing would be lost, and nothing was written" : "nothing is lost")")
    } else if dryRun {
      throw Failure(
        .damaged, "\(path): the losses of \(losses.count) files are listed, and nothing was written",
        remedy: "put these files back from a backup, or accept the loss with 'continuo repair --accept-loss'")
    } else if !acceptLoss {
      throw Failure(
        .damaged, "\(path): something would be lost of \(losses.count) files, so nothing was written",
        remedy: "put these files back from a backup, or accept the loss with --accept-loss")
    }
  }

  private func open(_ console: Console) throws -> ContinuoStorage.Repair {
    var progress = Progress(console)
    progress.say("reading \(Visible.text(directory.dataDir))")
    defer { progress.finish() }
    do throws(StorageFailure) {
      return try ContinuoStorage.Repair(path: directory.dataDir, writes: !dryRun)
    } catch {
      guard case .damaged = error else { throw Failure(error) }
      // Which frames are in which files only the manifest says.
      throw Failure(
        .damaged, Visible.text(error.what),
        remedy:
          "without its manifest a directory cannot be repaired, unless its journal is whole from the first frame on: "
          + "put all of it back from a backup, or ingest the source files into a new one")
    }
  }

  /// Asks before anything is written; where nobody can be asked it wants the word on the command line.
  private func ask(_ losses: Int) throws {
    if yes || acceptLoss { return }
    try Writing.requireTerminal(orSee: "what would be lost")
    try Writing.confirm(
      "repair \(Visible.text(directory.dataDir))? Nothing is lost by it.", orSay: "nothing was written")
  }
}

extension RepairAnswer {
  init(_ loss: RepairLoss) {
    self.init(
      kind: loss.kind.rawValue, file: loss.file, byte: loss.byte, events: loss.events,
      identities: loss.identities?.map { "\($0.kind.name):\($0.chain):\($0.firstBlock)-\($0.lastBlock)" },
      tokens: loss.tokens, from: loss.from, to: loss.to, what: loss.what)
  }
}
