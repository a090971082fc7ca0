// All rows of the followed tables as of one moment, into the engine; and what the engine has that is not among them, out of it.
// Invariant: while a snapshot is taken the position says so, so that one that did not end is begun anew; behind it the engine has the
// tables' events of that moment, and no others above the horizon but what the application has cleaned up.
// Not here: where the moment comes from (Attachment), what follows it (ChangeStream).

#if Postgres
  internal import Continuo
  internal import ContinuoStorage

  /// Loads one snapshot.
  struct SnapshotLoad {
    private static let batchRows = 20_000
    private let options: Follower.Options
    private let sink: any EventSink
    private let server: Connection
    private let keyFile: KeyFile
    private let letters: DeadLetters
    private let generation: UInt16
    private let source: ByteString
    private var step: UInt32 = 0
    private var batch: EventBatch
    private var keyChanges: [KeyChange] = []
    /// The rows of the batch, for who has to see what was rejected.
    private var rows: [(table: Int, key: RowKey, event: MappedEvent)] = []
    /// Of each kind: what the tables have.
    private var seen: [EventKind: Set<EventIdentity>] = [:]
    /// The oldest row of each kind.
    private var oldest: [EventKind: Timestamp] = [:]
    private(set) var map: KeyMap
    private(set) var tokens: [[UInt8]: TokenRow] = [:]
    /// The chains that the tables have or had: what is held of others came from elsewhere.
    private var chains: Set<UInt32>
    private let tell: (@Sendable (inout FollowerStatus) -> Void) -> Void

    init(
      _ options: Follower.Options, _ sink: any EventSink, _ server: Connection, _ keyFile: KeyFile,
      _ letters: DeadLetters,
      generation: UInt16, chains: Set<UInt32>, _ tell: @escaping (@Sendable (inout FollowerStatus) -> Void) -> Void
    ) {
      self.chains = chains
      (self.options, self.sink, self.server, self.keyFile, self.letters) = (options, sink, server, keyFile, letters)
      (self.generation, self.tell) = (generation, tell)
      source = SourcePosition.source(options.name)
      batch = EventBatch(price: sink.price)
      map = KeyMap(tables: options.mapping.events.count)
    }

    /// Takes the rows of a snapshot whose moment is `point`, in the transaction that was begun with it. O(rows).
    mutating func run(_ snapshot: String, point: LSN, identity: ServerIdentity) throws {
      // From here on a start begins anew.
      try take(isForced: true)
      try server.script("SET TRANSACTION SNAPSHOT \(SQLText.literal(snapshot))", doing: "opening the snapshot")
      tokens = try Self.tokens(options.mapping.tokens, server)
      for index in options.mapping.events.indices { try read(index) }
      try take(isForced: false)
      _ = try? server.script("COMMIT")
      try retractMissing()
      // The end: all of it is in, and the next position is the server's.
      let end = SourcePosition(generation: generation, lsn: point)
      try keyFile.append([], system: identity.system, at: end.value)
      _ = try sink.take(EventBatch(price: sink.price), at: ChangeStream.input(source, end), isHistory: true)
      try sink.moveHorizon()
      let count = map.count
      tell { ($0.takenLSN, $0.keys) = (point, count) }
    }

    /// Labels and supplies of all tokens.
    static func tokens(_ table: TokenTable, _ server: Connection) throws(PostgresFailure) -> [[UInt8]: TokenRow] {
      let (id, symbol, supply) = (
        SQLText.identifier(table.id), SQLText.identifier(table.symbol), SQLText.identifier(table.supply)
      )
      let rows = try server.query(
        "select \(id)::text, \(symbol)::text, \(supply)::numeric from \(table.quoted)", doing: "reading \(table.title)")
      var tokens: [[UInt8]: TokenRow] = [:]
      for row in rows.all {
        if let id = row.bytes(0) { tokens[id] = TokenRow(symbol: row.bytes(1) ?? [], supply: row.numeric(2)) }
      }
      return tokens
    }

    private mutating func read(_ index: Int) throws {
      let table = options.mapping.events[index]
      guard let facts = try TableFacts(server, schema: table.schema, name: table.name) else {
        throw FollowingStop.tableChanged(table: table.title, why: "it is not there")
      }
      // What names a row comes first, as the stream will name it.
      var keys: [String] = []
      // In the order of the table's columns, whatever that of the index is.
      if case .columns(let names, _) = facts.identity { keys = facts.columns.map(\.name).filter(names.contains) }
      if keys.isEmpty { keys = [EventField.chain, .block, .logIndex].compactMap { table.column($0) } }
      let mapped = Set(table.columns.values).union([table.onlyColumn].compactMap { $0 }).sorted()
      let columns = keys + mapped
      let reader = try RowReader(
        table, columns.map { name in (name: name, type: facts.column(name)?.typeNumber ?? 0) })
      let list = columns.map(SQLText.identifier).joined(separator: ", ")
      var copy = CopyRowReader()
      let statement = "COPY (SELECT \(list) FROM \(table.quoted)) TO STDOUT (FORMAT binary)"
      // Without the row filter of the table: what is no event costs little more than leaving it out there.
      var load = self
      try server.copyOut(statement, doing: "reading \(table.title)") { piece in
        guard let fields = try copy.row(piece, columns: columns.count), !fields.isEmpty else { return }
        try load.add(index, RowKey(Array(fields.prefix(keys.count))), reader.event(fields))
      }
      self = load
    }

    private mutating func add(_ table: Int, _ key: RowKey, _ event: MappedEvent?) throws {
      guard let event else { return }
      let kind = options.mapping.events[table].kind
      event.append(to: &batch, kind: kind)
      rows.append((table, key, event))
      if case .fields = event.content, let identity = event.identity, let timestamp = event.timestamp {
        let change = KeyChange.put(table: table, key, KeyedEvent(identity, timestamp))
        map.apply(change)
        keyChanges.append(change)
        seen[kind, default: []].insert(identity)
        chains.insert(identity.chain)
        oldest[kind] = min(oldest[kind] ?? timestamp, timestamp)
      }
      if rows.count == Self.batchRows { try take(isForced: false) }
    }

    /// Takes what there is; events whose identity stands with another content are taken in its place.
    private mutating func take(isForced: Bool) throws {
      guard isForced || !rows.isEmpty else { return }
      let receipt = try submit(batch)
      var (other, rejected): (EventBatch, [Rejection]) = (EventBatch(price: sink.price), [])
      for rejection in receipt.rejections {
        guard rejection.reason == .conflict, let identity = rows[rejection.line].event.identity else {
          rejected.append(rejection)
          continue
        }
        other.retract(identity)
        rows[rejection.line].event.append(to: &other, kind: options.mapping.events[rows[rejection.line].table].kind)
      }
      if other.offered > 0 { _ = try submit(other) }
      var lines: [UInt8] = []
      for rejection in rejected {
        let row = rows[rejection.line]
        let table = options.mapping.events[row.table]
        lines += DeadLetters.line(
          lsn: LSN(0), table: table.title, key: row.key, rejection, row: row.event.texts(table.kind))
      }
      try letters.append(lines)
      let (count, refused) = (rows.count, rejected.count)
      tell {
        $0.snapshotRows += count
        $0.accepted += receipt.accepted
        $0.rejected += refused
      }
      batch = EventBatch(price: sink.price)
      rows.removeAll(keepingCapacity: true)
    }

    private mutating func submit(_ batch: EventBatch) throws -> Receipt {
      step += 1
      let position = SourcePosition(generation: generation, lsn: LSN(0), changes: step)
      try keyFile.append(keyChanges, system: nil, at: position.value)
      keyChanges.removeAll(keepingCapacity: true)
      return try sink.take(batch, at: ChangeStream.input(source, position), isHistory: true)
    }

    /// Retracts what is held and not in the tables, unless the application has cleaned it up.
    private mutating func retractMissing() throws {
      let newest = sink.newest
      for kind in Set(options.mapping.events.map(\.kind)) {
        let seen = self.seen[kind] ?? []
        let missing = sink.held(kind).filter { key in
          let identity = EventIdentity(kind: kind, chain: key.chain, block: key.block, logIndex: key.logIndex)
          guard chains.contains(key.chain), !seen.contains(identity) else { return false }
          let isOld = newest.map { key.timestamp < $0 - options.windowMicroseconds } ?? false
          return !(isOld && (oldest[kind].map { key.timestamp < $0 } ?? true))
        }
        for start in stride(from: 0, to: missing.count, by: Self.batchRows) {
          var retractions = EventBatch(price: sink.price)
          for key in missing[start..<min(start + Self.batchRows, missing.count)] {
            retractions.retract(
              EventIdentity(kind: kind, chain: key.chain, block: key.block, logIndex: key.logIndex))
          }
          let receipt = try submit(retractions)
          tell { $0.undone += receipt.undone }
        }
      }
    }
  }
#endif
