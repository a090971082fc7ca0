// The query of a request: names and values, each read as what it must be.
// Invariant: an unknown name, a name twice that stands once, or a value that does not parse is one problem that names all three:
// value, place and what to write.
// Not here: which names a route has (Route).

internal import Continuo
internal import ContinuoFormats

struct Query: Sendable {
  private let values: [(name: String, value: String)]

  /// Splits a query. O(length).
  ///
  /// - Parameters:
  ///   - known: the names that there may be.
  ///   - repeated: those of them that may stand more than once.
  ///   - isLenient: whether other names, and a name twice, are left alone.
  init(_ text: Substring, known: [String], repeated: [String], isLenient: Bool = false) throws(Problem) {
    var values: [(name: String, value: String)] = []
    for pair in text.split(separator: "&") {
      let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard let name = PercentText.text(sides[0]), let value = PercentText.text(sides.count > 1 ? sides[1] : "") else {
        throw Problem(
          .badParameter, "'\(Shown.value(String(pair)))' in the query is not percent-encoded UTF-8",
          remedy: "encode every byte outside of A-Z a-z 0-9 - . _ ~ as %XX")
      }
      guard known.contains(name) else {
        if isLenient { continue }
        throw Problem(
          .badParameter, "'\(Shown.value(name))' is no parameter of this route",
          remedy: known.isEmpty ? "leave the query out" : "there are \(known.joined(separator: ", "))")
      }
      guard isLenient || repeated.contains(name) || !values.contains(where: { $0.name == name }) else {
        throw Problem(.badParameter, "'\(name)' stands twice in the query", remedy: "give it once")
      }
      values.append((name, value))
    }
    self.values = values
  }

  /// The value of a name; nil where it is not given. O(values).
  func text(_ name: String) -> String? { values.first { $0.name == name }?.value }

  /// Every value of a name, in order. O(values).
  func texts(_ name: String) -> [String] { values.filter { $0.name == name }.map(\.value) }

  /// One of a few words. O(words).
  func choice<Choice: RawRepresentable & CaseIterable>(_ name: String, _: Choice.Type) throws(Problem) -> Choice?
  where Choice.RawValue == String {
    guard let text = text(name) else { return nil }
    return try Self.choice(text, name)
  }

  /// Several of a few words, in order. O(words).
  func choices<Choice: RawRepresentable & CaseIterable>(_ name: String, _: Choice.Type) throws(Problem) -> [Choice]
  where Choice.RawValue == String {
    var choices: [Choice] = []
    for text in texts(name) { choices.append(try Self.choice(text, name)) }
    return choices
  }

  private static func choice<Choice: RawRepresentable & CaseIterable>(
    _ text: String, _ name: String
  ) throws(Problem) -> Choice where Choice.RawValue == String {
    guard let choice = Choice(rawValue: text) else {
      throw bad(text, name, "one of \(Choice.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    return choice
  }

  /// A whole number within a range. O(1).
  func count(_ name: String, in range: ClosedRange<Int>) throws(Problem) -> Int? {
    guard let text = text(name) else { return nil }
    guard text.utf8.allSatisfy({ $0 &- 48 < 10 }), let count = Int(text), range.contains(count) else {
      throw Self.bad(text, name, "a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return count
  }

  /// True or false; false where it is not given. O(1).
  func flag(_ name: String) throws(Problem) -> Bool {
    switch text(name) {
    case nil, "false", "0": return false
    case "true", "1": return true
    case let text?: throw Self.bad(text, name, "true or false")
    }
  }

  /// A time: RFC 3339, or an integer of `unit`. O(length).
  func instant(_ name: String, _ unit: TimeUnit?) throws(Problem) -> Timestamp? {
    guard let text = text(name) else { return nil }
    if let instant = Timestamp(text, unit: unit ?? .microseconds) { return instant }
    // The plus of +02:00 is a space where it is not encoded.
    if let space = text.lastIndex(of: " ") {
      let signed = text[..<space] + "+" + text[text.index(after: space)...]
      if let instant = Timestamp(signed, unit: unit ?? .microseconds) { return instant }
    }
    throw Self.bad(
      text, name,
      "2024-12-01T13:00:00Z, or an integer of \(unit.map { $0.rawValue } ?? "us (time=ms and time=s count other)")")
  }

  static func bad(_ text: String, _ name: String, _ wanted: String) -> Problem {
    Problem(.badParameter, "'\(Shown.value(text))' for \(name) cannot be read", remedy: "write \(wanted)")
  }
}

/// Text from outside, in a message.
enum Shown {
  /// Cut at 100 characters, and nothing in it that a terminal obeys. O(1).
  static func value(_ text: String) -> String { Visible.text(String(text.prefix(Limits.rejectedValueCharactersMax))) }
}
