// `continuo migrate`: Continuo's own tables in the application's database, and which of the application's columns it keeps.
// Invariant: without --own no column of the application is written; with --dry-run nothing is.
// Not here: the statements (ContinuoPostgres/Migration), what would be written (Reckoning).

#if CONTINUO_POSTGRES
  internal import ArgumentParser
  internal import Continuo
  internal import ContinuoFormats
  internal import ContinuoPostgres

  struct Migrate: ConsoleCommand {
    static let configuration = CommandConfiguration(
      abstract: "Make Continuo's tables in a PostgreSQL database, and say which summary columns it may keep.",
      discussion: """
        Without more it makes its own tables where they are not there, and prints every value of the summary columns that would \
        change, changing none. --own takes a column, or all of a table, and keeps what it holds; --disown gives it back, with \
        --restore to the values that it had. --alter-identity gives the followed tables that have no name for deleted rows one: by a \
        superuser, or a member of both owners. --remove takes away everything that is Continuo's, and puts back what was altered.

        Example:
          continuo migrate --postgres postgresql://continuo@127.0.0.1/app --own artist_tokens.volume_24h_usd
        """)

    static let settings: [Setting] =
      PostgresOptions.settings + OutputOptions.settings + ConsoleOptions.settings + [
        .list("own"), .list("disown"), .flag("restore"), .flag("remove"), .flag("alter-identity"), .flag("dry-run"),
        .flag("yes"),
        .value("price"),
      ]

    @Option(
      parsing: .unconditionalSingleValue,
      help: ArgumentHelp(
        "A column to take, like artist_tokens.volume_24h_usd, or a table; several with commas.", valueName: "column"))
    var own: [String] = []

    @Option(
      parsing: .unconditionalSingleValue,
      help: ArgumentHelp("A column to give back, or a table; several with commas.", valueName: "column"))
    var disown: [String] = []

    @Flag(help: "With --disown and --remove: put back what the columns held when they were taken.")
    var restore = false

    @Flag(help: "Alter the replica identity of followed tables whose deleted rows have no name.")
    var alterIdentity = false

    @Flag(help: "Give back every column, and drop Continuo's tables, slot and publication.")
    var remove = false

    @Flag(help: "Print the statements that would be run, and run none.")
    var dryRun = false

    @Flag(help: "Do not ask before --remove.")
    var yes = false

    @Option(help: ArgumentHelp("What a price is, as for 'ingest'.", valueName: "mode"))
    var price: PriceMode = .quoted

    @OptionGroup var postgres: PostgresOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var consoleOptions: ConsoleOptions

    mutating func validate() throws {
      own = own.flatMap { $0.split(separator: ",").map(String.init) }
      disown = disown.flatMap { $0.split(separator: ",").map(String.init) }
      guard !remove || own.isEmpty && disown.isEmpty && !alterIdentity else {
        throw ValidationError(
          "--remove gives everything back: --own, --disown and --alter-identity do not go with it")
      }
      guard !restore || remove || !disown.isEmpty else {
        throw ValidationError("--restore puts back what --disown or --remove gives back: give one of them")
      }
    }

    func run(_ console: Console) throws {
      let console = console.with(consoleOptions)
      let (target, mapping) = (try postgres.target(), try postgres.mapping())
      try PostgresOptions.reporting {
        let server = try Connection(target, application: "continuo migrate")
        let migration = Migration(mapping, server)
        let (taken, given): ([SummaryColumn], [SummaryColumn])
        do throws(Migration.UnknownColumn) {
          (taken, given) = (try migration.columns(own), try migration.columns(disown))
        } catch { throw ValidationError(error.description) }
        if remove { return try takeAway(migration, target, console) }
        let made = try dryRun ? migration.pending() : migration.migrate()
        let altered = try !alterIdentity ? [] : dryRun ? migration.pendingIdentities() : migration.alterIdentities()
        for statement in made + altered { console.note((dryRun ? "would run: " : "ran: ") + statement) }
        if !dryRun {
          for column in try migration.giveBack(given, restoring: restore) {
            console.note(
              "gave back \(mapping.tokens.title).\(column.rawValue)\(restore ? ", with the values that it had" : "")")
          }
          for column in try migration.take(taken) {
            console.note("took \(mapping.tokens.title).\(column.rawValue); what it held is kept")
            for trigger in try migration.triggers(naming: column) {
              console.note(
                "continuo: the trigger \(Visible.text(trigger)) names \(column.rawValue): if it writes it, end that")
            }
          }
        } else if !taken.isEmpty || !given.isEmpty {
          console.note("would take \(taken.count) columns and give back \(given.count)")
        }
        try show(mapping, server, console)
      }
    }

    /// Every value that is not what it would be.
    private func show(_ mapping: TableMapping, _ server: Connection, _ console: Console) throws {
      let reckoning = try Reckoning(mapping, server, price: price, wallClock: Feed.wallClock)
      console.note(
        "\(reckoning.events) events were read, \(reckoning.rejected) of them are none that the engine takes; nothing of this was written"
      )
      var result = ResultStream(.migrate, output, console)
      for difference in try reckoning.differences() {
        try result.write(
          SummaryChangeAnswer(
            relation: mapping.tokens.title, column: difference.column.rawValue, id: difference.id, old: difference.old,
            new: difference.new))
      }
      try result.finish()
    }

    private func takeAway(_ migration: Migration, _ target: ConnectionTarget, _ console: Console) throws {
      if dryRun {
        let owned = try migration.owned().map(\.rawValue).joined(separator: ", ")
        console.note("would give back: \(owned.isEmpty ? "nothing" : owned); would drop tables, slot and publication")
        return
      }
      guard yes else {
        throw Failure(
          .notConfirmed,
          "--remove drops Continuo's tables, slot and publication in \(Visible.text(target.description))",
          remedy: "give --yes to do it, or --dry-run to see what it would do")
      }
      for line in try migration.remove(name: postgres.postgresName, restoring: restore) { console.note(line) }
    }
  }
#endif
