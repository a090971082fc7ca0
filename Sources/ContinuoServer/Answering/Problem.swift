// What an answer that is none says: a code for programs, what happened and what to do for people (RFC 9457).
// Invariant: every code there is stands here, with its status.
// Not here: when each is thrown.
// Rules 11.1.

package import Continuo
internal import ContinuoFormats
package import ContinuoStorage

/// Why a request is not answered.
public struct Problem: Error, Equatable, Sendable {
  /// What it is.
  public enum Code: String, CaseIterable, Sendable {
    case badParameter = "bad_parameter"
    case badBody = "bad_body"
    case unauthorized
    case forbiddenOrigin = "forbidden_origin"
    case forbidden
    case unknownToken = "unknown_token"
    case notFound = "not_found"
    case methodNotAllowed = "method_not_allowed"
    case requestTimeout = "request_timeout"
    case beyondRetention = "beyond_retention"
    case sourceOwned = "source_owned"
    case outsideRetention = "outside_retention"
    case tooLarge = "too_large"
    case unsupportedMediaType = "unsupported_media_type"
    case memoryLimit = "memory_limit"
    case storageFailed = "storage_failed"
    case restoring
    case damaged

    /// The status of its answer.
    public var status: Int {
      switch self {
      case .badParameter, .badBody: 400
      case .unauthorized: 401
      case .forbiddenOrigin, .forbidden: 403
      case .unknownToken, .notFound: 404
      case .methodNotAllowed: 405
      case .requestTimeout: 408
      case .beyondRetention, .sourceOwned: 409
      case .outsideRetention: 410
      case .tooLarge: 413
      case .unsupportedMediaType: 415
      case .damaged: 500
      case .memoryLimit, .storageFailed, .restoring: 503
      }
    }

    /// Whether it is about what was asked, and not about who may ask, or where.
    var isOfQuestion: Bool {
      switch self {
      case .unauthorized, .forbidden, .forbiddenOrigin, .notFound, .methodNotAllowed: false
      default: true
      }
    }

    /// What it is, in a few words.
    var title: String { rawValue.replacing("_", with: " ") }

    /// After how many seconds it is worth another try.
    var retrySeconds: Int? {
      switch self {
      case .restoring, .memoryLimit: 1
      case .storageFailed: 30
      default: nil
      }
    }
  }

  /// What it is.
  public let code: Code
  /// What was found where.
  public let detail: String
  /// What to do next.
  public let remedy: String
  /// The methods that there are, of one that is not allowed.
  var allowed: [String] = []
  /// Whether more of the body may come that nobody is going to read.
  var leavesBody = false

  init(_ code: Code, _ detail: String, remedy: String) {
    self.code = code
    self.detail = detail
    self.remedy = remedy
  }

  package init(_ refusal: Refusal) {
    switch refusal {
    case .batchTooLarge(let rows): self = .tooManyRows(rows)
    case .tooManyTokens:
      self.init(.tooLarge, "more than \(Limits.tokensMax) tokens", remedy: "send the events of fewer tokens here")
    case .tooManyAddresses:
      self.init(
        .tooLarge, "more than \(Limits.addressesMax) addresses", remedy: "send the events of fewer wallets here")
    case .positionGoesBack, .tooManySources:
      self.init(.badParameter, "the position of a source was refused", remedy: "go on behind its position")
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

  package init(_ failure: StorageFailure) {
    let code: Code
    switch failure {
    case .damaged, .damageFound, .damagedBehind, .unfinishedCopy: code = .damaged
    case .otherPrice, .badTarget: code = .badParameter
    default: code = .storageFailed
    }
    self.init(code, Visible.text(failure.what), remedy: Visible.text(failure.remedy))
  }

  /// Whatever else a route throws.
  init(_ error: any Error) {
    switch error {
    case let problem as Problem: self = problem
    case let refusal as Refusal: self.init(refusal)
    case let failure as StorageFailure: self.init(failure)
    case let failure as InputFailure:
      self.init(
        .badBody, Visible.text(failure.what),
        remedy: "name the fields as docs/http.md does, one event a line; nothing of this request was taken")
    default:
      self.init(
        .storageFailed, "the request was not carried out", remedy: "try again; if that fails too, restart the server")
    }
  }

  static func tooManyRows(_ rows: Int) -> Problem {
    Problem(
      .tooLarge,
      "a batch of more than \(Limits.batchRowsMax) rows, or of more than \(Limits.batchBytesMax >> 20) MiB of text",
      remedy: "send it in parts")
  }

  static func unknownToken(_ name: ByteString) -> Problem {
    Problem(
      .unknownToken, "no event of token '\(Shown.value(name.description))'",
      remedy: "names count byte by byte; GET /v1/tokens?q=PART finds some")
  }

  /// The answer that says it. O(length).
  var answer: Answer {
    var object = JSONObject()
    object.put("type", "about:blank")
    object.put("title", ByteString(code.title))
    object.put("status", count: UInt64(code.status))
    object.put("detail", ByteString(detail))
    object.put("code", ByteString(code.rawValue))
    object.put("remedy", ByteString(remedy))
    var answer = Answer(status: code.status, type: "application/problem+json", object.finished())
    if code == .unauthorized { answer.headers.append(("WWW-Authenticate", "Bearer realm=\"continuo\"")) }
    if !allowed.isEmpty { answer.headers.append(("Allow", allowed.joined(separator: ", "))) }
    if let seconds = code.retrySeconds { answer.headers.append(("Retry-After", String(seconds))) }
    answer.closes = leavesBody
    return answer
  }
}
