// Whether what Continuo has written is what it should be: every taken column of every row and every candle, as of one moment.
// Invariant: nothing is changed; what is compared is of one snapshot, and what differs in one of them only is no drift.
// Not here: finding what should be there (Reckoning), making it good (SummaryWriter).
// Rules 20.13.

#if Postgres
  package import Continuo

  /// A value that is not what it should be.
  package struct Drift: Equatable, Sendable {
    /// Where it is: two findings of one place are of one value.
    package struct Place: Hashable, Sendable {
      package var relation: String
      package var column: String
      /// The row.
      package var id: String
    }

    package var place: Place
    package var found: Decimal18?
    package var expected: Decimal18?
  }

  /// What a check came to.
  package struct DriftReport: Equatable, Sendable {
    package var drifts: [Drift] = []
    /// How many rows of tokens and of candles were compared.
    package var tokens = 0
    package var candles = 0
    /// Tokens that traded just before the moment of the last snapshot: their summaries may be on their way.
    package var fresh = 0
  }

  /// Looks once, and where something differs again behind a wait: a summary follows its event by up to a second.
  package struct DriftCheck {
    /// How often is looked at most: for longer in all than a figure that falls with time may be late (20.8), ten seconds.
    package var attempts = 5
    package var waitMicroseconds: Int64 = 3_000_000
    /// An event that is so young may not have reached its summary.
    package static let freshMicroseconds: Int64 = 5_000_000
    private let mapping: TableMapping
    private let server: Connection
    private let price: PriceMode
    private let wallClock: () -> Timestamp

    package init(
      _ mapping: TableMapping, _ server: Connection, price: PriceMode, wallClock: @escaping () -> Timestamp
    ) { (self.mapping, self.server, self.price, self.wallClock) = (mapping, server, price, wallClock) }

    /// Makes the check. O(rows) for each look, and as much memory as an engine takes for them.
    package func run(_ interrupt: InterruptHandle = InterruptHandle()) throws -> DriftReport {
      var report = try look()
      // A volume that falls all the time is written every few seconds, and right as of then: only one that stays is none of ours.
      var moved: Set<Drift.Place> = []
      for _ in 1..<attempts {
        if report.drifts.isEmpty || interrupt.sleep(microseconds: waitMicroseconds) { break }
        let before = Dictionary(report.drifts.map { ($0.place, $0.found) }) { first, _ in first }
        report = try look()
        report.drifts.removeAll { before[$0.place] == nil }
        let volumes = report.drifts.filter { $0.place.column == SummaryColumn.volume.rawValue }
        moved = Set(volumes.filter { before[$0.place] != $0.found }.map(\.place))
      }
      report.drifts.removeAll { moved.contains($0.place) }
      return report
    }

    private func look() throws -> DriftReport {
      let migration = Migration(mapping, server)
      let owned = Set(try migration.owned())
      guard try migration.isMade([OwnTables.sync, OwnTables.owned, OwnTables.candles]) else { throw Unmigrated() }
      let reckoning = try Reckoning(mapping, server, price: price, wallClock: wallClock())
      var report = DriftReport()
      report.fresh = reckoning.fresh.count
      // A figure that falls with time is written every few seconds: it is right as of now, or as of when was written last.
      let asOf = try server.query(
        "select as_of from \(SQLText.relation(mapping.tokens.schema, OwnTables.sync)) where scope = 'all'"
      ).first?.timestamp(0)
      let (rows, now) = try reckoning.rows()
      let then = Dictionary(
        try asOf.map { try reckoning.differences(at: $0) }?.map { (Self.place($0, mapping), true) } ?? []
      ) { first, _ in first }
      report.tokens = rows
      for difference in now where owned.contains(difference.column) && !reckoning.isFresh(difference.id) {
        let place = Self.place(difference, mapping)
        guard asOf == nil || then[place] != nil else { continue }
        // Of a token without an event nothing is written: there nothing is as good as zero.
        let isZero = !difference.isOldStrange && difference.old ?? .zero == difference.new ?? .zero
        guard reckoning.hasEvents(difference.id) || !isZero else { continue }
        report.drifts.append(Drift(place: place, found: difference.old, expected: difference.new))
      }
      try reckoning.compareCandles(&report)
      return report
    }

    private static func place(_ difference: SummaryDifference, _ mapping: TableMapping) -> Drift.Place {
      Drift.Place(relation: mapping.tokens.title, column: difference.column.rawValue, id: difference.id)
    }

    /// Continuo's tables are not there, or not all.
    package struct Unmigrated: Error, CustomStringConvertible {
      package var description: String { "Continuo's tables are not there, or of an older version" }
    }
  }

  extension Reckoning {
    /// Compares every row of candles of an hour with the events of its hour.
    ///
    /// Rows of hours that may have been cleaned up, which are those up to the oldest event, stay as they were.
    fileprivate func compareCandles(_ report: inout DriftReport) throws {
      let columns = SummaryStatements.candleColumns
      let list = columns.map(SQLText.identifier).joined(separator: ", ")
      let relation = SQLText.relation(mapping.tokens.schema, OwnTables.candles)
      let first = oldest.map { Interval.oneHour.start(of: $0) }
      var expected = expectedCandles(behind: first)
      var (copy, drifts, count) = (CopyRowReader(), [Drift](), 0)
      let title = "\(mapping.tokens.schema).\(OwnTables.candles)"
      try server.copyOut("COPY (SELECT \(list) FROM \(relation)) TO STDOUT (FORMAT binary)", doing: "reading candles") {
        guard let fields = try copy.row($0, columns: columns.count), !fields.isEmpty,
          case .binary(let time) = fields[0], let bucket = BigEndian.value(time).flatMap({ ServerTime.timestamp($0) }),
          let token = fields[1].text(ServerType.uuid), let first, bucket > first
        else { return }
        count += 1
        let id = String(decoding: token, as: UTF8.self)
        let values = expected.removeValue(forKey: CandlePlace(token: token, bucket: bucket))
        guard !isFresh(id) else { return }
        for (index, column) in columns.enumerated().dropFirst(2) {
          let (found, wanted) = (Self.number(fields[index], isCount: column == "trades"), values?[index - 2])
          guard found != wanted else { continue }
          let place = Drift.Place(relation: title, column: column, id: "\(id) \(bucket)")
          drifts.append(Drift(place: place, found: found, expected: wanted ?? nil))
        }
      }
      // Retention has ended those before the first row that there is.
      let begin = try server.query("SELECT min(bucket) FROM \(relation)").first?.timestamp(0)
      for (place, values) in expected where begin.map({ place.bucket >= $0 }) ?? true {
        let id = String(decoding: place.token, as: UTF8.self)
        guard !isFresh(id) else { continue }
        let missing = Drift.Place(relation: title, column: "trades", id: "\(id) \(place.bucket)")
        drifts.append(Drift(place: missing, found: nil, expected: values[5]))
      }
      report.candles = count
      report.drifts += drifts.sorted { ($0.place.id, $0.place.column) < ($1.place.id, $1.place.column) }
    }

    private static func number(_ field: TupleField, isCount: Bool) -> Decimal18? {
      guard case .binary(let bytes) = field else { return nil }
      return isCount ? field.integer.map { Decimal18(whole: $0) } : try? NumericBytes.decimal(bytes)
    }
  }
#endif
