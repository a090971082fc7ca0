// Tokens with their statistics: one, several by name, or all whose name holds a text.
// Invariant: every figure of an answer is as of one instant; CSV is what `continuo stats` prints for the same question.
// Not here: statistics and windows (Continuo), their columns (ContinuoFormats).

internal import Continuo
internal import ContinuoFormats

enum TokenRoutes {
  static func list(_ question: Question) throws -> Answer {
    let limit = try question.limit()
    let wanted = question.query.texts("id").map { ByteString($0) }
    let part = question.query.text("q").map(TokenNames.folded)
    let cursor = question.query.text("cursor").map { ByteString($0) }
    return try question.market.read { market, clock in
      var found: [(token: TokenID, name: ByteString)] = []
      if wanted.isEmpty {
        // One more tells whether there is a page behind.
        found = question.market.tokenNames.tokens(
          market, behind: cursor, limit: limit + 1,
          isCalled: part.map { part in { question.market.isCalled($0, folded: $1, part: part) } })
      } else {
        for name in Set(wanted).sorted() {
          guard let token = market.token(name) else { throw Problem.unknownToken(name) }
          found.append((token, name))
        }
        if let cursor { found = Array(found.drop { !(cursor < $0.name) }) }
        if let part {
          found.removeAll {
            !question.market.isCalled($0.name, folded: TokenNames.folded($0.name.description), part: part)
          }
        }
      }
      let page = found.prefix(limit)
      let next = page.count < found.count ? page.last?.name : nil
      let labels = page.map { question.market.label(of: $0.name) }
      let tag = question.tag(market, clock, names: page.map(\.name) + labels + [next])
      if question.has(tag) { return .notModified(tag) }
      var writer = question.writer(
        question.wantsCSV ? ResultTable.statistics : ResultTable.labelledStatistics)
      for ((token, name), label) in zip(page, labels) {
        writer.write(
          StatisticsAnswer(token: name, statistics: try market.statistics(of: token, asOf: clock), label: label))
      }
      return question.answer(&writer, tag: tag, next: next?.description) { object, rows in
        object.put("tokens", rows: &rows)
        object.put("next", next)
      }
    }
  }

  static func one(_ question: Question) throws -> Answer {
    let asked = try question.instant("as_of")
    let lengths = try question.query.choices("window", WindowLength.self)
    return try question.market.read { market, clock in
      let (token, name) = try question.token(in: market)
      let instant = asked ?? clock
      let label = question.market.label(of: name)
      let tag = question.tag(market, min(instant, clock), names: [label])
      if question.has(tag) { return .notModified(tag) }
      if question.wantsCSV, !lengths.isEmpty {
        var writer = question.writer(ResultTable<WindowAnswer>.windows)
        for length in lengths { writer.write(try window(length, token, name, market, instant)) }
        return question.answer(&writer, tag: tag) { _, _ in }
      }
      let row = StatisticsAnswer(
        token: name, statistics: try market.statistics(of: token, asOf: instant), label: label)
      var writer = question.writer(
        question.wantsCSV ? ResultTable.statistics : ResultTable.labelledStatistics.single)
      writer.write(row)
      return question.answer(&writer, tag: tag) { object, row in
        object = JSONObject(extending: row.bytes)
        object.put("holders_incomplete", flag: market.isIncomplete(token))
        guard !lengths.isEmpty else { return }
        object.put("windows", json: windows(lengths, token, name, market, instant, question))
      }
    }
  }

  private static func window(
    _ length: WindowLength, _ token: TokenID, _ name: ByteString, _ market: borrowing Snapshot, _ instant: Timestamp
  ) throws(Refusal) -> WindowAnswer {
    WindowAnswer(
      token: name, length: length, window: try market.window(length, of: token, asOf: instant),
      traders: try market.traders(length, of: token, asOf: instant))
  }

  /// The windows as an object; null for one that needs what was dropped already.
  private static func windows(
    _ lengths: [WindowLength], _ token: TokenID, _ name: ByteString, _ market: borrowing Snapshot, _ instant: Timestamp,
    _ question: Question
  ) -> [UInt8] {
    var object = JSONObject()
    var seen: Set<WindowLength> = []
    for length in lengths where seen.insert(length).inserted {
      var writer = ResultWriter(ResultTable<WindowAnswer>.windows.single, as: .json, times: question.times)
      if let answer = try? window(length, token, name, market, instant) { writer.write(answer) }
      object.put(length.rawValue, json: writer.byteCount == 0 ? nil : writer.bytes)
    }
    return object.finished()
  }
}
