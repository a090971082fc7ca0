// The routes that TradingView's charting library and its relatives ask: its Universal Data Feed.
// Invariant: every answer has status 200, errors too, as its clients expect; a chart that pages back by what is answered ends at
// the first candle; unknown names in a query are left alone.
// Not here: numbers (NearestNumber), access and paths (Service), candles (Continuo).
// Source: TradingView, "UDF data feeds", protocol of the charting library.

internal import Continuo
internal import ContinuoFormats
internal import ContinuoStorage

enum UDFRoutes {
  static let all = [
    Route("GET", "/udf/config", .read, text: RouteText("What the feed can do", configuration), .quick(config)),
    Route("GET", "/udf/time", .read, text: RouteText("The clock in seconds", type: "text/plain"), .quick(time)),
    Route(
      "GET", "/udf/search", .read, ["query", "type", "exchange", "limit"],
      text: RouteText("Tokens by a part of their name", .any([.list(found), wrong])), .slow(search)),
    Route(
      "GET", "/udf/symbols", .read, ["symbol"],
      text: RouteText("What a token is", .any([symbol, wrong])), .quick(symbols)),
    Route(
      "GET", "/udf/datafeed.js", .open, text: .tagged("The live bars of a chart", type: "text/javascript"),
      .quick(PageRoutes.datafeed)),
    Route(
      "GET", "/udf/history", .read, ["symbol", "resolution", "from", "to", "countback"],
      text: RouteText("Candles of a token", .any([candles, none, wrong])), part: historyPart, .slow(history)),
  ]

  private static let exchange = "Continuo"
  private static let resolutions = ["1", "5", "15", "60", "240", "1D", "1W"]

  /// What a client says it wants, as an interval.
  private static func interval(_ resolution: String) -> Interval? {
    switch resolution {
    case "1D", "D": return .oneDay
    case "1W", "W": return .oneWeek
    default:
      guard let index = resolutions.firstIndex(of: resolution) else { return nil }
      return Interval.allCases[index]
    }
  }

  /// What is wrong, as its clients read it.
  static func error(_ message: String) -> Answer {
    var object = JSONObject()
    object.put("s", "error")
    object.put("errmsg", ByteString(message))
    return .json(object.finished())
  }

  // MARK: what there is

  private static func config(_ question: Question) -> Answer {
    var object = JSONObject()
    object.put("supports_search", flag: true)
    object.put("supports_group_request", flag: false)
    object.put("supports_marks", flag: false)
    object.put("supports_timescale_marks", flag: false)
    object.put("supports_time", flag: true)
    object.put("supported_resolutions", texts: resolutions)
    return .json(object.finished())
  }

  private static func time(_ question: Question) throws -> Answer {
    try question.market.read { _, clock in
      var answer = Answer(type: "text/plain; charset=utf-8", [])
      clock.append(as: .seconds, to: &answer.body)
      return answer
    }
  }

  /// How many symbols a search finds, unless it says so, and at most.
  private static let foundUsual = 30

  private static func search(_ question: Question) throws -> Answer {
    let part = question.query.text("query")?.lowercased() ?? ""
    let isOurs =
      (question.query.text("type") ?? "").isEmpty || question.query.text("type") == "crypto"
    let isHere =
      (question.query.text("exchange") ?? "").isEmpty || question.query.text("exchange") == exchange
    let limit = min(question.limits.rowsMax, question.query.text("limit").flatMap { Int($0) } ?? foundUsual)
    guard isOurs, isHere, limit > 0 else { return list([]) }
    return try question.market.read { market, _ in
      var found: [JSONObject] = []
      for token in market.tokens() where found.count < limit {
        let name = market.name(of: token)
        guard part.isEmpty || question.market.isCalled(name, folded: TokenNames.folded(name.description), part: part)
        else { continue }
        var object = JSONObject()
        object.put("symbol", name)
        object.put("full_name", ByteString("\(exchange):\(name)"))
        object.put("description", question.market.label(of: name) ?? name)
        object.put("exchange", ByteString(exchange))
        object.put("ticker", name)
        object.put("type", "crypto")
        found.append(object)
      }
      return list(found)
    }
  }

  private static func list(_ objects: [JSONObject]) -> Answer {
    var bytes = Array("[".utf8)
    for (index, object) in objects.enumerated() {
      if index > 0 { bytes.append(UInt8(ascii: ",")) }
      bytes += object.finished().dropLast()
    }
    return .json(bytes + Array("]\n".utf8))
  }

  // MARK: a symbol

  /// The token that a symbol names, with or without its exchange.
  private static func token(_ question: Question, in market: borrowing Snapshot) -> (TokenID, ByteString)? {
    guard let symbol = question.query.text("symbol") else { return nil }
    var names = [symbol]
    if symbol.hasPrefix(exchange + ":") { names.append(String(symbol.dropFirst(exchange.count + 1))) }
    for name in names {
      if let token = market.token(ByteString(name)) { return (token, ByteString(name)) }
    }
    return nil
  }

