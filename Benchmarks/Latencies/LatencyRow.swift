// The rows that Latencies can measure: each is one kind of call, timed call by call.
// Invariant: what has to be drawn or given back for a call is outside its time.
// Not here: floors and goals (tools/bench), what a call does (Bench, Floors).

internal import Continuo
internal import ContinuoMachine
internal import ContinuoMarket

struct LatencyRow: Sendable {
  struct Round {
    let number: Int
    let calls: Int

    /// Other questions each round, the same in every run.
    var random: RandomSource { RandomSource(seed: UInt64(number), for: .questions) }
  }

  let name: String
  /// How many times dearer than reading candles a call is, roughly: so many times fewer are made.
  let costs: Int
  let measure: @Sendable (inout Bench, Round) throws -> LatencySamples

  static var names: [String] { all.map(\.name) }

  static let all: [LatencyRow] =
    [
      candles("candles-168h-popular", .oneHour, 168, .byPopularity),
      candles("candles-168h-uniform", .oneHour, 168, .uniformly),
      candles("candles-168m-popular", .oneMinute, 168, .byPopularity),
      candles("candles-168m-uniform", .oneMinute, 168, .uniformly),
      candles("candles-1440m-busiest", .oneMinute, 1_440, .busiest),
      copies("copy-168-popular", 168, .byPopularity),
      copies("copy-168-uniform", 168, .uniformly),
      copies("copy-1440", 1_440, .byPopularity),
      statistics("stats-popular", .byPopularity), statistics("stats-uniform", .uniformly),
      searches("search-popular", .byPopularity), searches("search-uniform", .uniformly),
    ] + [topNow, topPast, topFloor, rollback, retraction, undoFloor]

  private static func timed(
    _ bench: inout Bench, _ round: Round, _ call: (inout Bench, inout RandomSource) throws -> Int64
  ) throws -> LatencySamples {
    var random = round.random
    var samples = LatencySamples(capacity: round.calls)
    for _ in 0..<round.calls { samples.add(try call(&bench, &random)) }
    return samples
  }

  private static func candles(_ name: String, _ interval: Interval, _ count: Int, _ pick: Bench.Pick) -> LatencyRow {
    let query = CandleQuery(interval, limit: count)
    return LatencyRow(name: name, costs: count > 1_000 ? 20 : interval == .oneMinute ? 4 : 1) { bench, round in
      try timed(&bench, round) { bench, random in
        let rank = bench.rank(pick, &random)
        let start = MachineHandle.nanoseconds
        bench.readCandles(of: rank, query)
        return MachineHandle.nanoseconds - start
      }
    }
  }

  private static func copies(_ name: String, _ count: Int, _ pick: Bench.Pick) -> LatencyRow {
    LatencyRow(name: name, costs: 1) { bench, round in
      var target: [Floors.PlainCandle] = []
      return try timed(&bench, round) { bench, random in
        let rank = bench.rank(pick, &random)
        let start = MachineHandle.nanoseconds
        bench.seen &+= bench.floors.copy(count, of: rank, to: &target)
        return MachineHandle.nanoseconds - start
      }
    }
  }

  private static func statistics(_ name: String, _ pick: Bench.Pick) -> LatencyRow {
    LatencyRow(name: name, costs: 1) { bench, round in
      try timed(&bench, round) { bench, random in
        let (rank, instant) = (bench.rank(pick, &random), bench.instant(&random))
        let start = MachineHandle.nanoseconds
        try bench.readStatistics(of: rank, asOf: instant)
        return MachineHandle.nanoseconds - start
      }
    }
  }

  private static func searches(_ name: String, _ pick: Bench.Pick) -> LatencyRow {
    LatencyRow(name: name, costs: 1) { bench, round in
      try timed(&bench, round) { bench, random in
        let (rank, instant) = (bench.rank(pick, &random), bench.instant(&random))
        let start = MachineHandle.nanoseconds
        bench.seen &+= bench.floors.window(of: rank, to: instant)
        return MachineHandle.nanoseconds - start
      }
    }
  }

