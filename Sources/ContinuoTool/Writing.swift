// A data directory that a command writes in: opened with what is to be said of it, and closed when all of it is durable.
// Invariant: every failure of the directory is one line.
// Not here: how it is written (ContinuoStorage), what (Commands).

internal import ArgumentParser
internal import Continuo
internal import ContinuoBytes
internal import ContinuoFormats
internal import ContinuoStorage

#if CONTINUO_POSTGRES
  internal import ContinuoPostgres
#endif
#if CONTINUO_SERVER
  internal import ContinuoServer
#endif

enum Writing {
  /// Opens a data directory and says what a crash left in it.
  static func open(_ path: String, _ options: Ledger.Options, _ console: Console) throws -> Ledger {
    #if !CONTINUO_POSTGRES
      try requireUnfollowed(path)
    #endif
    var progress = Progress(console)
    progress.say("reading \(Visible.text(path))")
    defer { progress.finish() }
    let ledger = try reporting { try Ledger(path: path, options) }
    progress.finish()
    if ledger.opening.isVerified {
      console.note("continuo: \(Visible.text(path)): verified: every checksum, and every summary against its events")
    }
    let torn = ledger.opening.tornTailBytes
    if torn > 0 {
      console.note(
        "continuo: \(Visible.text(path)): the journal ended with \(torn) bytes of a write that a crash cut off; nobody was "
          + "told that it was done, and they were cut")
    }
    return ledger
  }

  /// Opens a data directory that is there, whatever its prices are.
  static func openThere(_ path: String, _ console: Console) throws -> Ledger {
    var options = Ledger.Options()
    options.price = nil
    options.makesDirectory = false
    return try open(path, options, console)
  }

  #if !CONTINUO_POSTGRES
    /// Refuses a directory into which a database is followed: which events come from there only such a program reads that follows
    /// one. Before it is opened, so that nothing of it has changed.
    static func requireUnfollowed(_ path: String) throws {
      guard try reporting({ try !FollowedDirectory.isThere(path) }) else {
        throw Failure(
          .sourceOwned,
          "events in \(Visible.text(path)) come from a database, and this program was built without PostgreSQL",
          remedy: "use 'continuo-server', built with --traits Server,Postgres")
      }
    }
  #endif

  #if CONTINUO_SERVER
    /// Has a server that follows no database leave the events alone that come from one.
    static func leaveOwned(_ options: inout Server.Options) {
      let (owned, directory) = (MonitorHandle<Set<UInt32>?>(nil), options.dataDirectory)
      options.ownedChains = { owned.locked { $0 } }
      options.feed = ServerFeed(
        accept: { ledger in
          let chains = try ownedChains(ledger, directory)
          owned.locked { $0 = chains }
        }, run: { _ in })
    }
  #endif

  /// The chains of a directory that come from a database, and from there only.
  static func ownedChains(_ ledger: Ledger, _ path: String) throws -> Set<UInt32> {
    #if CONTINUO_POSTGRES
      return try reporting { try OwnedChains.read(ledger, directory: path) }
    #else
      try requireUnfollowed(path)
      return []
    #endif
  }

  /// Refuses events and rollbacks of chains that come from a database.
  static func requireUnowned(_ chains: Set<UInt32>, _ owned: Set<UInt32>, _ path: String) throws {
    guard let chain = chains.intersection(owned).min() else { return }
    throw Failure(
      .sourceOwned,
      "the events of chain \(chain) in \(Visible.text(path)) come from the database that is followed there",
      remedy: "change them in the database; to follow it no more, remove postgres.keys from the directory")
  }

  /// Makes all that was taken durable.
  ///
  /// - Returns: how far the journal is.
  static func finish(_ ledger: Ledger, _ path: String) throws(StorageFailure) -> String {
    try ledger.sync()
    let position = ledger.journalPosition
    return "\(Visible.text(path)) is durable up to byte \(position.byte) of journal file \(position.file)"
  }

  /// Makes the last checkpoint, and says where none could be made: nothing is lost by that, so it is no failure.
  static func finishCheckpoints(_ ledger: Ledger, _ path: String, _ console: Console) {
    ledger.finishCheckpoints()
    guard let failure = ledger.checkpointFailure else { return }
    console.note(
      "continuo: \(Visible.text(path)): no checkpoint could be made, so the journal stays as long as it is: "
        + Visible.text(failure.what))
  }

  /// Refuses to go on where nobody can be asked.
  ///
  /// - Parameter seen: what '--dry-run' shows instead; nil: it cannot be had.
  static func requireTerminal(orSee seen: String?) throws {
    guard DescriptorHandle.standardInput.isTerminal, DescriptorHandle.standardError.isTerminal else {
      let instead = seen.map { ", or --dry-run to see \($0)" } ?? ""
      throw ValidationError("there is no terminal to ask on: give --yes\(instead)")
    }
  }

  /// Asks, and fails where the answer is not yes.
  ///
  /// - Parameter outcome: what is to be said then.
  static func confirm(_ question: String, orSay outcome: String) throws {
    Console.raw(question + " [y/N] ")
    guard ["y", "yes"].contains((readLine() ?? "").lowercased()) else {
      throw Failure(.notConfirmed, outcome, remedy: "answer y, or give --yes")
    }
  }

  /// Makes calls whose failures become the one line.
  static func reporting<Answer>(_ calls: () throws -> Answer) throws -> Answer {
    do {
      return try calls()
    } catch let failure as StorageFailure {
      throw Failure(failure)
    } catch let refusal as Refusal {
      throw Failure(refusal)
    }
  }
}
