// Candles drawn with characters: for a terminal, or for a text.
// Invariant: where a price or a volume stands is decided by its exact decimal; the same bars and width give the same text,
// and colours change nothing else in it.
// Not here: which bars there are (Continuo), how wide the terminal is (the tool).

public import Continuo

/// Candles as a drawing: prices above, volumes below, a column or two a candle.
///
///     let drawing = CandleDrawing(width: 80, hasColours: false)
///     print(drawing.text(name: "ART", interval: .oneHour, bars))
///
/// A candle that rose is drawn with heavy lines, one that fell with blocks: they are told apart without colours.
public struct CandleDrawing: Sendable {
  /// How many columns a terminal has where nobody knows.
  public static let widthUsual = 80
  private static let widths = 40...400
  private static let priceRows = 16
  private static let volumeRows = 4
  /// A mark of the prices stands in every so many rows, one of the times in every so many columns.
  private static let rowsAMark = 3
  private static let columnsAMark = 18

  private let width: Int
  private let hasColours: Bool

  /// Sets a drawing up. O(1).
  ///
  /// - Parameters:
  ///   - width: how many columns it may take, 40 to 400.
  ///   - hasColours: whether what rose and fell is green and red too.
  public init(width: Int, hasColours: Bool) {
    self.width = min(Self.widths.upperBound, max(Self.widths.lowerBound, width))
    self.hasColours = hasColours
  }

  /// Draws the newest bars that have room. O(bars × rows).
  public func text(name: ByteString, interval: Interval, _ bars: [Bar]) -> String {
    let title = "\(Visible.text(name))  \(interval.rawValue)"
    guard let low = bars.filter(\.hasPrices).map(\.low).min() else { return title + "\nno candle\n" }
    var scale = PriceScale(low: low, high: low, rows: Self.priceRows)
    var shown = bars[...]
    // What is shown decides how wide the prices are, and that what is shown.
    for _ in 0..<2 {
      shown = bars.suffix(max(1, width - scale.labelWidth - 2))
      let priced = shown.filter(\.hasPrices)
      guard let low = priced.map(\.low).min(), let high = priced.map(\.high).max() else { continue }
      scale = PriceScale(low: low, high: high, rows: Self.priceRows)
    }
    let room = width - scale.labelWidth - 2
    shown = shown.suffix(room)
    let pitch = shown.count * 2 <= room ? 2 : 1
    var lines = [title + (shown.count < bars.count ? "  the newest \(shown.count) of \(bars.count) candles" : "")]
    for row in 0..<Self.priceRows {
      let hasMark = row % Self.rowsAMark == 0
      let cells = shown.map { bar in scale.cell(of: bar, row: row) }
      lines.append(line(cells, shown, pitch, room) + (hasMark ? "┤ " + scale.label(row: row) : "│"))
    }
    let most = shown.compactMap(\.volumeUSD.decimal).max() ?? .zero
    for row in 0..<Self.volumeRows {
      let cells = shown.map { bar in Self.volumeCell(of: bar.volumeUSD.decimal ?? .max, most: most, row: row) }
      lines.append(line(cells, shown, pitch, room) + "│")
    }
    lines.append(times(shown, interval, pitch))
    lines.append("volume_usd: \(most) in the largest")
    return lines.joined(separator: "\n") + "\n"
  }

  /// One line of cells, a cell a bar, as wide as there is room.
  private func line(_ cells: [Character], _ bars: ArraySlice<Bar>, _ pitch: Int, _ room: Int) -> String {
    var line = ""
    var colour = ""
    for (cell, bar) in zip(cells, bars) {
      if hasColours, cell != " " {
        let wanted = bar.close < bar.open ? "\u{1B}[31m" : "\u{1B}[32m"
        if wanted != colour { line += wanted }
        colour = wanted
      }
      line.append(cell)
      if pitch == 2 { line.append(" ") }
    }
    if !colour.isEmpty { line += "\u{1B}[0m" }
    return line + String(repeating: " ", count: max(0, room - cells.count * pitch))
  }

  // MARK: volumes

