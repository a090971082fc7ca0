// `continuo postgres check`: whether a database is such that Continuo can live beside it.
// Invariant: nothing is changed there; every check is printed; exit 1 if one has failed.
// Not here: the checks (ContinuoPostgres/Preflight).

#if CONTINUO_POSTGRES
  internal import ArgumentParser
  internal import ContinuoFormats
  internal import ContinuoPostgres

  /// The commands beside PostgreSQL that change nothing.
  struct Postgres: ConsoleCommand {
    static let configuration = CommandConfiguration(
      commandName: "postgres", abstract: "Look at a PostgreSQL database that Continuo is to live beside.",
      discussion: """
        Example:
          continuo postgres check --postgres postgresql://continuo@127.0.0.1/app
        """,
      subcommands: [PostgresCheck.self])

    static let settings: [Setting] = PostgresCheck.settings

    func run(_ console: Console) throws { throw ValidationError("say what to do: 'continuo postgres check'") }
  }

  struct PostgresCheck: ConsoleCommand {
    static let configuration = CommandConfiguration(
      commandName: "check",
      abstract: "Look at everything that Continuo needs of a database, and print the SQL that mends what is missing.",
      discussion: """
        Nothing is changed. Each check is a line: ok, warning or failed; behind them stand the statements that mend it, and who \
        must run them. Exit 1 if one has failed.

        Example:
          continuo postgres check --postgres postgresql://continuo@127.0.0.1/app
        """)

    static let settings: [Setting] = PostgresOptions.settings + OutputOptions.settings + ConsoleOptions.settings

    @OptionGroup var postgres: PostgresOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var consoleOptions: ConsoleOptions

    func run(_ console: Console) throws {
      let console = console.with(consoleOptions)
      let target = try postgres.target()
      let findings = Preflight.findings(target, try postgres.preflight())
      if output.format == .table {
        try StandardOutput.write(Array(Self.page(findings).utf8))
      } else {
        var result = ResultStream(.postgresCheck, output, console)
        for finding in findings {
          try result.write(
            CheckAnswer(
              check: finding.check, outcome: finding.outcome.rawValue, what: finding.what,
              sql: finding.sql.isEmpty ? nil : finding.sql.joined(separator: "\n"),
              who: finding.who.isEmpty ? nil : finding.who))
        }
        try result.finish()
      }
      let failed = findings.filter { $0.outcome == .failed }.count
      guard failed == 0 else {
        throw Failure(
          .notReady, "\(Visible.text(target.description)): \(failed) of \(findings.count) checks failed",
          remedy: "have the statements run that are printed with them, then check again")
      }
    }

    /// For people: the checks, then what mends them.
    static func page(_ findings: [Finding]) -> String {
      let width = findings.map(\.check.count).max() ?? 0
      var page = ""
      for finding in findings {
        let outcome = finding.outcome.rawValue
        page += outcome + String(repeating: " ", count: 9 - outcome.count) + finding.check
        page += String(repeating: " ", count: width - finding.check.count + 2) + Visible.text(finding.what) + "\n"
      }
      for finding in findings where !finding.sql.isEmpty {
        page += "\n-- \(finding.check) (\(finding.outcome.rawValue)), to be run by \(Visible.text(finding.who)):\n"
        for statement in finding.sql { page += Visible.text(statement) + "\n" }
      }
      return page
    }
  }
#endif
