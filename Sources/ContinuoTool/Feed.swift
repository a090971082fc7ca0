// Files, batch by batch, into whatever takes batches, with an account of what became of the rows.
// Invariant: files come in the order given, batches in the order of their rows; every failure is one line.
// Not here: parsing (ContinuoFormats), judging (Continuo), what takes the batches (Replay, Ingest).

internal import Continuo
internal import ContinuoFormats
internal import ContinuoStorage
internal import FoundationEssentials

struct Feed {
  var report = IngestReport()
  private var warnings: [String] = []
  private var hint: TimeHint

  init(_ reading: ReadingOptions) { hint = TimeHint(unit: reading.timeUnit, now: Self.wallClock) }

  /// Hands every batch of some files to `take`, in order.
  mutating func run(
    _ files: [String], _ reading: ReadingOptions, _ console: Console, _ take: (EventBatch) throws -> Receipt
  ) throws {
    let options = try reading.inputOptions()
    var progress = Progress(console)
    defer { progress.finish() }
    for (index, path) in files.enumerated() {
      do {
        try run(path, options, &progress, file: index + 1, of: files.count, take)
      } catch let failure as InputFailure {
        throw Failure(failure)
      } catch let refusal as Refusal {
        throw Failure(refusal)
      } catch let failure as StorageFailure {
        throw Failure(failure)
      }
    }
  }

  private mutating func run(
    _ path: String, _ options: InputOptions, _ progress: inout Progress, file: Int, of files: Int,
    _ take: (EventBatch) throws -> Receipt
  ) throws {
    var input = try ReadAhead(path: path, options: options)
    var batch = EventBatch(price: options.price, timeUnit: options.timeUnit)
    while try input.nextBatch(into: &batch) {
      note(try take(batch), file: path)
      progress.update(
        file: file, of: files, bytes: input.bytesRead, total: input.bytesTotal, rows: report.rows)
    }
    note(warnings: input.takeWarnings())
  }

  /// Adds what became of a batch of a file.
  mutating func note(_ receipt: Receipt, file: String) {
    report.add(receipt, file: file)
    hint.look(receipt)
  }

  /// Adds what a file's reader warns of.
  mutating func note(warnings: [String]) { self.warnings += warnings.map { Visible.text($0) } }

  static var wallClock: Timestamp {
    Timestamp(microseconds: Int64((Date().timeIntervalSince1970 * 1_000_000).rounded(.down)))
  }

  // MARK: what is said

  /// Warnings of the files, and the hint about the unit of time.
  ///
  /// - Parameter first: the smallest timestamp that is held, where it is needed.
  func noteWarnings(newest: Timestamp?, first: () -> Timestamp?, _ console: Console) {
    for warning in warnings { console.note("continuo: \(warning)") }
    if let line = hint.line(newest: newest, first: first) { console.note("continuo: \(line)") }
  }

  /// A read command's summary: how many rows were rejected, for which reasons, and the first of them.
  func noteRejections(_ console: Console) {
    guard report.rejected > 0 else { return }
    noteCounts(console)
    for entry in report.rejections.prefix(Self.rejectionsShownMax) { console.note("  \(Self.line(entry))") }
    if report.rejected > Self.rejectionsShownMax {
      console.note("  … 'continuo ingest' lists the first \(Limits.rejectionsListedMax)")
    }
  }

  /// How many rows were rejected, for which reasons.
  func noteCounts(_ console: Console) {
    let counts = report.reasons.map { "\($0.reason.name) \($0.count)" }.joined(separator: ", ")
    console.note("continuo: \(report.rejected) of \(report.rows) rows rejected: \(counts)")
  }

  private static let rejectionsShownMax = 5

  /// One rejection: where, why, which field, what it held.
  static func line(_ entry: IngestReport.FileRejection) -> String {
    let rejection = entry.rejection
    let place = "\(Visible.text(entry.file)):\(rejection.line): \(rejection.reason.name)"
    switch (rejection.field, rejection.value.bytes.isEmpty) {
    case (let field?, true): return "\(place): \(field.name)"
    case (let field?, false): return "\(place): \(field.name) '\(Visible.text(rejection.value))'"
    case (nil, true): return place
    case (nil, false): return "\(place): '\(Visible.text(rejection.value))'"
    }
  }
}

/// Whether the times of all rows are so odd that their unit is likely another one than declared.
private struct TimeHint {
  private static let year2000 = Timestamp(microseconds: 946_684_800_000_000)

  let unit: TimeUnit
  let now: Timestamp
  /// Rows rejected because their time lies after now, or after the last year there is.
  private var rejectedAfterNow = 0
  /// Rows rejected for another reason, or for a time that is none: they may lie anywhere.
  private var rejectedElsewhere = 0

  init(unit: TimeUnit, now: Timestamp) {
    self.unit = unit
    self.now = now
  }

  mutating func look(_ receipt: Receipt) {
    for rejection in receipt.rejections {
      let value = rejection.value.bytes
      switch rejection.reason {
      case .inFuture: rejectedAfterNow += 1
      case .badTime where !value.isEmpty && value.allSatisfy({ $0 &- 48 < 10 }): rejectedAfterNow += 1
      default: rejectedElsewhere += 1
      }
    }
  }

  /// The hint, nil where a row may lie between 2000 and now, or there is none.
  func line(newest: Timestamp?, first: () -> Timestamp?) -> String? {
    guard newest != nil || rejectedAfterNow > 0, newest != nil || rejectedElsewhere == 0 else { return nil }
    let isOld = newest.map { $0 < Self.year2000 } ?? true
    let isFuture = newest.map { $0 > now } != false && first().map { $0 > now } != false
    let span: String
    if let newest, isOld, rejectedAfterNow == 0 {
      span = "before 2000 (the newest at \(newest))"
    } else if newest != nil, isOld {
      span = "before 2000 or after now"
    } else if isFuture {
      span = "after now" + (first().map { " (the first at \($0))" } ?? "")
    } else {
      return nil
    }
    return
      "all rows lie \(span): is the unit of their times another one than \(unit.rawValue)? See --time-unit s|ms|us|ns"
  }
}
