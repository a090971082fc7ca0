// A market as steps of a ledger, and what an engine says after each of them.
// Invariant: step n makes digest n + 1 of digest n; a digest is of all answers, and of how far each source is.
// Not here: what happens to the disk meanwhile (the tests).

import Continuo
import ContinuoFormats
import ContinuoStorage
import ContinuoTestSupport

/// The steps of a market, and the digests of an engine that took the first n of them.
struct LedgerWorkload {
  let settings: Engine.Settings
  let price: PriceMode
  /// Whether parts of the directory may be read while it is opened: then the journal is settled first.
  private let hasParts: Bool
  private(set) var steps: [MarketOperation] = []
  private(set) var digests: [String] = []
  private(set) var inspections: [Inspection] = []
  private(set) var positions: [[InputPosition]] = []

  /// How far its source is that a step comes from; nil where it does not say. Now and then it goes back, and is refused.
  static func position(_ step: Int) -> InputPosition? {
    step % 4 == 3
      ? nil : InputPosition(ByteString("source \(step % 3)"), step % 7 == 5 ? 1 : UInt128(step / 2 + 2) << 60)
  }

  /// A digest of an engine with its sources.
  static func digest(_ engine: borrowing Engine) throws -> String {
    try StateDigest.hexadecimal(of: engine) + engine.positions.map { " \($0.source) \($0.position)" }.joined()
  }

  init(seed: UInt64, steps wanted: Int) throws {
    hasParts = seed % 2 == 1
    var random = SeededGenerator(seed: seed)
    var shape = MarketShape(
      style: random.pick([.edges, .horizon]), retention: "raw=7d", events: wanted * 3, operations: wanted)
    shape.hasWallClock = false
    let market = try RandomMarket(shape, using: &random)
    (settings, price) = (market.settings, shape.price)
    var engine = Engine(settings)
    digests.append(try Self.digest(engine))
    inspections.append(engine.inspection())
    positions.append(engine.positions)
    for step in market.operations.prefix(wanted) {
      if case .advanceClock = step { continue }
      steps.append(step)
      switch step {
      case .apply(let rows, let wallClock, _):
        if let position = Self.position(steps.count - 1) {
          _ = try? engine.apply(batch(rows), settings.bounds(wallClock), at: position)
        } else {
          _ = try? engine.apply(batch(rows), wallClock: wallClock)
        }
      case .retract(let identity): _ = engine.retract(identity)
      case .rollback(let chain, let block): _ = try? engine.rollback(chain: chain, above: block)
      case .moveHorizon: engine.moveHorizon()
      case .advanceClock: break
      }
      digests.append(try Self.digest(engine))
      inspections.append(engine.inspection())
      positions.append(engine.positions)
    }
  }

  func batch(_ rows: [MarketRow]) -> EventBatch {
    var spelling: SeededGenerator?
    return EventBatch(rows, price: price, spelling: &spelling)
  }

  /// Does a step; what the engine refuses counts as done.
  func perform(_ step: Int, on ledger: Ledger) throws(StorageFailure) {
    do {
      switch steps[step] {
      case .apply(let rows, let wallClock, _):
        if let position = Self.position(step) {
          _ = try ledger.take(batch(rows), at: position, wallClock: wallClock)
        } else {
          _ = try ledger.take(batch(rows), wallClock: wallClock)
        }
      case .retract(let identity): _ = try ledger.retract(identity)
      case .rollback(let chain, let block): _ = try ledger.rollback(chain: chain, above: block)
      case .moveHorizon: _ = try ledger.moveHorizon()
      case .advanceClock: break
      }
    } catch let failure as StorageFailure {
      throw failure
    } catch {}
  }

  /// Small files, so that some are begun on the way.
  var options: Ledger.Options {
    var options = Ledger.Options(engine: settings)
    options.price = price
    options.journalFileBytes = 6 * 4096
    if hasParts { options.onChecked = { _ in } }
    return options
  }

  /// Whether an image brings back what the first `steps` steps made.
  func holds(_ digest: String, from first: Int, through last: Int) -> Bool {
    digests[first...min(last, digests.count - 1)].contains(digest)
  }
}

extension EventBatch {
  /// A batch of one swap, told from others by its block and log index.
  static func oneSwap(block: UInt64, logIndex: UInt32 = 0) -> EventBatch {
    var batch = EventBatch()
    batch.append(
      Swap(
        block: block, logIndex: logIndex, timestamp: Timestamp(microseconds: 1_700_000_000_000_000), token: "ART",
        amountUSD: .one, priceUSD: .one))
    return batch
  }
}
