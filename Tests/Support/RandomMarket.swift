// Small random markets that crowd where engines break: equal times, bucket edges, the horizon, the ends of the range.
// Invariant: the seed decides everything.
// Not here: what the events mean (ContinuoModel), single values (MarketValues).

package import Continuo

/// One step of a test.
package enum MarketOperation: Sendable {
  /// `isText`: the rows go in as text where they can.
  case apply([MarketRow], wallClock: Timestamp?, isText: Bool)
  case retract(EventIdentity)
  case rollback(chain: UInt32, block: UInt64)
  case moveHorizon
  case advanceClock(Timestamp)
}

/// How a market is drawn.
package struct MarketShape: Sendable {
  package enum Style: CaseIterable, Sendable {
    /// A few hours or days around some edge.
    case edges
    /// Months with a short retention, so that the horizon bites.
    case horizon
    /// More than three chunks of one token in a few microseconds.
    case crowd
    /// Prices and amounts at the ends of the range.
    case extremes
    /// Thousands of events of many tokens and addresses, on few chains: tables grow, leaves and chunks split and join.
    case many
  }

  package var style: Style
  package var retention: String?
  package var price: PriceMode = .quoted
  package var events: Int
  package var operations: Int
  /// How many in a hundred rows are not valid, and how many are changed copies of others.
  package var faultsPercent = 5
  package var conflictsPercent = 5
  /// Whether wall clocks are handed in, so that some events lie in the future.
  package var hasWallClock = true

  package init(style: Style, retention: String?, events: Int, operations: Int) {
    (self.style, self.retention, self.events, self.operations) = (style, retention, events, operations)
  }

  /// Any shape, mostly a small one.
  package init(using random: inout SeededGenerator) {
    let isLarge = random.chance(6)
    let style: Style =
      isLarge
      ? random.pick([.crowd, .crowd, .many]) : random.pick([.edges, .edges, .horizon, .horizon, .horizon, .extremes])
    let retentions: [String?] = [
      "raw=7d", "raw=7d,1m=1d,5m=2d,15m=3d", "raw=8d,1h=2h,4h=10h,1d=3d,1w=3d", "raw=9d,1h=30d,4h=30d,1d=40d,1w=60d",
      "raw=30d", "raw=7d,1h=1h,4h=1h,1d=1h,1w=1h", "raw=forever", "",
    ]
    let retention: String? = style == .horizon || random.chance(30) ? random.pick(retentions) : nil
    self.init(
      style: style, retention: retention,
      events: isLarge ? Int.random(in: 1_550...2_600, using: &random) : Int.random(in: 3...160, using: &random),
      operations: isLarge ? 10 : Int.random(in: 3...30, using: &random))
    price = random.chance(15) ? .amountUSD : .quoted
    hasWallClock = random.chance(50)
    faultsPercent = random.pick([0, 3, 10])
    conflictsPercent = random.pick([0, 4, 12])
  }
}

