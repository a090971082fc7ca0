// What the server counts, as Prometheus reads it.
// Invariant: counters begin at 0 with the process and only grow; no name from outside is ever a label.
// Not here: what is counted when (LiveMarket, Service).
// Rules 13.1.

internal import Continuo
internal import Synchronization

final class Metrics: Sendable {
  private struct Histogram {
    var counts = [UInt64](repeating: 0, count: Metrics.bounds.count + 1)
    var seconds = 0.0
  }

  private struct Counters {
    var accepted: UInt64 = 0
    var duplicates: UInt64 = 0
    var rejected = [UInt64](repeating: 0, count: RejectionReason.allCases.count)
    var undone: UInt64 = 0
    var outOfRange: UInt64 = 0
    var problems: [Problem.Code: UInt64] = [:]
    var reads: [String: Histogram] = [:]
  }

  /// Up to how many seconds each bucket of a histogram goes.
  private static let bounds = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5]

  private let counters = Mutex(Counters())
  /// How many connections are open.
  let connections = Atomic<Int>(0)
  /// How many bytes of bodies are held.
  let heldBytes = Atomic<Int>(0)

  func count(_ receipt: Receipt) {
    counters.withLock { counters in
      counters.accepted += UInt64(receipt.accepted)
      counters.duplicates += UInt64(receipt.duplicates)
      counters.undone += UInt64(receipt.undone)
      for rejection in receipt.rejections { counters.rejected[Int(rejection.reason.rawValue)] += 1 }
    }
  }

  func count(undone: Int) { counters.withLock { $0.undone += UInt64(undone) } }

  func count(outOfRange figures: Int) {
    if figures > 0 { counters.withLock { $0.outOfRange += UInt64(figures) } }
  }

  func count(_ problem: Problem.Code) { counters.withLock { $0.problems[problem, default: 0] += 1 } }

  /// Notes that a route was answered in so long.
  func note(_ route: String, seconds: Double) {
    let bucket = Self.bounds.firstIndex { seconds <= $0 } ?? Self.bounds.count
    counters.withLock { counters in
      counters.reads[route, default: Histogram()].counts[bucket] += 1
      counters.reads[route, default: Histogram()].seconds += seconds
    }
  }

  /// What there is to tell of the market besides.
  struct Gauges {
    var newest: Timestamp?
    var horizon: Timestamp?
    var clock: Timestamp?
    var isReady = false
    // What nobody knows before the directory is read.
    var retentionLagMicroseconds: Int64?
    var journalBytes: Int64?
    var hasFailedCheckpoint: Bool?
    var tokens: Int?
    var incompleteTokens: Int?
    var streams = 0
    var waiting = 0
    var residentBytes: Int?
    var checkpointAge: Duration?
    var isMemoryLimitReached = false
    var limits: [(name: String, value: Int)] = []
    var ofFeed: [FeedReport.Figure] = []
  }

  /// All of it in the text format, version 0.0.4. O(routes).
  func text(_ gauges: Gauges) -> [UInt8] {
    let counters = counters.withLock { $0 }
    var page = MetricsPage()
    page.counter("continuo_events_accepted_total", "Events that were taken in.", [("", Double(counters.accepted))])
    page.counter("continuo_events_duplicate_total", "Events that stood already.", [("", Double(counters.duplicates))])
    page.counter(
      "continuo_events_rejected_total", "Rows that were rejected.",
      RejectionReason.allCases.map { ("{reason=\"\($0.name)\"}", Double(counters.rejected[Int($0.rawValue)])) })
    page.counter("continuo_undone_total", "Events that were undone.", [("", Double(counters.undone))])
    page.counter(
      "continuo_answers_out_of_range_total", "Sums that did not fit where they were answered.",
      [("", Double(counters.outOfRange))])
    page.counter(
      "continuo_problems_total", "Requests that were not answered, by code.",
      Problem.Code.allCases.map { ("{code=\"\($0.rawValue)\"}", Double(counters.problems[$0] ?? 0)) })
    page.head("continuo_read_seconds", "How long routes took to answer.", "histogram")
    for (route, histogram) in counters.reads.sorted(by: { $0.key < $1.key }) {
      var sum: UInt64 = 0
      for (index, bound) in Self.bounds.enumerated() {
        sum += histogram.counts[index]
        page.line("continuo_read_seconds_bucket", "{route=\"\(route)\",le=\"\(bound)\"}", Double(sum))
      }
      sum += histogram.counts[Self.bounds.count]
      page.line("continuo_read_seconds_bucket", "{route=\"\(route)\",le=\"+Inf\"}", Double(sum))
      page.line("continuo_read_seconds_sum", "{route=\"\(route)\"}", histogram.seconds)
      page.line("continuo_read_seconds_count", "{route=\"\(route)\"}", Double(sum))
    }
    add(gauges, &page)
    return Array(page.text.utf8)
  }

  private func add(_ gauges: Gauges, _ page: inout MetricsPage) {
    let times = [("newest", gauges.newest), ("horizon", gauges.horizon), ("clock", gauges.clock)]
    for (name, time) in times {
      guard let time else { continue }
      page.gauge("continuo_\(name)_timestamp_seconds", "The \(name) of the market.", Double(time.microseconds) / 1e6)
    }
    page.gauge("continuo_ready", "Whether it is ready, as /readyz says.", gauges.isReady ? 1 : 0)
    page.gauge(
      "continuo_waiting_requests", "Requests that wait for the directory to be read.", Double(gauges.waiting))
    if let lag = gauges.retentionLagMicroseconds {
      page.gauge(
        "continuo_retention_lag_seconds", "How far what is dropped is behind what is to be dropped.",
        Double(lag) / 1e6)
    }
    if let bytes = gauges.journalBytes {
      page.gauge("continuo_journal_bytes", "What lies behind the last checkpoint.", Double(bytes))
    }
    if let hasFailed = gauges.hasFailedCheckpoint {
      page.gauge("continuo_checkpoint_failed", "Whether the last checkpoint failed.", hasFailed ? 1 : 0)
    }
    if let age = gauges.checkpointAge {
      page.gauge(
        "continuo_checkpoint_age_seconds",
        "How long ago the last good checkpoint was begun, or the directory was opened.",
        age.seconds)
    }
    page.head("continuo_limit", "What is allowed at most, by what: bytes, seconds, or a count.", "gauge")
    for (name, value) in gauges.limits { page.line("continuo_limit", "{of=\"\(name)\"}", Double(value)) }
    page.gauge(
      "continuo_memory_limit_reached", "Whether no events are taken for want of memory.",
      gauges.isMemoryLimitReached ? 1 : 0)
    if let bytes = gauges.residentBytes {
      page.gauge("continuo_memory_bytes", "Resident memory of the process.", Double(bytes))
    }
    if let tokens = gauges.tokens { page.gauge("continuo_tokens", "Tokens with a held event.", Double(tokens)) }
    if let tokens = gauges.incompleteTokens {
      page.gauge("continuo_incomplete_tokens", "Tokens whose holders are incomplete.", Double(tokens))
    }
    page.gauge(
      "continuo_stream_subscribers", "Open streams of candles.", Double(gauges.streams))
    page.gauge("continuo_connections", "Open connections.", Double(connections.load(ordering: .relaxed)))
    var last = ""
    for figure in gauges.ofFeed {
      if figure.name != last { page.head(figure.name, figure.help, figure.isCounter ? "counter" : "gauge") }
      page.line(figure.name, figure.labels, figure.value)
      last = figure.name
    }
    page.gauge("continuo_held_body_bytes", "Bytes of bodies that are held.", Double(heldBytes.load(ordering: .relaxed)))
  }
}

/// The text format of metrics.
private struct MetricsPage {
  var text = ""

  mutating func head(_ name: String, _ help: String, _ type: String) {
    text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
  }

  mutating func line(_ name: String, _ labels: String, _ value: Double) {
    let isWhole = value.rounded() == value && abs(value) < 9e15
    text += "\(name)\(labels) \(isWhole ? String(Int64(value)) : String(value))\n"
  }

  mutating func counter(_ name: String, _ help: String, _ values: [(labels: String, value: Double)]) {
    head(name, help, "counter")
    for (labels, value) in values { line(name, labels, value) }
  }

  mutating func gauge(_ name: String, _ help: String, _ value: Double) {
    head(name, help, "gauge")
    line(name, "", value)
  }
}
