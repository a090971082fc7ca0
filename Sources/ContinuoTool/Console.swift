// What a command says beside its result, and how: notes on stderr, colours where a terminal takes them.
// Invariant: stdout carries results only; `--quiet` silences everything but errors.
// Not here: the result (ResultStream), the progress bar (Progress).
// Rules 10.7.

internal import ContinuoBytes

struct Console {
  /// Whether notes are kept back.
  var isQuiet = false
  /// What was set where, for who shows it.
  var settings = Settings()
  /// Whether a result may carry colours.
  private(set) var allowsColour: Bool
  /// Whether stdout is a screen that can be drawn over.
  let isScreen: Bool
  /// Whether stderr can redraw a line.
  private(set) var canRedraw: Bool

  init(_ environment: [String: String]) {
    let isPlain = environment["TERM"] == "dumb"
    isScreen = !isPlain && DescriptorHandle.standardOutput.isTerminal
    allowsColour = isScreen && (environment["NO_COLOR"] ?? "").isEmpty
    canRedraw = !isPlain && DescriptorHandle.standardError.isTerminal
  }

  /// The console as a command's own flags want it.
  func with(_ options: ConsoleOptions) -> Console {
    var console = self
    console.isQuiet = options.quiet
    if options.noColor { console.allowsColour = false }
    return console
  }

  /// Says something that is neither result nor error.
  func note(_ line: String) {
    if !isQuiet { Self.error(line) }
  }

  /// Writes a line to stderr.
  static func error(_ line: String) { raw(line + "\n") }

  /// Writes to stderr as it is.
  static func raw(_ text: String) {
    do {
      try DescriptorHandle.standardError.write(Array(text.utf8))
    } catch {
      // Nobody reads stderr: the result and the exit status still stand.
    }
  }
}
