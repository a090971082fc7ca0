// From exec to the first candles: `continuo candles` of some tokens of a directory, each a process of its own.
// Invariant: what it prints is what an engine that was brought back whole says.
// Not here: how the directory came to be (StorageRun).

internal import Continuo
internal import ContinuoStorage
internal import Foundation

/// How long it takes from exec to the answer.
struct FirstCandles {
  /// Milliseconds of each question, ascending.
  private(set) var milliseconds: [Double] = []
  /// Whether the system's cache was emptied before each.
  private(set) var areCold = true

  var median: Double { milliseconds[milliseconds.count / 2] }
  var longest: Double { milliseconds[milliseconds.count - 1] }

  /// Asks for the newest hours of so many tokens, from the busiest to the rarest.
  init(_ directory: String, tokens: Int, hours: Int = 1) throws {
    let whole = try ReadDirectory(path: directory)
    let ranked = whole.engine.tokens().sorted { whole.engine.trades($0) > whole.engine.trades($1) }
    for index in 0..<tokens {
      let token = ranked[index * (ranked.count - 1) / max(1, tokens - 1)]
      let query = CandleQuery(.oneHour, limit: hours)
      var expected: [String] = []
      whole.engine.forEachCandle(of: token, query) { row in
        if let candle = row.candle { expected.append("\(row.bucket),\(candle.open)") }
      }
      areCold = Self.emptyCache() && areCold
      let (lines, milliseconds) = try Self.ask(directory, whole.engine.name(of: token).description, hours)
      let found = lines.dropFirst().map { $0.split(separator: ",").prefix(2).joined(separator: ",") }
      precondition(found == expected, "\(found) are not \(expected)")
      self.milliseconds.append(milliseconds)
    }
    milliseconds.sort()
  }

  private static func ask(_ directory: String, _ token: String, _ hours: Int) throws -> (
    lines: [Substring], milliseconds: Double
  ) {
    let answer = try TimedAnswer([
      "candles", "--data-dir", directory, "--token", token, "--interval", "1h", "--limit", "\(hours)", "--format",
      "csv",
    ])
    return (String(decoding: answer.bytes, as: UTF8.self).split(separator: "\n"), answer.seconds * 1000)
  }

  /// Empties the system's cache of files, where the machine allows it.
  private static func emptyCache() -> Bool {
    guard let file = FileHandle(forWritingAtPath: "/proc/sys/vm/drop_caches") else { return false }
    defer { try? file.close() }
    do {
      // What is not written yet stays in the cache: a program that was just linked, for one.
      try Process.run(URL(fileURLWithPath: "/bin/sync"), arguments: []).waitUntilExit()
      try file.write(contentsOf: Data("3".utf8))
      // What starting any program needs is there on a machine that runs.
      try Process.run(URL(fileURLWithPath: "/bin/true"), arguments: []).waitUntilExit()
    } catch { return false }
    return true
  }
}

extension Engine {
  /// How many swaps of a token are held.
  borrowing func trades(_ token: TokenID) -> Int {
    var trades = 0
    forEachCandle(of: token, CandleQuery(.oneWeek)) { trades += $0.candle?.trades ?? 0 }
    return trades
  }
}
