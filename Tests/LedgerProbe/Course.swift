// The numbered steps that a writer takes, and how many of them an engine has taken.
// Invariant: a step is known by its number alone, and what is there says how many there are: a writer that is killed goes on
// where it was.
// Not here: taking them into a directory, killing (main.swift, tools/crash).

internal import Continuo
internal import ContinuoFormats

/// Steps, one after the other.
enum Course: String {
  /// A second apart: nothing is ever dropped.
  case plain = "write"
  /// An hour apart, in segments of four, and every 24 of them the horizon moves by a day: segments expire all the time.
  case kept = "keep"

  private static let start: Int64 = 1_730_419_200_000_000

  private var microseconds: Int64 { self == .plain ? 1_000_000 : 3_600_000_000 }

  /// How long events are kept; nil: as it is usual.
  var retention: RetentionPolicy? { self == .plain ? nil : try? RetentionPolicy("raw=7d,1h=8d") }

  /// Whether the horizon is moved before a step.
  func movesHorizon(before number: Int) -> Bool { self == .kept && number.isMultiple(of: 24) }

  /// The events of a step: some swaps, and every seventh time the retraction of one before.
  func step(_ number: Int) -> EventBatch {
    var batch = EventBatch()
    for index in 0..<(number % 37 + 1) {
      let time = Timestamp(microseconds: Self.start + Int64(number) * microseconds)
      batch.append(
        Swap(
          block: UInt64(number), logIndex: UInt32(index), timestamp: time, token: ByteString("T\(index % 5)"),
          side: index % 2 == 0 ? .buy : .sell, amountUSD: Decimal18(whole: Int64(index + 1)),
          priceUSD: Decimal18(whole: Int64(number % 100 + 1)), wallet: ByteString("wallet \(number * 37 + index)")))
    }
    if number % 7 == 6 { batch.retract(EventIdentity(kind: .swap, block: UInt64(number - 3))) }
    return batch
  }

  /// The number of the step that follows: steps are numbered by what is there.
  func following(_ newest: Timestamp?) -> Int {
    newest.map { Int(($0.microseconds - Self.start) / microseconds) + 1 } ?? 0
  }

  /// An engine that has taken so many steps.
  func taken(_ count: Int) throws -> Engine {
    var engine = Engine(Engine.Settings(retention: retention))
    for number in 0..<count {
      if movesHorizon(before: number) { engine.moveHorizon() }
      try engine.apply(step(number), wallClock: nil)
    }
    return engine
  }

  /// How many steps an engine has taken, if it took a first part of them and nothing else.
  func steps(_ engine: borrowing Engine) throws -> Int? {
    guard let newest = engine.newest else { return engine.tokens().isEmpty ? 0 : nil }
    let count = following(newest)
    var expected = try taken(count)
    let found = try StateDigest.hexadecimal(of: engine)
    if found == (try StateDigest.hexadecimal(of: expected)) { return count }
    // The horizon may have moved already for the next one.
    guard movesHorizon(before: count) else { return nil }
    expected.moveHorizon()
    return found == (try StateDigest.hexadecimal(of: expected)) ? count : nil
  }
}
