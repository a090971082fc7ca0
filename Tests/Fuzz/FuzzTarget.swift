// The table of fuzz targets: what is done with any bytes, and what must hold then.
// Invariant: a broken property ends the process with a message, as a trap does; nothing else does.
// Not here: libFuzzer's entry (FuzzEntryHandle), the corpus (Tests/Fuzz/corpus), the schedule (tools/fuzz).

import Continuo
import ContinuoFormats
import ContinuoStorage

/// What is fuzzed.
enum FuzzTarget: String, CaseIterable {
  case csv
  case ndjson
  case decimal
  case timestamp
  case map
  case compressed
  case journal
  case kept
  /// Fails on an input that is easy to find, so that a fuzzer which finds nothing is told from one that cannot.
  case canary

  /// Does it; does not return where a property is broken.
  func run(_ bytes: [UInt8]) {
    switch self {
    case .csv: rows(bytes, "fuzz.csv")
    case .ndjson: rows(bytes, "fuzz.ndjson")
    case .decimal: decimal(bytes)
    case .timestamp: timestamp(bytes)
    case .map: map(bytes)
    case .compressed: compressed(bytes)
    case .journal: journal(bytes)
    case .kept: kept(bytes)
    case .canary:
      if bytes.starts(with: Array("CA".utf8)) { fatalError("the canary is dead, as it should be") }
    }
  }

  /// Splits off the first byte, which says how the rest is read.
  private func split(_ bytes: [UInt8]) -> (choice: Int, rest: [UInt8]) {
    (Int(bytes.first ?? 0), Array(bytes.dropFirst()))
  }

  /// Makes long lines out of short inputs: 0xFE and n stand for 300 × n times the byte before.
  private func expanded(_ bytes: [UInt8]) -> [UInt8] {
    var long: [UInt8] = []
    var index = 0
    while index < bytes.count {
      if bytes[index] == 0xFE, index + 1 < bytes.count, let last = long.last, long.count < 140_000 {
        long += [UInt8](repeating: last, count: Int(bytes[index + 1]) * 300)
        index += 2
      } else {
        long.append(bytes[index])
        index += 1
      }
    }
    return long
  }

  private func rows(_ bytes: [UInt8], _ name: String) {
    let (choice, rest) = split(bytes)
    var text = choice >> 6 == 3 ? expanded(rest) : rest
    var options = InputOptions()
    if self == .csv, choice & 1 == 0 {
      text = Array("kind,block,timestamp,token,side,amount_usd,price_usd,wallet,from,to,amount,token_id\n".utf8) + text
    } else if self == .csv, choice & 2 == 0 {
      options.hasHeader = false
      options.map = try? FieldMap("block=#,timestamp=1,token=2,amount_usd=3*4,price_usd=3,wallet=2", preset: nil)
    } else if self == .csv, choice & 4 == 0 {
      options.map = try? FieldMap("token:=T", preset: .binanceTrades)
    }
    let whole = Digest(text, name, options, blockBytes: 80_000)
    require(whole.failure.map { !$0.description.contains { $0.isNewline } } ?? true, "a message of several lines")
    options.batchRows = [1, 3, 10_000][choice >> 6 % 3]
    let blockBytes = [1, 2, 7, 64, 1_000, 4_096, 65_536, 65_539][choice >> 3 & 7]
    whole.requireEqual(Digest(text, name, options, blockBytes: max(blockBytes, text.count / 400)))
  }

  private func decimal(_ bytes: [UInt8]) {
    guard let value = try? Decimal18(parsing: bytes.span) else { return }
    let text = value.description
    require(Decimal18(text) == value, "\(text) does not read back as it was written")
    require(Decimal18(text)?.description == text, "\(text) is not canonical")
    require(!text.contains { $0 == "e" || $0 == "+" }, "\(text) has an exponent or a plus")
    require(!text.contains(".") || text.last != "0", "\(text) has a trailing zero")
  }

  private func timestamp(_ bytes: [UInt8]) {
    for unit in TimeUnit.allCases {
      guard let value = Timestamp(parsing: bytes.span, unit: unit) else { continue }
      require(value.isInRange, "\(value.microseconds) is out of range")
      require(Timestamp(value.description, unit: unit) == value, "\(value) does not read back as it was written")
      require(Timestamp(String(value.microseconds)) == value, "\(value.microseconds) does not read back")
    }
  }

  /// The first line is the map, the rest a file.
  private func map(_ bytes: [UInt8]) {
    let (choice, rest) = split(bytes)
    let parts = rest.split(separator: UInt8(ascii: "\n"), maxSplits: 1, omittingEmptySubsequences: false)
    let preset: Preset? = choice & 3 == 1 ? .binanceTrades : choice & 3 == 2 ? .binanceAggregateTrades : nil
    do throws(InvalidFieldMap) {
      var options = InputOptions()
      options.map = try FieldMap(String(decoding: parts[0], as: UTF8.self), preset: preset)
      options.hasHeader = choice & 4 == 0
      let name = choice & 8 == 0 ? "fuzz.csv" : "fuzz.ndjson"
      let text = parts.count > 1 ? Array(parts[1]) : []
      Digest(text, name, options, blockBytes: 80_000).requireEqual(Digest(text, name, options, blockBytes: 5))
    } catch {
      require(error.description.hasPrefix("--map "), "a message that does not name the flag: \(error)")
    }
  }

  private func compressed(_ bytes: [UInt8]) {
    let (choice, rest) = split(bytes)
    let name = ["fuzz.csv.gz", "fuzz.csv.lz4", "fuzz.ndjson.gz", "-"][choice & 3]
    let blockBytes = [1, 7, 100, 65_536][choice >> 2 & 3]
    let whole = Digest(rest, name, InputOptions(), blockBytes: 80_000, rowsMax: 5_000)
    let pieces = Digest(rest, name, InputOptions(), blockBytes: max(blockBytes, rest.count / 400), rowsMax: 5_000)
    // How much comes out before damage is found depends on the pieces, what comes out does not.
    if whole.failure != nil { whole.requireSameStart(pieces) } else { whole.requireEqual(pieces) }
  }
}

extension FuzzTarget {
  /// Any bytes as the records of a frame: they are taken in, or are none.
  private func journal(_ bytes: [UInt8]) {
    var engine = Engine()
    do {
      try JournalRecord.forEach(in: bytes.span) { engine.replay($0) }
    } catch {
      require(error is JournalRecordFault, "another failure than that of records: \(error)")
    }
    let wrong = engine.checkInvariants()
    require(wrong.isEmpty, "invariants: \(wrong)")
  }
}

/// Ends the process where a property is broken.
func require(_ holds: Bool, _ message: @autoclosure () -> String) {
  guard !holds else { return }
  fatalError("broken property: \(message())")
}
