// Where a flag's value comes from: the command line, else the environment, else the file, else the default.
// Invariant: a value from environment or file becomes an argument before parsing, so that one parser judges them all.
// Not here: which flags there are (Options, Commands).
// Rules 10.0.

internal import ArgumentParser
internal import ContinuoBytes
internal import ContinuoFormats
internal import FoundationEssentials

/// A flag that environment and file can set too.
struct Setting {
  enum Kind { case value, flag, list }

  let name: String
  let kind: Kind
  /// Of the settings that say the same thing in different ways, whichever is set closer to the command line stands.
  var group: String?

  static func value(_ name: String) -> Setting { Setting(name: name, kind: .value) }
  static func flag(_ name: String) -> Setting { Setting(name: name, kind: .flag) }
  /// A flag that may be given several times.
  static func list(_ name: String) -> Setting { Setting(name: name, kind: .list) }

  /// `time-unit` is `CONTINUO_TIME_UNIT`.
  var variable: String { "CONTINUO_" + name.uppercased().replacing("-", with: "_") }
}

struct Settings {
  /// The command's name, once it is known.
  private(set) var command: String?
  /// The arguments with everything that environment and file add.
  private(set) var arguments: [String] = []
  /// What was set, and where.
  private(set) var found: [Found] = []
  private var origins: [(name: String, origin: String)] = []

  /// A flag's value, as a text for each time that it was given.
  struct Found {
    let name: String
    let texts: [String]
    let origin: String
  }

  /// Completes the arguments. O(settings).
  mutating func read(
    _ arguments: [String], _ environment: [String: String], commands: [any ConsoleCommand.Type]
  ) throws {
    self.arguments = arguments
    guard let first = arguments.first, let chosen = commands.first(where: { $0._commandName == first }) else { return }
    command = first
    guard !arguments.contains(where: { ["--help", "-h", "-help", "--version"].contains($0) }) else { return }
    let end = arguments.firstIndex(of: "--") ?? arguments.endIndex
    var given = Array(arguments[..<end])
    var added: [String] = []
    let values = try Self.scan(&given, chosen.settings)
    let named = Set(values.keys)
    found = values.map { Found(name: $0, texts: $1, origin: "flag") }
    let file = try SettingsFile(named: try Self.configPath(given, environment), known: commands)
    if let file, !named.contains("config") {
      found.append(Found(name: "config", texts: [file.path], origin: "environment CONTINUO_CONFIG"))
    }
    let settled = Self.groups(chosen.settings) { named.contains($0.name) }
    let varied = settled.union(Self.groups(chosen.settings) { !(environment[$0.variable] ?? "").isEmpty })
    for setting in chosen.settings where setting.name != "config" {
      guard !named.contains(setting.name), setting.group.map({ !settled.contains($0) }) ?? true else { continue }
      if let text = environment[setting.variable], !text.isEmpty {
        origins.append((setting.name, "the environment variable \(setting.variable)"))
        found.append(Found(name: setting.name, texts: [text], origin: "environment \(setting.variable)"))
        added += try Self.arguments(setting, [text], isOneText: true, "the environment variable \(setting.variable)")
      } else if let file, let texts = file.texts(setting.name), setting.group.map({ !varied.contains($0) }) ?? true {
        let origin = "the key \"\(setting.name)\" of \(Visible.text(file.path))"
        origins.append((setting.name, origin))
        found.append(Found(name: setting.name, texts: texts, origin: "file \(file.path)"))
        added += try Self.arguments(setting, texts, isOneText: false, origin)
      }
    }
    self.arguments = given + added + arguments[end...]
  }

  /// Where the value of the flag came from that an error speaks of; nil where it was the command line. O(settings).
  func origin(of message: String) -> String? {
    origins.first {
      message.contains("--\($0.name) ") || message.contains("--\($0.name)'") || message.contains("--\($0.name):")
    }?
    .origin
  }

  /// The groups of the settings that are set.
  private static func groups(_ settings: [Setting], isSet: (Setting) -> Bool) -> Set<String> {
    Set(settings.filter(isSet).compactMap(\.group))
  }

  /// `--name=value` and `--name` are `name`.
  private static func name(_ argument: String) -> String {
    guard argument.hasPrefix("--") else { return "" }
    return String(argument.dropFirst(2).prefix { $0 != "=" })
  }

