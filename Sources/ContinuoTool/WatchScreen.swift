// A ranking that is looked at as long as somebody wants to: drawn again and again, with what moved marked.
// Invariant: the terminal is as it was before, however it ends; a name moves no cursor; what is drawn fits the terminal.
// Not here: where the rows come from (Top), the columns (ContinuoFormats).

internal import Continuo
internal import ContinuoFormats

/// What is looked at, at one instant.
struct WatchedRanking {
  /// What it is, and of when.
  var title: String
  /// A table for people: its header, then a line for each of `prices`.
  var lines: [String]
  /// The token of each line, and what it costs.
  var prices: [(token: ByteString, price: Decimal18?)]
}

struct WatchScreen {
  private static let begin = "\u{1B}[?1049h\u{1B}[?25l"
  private static let rowsUsual = 24
  private static let end = "\u{1B}[?25h\u{1B}[?1049l"

  /// Whether it draws over what was drawn before; else each drawing follows the one before.
  private let redraws: Bool
  private let hasColours: Bool
  private var before: [ByteString: Decimal18?] = [:]
  private var isFirst = true

  init(_ console: Console) {
    redraws = console.isScreen
    hasColours = console.allowsColour
  }

  /// Asks and draws every so many seconds until somebody wants the end.
  ///
  /// - Parameter ask: what there is now; it is asked again after each pause, so an answer that takes long is asked for less often.
  mutating func run(seconds: Int, _ ask: () throws -> WatchedRanking) throws {
    EndWishHandle.hold()
    var ranking = try ask()
    if redraws { try StandardOutput.write(Array(Self.begin.utf8)) }
    do {
      repeat {
        try draw(ranking)
        guard EndWishHandle.wait(microseconds: Int64(seconds) * 1_000_000) else { break }
        ranking = try ask()
      } while true
    } catch {
      if redraws { try? StandardOutput.write(Array(Self.end.utf8)) }
      throw error
    }
    if redraws { try StandardOutput.write(Array(Self.end.utf8)) }
  }

  private mutating func draw(_ ranking: WatchedRanking) throws {
    var lines = [ranking.title] + ranking.lines.prefix(1).map { "  " + $0 }
    for (line, (token, price)) in zip(ranking.lines.dropFirst(), ranking.prices) {
      lines.append(marked(line, price, before: before[token]))
    }
    before = Dictionary(ranking.prices.map { ($0.token, $0.price) }, uniquingKeysWith: { first, _ in first })
    var text = ""
    if redraws {
      let columns = TerminalHandle.columns ?? CandleDrawing.widthUsual
      let rows = TerminalHandle.rows ?? Self.rowsUsual
      text = "\u{1B}[H"
      for line in lines.prefix(rows - 1) { text += fitted(line, columns) + "\u{1B}[K\n" }
      text += "\u{1B}[J"
    } else {
      text = (isFirst ? "" : "\n") + lines.joined(separator: "\n") + "\n"
    }
    isFirst = false
    try StandardOutput.write(Array(text.utf8))
  }

  /// A line with what became of its price since the last time in front.
  private func marked(_ line: String, _ price: Decimal18?, before: Decimal18??) -> String {
    guard !isFirst else { return "  " + line }
    guard let before else { return "• " + line }
    guard let before, let price, before != price else { return "  " + line }
    let isUp = before < price
    let text = (isUp ? "▲ " : "▼ ") + line
    return hasColours ? (isUp ? "\u{1B}[32m" : "\u{1B}[31m") + text + "\u{1B}[0m" : text
  }

  /// A line that is not wider than the terminal; what is cut is seen nowhere else.
  private func fitted(_ line: String, _ columns: Int) -> String {
    var (shown, width, isEscape) = ("", 0, false)
    for character in line {
      if character == "\u{1B}" { isEscape = true }
      if !isEscape { width += Visible.width(String(character)) }
      if isEscape || width <= columns { shown.append(character) }
      if isEscape, character == "m" { isEscape = false }
    }
    return shown
  }
}
