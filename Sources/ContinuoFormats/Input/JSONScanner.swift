// The grammar of flat JSON: strings, numbers and the three literals, exactly as RFC 8259 has them.
// Invariant: nothing is read past the line; whatever is not in the grammar answers nil; no recursion.
// Not here: objects and their keys (NDJSONParser).
// Source: RFC 8259, sections 2, 6 and 7.

/// Reads JSON from one line, step by step.
struct JSONScanner {
  private var index: Int
  private let end: Int
  private var cursor: SpecialCursor

  /// Reads within `line`.
  @inline(__always)
  init(_ line: Range<Int>, _ input: Span<UInt8>) {
    index = line.lowerBound
    end = line.upperBound
    cursor = SpecialCursor(.json, input, at: line.lowerBound)
  }

  /// A value that is not nested.
  enum Value: Equatable {
    /// The text within the quotes.
    case string(Range<Int>, hasEscapes: Bool)
    case number(Range<Int>)
    case boolean(Range<Int>)
    case null
    /// Something else: nested, or no JSON.
    case none
  }

  /// Passes over blanks. O(blanks).
  @inline(__always)
  mutating func skipBlanks(_ input: Span<UInt8>) {
    while index < end {
      let byte = input[index]
      guard byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r") else { return }
      index &+= 1
    }
  }

  /// Passes over `byte`, if it is next. O(1).
  @inline(__always)
  mutating func take(_ byte: UInt8, _ input: Span<UInt8>) -> Bool {
    guard index < end, input[index] == byte else { return false }
    index &+= 1
    return true
  }

  /// Whether nothing but blanks is left. O(blanks).
  mutating func isAtEnd(_ input: Span<UInt8>) -> Bool {
    skipBlanks(input)
    return index == end
  }

  /// Reads a string; nil where there is none, or an escape or a control character that JSON does not allow. O(length).
  @inline(__always)
  mutating func string(_ input: Span<UInt8>) -> (range: Range<Int>, hasEscapes: Bool)? {
    guard take(UInt8(ascii: "\""), input) else { return nil }
    let start = index
    var hasEscapes = false
    cursor.move(to: start, input)
    while true {
      let special = cursor.next(input)
      guard special >= 0, special < end else { return nil }
      index = special
      switch input[special] {
      case UInt8(ascii: "\""):
        index &+= 1
        return (start..<special, hasEscapes)
      case UInt8(ascii: "\\"):
        hasEscapes = true
        guard escape(input) else { return nil }
        cursor.move(to: index, input)
      default: return nil
      }
    }
  }

  private mutating func escape(_ input: Span<UInt8>) -> Bool {
    guard index + 1 < end else { return false }
    switch input[index + 1] {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
      UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
      index += 2
      return true
    case UInt8(ascii: "u"):
      guard index + 6 <= end, Self.unit(input, at: index + 2) != nil else { return false }
      index += 6
      return true
    default: return false
    }
  }

  /// Reads a value. O(length).
  mutating func value(_ input: Span<UInt8>) -> Value {
    guard index < end else { return .none }
    switch input[index] {
    case UInt8(ascii: "\""):
      guard let text = string(input) else { return .none }
      return .string(text.range, hasEscapes: text.hasEscapes)
    case UInt8(ascii: "n"): return literal("null", input) != nil ? .null : .none
    case UInt8(ascii: "t"): return literal("true", input).map { .boolean($0) } ?? .none
    case UInt8(ascii: "f"): return literal("false", input).map { .boolean($0) } ?? .none
    default: return number(input).map { .number($0) } ?? .none
    }
  }

  private mutating func literal(_ word: String, _ input: Span<UInt8>) -> Range<Int>? {
    let start = index
    for unit in word.utf8 {
      guard take(unit, input) else { return nil }
    }
    return start..<index
  }

  private mutating func number(_ input: Span<UInt8>) -> Range<Int>? {
    let start = index
    _ = take(UInt8(ascii: "-"), input)
    if !take(UInt8(ascii: "0"), input) {
      guard digits(input) else { return nil }
    }
    if take(UInt8(ascii: "."), input) {
      guard digits(input) else { return nil }
    }
    if take(UInt8(ascii: "e"), input) || take(UInt8(ascii: "E"), input) {
      if !take(UInt8(ascii: "+"), input) { _ = take(UInt8(ascii: "-"), input) }
      guard digits(input) else { return nil }
    }
    return start..<index
  }

  @inline(__always)
  private mutating func digits(_ input: Span<UInt8>) -> Bool {
    let start = index
    while index < end, input[index] &- UInt8(ascii: "0") < 10 { index &+= 1 }
    return index > start
  }

  /// The text that a string with escapes stands for. O(length).
  ///
  /// A surrogate without its partner becomes bytes that are no UTF-8, so that whoever judges the text refuses it.
  static func unescaped(_ range: Range<Int>, _ input: Span<UInt8>) -> [UInt8] {
    var text: [UInt8] = []
    text.reserveCapacity(range.count)
    var index = range.lowerBound
    while index < range.upperBound {
      let byte = input[index]
      guard byte == UInt8(ascii: "\\") else {
        text.append(byte)
        index += 1
        continue
      }
      let escaped = input[index + 1]
      guard escaped == UInt8(ascii: "u"), let high = unit(input, at: index + 2) else {
        text.append(simple(escaped))
        index += 2
        continue
      }
      index += 6
      var scalar = high
      if high & 0xFC00 == 0xD800, index + 6 <= range.upperBound, input[index] == UInt8(ascii: "\\"),
        input[index + 1] == UInt8(ascii: "u"), let low = unit(input, at: index + 2), low & 0xFC00 == 0xDC00
      {
        scalar = 0x1_0000 + ((high & 0x3FF) << 10 | low & 0x3FF)
        index += 6
      }
      append(scalar, to: &text)
    }
    return text
  }

  private static func simple(_ escaped: UInt8) -> UInt8 {
    switch escaped {
    case UInt8(ascii: "b"): 0x08
    case UInt8(ascii: "f"): 0x0C
    case UInt8(ascii: "n"): 0x0A
    case UInt8(ascii: "r"): 0x0D
    case UInt8(ascii: "t"): 0x09
    default: escaped
    }
  }

  /// Four hexadecimal digits.
  private static func unit(_ input: Span<UInt8>, at index: Int) -> UInt32? {
    var value: UInt32 = 0
    for offset in 0..<4 {
      let byte = input[index + offset]
      let digit = byte &- UInt8(ascii: "0")
      let letter = (byte | 0x20) &- UInt8(ascii: "a")
      guard digit < 10 || letter < 6 else { return nil }
      value = value << 4 | UInt32(digit < 10 ? digit : letter + 10)
    }
    return value
  }

  private static func append(_ scalar: UInt32, to text: inout [UInt8]) {
    func tail(_ shift: UInt32) -> UInt8 { 0x80 | UInt8(scalar >> shift & 0x3F) }
    switch scalar {
    case ..<0x80: text.append(UInt8(scalar))
    case ..<0x800: text += [0xC0 | UInt8(scalar >> 6), tail(0)]
    case ..<0x1_0000: text += [0xE0 | UInt8(scalar >> 12), tail(6), tail(0)]
    default: text += [0xF0 | UInt8(scalar >> 18), tail(12), tail(6), tail(0)]
    }
  }
}
