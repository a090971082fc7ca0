// Every route there is.
// Invariant: a path and its query's names stand here and nowhere else.
// Not here: the answers (the other files of this room).

internal import Continuo
internal import ContinuoFormats

enum RouteTable {
  static let all: [Route] = reads + [StreamRoute.route] + writes + UDFRoutes.all + operations + page

  private static let next = Schema.Field("next", .textOrNull)

  private static let reads = [
    Route(
      "GET", "/v1/tokens", .read,
      [
        Parameter("q", "A part of the name, without capitals.", .text),
        Parameter("id", "A whole name.", .text, isRepeated: true), .limit(), .cursor(), .time,
      ],
      text: .rows(
        "Tokens with their statistics, by name",
        .object([Schema.Field("tokens", .list(.named(.statistics))), next]), codes: [.unknownToken]),
      .slow(TokenRoutes.list)),
    Route(
      "GET", "/v1/tokens/{t}", .read, [.asOf, .window, .time],
      text: .rows(
        "One token's statistics",
        .object(
          Schema.fields(ResultTable.labelledStatistics) + [
            Schema.Field("holders_incomplete", .flag),
            Schema.Field("windows", .map(.orNull(.named(.window))), isRequired: false),
          ]), codes: [.unknownToken, .outsideRetention]), .slow(TokenRoutes.one)),
    Route(
      "GET", "/v1/tokens/{t}/candles", .read,
      [
        .interval, Parameter("from", "The first bucket starts here or later.", Parameter.instant),
        Parameter("to", "The last bucket starts before this.", Parameter.instant),
        Parameter("fill", "What stands for a bucket without a swap.", .choice(Fill.self)),
        Parameter("order", "How the candles are sorted; asc unless it is given.", .choice(["asc", "desc"])),
        .limit(), .cursor("^-?[0-9]{1,18}$"), .time,
      ],
      text: .rows(
        "Candles of a token: the newest of the range",
        .object([
          Schema.Field("token", .text), Schema.Field("interval", .choice(Interval.self)), Schema.Field("clock", .time),
          Schema.Field("candles", .list(.named(.candle))), next,
        ]), codes: [.unknownToken]), part: CandleRoutes.candlesPart, .quick(CandleRoutes.candles)),
    Route(
      "GET", "/v1/tokens/{t}/explain", .read,
      [.interval, Parameter("bucket", "The start of the candle.", Parameter.instant, isRequired: true), .time],
      text: .rows(
        "The swaps that made a candle's prices",
        .object([
          Schema.Field("candle", .orNull(.named(.candle))), Schema.Field("events", .list(.named(.explanation))),
        ]), codes: [.unknownToken, .outsideRetention]), part: CandleRoutes.explainPart, .slow(CandleRoutes.explain)),
    Route(
      "GET", "/v1/tokens/{t}/trades", .read,
      [.limit(), .cursor("^-?[0-9]{1,18}\\.[0-9]{1,9}\\.[0-9]{1,18}\\.[0-9]{1,9}$"), .time],
      text: .rows(
        "Held swaps, newest first", .object([Schema.Field("trades", .list(.named(.trade))), next]),
        codes: [.unknownToken]), .quick(ListRoutes.trades)),
    Route(
      "GET", "/v1/tokens/{t}/holders", .read, [.limit(), .cursor("^[0-9]{1,7}$"), .time],
      text: .rows(
        "Holders, largest first",
        .object([
          Schema.Field("holders", .list(.named(.holder))), Schema.Field("supply", .decimalOrNull),
          Schema.Field("holders_incomplete", .flag), next,
        ]), codes: [.unknownToken]), .slow(ListRoutes.holders)),
    Route(
      "GET", "/v1/top", .read,
      [
        Parameter("by", "The figure that ranks; volume-24h unless it is given.", .choice(RankingKey.self)),
        .limit(usual: ListRoutes.placesUsual), .asOf, .time,
      ],
      text: .rows(
        "Tokens ranked by one figure",
        .object([
          Schema.Field("by", .choice(RankingKey.self)), Schema.Field("as_of", .time),
          Schema.Field("top", .list(.named(.place))),
        ]), codes: [.outsideRetention]), .slow(ListRoutes.top)),
    Route(
      "GET", "/v1/inspect", .read,
      [
        Parameter(
          "digest", "Whether state_digest is wanted: one number for all answers.", .choice(["true", "false", "1", "0"])),
        .time,
      ],
      text: RouteText(
        "What is held",
        .object(
          Schema.fields(ResultTable.inspection(ofDirectory: true, withDigest: false)) + [
            Schema.Field("state_digest", .text, isRequired: false)
          ]), codes: [.outsideRetention, .storageFailed]), .slow(OperatorRoutes.inspect)),
  ]

