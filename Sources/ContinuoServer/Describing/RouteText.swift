// What a route says of itself: what it answers, what it takes, and why it may not answer.
// Invariant: what follows from a route's level, method and work is not told again by each.
// Not here: which route says what (RouteTable), the document (OpenAPI).

/// What a route says of itself.
struct RouteText: Sendable {
  /// What an answer or a body is.
  struct Content: Sendable {
    let type: String
    let schema: Schema
  }

  /// In a few words.
  let summary: String
  /// What the answer is, in each type that there is.
  let answers: [Content]
  /// What the body is, in each type that may be sent.
  var takes: [Content] = []
  /// Why there may be no answer, besides what every such route has.
  var codes: [Problem.Code] = []
  /// Whether the answer has a tag, so that it may be 304.
  var isTagged = false
  /// Another status with the same answer.
  var otherStatus: Int?

  /// An answer of JSON.
  init(_ summary: String, _ answer: Schema, takes: Schema? = nil, codes: [Problem.Code] = []) {
    self.summary = summary
    answers = [Content(type: "application/json", schema: answer)]
    self.takes = takes.map { [Content(type: "application/json", schema: $0)] } ?? []
    self.codes = codes
  }

  /// An answer of another type.
  init(_ summary: String, type: String) {
    self.summary = summary
    answers = [Content(type: type, schema: .text)]
  }

  private init(_ summary: String, _ answers: [Content], _ codes: [Problem.Code]) {
    (self.summary, self.answers, self.codes, isTagged) = (summary, answers, codes, true)
  }

  /// Rows: JSON, or the same rows as CSV; with a tag.
  static func rows(_ summary: String, _ answer: Schema, codes: [Problem.Code] = []) -> RouteText {
    RouteText(
      summary, [Content(type: "application/json", schema: answer), Content(type: "text/csv", schema: .text)], codes)
  }

  /// A document that has a tag.
  static func tagged(_ summary: String, _ answer: Schema = .text, type: String = "application/json") -> RouteText {
    RouteText(summary, [Content(type: type, schema: answer)], [])
  }

  /// Batches of events.
  static let events: RouteText = {
    var text = RouteText(
      "Take a batch of events: whole or not at all, on the disk before it is answered", .named(.receipt))
    // One object a line, or one row of CSV.
    text.takes = ["application/x-ndjson", "text/csv"].map { Content(type: $0, schema: .list(.named(.event))) }
    text.codes = [.memoryLimit, .sourceOwned]
    return text
  }()

  /// The same answer with another status too.
  func or(status: Int) -> RouteText {
    var text = self
    text.otherStatus = status
    return text
  }
}

extension Route {
  /// Why it may not answer, in the order of codes.
  var codes: [Problem.Code] {
    var codes: Set<Problem.Code> = [.forbidden, .forbiddenOrigin, .requestTimeout]
    if level != .open { codes.insert(.unauthorized) }
    if level != .open, isTradingView { codes.insert(.restoring) }
    // TradingView's clients read what is wrong with a question from an answer.
    if !isTradingView {
      codes.insert(.badParameter)
      if needsMarket { codes.formUnion([.restoring, .damaged]) }
      if part != nil { codes.insert(.storageFailed) }
      switch work {
      case .quick, .slow, .stream: break
      case .posted, .events:
        codes.formUnion([.badBody, .tooLarge, .unsupportedMediaType, .storageFailed, .damaged])
      }
      codes.formUnion(text?.codes ?? [])
    }
    return Problem.Code.allCases.filter(codes.contains)
  }
}
