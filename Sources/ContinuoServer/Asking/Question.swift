// A request that may be answered: its route's names read, and what every answer does with them.
// Invariant: an answer's tag tells everything that its rows depend on, so equal tags of one URL mean equal rows.
// Not here: what the rows are (Routes), who may ask (Access).

internal import Continuo
internal import ContinuoFormats
internal import Synchronization

/// A version of a part of the market, enough for one question.
struct EarlyVersion: Sendable {
  let publication: Publication
  private let number: Int

  private static let numbers = Atomic<Int>(0)

  init(_ publication: Publication) {
    self.publication = publication
    number = Self.numbers.add(1, ordering: .relaxed).newValue
  }

  /// What no other version is called.
  var name: String { "early\(number)." }
}

/// A part does not answer the question after all.
struct NeedsWholeMarket: Error {}

struct Question: Sendable {
  var ask: Ask
  /// The parts of the path that are names, in order.
  let names: [ByteString]
  let query: Query
  let market: LiveMarket
  let limits: ServerLimits
  /// A folder for backups; nil: none is made.
  let backupRoot: String?
  /// What browsers are given.
  let page: PageFiles
  /// Who may ask for what.
  let access: Access
  /// What an integer that is a time counts, in and out; nil: microseconds, and RFC 3339.
  let times: TimeUnit?
  /// Whose token it has, where that is written down.
  let who: String
  /// The part of the market that it is answered from before the whole is there; nil: the market.
  var early: EarlyVersion?

  var wantsCSV: Bool { ask.wantsCSV }

  /// How many rows there may be.
  func limit(usual: Int? = nil) throws(Problem) -> Int {
    try query.count("limit", in: 1...limits.rowsMax) ?? usual ?? limits.rowsUsual
  }

  /// A time of the query.
  func instant(_ name: String) throws(Problem) -> Timestamp? { try query.instant(name, times) }

  /// The token that the path names.
  func token(in market: borrowing Snapshot) throws(Problem) -> (token: TokenID, name: ByteString) {
    let name = names.first ?? ""
    guard let token = market.token(name) else { throw .unknownToken(name) }
    return (token, name)
  }

  /// The same, answered from a part of the market.
  func with(_ early: EarlyVersion) -> Question {
    var question = self
    question.early = early
    return question
  }

  /// Lends the version that it is answered from, and what time it is for it.
  func read<Answer>(_ body: (borrowing Snapshot, _ clock: Timestamp) throws -> Answer) throws -> Answer {
    try market.read(early?.publication, body)
  }

  // MARK: tags

  /// The tag of an answer that one version gives until an instant. It is weak: what time it is told to be may differ.
  ///
  /// - Parameters:
  ///   - clock: what of the clock the rows depend on; nil: nothing.
  ///   - names: which tokens are in it and what they are called, where that depends on labels: no version has those.
  func tag(_ market: borrowing Snapshot, _ clock: Timestamp?, names: [ByteString?] = []) -> String {
    let instant = clock.map { String($0.microseconds, radix: 36) } ?? ""
    // Another process hashes them differently, and is another run.
    let called = names.isEmpty ? "" : "-" + String(UInt(bitPattern: names.hashValue), radix: 36)
    let version = (early?.name ?? "") + String(market.version, radix: 36)
    return "W/\"\(self.market.run)-\(version)-\(instant)\(called)\(wantsCSV ? "c" : "j")\""
  }

  /// Whether who asks has the answer with that tag.
  func has(_ tag: String) -> Bool {
    guard let known = ask.ifNoneMatch else { return false }
    let own = tag.dropFirst(2)
    return known.split(separator: ",").contains { entry in
      let entry = entry.trimmed
      return entry == "*" || entry == tag || entry == own
    }
  }

  // MARK: rows

  /// A writer of rows in the format that is wanted.
  func writer<Row>(_ table: ResultTable<Row>) -> ResultWriter<Row> {
    ResultWriter(table, as: wantsCSV ? .csv : .json, times: times)
  }

  /// An answer of rows: CSV as they are, or an object that `wrap` puts them in.
  func answer<Row>(
    _ writer: inout ResultWriter<Row>, tag: String?, next: String? = nil,
    wrap: (inout JSONObject, inout ResultWriter<Row>) -> Void
  ) -> Answer {
    market.metrics.count(outOfRange: writer.outOfRange)
    var answer: Answer
    if wantsCSV {
      writer.finish()
      answer = .csv(writer.bytes, tag: tag)
    } else {
      var object = JSONObject()
      object.reserve(writer.byteCount + 256)
      wrap(&object, &writer)
      answer = .json(object.finished(), tag: tag)
    }
    if let next { answer.headers.append(("Link", "<\(link(next))>; rel=\"next\"")) }
    return answer
  }

  /// An answer whose rows are in their object already: `next` comes behind them.
  func answer(_ object: consuming JSONObject, tag: String?, next: String?) -> Answer {
    object.put("next", next.map { ByteString($0) })
    var answer = Answer.json(object.finished(), tag: tag)
    if let next { answer.headers.append(("Link", "<\(link(next))>; rel=\"next\"")) }
    return answer
  }

  /// The same URL with another cursor.
  private func link(_ cursor: String) -> String {
    let cursor = "cursor=" + PercentText.encoded(cursor)
    if ask.target.utf8.contains(UInt8(ascii: "?")), query.text("cursor") == nil { return ask.target + "&" + cursor }
    let parts = ask.target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    let path = parts.first.map(String.init) ?? "/"
    let kept = (parts.count > 1 ? parts[1] : "").split(separator: "&").filter { !$0.hasPrefix("cursor=") }
    return path + "?" + (kept.map(String.init) + [cursor]).joined(separator: "&")
  }
}
