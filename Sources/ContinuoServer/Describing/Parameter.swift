// A name in a query or a path, with what its value may be.
// Invariant: a bound that is told here is the one that is kept (ServerLimits).
// Not here: which route has which (RouteTable), reading values (Query).

internal import Continuo
internal import ContinuoFormats

/// A name in the query of a route.
struct Parameter: Sendable, ExpressibleByStringLiteral {
  let name: String
  let says: String
  let schema: Schema
  var isRepeated = false
  var isRequired = false

  init(_ name: String, _ says: String, _ schema: Schema, isRepeated: Bool = false, isRequired: Bool = false) {
    (self.name, self.says, self.schema) = (name, says, schema)
    (self.isRepeated, self.isRequired) = (isRepeated, isRequired)
  }

  /// A name that any text may stand for. O(1).
  init(stringLiteral name: String) { self.init(name, "", .text) }

  // MARK: those of several routes

  private static let limits = ServerLimits()

  static func limit(usual: Int? = nil) -> Parameter {
    Parameter(
      "limit", "How many rows; \(usual ?? limits.rowsUsual) unless it is given.",
      .count(1...UInt64(limits.rowsMax)))
  }

  /// What an answer said in `next`, of some form.
  static func cursor(_ pattern: String? = nil) -> Parameter {
    Parameter(
      "cursor", "What the answer before said in next, or in the header Link where it is CSV.",
      pattern.map { .text($0) } ?? .text)
  }

  static let time = Parameter(
    "time",
    "Times are integers of this, in and out; without it they go out as RFC 3339, and integers that come count "
      + "microseconds.", .choice(["s", "ms"]))
  static let interval = Parameter("interval", "How long a bucket is; 1h unless it is given.", .choice(Interval.self))
  static let asOf = Parameter("as_of", "The instant; the clock unless it is given.", instant)
  static let window = Parameter(
    "window", "The figures of a rolling window of that length too.", .choice(WindowLength.self), isRepeated: true)
  static let instant = Schema.time
}
