// `continuo sync`: all rows of the followed tables once more, or whether every summary is what it should be.
// Invariant: --check changes nothing; --full undoes what the tables have no more, and nothing that the application has cleaned up.
// Not here: the snapshot (ContinuoPostgres/SnapshotLoad), the comparison (DriftCheck).

#if CONTINUO_POSTGRES
  internal import ArgumentParser
  internal import Continuo
  internal import ContinuoBytes
  internal import ContinuoFormats
  internal import ContinuoPostgres
  internal import ContinuoStorage

  struct Sync: ConsoleCommand {
    static let configuration = CommandConfiguration(
      abstract: "Read all rows of a PostgreSQL database once more, or compare every summary with them.",
      discussion: """
        --full takes a new snapshot into a data directory that no server has open, and undoes what the tables have no more; the next \
        'serve' goes on behind it. --check compares every column that was taken and every candle with the rows of one moment, prints \
        what differs, and exits 1 if anything does; tokens that traded in the last five seconds are left out.

        Example:
          continuo sync --check --postgres postgresql://continuo@127.0.0.1/app
        """)

    static let settings: [Setting] =
      PostgresOptions.settings + OutputOptions.settings + ConsoleOptions.settings + [
        .flag("full"), .flag("check"), .value("data-dir"), .value("price"), .value("postgres-reorg-window"),
      ]

    @Flag(help: "Read all rows anew into the data directory.")
    var full = false

    @Flag(help: "Compare every summary with the rows.")
    var check = false

    @Option(help: ArgumentHelp("The data directory, for --full.", valueName: "dir"), completion: .directory)
    var dataDir: String?

    @Option(help: ArgumentHelp("What a price is, as for 'ingest'; for --check.", valueName: "mode"))
    var price: PriceMode = .quoted

    @Option(
      help: ArgumentHelp("As for 'serve': what is older is not undone. (default: 7d)", valueName: "length"),
      transform: { try Tolerance.microseconds($0) })
    var postgresReorgWindow: Int64 = 7 * 86_400_000_000

    @OptionGroup var postgres: PostgresOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var consoleOptions: ConsoleOptions

    mutating func validate() throws {
      try DirectoryOptions.check(dataDir)
      guard full != check else { throw ValidationError("say what to do: --full or --check, one of them") }
      guard full == (dataDir != nil) else {
        throw ValidationError(
          full
            ? "--full needs the directory that rows are read into: --data-dir DIR"
            : "--check reads the database alone: --data-dir does not go with it")
      }
      guard postgresReorgWindow > 0 else {
        throw ValidationError("--postgres-reorg-window is a length over zero, like 7d")
      }
    }

    func run(_ console: Console) throws {
      let console = console.with(consoleOptions)
      let (target, mapping) = (try postgres.target(), try postgres.mapping())
      if let dataDir { return try readAll(dataDir, target, mapping, console) }
      try PostgresOptions.reporting {
        let server = try Connection(target, application: "continuo sync")
        let report: DriftReport
        do {
          report = try DriftCheck(mapping, server, price: price) { Feed.wallClock }.run()
        } catch let failure as DriftCheck.Unmigrated {
          throw Failure(.database, failure.description, remedy: "run 'continuo migrate' first")
        }
        var result = ResultStream(.drift, output, console)
        for drift in report.drifts {
          try result.write(
            SummaryChangeAnswer(
              relation: drift.place.relation, column: drift.place.column, id: drift.place.id, old: drift.found,
              new: drift.expected))
        }
        try result.finish()
        console.note(
          "\(report.tokens) rows of tokens and \(report.candles) candles were compared; \(report.fresh) tokens that trade right now were not"
        )
        guard report.drifts.isEmpty else {
          throw Failure(
            .drift, "\(Visible.text(target.description)): \(report.drifts.count) values are not what they should be",
            remedy: "see that 'continuo serve --postgres' runs; started anew it writes every value")
        }
      }
    }

    /// A new snapshot, to its end.
    private func readAll(
      _ dataDir: String, _ target: ConnectionTarget, _ mapping: TableMapping, _ console: Console
    ) throws {
      let ledger = try Writing.openThere(dataDir, console)
      var options = Follower.Options(target) { Feed.wallClock }
      (options.name, options.mapping, options.isFull) = (postgres.postgresName, mapping, true)
      options.windowMicroseconds = postgresReorgWindow
      let interrupt = InterruptHandle()
      let outcome = MonitorHandle<(isDone: Bool, why: String?)>((false, nil))
      let follower = Follower(
        options, LedgerSink(ledger, directory: dataDir) { Feed.wallClock }, interrupt,
        tell: { phase, why in
          switch phase {
          // What may pass is not waited for: somebody sits in front of it.
          case .waiting, .stopped: outcome.locked { $0 = $0.isDone ? $0 : (true, why ?? "it was ended") }
          case .streaming: outcome.locked { $0 = $0.isDone ? $0 : (true, nil) }
          default: break
          }
        })
      guard let thread = ThreadHandle({ follower.run() }) else {
        throw Failure(.database, "the system gives no thread", remedy: "let it have one more, and begin again")
      }
      let why = outcome.locked(when: { $0.isDone }, { $0.why })
      interrupt.interrupt()
      thread.join()
      if let why { throw Failure(.database, Visible.text(why), remedy: "mend that, and begin again: nothing is lost") }
      let status = follower.status
      console.note(
        "\(status.snapshotRows) rows were read: \(status.accepted) events were taken in, \(status.undone) undone, \(status.rejected) rejected; "
          + (try Writing.finish(ledger, dataDir)))
      Writing.finishCheckpoints(ledger, dataDir, console)
    }
  }
#endif
