// Whether a database is such that Continuo can live beside it: every check, and the SQL that mends what fails.
// Invariant: nothing is changed; every check is made even where another one fails; what fails comes with what mends it and who must
// run that.
// Not here: the checks of one thing each (Preflight+…), what is made where all is well (Migration, Attachment).

#if Postgres
  package import Continuo

  /// What a check came to.
  package struct Finding: Equatable, Sendable {
    package enum Outcome: String, Sendable { case ok, warning, failed }

    package var check: String
    package var outcome: Outcome
    /// What was found.
    package var what: String
    /// The statements that mend it; none where none do, or nothing is wrong.
    package var sql: [String] = []
    /// Who must run them.
    package var who = ""

    package static func ok(_ check: String, _ what: String) -> Finding {
      Finding(check: check, outcome: .ok, what: what)
    }

    package static func warning(_ check: String, _ what: String, _ sql: [String] = [], by who: String = "") -> Finding {
      Finding(check: check, outcome: .warning, what: what, sql: sql, who: who)
    }

    package static func failed(_ check: String, _ what: String, _ sql: [String] = [], by who: String = "") -> Finding {
      Finding(check: check, outcome: .failed, what: what, sql: sql, who: who)
    }
  }

  /// Looks at a server.
  ///
  ///     let findings = Preflight(Preflight.Options(), connection).run()
  package struct Preflight {
    /// What is to be joined.
    package struct Options: Sendable {
      /// Publication and slot are `continuo_<name>`.
      package var name = "market"
      package var mapping = TableMapping()
      /// The epoch that an engine has which is about to write; nil: nobody is.
      package var epoch: Int64?
      /// What the wall clock says.
      package var wallClock: @Sendable () -> Timestamp

      package init(wallClock: @escaping @Sendable () -> Timestamp) { self.wallClock = wallClock }
    }

    let options: Options
    let server: Connection
    /// The role that is connected.
    let role: String

    /// Prepares to look through a connection.
    package init(_ options: Options, _ server: Connection) throws(PostgresFailure) {
      (self.options, self.server) = (options, server)
      role = try server.query("select current_user::text").first?.text(0) ?? ""
    }

    /// Connects, and makes every check; without a connection that is the one finding.
    package static func findings(
      _ target: ConnectionTarget, _ options: Options, _ interrupt: InterruptHandle = InterruptHandle()
    ) -> [Finding] {
      do throws(PostgresFailure) {
        let server = try Connection(target, application: "continuo check", interrupt)
        let preflight = try Preflight(options, server)
        return [.ok("connection", "\(preflight.role)@\(target.place)")] + preflight.run()
      } catch {
        return [.failed("connection", "\(error.what); \(error.remedy)")]
      }
    }

    private typealias Check = (name: String, make: () throws(PostgresFailure) -> [Finding])

    /// What of the tables has to be right before they are published and followed.
    private var following: [Check] {
      [
        ("tables", tables), ("columns", columns), ("identity", identities), ("select", reading),
        ("publication", publication), ("slot", slot),
      ]
    }

    /// What fails of that. A few statements a table.
    package func refusals() throws(PostgresFailure) -> [Finding] {
      var failed: [Finding] = []
      for check in following { failed += try check.make().filter { $0.outcome == .failed } }
      return failed
    }

    /// Makes every check. A statement a check.
    package func run() -> [Finding] {
      let checks: [Check] =
        [
          ("version", version), ("primary", primary), ("wal_level", walLevel), ("slots", slots), ("senders", senders),
          ("wal_keep", walKeep), ("role", roleAttributes), ("tls", tls), ("clock", clock),
        ] + following + [
          ("temporary", temporary), ("own_tables", ownTables), ("owned_columns", ownedColumns), ("epoch", epoch),
        ]
      return checks.flatMap { name, make in
        do throws(PostgresFailure) {
          return try make()
        } catch {
          return [.failed(name, "\(error.what); \(error.remedy)")]
        }
      }
    }

    var roleQuoted: String { SQLText.identifier(role) }
    var joinName: String { OwnTables.joinName(options.name) }
  }
#endif
