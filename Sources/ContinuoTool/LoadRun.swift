// One run of the load: a market that is drawn already into a fresh engine, timed from the first batch to the last read.
// Invariant: nothing but feeding and reading the engine is inside the timed part; the market outlives it.
// Not here: flags (Load), how the market is drawn (ContinuoMarket), the report's form (LoadReport).

internal import Continuo
internal import ContinuoFormats
internal import ContinuoMachine
internal import ContinuoMarket

struct LoadRun {
  private static let readsAfterwards = 20_000
  private static let rowsCopiedAtOnce = 1_000_000

  private let market: Market
  private let batchRows: Int
  private let readers: Int
  private let hasDigest: Bool
  private var report = LoadReport()

  /// Feeds the whole market, reads what was put off, and says what it took.
  static func report(
    _ market: Market, batchRows: Int, readers: Int, hasDigest: Bool, _ console: Console
  ) throws -> LoadReport {
    var run = LoadRun(market: market, batchRows: batchRows, readers: readers, hasDigest: hasDigest)
    try run.run(console)
    return run.report
  }

  private mutating func run(_ console: Console) throws {
    var engine = Engine(Engine.Settings(retention: .standard))
    var batch = EventBatch()
    let batches = market.batches(of: batchRows)
    let readers = readers > 0 ? try LoadReaders(readers, engine.publication(), market) : nil
    defer { _ = readers?.finish() }
    MachineHandle.forgetPeak()
    let residentBefore = MachineHandle.residentBytes ?? 0
    console.note("timed part begins")
    let processorBefore = MachineHandle.processorNanoseconds
    let start = MachineHandle.nanoseconds
    do throws(Refusal) {
      for rows in batches {
        batch.removeAll()
        market.append(rows, to: &batch)
        let receipt = try engine.apply(batch, wallClock: nil)
        report.accepted += receipt.accepted
        report.duplicates += receipt.duplicates
        report.rejected += receipt.rejections.count
      }
      try readEveryToken(engine)
    } catch {
      throw Failure(error)
    }
    report.nanoseconds = MachineHandle.nanoseconds - start
    report.processorNanoseconds = MachineHandle.processorNanoseconds - processorBefore
    console.note("timed part ends")
    let seen = readers?.finish() ?? []
    report.residentBytes = max(0, (MachineHandle.peakResidentBytes ?? 0) - residentBefore)
    report.delivered = market.count
    var progress = Progress(console)
    progress.say("counting what is served")
    defer { progress.finish() }
    copyColumns()
    countCandles(engine)
    take(seen)
    if report.reads.count == 0 { readCandles(engine) }
    if hasDigest {
      do throws(Refusal) {
        report.stateDigest = try StateDigest.hexadecimal(of: engine)
      } catch {
        throw Failure(error)
      }
    }
  }

  /// What work may have been put off to: each token's newest candle and its 24 hours.
  private mutating func readEveryToken(_ engine: borrowing Engine) throws(Refusal) {
    guard let clock = engine.clock else { return }
    var trades = 0
    for token in engine.tokens() {
      engine.forEachCandle(of: token, CandleQuery(.oneHour, limit: 1)) { trades += $0.candle?.trades ?? 0 }
      trades += try engine.window(.oneDay, of: token, asOf: clock).trades
    }
    report.tradesRead = trades
  }

  /// The floor under the timed part: as many values copied into memory that is there, and nothing made of them.
  private mutating func copyColumns() {
    var columns = PlainColumns()
    let pieces = market.batches(of: Self.rowsCopiedAtOnce)
    columns.copy(pieces[0], of: market)
    let start = MachineHandle.nanoseconds
    for rows in pieces { columns.copy(rows, of: market) }
    report.copyNanoseconds = MachineHandle.nanoseconds - start
    report.tradesRead &+= columns.timestamps.count
  }

  private mutating func countCandles(_ engine: borrowing Engine) {
    let tokens = engine.tokens()
    report.candles = Interval.allCases.map { interval in
      var count = 0
      for token in tokens { engine.forEachCandle(of: token, CandleQuery(interval)) { _ in count += 1 } }
      return (interval.rawValue, count)
    }
  }

  /// Counted are the reads that had all candles that were asked for, once the market is old enough to have any such.
  private mutating func take(_ seen: [LoadReaders.Seen]) {
    let isOld = seen.contains { $0.full.count > 0 }
    for reader in seen {
      report.reads = report.reads.joined(isOld ? reader.full : reader.short)
      report.tradesRead &+= reader.trades
    }
  }

  /// A week of hourly candles, of tokens as popular as the market draws them.
  private mutating func readCandles(_ engine: borrowing Engine) {
    var random = RandomSource(seed: market.shape.seed, for: .questions)
    let popularity = market.popularity()
    let tokens = (0..<market.shape.tokens).map { engine.token(market.tokenName($0)) }
    var samples = LatencySamples(capacity: Self.readsAfterwards)
    var trades = 0
    for _ in 0..<Self.readsAfterwards {
      guard let token = tokens[popularity.draw(&random)] else { continue }
      let start = MachineHandle.nanoseconds
      engine.forEachCandle(of: token, CandleQuery(.oneHour, limit: LoadReaders.candlesRead)) {
        trades &+= $0.candle?.trades ?? 0
      }
      samples.add(MachineHandle.nanoseconds - start)
    }
    report.tradesRead &+= trades
    report.reads = samples
  }
}
