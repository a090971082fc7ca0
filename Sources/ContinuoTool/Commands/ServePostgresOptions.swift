// The flags of `continuo serve --postgres`, and what is done with them.
// Invariant: a database that lacks something is refused with what mends it, before anything is attached; one that cannot be reached is
// waited for.
// Not here: following and writing (ContinuoPostgres), how the two run in the server (PostgresFeed).

#if CONTINUO_SERVER && CONTINUO_POSTGRES
  internal import ArgumentParser
  internal import ContinuoFormats
  internal import ContinuoPostgres
  internal import ContinuoServer

  struct ServePostgresOptions: ParsableArguments {
    static let settings: [Setting] =
      PostgresOptions.settings + [.value("postgres-reorg-window"), .value("decay-interval")]

    @OptionGroup var database: PostgresOptions

    @Option(
      help: ArgumentHelp(
        "A deletion of an event that is so much older than the newest one is the application's own clean-up: 12h, 7d. (default: 7d)",
        valueName: "length"),
      transform: { try Tolerance.microseconds($0) })
    var postgresReorgWindow: Int64 = 7 * 86_400_000_000

    @Option(
      help: ArgumentHelp(
        "How often is looked whether summaries changed by time alone: 5s. (default: 5s)", valueName: "length"),
      transform: { try Tolerance.microseconds($0) })
    var decayInterval: Int64 = 5_000_000

    mutating func validate() throws {
      guard decayInterval > 0, postgresReorgWindow > 0 else {
        throw ValidationError("--decay-interval and --postgres-reorg-window are lengths over zero, like 5s and 7d")
      }
    }

    /// What joins the server; nil without --postgres.
    func feed(_ console: Console) throws -> PostgresFeed? {
      guard let target = try database.optionalTarget() else { return nil }
      let findings = Preflight.findings(target, try database.preflight())
      let failed = findings.filter { $0.outcome == .failed }
      if failed.count == 1, failed[0].check == "connection" {
        console.note("continuo: \(Visible.text(failed[0].what)); it is tried again for as long as the server runs")
      } else if !failed.isEmpty {
        Console.raw(PostgresCheck.page(findings))
        throw Failure(
          .notReady, "\(Visible.text(target.description)): \(failed.count) of \(findings.count) checks failed",
          remedy: "have the statements run that are printed with them, then start again")
      }
      var following = Follower.Options(target) { Feed.wallClock }
      (following.name, following.mapping) = (database.postgresName, try database.mapping())
      following.windowMicroseconds = postgresReorgWindow
      var writing = SummaryWriter.Options(target)
      (writing.mapping, writing.decayMicroseconds) = (following.mapping, decayInterval)
      return PostgresFeed(following, writing) { console.note("continuo: \(Visible.text($0))") }
    }
  }
#endif
