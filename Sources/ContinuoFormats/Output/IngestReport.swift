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
    var object = JSONObject()
    object.putCounts(accepted: accepted, duplicates: duplicates, rejected: rejected, reasons)
    object.put("rejections", rejections, Self.rejectionFields)
    object.put("sequence", count: sequence)
    return object.finished()
  }

  private static let rejectionFields = ResultTable<FileRejection> { row, cells in
    cells.text("file", of: row) { ByteString($0.file) }
    Receipt.put(rejection: row, &cells) { $0.rejection }
  }
}

extension Receipt {
  /// The columns of a rejection.
  fileprivate static func put<Row>(rejection row: Span<Row>, _ cells: inout CellSink, _ rejection: (Row) -> Rejection) {
    cells.count("line", of: row) { rejection($0).line }
    cells.text("field", of: row) { rejection($0).field.map { ByteString($0.name) } }
    cells.text("value", of: row) { rejection($0).value }
    cells.text("reason", of: row) { ByteString(rejection($0).reason.name) }
  }

  /// The columns of a rejection in the receipt of one batch.
  package static let rejectionFields = ResultTable<Rejection> { row, cells in
    put(rejection: row, &cells) { $0 }
  }

  /// What became of a batch, as one JSON object with a line feed: counts, reasons that occurred, every rejection. O(rejections).
  ///
  /// - Parameter sequence: how far the journal was when all of it was durable.
  public func json(sequence: UInt64?) -> [UInt8] {
    let counts = rejectedByReason
    var object = JSONObject()
    object.putCounts(
      accepted: accepted, duplicates: duplicates, rejected: rejections.count,
      RejectionReason.allCases.map { ($0, counts[Int($0.rawValue)]) }.filter { $0.1 > 0 })
    object.put("rejections", rejections, Self.rejectionFields)
    object.put("sequence", count: sequence)
    return object.finished()
  }
}

extension JSONObject {
  /// The counts of a receipt, and the reasons that occurred.
  fileprivate mutating func putCounts(
    accepted: Int, duplicates: Int, rejected: Int, _ reasons: [(reason: RejectionReason, count: Int)]
  ) {
    for (name, count) in [("accepted", accepted), ("duplicates", duplicates), ("rejected", rejected)] {
      put(name, count: UInt64(count))
    }
    var counts = JSONObject()
    for (reason, count) in reasons { counts.put(reason.name, count: UInt64(count)) }
    put("rejected_by_reason", json: counts.finished())
  }
}
