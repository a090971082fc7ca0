// An answer before it is put on the wire: status, headers, and a body that is whole.
// Invariant: a body that is compressed inflates to the one that was made.
// Not here: what it says (Routes), sending it (HTTPFront).
// Rules 11.2.

internal import ContinuoBytes

/// An answer.
public struct Answer: Sendable {
  /// The status.
  public var status = 200
  /// The type of the body; nil without one.
  public var type: String?
  /// Further headers.
  public var headers: [(name: String, value: String)] = []
  /// What a page may do, where that is not what every answer says.
  public var policy: String?
  /// The body.
  public var body: [UInt8]
  /// What follows as it comes, in place of a body.
  var stream: StreamAnswer?
  /// Whether the connection is closed behind it.
  public var closes = false

  init(status: Int = 200, type: String?, _ body: [UInt8]) {
    self.status = status
    self.type = type
    self.body = body
  }

  /// JSON. O(1).
  static func json(_ body: [UInt8], tag: String? = nil) -> Answer {
    var answer = Answer(type: "application/json", body)
    if let tag { answer.headers.append(("ETag", tag)) }
    return answer
  }

  /// CSV. O(1).
  static func csv(_ body: [UInt8], tag: String? = nil) -> Answer {
    var answer = Answer(type: "text/csv; charset=utf-8", body)
    if let tag { answer.headers.append(("ETag", tag)) }
    return answer
  }

  /// Events, one after the other; nil: the head alone. O(1).
  static func stream(_ stream: StreamAnswer?) -> Answer {
    var answer = Answer(type: "text/event-stream", [])
    // What stands between here and the browser is not to keep anything back.
    answer.headers.append(("X-Accel-Buffering", "no"))
    answer.stream = stream
    return answer
  }

  /// What who asks has is what there is. O(1).
  static func notModified(_ tag: String) -> Answer {
    var answer = Answer(status: 304, type: nil, [])
    answer.headers.append(("ETag", tag))
    return answer
  }

  /// A body that is shorter is not worth compressing.
  private static let compressedBytesMin = 1024

  /// Whether compressing it takes longer than the way to another thread and back: some 6 µs a kilobyte, 0.3 ms of 168 candles.
  var isLongToCompress: Bool { status == 200 && body.count >= 8 << 10 }

  /// Compresses the body, where that may be and makes it shorter. O(bytes).
  mutating func compress() {
    guard body.count >= Self.compressedBytesMin, let packed = DeflateHandle.gzip(body.span), packed.count < body.count
    else { return }
    body = packed
    headers.append(("Content-Encoding", "gzip"))
  }
}