/// A market: settings, events, and the operations that bring them in.
package struct RandomMarket: Sendable {
  package let settings: Engine.Settings
  package let shape: MarketShape
  /// Valid events with different identities.
  package private(set) var events: [MarketRow] = []
  package private(set) var operations: [MarketOperation] = []

  /// A market of any shape.
  package init(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let shape = MarketShape(using: &random)
    try self.init(shape, using: &random)
  }

  package init(_ shape: MarketShape, using random: inout SeededGenerator) throws {
    self.shape = shape
    settings = Engine.Settings(
      retention: try shape.retention.map { text throws(RetentionPolicy.Invalid) in try RetentionPolicy(text) },
      futureToleranceMicroseconds: random.pick([300_000_000, 300_000_000, 0, nil]))
    var values = MarketValues(shape.style, using: &random)
    var taken: Set<EventIdentity> = []
    while events.count < shape.events {
      let event = values.event(shape.price, using: &random)
      if taken.insert(event.identity).inserted { events.append(event) }
    }
    drawOperations(&values, using: &random)
  }

  private mutating func drawOperations(_ values: inout MarketValues, using random: inout SeededGenerator) {
    // Mostly in rising order with late ones, sometimes in no order at all: as the horizon moves, late is too late.
    var waiting = events.indices.map { index in
      (index, events[index].timestamp.microseconds + values.delay(using: &random))
    }
    if random.chance(70) { waiting.sort { $0.1 < $1.1 } } else { waiting.shuffle(using: &random) }
    var queue = waiting.map(\.0)[...]
    let share = max(1, events.count * 3 / (2 * max(1, shape.operations)))
    while operations.count < shape.operations || !queue.isEmpty {
      switch Int.random(in: 0..<100, using: &random) {
      case ..<70:
        let count = min(queue.count, Int.random(in: 1...2 * share, using: &random))
        let rows = batch(queue.prefix(count).map { events[$0] }, &values, using: &random)
        queue = queue.dropFirst(count)
        let wallClock = shape.hasWallClock && random.chance(70) ? values.wallClock(using: &random) : nil
        operations.append(.apply(rows, wallClock: wallClock, isText: random.chance(40)))
      case ..<77: operations.append(.retract(identity(&values, using: &random)))
      case ..<86:
        let block = identity(&values, using: &random)
        let above = random.pick([block.block, block.block, block.block &- 1, block.block &+ 1, 0, .max])
        // A rollback to the ground now and then; mostly it takes a part.
        operations.append(.rollback(chain: block.chain, block: random.chance(70) ? max(above, block.block / 2) : above))
      case ..<95: operations.append(.moveHorizon)
      default: operations.append(.advanceClock(values.wallClock(using: &random)))
      }
    }
  }

  /// A batch of new rows with repeats, changed copies, invalid rows and retractions among them.
  private func batch(
    _ fresh: [MarketRow], _ values: inout MarketValues, using random: inout SeededGenerator
  ) -> [MarketRow] {
    var rows = fresh
    let extras = Int.random(in: 0...max(1, fresh.count / 4), using: &random)
    for _ in 0..<extras {
      let any = events[Int.random(in: 0..<events.count, using: &random)]
      rows.append(random.chance(60) ? any : random.chance(50) ? values.respelled(any, using: &random) : any)
      if random.chance(20) { rows.append(.retract(identity(&values, using: &random))) }
    }
    for _ in 0..<fresh.count + 1 {
      if random.chance(shape.conflictsPercent) {
        rows.append(values.changed(random.pick(events), using: &random))
      }
      if random.chance(shape.faultsPercent) {
        rows.append(values.spoiled(values.event(shape.price, using: &random), using: &random))
      }
    }
    if random.chance(70) { rows.shuffle(using: &random) }
    // An amount past the range can only be told as text, and text goes first.
    return rows.filter(\.isOverflowing) + rows.filter { !$0.isOverflowing }
  }

  /// The identity of some event, or of none.
  private func identity(_ values: inout MarketValues, using random: inout SeededGenerator) -> EventIdentity {
    if random.chance(90) { return random.pick(events).identity }
    return EventIdentity(kind: random.pick(EventKind.allCases), chain: 99, block: 12, logIndex: 7)
  }
}

extension MarketRow {
  /// The identity of an event's row.
  package var identity: EventIdentity {
    switch self {
    case .swap(let swap): swap.identity
    case .transfer(let transfer), .overflowing(let transfer): transfer.identity
    case .retract(let identity): identity
    }
  }

  /// The token of an event's row.
  package var token: ByteString? {
    switch self {
    case .swap(let swap): swap.token
    case .transfer(let transfer), .overflowing(let transfer): transfer.token
    case .retract: nil
    }
  }

  /// When an event's row is; the epoch for a retraction.
  package var timestamp: Timestamp {
    switch self {
    case .swap(let swap): swap.timestamp
    case .transfer(let transfer), .overflowing(let transfer): transfer.timestamp
    case .retract: Timestamp(microseconds: 0)
    }
  }
}
