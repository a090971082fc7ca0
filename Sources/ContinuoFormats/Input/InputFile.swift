// One input file, batch after batch: opened, decompressed, split into rows, judged.
// Invariant: a batch never spans files; batches of any size and blocks of any size give the same rows; memory stays within
// two batches of text. What was read before a failure is handed out before the failure.
// Not here: splitting rows (CSVParser, NDJSONParser), judging them (EventBatch), several files (who calls).
// Rules 10.2.

public import Continuo
internal import ContinuoBytes

/// A file of events, read batch by batch.
///
///     var file = try InputFile(path: "trades.csv.gz", options: InputOptions())
///     var batch = EventBatch()
///     while try file.nextBatch(into: &batch) { try engine.apply(batch, wallClock: nil) }
///
/// CSV and NDJSON, by suffix (`.csv`, `.ndjson`, `.jsonl`, with `.gz` or `.lz4` behind) or by ``InputOptions/format``;
/// `-` is standard input, whose compression and format are told by its first bytes.
public struct InputFile: ~Copyable {
  /// The path as it was given.
  public let path: String

  private var reader: ByteReader
  private let options: InputOptions
  private let kind: FileKind
  private let blockBytes: Int
  private let batchRows: Int
  /// The rows of the batch in the making. Its text is the input buffer: what a batch has not used moves to the next.
  private var rows = OfferedRows()
  private var position = 0
  private var rest: [UInt8] = []
  private var csv: CSVParser?
  private var ndjson: NDJSONParser?
  private var hasEnded = false
  private var rowsRead = 0
  private var failure: InputFailure?

  /// Opens a file. O(1), but on standard input waits for its first bytes.
  ///
  /// - Parameter path: the file, `-` for standard input.
  /// - Throws: ``InputFailure`` where it cannot be opened, or its suffix says nothing and `options` neither.
  public init(path: String, options: InputOptions) throws(InputFailure) {
    try self.init(path: path, options: options, blockBytes: Limits.inputBlockBytes)
  }

  /// Opens a file that is read in blocks of `blockBytes`.
  package init(path: String, options: InputOptions, blockBytes: Int) throws(InputFailure) {
    let kind = path == "-" ? FileKind(path: "") : FileKind(path: path)
    if path != "-" { try Self.checkSuffix(path, kind, options) }
    let reader: ByteReader
    if path == "-" {
      reader = ByteReader(.standardInput, compression: nil, blockBytes: blockBytes)
    } else {
      let compression: Compression = kind.isGzip ? .gzip : kind.isLZ4 ? .lz4 : .none
      do throws(DescriptorFailure) {
        let file = try DescriptorHandle(reading: path)
        reader = ByteReader(file, compression: compression, blockBytes: blockBytes)
      } catch {
        throw InputFailure.cannotOpen(path, error)
      }
    }
    self.init(path, reader, kind, options, blockBytes)
  }

  /// Reads from memory what a file of that name would hold; without a suffix, what standard input would.
  package init(bytes: [UInt8], name: String, options: InputOptions, blockBytes: Int) throws(InputFailure) {
    let kind = name == "-" ? FileKind(path: "") : FileKind(path: name)
    if name != "-" { try Self.checkSuffix(name, kind, options) }
    let compression: Compression? = name == "-" ? nil : kind.isGzip ? .gzip : kind.isLZ4 ? .lz4 : Compression.none
    self.init(
      name, ByteReader(bytes: bytes, compression: compression, blockBytes: blockBytes), kind, options, blockBytes)
  }

  private init(
    _ path: String, _ reader: consuming ByteReader, _ kind: FileKind, _ options: InputOptions, _ blockBytes: Int
  ) {
    self.path = path
    self.reader = reader
    self.kind = kind
    self.options = options
    batchRows = min(max(1, options.batchRows), Limits.batchRowsMax)
    // Small batches read less at once: what one does not use is moved to the next.
    self.blockBytes = max(1, min(blockBytes, max(4096, batchRows * 64)))
  }

  private static func checkSuffix(_ path: String, _ kind: FileKind, _ options: InputOptions) throws(InputFailure) {
    guard kind.format == nil, options.format == nil else { return }
    if path.lowercased().hasSuffix(".zip") {
      throw InputFailure(
        path, "a .zip archive is not read directly",
        remedy: "unpack it, or use: unzip -p FILE.zip | continuo … - (with --input-format csv)")
    }
    throw InputFailure(
      path, "the suffix is none of .csv, .ndjson, .jsonl (with .gz or .lz4 behind)",
      remedy: "say --input-format csv or --input-format ndjson")
  }

  /// How many bytes were read so far, compressed ones of a compressed file: for progress.
  public var bytesRead: Int64 { reader.bytesRead }
  /// How long the file is in bytes, nil where that is not known (standard input, a pipe).
  public var bytesTotal: Int64? { reader.bytesTotal }

  /// What the user should be told since the last call: unknown columns and keys, each once. O(warnings).
  public mutating func takeWarnings() -> [String] {
    let warnings = (csv?.warnings ?? []) + (ndjson?.warnings ?? [])
    csv?.warnings = []
    ndjson?.warnings = []
    return warnings
  }

