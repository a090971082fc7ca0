// `continuo config`: what `serve` would be started with, each value with where it comes from.
// Invariant: it is read and judged as `serve` does; no token is printed.
// Not here: how a value is found (Settings), what it means (Serve).

#if CONTINUO_SERVER
  internal import ArgumentParser
  internal import Continuo
  internal import ContinuoFormats
  internal import FoundationEssentials

  struct Config: ConsoleCommand {
    static let configuration = CommandConfiguration(
      abstract:
        "Print the settings that 'serve' would have here, each with its source: flag, environment, file or default.",
      discussion: """
        Takes the flags of 'serve'. Of tokens it says only that they are set.

        Example:
          continuo config --config server.json --format csv
        """)

    static let settings: [Setting] = Serve.settings + OutputOptions.settings

    @OptionGroup var serve: Serve
    @OptionGroup var output: OutputOptions

    func run(_ console: Console) throws {
      var result = ResultStream(.settings, output, console.with(serve.consoleOptions))
      let defaults = try Self.defaults()
      for setting in Serve.settings.sorted(by: { $0.name < $1.name }) {
        if let found = console.settings.found.first(where: { $0.name == setting.name }) {
          try result.write(
            SettingAnswer(name: setting.name, value: Self.shown(found), source: found.origin))
        } else {
          let value = defaults[setting.name] ?? (setting.kind == .flag ? "false" : nil)
          try result.write(SettingAnswer(name: setting.name, value: value, source: "default"))
        }
      }
      for token in try serve.tokens() {
        try result.write(
          SettingAnswer(
            name: token.name, value: token.source == nil ? nil : "set", source: token.source ?? "default"))
      }
      try result.finish()
    }

    /// An address of a database may hold a password.
    private static func shown(_ found: Settings.Found) -> String {
      found.name == "postgres" ? "set" : found.texts.joined(separator: ",")
    }

    // MARK: defaults

    private struct Dump: Decodable {
      let command: Command

      struct Command: Decodable { let arguments: [Argument] }
      struct Argument: Decodable {
        let preferredName: Name?
        let defaultValue: String?
      }
      struct Name: Decodable { let name: String }
    }

    /// What the parser takes where nothing is said.
    private static func defaults() throws -> [String: String] {
      let dump = try JSONDecoder().decode(Dump.self, from: Data(Serve._dumpHelp().utf8))
      var defaults: [String: String] = [:]
      for argument in dump.command.arguments {
        if let name = argument.preferredName?.name { defaults[name] = argument.defaultValue }
      }
      return defaults
    }
  }
#endif
