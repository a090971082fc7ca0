// Whether the process is there, whether it can be relied on, and what it counts.
// Invariant: health is answered whatever else is wrong.
// Not here: the counts (Metrics).

internal import Continuo
internal import ContinuoFormats
internal import ContinuoStorage

enum HealthRoutes {
  static func health(_: Question) -> Answer { .json(Array("{\"status\":\"ok\"}\n".utf8)) }

  static func ready(_ question: Question) -> Answer {
    let reasons = question.market.reasons
    var object = JSONObject()
    object.put("ready", flag: reasons.isEmpty)
    object.put("reasons", texts: reasons + question.market.warnings)
    var answer = Answer.json(object.finished())
    if !reasons.isEmpty {
      answer.status = 503
      answer.headers.append(("Retry-After", "1"))
    }
    return answer
  }

  static func metrics(_ question: Question) -> Answer {
    var gauges = Metrics.Gauges()
    (gauges.isReady, gauges.waiting) = (question.market.reasons.isEmpty, question.market.early.waiting)
    gauges.residentBytes = ResidentMemory.bytes
    gauges.isMemoryLimitReached = question.market.memory.isReached
    gauges.limits = question.limits.figures
    gauges.ofFeed = question.market.feedReport?().figures ?? []
    if let opened = try? question.market.opened() {
      gauges.journalBytes = opened.ledger.unkept.bytes
      gauges.hasFailedCheckpoint = opened.ledger.checkpointFailure != nil
      gauges.checkpointAge = opened.ledger.checkpointAge
      gauges.streams = opened.feed.followers
    }
    _ = try? question.market.read { market, clock in
      let inspection = market.inspection()
      (gauges.newest, gauges.horizon, gauges.clock) = (inspection.newest, inspection.horizon, clock)
      (gauges.tokens, gauges.incompleteTokens) = (inspection.tokens, inspection.incompleteTokens)
      gauges.retentionLagMicroseconds = 0
      if market.isHorizonDue, let newest = inspection.newest, let raw = market.retention?.rawMicroseconds {
        let due = (newest - raw).startOfDay
        gauges.retentionLagMicroseconds = max(0, due.microseconds - (inspection.horizon ?? due).microseconds)
      }
    }
    return Answer(type: "text/plain; version=0.0.4; charset=utf-8", question.market.metrics.text(gauges))
  }
}
