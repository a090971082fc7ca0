// A connection against a real server: values, failures, times, copies.
// Invariant: what the server says is what is expected; no test waits longer than it has to.
// Not here: numbers (NumericTests), what the server is asked for (the other suites).

#if Postgres
  import Continuo
  import ContinuoPostgres
  import ContinuoTestSupport
  import Foundation
  import Testing

  @Suite("A connection to PostgreSQL")
  struct ConnectionTests {
    private static func server() throws -> Connection { try Cluster.shared.get().connection() }

    @Test("Every type goes there and comes back, null too")
    func values() throws {
      let time = try #require(Timestamp("1999-12-31T23:59:59.999999Z"))
      let uuid = try #require(UUIDBytes("00112233-4455-6677-8899-AABBccddeeff"))
      let rows = try Self.server().query(
        "select $1::bool, $2::int4, $3::int8, $4::text, $5::uuid, $6::timestamptz, $7::text, $8::text[], $9::int8[], $6::text, $5::text",
        [
          .bool(true), .int4(-7), .int8(.min), .text("a'\"\\ é\n日本"), .uuid(uuid), .timestamp(time), .null,
          .texts(["x", "", "y,z"]), .int8s([1, -1]),
        ])
      let row = try #require(rows.first)
      #expect(row.bool(0) == true)
      #expect(row.int(1) == -7)
      #expect(row.int(2) == .min)
      #expect(row.text(3) == "a'\"\\ é\n日本")
      #expect(row.uuid(4) == uuid)
      #expect(row.timestamp(5) == time)
      #expect(row.bytes(6) == nil)
      #expect(row.text(9)?.hasPrefix("1999-12-31 23:59:59.999999") == true)
      #expect(row.text(10) == uuid.description)
      let never = try Self.server().query("select 'infinity'::timestamptz, '-infinity'::timestamptz")
      #expect(never.first?.timestamp(0) == nil && never.first?.timestamp(1) == nil)
    }

    @Test("A name stays a name, whatever it holds")
    func names() throws {
      let cluster = try Cluster.shared.get()
      let connection = try cluster.connection(try cluster.database())
      let name = "a\"; drop table x; --\\é"
      try connection.script("create table \(SQLText.identifier(name)) (x text)")
      try connection.script("insert into \(SQLText.identifier(name)) values (\(SQLText.literal("it's \\ 'this'")))")
      let rows = try connection.query(
        "select relname, (select x from \(SQLText.relation("public", name))) from pg_class where relname = $1",
        [.text(name)])
      #expect(rows.first?.text(0) == name)
      #expect(rows.first?.text(1) == "it's \\ 'this'")
    }

    @Test("An error has its state, its hint, and leaves the connection usable")
    func errors() throws {
      let connection = try Self.server()
      do {
        _ = try connection.query("select nothing from pg_class")
        Issue.record("it was taken")
      } catch {
        #expect(error.sqlState == "42703")
        #expect(!error.isTransient)
        #expect(error.what.contains("127.0.0.1") && error.what.contains("42703"))
      }
      do {
        _ = try connection.query("select pg_class.no, xelname from pg_class")
        Issue.record("it was taken")
      } catch { #expect(error.sqlState == "42703") }
      let rows = try connection.query("select 1")
      #expect(rows.first?.int(0) == 1)
    }

    @Test("What does not answer: nobody, a wrong database, a server that takes too long")
    func unreachable() throws {
      let cluster = try Cluster.shared.get()
      #expect(throws: PostgresFailure.self) {
        try Connection(ConnectionTarget("postgresql://postgres@127.0.0.1:1/x"), application: "tests")
      }
      do {
        _ = try cluster.connection("no_such")
        Issue.record("it connected")
      } catch let failure as PostgresFailure {
        #expect(failure.isTransient)
        #expect(failure.what.contains("no_such"))
      }
      let connection = try cluster.connection()
      connection.statementMicroseconds = 150_000
      let began = ContinuousClock.now
      do {
        _ = try connection.query("select pg_sleep(30)")
        Issue.record("it slept")
      } catch {
        guard case .timeout = error else { throw error }
      }
      #expect(ContinuousClock.now - began < .seconds(10))
      // It was cancelled, so the connection is as good as before.
      #expect(!connection.isBroken)
      let rows = try connection.query("select 2")
      #expect(rows.first?.int(0) == 2)
    }

    @Test("Who waits can be told to end")
    func interrupted() async throws {
      let interrupt = InterruptHandle()
      let connection = try Cluster.shared.get().connection("postgres", role: "postgres", interrupt)
      Thread {
        usleep(100_000)
        interrupt.interrupt()
      }.start()
      let began = ContinuousClock.now
      #expect(throws: PostgresFailure.interrupted) { try connection.query("select pg_sleep(30)") }
      #expect(ContinuousClock.now - began < .seconds(10))
      #expect(connection.isBroken)
    }

    @Test("A connection that is ended by the server is lost, and says so from then on")
    func lost() throws {
      let cluster = try Cluster.shared.get()
      let (connection, other) = (try cluster.connection(), try cluster.connection())
      let pid = try #require(connection.query("select pg_backend_pid()").first?.int(0))
      _ = try other.query("select pg_terminate_backend($1)", [.int4(Int32(pid))])
      do {
        for _ in 0..<100 { _ = try connection.query("select 1") }
        Issue.record("it lives")
      } catch { #expect(error.isTransient) }
      #expect(connection.isBroken)
      #expect(throws: PostgresFailure.self) { try connection.query("select 1") }
    }

    @Test("A pipeline answers each statement, or has done none")
    func pipeline() throws {
      let cluster = try Cluster.shared.get()
      let connection = try cluster.connection(try cluster.database())
      try connection.script("create table t (x int8 primary key, y text)")
      let many = (0..<5_000).map { index in
        ("insert into t values ($1, $2)", [PostgresValue.int8(index), .text(String(repeating: "y", count: 500))])
      }
      let answers = try connection.pipeline(many, doing: "filling")
      #expect(answers.count == 5_000 && answers.allSatisfy { $0.affected == 1 })
      do {
        _ = try connection.pipeline(
          [("insert into t values ($1, 'z')", [.int8(9_000)]), ("insert into t values ($1, 'z')", [.int8(1)])]
            + [("insert into t values ($1, 'z')", [.int8(9_001)])], doing: "colliding")
        Issue.record("it was taken")
      } catch { #expect(error.sqlState == "23505") }
      let rows = try connection.query("select count(*) from t")
      #expect(rows.first?.int(0) == 5_000)
    }

    @Test("Copies: in, out, refused half-way, ended half-way")
    func copies() throws {
      let cluster = try Cluster.shared.get()
      let connection = try cluster.connection(try cluster.database())
      try connection.script("create table t (x int8, y text)")
      var next = 0
      let count = try connection.copyIn("copy t from stdin", doing: "filling") {
        next += 1
        return next > 20_000 ? nil : Array("\(next)\tline \(next)\n".utf8)
      }
      #expect(count == 20_000)
      var lines = 0
      try connection.copyOut("copy t to stdout", doing: "reading") { _ in lines += 1 }
      #expect(lines == 20_000)
      #expect(throws: PostgresFailure.self) {
        var sent = 0
        _ = try connection.copyIn("copy t from stdin", doing: "spoiling") {
          sent += 1
          return sent > 5_000 ? nil : Array("no number\tx\n".utf8)
        }
      }
      let rows = try connection.query("select count(*) from t")
      #expect(rows.first?.int(0) == 20_000)
      struct Enough: Error {}
      #expect(throws: Enough.self) {
        try connection.copyOut("copy (select * from generate_series(1, 50000000)) to stdout", doing: "reading") { _ in
          throw Enough()
        }
      }
      #expect(connection.isBroken)
    }

    @Test("No message has a password, whatever was given")
    func passwords() throws {
      let texts = [
        "postgresql://user:geheim@127.0.0.1:1/x", "postgresql://user:geheim@127.0.0.1:1/x?nonsense=geheim",
        "host=127.0.0.1 port=1 password=geheim user=user", "password=geheim nonsense=1",
        "postgresql://user:geheim@[::1", "postgresql://user:p@geheim@127.0.0.1:1/x",
        "postgresql://user:ge/heim@127.0.0.1:1/x",
        "dbname=postgresql://user:geheim@127.0.0.1:1/x", "postgresql://user:geheim/@127.0.0.1:1/x",
        "geheim", "host='geheim",
      ]
      var met = 0
      for text in texts {
        do {
          let target = try ConnectionTarget(text)
          #expect(!target.description.contains("geheim"))
          _ = try Connection(target, application: "tests")
        } catch let failure {
          met += 1
          #expect(!failure.description.contains("geheim"), "\(failure)")
        }
      }
      #expect(met == texts.count)
    }

    @Test("Waits grow, are never all the same, and begin anew", arguments: Seeds.thisRun(5))
    func backoff(seed: UInt64) {
      var random = SeededGenerator(seed: seed)
      var backoff = Backoff(firstMicroseconds: 100, longestMicroseconds: 10_000)
      let waits = (0..<40).map { _ in backoff.next(using: &random) }
      for (index, wait) in waits.enumerated() {
        let whole = min(100 << min(index, 20), 10_000)
        #expect(wait >= Int64(whole / 2) && wait <= Int64(whole))
      }
      #expect(Set(waits.suffix(30)).count > 1)
      backoff.succeed()
      #expect(backoff.next(using: &random) <= 100)
    }
  }
#endif