  /// Reads the next rows and judges them into `batch`, which is emptied first. O(bytes).
  ///
  /// The batch has ``InputOptions/batchRows`` rows, fewer only at the end of the file, before a failure, or where their
  /// text passes ``Limits/batchBytesMax``.
  ///
  /// - Parameter batch: gets the options' price mode and time unit.
  /// - Returns: false at the end of the file; the batch is empty then.
  /// - Throws: ``InputFailure``, after the rows before it were handed out; and again on every later call.
  public mutating func nextBatch(into batch: inout EventBatch) throws(InputFailure) -> Bool {
    if batch.price != options.price || batch.timeUnit != options.timeUnit {
      batch = EventBatch(price: options.price, timeUnit: options.timeUnit)
    } else {
      batch.removeAll()
    }
    guard try gatherNext() else { return false }
    batch.judge(&rows)
    rows.text.bytes.append(contentsOf: rest)
    return true
  }

  /// Reads the next rows and lends them as they stand: a batch that is not judged.
  ///
  /// - Returns: false at the end of the file.
  /// - Throws: as ``nextBatch(into:)`` does.
  package mutating func nextRows(_ use: (borrowing OfferedRows) -> Void) throws(InputFailure) -> Bool {
    guard try gatherNext() else { return false }
    use(rows)
    rows.removeAll()
    rows.text.scratch.removeAll(keepingCapacity: true)
    rows.text.bytes.removeAll(keepingCapacity: true)
    rows.text.bytes.append(contentsOf: rest)
    return true
  }

  /// Fills `rows` with the next ones, and `rest` with the text behind them; false at the end of the file.
  private mutating func gatherNext() throws(InputFailure) -> Bool {
    if let failure { throw failure }
    do throws(InputFailure) {
      try gather()
    } catch {
      failure = error
      guard rows.count > 0 else { throw error }
    }
    guard rows.count > 0 else { return false }
    rowsRead += rows.count
    rest.removeAll(keepingCapacity: true)
    rest.append(contentsOf: rows.text.bytes[position...])
    position = 0
    return true
  }

  /// Fills `rows` with the rows of one batch, or with those up to the end.
  private mutating func gather() throws(InputFailure) {
    if csv == nil, ndjson == nil, try !start() { return }
    csv?.beginBatch(&rows)
    ndjson?.beginBatch(&rows)
    while true {
      let isSkipping = parse()
      if let failure = csv?.failure { throw failure }
      // Also before a batch ends: what the next one gets would be searched for the line's end again.
      if isSkipping { rows.text.bytes.removeLast(rows.text.bytes.count - position) }
      guard rows.count < batchRows else { return }
      if rows.count > 0, position + rows.text.scratch.count >= Limits.batchBytesMax { return }
      guard !hasEnded else { return }
      forgetBlankLines()
      try readMore()
    }
  }

  /// Parses what is there; answers whether the rest of a line is being passed over.
  private mutating func parse() -> Bool {
    if csv != nil {
      position = csv?.parse(&rows, from: position, isLast: hasEnded, rowsMax: batchRows) ?? position
      return csv?.progress.isSkipping ?? false
    }
    position = ndjson?.parse(&rows, from: position, isLast: hasEnded, rowsMax: batchRows) ?? position
    return ndjson?.progress.isSkipping ?? false
  }

  /// Where a batch has no row yet, no cell points into the text that was read.
  private mutating func forgetBlankLines() {
    guard rows.count == 0, position >= blockBytes else { return }
    rows.text.bytes.removeFirst(position)
    position = 0
  }

  /// Appends a block, or more where a long row is waiting for its end (so that such a row is not looked at each time).
  private mutating func readMore() throws(InputFailure) {
    let waiting = rows.text.bytes.count - position
    let wanted = rows.text.bytes.count + (waiting < 4096 ? 1 : waiting)
    do throws(ReadFailure) {
      while rows.text.bytes.count < wanted, !hasEnded {
        hasEnded = try reader.read(into: &rows.text.bytes, atMost: blockBytes) == 0
      }
    } catch {
      throw InputFailure.reading(path, error, rowsBefore: rowsRead + rows.count)
    }
  }

  // MARK: the start of a file

  /// Looks at the first bytes and makes the parser; false for a file without any.
  private mutating func start() throws(InputFailure) -> Bool {
    while rows.text.bytes.count < 4, !hasEnded { try readMore() }
    if path != "-", reader.compression == .none { try refuseCompressed() }
    if rows.text.bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
    var known = options.format ?? kind.format
    if known == nil { known = try sniffed() }
    guard let format = known else { return false }
    let map = options.map ?? FieldMap()
    switch format {
    case .csv: csv = CSVParser(CSVHeader(file: path, map: map, hasHeader: options.hasHeader))
    case .ndjson: ndjson = try NDJSONParser(path, map)
    }
    return true
  }

  /// The format that standard input's first byte that is not blank tells; nil where there is none.
  private mutating func sniffed() throws(InputFailure) -> InputFormat? {
    var index = position
    while true {
      if index == rows.text.bytes.count {
        guard !hasEnded else { return nil }
        guard index < Limits.lineBytesMax else { return .csv }
        try readMore()
        continue
      }
      let byte = rows.text.bytes[index]
      guard [UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n")].contains(byte) else {
        return byte == UInt8(ascii: "{") ? .ndjson : .csv
      }
      index += 1
    }
  }

  private func refuseCompressed() throws(InputFailure) {
    let compression = Compression.recognised(rows.text.bytes.span)
    guard compression != .none else { return }
    throw InputFailure(
      path, "the file is \(compression.rawValue) data, but its suffix does not say so",
      remedy: "rename it to end in \(compression == .gzip ? ".gz" : ".lz4"), or give it to standard input (-)")
  }
}
