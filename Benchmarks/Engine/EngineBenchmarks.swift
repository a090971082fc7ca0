// Single steps of the engine, each beside what the machine can do at best, for work on that step:
// swift package benchmark, with CONTINUO_BENCHMARKS=1. The whole table is printed by tools/bench.
// Not here: markets of full size, memory, reads beside a writer (tools/bench).

import Benchmark
import Continuo
import ContinuoMarket
import FoundationEssentials

/// Whether all is to run once on next to nothing, so that tools/test sees that it runs.
private let isTiny = ProcessInfo.processInfo.environment["CONTINUO_BENCHMARKS_TINY"] != nil

/// What is measured with: drawn and taken in before any clock starts.
private struct Given: Sendable {
  static let events = isTiny ? 2_000 : 200_000

  let market: Market
  let wide: Market
  let transfers: Market

  init() {
    var shape = MarketShape(events: Self.events)
    market = Market(shape)
    shape.isWide = true
    wide = Market(shape)
    shape.isWide = false
    shape.kind = .transfers
    transfers = Market(shape)
  }

  static func ingested(_ market: Market) throws -> Engine {
    var engine = Engine()
    var batch = EventBatch()
    for rows in market.batches(of: 10_000) {
      batch.removeAll()
      market.append(rows, to: &batch)
      try engine.apply(batch, wallClock: nil)
    }
    return engine
  }
}

/// An engine that holds the market, lent to one benchmark after the other.
private final class Held {
  let engine: Engine
  let busiest: TokenID

  init(_ market: Market) throws {
    engine = try Given.ingested(market)
    guard let token = engine.token(market.tokenName(0)) else { fatalError("the most popular token has no event") }
    busiest = token
  }
}

/// A row as wide as what an engine is given of a swap.
private struct PlainRow: BitwiseCopyable {
  var block: UInt64, timestamp: Timestamp, token: Int32, wallet: Int32
}

let benchmarks: @Sendable () -> Void = {
  let given = Given()
  let short = Benchmark.Configuration(
    metrics: [.wallClock, .throughput, .cpuTotal], warmupIterations: isTiny ? 0 : 1,
    maxDuration: isTiny ? .milliseconds(1) : .seconds(2), maxIterations: isTiny ? 1 : 100_000)

  Benchmark("ingest, floor: copy the rows", configuration: short) { run in
    for _ in run.scaledIterations {
      var rows: [PlainRow] = []
      rows.reserveCapacity(given.market.count)
      for row in 0..<given.market.count {
        rows.append(
          PlainRow(
            block: given.market.block(row), timestamp: given.market.timestamp(row),
            token: Int32(given.market.token(row)), wallet: Int32(given.market.wallet(row))))
      }
      blackHole(rows)
    }
  }
  Benchmark("ingest, floor: judge only", configuration: short) { run in
    var batch = EventBatch()
    for _ in run.scaledIterations {
      for rows in given.market.batches(of: 10_000) {
        batch.removeAll()
        given.market.append(rows, to: &batch)
      }
      blackHole(batch.offered)
    }
  }
  for (name, market) in [("ingest", given.market), ("ingest, 18 digits", given.wide), ("transfers", given.transfers)] {
    Benchmark(name, configuration: short) { run in
      for _ in run.scaledIterations {
        let engine = try Given.ingested(market)
        blackHole(engine.clock)
      }
    }
  }
  do {
    let held = try Held(given.market)
    Benchmark("168 hourly candles of the busiest token", configuration: short) { run in
      var trades = 0
      for _ in run.scaledIterations {
        held.engine.forEachBar(of: held.busiest, CandleQuery(.oneHour, limit: 168)) {
          trades &+= $0.trades
        }
      }
      blackHole(trades)
    }
    Benchmark("24 h statistics of the busiest token", configuration: short) { run in
      for _ in run.scaledIterations {
        blackHole(try held.engine.statistics(of: held.busiest, asOf: held.engine.clock ?? Market.start))
      }
    }
    Benchmark("top 100 by volume", configuration: short) { run in
      for _ in run.scaledIterations {
        blackHole(try held.engine.ranking(by: .volume, limit: 100, asOf: held.engine.clock ?? Market.start))
      }
    }
  } catch {
    fatalError("the market was refused: \(error)")
  }
}
