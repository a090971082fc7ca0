// What a run of the load took, and its form for people and programs.
// Invariant: every format has the same figures in the same order; measured figures are plain numbers in JSON.
// Not here: measuring (LoadRun).

internal import Continuo
internal import ContinuoFormats
internal import ContinuoMachine

struct LoadReport {
  var delivered = 0
  var accepted = 0
  var duplicates = 0
  var rejected = 0
  /// The timed part.
  var nanoseconds: Int64 = 0
  var processorNanoseconds: Int64 = 0
  /// Copying the market's rows into plain arrays.
  var copyNanoseconds: Int64 = 0
  /// The whole run, drawing the market included.
  var wallNanoseconds: Int64 = 0
  /// The most memory that was resident in the timed part, less what was resident before it.
  var residentBytes = 0
  var touchNanosecondsPerByte = 0.0
  var candles: [(interval: String, count: Int)] = []
  var reads = LatencySamples(capacity: 0)
  /// A figure made of everything that was read, so that no read can be left out.
  var tradesRead = 0

  /// One number for all that the engine answers then; nil where it was not asked for.
  var stateDigest: String?

  private enum Figure {
    case count(Int)
    case number(Double, digits: Int)
    case counts([(name: String, count: Int)])
    case word(String)
  }

  private var figures: [(name: String, figure: Figure)] {
    let seconds = Double(nanoseconds) / 1e9
    let percentiles = reads.microseconds([0.5, 0.99, 0.999])
    return [
      ("events", .count(delivered - duplicates)),
      ("seconds", .number(seconds, digits: 6)),
      ("wall_seconds", .number(Double(wallNanoseconds) / 1e9, digits: 6)),
      ("events_per_second", .number(Self.rate(delivered, nanoseconds), digits: 0)),
      ("cpu_seconds", .number(Double(processorNanoseconds) / 1e9, digits: 6)),
      ("resident_bytes_per_event", .number(Double(residentBytes) / Double(max(1, delivered - duplicates)), digits: 2)),
      ("touch_ns_per_byte", .number(touchNanosecondsPerByte, digits: 3)),
      ("copy_events_per_second", .number(Self.rate(delivered, copyNanoseconds), digits: 0)),
      ("accepted", .count(accepted)),
      ("duplicates", .count(duplicates)),
      ("rejected", .count(rejected)),
      ("candles", .counts(candles.map { ($0.interval, $0.count) })),
      ("reads", .count(reads.count)),
      ("read_p50_us", .number(percentiles[0], digits: 3)),
      ("read_p99_us", .number(percentiles[1], digits: 3)),
      ("read_p999_us", .number(percentiles[2], digits: 3)),
      ("trades_read", .count(tradesRead)),
    ] + (stateDigest.map { [("state_digest", .word($0))] } ?? [])
  }

  func text(_ format: OutputFormat) -> String {
    switch format {
    case .json: json
    case .csv: csv
    case .table: table
    }
  }

  private static func rate(_ count: Int, _ nanoseconds: Int64) -> Double {
    nanoseconds > 0 ? Double(count) * 1e9 / Double(nanoseconds) : 0
  }

  private var json: String {
    let fields = figures.map { name, figure in
      switch figure {
      case .count(let count): "\"\(name)\":\(count)"
      case .number(let value, let digits): "\"\(name)\":\(Self.text(value, digits))"
      case .word(let word): "\"\(name)\":\"\(word)\""
      case .counts(let counts):
        "\"\(name)\":{" + counts.map { "\"\($0.name)\":\($0.count)" }.joined(separator: ",") + "}"
      }
    }
    return "{" + fields.joined(separator: ",") + "}\n"
  }

  private var flat: [(name: String, text: String)] {
    figures.flatMap { name, figure in
      switch figure {
      case .count(let count): [(name, String(count))]
      case .number(let value, let digits): [(name, Self.text(value, digits))]
      case .word(let word): [(name, word)]
      case .counts(let counts): counts.map { ("\(name)_\($0.name)", String($0.count)) }
      }
    }
  }

  private var csv: String {
    flat.map(\.name).joined(separator: ",") + "\n" + flat.map(\.text).joined(separator: ",") + "\n"
  }

  private var table: String {
    let width = flat.map(\.name.count).max() ?? 0
    return flat.map { name, text in
      name + String(repeating: " ", count: width - name.count + 2) + text + "\n"
    }.joined()
  }

  /// A number over zero with at most so many fractional digits.
  private static func text(_ value: Double, _ digits: Int) -> String {
    var scale = 1.0
    for _ in 0..<digits { scale *= 10 }
    let units = Int128((value * scale).rounded())
    return Decimal18(units: units * (Decimal18.unitsPerWhole / Int128(scale))).description
  }
}
