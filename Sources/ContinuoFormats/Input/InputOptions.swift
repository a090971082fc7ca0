// How input files are read: format, map, batches.
// Invariant: none; what does not fit a file fails when the file is opened.
// Not here: the settings' names as flags (the tool).

public import Continuo

/// What a file's rows are written in.
public enum InputFormat: String, CaseIterable, Sendable {
  /// RFC 4180, with a header unless told otherwise.
  case csv
  /// One flat JSON object a line.
  case ndjson
}

/// How input files are read.
public struct InputOptions: Sendable {
  /// The format; nil goes by the file's suffix, for standard input by its first byte that is not blank.
  public var format: InputFormat?
  /// What an integer in `timestamp` counts.
  public var timeUnit = TimeUnit.microseconds
  /// How prices are found.
  public var price = PriceMode.quoted
  /// Which column is which field; nil where files use our names.
  public var map: FieldMap?
  /// Whether a CSV file's first line names its columns. Without it `map` (or its preset) names positions.
  public var hasHeader = true
  /// How many rows a batch has, taken as the nearest of 1 … ``Limits/batchRowsMax``.
  public var batchRows = 10_000

  public init() {}
}

/// What a file's name says about it.
struct FileKind: Equatable {
  var format: InputFormat?
  /// Compressed by suffix; nil where the first bytes tell.
  var isGzip = false
  var isLZ4 = false

  /// Reads the suffixes `.csv .ndjson .jsonl`, with `.gz` or `.lz4` behind. O(length).
  init(path: String) {
    var name = path.split(separator: "/").last.map(String.init) ?? path
    if Self.removeSuffix(".gz", &name) {
      isGzip = true
    } else if Self.removeSuffix(".lz4", &name) {
      isLZ4 = true
    }
    if Self.removeSuffix(".csv", &name) {
      format = .csv
    } else if Self.removeSuffix(".ndjson", &name) || Self.removeSuffix(".jsonl", &name) {
      format = .ndjson
    }
  }

  private static func removeSuffix(_ suffix: String, _ name: inout String) -> Bool {
    guard name.lowercased().hasSuffix(suffix) else { return false }
    name.removeLast(suffix.count)
    return true
  }
}
