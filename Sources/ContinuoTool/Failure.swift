// What a command fails with: a code for programs, what happened and what to do for people, on one line.
// Invariant: a text that came from outside is escaped in the line.
// Not here: usage errors (the parser's), exit statuses (Invocation).

internal import Continuo
internal import ContinuoBytes
internal import ContinuoFormats
internal import ContinuoStorage

struct Failure: Error {
  enum Code: String {
    case unknownToken = "unknown_token"
    case outsideRetention = "outside_retention"
    case beyondRetention = "beyond_retention"
    case notFound = "not_found"
    case badBody = "bad_body"
    case tooLarge = "too_large"
    case rejected
    case storageFailed = "storage_failed"
    case damaged
    case badParameter = "bad_parameter"
    case locked
    case newerFormat = "newer_format"
    case notConfirmed = "not_confirmed"
    case cannotListen = "cannot_listen"
    // What a server says, or is said of one.
    case unauthorized
    case forbidden
    case forbiddenOrigin = "forbidden_origin"
    case methodNotAllowed = "method_not_allowed"
    case requestTimeout = "request_timeout"
    case sourceOwned = "source_owned"
    case unsupportedMediaType = "unsupported_media_type"
    case rateLimited = "rate_limited"
    case memoryLimit = "memory_limit"
    case restoring
    case unreachable
    case badAnswer = "bad_answer"
    case notReady = "not_ready"
    case database
    case drift
  }

  let code: Code
  let what: String
  let remedy: String

  /// The one line on stderr.
  var line: String { "continuo: \(code.rawValue): \(what); \(remedy)" }

  init(_ code: Code, _ what: String, remedy: String) {
    self.code = code
    self.what = what
    self.remedy = remedy
  }

  init(_ refusal: Refusal) {
    switch refusal {
    case .batchTooLarge(let rows):
      self.init(.tooLarge, "a batch of \(rows) rows", remedy: "lower --batch-size to \(Limits.batchRowsMax) or less")
    case .tooManyTokens:
      self.init(
        .tooLarge, "more than \(Limits.tokensMax) tokens", remedy: "split the input by token and ask each part")
    case .tooManyAddresses:
      self.init(
        .tooLarge, "more than \(Limits.addressesMax) addresses", remedy: "split the input by token and ask each part")
    case .positionGoesBack(let source, let offered, let applied):
      self.init(
        .badParameter,
        "source \(Visible.text(source.description)) is at \(applied) already, and a batch of it says \(offered)",
        remedy: "go on behind its position, or give what begins anew another name")
    case .tooManySources:
      self.init(
        .tooLarge, "more than \(Limits.sourcesMax) sources", remedy: "give inputs that follow each other one name")
    case .beyondRetention(let chain, let block, let dropped):
      self.init(
        .beyondRetention, "chain \(chain) cannot go back to block \(block): block \(dropped) was dropped already",
        remedy: "roll back to block \(dropped) or later, or ingest again from the start")
    case .outsideRetention(let asked, let horizon):
      self.init(
        .outsideRetention, "\(asked) needs events from before the horizon \(horizon)",
        remedy: "ask for a later instant, or keep more with --retention")
    }
  }

  init(_ failure: StorageFailure) {
    let code: Code
    switch failure {
    case .missing: code = .notFound
    case .locked, .beingRead: code = .locked
    case .damaged, .damageFound, .damagedBehind, .unfinishedCopy: code = .damaged
    case .newer: code = .newerFormat
    case .otherPrice, .badTarget: code = .badParameter
    case .disk, .noRoom, .journalTooLong, .poisoned, .badCopy: code = .storageFailed
    }
    self.init(code, Visible.text(failure.what), remedy: Visible.text(failure.remedy))
  }

  init(_ failure: InputFailure) {
    self.init(
      failure.isMissing ? .notFound : .badBody, Visible.text(failure.what), remedy: Visible.text(failure.remedy))
  }
}
