// `continuo backup`: a data directory is copied to another place, and the copy is read.
// Invariant: the directory is not written; exit 0 means that the copy answers as it does.
// Not here: copying (Copying, ContinuoStorage).

internal import ArgumentParser

struct Backup: ConsoleCommand {
  static let configuration = CommandConfiguration(
    abstract: "Copy a data directory to a place that is absent or empty, and read the copy.",
    discussion: """
      The copy is a data directory: every command that reads takes it. It is what was copied, every event and frame of it, \
      or exit 1 says why not. Others may read meanwhile; who writes makes backups itself, with Ledger.backup(to:).

      Example:
        continuo backup --data-dir market --to market-backup
      """)

  static let settings: [Setting] =
    PlaceOptions.settings + CopyOptions.settings + [.value("to")]

  @Option(
    help: ArgumentHelp(
      "Where the copy goes: absent or empty; with --url the name of a folder in the server's --backup-root.",
      valueName: "dir"), completion: .directory)
  var to: String

  @OptionGroup var place: PlaceOptions
  @OptionGroup var options: CopyOptions

  mutating func validate() throws {
    if to.isEmpty { throw ValidationError("'' for --to names no directory") }
  }

  func run(_ console: Console) throws {
    #if CONTINUO_SERVER
      if let server = try place.remote.server() { return try ask(server, console) }
    #endif
    try Copying.copy(from: place.directory, to: to, options, console)
  }
}
