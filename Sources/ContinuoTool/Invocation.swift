// One run of the program: settings into arguments, arguments into a command, its outcome into an exit status.
// Invariant: a status is 0 (done), 1 (failed) or 2 (usage), and every error is one line on stderr.
// Not here: what a command does (Commands), where settings come from (Settings), what can fail (Failure).
// Rules 10.8.

internal import ArgumentParser
internal import ContinuoBytes
internal import ContinuoFormats

enum Invocation {
  private static let done: Int32 = 0
  private static let failed: Int32 = 1
  private static let usage: Int32 = 2

  static func run(_ arguments: [String], _ environment: [String: String]) -> Int32 {
    StandardStreamsHandle.prepare()
    var settings = Settings()
    do {
      try settings.read(arguments, environment, commands: Continuo.commands)
      var command = try Continuo.parseAsRoot(settings.arguments)
      if var command = command as? any ConsoleCommand {
        var console = Console(environment)
        console.settings = settings
        try command.run(console)
      } else {
        try command.run()
      }
      return done
    } catch DescriptorFailure.closed {
      return done
    } catch let failure as Failure {
      Console.error(failure.line)
      return failed
    } catch {
      return report(error, settings, arguments)
    }
  }

  private static func report(_ error: any Error, _ settings: Settings, _ arguments: [String]) -> Int32 {
    if Continuo.exitCode(for: error).isSuccess {
      do {
        try DescriptorHandle.standardOutput.write(Array((Continuo.fullMessage(for: error) + "\n").utf8))
      } catch {
        // The reader is gone: there is nobody to tell.
      }
      return done
    }
    let message = oneLine(Continuo.message(for: error))
    guard Continuo.exitCode(for: error) == .validationFailure else {
      Console.error("continuo: failed: \(message); this is not foreseen: please report it with the command")
      return failed
    }
    let command = settings.command.map { "continuo \($0)" } ?? "continuo"
    let origin = settings.origin(of: message).map { " (from \($0))" } ?? ""
    Console.error("continuo: usage: \(message)\(origin); see '\(command) --help'")
    return usage
  }

  /// The parser lists what it would take on lines of their own. What it repeats of the arguments is escaped.
  private static func oneLine(_ message: String) -> String {
    message.split(separator: "\n").map { Visible.text(String($0)) }.reduce("") { line, part in
      guard part.hasPrefix("  - ") else { return line.isEmpty ? part : "\(line) \(part)" }
      return line + (line.hasSuffix(":") ? " " : ", ") + part.dropFirst(4)
    }
  }
}

/// A command that is told about its console.
protocol ConsoleCommand: ParsableCommand {
  /// The flags that can be set by the environment and the file too.
  static var settings: [Setting] { get }
  mutating func run(_ console: Console) throws
}

/// The root of the commands.
struct Continuo: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "continuo",
    abstract: "Exact candles, rolling windows, holders and rankings of token trades.",
    discussion: """
      Example:
        continuo candles --input data/ibm-2013-10.csv.gz --interval 1d

      Every flag --some-flag can also be set by the environment variable CONTINUO_SOME_FLAG and by the key "some-flag" of \
      the JSON file named by --config or CONTINUO_CONFIG; a flag goes before the environment, the environment before \
      the file.
      """,
    version: Version.text,
    subcommands: commands)

  static let commands: [any ConsoleCommand.Type] =
    [
      Candles.self, Stats.self, Top.self, Holders.self, Explain.self, Ingest.self, Rollback.self, Retract.self,
      Checkpoint.self, Verify.self, Repair.self, Backup.self, Restore.self,
      Inspect.self, Load.self, TouchMemory.self,
    ] + served + besideDatabases

  /// What there is where the server was built in.
  private static var served: [any ConsoleCommand.Type] {
    #if CONTINUO_SERVER
      [Serve.self, Health.self, Config.self]
    #else
      []
    #endif
  }

  /// What there is where PostgreSQL's library was built in.
  private static var besideDatabases: [any ConsoleCommand.Type] {
    #if CONTINUO_POSTGRES
      [Postgres.self, Migrate.self, Sync.self]
    #else
      []
    #endif
  }

  func run() throws { throw ValidationError("no command was given") }
}

enum Version {
  static let text = "0.1.0"
}
