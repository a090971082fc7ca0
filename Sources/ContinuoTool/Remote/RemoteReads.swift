// The read commands asked of a server: the same rows, in the same order, with the same notes.
// Invariant: nothing is written before it is known that all that was asked for is there.
// Not here: what a directory or files answer (Commands), pages and columns (RemoteRows).

#if CONTINUO_SERVER
  internal import Continuo
  internal import ContinuoFormats

  extension RemoteServer {
    /// How long the names in one query may be, in bytes: a server's heads are 16 KiB at most.
    private static let namesBytesMax = 8 << 10

    /// The path to what is told of a token.
    static func path(_ token: ByteString, _ rest: String...) -> [String] {
      ["v1", "tokens", token.description] + rest
    }

    /// Rows of `stats`: of these tokens, or of all where none is named. O(tokens).
    func statistics(of names: [ByteString], _ body: ([CellRow]) throws -> Void) throws {
      let table = ResultTable.statistics
      guard !names.isEmpty else {
        return try forEachPage(["v1", "tokens"]) { try body(rows($0, table)) }
      }
      // All of them before the first is handed out: one unknown name refuses all.
      var found: [CellRow] = []
      var (pairs, bytes): ([Parameter], Int) = ([], 0)
      func ask() throws {
        guard !pairs.isEmpty else { return }
        found += try rows(get(["v1", "tokens"], pairs + [("limit", String(Self.rowsAPage))], csv: true), table)
        (pairs, bytes) = ([], 0)
      }
      for name in names {
        if bytes > Self.namesBytesMax { try ask() }
        pairs.append(("id", name.description))
        bytes += 3 * name.bytes.count + 4
      }
      try ask()
      try body(found)
    }

    /// The tokens of these names, or all where none is named; an unknown one refuses all. O(tokens).
    func tokens(_ names: [String]) throws -> [ByteString] {
      let wanted = TokenChoice.distinct(names)
      // The question itself is refused where one name is unknown.
      guard wanted.count != 1 else { return wanted }
      var found: [ByteString] = []
      try statistics(of: wanted) { rows in
        for row in rows {
          if case .text(let name) = row.cells[0] { found.append(name) }
        }
      }
      return found
    }

    /// Whether there is any token whose holders cannot be trusted.
    fileprivate func hasIncompleteTokens() throws -> Bool {
      try object(get(["v1", "inspect"])).count("incomplete_tokens") != 0
    }

    /// Says that a token's holders cannot be trusted.
    fileprivate func note(incomplete name: ByteString, _ console: Console) {
      console.note("holders_incomplete: \(Visible.text(name))")
    }
  }

  extension Candles {
    func ask(_ server: RemoteServer, _ query: CandleQuery, _ console: Console) throws {
      let names = try server.tokens(token)
      let hasOneToken = TokenChoice.distinct(token).count == 1
      if output.format == .chart {
        var chart = CandleChart(interval, console)
        for name in names {
          var bars: [Bar] = []
          try forEachRow(of: name, server, query) { bars.append(Self.bar($0)) }
          try chart.write(name, bars)
        }
        return
      }
      var result = ResultStream(
        ResultTable<CellRow>(like: .candles(withToken: !hasOneToken)), output.rows, console)
      for name in names {
        try forEachRow(of: name, server, query) { row in
          try result.write(hasOneToken ? row : CellRow([.text(name)] + row.cells))
        }
      }
      try result.finish()
    }

    private static let own = ResultTable.candles(withToken: false)

    /// Lends the candles of a token, oldest first.
    private func forEachRow(
      of name: ByteString, _ server: RemoteServer, _ query: CandleQuery, _ body: (CellRow) throws -> Void
    ) throws {
      var parameters: [RemoteServer.Parameter] = [("interval", interval.rawValue), ("fill", fill.rawValue)]
      if let from = query.from { parameters.append(("from", from.description)) }
      if let to = query.to { parameters.append(("to", to.description)) }
      // Pages come from the newest to the oldest, and go out the other way round.
      var pages: [RemoteServer.Reply] = []
      try server.forEachPage(RemoteServer.path(name, "candles"), parameters, limit: query.limit) { pages.append($0) }
      while let page = pages.popLast() {
        for row in try server.rows(page, Self.own) { try body(row) }
      }
    }

    /// A row as a drawing takes it: what is not seen there, which of its swaps came without an amount, is not known.
    private static func bar(_ row: CellRow) -> Bar {
      func price(_ name: String) -> Decimal18? {
        if case .decimal(let price)? = row[name, own] { price } else { nil }
      }
      func sum(_ name: String) -> ExactSum {
        if let sum = price(name) { return ExactSum(sum) }
        // It does not fit a decimal.
        var sum = ExactSum(Decimal18.max)
        sum += ExactSum(Decimal18.max)
        return sum
      }
      func instant() -> Timestamp? {
        if case .time(let bucket)? = row["bucket", own] { bucket } else { nil }
      }
      let trades: UInt64 = if case .count(let trades)? = row["trades", own] { trades } else { 0 }
      var bar = Bar(
        bucket: instant() ?? Timestamp(microseconds: 0), isClosed: row["closed", own] == .flag(true),
        open: price("open") ?? .zero, high: price("high") ?? .zero, low: price("low") ?? .zero,
        close: price("close") ?? .zero, volumeUSD: sum("volume_usd"), volumeToken: sum("volume_token"),
        buyVolumeUSD: sum("buy_volume_usd"), sellVolumeUSD: sum("sell_volume_usd"), trades: Int(trades),
        tradesWithoutTokenAmount: 0)
      bar.hasPrices = price("open") != nil
      return bar
    }
  }

  extension Stats {
    func ask(_ server: RemoteServer, _ asked: Timestamp?, _ console: Console) throws {
      if let window { return try askWindows(server, window, asked, console) }
      var result = ResultStream(ResultTable<CellRow>(like: .statistics), output, console)
      if let asked {
        for name in try server.tokens(token) {
          let object = try server.object(server.get(RemoteServer.path(name), [("as_of", asked.description)]))
          try result.write(try server.row(object, ResultTable.statistics))
          // Holders are of the present: an instant before the clock does not show them.
          if object.flag("holders_incomplete"), object.text("holders") != nil {
            server.note(incomplete: name, console)
          }
        }
        return try result.finish()
      }
      let mayBeIncomplete = try server.hasIncompleteTokens()
      try server.statistics(of: TokenChoice.distinct(token)) { rows in
        for row in rows {
          try result.write(row)
          guard mayBeIncomplete, case .text(let name) = row.cells[0] else { continue }
          if try server.object(server.get(RemoteServer.path(name))).flag("holders_incomplete") {
            server.note(incomplete: name, console)
          }
        }
      }
      try result.finish()
    }

    private func askWindows(
      _ server: RemoteServer, _ length: WindowLength, _ asked: Timestamp?, _ console: Console
    ) throws {
      let table = ResultTable<WindowAnswer>.windows
      var result = ResultStream(ResultTable<CellRow>(like: table), output, console)
      // All are as of one instant: that of the first, where none was asked for.
      var instant = asked
      for name in try server.tokens(token) {
        var parameters: [RemoteServer.Parameter] = [("window", length.rawValue)]
        if let instant { parameters.append(("as_of", instant.description)) }
        for row in try server.rows(server.get(RemoteServer.path(name), parameters, csv: true), table) {
          if instant == nil, case .time(let first) = row.cells[1] { instant = first }
          try result.write(row)
        }
      }
      try result.finish()
    }
  }

  extension Top {
    func ask(_ server: RemoteServer, _ asked: Timestamp?, _ console: Console) throws {
      var parameters = try parameters()
      if let asked { parameters.append(("as_of", asked.description)) }
      let table = ResultTable<RankAnswer>.ranking
      var result = ResultStream(ResultTable<CellRow>(like: table), output, console)
      for row in try server.rows(server.get(["v1", "top"], parameters, csv: true), table) { try result.write(row) }
      try result.finish()
    }

    private func parameters() throws -> [RemoteServer.Parameter] {
      guard limit <= RemoteServer.rowsAPage else {
        throw Failure(
          .tooLarge, "\(limit) places of a ranking, and a server answers \(RemoteServer.rowsAPage) at most",
          remedy: "lower --limit, or ask a backup by --data-dir")
      }
      return [("by", by.rawValue), ("limit", String(limit))]
    }

    /// The places as they are now, and when that is.
    func watched(_ server: RemoteServer) throws -> WatchedRanking {
      let table = ResultTable<RankAnswer>.ranking
      let reply = try server.get(["v1", "top"], parameters())
      guard let ranking = RemoteRanking(reply.body) else { throw server.badAnswer("no ranking") }
      var writer = ResultWriter(ResultTable<CellRow>(like: table), as: .table)
      var prices: [(token: ByteString, price: Decimal18?)] = []
      for place in ranking.top {
        let row = try server.row(place, table)
        writer.write(row)
        let price: Decimal18? = if case .decimal(let price)? = row["last_price_usd", table] { price } else { nil }
        if case .text(let name)? = row["token", table] { prices.append((name, price)) }
      }
      writer.finish()
      return watched(writer.bytes, prices, at: Timestamp(ranking.asOf))
    }
  }

  extension Holders {
    func ask(_ server: RemoteServer, _ console: Console) throws {
      let table = ResultTable<HolderAnswer>.holders
      var result = ResultStream(ResultTable<CellRow>(like: table), output, console)
      for name in TokenChoice.distinct(token) {
        var isFirst = true
        try server.forEachPage(RemoteServer.path(name, "holders"), limit: limit) { page in
          if isFirst, page.isIncomplete { server.note(incomplete: name, console) }
          isFirst = false
          for row in try server.rows(page, table) { try result.write(row) }
        }
      }
      try result.finish()
    }
  }

  extension Explain {
    func ask(_ server: RemoteServer, _ instant: Timestamp, _ console: Console) throws {
      let table = ResultTable<Explanation>.explanations
      var result = ResultStream(ResultTable<CellRow>(like: table), output, console)
      for name in TokenChoice.distinct(token) {
        let reply = try server.get(
          RemoteServer.path(name, "explain"), [("interval", interval.rawValue), ("bucket", instant.description)],
          csv: true)
        for row in try server.rows(reply, table) { try result.write(row) }
      }
      try result.finish()
    }
  }

  extension Inspect {
    func ask(_ server: RemoteServer, _ console: Console) throws {
      let table = ResultTable.inspection(ofDirectory: true, withDigest: digest)
      let object = try server.object(server.get(["v1", "inspect"], digest ? [("digest", "true")] : []))
      var result = ResultStream(ResultTable<CellRow>(like: table), output, console)
      try result.write(try server.row(object, table))
      try result.finish()
    }
  }
#endif