  private static let sequence = Schema.Field("sequence", .count)

  private static let writes = [
    Route(
      "POST", "/v1/events", .write,
      [
        Parameter("time_unit", "What an integer in timestamp counts; us unless it is given.", .choice(TimeUnit.self))
      ],
      text: .events, .events),
    Route(
      "POST", "/v1/events/retract", .admin,
      text: RouteText(
        "Take events back",
        .object([
          Schema.Field("undone", .count), Schema.Field("not_found", .list(.named(.identity))), sequence,
        ]), takes: UndoRoutes.retractSchema, codes: [.sourceOwned]), .posted(UndoRoutes.retract)),
    Route(
      "POST", "/v1/chains/{c}/rollback", .admin,
      text: RouteText(
        "Take back every event of a chain above a block",
        .object(Schema.fields(ResultTable.rollback) + [sequence]), takes: UndoRoutes.rollbackSchema,
        codes: [.beyondRetention, .sourceOwned]), .posted(UndoRoutes.rollback)),
    Route(
      "POST", "/v1/admin/checkpoint", .admin,
      text: RouteText("Put what has changed into kept files", .row(ResultTable.checkpoint), takes: .object([])),
      .posted(OperatorRoutes.checkpoint)),
    Route(
      "POST", "/v1/admin/backup", .admin,
      text: RouteText(
        "Copy the directory to a folder that is not there yet, and read the copy",
        .row(ResultTable.copy(withDigest: false)), takes: OperatorRoutes.backupSchema),
      .posted(OperatorRoutes.backup)),
    Route(
      "POST", "/v1/admin/verify", .admin,
      text: RouteText(
        "Read all of the directory as it is now, and say what is wrong", OperatorRoutes.verifySchema, takes: .object([])
      ),
      .posted(OperatorRoutes.verify)),
  ]

  private static let operations = [
    Route(
      "GET", "/healthz", .open,
      text: RouteText("Whether the process is there", .object([Schema.Field("status", .text)])),
      .quick(HealthRoutes.health)),
    Route(
      "GET", "/readyz", .open,
      text: RouteText(
        "Whether it can be relied on",
        .object([Schema.Field("ready", .flag), Schema.Field("reasons", .list(.text))])
      ).or(status: 503), .quick(HealthRoutes.ready)),
    Route(
      "GET", "/metrics", .read, text: RouteText("What is counted, for Prometheus", type: "text/plain"),
      .slow(HealthRoutes.metrics)),
    OpenAPI.route,
  ]

  // Open to who has no token too: there is nothing of the market in these files.
  private static let page = [
    Route("GET", "/", .open, PageRoutes.state, .quick(PageRoutes.page)),
    Route("GET", "/tokens/{t}", .open, PageRoutes.state, .quick(PageRoutes.page)),
    Route("GET", "/page/{f}", .open, [], .quick(PageRoutes.file)),
    Route("GET", "/licenses", .open, [], .quick(PageRoutes.licenses)),
    Route("GET", "/favicon.ico", .open, [], .quick(PageRoutes.icon)),
  ]
}
