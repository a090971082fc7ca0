// How `continuo candles` writes its result: as every command, or drawn.
// Invariant: a format of every command is written by what writes it for all (ResultStream).
// Not here: drawing (ContinuoFormats).

internal import ArgumentParser
internal import Continuo
internal import ContinuoFormats

/// The formats of candles.
enum CandleFormat: String, CaseIterable, ExpressibleByArgument {
  case table, csv, json
  /// Drawn with characters.
  case chart
}

struct CandleOutputOptions: ParsableArguments {
  static let settings: [Setting] = [.value("format")]

  @Option(help: "How the result is written; chart draws the newest candles as wide as the terminal, else 80 columns.")
  var format: CandleFormat = .table

  /// The same where candles are rows.
  var rows: OutputOptions {
    var rows = OutputOptions()
    rows.format = OutputFormat(rawValue: format.rawValue) ?? .table
    return rows
  }
}

/// Candles on their way into a drawing: as many as can be seen are kept.
struct CandleChart {
  private static let barsMax = 400

  private let drawing: CandleDrawing
  private let interval: Interval
  private var isFirst = true

  init(_ interval: Interval, _ console: Console) {
    self.interval = interval
    drawing = CandleDrawing(
      width: TerminalHandle.columns ?? CandleDrawing.widthUsual, hasColours: console.allowsColour)
  }

  /// Draws the candles of one token.
  mutating func write(_ name: ByteString, _ bars: [Bar]) throws {
    try StandardOutput.write(Array(((isFirst ? "" : "\n") + drawing.text(name: name, interval: interval, bars)).utf8))
    isFirst = false
  }
}
