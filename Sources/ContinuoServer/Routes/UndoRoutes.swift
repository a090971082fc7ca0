// Events taken back: a chain down to a block, or single ones.
// Invariant: a request is one step of the journal, whole or not at all, and durable before it is answered.
// Not here: undoing (Continuo), keeping (ContinuoStorage).

internal import Continuo
internal import ContinuoFormats
internal import ContinuoStorage

enum UndoRoutes {
  private struct RollbackBody: JSONWanted {
    static let keys = ["block"]
    static let example = "{\"block\": 1000}: the last block that stands"
    let block: UInt64
  }

  static let rollbackSchema = Schema.object([Schema.Field("block", .count(0...UInt64.max))])

  static func rollback(_ question: Question, _ body: [UInt8]) throws -> Answer {
    let text = question.names.first?.description ?? ""
    guard text.utf8.allSatisfy({ $0 &- 48 < 10 }), let chain = UInt32(text) else {
      throw Query.bad(text, "the chain", "a whole number from 0 to \(UInt32.max)")
    }
    let wanted = try JSONBody.decode(body, RollbackBody.self, depthMax: question.limits.jsonDepthMax)
    let (undone, sequence) = try question.audited(.rollback(chain: chain, block: wanted.block)) {
      try question.market.rollback(chain: chain, above: wanted.block)
    } figures: {
      ($0.undone, $0.sequence)
    }
    var writer = ResultWriter(ResultTable.rollback, as: .json)
    writer.write(RollbackAnswer(chain: chain, block: wanted.block, undone: undone))
    var object = JSONObject(extending: writer.bytes)
    object.put("sequence", count: sequence)
    return .json(object.finished())
  }

  private struct RetractBody: JSONWanted {
    static let keys = ["events"]
    static let example =
      "{\"events\": [{\"kind\": \"swap\", \"chain\": 4, \"block\": 200, \"log_index\": 0}]}; chain and log_index are 0 where absent"

    struct Identity: JSONWanted {
      static let keys = ["kind", "chain", "block", "log_index"]
      static let example = RetractBody.example

      let kind: String
      let chain: UInt32?
      let block: UInt64
      let logIndex: UInt32?

      enum CodingKeys: String, CodingKey {
        case kind, chain, block
        case logIndex = "log_index"
      }
    }

    let events: [JSONBody.Strict<Identity>]
  }

  static let retractSchema = Schema.object([
    Schema.Field(
      "events",
      .list(
        .object([
          Schema.Field("kind", .choice(EventKind.allCases.map(\.name))),
          Schema.Field("chain", .count(0...UInt64(UInt32.max), orNull: true), isRequired: false),
          Schema.Field("block", .count(0...UInt64.max)),
          Schema.Field("log_index", .count(0...UInt64(UInt32.max), orNull: true), isRequired: false),
        ])))
  ])

  static func retract(_ question: Question, _ body: [UInt8]) throws -> Answer {
    let wanted = try JSONBody.decode(body, RetractBody.self, depthMax: question.limits.jsonDepthMax)
    guard wanted.events.count <= Limits.batchRowsMax else { throw Problem.tooManyRows(wanted.events.count) }
    let price = try question.market.opened().ledger.price
    var batch = EventBatch(price: price)
    var identities: [EventIdentity] = []
    for wanted in wanted.events {
      let event = try wanted.value()
      guard let kind = EventKind.allCases.first(where: { $0.name == event.kind }) else {
        throw Problem(
          .badBody, "'\(Shown.value(event.kind))' is no kind of event", remedy: "send \(RetractBody.example)")
      }
      identities.append(
        EventIdentity(kind: kind, chain: event.chain ?? 0, block: event.block, logIndex: event.logIndex ?? 0))
      batch.retract(identities[identities.count - 1])
    }
    let (receipt, sequence) = try question.audited(.retract(identities)) {
      try question.market.take(batch)
    } figures: {
      ($0.receipt.undone, $0.sequence)
    }
    var object = JSONObject()
    object.put("undone", count: UInt64(receipt.undone))
    object.put("not_found", receipt.notFound, ResultTable.identities)
    object.put("sequence", count: sequence)
    return .json(object.finished())
  }
}