  // MARK: rankings

  private static let topCosts = 400

  /// A minute of idle time passes before each call, and what that puts into motion is part of the call. All rounds
  /// together stay within an hour or so: in a day without a swap nothing is left to rank.
  private static let topNow = LatencyRow(name: "top-now", costs: topCosts) { bench, round in
    try timed(&bench, Round(number: round.number, calls: min(round.calls, 25))) { bench, _ in
      let later = (bench.engine.clock ?? Market.start) + 60_000_000
      let start = MachineHandle.nanoseconds
      bench.engine.advanceClock(to: later)
      try bench.readRanking(asOf: later)
      return MachineHandle.nanoseconds - start
    }
  }

  private static let topPast = LatencyRow(name: "top-past", costs: topCosts) { bench, round in
    try timed(&bench, round) { bench, random in
      let instant = bench.instant(&random)
      let start = MachineHandle.nanoseconds
      try bench.readRanking(asOf: instant)
      return MachineHandle.nanoseconds - start
    }
  }

  private static let topFloor = LatencyRow(name: "top-floor", costs: 10) { bench, round in
    try timed(&bench, round) { bench, _ in
      let start = MachineHandle.nanoseconds
      bench.seen &+= bench.floors.greatest(100)
      return MachineHandle.nanoseconds - start
    }
  }

  // MARK: undoing

  private static let undone = 1_000
  private static let undoCosts = 2_000

  private static let rollback = LatencyRow(name: "rollback-last", costs: undoCosts) { bench, round in
    let (rows, block) = bench.lastRows(undone)
    return try timed(&bench, round) { bench, _ in
      let start = MachineHandle.nanoseconds
      let count = try bench.engine.rollback(chain: Market.chain, above: block)
      let spent = MachineHandle.nanoseconds - start
      guard count == rows.count else { fatalError("\(count) events were undone, not \(rows.count)") }
      try bench.deliver(rows)
      return spent
    }
  }

  private static let retraction = LatencyRow(name: "retract-busiest", costs: undoCosts) { bench, round in
    try timed(&bench, round) { bench, random in
      let rows = bench.busiestRows(undone, &random)
      var batch = EventBatch()
      for row in rows {
        batch.retract(
          EventIdentity(
            kind: .swap, chain: Market.chain, block: bench.market.block(row), logIndex: bench.market.logIndex(row)))
      }
      let start = MachineHandle.nanoseconds
      let receipt = try bench.engine.apply(batch, wallClock: nil)
      let spent = MachineHandle.nanoseconds - start
      guard receipt.undone == rows.count else { fatalError("\(receipt.undone) events were undone, not \(rows.count)") }
      try bench.deliver(rows)
      return spent
    }
  }

  private static let undoFloor = LatencyRow(name: "undo-floor", costs: 1) { bench, round in
    var target: [Floors.PlainCandle] = []
    return try timed(&bench, round) { bench, random in
      let rank = bench.rank(.uniformly, &random)
      let start = MachineHandle.nanoseconds
      bench.seen &+= bench.floors.copy(undone, of: rank, to: &target)
      return MachineHandle.nanoseconds - start
    }
  }

  // MARK: the result

  /// The row's percentiles in microseconds, a number for each round.
  func json(_ rounds: [LatencySamples]) -> String {
    let shares = [("p50_us", 0.5), ("p99_us", 0.99), ("p999_us", 0.999)]
    let found = rounds.map { $0.microseconds(shares.map(\.1)) }
    let lists = shares.indices.map { index in
      "\"\(shares[index].0)\":[" + found.map { String($0[index]) }.joined(separator: ",") + "]"
    }
    return "{\"row\":\"\(name)\",\"calls\":\(rounds.first?.count ?? 0)," + lists.joined(separator: ",") + "}"
  }
}
