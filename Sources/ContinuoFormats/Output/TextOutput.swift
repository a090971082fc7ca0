// Results as a table for people: aligned columns, and nothing in a name can move the cursor or reorder the line.
// Invariant: every control, format, separator and unassigned character is shown as `\u{…}`.
// Not here: whether a header may be bold (the caller knows its terminal).
// Rules 10.3.

public import Continuo

/// Text that came from outside, made safe to show to people.
public enum Visible {
  /// The text with every character escaped that a terminal could obey or that could hide another one. O(length).
  public static func text(_ bytes: [UInt8]) -> String {
    var shown = String.UnicodeScalarView()
    for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
      if scalar == "\\" {
        shown.append(contentsOf: "\\\\".unicodeScalars)
      } else if isPlain(scalar) {
        shown.append(scalar)
      } else {
        shown.append(contentsOf: "\\u{\(String(scalar.value, radix: 16, uppercase: true))}".unicodeScalars)
      }
    }
    return String(shown)
  }

  /// The text with every character escaped that a terminal could obey or that could hide another one. O(length).
  public static func text(_ name: ByteString) -> String { text(name.bytes) }

  /// The text with every character escaped that a terminal could obey or that could hide another one. O(length).
  public static func text(_ name: String) -> String { text(Array(name.utf8)) }

  private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.isASCII { return scalar.value >= 0x20 && scalar.value != 0x7F }
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: return false
    default: return !scalar.properties.isDefaultIgnorableCodePoint
    }
  }

  /// How many columns of a terminal a text takes: marks none, wide characters two. O(length).
  public static func width(_ text: String) -> Int {
    var width = 0
    for scalar in text.unicodeScalars {
      if scalar.isASCII {
        width += 1
        continue
      }
      switch scalar.properties.generalCategory {
      case .nonspacingMark, .enclosingMark: break
      default: width += isWide(scalar.value) ? 2 : 1
      }
    }
    return width
  }

  /// The blocks that terminals draw two columns wide (East Asian scripts, emoji).
  private static func isWide(_ value: UInt32) -> Bool {
    switch value {
    case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xA960...0xA97C, 0xAC00...0xD7A3, 0xF900...0xFAFF,
      0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F680...0x1FAFF, 0x20000...0x3FFFD:
      true
    default: false
    }
  }
}

/// Lays out rows of cells; the first rows decide how wide the columns are.
struct TextLayout {
  private struct Row {
    var texts: [String]
    var widths: [Int]
  }

  /// How many rows are looked at before the first is written: later ones that are wider push their line apart.
  private static let rowsMeasuredMax = 1_000

  private let names: [String]
  private let alignsRight: [Bool]
  private let isBold: Bool
  private var held: [Row] = []
  private var widths: [Int]
  private var isLaidOut = false

  init(names: [String], alignsRight: [Bool], isBold: Bool) {
    self.names = names
    self.alignsRight = alignsRight
    self.isBold = isBold
    widths = names.map(Visible.width)
  }

  mutating func add(_ cells: [Cell], to output: inout [UInt8]) {
    let row = Self.row(cells)
    guard !isLaidOut else { return append(row, to: &output) }
    for index in widths.indices { widths[index] = max(widths[index], row.widths[index]) }
    held.append(row)
    if held.count == Self.rowsMeasuredMax { layOut(to: &output) }
  }

  mutating func finish(to output: inout [UInt8]) {
    if !isLaidOut { layOut(to: &output) }
  }

  private mutating func layOut(to output: inout [UInt8]) {
    isLaidOut = true
    if isBold { output.append(contentsOf: "\u{1B}[1m".utf8) }
    append(Row(texts: names, widths: names.map(Visible.width)), isHeader: true, to: &output)
    for row in held { append(row, to: &output) }
    held = []
  }

  private func append(_ row: Row, isHeader: Bool = false, to output: inout [UInt8]) {
    var pending = 0
    for index in row.texts.indices {
      let blank = max(0, widths[index] - row.widths[index])
      if alignsRight[index] { pending += blank }
      if row.widths[index] > 0 {
        output.append(contentsOf: repeatElement(UInt8(ascii: " "), count: pending))
        output.append(contentsOf: row.texts[index].utf8)
        pending = 0
      }
      pending += (alignsRight[index] ? 0 : blank) + 2
    }
    if isHeader, isBold { output.append(contentsOf: "\u{1B}[0m".utf8) }
    output.append(UInt8(ascii: "\n"))
  }

  private static func row(_ cells: [Cell]) -> Row {
    let texts = cells.map { cell in
      if case .text(let name) = cell { return Visible.text(name) }
      var bytes: [UInt8] = []
      cell.appendPlain(to: &bytes)
      return String(decoding: bytes, as: UTF8.self)
    }
    return Row(texts: texts, widths: texts.map(Visible.width))
  }
}
