// Where a flag's value comes from: command line, environment, file, default.
// Invariant: whatever the source, the same parser judges the value, and an error names the source.
// Not here: what flags do (GoldenTests).

import Foundation
import Testing

@Suite("Settings")
struct SettingsTests {
  private func buckets(_ arguments: [String], _ environment: [String: String]) throws -> Int {
    let outcome = try Tool.run(
      ["candles", "--input", "data/sample.csv", "--token", "ART", "--format", "csv"] + arguments,
      environment: environment)
    #expect(outcome.status == 0, "\(outcome.err)")
    return outcome.out.split(separator: "\n").count - 1
  }

  private func withSettings<Result>(_ json: String, _ body: (String) throws -> Result) throws -> Result {
    try Tool.withScratch { scratch in
      let file = scratch.appending(path: "settings.json")
      try Data(json.utf8).write(to: file)
      return try body(file.path)
    }
  }

  /// Rule 10.0: flag before environment before file before default. ART has 4, 3, 2 and 1 candles at 1m, 1h, 4h, 1w.
  @Test("precedence: flag, environment, file, default")
  func precedence() throws {
    try withSettings(#"{"interval": "4h"}"#) { file in
      let variable = ["CONTINUO_INTERVAL": "1w"]
      let cases: [(arguments: [String], environment: [String: String], candles: Int)] = [
        ([], [:], 3), (["--config", file], [:], 2), (["--config=\(file)"], [:], 2), ([], ["CONTINUO_CONFIG": file], 2),
        ([], variable, 1), (["--config", file], variable, 1), (["--interval", "1m", "--config", file], variable, 4),
        (["--interval=1m", "--config", file], variable, 4), ([], ["CONTINUO_INTERVAL": ""], 3),
      ]
      for (arguments, environment, candles) in cases {
        let found = try buckets(arguments, environment)
        #expect(found == candles, "\(arguments) \(environment)")
      }
    }
  }

  /// Rule 10.0: every kind of value has a form in the environment and in the file; another command's is ignored.
  @Test("lists, numbers, booleans and other commands' settings")
  func kinds() throws {
    let json = """
      {"input": ["data/sample.csv"], "token": ["ART", "BEAT"], "limit": 1, "quiet": true, "format": "csv",
       "by": "holders", "strict": true, "fill": null}
      """
    try withSettings(json) { file in
      let fromFile = try Tool.run(["candles", "--config", file])
      #expect(fromFile.status == 0)
      #expect(fromFile.err == "")
      #expect(fromFile.out.split(separator: "\n").count == 3)
      let environment = [
        "CONTINUO_INPUT": "data/sample.csv", "CONTINUO_TOKEN": "ART,BEAT", "CONTINUO_LIMIT": "1",
        "CONTINUO_QUIET": "1", "CONTINUO_FORMAT": "csv", "CONTINUO_BY": "holders",
      ]
      let fromEnvironment = try Tool.run(["candles"], environment: environment)
      #expect(fromEnvironment.out == fromFile.out)
      #expect(fromEnvironment.err == "")
      let loud = try Tool.run(["candles", "--config", file, "--quiet=false"])
      #expect(loud.out == fromFile.out)
      #expect(loud.err.contains("rows rejected"))
    }
  }

  /// Rule 10.0: an unknown key is an error that names the key and the file.
  @Test("an unknown key is an error", arguments: [#"{"intervall": "1h"}"#, #"{"config": "x"}"#])
  func unknownKey(json: String) throws {
    try withSettings(json) { file in
      let outcome = try Tool.run(["stats", "--input", "data/sample.csv", "--config", file])
      #expect(outcome.status == 2)
      #expect(outcome.out == "")
      #expect(outcome.err.contains(json.contains("intervall") ? "\"intervall\"" : "\"config\""))
      #expect(outcome.err.contains(file))
      #expect(outcome.err.split(separator: "\n").count == 1)
    }
  }

  /// Rule 10.0: a value that does not parse is exit 2 from wherever it comes, and the error says from where.
  @Test("an error names the source of the value")
  func sources() throws {
    for (name, value) in [("INTERVAL", "2h"), ("FROM", "x"), ("LIMIT", "0"), ("QUIET", "perhaps"), ("MAP", "x")] {
      let outcome = try Tool.run(
        ["candles", "--input", "data/sample.csv"], environment: ["CONTINUO_\(name)": value])
      #expect(outcome.status == 2)
      #expect(outcome.err.contains("(from the environment variable CONTINUO_\(name))"), "\(outcome.err)")
    }
    for json in [#"{"limit": 0}"#, #"{"limit": [1, 2]}"#, #"{"limit": true}"#, #"{"limit": 1.5}"#] {
      try withSettings(json) { file in
        let outcome = try Tool.run(["candles", "--input", "data/sample.csv", "--config", file])
        #expect(outcome.status == 2)
        #expect(outcome.err.contains(file), "\(outcome.err)")
      }
    }
    for json in ["", "[]", "{", #"{"limit": {"n": 1}}"#] {
      try withSettings(json) { file in
        let outcome = try Tool.run(["candles", "--input", "data/sample.csv", "--config", file])
        #expect(outcome.status == 2)
        #expect(outcome.err.contains("is not one JSON object"), "\(outcome.err)")
      }
    }
    let missing = try Tool.run(["candles", "--input", "data/sample.csv", "--config", "no/such.json"])
    #expect(missing.status == 1)
    #expect(missing.err.hasPrefix("continuo: not_found: "))
  }

  /// Rule 10.0: every flag that the parser knows is a setting, and every setting is a flag.
  @Test("settings and flags are the same")
  func everyFlag() throws {
    let dump = try Tool.run(["--experimental-dump-help"])
    let help = try #require(try JSONSerialization.jsonObject(with: Data(dump.out.utf8)) as? [String: Any])
    let root = try #require(help["command"] as? [String: Any])
    var flags: Set<String> = []
    for command in try #require(root["subcommands"] as? [[String: Any]])
    where command["commandName"] as? String != "help" {
      for argument in try #require(command["arguments"] as? [[String: Any]]) {
        guard let name = (argument["preferredName"] as? [String: Any])?["name"] as? String else { continue }
        flags.insert(name)
      }
    }
    flags.subtract(["help", "version", "config"])
    #expect(flags.count > 20)
    let unknown = try withSettings(#"{"zzz": 1}"#) { file in
      try Tool.run(["stats", "--input", "data/sample.csv", "--config", file]).err
    }
    let listed = try #require(unknown.components(separatedBy: "there are ").last?.components(separatedBy: ";").first)
    #expect(Set(listed.components(separatedBy: ", ")) == flags)
  }
}
