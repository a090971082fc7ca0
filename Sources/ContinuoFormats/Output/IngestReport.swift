// What became of the rows of one or more files: counts of all, and the first rejections with where they stood.
// Invariant: all rejections are counted, the first `Limits.rejectionsListedMax` are listed.
// Not here: what a single batch answered (Receipt), the columns of its CSV (ResultTable+Columns).

public import Continuo

/// What became of the rows of one or more files.
public struct IngestReport: Sendable {
  /// A rejected row and the file it stood in.
  public struct FileRejection: Equatable, Sendable {
    /// The file as it was named on the command line.
    public var file: String
    public var rejection: Rejection
  }

  public private(set) var accepted = 0
  public private(set) var duplicates = 0
  public private(set) var rejected = 0
  /// The first rejections, in the order of files and lines.
  public private(set) var rejections: [FileRejection] = []
  /// How far the journal was when all of it was durable: the number of its last frame; nil where nothing is journalled.
  public var sequence: UInt64?
  private var countByReason = [Int](repeating: 0, count: RejectionReason.allCases.count)

  public init() {}

  /// How many rows there were. O(1).
  public var rows: Int { accepted + duplicates + rejected }

  /// How many rows were rejected for a reason. O(1).
  public func rejected(for reason: RejectionReason) -> Int { countByReason[Int(reason.rawValue)] }

  /// The reasons that occurred with their counts, in the order in which reasons apply. O(reasons).
  public var reasons: [(reason: RejectionReason, count: Int)] {
    RejectionReason.allCases.map { ($0, rejected(for: $0)) }.filter { $0.count > 0 }
  }

  /// Adds what became of one batch of a file. O(rejections).
  public mutating func add(_ receipt: Receipt, file: String) {
    accepted += receipt.accepted
    duplicates += receipt.duplicates
    guard !receipt.rejections.isEmpty else { return }
    rejected += receipt.rejections.count
    for (reason, count) in receipt.rejectedByReason.enumerated() { countByReason[reason] += count }
    for rejection in receipt.rejections.prefix(Limits.rejectionsListedMax - rejections.count) {
      rejections.append(FileRejection(file: file, rejection: rejection))
    }
  }

  /// The receipt as one JSON object with a line feed: counts, reasons that occurred, the first rejections. O(rejections).
  public func json() -> [UInt8] {
    var output: [UInt8] = [UInt8(ascii: "{")]
    for (name, count) in [("accepted", accepted), ("duplicates", duplicates), ("rejected", rejected)] {
      JSONOutput.appendKey(name, to: &output)
      JSONOutput.append(.count(UInt64(count)), to: &output)
      output.append(UInt8(ascii: ","))
    }
    JSONOutput.appendKey("rejected_by_reason", to: &output)
    output.append(UInt8(ascii: "{"))
    for (index, entry) in reasons.enumerated() {
      if index > 0 { output.append(UInt8(ascii: ",")) }
      JSONOutput.appendKey(entry.reason.name, to: &output)
      JSONOutput.append(.count(UInt64(entry.count)), to: &output)
    }
    output.append(contentsOf: "},".utf8)
    JSONOutput.appendKey("rejections", to: &output)
    output.append(UInt8(ascii: "["))
    var rejection = ResultWriter(Self.rejectionFields, as: .json)
    for (index, entry) in rejections.enumerated() {
      if index > 0 { output.append(UInt8(ascii: ",")) }
      rejection.write(entry)
      output.append(contentsOf: rejection.takeBytes())
    }
    output.append(contentsOf: "],".utf8)
    JSONOutput.appendKey("sequence", to: &output)
    JSONOutput.append(sequence.map { .count($0) } ?? .null, to: &output)
    output.append(contentsOf: "}\n".utf8)
    return output
  }

  private static let rejectionFields = ResultTable<FileRejection>(isSingle: true) { row, cells in
    cells.text("file", of: row) { ByteString($0.file) }
    cells.count("line", of: row) { $0.rejection.line }
    cells.text("field", of: row) { $0.rejection.field.map { ByteString($0.name) } }
    cells.text("value", of: row) { $0.rejection.value }
    cells.text("reason", of: row) { ByteString($0.rejection.reason.name) }
  }
}
