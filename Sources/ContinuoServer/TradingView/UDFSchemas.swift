// What TradingView's feed answers, as the document of the routes describes it.
// Invariant: every answer has status 200, so what is wrong is one of the answers of each route.
// Not here: the answers themselves (UDFRoutes).

extension UDFRoutes {
  /// A question that was not answered.
  static let wrong = Schema.object([Schema.Field("s", .choice(["error"])), Schema.Field("errmsg", .text)])

  static let configuration = Schema.object(
    ["search", "group_request", "marks", "timescale_marks", "time"].map { Schema.Field("supports_\($0)", .flag) }
      + [Schema.Field("supported_resolutions", .list(.text))])

  static let found = Schema.object(
    ["symbol", "full_name", "description", "exchange", "ticker", "type"].map { Schema.Field($0, .text) })

  static let symbol = Schema.object(
    [
      "name", "ticker", "description", "type", "session", "timezone", "exchange", "listed_exchange", "format",
      "data_status",
    ].map { Schema.Field($0, .text) }
      + ["minmov", "pricescale", "volume_precision"].map { Schema.Field($0, .count) }
      + ["has_intraday", "has_daily", "has_weekly_and_monthly"].map { Schema.Field($0, .flag) }
      + [Schema.Field("supported_resolutions", .list(.text))])

  static let candles = Schema.object(
    [Schema.Field("s", .choice(["ok"]))] + ["t", "o", "h", "l", "c", "v"].map { Schema.Field($0, .list(.nearest)) })

  /// No candle in the range; `nextTime` is where there is one before it.
  static let none = Schema.object([
    Schema.Field("s", .choice(["no_data"])), Schema.Field("nextTime", .nearest, isRequired: false),
  ])
}
