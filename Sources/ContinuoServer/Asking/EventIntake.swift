// A body of events on its way into a batch: inflated as it comes, checked to be UTF-8, split into rows.
// Invariant: nothing is taken before all of it was there; at no time is more of it held than the limits say.
// Not here: splitting and judging (ContinuoFormats, Continuo), where the pieces come from (HTTPFront).

internal import Continuo
internal import ContinuoBytes
internal import ContinuoFormats
internal import Synchronization

/// An intake that one thread after another puts pieces into.
final class SharedIntake: Sendable {
  private let intake: Mutex<EventIntake>

  init(_ intake: consuming sending EventIntake) { self.intake = Mutex(intake) }

  /// Takes the next piece. O(bytes, inflated ones).
  func take(_ piece: [UInt8]) throws(Problem) {
    try intake.withLock { (intake) throws(Problem) in try intake.take(piece) }
  }

  /// The batch. O(bytes).
  func finish() throws(Problem) -> sending EventBatch {
    try intake.withLock { (intake) throws(Problem) in try intake.finish() }
  }
}

struct EventIntake: ~Copyable {
  /// How much is inflated at once, in bytes.
  private static let stepBytes = 1 << 16
  /// Under so many bytes a body may grow by any factor.
  private static let ratioFreeBytes = 1 << 20

  private let limits: ServerLimits
  private var rows: BodyRows
  private var text = UTF8Pieces()
  private var gzip: InflateHandle?
  /// Whether a gzip member has begun and is not complete.
  private var isInside = false
  private var bytesCome = 0
  private var bytesInflated = 0
  private var held: HeldBytes

  /// Looks at what a request says of its body.
  init(_ question: Question, price: PriceMode) throws(Problem) {
    let rows = try Self.rows(question, price)
    let isGzip = try Self.isGzip(question.ask)
    let limits = question.limits
    if let length = question.ask.contentLength, length > limits.bodyBytesMax { throw Self.tooLarge(limits) }
    (self.rows, self.limits) = (rows, limits)
    held = HeldBytes(question.market.metrics, limits)
    gzip = isGzip ? InflateHandle() : nil
  }

  private static func rows(_ question: Question, _ price: PriceMode) throws(Problem) -> BodyRows {
    var options = InputOptions()
    options.price = price
    options.timeUnit = try question.query.choice("time_unit", TimeUnit.self) ?? .microseconds
    let format: InputFormat
    switch question.ask.bodyType {
    case "text/csv": format = .csv
    case "application/x-ndjson", "application/ndjson", "application/jsonl": format = .ndjson
    default:
      throw Problem(
        .unsupportedMediaType, "'\(Shown.value(question.ask.contentType ?? ""))' is no type of events",
        remedy: "send Content-Type: application/x-ndjson, or text/csv")
    }
    do throws(InputFailure) { return try BodyRows(format, options) } catch { throw Problem(error) }
  }

  private static func isGzip(_ ask: Ask) throws(Problem) -> Bool {
    switch ask.contentEncoding?.lowercased() {
    case nil, "", "identity": return false
    case "gzip", "x-gzip": return true
    case let other?:
      throw Problem(
        .unsupportedMediaType, "'\(Shown.value(other))' is no encoding of a body",
        remedy: "send it as it is, or as gzip")
    }
  }

  private static func tooLarge(_ limits: ServerLimits) -> Problem {
    Problem(
      .tooLarge,
      "the body is over \(limits.bodyBytesMax >> 20) MiB as it comes, or \(limits.inflatedBytesMax >> 20) MiB inflated",
      remedy: "send it in parts")
  }

  /// Takes the next piece. O(bytes, inflated ones).
  mutating func take(_ piece: [UInt8]) throws(Problem) {
    bytesCome += piece.count
    guard bytesCome <= limits.bodyBytesMax else { throw Self.tooLarge(limits) }
    guard gzip != nil else { return try takePlain(piece.span) }
    var used = 0
    var inflated: [UInt8] = []
    // Once more where a step filled its room: more of the same input may come.
    while used < piece.count || isInside && inflated.count == Self.stepBytes {
      inflated.removeAll(keepingCapacity: true)
      let rest = piece.span.extracting(used..<piece.count)
      guard let step = gzip?.step(rest, into: &inflated, atMost: Self.stepBytes) else { return }
      used += step.used
      bytesInflated += inflated.count
      guard bytesInflated <= max(Self.ratioFreeBytes, bytesCome * limits.inflateRatioMax) else {
        throw Problem(
          .tooLarge, "the body grows by more than \(limits.inflateRatioMax) where it is inflated",
          remedy: "send events; what repeats itself that much is none")
      }
      try takePlain(inflated.span)
      switch step.outcome {
      case .running: isInside = isInside || step.used > 0
      case .ended:
        isInside = false
        gzip?.reset()
      case .damaged(let what):
        throw Problem(.badBody, "the body is not gzip: \(what)", remedy: "compress it again; nothing was taken")
      }
      if step.used == 0, inflated.isEmpty { return }
    }
  }

  private mutating func takePlain(_ piece: Span<UInt8>) throws(Problem) {
    guard piece.count > 0 else { return }
    try held.add(piece.count)
    guard held.count <= limits.inflatedBytesMax else { throw Self.tooLarge(limits) }
    guard text.take(piece) else { throw notUTF8 }
    do throws(InputFailure) { try rows.append(piece) } catch { throw Problem(error) }
    guard !rows.isTooLarge else { throw .tooManyRows(rows.count) }
  }

  private var notUTF8: Problem {
    Problem(.badBody, "the body is not UTF-8", remedy: "send it as UTF-8; nothing was taken")
  }

  /// The batch. O(bytes).
  mutating func finish() throws(Problem) -> EventBatch {
    guard !isInside, gzip == nil || bytesCome > 0 else {
      throw Problem(.badBody, "the body's gzip ends in the middle", remedy: "send it whole; nothing was taken")
    }
    guard text.isWhole else { throw notUTF8 }
    do throws(InputFailure) { return try rows.finish() } catch { throw Problem(error) }
  }
}
