// The tokens that a question is about, found by the bytes of their names.
// Invariant: in the order of their bytes, each once; one unknown name refuses all.
// Not here: what is asked about them (Commands).

internal import ArgumentParser
internal import Continuo
internal import ContinuoFormats

enum TokenChoice {
  typealias Named = (token: TokenID, name: ByteString)

  /// The tokens of these names, or all known ones where no name is given. O(names + tokens).
  static func find(_ names: [String], in engine: borrowing Engine) throws -> [Named] {
    guard !names.isEmpty else { return engine.tokens().map { ($0, engine.name(of: $0)) } }
    var found: [Named] = []
    for name in distinct(names) {
      guard let token = engine.token(name) else { throw unknown(name, engine) }
      found.append((token, name))
    }
    return found
  }

  /// The names in the order of their bytes, each once. O(n log n).
  static func distinct(_ names: [String]) -> [ByteString] { Set(names.map { ByteString($0) }).sorted() }

  /// The one name that was given. O(n).
  static func only(_ names: [String]) throws -> [String] {
    guard distinct(names).count == 1 else {
      throw ValidationError("--token is given \(distinct(names).count) different names: this command takes one")
    }
    return names
  }

  // MARK: the nearest names

  private static let tokensComparedMax = 10_000
  private static let namesShownMax = 3

  private static func unknown(_ name: ByteString, _ engine: borrowing Engine) -> Failure {
    let known = engine.tokens().prefix(tokensComparedMax).map { engine.name(of: $0) }
    let ranked = known.map { (name: $0, distance: distance(folded(name), folded($0))) }
      .sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }
    let nearest = ranked.prefix(namesShownMax).map { "'\(Visible.text($0.name))'" }.joined(separator: ", ")
    return Failure(
      .unknownToken, "no event of token '\(Visible.text(name))'",
      remedy: nearest.isEmpty ? "the input has no accepted event at all" : "the nearest names are \(nearest)")
  }

  /// ASCII letters in lower case: a slip of case is a near name.
  private static func folded(_ name: ByteString) -> [UInt8] {
    name.bytes.prefix(Limits.tokenBytesMax).map { $0 >= 65 && $0 <= 90 ? $0 | 0x20 : $0 }
  }

  /// How many bytes must be added, dropped or changed (Levenshtein). O(left × right).
  private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    var row = Array(0...right.count)
    for (i, byte) in left.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for (j, other) in right.enumerated() {
        let above = row[j + 1]
        row[j + 1] = min(diagonal + (byte == other ? 0 : 1), above + 1, row[j] + 1)
        diagonal = above
      }
    }
    return row[right.count]
  }
}
