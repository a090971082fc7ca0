// Candles as they change, as server-sent events.
// Invariant: an event is the update of one candle, spelled as in the answers of candles; what a client is told as its last id
// is enough to go on from.
// Not here: which updates there are (Continuo's CandleFeed), sending them (StreamBody).
// Source: WHATWG HTML, "Server-sent events".

internal import Continuo
internal import ContinuoFormats

/// What follows on a connection.
struct StreamAnswer: Sendable {
  let subscription: CandleSubscription
  let times: TimeUnit?
  let quietSeconds: Int

  /// What comes first: how long to wait before connecting again, in milliseconds.
  static let opening = Array("retry: 1000\n\n".utf8)
  /// What says that the connection is there.
  static let pulse = Array(":\n\n".utf8)
  /// What comes last.
  static let bye = Array("event: bye\ndata: {}\n\n".utf8)

  /// Some updates as events. O(updates).
  func text(_ updates: [CandleUpdate]) -> [UInt8] {
    var text: [UInt8] = []
    text.reserveCapacity(updates.count * 400)
    var writer = ResultWriter(CandleRoutes.table.single, as: .json, times: times)
    for update in updates {
      var object = JSONObject()
      object.put("token", update.token)
      object.put("interval", ByteString(update.interval.rawValue))
      let event: String
      switch update.change {
      case .candle(let bar):
        event = "candle"
        writer.write(CandleAnswer(token: update.token, row: bar))
        object.put("candle", json: writer.bytes)
        writer.clear()
      case .deleted(let bucket):
        event = "candle"
        object.put("bucket", time: bucket, as: times)
        object.put("deleted", flag: true)
      case .reset(let from):
        event = "reset"
        object.put("from", time: from, as: times)
      }
      if let sequence = update.sequence { text.append(contentsOf: "id: \(sequence)\n".utf8) }
      text.append(contentsOf: "event: \(event)\ndata: ".utf8)
      // A line's end would end the field; within JSON none stands but between values.
      text.append(contentsOf: object.finished().lazy.filter { $0 != UInt8(ascii: "\n") })
      text.append(contentsOf: "\n\n".utf8)
    }
    return text
  }
}

enum StreamRoute {
  static let route = Route(
    "GET", "/v1/stream", .read,
    [
      Parameter("token", "A token; up to as many as the server follows.", .text, isRepeated: true, isRequired: true),
      Parameter(
        "interval", "How long buckets are; 1h unless it is given.", .choice(Interval.self), isRepeated: true),
      .time, Parameter(Access.queryToken, "The token of the server, for who cannot send a header.", .text),
    ], text: OpenAPI.streamText, .stream(open))

  private static func open(_ question: Question) throws -> StreamAnswer {
    let names = question.query.texts("token")
    guard !names.isEmpty else {
      throw Problem(.badParameter, "no token is given", remedy: "write token=ART, once for each token")
    }
    guard names.count <= question.limits.streamTokensMax else {
      throw Problem(
        .badParameter, "\(names.count) tokens are more than a stream follows",
        remedy: "name up to \(question.limits.streamTokensMax), and open another stream for more")
    }
    var intervals = try question.query.choices("interval", Interval.self)
    if intervals.isEmpty { intervals = [.oneHour] }
    let pairs = names.flatMap { name in intervals.map { CandlePair(ByteString(name), $0) } }
    // An id that is none of ours is one that is not known.
    let after = question.ask.lastEventID.flatMap { $0.isEmpty ? nil : $0 }.map { UInt64($0) ?? .max }
    return StreamAnswer(
      subscription: try question.market.opened().feed.subscribe(pairs, after: after), times: question.times,
      quietSeconds: question.limits.streamQuietSeconds)
  }
}
