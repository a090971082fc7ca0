// `continuo restore`: a backup is copied to where a data directory is to be, and the copy is read.
// Invariant: the backup is not written; exit 0 means that the directory answers as it does.
// Not here: copying (Copying, ContinuoStorage).

internal import ArgumentParser

struct Restore: ConsoleCommand {
  static let configuration = CommandConfiguration(
    abstract: "Make a data directory of a backup, where there is none.",
    discussion: """
      The backup is read before, and the directory afterwards: it is what the backup is, or exit 1 says why not. \
      What is there already is never written over: move it away first.

      Example:
        continuo restore --data-dir market --from market-backup
      """)

  static let settings: [Setting] =
    DirectoryOptions.settings + CopyOptions.settings + [.value("from")]

  @Option(help: ArgumentHelp("The backup.", valueName: "dir"), completion: .directory)
  var from: String

  @OptionGroup var directory: DirectoryOptions
  @OptionGroup var options: CopyOptions

  mutating func validate() throws {
    if from.isEmpty { throw ValidationError("'' for --from names no directory") }
  }

  func run(_ console: Console) throws {
    try Copying.copy(from: from, to: directory.dataDir, options, console)
  }
}
