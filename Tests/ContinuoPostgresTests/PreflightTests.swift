// The checks of a database against a real one: each thing that may be missing is found, and the SQL that is printed mends it.
// Invariant: what is run between two checks is what the first one printed, nothing else.
// Not here: how it is printed (CommandTests).

#if Postgres
  import Continuo
  import ContinuoPostgres
  import Foundation
  import Testing

  @Suite("What 'continuo postgres check' finds", .serialized)
  struct PreflightTests {
    private static func options(_ name: String) -> Preflight.Options {
      var options = Preflight.Options(wallClock: wallClock)
      options.name = name
      return options
    }

    private static func failed(_ findings: [Finding]) -> [String] {
      findings.filter { $0.outcome == .failed }.map(\.check)
    }

    /// A database with the application's tables, whose owner is a role, and a role for Continuo without any rights.
    private static func setUp() throws -> (name: String, admin: Connection, target: ConnectionTarget) {
      let cluster = try Cluster.shared.get()
      let name = try cluster.database()
      let admin = try cluster.connection(name)
      try admin.script(
        "create role \(name)_app; create role \(name)_continuo login; grant create on schema public to \(name)_app")
      try admin.script("set role \(name)_app; \(Schema.text); reset role")
      return (name, admin, try cluster.target(name, role: "\(name)_continuo"))
    }

    /// Rules 20.3, 20.4, 20.5: what a role without any rights lacks is printed as SQL, and running that is all that it takes.
    @Test("From nothing to ready by the statements that are printed")
    func mends() throws {
      let (name, admin, target) = try Self.setUp()
      try admin.script(
        "alter table pool_events drop constraint pool_events_pkey; alter table token_transfers replica identity nothing"
      )
      var findings = Preflight.findings(target, Self.options(name))
      #expect(Set(Self.failed(findings)) == ["role", "identity", "select", "publication", "own_tables"])
      #expect(findings.filter { $0.check == "identity" && $0.outcome == .failed }.count == 2)
      // What one statement mends may let the next check see more.
      for _ in 0..<3 {
        for finding in findings where finding.outcome == .failed {
          #expect(!finding.sql.isEmpty && !finding.who.isEmpty, "\(finding)")
          for statement in finding.sql { try admin.script(statement) }
        }
        findings = Preflight.findings(target, Self.options(name))
      }
      #expect(Self.failed(findings).isEmpty, "\(findings)")
      // Nothing of it stops the application's deletes.
      try admin.script(
        "set role \(name)_app; delete from pool_events; update token_transfers set amount = 1; reset role")
      // It can be followed by that role.
      var options = Follower.Options(target, wallClock: wallClock)
      options.name = name
      let folder = try Folder()
      var application = try Application(admin, seed: 3)
      let following = try Following(options, directory: folder.path + "/data")
      for _ in 0..<20 { try application.step() }
      try following.catchUp(admin)
      #expect(try following.ledger.hourCandles == Application.candles(admin))
      let busy = Preflight.findings(target, Self.options(name))
      #expect(busy.contains { $0.check == "slot" && $0.outcome == .warning })
    }

    @Test("A publication and a slot of an operator: used as they are, unless something is missing")
    func publications() throws {
      let (name, admin, _) = try Self.setUp()
      let target = try Cluster.shared.get().target(name)
      func failures(_ statement: String) throws -> [String] {
        try admin.script(statement)
        return Preflight.findings(target, Self.options(name)).filter { $0.outcome == .failed }.map(\.what)
      }
      let publication = "continuo_\(name)"
      #expect(try failures("create publication \(publication) for all tables").isEmpty)
      try admin.script("drop publication \(publication)")
      let lacking = try failures("create publication \(publication) for table pool_events, artist_tokens")
      #expect(lacking.count == 1 && lacking[0].contains("token_transfers"))
      try admin.script("alter publication \(publication) add table token_transfers")
      #expect(try failures("alter publication \(publication) set (publish = 'insert, update')").count == 1)
      try admin.script("alter publication \(publication) set (publish = 'insert, update, delete, truncate')")
      try admin.script(
        "alter publication \(publication) drop table pool_events; alter table pool_events replica identity full")
      let rows = try failures("alter publication \(publication) add table pool_events where (amount_usd > 1)")
      #expect(rows.count == 1 && rows[0].contains("rows"))
      try admin.script("alter publication \(publication) drop table pool_events")
      let columns = try failures("alter publication \(publication) add table pool_events (id, chain_id, block_number)")
      #expect(columns.count == 1 && columns[0].contains("amount_usd"))
      try admin.script("drop publication \(publication)")
      let slot = try failures("select pg_create_logical_replication_slot('\(publication)', 'test_decoding')")
      #expect(slot.count == 1 && slot[0].contains("plugin"))
      try admin.script("select pg_drop_replication_slot('\(publication)')")
    }

    /// Rule 20.4: a server as it is shipped lacks what only a restart gives; every check is made all the same.
    @Test("A server with wal_level replica")
    func plain() throws {
      let cluster = try Cluster.plain.get()
      let name = try cluster.database(withTables: true)
      let findings = Preflight.findings(try cluster.target(name), Self.options(name))
      #expect(Self.failed(findings) == ["wal_level"])
      let level = try #require(findings.first { $0.check == "wal_level" })
      #expect(level.sql == ["ALTER SYSTEM SET wal_level = 'logical';"] && level.what.contains("restart"))
      #expect(findings.contains { $0.check == "wal_keep" && $0.outcome == .warning })
      #expect(findings.contains { $0.check == "role" && $0.outcome == .warning })
      #expect(findings.last?.check == "epoch")
    }

    /// Rule 20.5: summaries are brought in temporary tables, which not every role may make.
    @Test("A role that may make no temporary tables")
    func temporary() throws {
      let (name, admin, _) = try Self.setUp()
      let target = try Cluster.shared.get().target(name, role: "\(name)_role")
      try admin.script("create role \(name)_role login replication; revoke temporary on database \(name) from public")
      let found = Preflight.findings(target, Self.options(name)).first { $0.check == "temporary" }
      let finding = try #require(found)
      let statement = try #require(finding.sql.first)
      #expect(finding.outcome == .failed && finding.sql.count == 1)
      try admin.script(statement)
      #expect(Preflight.findings(target, Self.options(name)).first { $0.check == "temporary" }?.outcome == .ok)
    }

    @Test("Columns of another type, no table, a clock that is wrong, no server")
    func others() throws {
      let cluster = try Cluster.shared.get()
      let name = try cluster.database(withTables: true)
      let admin = try cluster.connection(name)
      try admin.script(
        "alter table pool_events alter amount_usd type double precision; alter table token_transfers rename block_number to block"
      )
      var options = Self.options(name)
      options.mapping.events.append(SourceTable(.swap, "trades", SourceTable.poolEvents.columns))
      options.wallClock = { wallClock() + 3_600_000_000 }
      let findings = Preflight.findings(try cluster.target(name), options)
      #expect(Set(Self.failed(findings)) == ["clock", "tables", "columns"])
      #expect(
        findings.filter { $0.check == "columns" && $0.outcome == .failed }.map(\.what).contains {
          $0.contains("double precision")
        })
      let nobody = Preflight.findings(try ConnectionTarget("postgresql://x@127.0.0.1:1/x"), options)
      #expect(nobody.count == 1 && nobody[0].outcome == .failed)
    }
  }
#endif
