// The first snapshot: rows read at once against the same rows read field by field, and what the directory had of the tables' chains before.
// Invariant: what is right is what a row comes to field by field, and what SQL finds in the application's tables.
// Not here: a snapshot that makes good a lost slot (FollowerTests).

#if Postgres
  import Continuo
  import ContinuoPostgres
  import ContinuoStorage
  import ContinuoTestSupport
  import Foundation
  import Testing

  @Suite("The first snapshot", .serialized)
  struct SnapshotTests {
    /// What nothing usual is: numbers that do not fit, texts that are no side, times that are none.
    private static let strange = """
      insert into pool_events (artist_token_id, chain_id, block_number, log_index, tx_hash, event_type, side, wallet, amount_usd, token_amount,
        block_timestamp)
      select id, 1, 900000000 + n, n, 'tx', 'swap', (array['buy', 'sell', null, '', 'bye'])[1 + n % 5],
        (array['0xAb', null, '', repeat('w', 300), 'Ünïcode'])[1 + n % 5],
        (array['1', '0', '-1', 'NaN', 'Infinity', '0.0000000000000000004', '99999999999999999999999999999999999999', '10000', '0.0001',
          '123456789012345.123456789012345678', '9999999999999999.9999', '12345678.00000001', '1e-18', '100000000000000000000'])[1 + n % 14]::numeric,
        (array['1', '0', null, 'NaN', '3', '0.00010000', '40000000', '1e-17', '7.5'])[1 + n % 9]::numeric,
        case n % 11 when 0 then 'infinity' when 1 then '-infinity' when 2 then '0001-01-01' else now() end::timestamptz
      from generate_series(0, 1385) n, (select id from artist_tokens limit 1) t;
      insert into token_transfers (artist_token_id, chain_id, block_number, log_index, tx_hash, from_wallet, to_wallet, amount, block_timestamp)
      select id, 1, 900000000 + n, n, 'tx', (array['0xA', '', 'b'])[1 + n % 3], (array['0xB', 'c', ''])[1 + n / 3 % 3],
        (array['1', '0.5', 'NaN', '0', '1e20', '1e-18'])[1 + n % 6]::numeric, now() from generate_series(0, 53) n, (select id from artist_tokens limit 1) t;
      """

    /// Rules 20.2, 20.12: a row that says now what cannot be taken does not leave standing what it said before.
    @Test("A row that has become one to reject while nobody followed")
    func rejectedNow() throws {
      let (database, server, options) = try FollowerTests.setUp()
      _ = try Application(server, seed: 1)
      try server.script(
        "insert into pool_events (artist_token_id, chain_id, block_number, log_index, tx_hash, event_type, side, amount_usd, token_amount, block_timestamp) select id, 1, 5, n, 'x', 'swap', 'buy', 6, 2, now() from artist_tokens, generate_series(1, 2) n where id in (select id from artist_tokens limit 1)"
      )
      let folder = try Folder()
      var following = try Following(options, directory: folder.path + "/data")
      try following.catchUp(server)
      #expect(following.ledger.hourCandles.count == 1 && following.status.accepted == 2)
      following.end()
      try Following.dropSlot(server, database)
      try server.script("update pool_events set token_amount = null where log_index = 2")
      following = try Following(options, directory: folder.path + "/data")
      try following.catchUp(server)
      #expect(following.status.undone == 1 && following.status.rejected == 1)
      try server.script("update pool_events set token_amount = null where log_index = 1 and event_type = 'swap'")
      try following.catchUp(server)
      #expect(following.ledger.hourCandles.isEmpty)
    }

    /// Rule 20.12: rows below the horizon are no news to a second snapshot, and no rejections.
    @Test("Rows that were dropped long ago are read once more")
    func belowHorizon() throws {
      let (database, server, options) = try FollowerTests.setUp()
      _ = try Application(server, seed: 1)
      try server.script(
        "insert into pool_events (artist_token_id, chain_id, block_number, log_index, tx_hash, event_type, side, amount_usd, token_amount, block_timestamp) select id, 1, n, 0, 'x', 'swap', 'buy', 6, 2, now() - interval '400 days' * n from artist_tokens, generate_series(0, 3) n where id in (select id from artist_tokens limit 1)"
      )
      let folder = try Folder()
      var following = try Following(options, directory: folder.path + "/data")
      try following.catchUp(server)
      let candles = following.ledger.hourCandles
      #expect(following.status.accepted == 4 && following.status.rejected == 0)
      following.end()
      try Following.dropSlot(server, database)
      following = try Following(options, directory: folder.path + "/data")
      try following.catchUp(server)
      let status = following.status
      #expect(status.snapshots == 1 && status.rejected == 0 && status.undone == 0, "\(status)")
      #expect(following.ledger.hourCandles == candles)
    }

    /// Rule 20.1: what is read at once comes to what it comes to field by field, whatever it holds; and most rows are read at once.
    @Test("A row comes to the same, at once and field by field", arguments: Seeds.thisRun(2))
    func plain(seed: UInt64) throws {
      let (_, server, _) = try FollowerTests.setUp()
      var application = try Application(server, seed: seed)
      for _ in 0..<60 { try application.step() }
      try server.script(Self.strange)
      for table in TableMapping().events {
        let columns = try #require(try TableFacts(server, schema: table.schema, name: table.name)).columns
        let reader = try RowReader(table, columns.map { (name: $0.name, type: $0.typeNumber) })
        var (copy, places, name): (CopyRowReader, [FieldPlace], [UInt8]) = (CopyRowReader(), [], [])
        var counts: [String: Int] = [:]
        let list = columns.map { "\"\($0.name)\"" }.joined(separator: ", ")
        try server.copyOut("COPY (SELECT \(list) FROM \(table.quoted)) TO STDOUT (FORMAT binary)", doing: "testing") {
          piece in
          guard try copy.read(piece, columns: columns.count, into: &places) == .row else { return }
          let fields = CopyRowReader.fields(piece, places)
          let event = reader.event(fields)
          var (atOnce, byField) = (EventBatch(), EventBatch())
          event?.append(to: &byField, kind: table.kind)
          switch reader.append(plain: piece, places, to: &atOnce, &name) {
          case .noEvent:
            counts["none", default: 0] += 1
            #expect(event == nil)
          case .unusual:
            counts["unusual", default: 0] += 1
            #expect(atOnce.offered == 0)
          case .event(let keyed):
            counts["event", default: 0] += 1
            let found = try #require(event)
            #expect(found.identity == keyed.identity(table.kind) && found.timestamp == keyed.timestamp)
            #expect(atOnce.offered == 1 && atOnce.rejections == byField.rejections, "\(fields)")
            // Behind the one the other is a duplicate: another content would be a conflict.
            var engine = Engine(Engine.Settings(retention: nil))
            let (first, second) = (
              try engine.apply(atOnce, wallClock: nil), try engine.apply(byField, wallClock: nil)
            )
            #expect(first.accepted == 1 - atOnce.rejections.count && second.duplicates == first.accepted, "\(fields)")
          }
        }
        let isSwap = table.kind == .swap
        #expect(counts["event", default: 0] > (isSwap ? 300 : 20), "\(counts)")
        #expect(counts["unusual", default: 0] > (isSwap ? 300 : 5), "\(counts)")
      }
    }

    /// Rule 20.12: what the directory has of the tables' chains and the tables have not was never there; other chains are not theirs.
    @Test("Events of the tables' chains that came from elsewhere go with the first snapshot")
    func foreign() throws {
      let (_, server, options) = try FollowerTests.setUp()
      var application = try Application(server, seed: 3)
      for _ in 0..<40 { try application.step() }
      let folder = try Folder()
      do {
        let ledger = try Ledger(path: folder.path + "/data")
        var batch = EventBatch()
        for chain in [UInt32(1), 2, 77] {
          batch.append(
            Swap(chain: chain, block: 5, timestamp: wallClock(), token: "OTHER", amountUSD: .one, priceUSD: .one))
        }
        #expect(try ledger.take(batch, wallClock: nil).accepted == 3)
      }
      let following = try Following(options, directory: folder.path + "/data")
      try following.catchUp(server)
      let candles = following.ledger.hourCandles
      let others = candles.filter { $0.hasPrefix("OTHER ") || $0.hasPrefix("other ") }
      #expect(others.count == 1 && others[0].hasSuffix(" 1"), "\(others)")
      #expect(try candles.filter { !others.contains($0) } == Application.candles(server))
      #expect(following.status.undone == 2)
      #expect(following.follower.ownedChains?.isSuperset(of: [1, 2]) == true)
    }
  }
#endif
