// Continuo's own tables, and taking and giving back columns, in a real database.
// Invariant: what a column held is what it holds again; nothing of the application is changed that was not asked for.
// Not here: what is written into columns that are ours (WriterTests).

#if Postgres
  import Continuo
  import ContinuoPostgres
  import Foundation
  import Testing

  @Suite("Tables and columns that are Continuo's")
  struct MigrationTests {
    private static func setUp() throws -> (name: String, server: Connection, migration: Migration) {
      let cluster = try Cluster.shared.get()
      let name = try cluster.database(withTables: true)
      let server = try cluster.connection(name)
      return (name, server, Migration(TableMapping(), server))
    }

    private static func tables(_ server: Connection) throws -> [String] {
      try server.query(
        "select relname::text from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace order by 1"
      )
      .all.compactMap { $0.text(0) }
    }

    /// Rule 20.6: making the tables is done once, and leaves no trace when it is undone.
    @Test("Tables are made once, and go without a trace")
    func tables() throws {
      let (name, server, migration) = try Self.setUp()
      let before = try Self.tables(server)
      let pending = try migration.pending()
      #expect(pending.filter { $0.hasPrefix("CREATE TABLE") }.count == 6)
      #expect(try Self.tables(server) == before)
      #expect(try migration.migrate() == pending)
      #expect(try migration.migrate().isEmpty && migration.pending().isEmpty)
      #expect(try Self.tables(server).count == before.count + 6)
      // One of them is missing again.
      try server.script("drop table hourly_price_candles")
      #expect(try migration.migrate().count == 3)
      _ = try migration.remove(name: name, restoring: false)
      #expect(try Self.tables(server) == before)
      #expect(try migration.remove(name: name, restoring: false).isEmpty)
    }

    /// Rule 20.3: a table without a name for its deleted rows gets one where that is asked for, and has its own again behind it.
    @Test("Replica identities are altered, and put back")
    func identities() throws {
      let (name, server, migration) = try Self.setUp()
      try server.script(
        """
        alter table pool_events replica identity nothing;
        alter table token_transfers drop constraint if exists token_transfers_pkey cascade;
        alter table artist_tokens replica identity full
        """)
      func identity(_ table: String) throws -> String? {
        try server.query("select relreplident::text from pg_class where oid = $1::regclass", [.text(table)]).first?
          .text(0)
      }
      let tables = ["pool_events", "token_transfers", "artist_tokens"]
      let before = try tables.map(identity)
      _ = try migration.migrate()
      #expect(try tables.map(identity) == before, "never unasked")
      let pending = try migration.pendingIdentities()
      #expect(pending.count == 2 && pending[0].contains("pool_events") && pending[1].contains("token_transfers"))
      #expect(try tables.map(identity) == before)
      #expect(try migration.alterIdentities() == pending)
      #expect(try migration.alterIdentities().isEmpty && migration.pendingIdentities().isEmpty)
      // Published, deletes go on, which they would not have before.
      let publication = "continuo_\(name)"
      try server.script(
        """
        insert into artists (user_id, artist_name) values (gen_random_uuid(), 'x');
        insert into artist_tokens (artist_id, symbol, chain_id, contract_address) select id, 'ART', 1, '0x' from artists;
        create publication other_\(publication) for table token_transfers, pool_events;
        insert into pool_events (artist_token_id, chain_id, block_number, log_index, tx_hash, event_type, amount_usd, block_timestamp)
          select id, 1, 1, 0, 'x', 'mint', 0, now() from artist_tokens;
        delete from token_transfers; delete from pool_events;
        alter publication other_\(publication) drop table pool_events
        """)
      // Where somebody publishes it still, it stays as it is.
      let left = try migration.remove(name: name, restoring: false)
      #expect(left.contains { $0.contains("left the replica identity") && $0.contains("token_transfers") })
      #expect(try identity("pool_events") == "n")
      #expect(try identity("artist_tokens") == "f")
      #expect(try identity("token_transfers") == "i")
      // What is still to be put back is not forgotten.
      #expect(left.contains { $0.hasPrefix("left table public.continuo_identities") })
      try server.script("drop publication other_\(publication)")
      let again = try migration.remove(name: name, restoring: false)
      #expect(again.contains { $0.hasPrefix("put back") } && again.contains("dropped table public.continuo_identities"))
      #expect(try identity("token_transfers") == "d")
    }

    /// Rule 20.3: partitions that name their rows as their table will stay as they are; what somebody altered since is left.
    @Test("Replica identities of partitions, and what was altered since")
    func partitions() throws {
      let (name, server, migration) = try Self.setUp()
      try server.script(
        """
        alter table token_transfers rename to old;
        create table token_transfers (like old including defaults including identity, primary key (id, block_timestamp))
          partition by range (block_timestamp);
        create table early partition of token_transfers for values from (minvalue) to (now());
        create table late partition of token_transfers for values from (now()) to (maxvalue);
        alter table early replica identity nothing; alter table pool_events replica identity nothing
        """)
      _ = try migration.migrate()
      let done = try migration.alterIdentities()
      #expect(done.count == 2 && done.contains { $0.contains("\"early\" REPLICA IDENTITY FULL") }, "\(done)")
      try server.script("alter table pool_events replica identity full")
      let left = try migration.remove(name: name, restoring: false)
      #expect(left.contains { $0.contains("another one than was made") && $0.contains("pool_events") }, "\(left)")
      let found = try server.query(
        "select relname || relreplident::text from pg_class where relname in ('early', 'late', 'pool_events') order by 1"
      )
      #expect(found.all.map { $0.text(0) } == ["earlyn", "lated", "pool_eventsf"])
    }

    /// Rule 20.7: a relation of that name that is not ours is never touched.
    @Test("A table of that name that is somebody else's")
    func foreign() throws {
      let (name, server, migration) = try Self.setUp()
      try server.script("create table hourly_price_candles (x int); insert into hourly_price_candles values (7)")
      #expect(throws: Migration.Foreign.self) { try migration.migrate() }
      #expect(throws: Migration.Foreign.self) { try migration.remove(name: name, restoring: false) }
      #expect(try server.query("select x from hourly_price_candles").first?.int(0) == 7)
      #expect(try server.query("select to_regclass('continuo_sync') is null").first?.bool(0) == true)
    }

    /// Rule 20.6: a column is taken with what it held, and given back with it.
    @Test("A column is taken, and given back as it was")
    func columns() throws {
      let (_, server, migration) = try Self.setUp()
      _ = try migration.migrate()
      _ = try Application(server, seed: 1)
      try server.script(
        "update artist_tokens set volume_24h_usd = 12.50, holders_count = case symbol when 'ART0' then 3 end")
      let wanted = try migration.columns(["artist_tokens.volume_24h_usd", "artist_tokens.holders_count"])
      #expect(wanted == [.volume, .holders])
      #expect(try migration.columns(["artist_tokens"]) == SummaryColumn.allCases)
      #expect(throws: Migration.UnknownColumn.self) { try migration.columns(["artist_tokens.symbol"]) }
      #expect(try migration.take(wanted) == wanted)
      #expect(try migration.take([.volume]).isEmpty)
      #expect(try migration.owned() == wanted)
      try server.script("update artist_tokens set volume_24h_usd = 99, holders_count = 99")
      #expect(try migration.giveBack([.volume], restoring: false) == [.volume])
      #expect(try migration.giveBack(SummaryColumn.allCases, restoring: true) == [.holders])
      let rows = try server.query("select volume_24h_usd, holders_count from artist_tokens order by symbol").all
      #expect(rows.map { $0.numeric(0) } == [99, 99, 99].map { Decimal18(whole: $0) })
      #expect(rows.map { $0.numeric(1) } == [Decimal18(whole: 3), nil, nil])
      #expect(try server.query("select 1 from continuo_kept").count == 0)
      try server.script(
        """
        create function f() returns trigger language plpgsql as $$ begin update artist_tokens set volume_24h_usd = 1; return null; end $$;
        create trigger spoil after insert on pool_events execute function f()
        """)
      #expect(try migration.triggers(naming: .volume) == ["pool_events.spoil"])
      #expect(try migration.triggers(naming: .holders).isEmpty)
    }

    /// Rule 20.6: what would change is reckoned from one snapshot, and nothing is changed.
    @Test("What would change, row by row")
    func differences() throws {
      let (_, server, _) = try Self.setUp()
      let application = try Application(server, seed: 1)
      let (first, second) = (application.tokens[0], application.tokens[1])
      try server.script(
        """
        insert into pool_events (artist_token_id, chain_id, block_number, log_index, tx_hash, event_type, side, amount_usd, token_amount, block_timestamp)
        values ('\(first)', 1, 1, 0, 'x', 'swap', 'buy', 10, 4, now() - interval '1 hour'), ('\(first)', 1, 2, 0, 'x', 'swap', 'buy', 30, 8, now() - interval '2 minutes'),
          ('\(first)', 1, 3, 0, 'x', 'swap', 'buy', 100, 8, now() - interval '25 hours'), ('\(first)', 1, 4, 0, 'x', 'swap', 'buy', 'NaN', 8, now());
        insert into token_transfers (artist_token_id, chain_id, block_number, log_index, tx_hash, from_wallet, to_wallet, amount, block_timestamp)
        values ('\(first)', 1, 1, 1, 'x', '0x0', '0xA', 7, now()), ('\(first)', 1, 1, 2, 'x', '0xa', '0xb', 3, now());
        update artist_tokens set total_supply = 1000, last_price_usd = 3.75, volume_24h_usd = 'NaN' where id = '\(first)';
        update artist_tokens set volume_24h_usd = 5 where id = '\(second)'
        """)
      let reckoning = try Reckoning(TableMapping(), server, wallClock: wallClock())
      #expect(reckoning.events == 6 && reckoning.rejected == 1)
      let found = try reckoning.differences()
      let ofFirst = found.filter { $0.id == first }
      #expect(ofFirst.map(\.column) == [.marketCap, .volume, .holders])
      #expect(ofFirst.map(\.new) == [Decimal18("3750"), Decimal18("40"), Decimal18("2")])
      #expect(ofFirst.map(\.isOldStrange) == [false, true, false])
      #expect(found.filter { $0.id == second }.map(\.new) == [Decimal18.zero])
    }
  }
#endif