  /// The flags that are given, each with its values; `--quiet=false`, which takes back what environment or file say, is taken
  /// out, and `--quiet=true` becomes `--quiet`.
  private static func scan(_ given: inout [String], _ settings: [Setting]) throws -> [String: [String]] {
    let kinds = Dictionary(uniqueKeysWithValues: settings.map { ($0.name, $0.kind) })
    var values: [String: [String]] = [:]
    var kept: [String] = []
    // The flag whose value comes next.
    var waiting: String?
    for argument in given {
      let name = waiting == nil ? name(argument) : ""
      if let flag = waiting { values[flag] = (kinds[flag] == .list ? values[flag] ?? [] : []) + [argument] }
      let isBare = argument.utf8.count == name.utf8.count + 2
      waiting = nil
      kept.append(argument)
      guard let kind = kinds[name] else { continue }
      let value = String(argument.dropFirst(name.count + 3))
      guard kind == .flag else {
        values[name] = (kind == .list ? values[name] ?? [] : []) + (isBare ? [] : [value])
        if isBare { waiting = name }
        continue
      }
      values[name] = [isBare ? "true" : value]
      guard !isBare else { continue }
      guard let isOn = truth(value) else { throw ValidationError("'\(value)' for --\(name) is neither true nor false") }
      kept.removeLast()
      if isOn { kept.append("--\(name)") }
    }
    given = kept
    return values
  }

  private static func truth(_ text: String) -> Bool? {
    switch text {
    case "true", "1", "yes", "on": true
    case "false", "0", "no", "off": false
    default: nil
    }
  }

  private static func arguments(
    _ setting: Setting, _ texts: [String], isOneText: Bool, _ origin: String
  ) throws -> [String] {
    switch setting.kind {
    case .flag:
      guard texts.count == 1, let isOn = truth(texts[0]) else {
        throw ValidationError(
          "'\(texts.joined(separator: ","))' for --\(setting.name) is neither true nor false")
      }
      return isOn ? ["--\(setting.name)"] : []
    case .value:
      guard texts.count == 1 else {
        throw ValidationError("--\(setting.name) takes one value, not a list")
      }
      return ["--\(setting.name)=\(texts[0])"]
    case .list:
      let values = isOneText ? texts[0].split(separator: ",").map(String.init) : texts
      return values.map { "--\(setting.name)=\($0)" }
    }
  }

  private static func configPath(_ given: [String], _ environment: [String: String]) throws -> String? {
    if let index = given.lastIndex(where: { name($0) == "config" }) {
      if given[index] != "--config" { return String(given[index].dropFirst("--config=".count)) }
      return index + 1 < given.count ? given[index + 1] : nil
    }
    return environment["CONTINUO_CONFIG"].flatMap { $0.isEmpty ? nil : $0 }
  }
}

/// The JSON file of settings: one object, whose keys are the names of flags.
private struct SettingsFile {
  let path: String
  private let values: [String: Value]

  /// A setting as JSON has it.
  private enum Value: Decodable {
    case texts([String])
    case absent

    init(from decoder: any Decoder) throws {
      let one = try decoder.singleValueContainer()
      if one.decodeNil() {
        self = .absent
      } else if let text = Self.text(one) {
        self = .texts([text])
      } else {
        self = .texts(try one.decode([Scalar].self).map(\.text))
      }
    }

    static func text(_ one: any SingleValueDecodingContainer) -> String? {
      if let text = try? one.decode(String.self) { return text }
      if let flag = try? one.decode(Bool.self) { return flag ? "true" : "false" }
      if let number = try? one.decode(Int64.self) { return String(number) }
      return nil
    }
  }

  private struct Scalar: Decodable {
    let text: String

    init(from decoder: any Decoder) throws {
      guard let text = Value.text(try decoder.singleValueContainer()) else {
        throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: "no setting"))
      }
      self.text = text
    }
  }

  init?(named path: String?, known commands: [any ConsoleCommand.Type]) throws {
    guard let path else { return nil }
    self.path = path
    let bytes = try Self.bytes(of: path)
    let shown = Visible.text(path)
    do {
      values = try JSONDecoder().decode([String: Value].self, from: Data(bytes))
    } catch {
      throw ValidationError(
        "\(shown) is not one JSON object of strings, whole numbers, booleans and lists of them: write "
          + "{\"interval\": \"1d\"}")
    }
    let names = Set(commands.flatMap { $0.settings.map(\.name) }).subtracting(["config"])
    if let unknown = values.keys.filter({ !names.contains($0) }).min() {
      throw ValidationError(
        "the key \"\(Visible.text(unknown))\" of \(shown) is no setting; there are \(names.sorted().joined(separator: ", "))"
      )
    }
  }

  /// The setting's texts; nil where the file does not have it.
  func texts(_ name: String) -> [String]? {
    guard case .texts(let texts) = values[name] else { return nil }
    return texts
  }

  private static func bytes(of path: String) throws -> [UInt8] {
    var bytes: [UInt8] = []
    do throws(DescriptorFailure) {
      let file = try DescriptorHandle(reading: path)
      while bytes.count <= bytesMax, try file.read(into: &bytes, atMost: 1 << 16) > 0 {}
    } catch {
      throw Failure(
        .notFound, "the settings file \(Visible.text(path)) cannot be read: \(error)",
        remedy: "correct --config or CONTINUO_CONFIG")
    }
    guard bytes.count <= bytesMax else {
      throw ValidationError("\(Visible.text(path)) is over \(bytesMax) bytes: no file of settings")
    }
    return bytes
  }

  private static let bytesMax = 1 << 20
}
