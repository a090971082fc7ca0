// A small body of JSON: depth and size bounded, then decoded into what a route wants.
// Invariant: whole numbers are read from their digits; a key that nobody asked for is a problem, not a silence.
// Not here: bodies of events (EventIntake).

internal import FoundationEssentials

/// What a route wants of a body: which keys its objects may have.
protocol JSONWanted: Decodable {
  static var keys: [String] { get }
  /// How such a body looks.
  static var example: String { get }
}

enum JSONBody {
  /// Decodes a body. O(length).
  static func decode<Wanted: JSONWanted>(_ bytes: [UInt8], _: Wanted.Type, depthMax: Int) throws(Problem) -> Wanted {
    guard PercentText.isUTF8(bytes.span) else {
      throw Problem(.badBody, "the body is not UTF-8", remedy: "send \(Wanted.example)")
    }
    guard depth(bytes) <= depthMax else {
      throw Problem(.badBody, "the body's JSON is nested deeper than \(depthMax)", remedy: "send \(Wanted.example)")
    }
    do {
      return try JSONDecoder().decode(Strict<Wanted>.self, from: Data(bytes)).value()
    } catch let problem as Problem {
      throw problem
    } catch {
      throw Problem(.badBody, "the body is not the JSON that this route takes", remedy: "send \(Wanted.example)")
    }
  }

  /// How deep brackets are nested outside of strings. O(length).
  private static func depth(_ bytes: [UInt8]) -> Int {
    var (depth, deepest, isString, isEscaped) = (0, 0, false, false)
    for byte in bytes {
      if isString {
        if isEscaped {
          isEscaped = false
        } else if byte == UInt8(ascii: "\\") {
          isEscaped = true
        } else if byte == UInt8(ascii: "\"") {
          isString = false
        }
        continue
      }
      switch byte {
      case UInt8(ascii: "\""): isString = true
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        depth += 1
        deepest = max(deepest, depth)
      case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
      default: break
      }
    }
    return deepest
  }

  private struct AnyKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  /// A value beside the first of its keys that is not known.
  struct Strict<Wanted: JSONWanted>: Decodable {
    private let wanted: Wanted
    private let unknown: String?

    /// The value; a problem where it has a key that nobody asked for.
    func value() throws(Problem) -> Wanted {
      guard let unknown else { return wanted }
      throw Problem(
        .badBody, "'\(Shown.value(unknown))' is no key of this body", remedy: "send \(Wanted.example)")
    }

    init(from decoder: any Decoder) throws {
      wanted = try Wanted(from: decoder)
      let keys = try decoder.container(keyedBy: AnyKey.self).allKeys.map(\.stringValue)
      unknown = keys.filter { !Wanted.keys.contains($0) }.min()
    }
  }
}
