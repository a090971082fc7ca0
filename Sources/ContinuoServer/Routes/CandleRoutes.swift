// Candles of a token, page by page from the newest, and why a candle is what it is.
// Invariant: CSV is what `continuo candles` and `continuo explain` print for the same question.
// Not here: candles (Continuo), their columns (ContinuoFormats).

internal import Continuo
internal import ContinuoFormats
internal import ContinuoStorage

enum CandleRoutes {
  private enum Order: String, CaseIterable {
    case ascending = "asc"
    case descending = "desc"
  }

  static let table = ResultTable.candles(withToken: false)

  /// What is asked, but for how many.
  private static func query(_ question: Question) throws -> CandleQuery {
    var query = CandleQuery(
      try question.query.choice("interval", Interval.self) ?? .oneHour, from: try question.instant("from"),
      to: try question.instant("to"), fill: try question.query.choice("fill", Fill.self) ?? .none)
    if let text = question.query.text("cursor") {
      guard let end = Int64(text) else { throw Query.bad(text, "cursor", "what \"next\" said") }
      query.to = min(query.to ?? Timestamp(microseconds: .max), Timestamp(microseconds: end))
    }
    return query
  }

  /// The candles of a page, and one that tells whether there is a page behind.
  static func candlesPart(_ question: Question) throws -> CandleQuestion {
    var query = try query(question)
    query.limit = try question.limit() + 1
    return CandleQuestion([question.names.first ?? ""], query)
  }

  static func candles(_ question: Question) throws -> Answer {
    var query = try query(question)
    let (interval, limit) = (query.interval, try question.limit())
    let order = try question.query.choice("order", Order.self) ?? .ascending
    // Texts are kept of the whole market alone.
    let publication = question.early == nil ? try question.market.opened().publication : nil
    return try question.read { market, clock in
      let (token, name) = try question.token(in: market)
      let tag = question.tag(market, interval.start(of: clock))
      if question.has(tag) { return .notModified(tag) }
      if let publication, !question.wantsCSV, question.times == nil, order == .ascending, query.fill == .none {
        var envelope = envelope(question, name, interval, clock, rows: limit)
        var next: String?
        let wanted = WantedCandles(token: token, name: name, query: query, limit: limit, clock: clock)
        envelope.put("candles") {
          let end = question.market.candleTexts.append(wanted, market, publication, to: &$0)
          next = end.map { String($0.microseconds) }
        }
        return question.answer(consume envelope, tag: tag, next: next)
      }
      // One more tells whether there is a page behind.
      query.limit = limit + 1
      var bars: [Bar] = []
      bars.reserveCapacity(min(limit, 512))
      market.forEachBar(of: token, query, clock: clock) { bars.append($0) }
      let first = max(0, bars.count - limit)
      let next = first > 0 ? String(bars[first].bucket.microseconds) : nil
      var writer = question.writer(table)
      for index in first..<bars.count {
        let bar = order == .ascending ? bars[index] : bars[bars.count - 1 - (index - first)]
        writer.write(CandleAnswer(token: name, row: bar))
      }
      if question.wantsCSV { return question.answer(&writer, tag: tag, next: next) { _, _ in } }
      question.market.metrics.count(outOfRange: writer.outOfRange)
      var envelope = envelope(question, name, interval, clock, rows: bars.count - first)
      envelope.put("candles", rows: &writer)
      return question.answer(consume envelope, tag: tag, next: next)
    }
  }

  /// What stands before the candles, with room for most answers at once: a candle is some 300 bytes.
  private static func envelope(
    _ question: Question, _ name: ByteString, _ interval: Interval, _ clock: Timestamp, rows: Int
  ) -> JSONObject {
    var envelope = JSONObject()
    envelope.reserve(256 + min(rows, 256) * 320)
    envelope.put("token", name)
    envelope.put("interval", ByteString(interval.rawValue))
    envelope.put("clock", time: clock, as: question.times)
    return envelope
  }

  /// The candle that is asked about.
  static func explainPart(_ question: Question) throws -> CandleQuestion {
    let (interval, bucket) = try bucket(question)
    return CandleQuestion(
      [question.names.first ?? ""], CandleQuery(interval, from: bucket, to: interval.next(bucket)))
  }

  private static func bucket(_ question: Question) throws -> (Interval, Timestamp) {
    let interval = try question.query.choice("interval", Interval.self) ?? .oneHour
    guard let bucket = try question.instant("bucket") else {
      throw Problem(
        .badParameter, "bucket is not given", remedy: "write bucket=2024-12-01T13:00:00Z, the start of a candle")
    }
    guard interval.start(of: bucket) == bucket else {
      throw Problem(
        .badParameter, "'\(bucket)' for bucket is no start of a \(interval.rawValue) bucket",
        remedy: "it lies in the one of \(interval.start(of: bucket))")
    }
    return (interval, bucket)
  }

  static func explain(_ question: Question) throws -> Answer {
    let (interval, bucket) = try bucket(question)
    return try question.read { market, clock in
      let (token, name) = try question.token(in: market)
      let tag = question.tag(market, interval.start(of: clock))
      if question.has(tag) { return .notModified(tag) }
      var writer = question.writer(ResultTable<Explanation>.explanations)
      for explanation in try market.explain(token, interval, bucket: bucket) { writer.write(explanation) }
      return question.answer(&writer, tag: tag) { object, rows in
        var candle = ResultWriter(table.single, as: .json, times: question.times)
        let query = CandleQuery(interval, from: bucket, to: interval.next(bucket))
        market.forEachBar(of: token, query, clock: clock) { candle.write(CandleAnswer(token: name, row: $0)) }
        object.put("candle", json: candle.byteCount == 0 ? nil : candle.bytes)
        object.put("events", rows: &rows)
      }
    }
  }
}