  private static func symbols(_ question: Question) throws -> Answer {
    try question.market.read { market, clock in
      guard let (token, name) = token(question, in: market) else { return error("unknown_symbol") }
      let price = try market.statistics(of: token, asOf: clock).window.last
      var object = JSONObject()
      object.put("name", name)
      object.put("ticker", name)
      object.put("description", question.market.label(of: name) ?? name)
      object.put("type", "crypto")
      object.put("session", "24x7")
      object.put("timezone", "Etc/UTC")
      object.put("exchange", ByteString(exchange))
      object.put("listed_exchange", ByteString(exchange))
      object.put("format", "price")
      object.put("minmov", count: 1)
      object.put("pricescale", count: NearestNumber.scale(of: price))
      object.put("has_intraday", flag: true)
      object.put("has_daily", flag: true)
      object.put("has_weekly_and_monthly", flag: true)
      object.put("supported_resolutions", texts: resolutions)
      object.put("volume_precision", count: 2)
      object.put("data_status", "streaming")
      return .json(object.finished())
    }
  }

  // MARK: candles

  /// What is asked, or what is wrong with that.
  private enum Asked {
    case candles(CandleQuery)
    case wrong(String)
  }

  private static func asked(_ question: Question) -> Asked {
    guard let interval = question.query.text("resolution").flatMap(interval) else {
      return .wrong("resolution must be one of \(resolutions.joined(separator: ", "))")
    }
    guard let end = instant(question, "to") else { return .wrong("to must be a time in seconds") }
    let countback = question.query.text("countback").flatMap { Int($0) } ?? 0
    let start = instant(question, "from")
    guard countback > 0 || start != nil else { return .wrong("from must be a time in seconds") }
    var query = CandleQuery(interval, to: end, limit: question.limits.barsMax)
    if countback > 0 { query.limit = min(countback, question.limits.barsMax) } else { query.from = start }
    return .candles(query)
  }

  /// The candles that are asked for, of a symbol without its exchange.
  private static func historyPart(_ question: Question) -> CandleQuestion? {
    guard case .candles(let query) = asked(question), let symbol = question.query.text("symbol") else { return nil }
    return CandleQuestion([ByteString(symbol)], query)
  }

  private static func history(_ question: Question) throws -> Answer {
    let query: CandleQuery
    switch asked(question) {
    case .wrong(let what): return error(what)
    case .candles(let candles): query = candles
    }
    return try question.read { market, clock in
      guard let (token, _) = token(question, in: market) else { return error("unknown_symbol") }
      var bars: [Bar] = []
      market.forEachBar(of: token, query, clock: clock) { bars.append($0) }
      if !bars.isEmpty { return history(bars) }
      // When there was one before is not in the part that was asked for.
      guard question.early == nil else { throw NeedsWholeMarket() }
      var object = JSONObject()
      object.put("s", "no_data")
      if let start = query.from, let end = query.to {
        let interval = query.interval
        let before = CandleQuery(interval, to: min(start, end), limit: 1)
        market.forEachBar(of: token, before, clock: clock) { bar in
          object.put("nextTime", time: bar.bucket, as: .seconds)
        }
      }
      return .json(object.finished())
    }
  }

  private static func history(_ bars: [Bar]) -> Answer {
    var object = JSONObject()
    object.put("s", "ok")
    func column(_ name: String, _ append: (Bar, inout [UInt8]) -> Void) {
      object.put(name) { bytes in
        bytes.append(UInt8(ascii: "["))
        for (index, bar) in bars.enumerated() {
          if index > 0 { bytes.append(UInt8(ascii: ",")) }
          append(bar, &bytes)
        }
        bytes.append(UInt8(ascii: "]"))
      }
    }
    column("t") { $0.bucket.append(as: .seconds, to: &$1) }
    column("o") { NearestNumber.append($0.open, to: &$1) }
    column("h") { NearestNumber.append($0.high, to: &$1) }
    column("l") { NearestNumber.append($0.low, to: &$1) }
    column("c") { NearestNumber.append($0.close, to: &$1) }
    column("v") { NearestNumber.append($0.volumeUSD, to: &$1) }
    return .json(object.finished())
  }

  /// A time in seconds, which may have a fraction; one that is out of our range is its end.
  private static func instant(_ question: Question, _ name: String) -> Timestamp? {
    guard let text = question.query.text(name), let seconds = Double(text), seconds.isFinite else { return nil }
    // The query is for whole seconds: what begins within one is behind its start.
    let whole = seconds.rounded(.up)
    guard let microseconds = Int64(exactly: whole * 1_000_000) else {
      return Timestamp(microseconds: whole < 0 ? .min : .max)
    }
    return Timestamp(microseconds: microseconds)
  }
}
