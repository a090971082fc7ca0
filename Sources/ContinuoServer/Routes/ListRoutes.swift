// Lists about the market: trades, holders, rankings.
// Invariant: CSV is what `continuo holders` and `continuo top` print for the same question; trades come newest first.
// Not here: the figures (Continuo), the columns (ContinuoFormats).

internal import Continuo
internal import ContinuoFormats

enum ListRoutes {
  static func trades(_ question: Question) throws -> Answer {
    let limit = try question.limit()
    let before = try question.query.text("cursor").map { try key($0) }
    return try question.market.read { market, _ in
      let (token, _) = try question.token(in: market)
      let tag = question.tag(market, nil)
      if question.has(tag) { return .notModified(tag) }
      let trades = market.trades(of: token, before: before, limit: limit + 1)
      let page = trades.prefix(limit)
      let next = page.count < trades.count ? page.last.map { cursor($0.key) } : nil
      var writer = question.writer(ResultTable<Trade>.trades)
      for trade in page { writer.write(trade) }
      return question.answer(&writer, tag: tag, next: next) { object, rows in
        object.put("trades", rows: &rows)
        object.put("next", next.map { ByteString($0) })
      }
    }
  }

  /// A place among swaps as a cursor.
  private static func cursor(_ key: OrderKey) -> String {
    "\(key.timestamp.microseconds).\(key.chain).\(key.block).\(key.logIndex)"
  }

  private static func key(_ text: String) throws(Problem) -> OrderKey {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 4, let time = Int64(parts[0]), let chain = UInt32(parts[1]), let block = UInt64(parts[2]),
      let place = UInt32(parts[3])
    else { throw Query.bad(text, "cursor", "what \"next\" said") }
    return OrderKey(timestamp: Timestamp(microseconds: time), chain: chain, block: block, logIndex: place)
  }

  static func holders(_ question: Question) throws -> Answer {
    let limit = try question.limit()
    var first = 0
    if let text = question.query.text("cursor") {
      guard let rank = Int(text), (0...Limits.addressesMax).contains(rank) else {
        throw Query.bad(text, "cursor", "what \"next\" said")
      }
      first = rank
    }
    return try question.market.read { market, clock in
      let (token, _) = try question.token(in: market)
      let tag = question.tag(market, nil)
      if question.has(tag) { return .notModified(tag) }
      let holders = market.holders(of: token, limit: first + limit + 1)
      let page = holders.dropFirst(first).prefix(limit)
      let next = first + page.count < holders.count ? String(first + page.count) : nil
      let isIncomplete = market.isIncomplete(token)
      let supply = try market.statistics(of: token, asOf: clock).supply?.decimal
      var writer = question.writer(ResultTable<HolderAnswer>.holders)
      for (index, holder) in page.enumerated() {
        writer.write(HolderAnswer(rank: first + index + 1, holder: holder))
      }
      var answer = question.answer(&writer, tag: tag, next: next) { object, rows in
        object.put("holders", rows: &rows)
        object.put("supply", decimal: supply)
        object.put("holders_incomplete", flag: isIncomplete)
        object.put("next", next.map { ByteString($0) })
      }
      if question.wantsCSV, isIncomplete { answer.headers.append(("Continuo-Holders-Incomplete", "true")) }
      return answer
    }
  }

  /// How many places a ranking has, as on the command line.
  static let placesUsual = 20

  static func top(_ question: Question) throws -> Answer {
    let key = try question.query.choice("by", RankingKey.self) ?? .volume
    let limit = try question.limit(usual: placesUsual)
    let asked = try question.instant("as_of")
    if asked != nil, key == .marketCap || key == .holders {
      throw Problem(
        .badParameter, "by=\(key.rawValue) is of the present",
        remedy: "leave out as_of, or rank by volume-24h or change-24h")
    }
    return try question.market.read { market, clock in
      let instant = asked ?? clock
      let places = try market.ranking(by: key, limit: limit, asOf: instant).map { ($0, market.name(of: $0.token)) }
      let labels = places.map { question.market.label(of: $0.1) }
      let tag = question.tag(market, instant < clock ? instant : clock, names: labels)
      if question.has(tag) { return .notModified(tag) }
      var writer = question.writer(
        question.wantsCSV ? ResultTable<RankAnswer>.ranking : ResultTable.labelledRanking)
      for (index, (statistics, name)) in places.enumerated() {
        writer.write(RankAnswer(rank: index + 1, token: name, statistics: statistics, label: labels[index]))
      }
      return question.answer(&writer, tag: tag) { object, rows in
        object.put("by", ByteString(key.rawValue))
        object.put("as_of", time: instant, as: question.times)
        object.put("top", rows: &rows)
      }
    }
  }
}
