// All rows of the followed tables as of one moment, into the engine; and what the engine has that is not among them, out of it.
// Invariant: while a snapshot is taken the position says so, so that one that did not end is begun anew; behind it the engine has the
// tables' events of that moment, and no others above the horizon but what the application has cleaned up.
// Not here: where the moment comes from (Attachment), taking batches (SnapshotTaker), what follows it (ChangeStream).

#if Postgres
  internal import Continuo
  internal import ContinuoBytes
  internal import ContinuoStorage

  /// Loads one snapshot.
  struct SnapshotLoad {
    private static let batchRows = 20_000
    private let options: Follower.Options
    private let sink: any EventSink
    private let server: Connection
    private let keyFile: KeyFile
    private let generation: UInt16
    private let source: ByteString
    private let taker: SnapshotTaker
    private var thread: ThreadHandle?
    private var frames: UInt32 = 0
    private var keyChanges: [KeyChange] = []
    /// Of each kind: what is held of the tables' chains, and was not among the rows yet.
    private var unseen: [EventKind: [EventIdentity: Timestamp]] = [:]
    /// The oldest row of each kind.
    private var oldest: [EventKind: Timestamp] = [:]
    private(set) var map: KeyMap
    private(set) var tokens: [[UInt8]: TokenRow] = [:]
    /// The chains that the tables have or had: what is held of others came from elsewhere.
    private var chains: Set<UInt32>
    /// The chain of the last row.
    private var lastChain: UInt32?
    /// Whether there is a chain among the rows that the file of keys has not yet.
    private var hasNewChain = true
    /// The kinds that the tables have or had.
    private let kinds: Set<EventKind>
    private let own: (Set<UInt32>) -> Void
    private let tell: @Sendable (@Sendable (inout FollowerStatus) -> Void) -> Void

    init(
      _ options: Follower.Options, _ sink: any EventSink, _ server: Connection, _ keyFile: KeyFile,
      _ letters: DeadLetters,
      generation: UInt16,
      _ tell: @escaping @Sendable (@Sendable (inout FollowerStatus) -> Void) -> Void,
      owns: @escaping (Set<UInt32>) -> Void
    ) {
      (chains, kinds) = (keyFile.chains, keyFile.kinds)
      (self.options, self.sink, self.server, self.keyFile) = (options, sink, server, keyFile)
      (self.generation, self.tell, own) = (generation, tell, owns)
      source = SourcePosition.source(options.name)
      taker = SnapshotTaker(sink, letters, source: source, generation: generation, tell)
      map = KeyMap(tables: options.mapping.events.count)
    }

    /// Takes the rows of a snapshot whose moment is `point`, in the transaction that was begun with it. O(rows).
    mutating func run(point: LSN, identity: ServerIdentity) throws {
      // From here on a start begins anew.
      try noteKeys()
      _ = try taker.submit(EventBatch(price: sink.price))
      tokens = try Self.tokens(options.mapping.tokens, server)
      expect(chains)
      thread = ThreadHandle { [taker] in taker.run() }
      do {
        for index in options.mapping.events.indices { try read(index) }
      } catch {
        try? taker.end(thread, isWhole: false)
        throw error
      }
      try taker.end(thread, isWhole: true)
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

    // MARK: rows

    private mutating func read(_ index: Int) throws {
      let table = options.mapping.events[index]
      guard let facts = try TableFacts(server, schema: table.schema, name: table.name) else {
        throw FollowingStop.tableChanged(table: table.title, why: "it is not there")
      }
      // What names a row comes first, as the stream will name it.
      let keys = facts.keyColumns(of: table).columns.map(\.name)
      let mapped = Set(table.columns.values).union([table.onlyColumn].compactMap { $0 }).sorted()
      let columns = keys + mapped
      let reader = try RowReader(
        table, columns.map { name in (name: name, type: facts.column(name)?.typeNumber ?? 0) })
      let list = columns.map(SQLText.identifier).joined(separator: ", ")
      let statement = "COPY (SELECT \(list) FROM \(table.quoted)) TO STDOUT (FORMAT binary)"
      let empty = SnapshotTaker.Parcel(batch: EventBatch(price: sink.price), reader: reader, columns: columns.count)
      var (load, parcel, copy) = (self, empty, CopyRowReader())
      var (places, name, isFirst): ([FieldPlace], [UInt8], Bool) = ([], [], true)
      load.map.reserve(index, rows: try Self.rows(of: table, server))
      // Without the row filter of the table: what is no event costs little more than leaving it out there.
      try server.copyOut(statement, doing: "reading \(table.title)") { piece in
        // The first piece may have the head in front of it.
        let isBehindHead = !isFirst
        isFirst = false
        guard try copy.read(piece, columns: columns.count, into: &places) == .row else { return }
        let key = Self.key(piece, places, count: keys.count)
        let plain = isBehindHead ? reader.append(plain: piece, places, to: &parcel.batch, &name) : .unusual
        switch plain {
        case .noEvent: return
        case .event(let event):
          parcel.rows.append(SnapshotTaker.Row(key: key, content: .piece(piece)))
          load.note(index, key, event)
        case .unusual:
          guard let event = reader.event(CopyRowReader.fields(piece, places)) else { return }
          event.append(to: &parcel.batch, kind: table.kind)
          parcel.rows.append(SnapshotTaker.Row(key: key, content: .event(event)))
          if case .fields = event.content, let identity = event.identity, let timestamp = event.timestamp {
            load.note(index, key, KeyedEvent(identity, timestamp))
          }
        }
        guard parcel.rows.count == Self.batchRows else { return }
        try load.noteKeys()
        try load.taker.put(parcel, to: load.thread)
        parcel = empty
        parcel.rows.reserveCapacity(Self.batchRows)
      }
      if !parcel.rows.isEmpty {
        try load.noteKeys()
        try load.taker.put(parcel, to: load.thread)
      }
      self = load
    }

    /// How many rows a table has, as far as the server knows without counting.
    private static func rows(of table: SourceTable, _ server: Connection) throws(PostgresFailure) -> Int {
      let row = try server.query(
        "select greatest(reltuples, 0)::int8 from pg_class where oid = to_regclass($1)", [.text(table.quoted)]
      ).first
      return Int(row?.int(0) ?? 0)
    }

    /// What names a row: the first of its fields.
    private static func key(_ piece: [UInt8], _ places: [FieldPlace], count: Int) -> RowKey {
      if count == 1, places[0].count == 8, let number: Int64 = BigEndian.value(piece, at: places[0].start) {
        return .number(number)
      }
      return RowKey(CopyRowReader.fields(piece, Array(places.prefix(count))))
    }

    /// Notes which event a row is.
    private mutating func note(_ table: Int, _ key: RowKey, _ event: KeyedEvent) {
      let kind = options.mapping.events[table].kind
      let change = KeyChange.put(table: table, key, event)
      map.apply(change)
      keyChanges.append(change)
      if event.chain != lastChain {
        lastChain = event.chain
        if chains.insert(event.chain).inserted {
          expect([event.chain])
          hasNewChain = true
        }
      }
      if unseen[kind]?.isEmpty == false { unseen[kind]?[event.identity(kind)] = nil }
      if let first = oldest[kind], first <= event.timestamp { return }
      oldest[kind] = event.timestamp
    }

    /// From here on nobody else writes events of these chains; those that are held are to be among the rows. O(events), so nothing
    /// where the engine is empty, as it is while the chains of a first snapshot are met.
    private mutating func expect(_ more: Set<UInt32>) {
      own(more)
      for kind in kinds {
        for key in sink.held(kind) where more.contains(key.chain) {
          let identity = EventIdentity(kind: kind, chain: key.chain, block: key.block, logIndex: key.logIndex)
          unseen[kind, default: [:]][identity] = key.timestamp
        }
      }
    }

    /// Writes the keys of a batch down, in front of it. They are synced with the end of the snapshot: before that they count for
    /// nothing, but for the chains that they have, which the next snapshot has to know if this one breaks off.
    private mutating func noteKeys() throws {
      frames += 1
      try keyFile.append(keyChanges, isSynced: hasNewChain, at: taker.at(frames).value)
      hasNewChain = false
      keyChanges.removeAll(keepingCapacity: true)
    }

    /// Retracts what is held and not in the tables, unless the application has cleaned it up.
    private func retractMissing() throws {
      let newest = sink.newest
      for (kind, events) in unseen {
        let missing = events.filter { _, timestamp in
          let isOld = newest.map { timestamp < $0 - options.windowMicroseconds } ?? false
          return !(isOld && (oldest[kind].map { timestamp < $0 } ?? true))
        }.keys.sorted { ($0.chain, $0.block, $0.logIndex) < ($1.chain, $1.block, $1.logIndex) }
        for start in stride(from: 0, to: missing.count, by: Self.batchRows) {
          var retractions = EventBatch(price: sink.price)
          for identity in missing[start..<min(start + Self.batchRows, missing.count)] { retractions.retract(identity) }
          let receipt = try taker.submit(retractions)
          tell { $0.undone += receipt.undone }
        }
      }
    }
  }
#endif
