// Candles as they are drawn, whole drawings compared.
// Invariant: the drawings were looked at by people: each candle stands where its prices are.
// Not here: how wide a terminal is (TerminalTests).

import Continuo
import ContinuoFormats
import Testing

@Suite("Drawn candles")
struct CandleDrawingTests {
  private static let start = Timestamp("2024-12-01T00:00:00Z")!

  /// Hourly candles of these prices in their order, each of a trade of as much money as its number says.
  private static func bars(_ hours: [[String]], _ interval: Interval = .oneHour) throws -> [Bar] {
    var engine = Engine()
    var batch = EventBatch()
    var block: UInt64 = 0
    for (hour, prices) in hours.enumerated() {
      for (minute, price) in prices.enumerated() {
        block += 1
        batch.append(
          Swap(
            block: block, timestamp: start + Int64(hour) * 3_600_000_000 + Int64(minute) * 60_000_000, token: "ART",
            amountUSD: Decimal18(whole: Int64(hour + 1)), tokenAmount: .one, priceUSD: Decimal18(price)))
      }
    }
    let receipt = try engine.apply(batch, wallClock: nil)
    #expect(receipt.rejections.isEmpty)
    var bars: [Bar] = []
    if let token = engine.token("ART") { engine.forEachBar(of: token, CandleQuery(interval)) { bars.append($0) } }
    return bars
  }

  // From 0 to 32: two steps are a row, one is 1 dollar.
  private static let hours = [
    ["16", "32", "0.5", "24"], ["24", "26", "8", "10"], ["10", "10", "10"], ["12", "20"], [], ["20", "4"],
  ]

  /// Rule 10.3: what rose are lines, what fell are blocks; wicks, a candle without a body, an hour without a trade.
  @Test("A whole drawing, character by character")
  func whole() throws {
    let text = CandleDrawing(width: 40, hasColours: false).text(
      name: "ART", interval: .oneHour, try Self.bars(Self.hours))
    #expect(text == Self.drawn, "\n\(text)")
  }

  private static let drawn = """
    ART  1h
    │                                 ┤ 31.0
    │                                 │
    │                                 │
    │ │                               ┤ 25.1
    ┃ █                               │
    ┃ █                               │
    ┃ █   ┃ █                         ┤ 19.2
    ┃ █   ┃ █                         │
    ╿ █   ┃ █                         │
    │ █   ┃ █                         ┤ 13.3
    │ █   ╹ █                         │
    │ ▀ ╹   █                         │
    │ ╵     █                         ┤ 7.4
    │       █                         │
    │       ▀                         │
    │                                 ┤ 1.5
            █                         │
      ▅ █ ▅ █                         │
    ▂ █ █ █ █                         │
    █ █ █ █ █                         │
    └12-01 00:00
    volume_usd: 12 in the largest

    """

  /// Rule 10.7: colours change nothing but colours.
  @Test("With colours the same characters")
  func colours() throws {
    let bars = try Self.bars(Self.hours)
    let plain = CandleDrawing(width: 60, hasColours: false).text(name: "ART", interval: .oneHour, bars)
    var coloured = CandleDrawing(width: 60, hasColours: true).text(name: "ART", interval: .oneHour, bars)
    #expect(coloured.contains("\u{1B}[31m") && coloured.contains("\u{1B}[32m"))
    for escape in ["\u{1B}[31m", "\u{1B}[32m", "\u{1B}[0m"] { coloured.replace(escape, with: "") }
    #expect(coloured == plain)
  }

  /// Rule 10.3: a name moves no cursor.
  @Test("A hostile name is escaped, and no candle is said")
  func hostile() throws {
    let text = CandleDrawing(width: 80, hasColours: false).text(name: "\u{1B}[2JX\n", interval: .oneDay, [])
    #expect(text == "\\u{1B}[2JX\\u{A}  1d\nno candle\n")
  }

  /// Rules 2.1, 10.3: the newest that have room, at any size of prices, and no line is wider.
  @Test(
    "The newest that fit, whatever a price is",
    arguments: [
      ("0.000000000000000001", "0.000000000000000003"), ("170000000000000000000", "170141183460469231731"), ("5", "5"),
      ("181.52", "181.53"), ("0.9999", "1000"),
    ])
  func sizes(low: String, high: String) throws {
    let bars = try Self.bars((0..<200).map { $0 % 2 == 0 ? [low, high] : [high, low] })
    let text = CandleDrawing(width: 80, hasColours: false).text(name: "ART", interval: .oneHour, bars)
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines[0].hasPrefix("ART  1h  the newest ") && lines[0].hasSuffix(" of 200 candles"))
    #expect(lines.dropLast().dropLast().allSatisfy { $0.count <= 80 }, "\n\(text)")
    // Both ends of the prices are in the drawing.
    if low != high {
      #expect(lines[1].contains("█") || lines[1].contains("▀"), "\n\(text)")
      #expect(lines[16].contains("█") || lines[16].contains("▄"), "\n\(text)")
    }
  }
}
