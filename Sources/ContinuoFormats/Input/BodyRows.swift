// The rows of one batch that come in pieces, as a request's body does: split as the pieces come, judged at the end.
// Invariant: pieces of any size give the same rows as a file with the same bytes (InputFile).
// Not here: splitting (CSVParser, NDJSONParser), judging (EventBatch), where the pieces come from, how many bytes may come.

public import Continuo

/// Takes the pieces of a text and makes one batch of it.
///
///     var rows = try BodyRows(.ndjson, options)
///     for piece in pieces { try rows.append(piece.span) }
///     let batch = try rows.finish()
public struct BodyRows: Sendable {
  /// What a failure calls the text.
  private static let name = "request body"

  private let options: InputOptions
  private var rows = OfferedRows()
  private var position = 0
  private var csv: CSVParser?
  private var ndjson: NDJSONParser?
  private var hasBegun = false

  /// Begins. O(1).
  ///
  /// - Parameter options: of it `price`, `timeUnit`, `map` and `hasHeader` count.
  /// - Throws: ``InputFailure`` where a map does not fit the format.
  public init(_ format: InputFormat, _ options: InputOptions) throws(InputFailure) {
    self.options = options
    let map = options.map ?? FieldMap()
    switch format {
    case .csv: csv = CSVParser(CSVHeader(file: Self.name, map: map, hasHeader: options.hasHeader))
    case .ndjson: ndjson = try NDJSONParser(Self.name, map)
    }
    csv?.beginBatch(&rows)
    ndjson?.beginBatch(&rows)
  }

  /// How many rows there are so far.
  public var count: Int { rows.count }

  /// Whether there are more rows, or there is more text, than a batch may have: what comes behind is not looked at any more.
  public var isTooLarge: Bool { rows.count > Limits.batchRowsMax || !rows.hasRoom(.max, position) }

  /// Takes the next piece. O(bytes).
  ///
  /// - Throws: ``InputFailure`` where the header does not fit; what comes behind is not to be appended then.
  public mutating func append(_ piece: Span<UInt8>) throws(InputFailure) {
    guard !isTooLarge else { return }
    rows.text.bytes.reserveCapacity(rows.text.bytes.count + piece.count)
    for index in piece.indices { rows.text.bytes.append(piece[index]) }
    try parse(isLast: false)
  }

  /// Judges all rows. O(bytes).
  ///
  /// - Returns: the batch; one row too many is in it where there were more than it may have.
  /// - Throws: ``InputFailure`` where the header does not fit.
  public mutating func finish() throws(InputFailure) -> EventBatch {
    try parse(isLast: true)
    var batch = EventBatch(price: options.price, timeUnit: options.timeUnit)
    batch.judge(&rows)
    return batch
  }

  private mutating func parse(isLast: Bool) throws(InputFailure) {
    if !hasBegun {
      guard isLast || rows.text.bytes.count >= 3 else { return }
      hasBegun = true
      if rows.text.bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
    }
    let most = Limits.batchRowsMax + 1
    if csv != nil {
      position = csv?.parse(&rows, from: position, isLast: isLast, rowsMax: most) ?? position
      if let failure = csv?.failure { throw failure }
    } else {
      position = ndjson?.parse(&rows, from: position, isLast: isLast, rowsMax: most) ?? position
    }
    let isSkipping = csv?.progress.isSkipping ?? ndjson?.progress.isSkipping ?? false
    // Nothing is kept of a line that is too long.
    if isSkipping { rows.text.bytes.removeLast(rows.text.bytes.count - position) }
  }
}
