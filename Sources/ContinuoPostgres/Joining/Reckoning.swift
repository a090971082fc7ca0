// What the summary columns would be, reckoned in memory from one moment of the followed tables: nothing is changed.
// Invariant: rows are judged as they are when they are followed, and all of one snapshot.
// Not here: following (Follower), taking columns (Migration).

#if Postgres
  package import Continuo

  /// A value that would change.
  package struct SummaryDifference: Equatable, Sendable {
    package var column: SummaryColumn
    package var id: String
    package var old: Decimal18?
    /// Whether the row has a number there that is none of ours, like NaN.
    package var isOldStrange: Bool
    package var new: Decimal18?
  }

  /// Reads the followed tables once.
  package final class Reckoning {
    private var engine = Engine(Engine.Settings(retention: nil))
    let mapping: TableMapping
    let server: Connection
    private let price: PriceMode
    private let clock: Timestamp
    /// How many rows were events, and how many of those were rejected.
    package private(set) var events = 0
    package private(set) var rejected = 0
    /// The time of the oldest row that is a swap.
    private(set) var oldest: Timestamp?
    /// The tokens that have an event which is so young that its summary may be on its way.
    private(set) var fresh: Set<[UInt8]> = []

    /// Reads all rows. O(rows), and as much memory as an engine takes for them.
    package init(
      _ mapping: TableMapping, _ server: Connection, price: PriceMode = .quoted, wallClock: Timestamp
    ) throws {
      (self.mapping, self.server, self.price, clock) = (mapping, server, price, wallClock)
      try server.script("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
      for table in mapping.events { try read(table) }
    }

    deinit { _ = try? server.script("COMMIT") }

    private func read(_ table: SourceTable) throws {
      guard let facts = try TableFacts(server, schema: table.schema, name: table.name) else {
        throw FollowingStop.tableChanged(table: table.title, why: "it is not there")
      }
      let columns = Set(table.columns.values).union([table.onlyColumn].compactMap { $0 }).sorted()
      let reader: RowReader
      do throws(UnreadableColumn) {
        reader = try RowReader(table, columns.map { (name: $0, type: facts.column($0)?.typeNumber ?? 0) })
      } catch { throw FollowingStop.tableChanged(table: error.table, why: error.why) }
      var (batch, copy) = (EventBatch(price: price), CopyRowReader())
      let list = columns.map(SQLText.identifier).joined(separator: ", ")
      try server.copyOut(
        "COPY (SELECT \(list) FROM \(table.quoted)) TO STDOUT (FORMAT binary)", doing: "reading \(table.title)"
      ) {
        guard let fields = try copy.row($0, columns: columns.count), !fields.isEmpty, let event = reader.event(fields)
        else { return }
        event.append(to: &batch, kind: table.kind)
        note(event, table.kind)
        if batch.offered >= 20_000 { try take(&batch) }
      }
      try take(&batch)
    }

    private func note(_ event: MappedEvent, _ kind: EventKind) {
      guard case .fields(let fields) = event.content, let timestamp = event.timestamp else { return }
      if kind == .swap { oldest = min(oldest ?? timestamp, timestamp) }
      if timestamp > clock - DriftCheck.freshMicroseconds { fresh.insert(fields.token) }
    }

    /// Whether a token has an event that is very young.
    func isFresh(_ id: String) -> Bool { fresh.contains(Array(id.utf8)) }

    /// Whether a token has an event that stands. O(length).
    func hasEvents(_ id: String) -> Bool { engine.token(ByteString(id)) != nil }

    private func take(_ batch: inout EventBatch) throws {
      let receipt = try engine.apply(batch, wallClock: clock)
      events += batch.offered
      rejected += receipt.rejections.count
      batch.removeAll()
    }

    /// Of each summary column of each row of tokens what would change. O(tokens).
    package func differences() throws -> [SummaryDifference] { try rows().differences }

    /// The same as of another instant, which is not far.
    func differences(at instant: Timestamp) throws -> [SummaryDifference] { try rows(at: instant).differences }

    /// The same, and how many rows there are.
    func rows(at instant: Timestamp? = nil) throws -> (count: Int, differences: [SummaryDifference]) {
      let table = mapping.tokens
      guard let facts = try TableFacts(server, schema: table.schema, name: table.name) else { return (0, []) }
      let columns = SummaryColumn.allCases.filter { facts.column($0.rawValue) != nil }
      let list = columns.map { ", " + SQLText.identifier($0.rawValue) + "::numeric" }.joined()
      let (id, supply) = (SQLText.identifier(table.id), SQLText.identifier(table.supply))
      let rows = try server.query("select \(id)::text, \(supply)::numeric\(list) from \(table.quoted) order by 1")
      let now = max(instant ?? clock, engine.newest ?? clock)
      var differences: [SummaryDifference] = []
      for row in rows.all {
        let name = row.text(0) ?? ""
        var summary = TokenSummary()
        if let token = engine.token(ByteString(name)) {
          summary = try TokenSummary(engine, token, supply: row.numeric(1), at: now)
        }
        for (index, column) in columns.enumerated() {
          let (old, bytes) = (row.numeric(2 + index), row.bytes(2 + index))
          let new = summary.value(column)
          if old != new || (old == nil) != (bytes == nil) {
            differences.append(
              SummaryDifference(column: column, id: name, old: old, isOldStrange: old == nil && bytes != nil, new: new))
          }
        }
      }
      return (rows.count, differences)
    }

    /// A candle's row.
    struct CandlePlace: Hashable {
      var token: [UInt8]
      var bucket: Timestamp
    }

    /// The candles of an hour behind an instant, of tokens that have a `uuid` for a name: the values of their rows, in the order of the
    /// columns behind the first two. O(candles).
    func expectedCandles(behind first: Timestamp?) -> [CandlePlace: [Decimal18?]] {
      var candles: [CandlePlace: [Decimal18?]] = [:]
      let now = max(clock, engine.newest ?? clock)
      for token in engine.tokens() {
        let name = engine.name(of: token).bytes
        guard let id = UUIDBytes(String(decoding: name, as: UTF8.self)), id.ascii == name else { continue }
        engine.forEachCandle(of: token, CandleQuery(.oneHour), clock: now) { row in
          guard let candle = row.candle, let first, row.bucket > first else { return }
          candles[CandlePlace(token: name, bucket: row.bucket)] = [
            candle.open, candle.high, candle.low, candle.close, candle.volumeUSD.decimal,
            Decimal18(whole: Int64(candle.trades)), candle.volumeToken.decimal, candle.buyVolumeUSD.decimal,
            candle.sellVolumeUSD.decimal, candle.vwap,
          ]
        }
      }
      return candles
    }
  }
#endif
