// Every route there is.
// Invariant: a path and its query's names stand here and nowhere else.
// Not here: the answers (the other files of this room).

enum RouteTable {
  private static let paging = ["limit", "cursor", "time"]

  static let all: [Route] = reads + [StreamRoute.route] + writes + UDFRoutes.all + operations + page

  private static let reads = [
    Route("GET", "/v1/tokens", .read, ["q", "id"] + paging, repeated: ["id"], .slow(TokenRoutes.list)),
    Route(
      "GET", "/v1/tokens/{t}", .read, ["as_of", "window", "time"], repeated: ["window"], .slow(TokenRoutes.one)),
    Route(
      "GET", "/v1/tokens/{t}/candles", .read, ["interval", "from", "to", "fill", "order"] + paging,
      .quick(CandleRoutes.candles)),
    Route(
      "GET", "/v1/tokens/{t}/explain", .read, ["interval", "bucket", "time"], .slow(CandleRoutes.explain)),
    Route("GET", "/v1/tokens/{t}/trades", .read, paging, .quick(ListRoutes.trades)),
    Route("GET", "/v1/tokens/{t}/holders", .read, paging, .slow(ListRoutes.holders)),
    Route("GET", "/v1/top", .read, ["by", "limit", "as_of", "time"], .slow(ListRoutes.top)),
    Route("GET", "/v1/inspect", .read, ["digest", "time"], .slow(OperatorRoutes.inspect)),
  ]

  private static let writes = [
    Route("POST", "/v1/events", .write, ["time_unit"], .events),
    Route("POST", "/v1/events/retract", .admin, [], .posted(UndoRoutes.retract)),
    Route("POST", "/v1/chains/{c}/rollback", .admin, [], .posted(UndoRoutes.rollback)),
    Route("POST", "/v1/admin/checkpoint", .admin, [], .posted(OperatorRoutes.checkpoint)),
    Route("POST", "/v1/admin/backup", .admin, [], .posted(OperatorRoutes.backup)),
    Route("POST", "/v1/admin/verify", .admin, [], .posted(OperatorRoutes.verify)),
  ]

  private static let operations = [
    Route("GET", "/healthz", .open, [], .quick(HealthRoutes.health)),
    Route("GET", "/readyz", .open, [], .quick(HealthRoutes.ready)),
    Route("GET", "/metrics", .read, [], .slow(HealthRoutes.metrics)),
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