  private static let eighths: [Character] = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]

  /// A bar of eighths; what is over zero is seen.
  private static func volumeCell(of volume: Decimal18, most: Decimal18, row: Int) -> Character {
    guard volume.isPositive, most.isPositive else { return " " }
    let steps = volumeRows * 8
    let height = volume < most ? PriceScale.part(volume, of: most, steps: steps) : steps
    let below = (volumeRows - 1 - row) * 8
    return eighths[max(0, min(8, max(1, height) - below))]
  }

  // MARK: times

  private func times(_ bars: ArraySlice<Bar>, _ interval: Interval, _ pitch: Int) -> String {
    var line = ""
    for (index, bar) in bars.enumerated() {
      let column = index * pitch
      let label = "└" + Self.label(bar.bucket, interval)
      guard column >= line.count, column % Self.columnsAMark < pitch, column + label.count <= width else { continue }
      line += String(repeating: " ", count: column - line.count) + label
    }
    return line
  }

  private static func label(_ instant: Timestamp, _ interval: Interval) -> String {
    let text = instant.description
    guard interval.microseconds < Interval.oneDay.microseconds else { return String(text.prefix(10)) }
    return text.prefix(10).suffix(5) + " " + text.dropFirst(11).prefix(5)
  }
}

/// Where prices stand: two steps a row, the lowest price in the lowest step, the highest in the highest.
private struct PriceScale {
  private let low: Decimal18
  private let high: Decimal18
  private let rows: Int
  private let labels: [String]

  /// How many columns the widest price takes.
  let labelWidth: Int

  init(low: Decimal18, high: Decimal18, rows: Int) {
    (self.low, self.high, self.rows) = (low, high, rows)
    let range = high.units - low.units
    // As many digits behind the point as tell two rows apart.
    let step = max(1, range / Int128(rows))
    var places = 18
    while places > 0, Int128(PowersOfTen.value(18 - places + 1)) * 2 <= step { places -= 1 }
    let prices = (0..<rows).map { row in
      Decimal18(units: high.units - range / Int128(rows * 2) * Int128(row * 2 + 1))
    }
    labels = range == 0 ? prices.map(\.description) : prices.map { Self.rounded($0, places: places) }
    labelWidth = labels.map(\.count).max() ?? 0
  }

  private static func rounded(_ price: Decimal18, places: Int) -> String {
    let unit = Int128(PowersOfTen.value(18 - places))
    let down = price.units / unit * unit
    let rounded = price.units - down >= unit - (price.units - down) ? down + unit : down
    let text = Decimal18(units: rounded).description
    guard places > 0 else { return text }
    let has = text.firstIndex(of: ".").map { text.distance(from: $0, to: text.endIndex) - 1 } ?? 0
    return text + (has == 0 ? "." : "") + String(repeating: "0", count: places - has)
  }

  func label(row: Int) -> String { labels[row] }

  /// value × steps ÷ whole, rounded down; both are over or at zero, `value` under `whole`.
  static func part(_ value: Decimal18, of whole: Decimal18, steps: Int) -> Int {
    let product = value.units.magnitude.multipliedFullWidth(by: UInt128(steps))
    return Int(whole.units.magnitude.dividingFullWidth(product).quotient)
  }

  /// The step of a price, from 0 at the bottom.
  private func step(_ price: Decimal18) -> Int {
    let steps = rows * 2
    guard high > low else { return steps / 2 }
    guard price < high else { return steps - 1 }
    return Self.part(
      Decimal18(units: price.units - low.units), of: Decimal18(units: high.units - low.units), steps: steps)
  }

  /// What is seen of a bar in a row.
  func cell(of bar: Bar, row: Int) -> Character {
    guard bar.hasPrices else { return " " }
    let body = step(min(bar.open, bar.close))...step(max(bar.open, bar.close))
    let wick = step(bar.low)...step(bar.high)
    let lower = (rows - 1 - row) * 2
    let (isBodyBelow, isBodyAbove) = (body.contains(lower), body.contains(lower + 1))
    let (isBelow, isAbove) = (wick.contains(lower), wick.contains(lower + 1))
    if bar.close < bar.open {
      switch (isBodyAbove, isBodyBelow) {
      case (true, true): return "█"
      case (true, false): return "▀"
      case (false, true): return "▄"
      case (false, false): break
      }
    }
    switch (isBodyAbove, isAbove, isBodyBelow, isBelow) {
    case (true, _, true, _): return "┃"
    case (true, _, false, true): return "╿"
    case (true, _, false, false): return "╹"
    case (false, true, true, _): return "╽"
    case (false, false, true, _): return "╻"
    case (false, true, false, true): return "│"
    case (false, true, false, false): return "╵"
    case (false, false, false, true): return "╷"
    case (false, false, false, false): return " "
    }
  }
}
