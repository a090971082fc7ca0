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
    DirectoryOptions.settings + CopyOptions.settings + [.value("to")]

  @Option(help: ArgumentHelp("Where the copy goes: absent or empty.", valueName: "dir"), completion: .directory)
  var to: String

  @OptionGroup var directory: DirectoryOptions
  @OptionGroup var options: CopyOptions

  mutating func validate() throws {
    if to.isEmpty { throw ValidationError("'' for --to names no directory") }
  }

  func run(_ console: Console) throws {
    try Copying.copy(from: directory.dataDir, to: to, options, console)
  }
}
