// What a request says, as far as any route looks at it.
// Invariant: nothing here is judged yet; a body is not part of it.
// Not here: where it comes from (HTTPFront), what it means (Question, Query).

/// The head of a request.
public struct Ask: Sendable {
  /// The method, in capitals.
  public var method: String
  /// Path and query as they came.
  public var target: String
  /// `Host`.
  public var host: String?
  /// `Origin`.
  public var origin: String?
  /// `Accept`.
  public var accept: String?
  /// `Accept-Encoding`.
  public var acceptEncoding: String?
  /// `Authorization`.
  public var authorization: String?
  /// `If-None-Match`.
  public var ifNoneMatch: String?
  /// `Last-Event-ID`.
  public var lastEventID: String?
  /// `Content-Type`.
  public var contentType: String?
  /// `Content-Encoding`.
  public var contentEncoding: String?
  /// `Content-Length`.
  public var contentLength: Int?
  /// `Access-Control-Request-Method`.
  public var preflightMethod: String?
  /// The address that it came from, where that is written down.
  public var peer: String?

  /// A request without headers. O(1).
  public init(method: String, target: String) {
    self.method = method
    self.target = target
  }

  /// A body that nobody wants is read to its end up to so many bytes, so that the connection goes on.
  private static let unwantedBytesMax = 1 << 16

  /// Whether there may be a body that is too long to be read for nothing.
  var mayHaveLongBody: Bool {
    method != "GET" && method != "HEAD" && (contentLength.map { $0 > Self.unwantedBytesMax } ?? true)
  }

  /// The type of the body without its parameters, in lower case.
  var bodyType: String? {
    contentType.map { text in
      let end = text.firstIndex(of: ";") ?? text.endIndex
      return text[..<end].trimmed.lowercased()
    }
  }

  /// Whether rows are wanted as CSV: it is named, and not after JSON.
  var wantsCSV: Bool {
    guard let accept, accept.contains("csv") else { return false }
    let csv = Self.weight(of: "text/csv", in: accept)
    return csv > 0 && csv >= Self.weight(of: "application/json", in: accept)
  }

  /// Whether an answer may be compressed.
  var takesGzip: Bool { acceptEncoding.map { Self.weight(of: "gzip", in: $0) > 0 } ?? false }

  /// The weight that a list of choices gives to one of them, in thousandths; 0 where it is not named.
  private static func weight(of name: String, in list: String) -> Int {
    for entry in list.split(separator: ",") {
      let parts = entry.split(separator: ";").map(\.trimmed)
      guard parts.first?.lowercased() == name else { continue }
      guard let quality = parts.dropFirst().first(where: { $0.hasPrefix("q=") }) else { return 1000 }
      let digits = quality.dropFirst(2)
      if digits.hasPrefix("1") { return 1000 }
      guard digits.hasPrefix("0") else { return 0 }
      let fraction = digits.dropFirst(2).prefix(3)
      return Int(fraction + String(repeating: "0", count: 3 - fraction.count)) ?? 0
    }
    return 0
  }
}

extension Substring {
  /// The text without spaces and tabs around it. O(length).
  var trimmed: String {
    var text = self
    while let first = text.first, first == " " || first == "\t" { text.removeFirst() }
    while let last = text.last, last == " " || last == "\t" { text.removeLast() }
    return String(text)
  }
}
